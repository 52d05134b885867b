"""A pool says what its nodes are, and the catalog knows whether they can be that."""

from typing import Any

import pytest

from components import spec
from components.placement import PlacementError, decide

POOL = {"name": "gpu-a", "zones": ["us-east-1a"], "nodes": {"desired": 1}}
EKS = {"cluster": {"provider": "eks", "version": "1.34"}, "gateway": {"exposure": "load-balancer"}}
EXISTING = {
    "cluster": {"provider": "existing", "context": "halfmetal"},
    "gateway": {"exposure": "load-balancer"},
}
PLAIN = {**POOL, "name": "cpu-a", "kind": "managed", "instance": "m7g.large"}


def _problems(pool: dict[str, Any], *, existing: bool = False) -> list[tuple[str, str]]:
    """Where and what is wrong with a stack of two pools, this one the second (or, existing, the only one)."""
    pools = [POOL | {"kind": "metal"} | pool] if existing else [PLAIN, POOL | {"kind": "managed"} | pool]
    stack = {
        "topology": "hybrid",
        "region": "us-east-1",
        "zones": ["us-east-1a", "us-east-1b"],
        "network": {"nat": "single"},
        "data_plane": (EXISTING if existing else EKS) | {"pools": pools},
        "workloads": [
            {
                "name": "embed",
                "serve": {"function": {"bundle": "a", "handler": "a.b", "memory": "1GiB"}},
                "needs": {"cpu": 1, "memory": "1GiB"},
                "placement": {"home": "function"},
            }
        ],
    }
    try:
        decide(spec.load(stack))
    except PlacementError as error:
        assert all(problem.remedy for problem in error.problems)
        return [(problem.path, problem.message) for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("pool", "where", "what"),
    [
        pytest.param(
            # On a GPU type the standard image has no driver (amazon-eks-ami#1817).
            {"instance": "g6.xlarge"},
            "accelerator",
            "a g6.xlarge has 1 L4",
            id="GPUs that the pool does not name",
        ),
        pytest.param(
            {"instance": "m7g.large", "accelerator": {"type": "L4"}},
            "accelerator",
            "m7g.large has, no GPU",
            id="GPUs that the type does not have",
        ),
        pytest.param(
            {"instance": "g5.xlarge", "accelerator": {"type": "L4"}},
            "accelerator",
            "g5.xlarge has, 1 A10G",
            id="GPUs of another kind",
        ),
        pytest.param(
            {"instance": "g6.xlarge", "accelerator": {"type": "L4", "count": 4}},
            "accelerator",
            "g6.xlarge has, 1 L4",
            id="more GPUs than a node has",
        ),
        pytest.param(
            {"instance": "g6.12xlarge", "accelerator": {"type": "L4", "count": 1}},
            "accelerator",
            "g6.12xlarge has, 4 L4",
            id="fewer GPUs than a node has",
        ),
        pytest.param(
            {"instance": "g6.xlarge", "accelerator": {"type": "L4", "memory": "48GiB"}},
            "accelerator.memory",
            "more than one L4 has, 24GiB",
            id="more memory than a GPU has",
        ),
        pytest.param(
            {"instance": "x9z.large"}, "instance", "no instance type", id="a type nobody knows, to be made"
        ),
    ],
)
def test_a_pool_that_cannot_be_what_it_says_is_refused_before_anything_is_made(
    pool: dict[str, Any], where: str, what: str
) -> None:
    ((path, message),) = _problems(pool)
    assert path == f"data_plane.pools[1].{where}"
    assert what in message


@pytest.mark.parametrize(
    ("pool", "existing"),
    [
        pytest.param(
            {"instance": "g6.xlarge", "accelerator": {"type": "L4", "memory": "24GiB"}}, False, id="as sold"
        ),
        pytest.param({"instance": "g6.xlarge", "accelerator": {"type": "L4"}}, False, id="memory left out"),
        pytest.param({"accelerator": {"type": "H100", "count": 8}}, True, id="existing nodes of no type"),
        pytest.param(
            {"instance": "x9z.large", "capacity": "existing"}, True, id="existing nodes of an unknown type"
        ),
    ],
)
def test_a_pool_that_can_be_what_it_says_is_taken(pool: dict[str, Any], *, existing: bool) -> None:
    assert _problems(pool, existing=existing) == []
