"""What the cluster's programs are started with: keys, kubeconfigs, stages, fleet, command lines."""

import base64
import datetime as dt
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from sandbox.cluster import certificates, fleet, kubeconfig, kwok
from sandbox.cluster.pki import CLUSTER_CA, ETCD_CA, IDENTITIES, Pair, Pki
from sandbox.environment import Shell, exports, inside, ones_own, variables
from sandbox.instance import PORT_NAMES, Instance, Topology
from sandbox.services import services


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    ports = {name: 20000 + number for number, name in enumerate(PORT_NAMES)}
    return Instance(state=tmp_path, ports=ports, loopback_octet=77, topology=Topology.HYBRID)


@pytest.fixture
def pki(instance: Instance) -> Pki:
    made = Pki(instance.paths.pki)
    made.ensure()
    return made


def certificate(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def contents(pki: Pki) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in pki.directory.iterdir()}


def test_keys_are_the_owners_alone(pki: Pki):
    modes = {path.name: path.stat().st_mode & 0o777 for path in pki.directory.glob("*.key")}

    assert len(modes) == 14
    assert set(modes.values()) == {0o600}
    assert pki.directory.stat().st_mode & 0o777 == 0o700


def test_identities_are_users_and_groups_signed_by_the_clusters_authority(pki: Pki):
    authority = certificate(pki.pair(CLUSTER_CA))
    for leaf in IDENTITIES:
        made = certificate(pki.pair(leaf.name))
        made.verify_directly_issued_by(authority)
        assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == leaf.user
        groups = [a.value for a in made.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
        assert tuple(groups) == leaf.groups


def test_whom_the_api_server_trusts_etcd_does_not(pki: Pki):
    for name, authority in (("etcd", ETCD_CA), ("etcd-client", ETCD_CA), ("administrator", CLUSTER_CA)):
        other = CLUSTER_CA if authority == ETCD_CA else ETCD_CA
        assert certificates.usable(pki.pair(name), issuer=pki.pair(authority))
        assert not certificates.usable(pki.pair(name), issuer=pki.pair(other))


def test_the_api_server_answers_to_loopback_and_the_clusters_names(pki: Pki):
    made = certificate(pki.pair("kube-apiserver"))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert {"localhost", "kubernetes.default.svc"} <= set(names.get_values_for_type(x509.DNSName))
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "172.20.0.1"}


def test_keys_that_are_good_are_kept(pki: Pki):
    before = contents(pki)
    pki.ensure()

    assert contents(pki) == before


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda pair: pair.key.unlink(), id="its key is missing"),
        pytest.param(lambda pair: pair.certificate.write_text("half"), id="its certificate is half written"),
        pytest.param(
            lambda pair: pair.key.write_bytes((pair.key.parent / "etcd.key").read_bytes()),
            id="its key is another's",
        ),
    ],
)
def test_a_damaged_pair_is_made_again_and_no_other(damage: Any, pki: Pki):
    before = contents(pki)
    damage(pki.pair("administrator"))
    pki.ensure()

    changed = {name for name, content in contents(pki).items() if content != before[name]}
    assert changed == {"administrator.crt", "administrator.key"}


def test_certificates_are_made_again_before_they_expire(pki: Pki, monkeypatch: pytest.MonkeyPatch):
    before = contents(pki)
    monkeypatch.setattr(certificates, "_RENEW_BEFORE", dt.timedelta(days=366))
    pki.ensure()

    changed = {name for name, content in contents(pki).items() if content != before[name]}
    assert {"administrator.crt", "etcd.crt"} <= changed
    assert "ca.crt" not in changed


def test_a_new_authority_signs_everything_anew(pki: Pki):
    pki.pair(CLUSTER_CA).key.unlink()
    pki.ensure()

    authority = certificate(pki.pair(CLUSTER_CA))
    for leaf in IDENTITIES:
        certificate(pki.pair(leaf.name)).verify_directly_issued_by(authority)


def test_kubeconfigs_verify_the_api_server_and_name_one_user(instance: Instance, pki: Pki):
    kubeconfig.write_all(instance)
    document = yaml.safe_load(instance.paths.kubeconfig.read_text())
    cluster = document["clusters"][0]["cluster"]

    assert document["current-context"] == "halfmetal"
    assert cluster["server"] == "https://127.0.0.1:20002"
    assert (
        base64.b64decode(cluster["certificate-authority-data"])
        == pki.pair(CLUSTER_CA).certificate.read_bytes()
    )
    assert "insecure-skip-tls-verify" not in instance.paths.kubeconfig.read_text()
    assert instance.paths.kubeconfig.stat().st_mode & 0o777 == 0o600
    for leaf in IDENTITIES:
        own = yaml.safe_load(instance.paths.kubeconfig_of(leaf.name).read_text())
        assert [user["name"] for user in own["users"]] == [leaf.name]


