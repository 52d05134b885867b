"""Pools of capacity bought ahead, of nodes close together, with EFA; and what an upgrade moves."""

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
