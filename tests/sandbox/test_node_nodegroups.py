"""Node groups become nodes: how many, where, what they offer, and what changes when the group does."""

from dataclasses import replace
from typing import Any

import pytest

from sandbox.node.nodegroups import (
    APPLIED,
    Wanted,
    change,
    is_ours,
    is_outdated,
    manifest,
    node_name,
    wanted_nodes,
)
from sandbox.node.shapes import Shapes

GROUP: dict[str, Any] = {
    "arn": "arn:aws:eks:us-east-1:000000000000:nodegroup/hm/gpu-a/1",
    "cluster": "hm",
    "name": "gpu-a",
    "region": "us-east-1",
    "version": "1.34",
    "capacityType": "SPOT",
    "instanceType": "g6.xlarge",
    "labels": {"halfmetal.dev/pool": "gpu-a"},
    "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
    "desired": 3,
    "zones": ["us-east-1a", "us-east-1b"],
    "instances": ["i-1", "i-2"],
}


def group(**changes: Any) -> dict[str, Any]:
    return {**GROUP, **changes}


def test_nodes_are_spread_over_the_zones_of_the_subnets():
    nodes = wanted_nodes(GROUP)
    assert [(node.name, node.zone) for node in nodes] == [
        ("hm-gpu-a-0", "us-east-1a"),
        ("hm-gpu-a-1", "us-east-1b"),
        ("hm-gpu-a-2", "us-east-1a"),
    ]
    assert [node.provider_id for node in nodes[:2]] == ["aws:///us-east-1a/i-1", "aws:///us-east-1b/i-2"]


def test_a_node_has_the_labels_that_kubernetes_and_eks_give():
    labels = wanted_nodes(GROUP)[1].labels
    assert labels == {
        "halfmetal.dev/pool": "gpu-a",
        "eks.amazonaws.com/nodegroup": "gpu-a",
        "eks.amazonaws.com/capacityType": "SPOT",
        "node.kubernetes.io/instance-type": "g6.xlarge",
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": "us-east-1b",
        "kubernetes.io/hostname": "hm-gpu-a-1",
        "kubernetes.io/os": "linux",
    }


@pytest.mark.parametrize(
    ("effect", "kubernetes"),
    [
        ("NO_SCHEDULE", "NoSchedule"),
        ("NO_EXECUTE", "NoExecute"),
        ("PREFER_NO_SCHEDULE", "PreferNoSchedule"),
    ],
)
def test_taints_are_said_as_kubernetes_says_them(effect: str, kubernetes: str):
    (node, *_) = wanted_nodes(group(taints=[{"key": "k", "value": "v", "effect": effect}]))
    assert node.taints == ({"key": "k", "value": "v", "effect": kubernetes},)


@pytest.mark.parametrize(("desired", "names"), [(0, []), (1, ["hm-gpu-a-0"])])
def test_fewer_nodes_are_the_first_ones(desired: int, names: list[str]):
    assert [node.name for node in wanted_nodes(group(desired=desired))] == names


@pytest.mark.parametrize(
    ("cluster", "name", "expected"),
    [
        pytest.param("hm", "cpu-a", "hm-cpu-a-4", id="plain"),
        pytest.param("My_Cluster", "Pool.A", "my-cluster-pool-a-4", id="what a host name cannot hold"),
    ],
)
def test_node_names(cluster: str, name: str, expected: str):
    assert node_name(cluster, name, 4) == expected


def test_long_names_stay_valid_and_apart():
    names = {node_name("c" * 60, f"{'g' * 60}{suffix}", 1000) for suffix in "ab"}
    assert len(names) == 2
    assert all(len(name) <= 63 for name in names)


@pytest.mark.parametrize(
    ("instance_type", "cpu", "memory_mib", "gpus"),
    [
        pytest.param("m7g.large", "1930m", 8192 - 255 - 29 * 11 - 100, None, id="2 vCPU, 8 GiB"),
        pytest.param("g6.xlarge", "3920m", 16384 - 255 - 58 * 11 - 100, "1", id="4 vCPU, 16 GiB, one GPU"),
    ],
)
def test_what_eks_leaves_to_pods(instance_type: str, cpu: str, memory_mib: int, gpus: str | None):
    offered = Shapes().of(instance_type)
    assert offered.allocatable["cpu"] == cpu
    assert offered.allocatable["memory"] == f"{memory_mib * 1024}Ki"
    assert offered.allocatable.get("nvidia.com/gpu") == gpus


def test_an_unknown_type_offers_something_small_and_no_gpu():
    offered = Shapes().of("x9.nothing")
    assert offered.capacity["cpu"] == "2"
    assert "nvidia.com/gpu" not in offered.capacity


def present(node: Wanted) -> dict[str, Any]:
    return manifest(node, Shapes().of("x9.nothing"), "10.7.0.2")


def test_a_node_registers_with_address_labels_and_taints():
    node = wanted_nodes(GROUP)[0]
    registered = present(node)
    assert is_ours(registered)
    assert registered["status"]["addresses"][0] == {"type": "InternalIP", "address": "10.7.0.2"}
    assert registered["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
    assert change(node, registered) is None


def test_a_change_takes_back_what_was_put_there_and_leaves_the_rest():
    before = present(wanted_nodes(GROUP)[0])
    before["spec"]["taints"].append({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"})
    (after, *_) = wanted_nodes(group(labels={"team": "ml"}, taints=[]))
    patch = change(after, before)
    assert patch is not None
    assert patch["metadata"]["labels"]["halfmetal.dev/pool"] is None
    assert patch["metadata"]["labels"]["team"] == "ml"
    assert patch["metadata"]["annotations"] == {APPLIED: after.applied}
    assert patch["spec"]["taints"] == [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]


@pytest.mark.parametrize(
    ("changes", "outdated"),
    [
        pytest.param({"labels": {"team": "ml"}}, False, id="labels change in place"),
        pytest.param({"instanceType": "g5.xlarge"}, True, id="another type is another machine"),
        pytest.param({"zones": ["us-east-1c"]}, True, id="so is another zone"),
    ],
)
def test_what_cannot_change_in_place(changes: dict[str, Any], *, outdated: bool):
    (node, *_) = wanted_nodes(GROUP)
    (after, *_) = wanted_nodes(group(**changes))
    assert is_outdated(after, present(node)) is outdated


def test_a_foreign_node_is_not_ours():
    assert not is_ours({"metadata": {"name": "metal-1"}})


def test_the_version_is_optional():
    node = replace(wanted_nodes(GROUP)[0], version="")
    assert present(node)["status"]["nodeInfo"]["kubeletVersion"] == ""
