"""Labels, taints and tolerations: pods get where their pool is, and nowhere else."""

from dataclasses import dataclass

import pytest

from components.data_plane.scheduling import labels, on_pools, tolerations
from components.placement.taints import hosts_of_gateway, taints
from components.spec import Pool

CPU = Pool.model_validate(
    {"name": "cpu", "kind": "managed", "zones": ["us-east-1a"], "nodes": {"desired": 1}}
)
GPU = CPU.model_copy(update={"name": "gpu", "accelerator": {"type": "L4"}})
RESEARCH = Pool.model_validate(
    {
        **{"name": "research", "kind": "metal", "zones": ["us-east-1a"], "nodes": {"desired": 1}},
        **{"accelerator": {"type": "H100", "count": 8}, "labels": {"example.com/team": "research"}},
        "taints": [{"key": "example.com/team", "value": "research", "effect": "NoExecute"}],
    }
)


@dataclass(frozen=True)
class Case:
    pools: tuple[Pool, ...]
    keys: tuple[str, ...]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case((CPU,), ()), id="no taint, no toleration"),
        pytest.param(Case((GPU,), ("nvidia.com/gpu",)), id="a GPU pool is tainted"),
        pytest.param(Case((GPU, RESEARCH), ("example.com/team", "nvidia.com/gpu")), id="the union of both"),
        pytest.param(Case((RESEARCH, GPU), ("example.com/team", "nvidia.com/gpu")), id="in a stable order"),
    ],
)
def test_tolerations_are_the_union_of_taints(case: Case):
    found = tolerations(case.pools)
    assert tuple(each["key"] for each in found) == case.keys
    wanted = {(taint.key, taint.value, taint.effect) for pool in case.pools for taint in taints(pool)}
    assert {(each["key"], each["value"], each["effect"]) for each in found} == wanted


def test_a_pool_label_cannot_be_lost():
    assert labels(RESEARCH) == {"example.com/team": "research", "halfmetal.dev/pool": "research"}


@pytest.mark.parametrize(
    ("pools", "hosts"),
    [
        pytest.param((CPU, GPU), (CPU,), id="off the GPU nodes"),
        pytest.param((GPU, RESEARCH), (GPU, RESEARCH), id="on them where there is nothing else"),
    ],
)
def test_gateway_hosts(pools: tuple[Pool, ...], hosts: tuple[Pool, ...]):
    assert hosts_of_gateway(pools) == hosts


def test_a_pod_of_several_pools_asks_for_any_of_them():
    placed = on_pools([GPU, CPU], "us-east-1a")
    (term,) = placed["affinity"]["node_affinity"]["required_during_scheduling_ignored_during_execution"][
        "node_selector_terms"
    ]
    assert [(each["key"], each["values"]) for each in term["match_expressions"]] == [
        ("halfmetal.dev/pool", ["cpu", "gpu"]),
        ("topology.kubernetes.io/zone", ["us-east-1a"]),
    ]