@pytest.mark.usefixtures("pki")
def test_contexts_that_somebody_added_stay(instance: Instance):
    kubeconfig.write_all(instance)
    document = yaml.safe_load(instance.paths.kubeconfig.read_text())
    for entries, kind in (("clusters", "cluster"), ("users", "user"), ("contexts", "context")):
        document[entries].append({"name": "arn:eks", kind: {}})
    document["current-context"] = "arn:eks"
    document["clusters"][0]["cluster"]["server"] = "https://old"
    instance.paths.kubeconfig.write_text(yaml.safe_dump(document))

    kubeconfig.write_all(instance)
    merged = yaml.safe_load(instance.paths.kubeconfig.read_text())

    assert [cluster["name"] for cluster in merged["clusters"]] == ["halfmetal", "arn:eks"]
    assert merged["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:20002"
    assert merged["current-context"] == "arn:eks"


@pytest.mark.usefixtures("pki")
@pytest.mark.parametrize("damage", ["", "half: [", "[]", "clusters: 3"])
def test_a_kubeconfig_that_cannot_be_read_is_written_anew(damage: str, instance: Instance):
    instance.paths.kubeconfig.write_text(damage)

    kubeconfig.write_all(instance)

    assert yaml.safe_load(instance.paths.kubeconfig.read_text())["current-context"] == "halfmetal"


def test_every_pod_stage_spares_the_images_that_are_run_for_real(tmp_path: Path):
    kwok.write_stages(tmp_path / "stages.yaml")
    stages = list(yaml.safe_load_all((tmp_path / "stages.yaml").read_text()))

    assert Counter(stage["spec"]["resourceRef"]["kind"] for stage in stages) == {"Node": 2, "Pod": 3}
    for stage in stages:
        conditions = stage["spec"]["selector"]["matchExpressions"]
        spared = [c for c in conditions if c.get("values") == list(kwok.RUN_FOR_REAL)]
        assert len(spared) == (stage["spec"]["resourceRef"]["kind"] == "Pod")
        assert all(condition["operator"] == "NotIn" for condition in spared)


def test_the_fleet_is_metal_in_two_zones(instance: Instance):
    nodes = fleet.nodes(instance)
    places = Counter(
        (
            node["metadata"]["labels"][fleet.POOL_LABEL],
            node["metadata"]["labels"]["topology.kubernetes.io/zone"],
        )
        for node in nodes
    )
    addresses = [node["status"]["addresses"][0]["address"] for node in nodes]

    assert places == {(p, z): 2 for p in ("metal-gpu", "metal-cpu") for z in ("us-east-1a", "us-east-1b")}
    assert len(set(addresses)) == 8
    assert all(address.startswith("10.77.0.") for address in addresses)
    for node in nodes:
        has_gpu = "nvidia.com/gpu" in node["status"]["allocatable"]
        assert has_gpu == bool(node["spec"]["taints"])
        assert has_gpu == node["metadata"]["name"].startswith("metal-gpu")


def test_everything_listens_on_loopback_and_every_port_is_claimed_once(instance: Instance):
    table = services(instance, Path)
    claimed = Counter(port for service in table for port in service.ports)

    assert claimed == Counter(instance.ports.values())
    for service in table:
        for flag in service.command():
            assert "0.0.0.0" not in flag
            assert not flag.startswith("--insecure")


@pytest.mark.parametrize(
    ("topology", "expected"),
    [
        (Topology.PURE, {"emulator"}),
        (
            Topology.HYBRID,
            {
                "emulator",
                "etcd",
                "kube-apiserver",
                "kube-scheduler",
                "kube-controller-manager",
                "kwok",
                "node-agent",
            },
        ),
    ],
)
def test_a_topology_runs_only_what_it_needs(topology: Topology, expected: set[str], instance: Instance):
    table = services(instance.model_copy(update={"topology": topology}), Path)

    assert {service.name for service in table} == expected


def test_no_variable_of_the_user_reaches_a_service(instance: Instance, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")

    for service in services(instance, Path):
        assert not {"AWS_PROFILE", "HTTP_PROXY"} & service.env.keys()


OWN = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "of-another-account",
    "AWS_ENDPOINT_URL_S3": "https://s3.example",
    "AWS_CA_BUNDLE": "/etc/ca.pem",
}


@pytest.mark.usefixtures("instance")
def test_settings_that_lead_out_of_the_sandbox_do_not_come_in(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Instance, "load", lambda: instance)
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    made = inside({**OWN, "PATH": "/bin"})
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & made.keys()
    assert made["AWS_CA_BUNDLE"] == "/etc/ca.pem"
    assert made["NO_PROXY"] == "intranet.example,127.0.0.1,localhost,.localhost"

    script = f"{exports(variables(instance), Shell.POSIX, ones_own(OWN))}\nenv"
    shell = subprocess.run(["sh", "-c", script], env=OWN, capture_output=True, text=True, check=True)
    assert {line.partition("=")[0] for line in shell.stdout.splitlines()} & OWN.keys() == {"AWS_CA_BUNDLE"}


@pytest.mark.parametrize(("shell", "interpreter"), [(Shell.POSIX, ["sh", "-c"])])
def test_the_exports_survive_a_shell(shell: Shell, interpreter: list[str], instance: Instance):
    values = {**variables(instance), "ODD": 'it\'s $HOME; "quoted" `and` \\more'}
    script = f'{exports(values, shell)}\nprintf %s "$ODD|$KUBECONFIG|$AWS_ENDPOINT_URL"'
    answer = subprocess.run([*interpreter, script], capture_output=True, text=True, check=True)

    assert answer.stdout == f"{values['ODD']}|{instance.state}/kubeconfig|http://127.0.0.1:20006"


def test_the_sandboxs_programs_come_first_on_the_path_once(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", f"/usr/bin:{instance.paths.bin}:/bin")

    assert variables(instance)["PATH"] == f"{instance.paths.bin}:/usr/bin:/bin"
