"""Pools of capacity bought ahead, of nodes close together, with EFA; and what an upgrade moves."""

from base64 import b64decode
from email import message_from_bytes
from typing import Any

import pytest
import yaml
from recording import Recording, bundle_of_likely_size, deploy

from components.control_plane.bundle import REPO
from components.spec import load

TEAM = {"key": "example.com/team", "value": "research", "effect": "NoExecute"}
GPU_POOL: dict[str, Any] = {
    "instance": "p5.48xlarge",
    "accelerator": {"type": "H100", "count": 8, "memory": "80GiB"},
    "capacity": "capacity-block",
    "capacity_block": {"id": "cr-0123456789abcdef0", "zone": "us-east-1a"},
    "placement_group": "cluster",
    "efa": True,
    "taints": [TEAM],
}


def _hybrid(gpu_pool: dict[str, Any] | None = None, version: str = "1.35") -> Recording:
    """The hybrid example, its GPU pool changed, its language model gone."""
    text = (REPO / "stacks" / "Pulumi.hybrid.yaml").read_text(encoding="utf-8")
    stack = yaml.safe_load(text)["config"]["halfmetal:stack"]
    stack["data_plane"]["cluster"]["version"] = version
    stack["data_plane"]["pools"][1] |= gpu_pool or {}
    stack["workloads"] = [workload for workload in stack["workloads"] if workload["name"] != "chat"]
    return deploy(load(stack), bundle_of_likely_size, "hybrid")


@pytest.fixture(scope="module")
def bought_ahead() -> Recording:
    return _hybrid(GPU_POOL)


def test_a_capacity_block_is_named_by_the_template_and_the_type_with_it(bought_ahead: Recording) -> None:
    group = bought_ahead.one("aws:eks/nodeGroup:NodeGroup", "gpu-a-nodes").inputs
    template = bought_ahead.one("aws:ec2/launchTemplate:LaunchTemplate", "gpu-a-template").inputs
    # A valid capacity type, though the documentation names two others (terraform-provider-aws#40876).
    assert group["capacityType"] == "CAPACITY_BLOCK"
    assert "instanceTypes" not in group
    assert template["instanceType"] == "p5.48xlarge"
    assert template["instanceMarketOptions"] == {"marketType": "capacity-block"}
    target = template["capacityReservationSpecification"]["capacityReservationTarget"]
    assert target == {"capacityReservationId": "cr-0123456789abcdef0"}


def test_nodes_with_efa_are_in_one_private_subnet_and_reach_each_other(bought_ahead: Recording) -> None:
    group = bought_ahead.one("aws:eks/nodeGroup:NodeGroup", "gpu-a-nodes").inputs
    template = bought_ahead.one("aws:ec2/launchTemplate:LaunchTemplate", "gpu-a-template").inputs
    among = bought_ahead.one("aws:ec2/securityGroup:SecurityGroup", "gpu-a-efa").inputs
    (interface,) = template["networkInterfaces"]
    assert group["subnetIds"] == ["hybrid-network-private-us-east-1a-id"]
    assert interface["interfaceType"] == "efa"
    # Named with the interface, the groups may not be named beside it.
    assert "vpcSecurityGroupIds" not in template
    assert {"sg-cluster", "hybrid-cluster-open-ports-id", "hybrid-pool-gpu-a-efa-id"} == set(
        interface["securityGroups"]
    )
    for direction in ("ingress", "egress"):
        assert [(rule["protocol"], rule["self"]) for rule in among[direction]] == [("-1", True)]


def test_nodes_close_together_are_in_a_placement_group(bought_ahead: Recording) -> None:
    template = bought_ahead.one("aws:ec2/launchTemplate:LaunchTemplate", "gpu-a-template").inputs
    group = bought_ahead.one("aws:ec2/placementGroup:PlacementGroup").inputs
    assert group["strategy"] == "cluster"
    assert template["placement"]["groupName"].startswith("hybrid-pool-gpu-a-together")


def test_device_plugin_tolerates_what_a_pool_adds(bought_ahead: Recording) -> None:
    # One taint that it does not know, and the pool has no GPU (eksctl#5277).
    pod = bought_ahead.one("kubernetes:apps/v1:DaemonSet").inputs["spec"]["template"]["spec"]
    assert [toleration["key"] for toleration in pod["tolerations"]] == ["example.com/team", "nvidia.com/gpu"]


def test_labels_and_taints_that_look_alike_have_a_tag_each() -> None:
    alike = ["a.b/c", "a.b-c", "a/b-c", "a-b/c"]
    made = _hybrid({"labels": dict.fromkeys(alike, "x"), "taints": [{"key": key} for key in alike]})
    tags = [tag for tag in made.of("aws:autoscaling/tag:Tag") if "-pool-gpu-a-" in tag.name]
    assert len({tag.name for tag in tags}) == len(tags)
    told = {tag.inputs["tag"]["key"].rpartition("node-template/")[2] for tag in tags}
    assert {f"{kind}/{key}" for kind in ("label", "taint") for key in alike} <= told


