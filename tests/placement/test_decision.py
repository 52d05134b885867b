"""Where workloads are put: the named home is honoured, the rest is decided, and the order never matters."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components import spec
from components.placement import (
    CONTROL_PLANE,
    UNRESERVED,
    Enforcement,
    Finding,
    Home,
    PlacementError,
    Placements,
    decide,
)
from components.spec import Duration, Stack, StackError

ROOT = Path(__file__).parents[2]
A, B = "us-east-1a", "us-east-1b"
CONTAINER = {"container": {"image": "halfmetal/embedder:0.1.0"}}
FUNCTION = {
    "function": {"bundle": "examples/embedder", "handler": "embedder.function.handler", "memory": "2048MiB"}
}
BUDGET = {"limit": "$500/month", "notify": ["ops@example.com"]}
POOLS = {
    "cpu-a": {"instance": "m7g.xlarge", "zones": [A]},
    "cpu-b": {"instance": "m7g.xlarge", "zones": [B]},
    "gpu-a": {
        "instance": "g6.xlarge",
        "zones": [A],
        "accelerator": {"type": "L4", "count": 1, "memory": "24GiB"},
    },
}


def _pool(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "managed",
        "nodes": {"desired": 1, "max": 3},
        **POOLS.get(name, {}),
        **changes,
    }


def _workload(name: str = "embed", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "serve": {**CONTAINER, **FUNCTION},
        "needs": {"cpu": 1, "memory": "1GiB"},
        **changes,
    }


def _stack(*workloads: dict[str, Any], **changes: Any) -> dict[str, Any]:
    stack = {
        "topology": "hybrid",
        "region": "us-east-1",
        "zones": [A, B],
        "network": {"nat": "single"},
        "control_plane": {"budget": BUDGET},
        "data_plane": {
            "cluster": {"provider": "eks", "version": "1.34"},
            "gateway": {"exposure": "vpc-link"},
            "pools": [_pool("cpu-a"), _pool("cpu-b"), _pool("gpu-a")],
        },
        "state": [
            {"name": "features", "kind": "cache", "zones": [B]},
            {"name": "weights", "kind": "weights-store"},
        ],
        "workloads": list(workloads) or [_workload()],
        **changes,
    }
    return {key: value for key, value in stack.items() if value is not None}


def _decide(*workloads: dict[str, Any], **changes: Any) -> Placements:
    return decide(spec.load(_stack(*workloads, **changes)))


GPU = {"cpu": 1, "memory": "1GiB", "accelerator": {"type": "L4", "count": 1, "memory": "20GiB"}}
READS_FEATURES = {"reads": ["features"], "bytes": "64KiB"}


@pytest.mark.parametrize(
    ("workload", "home", "pool", "zone"),
    [
        pytest.param(_workload(), Home.FUNCTION, None, None, id="nothing against a function"),
        pytest.param(_workload(needs=GPU), Home.POOL, "gpu-a", A, id="a GPU takes the pool that has it"),
        pytest.param(
            _workload(needs={"cpu": 1, "memory": "12GiB"}),
            Home.POOL,
            "cpu-a",
            A,
            id="too much memory for a function takes the first pool by name",
        ),
        pytest.param(_workload(serve=CONTAINER), Home.POOL, "cpu-a", A, id="a container only"),
        pytest.param(
            _workload(serve=CONTAINER, state=READS_FEATURES, latency={"p99": "300ms"}),
            Home.POOL,
            "cpu-b",
            B,
            id="a reader of state takes the pool in its zone and stays there",
        ),
        pytest.param(
            _workload(
                serve=CONTAINER,
                state=READS_FEATURES,
                latency={"p99": "60s"},
                traffic={"service_time": "25ms"},
            ),
            Home.POOL,
            "cpu-b",
            B,
            id="a reader of state takes the pool in its zone, though its budget bears another",
        ),
        pytest.param(
            _workload(state=READS_FEATURES, latency={"p99": "5ms"}, traffic={"service_time": "4ms"}),
            Home.POOL,
            "cpu-b",
            B,
            id="a budget that cannot bear a crossing keeps it off functions",
        ),
        pytest.param(
            _workload(traffic={"utilization": "75%"}), Home.POOL, "cpu-a", A, id="too busy for a function"
        ),
        pytest.param(
            _workload(traffic={"utilization": "35%"}),
            Home.FUNCTION,
            None,
            None,
            id="advice against a function moves nothing",
        ),
        pytest.param(
            _workload(traffic={"rate": "30/s", "service_time": "25ms"}),
            Home.POOL,
            "cpu-a",
            A,
            id="busy by its rate and its work",
        ),
        pytest.param(
            _workload(latency={"cold_start_tolerance": "500ms"}),
            Home.POOL,
            "cpu-a",
            A,
            id="no patience for a cold start",
        ),
        pytest.param(
            _workload(serve=FUNCTION, latency={"cold_start_tolerance": "500ms"}),
            Home.RESERVED_FUNCTION,
            None,
            None,
            id="no patience for a cold start, and no container",
        ),
        pytest.param(
            _workload(state={"local_cache": True}), Home.POOL, "cpu-a", A, id="a cache that must live on"
        ),
        pytest.param(
            _workload(placement={"home": "pool", "pool": "cpu-b"}),
            Home.POOL,
            "cpu-b",
            B,
            id="the named pool",
        ),
        pytest.param(
            _workload(placement={"home": "reserved-function"}),
            Home.RESERVED_FUNCTION,
            None,
            None,
            id="the named home",
        ),
    ],
)
def test_a_home_is_chosen(workload: dict[str, Any], home: Home, pool: str | None, zone: str | None):
    placement = _decide(workload).by_name["embed"]
    assert placement.home is home
    assert (placement.pool and placement.pool.name) == pool
    assert placement.zone == zone
    assert placement.replicas == (0 if home.is_function else 2)
    assert placement.facts.home is home
    assert placement.reasons


def test_a_named_home_is_honoured_and_what_stands_against_it_is_found():
    placements = _decide(_workload(needs=GPU, placement={"home": "function"}))
    assert placements.by_name["embed"].home is Home.FUNCTION
    (finding,) = placements.findings
    assert (finding.rule, finding.subject) == ("accelerator-needs-metal", "embed")
    assert finding.path == "workloads[0].placement.home"
    with pytest.raises(PlacementError) as error:
        placements.raise_if_refused()
    (problem,) = error.value.problems
    assert problem.message.startswith("accelerator-needs-metal: it needs 1 L4")
    assert "placement.home: pool" in problem.remedy


def test_the_other_homes_are_listed_with_the_rule_that_refuses_each():
    placement = _decide(
        _workload(needs={**GPU, "memory": "12GiB"}, placement={"home": "pool", "pool": "gpu-a"})
    ).by_name["embed"]
    refused = {refusal.home: refusal.rule for refusal in placement.refused}
    assert refused == {
        Home.FUNCTION: "accelerator-needs-metal",
        Home.RESERVED_FUNCTION: "accelerator-needs-metal",
        Home.METAL: None,
    }


METAL = {"kind": "metal", "instance": "m7i.metal-24xl", "zones": [A], "pinned": True}
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def _with_metal(workload: dict[str, Any], **changes: Any) -> Placements:
    pools = [_pool("cpu-a"), _pool("metal-a", **METAL), _pool("metal-b", **{**METAL, **changes})]
    return _decide(workload, data_plane={**_stack()["data_plane"], "pools": pools})


def test_a_workload_under_a_regime_takes_the_metal_whose_disks_have_a_key_of_its_own():
    placements = _with_metal(_workload(compliance=["pci-dss"]), encryption_key=KEY)
    placement = placements.by_name["embed"]
    assert (placement.home, placement.pool and placement.pool.name) == (Home.METAL, "metal-b")
    assert placements.pools["metal-b"].compliance == ("pci-dss",)
    assert placements.pools["metal-a"].compliance == ()
    assert {refusal.rule for refusal in placement.refused} == {"compliance-isolation"}


@pytest.mark.parametrize(
    ("said", "machines", "findings", "undecided"),
    [
        pytest.param({}, {}, 0, 1, id="nobody says who else is on the machines"),
        pytest.param({"dedicated": True}, {}, 0, 0, id="nobody else"),
        pytest.param({"dedicated": False}, {}, 1, 0, id="others too"),
        pytest.param(
            {},
            {"instance": "m7i.metal-24xl", "capacity": "existing"},
            0,
            0,
            id="whole machines",
        ),
    ],
)
def test_machines_of_an_existing_cluster_are_dedicated_where_that_is_said(
    said: dict[str, Any], machines: dict[str, Any], findings: int, undecided: int
):
    cluster = {"provider": "existing", "context": "theirs", "audit_logs": True, "own_keys": True, **said}
    pool = _pool("theirs", kind="metal", zones=[A], **machines)
    plane = {"cluster": cluster, "gateway": {"exposure": "load-balancer"}, "pools": [pool]}
    workload = _workload(serve=CONTAINER, compliance=["pci-dss"], placement={"home": "metal"})
    placements = _decide(workload, topology="dedicated", data_plane=plane)

    def of_isolation(found: tuple[Finding, ...]) -> int:
        return sum((each.rule, each.subject) == ("compliance-isolation", "embed") for each in found)

    assert (of_isolation(placements.findings), of_isolation(placements.undecided)) == (findings, undecided)


@pytest.mark.parametrize(
    ("cpu", "pool"),
    [
        pytest.param(2, "metal-a", id="whole cores are its own"),
        pytest.param(1.5, None, id="part of a core is shared"),
    ],
)
def test_a_workload_of_even_answer_times_takes_pinned_metal(cpu: float, pool: str | None):
    workload = _workload(needs={"cpu": cpu, "memory": "1GiB"}, latency={"jitter": "20us"})
    if pool is None:
        with pytest.raises(PlacementError, match="share cores"):
            _with_metal(workload)
        return
    placement = _with_metal(workload).by_name["embed"]
    assert placement.pool is not None
    assert placement.pool.name == pool


def test_what_takes_too_long_for_the_front_door_has_no_home_behind_it():
    long = _workload(serve=CONTAINER, traffic={"service_time": "2m"})
    with pytest.raises(PlacementError, match="over the 30s of an HTTP API"):
        _decide(long)
    pools = [_pool("metal", kind="metal", instance="m7i.metal-24xl", zones=[A])]
    data_plane = {**_stack()["data_plane"], "pools": pools, "gateway": {"exposure": "load-balancer"}}
    placements = _decide(long, topology="dedicated", data_plane=data_plane)
    assert placements.by_name["embed"].home is Home.METAL


@pytest.mark.parametrize(
    ("changes", "workload", "rule", "path"),
    [
        pytest.param(
            {},
            _workload(traffic={"utilization": "35%"}, placement={"home": "function"}),
            "sustained-utilization",
            "workloads[0].traffic.utilization",
            id="advice of a rule that refuses elsewhere",
        ),
        pytest.param(
            {},
            _workload(integrations=["eventbridge"]),
            "vendor-lock-in",
            "workloads[0].integrations",
            id="a tie that is named",
        ),
    ],
)
def test_advice_is_found_and_stops_nothing(
    changes: dict[str, Any], workload: dict[str, Any], rule: str, path: str
):
    placements = _decide(workload, **changes)
    (finding,) = placements.findings
    assert (finding.rule, finding.path, finding.blocks) == (rule, path, False)
    assert finding.enforcement is Enforcement.ADVISORY
    placements.raise_if_refused()


def test_a_cluster_that_nobody_runs_is_advised_against():
    cluster = {"provider": "existing", "context": "theirs", "managed": False}
    pools = [{"name": "metal", "kind": "metal", "zones": [A], "nodes": {"desired": 2}}]
    data_plane = {"cluster": cluster, "gateway": {"exposure": "load-balancer"}, "pools": pools}
    placements = _decide(
        _workload(serve=CONTAINER), topology="dedicated", data_plane=data_plane, operations_team=False
    )
    assert {(finding.rule, finding.subject) for finding in placements.findings} == {
        ("unattended-cluster", "metal"),
        ("unattended-cluster", "embed"),
    }
    placements.raise_if_refused()


def test_a_workload_without_any_home_says_what_stands_against_each():
    with pytest.raises(PlacementError) as error:
        _decide(_workload(needs={**GPU, "accelerator": {"type": "H100", "count": 8}}))
    (problem,) = error.value.problems
    assert problem.path == "workloads[0].placement"
    assert "function: it needs 8 H100" in problem.message
    assert "pool: no managed pool of the stack has the accelerator" in problem.message


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        pytest.param({"budget": None}, {"no budget for the stack"}, id="no budget"),
        pytest.param(
            {"budget": BUDGET, "guardrails": {"reserved_concurrency": None, "alarm": False}},
            {"no reserved concurrency, no alarm"},
            id="guardrails taken off",
        ),
        pytest.param(
            {"budget": BUDGET, "guardrails": {"log_retention": None}},
            {"logs kept for ever"},
            id="logs for ever",
        ),
    ],
)
def test_guardrails_count_for_control_functions_and_for_workloads(changes: dict[str, Any], against: set[str]):
    workload = _workload(placement={"home": "function"})
    control_plane = {key: value for key, value in changes.items() if value is not None}
    placements = _decide(workload, control_plane=control_plane)
    found = {(finding.rule, finding.subject, finding.reason) for finding in placements.findings}
    assert found == {
        ("runaway-function", subject, f"it has {said}")
        for subject in (CONTROL_PLANE, "embed")
        for said in against
    }


def test_a_function_may_have_bounds_of_its_own():
    serve = {"function": {**FUNCTION["function"], "reserved_concurrency": 3, "alarm": True}}
    placements = _decide(
        _workload(serve=serve),
        control_plane={
            "budget": BUDGET,
            "guardrails": {"reserved_concurrency": None, "log_retention": "30d", "alarm": False},
        },
    )
    facts = placements.by_name["embed"].facts
    assert (facts.reserved_concurrency, facts.log_retention_days, facts.alarm) == (3, 30, True)
    assert placements.control_plane.reserved_concurrency == UNRESERVED
    assert {finding.subject for finding in placements.findings} == {CONTROL_PLANE}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"zones": [A, B], "placement_group": "cluster"}, id="a placement group over two zones"),
        pytest.param(
            {
                "zones": [A],
                "capacity": "capacity-block",
                "capacity_block": {"id": "cr-0123456789abcdef0", "zone": B},
            },
            id="a capacity block of another zone",
        ),
    ],
)
def test_a_pool_whose_capacity_is_elsewhere_is_found_and_not_chosen(changes: dict[str, Any]):
    data_plane = _stack()["data_plane"]
    data_plane["pools"] = [_pool("a-first", instance="m7g.large", **changes), _pool("cpu-a")]
    placements = _decide(_workload(serve=CONTAINER), data_plane=data_plane)
    (finding,) = placements.findings
    assert (finding.rule, finding.subject) == ("zone-capacity", "a-first")
    assert finding.path == "data_plane.pools[0].zones"
    assert placements.by_name["embed"].pool is not None
    assert placements.by_name["embed"].pool.name == "cpu-a"


def test_an_advisory_rule_is_found_but_stops_nothing_and_a_disabled_one_is_silent():
    workload = _workload(needs=GPU, placement={"home": "function"})
    rule = "accelerator-needs-metal"
    advisory = _decide(workload, policies={"rules": {rule: {"enforcement": "advisory"}}})
    advisory.raise_if_refused()
    assert [finding.rule for finding in advisory.findings] == [rule]
    disabled = _decide(workload, policies={"rules": {rule: {"enforcement": "disabled"}}})
    assert disabled.findings == ()


def test_a_stack_may_set_thresholds():
    workload = _workload(needs={"cpu": 1, "memory": "3GiB"})
    placements = _decide(workload, policies={"rules": {"memory-over-function-limit": {"on_demand": "2GiB"}}})
    assert placements.by_name["embed"].home is Home.POOL


@pytest.mark.parametrize(
    ("override", "path", "message"),
    [
        pytest.param({"limit": "2GiB"}, "limit", "is no threshold", id="a threshold the rule does not have"),
        pytest.param({"on_demand": "2h"}, "on_demand", "", id="a threshold of another kind"),
        pytest.param({"on_demand": 2048}, "on_demand", "bare number", id="a threshold without a unit"),
    ],
)
def test_a_change_that_makes_no_sense_is_an_error(override: dict[str, Any], path: str, message: str):
    with pytest.raises(StackError) as error:
        _decide(policies={"rules": {"memory-over-function-limit": override}})
    (problem,) = error.value.problems
    assert problem.path == f"policies.rules.memory-over-function-limit.{path}"
    assert message in problem.message
    assert problem.remedy


def test_what_cannot_be_decided_is_said():
    placements = _decide(
        _workload(state={"reads": ["features"]}, placement={"home": "function"}, latency={"p99": "300ms"})
    )
    assert placements.findings == ()
    said = {finding.rule: finding.reason for finding in placements.undecided}
    assert set(said) == {"state-locality", "sustained-utilization", "long-execution"}
    assert "state bytes and service time" in said["state-locality"]
    assert not any(finding.blocks for finding in placements.undecided)


def test_a_reader_of_two_zones_runs_where_a_budget_of_a_minute_bears_the_crossing():
    stores = [{"name": name, "kind": "cache", "zones": [zone]} for name, zone in (("users", A), ("items", B))]
    slow = _workload(
        serve=CONTAINER,
        state={"reads": ["users", "items"], "bytes": "64KiB"},
        latency={"p99": "60s"},
        traffic={"service_time": "25ms"},
    )
    placements = _decide(slow, state=stores)
    assert placements.by_name["embed"].zone == A
    assert "state-locality" not in {finding.rule for finding in placements.findings}


@pytest.mark.parametrize(
    "needs",
    [
        pytest.param({"cpu": 64, "memory": "1GiB"}, id="more CPUs than a node has"),
        pytest.param({"cpu": 1, "memory": "512GiB"}, id="more memory than a node has"),
        pytest.param({"cpu": 2, "memory": "1GiB"}, id="all CPUs of a node, of which the kubelet keeps some"),
        pytest.param({"cpu": 1, "memory": "8GiB"}, id="all memory of a node"),
    ],
)
@pytest.mark.parametrize("placement", [{"home": "pool", "pool": "cpu-a"}, {"home": "pool"}, {}])
def test_a_replica_that_no_node_holds_is_refused(needs: dict[str, Any], placement: dict[str, Any]):
    pools = [_pool(name, instance="m7g.large") for name in ("cpu-a", "cpu-b")]
    with pytest.raises(PlacementError) as caught:
        _decide(
            _workload(serve=CONTAINER, needs=needs, placement=placement),
            data_plane={**_stack()["data_plane"], "pools": pools},
        )
    (problem,) = caught.value.problems
    assert "a m7g.large has 2 and 8GiB" in problem.message
    assert problem.path.startswith("workloads[0].placement")


def test_a_replica_takes_the_pool_whose_nodes_hold_it():
    pools = [_pool("cpu-a"), _pool("large", instance="m7g.4xlarge", zones=[A])]
    large = _workload(serve=CONTAINER, needs={"cpu": 8, "memory": "32GiB"})
    placed = _decide(large, data_plane={**_stack()["data_plane"], "pools": pools}).by_name["embed"]
    assert placed.pool is not None
    assert placed.pool.name == "large"


def test_a_regional_store_ties_its_readers_to_no_zone():
    data_plane = {**_stack()["data_plane"], "pools": [_pool("cpu-ab", instance="m7g.large", zones=[A, B])]}
    workload = _workload(serve=CONTAINER, state={"reads": ["weights"]}, latency={"p99": "300ms"})
    placement = _decide(workload, data_plane=data_plane).by_name["embed"]
    assert placement.zone is None
    assert placement.facts.zones == (A, B)
    assert placement.facts.state == ()


def test_a_pool_has_facts_for_its_nodes_to_carry():
    facts = _decide().pools["gpu-a"]
    assert (facts.zones, facts.efa, facts.placement_group, facts.accelerator_type) == (
        (A,),
        False,
        "none",
        "L4",
    )


def test_function_facts_carry_what_the_function_is_given():
    facts = _decide().by_name["embed"].facts
    assert facts.function_memory == spec.Memory.parse("2048MiB")
    assert facts.timeout == Duration.parse("30s")
    assert facts.budget is True


# -- any stack at all

_workload_shapes = st.fixed_dictionaries(
    {
        "serve": st.sampled_from([CONTAINER, FUNCTION, {**CONTAINER, **FUNCTION}]),
        "needs": st.fixed_dictionaries(
            {"cpu": st.just(1), "memory": st.sampled_from(["1GiB", "12GiB", "40GiB", "1PiB"])},
            optional={
                "accelerator": st.fixed_dictionaries(
                    {"type": st.sampled_from(["L4", "H100"]), "count": st.integers(1, 16)},
                    optional={"memory": st.sampled_from(["20GiB", "80GiB", "1PiB"])},
                )
            },
        ),
    },
    optional={
        "latency": st.sampled_from(
            [
                {"p99": "1ms"},
                {"p99": "5ms"},
                {"p99": "300ms"},
                {"cold_start_tolerance": "0s"},
                {"jitter": "9us"},
            ]
        ),
        "traffic": st.sampled_from(
            [
                {"service_time": "4ms"},
                {"service_time": "2m"},
                {"utilization": "35%"},
                {"utilization": "90%"},
                {"rate": "20/s", "service_time": "4ms"},
            ]
        ),
        "compliance": st.sampled_from([["pci-dss"], []]),
        "integrations": st.sampled_from([["sqs"], []]),
        "state": st.fixed_dictionaries(
            {"reads": st.lists(st.sampled_from(["features", "weights"]), unique=True)},
            optional={"bytes": st.sampled_from(["64KiB", "1PiB"])},
        ),
        "placement": st.sampled_from(
            [
                {"home": "function"},
                {"home": "reserved-function"},
                {"home": "pool"},
                {"home": "metal"},
                {"home": "pool", "pool": "gpu-a"},
                {"pool": "cpu-b"},
            ]
        ),
    },
)
_stacks = st.fixed_dictionaries(
    {"workloads": st.lists(_workload_shapes, min_size=1, max_size=4)},
    optional={
        "topology": st.sampled_from(["pure", "hybrid", "dedicated", "auto"]),
        "control_plane": st.sampled_from([{}, {"guardrails": {"reserved_concurrency": None}}]),
        "policies": st.sampled_from(
            [
                {"rules": {"state-locality": {"cross_zone_round_trip": "3660d"}}},
                {"rules": {"runaway-function": {"enforcement": "disabled"}}},
            ]
        ),
    },
)


def _load(shape: dict[str, Any], order: list[int] | None = None) -> Stack | None:
    """The stack, its workloads named in their first order; None where the spec itself refuses it."""
    workloads = [{"name": f"w{number}", **each} for number, each in enumerate(shape["workloads"])]
    ordered = [workloads[number] for number in order] if order is not None else workloads
    data_plane = {"data_plane": None} if shape.get("topology") == "pure" else {}
    try:
        return spec.load(
            _stack(*ordered, **{k: v for k, v in shape.items() if k != "workloads"}, **data_plane)
        )
    except StackError:
        return None


def _outcome(stack: Stack) -> tuple[object, ...]:
    """What is decided, without places in the file (those do depend on the order)."""
    try:
        placements = decide(stack)
    except StackError as error:
        return tuple(sorted((problem.subject, problem.message) for problem in error.problems))
    placed = [
        (name, each.home, each.pool and each.pool.name, each.zone, each.refused, each.reasons, each.facts)
        for name, each in placements.by_name.items()
    ]
    found = [(each.rule, each.subject, each.reason) for each in (*placements.findings, *placements.undecided)]
    return (*placed, *found)


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(_stacks, st.randoms(use_true_random=False))
def test_any_stack_is_decided_or_an_error_alike_in_any_order_of_its_workloads(
    shape: dict[str, Any], random: Any
):
    stack = _load(shape)
    order = list(range(len(shape["workloads"])))
    random.shuffle(order)
    shuffled = _load(shape, order)
    assert (stack is None) == (shuffled is None)
    if stack is not None and shuffled is not None:
        assert _outcome(stack) == _outcome(stack) == _outcome(shuffled)


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(_workload_shapes, st.sampled_from(["hybrid", "auto"]), st.lists(st.integers(1, 100), min_size=2))
def test_raising_utilization_never_moves_a_workload_from_nodes_back_to_a_function(
    workload: dict[str, Any], topology: str, shares: list[int]
):
    on_nodes = False
    for share in sorted(shares):
        traffic = {**workload.get("traffic", {}), "utilization": f"{share}%"}
        shape = {"topology": topology, "workloads": [{**workload, "traffic": traffic, "placement": {}}]}
        stack = _load(shape)
        if stack is None:
            return
        try:
            home = decide(stack).by_name["w0"].home
        except PlacementError:
            return
        assert not (on_nodes and home.is_function)
        on_nodes = not home.is_function


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(_stacks)
def test_a_home_that_nobody_named_breaks_no_mandatory_rule(shape: dict[str, Any]):
    shape = {**shape, "workloads": [{**each, "placement": {}} for each in shape["workloads"]]}
    shape.pop("control_plane", None)
    stack = _load(shape)
    if stack is None:
        return
    try:
        placements = decide(stack)
    except PlacementError:
        return
    assert [finding for finding in placements.findings if finding.blocks] == []


# -- plain Python


@pytest.mark.parametrize("package", ["catalog", "placement", "report"])
def test_nothing_here_imports_pulumi_or_a_cloud(package: str):
    foreign = {"pulumi", "pulumi_aws", "pulumi_kubernetes", "pulumi_policy", "boto3", "kubernetes", "httpx"}
    for path in (ROOT / "components" / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            imported = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not foreign & {name.partition(".")[0] for name in imported}, path


def test_importing_placement_loads_no_pulumi_no_cloud_and_nothing_heavy():
    unwanted = ("pulumi", "pulumi_aws", "boto3", "kubernetes", "numpy", "scipy", "simpy", "ortools")
    script = (
        "import sys, components.placement, components.placement.options, components.catalog as c; c.load();"
        f"print([m for m in {unwanted} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
