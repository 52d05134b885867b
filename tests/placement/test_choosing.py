"""What a stack file leaves open: homes, pools, replicas, nodes, topology."""

import random
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from choosing_check import broken
from hypothesis import given
from hypothesis import strategies as st

from components import spec
from components.placement import PlacementError, Placements, decide
from components.placement.plan import planned
from components.spec import Stack, StackError
from components.spec.units import Money, Period

A, B = "us-east-1a", "us-east-1b"
CONTAINER = {"container": {"image": "halfmetal/embedder:0.1.0"}}
FUNCTION = {
    "function": {
        "bundle": "examples/embedder",
        "handler": "embedder.function.handler",
        "memory": "2048MiB",
        "reserved_concurrency": 500,
    }
}
EITHER = {**CONTAINER, **FUNCTION}
RARE = {"rate": "0.2/s", "peak": "2/s", "service_time": "40ms"}
STEADY = {"rate": "40/s", "peak": "60/s", "service_time": "25ms"}
HEAVY = {"rate": "2000/s", "peak": "4000/s", "service_time": "25ms"}
GPU = {"type": "L4", "count": 1, "memory": "20GiB"}


def workload(name: str = "embed", traffic: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "serve": EITHER,
        "needs": {"cpu": 0.5, "memory": "1GiB"},
        "traffic": STEADY if traffic is None else traffic,
        **changes,
    }


def pool(name: str = "cpu-a", instance: str = "m7g.large", most: int = 6, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "managed",
        "instance": instance,
        "zones": [A],
        "nodes": {"max": most},
        **changes,
    }


GPU_POOL = pool("gpu-a", "g6.xlarge", accelerator={"type": "L4", "count": 1, "memory": "22GiB"})


