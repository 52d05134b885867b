"""The nodes of a stack zone by zone, and who asks for what of them."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.placement.plan import Plan, Resource, ZoneNodes, plan
from components.spec import load
from components.spec.units import Money

HYBRID = Path(__file__).resolve().parents[2] / "stacks" / "Pulumi.hybrid.yaml"
RAW: dict[str, Any] = yaml.safe_load(HYBRID.read_text())["config"]["halfmetal:stack"]
A, B, C = ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def made(*, zones: tuple[str, ...] = (A,), nodes: int = 2, replicas: dict[str, int] | None = None) -> Plan:
    """The hybrid example with its CPU pool over these zones, and copies of `embed` on it."""
    raw = deepcopy(RAW) | {"zones": list(ZONES), "state": []}
    cpu, gpu = raw["data_plane"]["pools"]
    cpu |= {"zones": list(zones), "nodes": {"desired": nodes, "max": max(1, nodes)}}
    gpu["nodes"] = {"desired": 0, "max": 1}
    embed = raw["workloads"][0]
    raw["workloads"] = [
        embed | {"name": name, "placement": embed["placement"] | {"replicas": count}}
        for name, count in (replicas or {"embed": 2}).items()
    ]
    return plan(load(raw))


def cpu_pool(found: Plan) -> dict[str, ZoneNodes]:
    return {nodes.zone: nodes for nodes in found.fleet if nodes.pool == "cpu-a"}


def counts(nodes: ZoneNodes) -> dict[str, int]:
    return {claim.workload: claim.replicas for claim in nodes.claims}


def test_nodes_with_what_is_asked_of_them_and_their_price():
    nodes = cpu_pool(made())[A]
    assert (nodes.instance, nodes.capacity, nodes.nodes, nodes.home) == ("m7g.large", "on-demand", 2, "pool")
    assert [nodes.has(resource) for resource in Resource] == [4, 16, 0]
    assert [nodes.claimed(resource) for resource in Resource] == [1.0, 2.0, 0]
    assert [nodes.used(resource) for resource in Resource] == [0.25, 0.125, None]
    assert nodes.price == Money.parse("$0.0816/h").to("month") * 2
    assert not nodes.unpriced


@pytest.mark.parametrize(
    ("zones", "nodes", "replicas", "expected"),
    [
        pytest.param((A, B), 2, {"x": 2}, {A: (1, {"x": 1}), B: (1, {"x": 1})}, id="even"),
        pytest.param((B, A), 3, {"x": 3}, {A: (2, {"x": 2}), B: (1, {"x": 1})}, id="the odd one, by name"),
        pytest.param((A, B), 1, {"x": 2}, {A: (1, {"x": 2}), B: (0, {})}, id="a zone without nodes"),
        pytest.param((A, B), 0, {"x": 2}, {A: (0, {"x": 1}), B: (0, {"x": 1})}, id="no nodes at first"),
        pytest.param(
            (A, B), 2, {"x": 1, "y": 1}, {A: (1, {"x": 1}), B: (1, {"y": 1})}, id="where there is most room"
        ),
    ],
)
def test_over_zones(
    zones: tuple[str, ...],
    nodes: int,
    replicas: dict[str, int],
    expected: dict[str, tuple[int, dict[str, int]]],
):
    found = cpu_pool(made(zones=zones, nodes=nodes, replicas=replicas))
    assert {zone: (each.nodes, counts(each)) for zone, each in found.items()} == expected


def test_what_reads_state_of_one_zone_is_there():
    raw = deepcopy(RAW)
    raw["data_plane"]["pools"][1] |= {"zones": [A, B], "nodes": {"desired": 2, "max": 2}}
    gpu = [nodes for nodes in plan(load(raw)).fleet if nodes.pool == "gpu-a"]
    assert {nodes.zone: counts(nodes) for nodes in gpu} == {A: {"chat": 1}, B: {}}
    assert gpu[0].used(Resource.ACCELERATORS) == 1


def test_nodes_that_are_there_already_have_no_price_and_only_what_is_said_of_them():
    raw = yaml.safe_load((HYBRID.parent / "Pulumi.dedicated.yaml").read_text())["config"]["halfmetal:stack"]
    (gpu, _) = [nodes for nodes in plan(load(raw)).fleet if nodes.pool == "metal-gpu"]
    assert (gpu.nodes, gpu.price, gpu.has(Resource.CPU)) == (2, None, None)
    assert (gpu.has(Resource.ACCELERATORS), gpu.claimed(Resource.ACCELERATORS)) == (16, 8)
    assert gpu.unpriced == "what nodes that exist already cost is not known"


@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, unique=True).map(tuple),
    nodes=st.integers(0, 9),
    replicas=st.dictionaries(st.sampled_from(["x", "y", "z"]), st.integers(1, 7), min_size=1),
)
def test_nothing_is_lost_over_zones(zones: tuple[str, ...], nodes: int, replicas: dict[str, int]):
    found = cpu_pool(made(zones=zones, nodes=nodes, replicas=replicas))
    assert found.keys() == set(zones)
    assert sum(each.nodes for each in found.values()) == nodes
    for name, count in replicas.items():
        assert sum(counts(each).get(name, 0) for each in found.values()) == count
