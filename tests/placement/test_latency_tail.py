"""Nodes and their function twin in a plan: how much goes to the twin, what it costs, what a caller sees."""

from collections.abc import Mapping
from typing import Any

import pytest
from latency_case import CATALOG, demand, function, nodes

from cli.plan.as_json import workload_json
from components.placement import Home
from components.placement.latency import Around, Latency, latency, simulate, tailed
from components.placement.latency.simulation import Requests, Scenario, Twin
from components.placement.plan import Planned, plan
from components.placement.plan.words import where
from components.spec import Rate
from tests.spec.stack_examples import ABSENT
from tests.twin_example import twinned

BEHIND_AN_API = Around(front_door="http-api")


def test_it_is_what_the_simulation_finds():
    asked = demand(60)
    found = tailed(nodes(2), function(), asked, CATALOG, BEHIND_AN_API, queue=2)
    scenario = Scenario(requests=Requests(seed=0), twin=Twin(function=function()), queue=2)
    seen = simulate(nodes(2), asked, CATALOG, BEHIND_AN_API, scenario)
    assert (found.spilled, found.latency.cold_start_share) == (seen.spilled_share, seen.cold_start_share)
    assert (found.latency.p50, found.latency.p99) == (seen.p50, seen.p99)
    assert found.latency.method == "simulation"
    taken = f"its function twin takes {seen.spilled_share} of the requests"
    assert found.latency.note == f"{taken}, {seen.spilled_share} in the busiest minute"


def test_what_goes_to_it_in_the_busiest_minute_is_said_too():
    rate, peak = Rate.parse("40/s"), Rate.parse("90/s")
    found = tailed(nodes(2), function(), demand(rate=rate, peak=peak), CATALOG, queue=2)
    busiest = tailed(nodes(2), function(), demand(rate=peak, peak=peak), CATALOG, queue=2)
    assert found.latency.note.endswith(f", {busiest.spilled} in the busiest minute")
    assert found.spilled < busiest.spilled


def test_a_queue_that_is_never_full_leaves_nothing_to_the_twin():
    alone = latency(nodes(4), demand(60), CATALOG, BEHIND_AN_API)
    found = tailed(nodes(4), function(), demand(60), CATALOG, BEHIND_AN_API, queue=10_000)
    assert not found.spilled
    assert _seconds(found.latency) == pytest.approx(_seconds(alone), rel=0.15)


def test_the_longer_the_queue_the_less_goes_to_the_twin():
    shares = [
        tailed(nodes(2), function(), demand(70), CATALOG, queue=queue).spilled for queue in (0, 1, 4, 16)
    ]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 4


def test_more_than_the_nodes_take_is_answered_all_the_same():
    asked = demand(100)
    assert latency(nodes(2), asked, CATALOG, BEHIND_AN_API).p99 is None
    found = tailed(nodes(2), function(), asked, CATALOG, BEHIND_AN_API, queue=4)
    assert found.latency.p99 is not None
    assert found.spilled.fraction > 0.2


def test_each_hour_of_a_day_counts_as_much_as_it_has_of_the_requests():
    quiet = tailed(nodes(2), function(), demand(40), CATALOG, queue=2)
    day = tailed(nodes(2), function(), demand(40, hourly=(0.5,) * 12 + (1.5,) * 12), CATALOG, queue=2)
    busy = tailed(nodes(2), function(), demand(60), CATALOG, queue=2)
    assert quiet.spilled < day.spilled < busy.spilled


def _seconds(found: Latency) -> list[float]:
    return [time.seconds for time in (found.p50, found.p99) if time is not None]


# -- in a plan

BUSY: Mapping[str, Any] = {
    "traffic": {"rate": "60/s", "peak": "90/s", "service_time": "25ms"},
    "placement": {"home": "pool", "pool": "cpu-a", "replicas": 2, "max_concurrency": 1, "twin": {"queue": 1}},
}


def _planned(changes: Mapping[str, Any]) -> Planned:
    found = plan(twinned({**BUSY, **changes}))
    return next(each for each in found.workloads if each.name == "embed")


def test_a_plan_has_the_bill_and_the_percentiles_of_both():
    with_twin = _planned({})
    without = _planned({"placement.twin": ABSENT})
    assert with_twin.chosen.cost is not None
    assert without.chosen.cost is not None
    lines = {line.name for line in with_twin.chosen.cost.lines}
    assert lines - {line.name for line in without.chosen.cost.lines} >= {
        "function time of the tail",
        "function requests of the tail",
    }
    assert with_twin.chosen.cost.total > without.chosen.cost.total
    assert with_twin.chosen.latency is not None
    assert without.chosen.latency is not None
    assert with_twin.chosen.latency.note.startswith("its function twin takes ")
    assert (where(with_twin), where(without)) == (
        "pool cpu-a/us-east-1a, tail: function",
        "pool cpu-a/us-east-1a",
    )
    assert (workload_json(with_twin)["tail"], workload_json(without)["tail"]) == ("function", None)
    assert with_twin.chosen.latency.p99 < without.chosen.latency.p99


def test_the_other_homes_have_no_twin():
    planned = _planned({})
    functions = [each for each in planned.alternatives if each.home is Home.FUNCTION]
    assert all("of the tail" not in line.name for each in functions for line in each.cost.lines)


def test_a_plan_says_that_a_twin_is_not_made():
    stack = twinned({"placement": {"twin": {}}, "state": {}, "traffic": {}})
    said = [warn.message for warn in plan(stack).warnings if warn.subject == "embed"]
    assert any(message.startswith("`placement.twin` does nothing") for message in said)