def stack(
    *workloads: dict[str, Any], pools: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    made = {
        "topology": "hybrid",
        "region": "us-east-1",
        "zones": [A, B],
        "network": {"nat": "single"},
        "control_plane": {"budget": {"limit": "$5000/month", "notify": ["ops@example.com"]}},
        "data_plane": {
            "cluster": {"provider": "eks", "version": "1.35"},
            "gateway": {},
            "pools": [pool()] if pools is None else pools,
        },
        "workloads": list(workloads) or [workload()],
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


def decided(*workloads: dict[str, Any], **changes: Any) -> Placements:
    return decide(spec.load(stack(*workloads, **changes)))


def places(placements: Placements) -> dict[str, str]:
    """Where each is: home, pool, replicas."""
    return {
        name: each.home.value if each.pool is None else f"{each.home} {each.pool.name} x{each.replicas}"
        for name, each in placements.by_name.items()
    }


def nodes(placements: Placements) -> dict[str, int | None]:
    plane = placements.stack.data_plane
    return {each.name: each.nodes.desired for each in plane.pools} if plane is not None else {}


@dataclass(frozen=True)
class Case:
    """A stack and what is chosen."""

    workloads: tuple[dict[str, Any], ...]
    where: dict[str, str]
    nodes: dict[str, int] = field(default_factory=dict)
    topology: str = "hybrid"
    changes: dict[str, Any] = field(default_factory=dict)


CASES = {
    "hardly any traffic is on a function, and no node is bought for it": Case(
        (workload(traffic=RARE),), {"embed": "function"}, {"cpu-a": 1}
    ),
    "steady traffic is on nodes": Case((workload(),), {"embed": "pool cpu-a x2"}, {"cpu-a": 2}),
    "as many replicas as its peak asks for, with some left": Case(
        (workload(traffic={**STEADY, "peak": "2000/s"}),), {"embed": "pool cpu-a x8"}, {"cpu-a": 3}
    ),
    "with no headroom fewer do": Case(
        (workload(traffic={**STEADY, "peak": "2000/s"}),),
        {"embed": "pool cpu-a x7"},
        {"cpu-a": 3},
        changes={"decision": {"headroom": "0%"}},
    ),
    "replicas that are named stay": Case(
        (workload(placement={"replicas": 3}),), {"embed": "pool cpu-a x3"}, {"cpu-a": 2}
    ),
    "of two pools the cheaper": Case(
        (workload(placement={"home": "pool"}),),
        {"embed": "pool spot-a x2"},
        {"cpu-a": 0, "spot-a": 2},
        changes={"pools": [pool(), pool("spot-a", capacity="spot")]},
    ),
    "a home that is named, and the pool of that home that costs least": Case(
        (workload(traffic=RARE, placement={"home": "pool"}),), {"embed": "pool cpu-a x2"}, {"cpu-a": 2}
    ),
    "what needs a GPU is where there is one": Case(
        (workload(serve=CONTAINER, needs={"cpu": 2, "memory": "8GiB", "accelerator": GPU}),),
        {"embed": "pool gpu-a x2"},
        {"cpu-a": 1, "gpu-a": 2},
        changes={"pools": [pool(), GPU_POOL]},
    ),
    "what needs no GPU is not on nodes that have one": Case(
        (workload(serve=CONTAINER),),
        {"embed": "pool cpu-a x2"},
        {"cpu-a": 2, "gpu-a": 0},
        changes={"pools": [pool(instance="m7g.4xlarge"), GPU_POOL]},
    ),
    "a budget of milliseconds that a function cannot hold": Case(
        (workload(traffic={**RARE, "service_variation": 0}, latency={"p99": "100ms"}),),
        {"embed": "pool cpu-a x2"},
        {"cpu-a": 2},
    ),
    "what has a twin that no rule lets be is not on nodes": Case(
        (workload(placement={"twin": {}}, traffic=RARE, latency={"cold_start_tolerance": "100ms"}),),
        {"embed": "reserved-function"},
        {"cpu-a": 1},
    ),
    "a pool that nobody wants gets no node": Case(
        (workload(traffic=RARE, placement={"home": "function"}),),
        {"embed": "function"},
        {"cpu-a": 1, "cpu-b": 0},
        changes={"pools": [pool(), pool("cpu-b")]},
    ),
    "nodes that are paid for anyway are used": Case(
        (workload(traffic={**RARE, "rate": "1/s"}),),
        {"embed": "pool cpu-a x2"},
        {"cpu-a": 3},
        changes={"pools": [pool(nodes={"desired": 3})]},
    ),
    "what is not known cannot be compared: the first home that no rule refuses": Case(
        (workload(traffic={"service_time": "25ms"}),), {"embed": "function"}, {"cpu-a": 1}
    ),
    "what is held to one zone of two has half of the nodes": Case(
        (workload(serve=CONTAINER, state={"reads": ["features"]}),),
        {"embed": "pool cpu-ab x2"},
        {"cpu-ab": 4},
        changes={
            "pools": [pool("cpu-ab", zones=[A, B])],
            "state": [{"name": "features", "kind": "cache", "zones": [B]}],
        },
    ),
    "where it runs today it stays, as moving saves too little": Case(
        (workload(placement={"home": "pool", "current": "pool/dear"}),),
        {"embed": "pool dear x2"},
        {"cpu-a": 0, "dear": 2},
        changes={"pools": [pool(), pool("dear", "m7i.large")], "decision": {"stickiness": "100%"}},
    ),
    "it moves, as that saves enough": Case(
        (workload(placement={"home": "pool", "current": "pool/dear"}),),
        {"embed": "pool cpu-a x2"},
        {"cpu-a": 2, "dear": 0},
        changes={"pools": [pool(), pool("dear", "m7i.large")], "decision": {"stickiness": "0%"}},
    ),
    "auto: hardly any traffic needs no cluster": Case(
        (workload(traffic=RARE),), {"embed": "function"}, topology="pure", changes={"topology": "auto"}
    ),
    "auto: a GPU needs one": Case(
        (
            workload(traffic=RARE),
            workload("chat", RARE, serve=CONTAINER, needs={"cpu": 2, "memory": "8GiB", "accelerator": GPU}),
        ),
        {"embed": "function", "chat": "pool gpu-a x2"},
        {"cpu-a": 1, "gpu-a": 2},
        changes={"topology": "auto", "pools": [pool(), GPU_POOL]},
    ),
    "auto: at thousands a second the front door alone is worth leaving out": Case(
        (workload(traffic=HEAVY),),
        {"embed": "pool cpu-a x16"},
        {"cpu-a": 6},
        topology="dedicated",
        changes={"topology": "auto"},
    ),
    "auto: what is deployed stays, as another saves too little": Case(
        (workload(traffic=RARE),),
        {"embed": "function"},
        {"cpu-a": 1},
        changes={"topology": "auto", "decision": {"current": "hybrid", "stickiness": "100%"}},
    ),
    "auto without a data plane is pure": Case(
        (workload(traffic=RARE),),
        {"embed": "function"},
        topology="pure",
        changes={"topology": "auto", "data_plane": None},
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_what_is_chosen(case: Case):
    placements = decided(*case.workloads, **case.changes)
    assert places(placements) == case.where
    assert nodes(placements) == case.nodes
    assert placements.stack.topology == case.topology
    assert broken(placements) == []
    for placement in placements.by_name.values():
        assert placement.reasons[0]


@dataclass(frozen=True)
class Impossible:
    """A stack that cannot be, and what is said of it."""

    workloads: tuple[dict[str, Any], ...]
    path: str
    says: tuple[str, ...]
    changes: dict[str, Any] = field(default_factory=dict)


IMPOSSIBLE = {
    "no home holds the latency budget": Impossible(
        (workload(traffic=RARE, latency={"p99": "41ms"}),),
        "workloads[0].placement",
        ("has no home", "function: its p99 would be", "over the budget of 41ms"),
    ),
    "two pools' worth of pods and one node": Impossible(
        (workload("a", serve=CONTAINER), workload("b", serve=CONTAINER)),
        "data_plane.pools",
        ("a: 2 replicas", "b: 2 replicas", "pool cpu-a, m7g.large (on-demand) in us-east-1a: at most 1 node"),
        {"pools": [pool(most=1)]},
    ),
    "nobody holds that many replicas": Impossible(
        (workload(serve=CONTAINER, traffic={"rate": "1000000/s", "service_time": "10s"}),),
        "workloads[0].placement",
        ("its peak needs 1,562,500 replicas, more than the 10,000 that may be",),
    ),
    "the budget does not pay for the cluster": Impossible(
        (workload(),),
        "decision.budget",
        ("does not pay for what stands there", "$122.28 a month"),
        {"decision": {"budget": "$100/month"}},
    ),
    "the budget pays for the cluster and nothing on it": Impossible(
        (workload(serve=CONTAINER),),
        "decision.budget",
        (
            "cannot hold all of this together",
            "embed: 2 replicas",
            "the budget: $150/month, of which $122.28 is for what stands there",
        ),
        {"decision": {"budget": "$150/month"}},
    ),
    "auto: none of the three": Impossible(
        (workload(serve=CONTAINER, needs={"cpu": 900, "memory": "1GiB"}),),
        "topology",
        ("pure: embed.serve.function is missing", "hybrid: ", "dedicated: "),
        {"topology": "auto"},
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in IMPOSSIBLE.items()])
def test_what_cannot_be_says_why_and_what_to_do(case: Impossible):
    with pytest.raises(PlacementError) as error:
        decided(*case.workloads, **case.changes)
    (problem,) = error.value.problems
    assert problem.path == case.path
    for part in case.says:
        assert part in problem.message
    assert problem.remedy


def test_why_it_is_there_names_what_it_was_compared_with():
    assert decided(workload(traffic=RARE)).by_name["embed"].reasons[0] == (
        "with it the whole stack costs least, compared with pool cpu-a, reserved-function"
    )
    unknown = decided(workload(traffic={})).by_name["embed"].reasons[0]
    assert unknown == (
        "the first home that the stack offers and no rule refuses, as traffic.rate and traffic.service_time"
        " are not known"
    )


def test_auto_says_what_each_topology_would_cost():
    notes = decided(workload(traffic=RARE), topology="auto").notes
    assert [note.subject for note in notes] == ["topology"]
    assert notes[0].message.startswith("pure, $")
    assert "hybrid would be $" in notes[0].message
    assert "dedicated would be $" in notes[0].message


def test_a_pool_with_fewer_nodes_than_it_needs_says_so():
    crowded = [pool(nodes={"desired": 1, "max": 3})]
    (note,) = decided(workload(serve=CONTAINER), pools=crowded).notes
    assert (note.subject, note.message) == (
        "cpu-a",
        "what is placed there needs 2 nodes, and it has 1: pods wait for more",
    )


# -- what must hold for any stack -------------------------------------------------------------------------

traffics = st.fixed_dictionaries(
    {
        "rate": st.sampled_from(["0.1/s", "1/s", "20/s", "300/s"]),
        "service_time": st.sampled_from(["5ms", "40ms", "2s"]),
    },
    optional={"burstiness": st.sampled_from([0.5, 1, 4]), "service_variation": st.sampled_from([0, 1])},
)
workloads = st.builds(
    lambda serve, traffic, cpu, gib, gpu, p99, more: {
        "serve": serve,
        "traffic": traffic,
        "needs": {"cpu": cpu, "memory": gib, **({"accelerator": GPU} if gpu else {})},
        **({"latency": {"p99": p99}} if p99 else {}),
        **more,
    },
    st.sampled_from([EITHER, EITHER, CONTAINER, FUNCTION]),
    st.just({}) | traffics | traffics | traffics,
    st.sampled_from([0.25, 1, 3]),
    st.sampled_from(["512MiB", "4GiB", "12GiB"]),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([None, None, "100ms", "5s"]),
    st.sampled_from(
        [{}, {}, {"state": {"reads": ["features"], "bytes": "64KiB"}}, {"compliance": ["pci-dss"]}]
    ),
)
pools = st.builds(
    pool,
    instance=st.sampled_from(["m7g.large", "m7i.xlarge", "r7g.2xlarge"]),
    zones=st.sampled_from([[A], [B], [A, B]]),
    capacity=st.sampled_from(["on-demand", "spot"]),
    nodes=st.sampled_from([{"max": 1}, {"max": 6}, {"desired": 1, "max": 4}, {"desired": 2}]),
)
stacks = st.builds(
    lambda works, all_pools, gpu, topology, decision: stack(
        *({"name": f"w{at}", **each} for at, each in enumerate(works)),
        pools=[
            *({**each, "name": f"p{at}"} for at, each in enumerate(all_pools)),
            *([GPU_POOL] if gpu else []),
        ],
        topology=topology,
        decision=decision,
        state=[{"name": "features", "kind": "cache", "zones": [A]}],
    ),
    st.lists(workloads, min_size=1, max_size=4),
    st.lists(pools, min_size=1, max_size=2),
    st.booleans(),
    st.sampled_from(["hybrid", "hybrid", "auto"]),
    st.sampled_from([{}, {}, {"budget": "$400/month"}, {"headroom": "50%"}]),
)


def outcome(raw: dict[str, Any]) -> Placements | None:
    """The decision; None where there is none and that is told as it ought to be."""
    try:
        return decide(spec.load(deepcopy(raw)))
    except StackError as error:
        assert error.problems
        assert all(problem.message and problem.remedy for problem in error.problems)
        return None


@pytest.mark.slow
@given(stacks)
def test_a_decision_keeps_every_hard_rule_and_has_room_or_is_an_error(raw: dict[str, Any]):
    placements = outcome(raw)
    if placements is not None:
        assert broken(placements) == []


@pytest.mark.slow
@given(stacks)
def test_deciding_what_was_decided_changes_nothing(raw: dict[str, Any]):
    first = outcome(raw)
    if first is not None:
        again = decide(first.stack)
        assert places(again) == places(first)
        assert again.stack == first.stack


@pytest.mark.slow
@given(stacks)
def test_what_runs_today_stays_where_nothing_has_changed(raw: dict[str, Any]):
    first = outcome(raw)
    if first is None:
        return
    for each in raw["workloads"]:
        placed = first.by_name[each["name"]]
        current = placed.home.value if placed.pool is None else f"{placed.home}/{placed.pool.name}"
        each["placement"] = {"current": current}
    raw["decision"] = {**raw["decision"], "current": first.stack.topology}
    again = outcome(raw)
    assert again is not None
    assert places(again) == places(first)


@pytest.mark.slow
@given(stacks, st.randoms(use_true_random=False))
def test_the_order_of_workloads_and_pools_does_not_matter(raw: dict[str, Any], chance: random.Random):
    first = outcome(raw)
    chance.shuffle(raw["workloads"])
    chance.shuffle(raw["data_plane"]["pools"])
    again = outcome(raw)
    assert (first and places(first)) == (again and places(again))


@pytest.mark.slow
@given(stacks)
def test_nothing_that_may_be_named_instead_costs_less(raw: dict[str, Any]):
    """Every choice of homes and pools for two workloads, each decided as if the file had named it."""
    raw["workloads"] = raw["workloads"][:2]
    raw["topology"] = "hybrid"
    found = outcome(raw)
    if found is None or found.total is None or any("first home" in why for why in reasons(found)):
        return
    for named in every_naming(raw, found):
        other = outcome(named)
        if other is not None and other.total is not None and keeps_budgets(other):
            assert found.total <= other.total + Money(Decimal("0.01"), Period.MONTH)


def reasons(placements: Placements) -> Iterator[str]:
    return (each.reasons[0] for each in placements.by_name.values())


def every_naming(raw: dict[str, Any], found: Placements) -> Iterator[dict[str, Any]]:
    """The stack with a home and pool named for each workload, in every way that no rule refuses."""
    options = [list(namings(each, found.stack)) for each in raw["workloads"]]
    for chosen in product(*options):
        named = deepcopy(raw)
        for each, placement in zip(named["workloads"], chosen, strict=True):
            each["placement"] = placement
        yield named


def namings(each: dict[str, Any], stack: Stack) -> Iterator[dict[str, Any]]:
    if "function" in each["serve"]:
        yield {"home": "function"}
        yield {"home": "reserved-function"}
    if "container" in each["serve"] and stack.data_plane is not None:
        wants = "accelerator" in each["needs"]
        yield from (
            {"home": "pool", "pool": there.name}
            for there in stack.data_plane.pools
            if (there.accelerator is not None) == wants
        )


def keeps_budgets(placements: Placements) -> bool:
    """Whether no rule refuses any of it, and each p99 is within its budget."""
    if any(finding.blocks for finding in placements.findings):
        return False
    return all(each.chosen.holds(each.budget) is not False for each in planned(placements).workloads)
