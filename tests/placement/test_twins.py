"""A workload's function twin: what is known of it, and what each rule says of it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.placement import Answer, Facts, FrontDoor, Home, PlacementError, decide
from components.placement.twins import queued_before_twin
from components.spec import load
from tests.spec.stack_examples import ABSENT, HYBRID, changed
from tests.twin_example import EMBED, placed, twinned


def test_a_twin_is_a_function_behind_what_is_warm():
    placement = placed().by_name["embed"]
    twin = placement.twin
    assert (placement.home, placement.facts.twin, placement.facts.warm_replicas) == (Home.POOL, True, 2)
    assert twin is not None
    assert (twin.home, twin.twin, twin.warm_replicas, twin.pool) == (Home.FUNCTION, True, 2, None)
    assert (twin.reserved_concurrency, twin.log_retention_days, twin.alarm) == (20, 14, True)
    assert twin.front_door is FrontDoor.HTTP_API
    assert Facts.from_tags(twin.to_tags()) == twin
    assert "warm-before-tail: it keeps 2 warm, and its function twin takes only the tail" in placement.reasons


def test_nobody_has_a_twin_that_asks_for_none():
    placements = placed({"placement.twin": ABSENT})
    assert all(each.twin is None for each in placements.by_name.values())
    assert all(each.facts.twin is False for each in placements.by_name.values())


def test_where_the_home_is_decided_and_is_a_function_no_twin_is_made_and_it_is_said():
    placement = placed({"placement": {"twin": {"queue": 3}}, "state": {}, "traffic": {}}).by_name["embed"]
    assert (placement.home, placement.twin, placement.facts.twin) == (Home.FUNCTION, None, False)
    assert "`placement.twin` does nothing: on an on-demand function there are no pods before it" in (
        placement.reasons
    )


@pytest.mark.parametrize(
    ("placement", "queue"),
    [
        pytest.param({"twin": {}}, 16, id="as many as the replicas of the default work on"),
        pytest.param({"twin": {}, "replicas": 3, "max_concurrency": 4}, 12, id="as many as these work on"),
        pytest.param({"twin": {"queue": 5}}, 5, id="as many as is said"),
        pytest.param({"twin": {"queue": 0}}, 0, id="none"),
    ],
)
def test_so_many_wait_before_the_next_goes_to_the_twin(placement: dict[str, Any], queue: int):
    stack = twinned({"placement": {"home": "pool", "pool": "cpu-a", **placement}})
    assert queued_before_twin(stack.workloads[0]) == queue


GPU = {"needs.accelerator": {"type": "L4", "count": 1}, "placement.pool": "gpu-a"}


@pytest.mark.parametrize(
    ("changes", "rule", "path", "reason"),
    [
        pytest.param(GPU, "accelerator-needs-metal", "placement.twin", "has no accelerator", id="a GPU"),
        pytest.param(
            {"serve.function.memory": "12GiB"},
            "memory-over-function-limit",
            "placement.twin",
            "12,288 MB",
            id="more memory than functions have",
        ),
        pytest.param(
            {"traffic.service_time": "25s", "serve.function.timeout": "26s", "latency": ABSENT},
            None,
            "",
            "",
            id="long work within its timeout",
        ),
        pytest.param(
            {"latency.cold_start_tolerance": "100ms"},
            "cold-start-budget",
            "latency.cold_start_tolerance",
            "it bears a cold start of 100ms",
            id="the tail bears no cold start",
        ),
        pytest.param(
            {"latency": {"p99": "26ms"}, "traffic.service_time": "25800us"},
            "state-locality",
            "placement.twin",
            "a function may land in any zone",
            id="no time to read state across zones",
        ),
        pytest.param(
            {"state.local_cache": True},
            "local-state",
            "placement.twin",
            "a cache that must outlive a request",
            id="a cache of its own",
        ),
        pytest.param(
            {"compliance": ["soc2-type-2"]},
            "compliance-isolation",
            "placement.twin",
            "has no machines of its own",
            id="a regime that asks for isolation",
        ),
        pytest.param(
            {"latency.jitter": "20us"},
            "jitter-budget",
            "placement.twin",
            "which an on-demand function cannot hold",
            id="answers that may hardly vary",
        ),
        pytest.param(
            {"traffic.utilization": "95%"}, None, "", "", id="busy replicas: the twin is busy with the tail"
        ),
    ],
)
def test_rules_judge_a_twin_as_the_function_it_is(
    changes: dict[str, Any], rule: str | None, path: str, reason: str
):
    placements = placed(changes)
    of_twin = [each for each in placements.findings if each.reason.startswith("of its function twin: ")]
    if rule is None:
        assert of_twin == []
        return
    (finding,) = of_twin
    assert (finding.rule, finding.subject, finding.path) == (rule, "embed", f"{EMBED}.{path}")
    assert reason in finding.reason
    assert finding.remedy.endswith("remove `placement.twin`")
    assert finding.blocks
    with pytest.raises(PlacementError, match="of its function twin"):
        placements.raise_if_refused()


@pytest.mark.parametrize(
    ("guardrails", "function", "against"),
    [
        pytest.param({"reserved_concurrency": None}, {}, "no reserved concurrency", id="unbounded"),
        pytest.param({"reserved_concurrency": None}, {"reserved_concurrency": 5}, "", id="bounded itself"),
        pytest.param(
            {"log_retention": None, "alarm": False}, {}, "logs kept for ever, no alarm", id="unseen"
        ),
    ],
)
def test_a_twin_is_bounded_and_watched(guardrails: dict[str, Any], function: dict[str, Any], against: str):
    changes = {
        "control_plane.guardrails": guardrails,
        f"{EMBED}.serve.function": {**HYBRID["workloads"][0]["serve"]["function"], **function},
        f"{EMBED}.placement.twin": {},
        f"{EMBED}.compliance": [],
        f"{EMBED}.latency": {"p99": "300ms"},
    }
    placements = decide(load(changed(HYBRID, changes)))
    found = [
        each for each in placements.findings if (each.rule, each.subject) == ("runaway-function", "embed")
    ]
    assert [each.reason for each in found] == ([f"of its function twin: it has {against}"] if against else [])
    assert all(each.path == f"{EMBED}.serve.function" for each in found)


def test_what_is_said_of_the_workload_is_not_said_again_of_its_twin():
    placements = placed({"integrations": ["sqs"]})
    (finding,) = [each for each in placements.findings if each.rule == "vendor-lock-in"]
    assert "twin" not in finding.reason


def test_what_is_not_known_of_a_twin_is_undecided():
    placements = placed({"latency.cold_start_tolerance": "2s"})
    found = [each for each in placements.undecided if each.rule == "cold-start-budget"]
    assert [(each.answer, each.path) for each in found] == [
        (Answer.UNDECIDED, f"{EMBED}.latency.cold_start_tolerance")
    ]
    decided = placed({"latency.cold_start_tolerance": "2s", "serve.function.package": "20MiB"})
    assert not [each for each in decided.undecided if each.rule == "cold-start-budget"]


@given(st.integers(min_value=1, max_value=100), st.integers(min_value=1, max_value=100))
def test_a_twin_changes_nothing_of_the_home_before_it(replicas: int, concurrency: int):
    sizes = {
        "placement.replicas": replicas,
        "placement.max_concurrency": concurrency,
        "needs": {"cpu": 0.02, "memory": "64MiB"},
    }
    with_twin = placed(sizes).by_name["embed"]
    without = placed({**sizes, "placement.twin": ABSENT}).by_name["embed"]
    assert (with_twin.home, with_twin.pool, with_twin.zone) == (without.home, without.pool, without.zone)
    assert replace(with_twin.facts, twin=False) == without.facts
    assert with_twin.refused == without.refused
