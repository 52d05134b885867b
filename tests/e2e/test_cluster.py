"""The sandbox's cluster as its neighbours meet it: who is let in, where pods land, what a crash leaves."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from real_shell import HALFMETAL, Sandbox, running, wait_for

pytestmark = pytest.mark.e2e

GPU_DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "trainer"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "trainer"}},
        "template": {
            "metadata": {"labels": {"app": "trainer"}},
            "spec": {
                "nodeSelector": {"topology.kubernetes.io/zone": "us-east-1b"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
                "containers": [
                    {
                        "name": "trainer",
                        "image": "registry.example/trainer:1",
                        "resources": {"limits": {"nvidia.com/gpu": "8"}},
                    }
                ],
            },
        },
    },
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("cluster") / "state", "dedicated") as made:
        yield made


def get(sandbox: Sandbox, port: str, path: str, context: ssl.SSLContext, token: str = "") -> int:
    address = ("127.0.0.1", sandbox.instance["ports"][port])
    connection = http.client.HTTPSConnection(*address, timeout=60, context=context)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        return connection.getresponse().status


def trusting(sandbox: Sandbox, authority: str = "ca", identity: str = "") -> ssl.SSLContext:
    pki = sandbox.state / "pki"
    context = ssl.create_default_context(cafile=str(pki / f"{authority}.crt"))
    if identity:
        context.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")
    return context


@pytest.mark.parametrize("path", ["/version", "/readyz", "/healthz", "/api/v1/namespaces", "/openapi/v3"])
def test_nobody_is_anonymous(path: str, cluster: Sandbox):
    assert get(cluster, "apiserver", path, trusting(cluster)) == 401


def test_an_unknown_token_is_refused(cluster: Sandbox):
    assert (
        get(cluster, "apiserver", "/api/v1/namespaces", trusting(cluster), token="k8s-aws-v1.bm9uZQ") == 401
    )


def test_a_known_token_without_a_role_may_nothing(cluster: Sandbox):
    token = cluster.shell.ok("kubectl", "create", "token", "default").strip()

    assert get(cluster, "apiserver", "/api/v1/namespaces", trusting(cluster), token=token) == 403
    assert get(cluster, "apiserver", "/api/v1/secrets", trusting(cluster), token=token) == 403


def test_the_api_server_is_trusted_by_the_sandboxs_authority_alone(cluster: Sandbox):
    with pytest.raises(ssl.SSLCertVerificationError):
        get(cluster, "apiserver", "/version", ssl.create_default_context())
    with pytest.raises(ssl.SSLCertVerificationError):
        get(cluster, "apiserver", "/version", trusting(cluster, authority="etcd-ca"))

    assert "insecure" not in (cluster.state / "kubeconfig").read_text()
    assert get(cluster, "apiserver", "/version", trusting(cluster, identity="administrator")) == 200


def test_etcd_speaks_to_the_api_server_alone(cluster: Sandbox):
    for identity in ("", "bootstrap"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            get(cluster, "etcd_client", "/health", trusting(cluster, authority="etcd-ca", identity=identity))

    assert get(cluster, "etcd_client", "/health", trusting(cluster, "etcd-ca", "etcd-client")) == 200


def test_everything_listens_on_loopback(cluster: Sandbox):
    listening = [
        connection.laddr.ip
        for process in cluster.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 7
    assert [address for address in listening if not address.startswith("127.")] == []


def test_gpu_pods_land_on_gpu_nodes_of_their_zone(cluster: Sandbox, tmp_path: Path):
    shell = cluster.shell
    (tmp_path / "deployment.json").write_text(json.dumps(GPU_DEPLOYMENT))
    shell.ok("kubectl", "apply", "-f", str(tmp_path / "deployment.json"))
    shell.ok("kubectl", "rollout", "status", "deployment/trainer", "--timeout=120s")

    pods = shell.json("kubectl", "get", "pods", "-l", "app=trainer", "-o", "json")["items"]
    nodes = {
        node["metadata"]["name"]: node["metadata"]["labels"]
        for node in shell.json("kubectl", "get", "nodes", "-o", "json")["items"]
    }
    places = [nodes[pod["spec"]["nodeName"]] for pod in pods]

    assert len({pod["spec"]["nodeName"] for pod in pods}) == 2
    assert {place["topology.kubernetes.io/zone"] for place in places} == {"us-east-1b"}
    assert {place["halfmetal.dev/pool"] for place in places} == {"metal-gpu"}
    octet = cluster.instance["loopback_octet"]
    assert all(pod["status"]["podIP"].startswith(f"10.{octet}.") for pod in pods)
    # Service account admission is at work: each pod has a token of its own.
    assert all(pod["spec"]["serviceAccountName"] == "default" for pod in pods)
    assert all(pod["spec"]["volumes"][0]["name"].startswith("kube-api-access-") for pod in pods)


def test_a_pod_that_asks_for_more_gpus_than_a_node_has_waits(cluster: Sandbox):
    shell = cluster.shell
    overrides = {
        "spec": {
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "big", "image": "x", "resources": {"limits": {"nvidia.com/gpu": "16"}}}],
        }
    }
    shell.ok("kubectl", "run", "big", "--image=x", f"--overrides={json.dumps(overrides)}")

    def refused() -> bool:
        events = shell.ok("kubectl", "get", "events", "--field-selector=involvedObject.name=big")
        return "FailedScheduling" in events and "Insufficient nvidia.com/gpu" in events

    wait_for(refused, "the scheduler says that no node has 16 GPUs")


def test_an_eks_clusters_token_is_worth_its_access_entry(cluster: Sandbox, tmp_path: Path):
    shell = cluster.shell
    eks = ("aws", "eks", "--output", "json")
    roles = ["--role-arn", "arn:aws:iam::000000000000:role/cluster"]
    shell.ok(*eks, "create-cluster", "--name", "demo", *roles, "--resources-vpc-config", "subnetIds=subnet-1")
    own = str(tmp_path / "kubeconfig")
    shell.ok("aws", "eks", "update-kubeconfig", "--name", "demo", "--kubeconfig", own)

    described = shell.json(*eks, "describe-cluster", "--name", "demo")["cluster"]
    creator = shell.json(*eks, "list-access-entries", "--cluster-name", "demo")["accessEntries"][0]
    whoami = shell.ok("kubectl", "--kubeconfig", own, "auth", "whoami")
    nodes = shell.ok("kubectl", "--kubeconfig", own, "get", "nodes", "-o", "name")
    entry = ["--cluster-name", "demo", "--principal-arn", creator]
    shell.ok(*eks, "delete-access-entry", *entry)

    def refused() -> bool:
        done = shell.run("kubectl", "--kubeconfig", own, "get", "nodes")
        return done.returncode != 0 and "Unauthorized" in done.stderr + done.stdout

    authority = (cluster.state / "pki" / "ca.crt").read_bytes()
    assert base64.b64decode(described["certificateAuthority"]["data"]) == authority
    assert "token:" not in Path(own).read_text()
    assert "eks-access-policy:AmazonEKSClusterAdminPolicy" in whoami
    assert "node/metal-gpu-us-east-1a-1" in nodes
    wait_for(refused, "a token without an access entry is refused")


def test_a_killed_api_server_is_named_and_healed_with_its_data(cluster: Sandbox):
    shell = cluster.shell
    shell.ok("kubectl", "create", "configmap", "before", "--from-literal=a=b")
    _, before = cluster.status()
    os.kill(before["kube-apiserver"]["pid"], signal.SIGKILL)
    wait_for(lambda: cluster.status()[1]["kube-apiserver"]["state"] == "dead", "the API server is dead")

    code, dead = cluster.status()
    spoken = cluster.outside.run(HALFMETAL, "sandbox", "status")
    healing = cluster.outside.run(HALFMETAL, "sandbox", "up")
    after_code, after = cluster.status()

    assert (code, spoken.returncode) == (1, 1)
    assert "kube-apiserver is dead" in spoken.stdout
    assert dead["kube-apiserver"]["last_words"]
    assert healing.returncode == 0, healing.stderr
    assert "started again: kube-apiserver" in healing.stderr
    assert after_code == 0
    assert after["kube-apiserver"]["restarts"] == 1
    assert after["kube-apiserver"]["ports"] == before["kube-apiserver"]["ports"]
    assert {n: s["pid"] for n, s in after.items() if n != "kube-apiserver"} == {
        n: s["pid"] for n, s in before.items() if n != "kube-apiserver"
    }
    assert "before" in shell.ok("kubectl", "get", "configmaps", "-o", "name")


def test_a_second_sandbox_stands_beside_the_first_and_goes_without_a_trace(cluster: Sandbox, tmp_path: Path):
    with running(tmp_path / "state", "dedicated") as second:
        ours, theirs = cluster.instance, second.instance
        assert ours["loopback_octet"] != theirs["loopback_octet"]
        assert set(ours["ports"].values()).isdisjoint(theirs["ports"].values())
        cluster.shell.ok("kubectl", "create", "configmap", "ours")
        assert "ours" not in second.shell.ok("kubectl", "get", "configmaps", "-A", "-o", "name")
        assert second.processes()

    listening = {c.laddr.port for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN}
    assert second.processes() == []
    assert listening.isdisjoint(theirs["ports"].values())
    assert not second.state.exists()
    assert cluster.status()[0] == 0