def test_names_of_tags_that_lose_nothing_stay_as_they_are() -> None:
    names = {tag.name for tag in _hybrid().of("aws:autoscaling/tag:Tag")}
    assert "hybrid-pool-gpu-a-template-label-halfmetal.dev-pool" in names
    assert "hybrid-pool-gpu-a-template-taint-nvidia.com-gpu" in names


METAL_POOL: dict[str, Any] = {
    "name": "metal-a",
    "kind": "metal",
    "instance": "m7i.8xlarge",
    "zones": ["us-east-1a"],
    "nodes": {"desired": 1},
    "pinned": True,
    "encryption_key": "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
}
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def _metal(pool: dict[str, Any] | None = None, cpu: float = 2) -> Recording:
    """The hybrid example with a metal pool, and its embedder on it."""
    text = (REPO / "stacks" / "Pulumi.hybrid.yaml").read_text(encoding="utf-8")
    stack = yaml.safe_load(text)["config"]["halfmetal:stack"]
    stack["data_plane"]["pools"].append({**METAL_POOL, **(pool or {})})
    embed = stack["workloads"][0]
    embed["needs"]["cpu"] = cpu
    embed["placement"] = {"home": "metal"}
    stack["workloads"] = [embed]
    return deploy(load(stack), bundle_of_likely_size, "hybrid")


@pytest.fixture(scope="module")
def metal() -> Recording:
    return _metal()


def test_nodes_of_a_metal_pool_share_their_hardware_with_no_other_account(metal: Recording) -> None:
    assert metal.one(TEMPLATE, "metal-a-template").inputs["placement"] == {"tenancy": "dedicated"}
    assert "placement" not in metal.one(TEMPLATE, "cpu-a-template").inputs


@pytest.mark.parametrize(
    ("pool", "placement"),
    [
        pytest.param({"instance": "m7i.metal-24xl"}, None, id="a whole machine says nothing of tenancy"),
        pytest.param({"placement_group": "spread"}, "dedicated", id="beside a placement group"),
        pytest.param(
            {
                "capacity": "capacity-block",
                "capacity_block": {"id": "cr-0123456789abcdef0", "zone": "us-east-1a"},
            },
            None,
            id="a capacity block has a tenancy of its own",
        ),
    ],
)
def test_tenancy_goes_with_the_machine(pool: dict[str, Any], placement: str | None) -> None:
    template = _metal(pool).one(TEMPLATE, "metal-a-template").inputs
    assert template.get("placement", {}).get("tenancy") == placement


def test_disks_are_encrypted_with_the_key_that_the_pool_names(metal: Recording) -> None:
    def ebs(pool: str) -> Any:
        (disk,) = metal.one(TEMPLATE, f"{pool}-template").inputs["blockDeviceMappings"]
        return disk["ebs"]

    assert ebs("metal-a")["kmsKeyId"] == METAL_POOL["encryption_key"]
    assert ebs("cpu-a")["encrypted"] == "true"
    assert "kmsKeyId" not in ebs("cpu-a")


def test_nodes_of_a_pinned_pool_give_whole_cores_of_one_numa_node(metal: Recording) -> None:
    message = message_from_bytes(b64decode(metal.one(TEMPLATE, "metal-a-template").inputs["userData"]))
    (part,) = (part for part in message.walk() if not part.is_multipart())
    assert part.get_content_type() == "application/node.eks.aws"
    node = yaml.safe_load(str(part.get_payload()))
    assert (node["apiVersion"], node["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")
    assert node["spec"]["kubelet"]["config"] == {
        "cpuManagerPolicy": "static",
        "topologyManagerPolicy": "single-numa-node",
    }
    assert "userData" not in metal.one(TEMPLATE, "cpu-a-template").inputs


@pytest.mark.parametrize(
    ("pool", "cpu", "limit"),
    [
        pytest.param({}, 2, "2000m", id="whole cores on pinned nodes are limits too"),
        pytest.param({}, 1.5, None, id="a part of a core cannot be had alone"),
        pytest.param({"pinned": False}, 2, None, id="elsewhere a limit would only lengthen the tail"),
    ],
)
def test_a_pod_asks_for_its_cores_so_that_it_gets_them(
    pool: dict[str, Any], cpu: float, limit: str | None
) -> None:
    deployment = _metal(pool, cpu).one("kubernetes:apps/v1:Deployment", "embed-pods").inputs
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"].get("cpu") == limit
    assert deployment["metadata"]["annotations"]["halfmetal.dev/pinned"] == str(limit is not None).lower()


def test_a_minor_version_changes_versions_alone() -> None:
    # Anything else that moved with it could replace the provider and all that is in the cluster
    # (pulumi-eks#338, #764).
    before, after = (
        {made.urn: made.inputs for made in _hybrid(version=v).resources} for v in ("1.34", "1.35")
    )
    assert before.keys() == after.keys()
    changed = {
        (urn.rpartition("::")[2], key)
        for urn, inputs in after.items()
        for key in inputs.keys() | before[urn].keys()
        # Two assets of one file are no equal objects.
        if inputs.get(key) != before[urn].get(key) and key not in {"source", "code"}
    }
    assert changed == {
        ("hybrid-cluster-eks", "version"),
        ("hybrid-pool-cpu-a-nodes", "version"),
        ("hybrid-pool-gpu-a-nodes", "version"),
    }
