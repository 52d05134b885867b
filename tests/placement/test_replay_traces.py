"""Two hours of real traffic through every topology: what is chosen, and what the models make of it.

The logs (Azure Public Dataset, "Azure LLM inference trace 2023", CC-BY 4.0; Patel et al., "Splitwise", ISCA
2024) are not part of this repository; without them these tests are skipped. A made-up log as uneven stands in
for them in `test_replay`. The workload is that of `examples/replay`.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from components.catalog import for_stack
from components.catalog import load as load_catalog
from components.placement.latency import Requests, latency
from components.placement.options import Missing, demand_of
from components.placement.replay import (
    Log,
    Replay,
    Row,
    Side,
    Trial,
    Ways,
    cheapest_of_all,
    checked,
    replay,
    ways_of,
)
from components.spec import Duration, load_file
from components.traffic import Arrivals, profile, read
from tests.traffic.traces import real_trace

EXAMPLE = Path(__file__).parents[2] / "examples" / "replay" / "Pulumi.replay.yaml"
CATALOG = load_catalog()
HOURS = ("code", "conv")
WORK, BUDGET = Duration.parse("2s"), Duration.parse("12s")
AT_MEDIAN, AT_TAIL = 0.10, 0.15
# What `cost.spill` says of its formula on either hour.
OF_MONEY = {"code": 0.13, "conv": 0.02}

pytestmark = pytest.mark.slow


@cache
def traffic(hour: str) -> tuple[tuple[Ways, ...], Log]:
    """The ways of the example's workload with an hour's traffic, and the hour."""
    trace = read(real_trace(f"AzureLLMInferenceTrace_{hour}.csv"))
    assert isinstance(trace, Arrivals)
    found = profile(trace, service_time=WORK)
    stack = load_file(EXAMPLE)
    (workload,) = stack.workloads
    measured = {"rate": found.rate, "peak": found.peak, "burstiness": found.burstiness, "service_time": WORK}
    met = workload.model_copy(update={"traffic": workload.traffic.model_copy(update=measured)})
    demand = demand_of(met)
    assert not isinstance(demand, Missing)
    return ways_of(stack, met, for_stack(CATALOG, stack)), Log.of(trace.times_s, None, demand)


@cache
def played(hour: str) -> Replay:
    rows, log = traffic(hour)
    return replay(rows, log, CATALOG, BUDGET)


def trial(row: Row) -> Trial:
    assert row.trial is not None
    return row.trial


def row(hour: str, side: Side) -> Row:
    return next(each for each in played(hour).rows if each.side is side)


@pytest.mark.parametrize("hour", HOURS)
def test_the_choice_is_the_cheapest_of_all_sizes_of_all_topologies(hour: str):
    """By playing the whole hour through every one of them."""
    proof = checked(played(hour), CATALOG)
    assert proof.sizes > 200
    assert proof.wrong == ()
    chosen = played(hour).choice
    assert chosen is not None
    assert trial(chosen).total == min(trial(each).total for each in played(hour).rows)


@pytest.mark.parametrize("hour", HOURS)
def test_each_topology_holds_at_its_size_and_a_twin_never_costs_more(hour: str):
    for side in Side:
        found = row(hour, side)
        assert found.can_be_chosen
        assert trial(found).over.fraction <= 0.01
    assert trial(row(hour, Side.TWIN)).total <= trial(row(hour, Side.HYBRID)).total


@pytest.mark.parametrize("hour", HOURS)
def test_one_replica_less_would_not_hold(hour: str):
    rows, log = traffic(hour)
    for ways in rows:
        if ways.side in {Side.HYBRID, Side.DEDICATED}:
            (way,) = ways.ways
            size = trial(row(hour, ways.side)).size
            fewer = [replace(size, count=size.count - 1)]
            assert cheapest_of_all(way, log, CATALOG, BUDGET, fewer) is None


def test_bursts_belong_on_functions_and_steady_traffic_on_nodes_with_a_twin():
    choices = [played(hour).choice for hour in HOURS]
    assert [each and each.side for each in choices] == [Side.ON_DEMAND, Side.TWIN]


@pytest.mark.parametrize(
    ("hour", "less_cost"), [pytest.param("code", 0.33, id="code"), pytest.param("conv", 0.15, id="conv")]
)
def test_what_a_twin_is_worth(hour: str, less_cost: float):
    """Spock's figures: 33 % less cost, 74 % fewer misses. Steady traffic saves less than that."""
    found = played(hour).gain
    assert found is not None
    assert found.less_cost > less_cost
    assert found.fewer_misses is not None
    assert found.fewer_misses > 0.74


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize("side", [side for side in Side if side is not Side.TWIN])
def test_the_model_is_within_its_error_or_says_that_it_is_not(hour: str, side: Side):
    """By the profile alone, without the log."""
    found = row(hour, side)
    assert found.expected is not None
    model, seen = found.expected.latency, trial(found).seen
    assert model is not None
    if model.note:
        assert model.method == "simulation" or "busiest minute" in model.note
        return
    assert model.method == "formula"
    assert _seconds(model.p50) == pytest.approx(_seconds(seen.p50), rel=AT_MEDIAN)
    assert _seconds(model.p99) == pytest.approx(_seconds(seen.p99), rel=AT_TAIL)


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize("side", [side for side in Side if side is not Side.TWIN])
def test_the_model_with_the_log_is_within_its_error(hour: str, side: Side):
    found, log = trial(row(hour, side)), traffic(hour)[1]
    requests = Requests(arrivals_s=log.arrivals_s, service_s=log.service_s)
    model = latency(found.option, found.way.demand, CATALOG, found.way.around, requests)
    assert model.method == "simulation"
    assert _seconds(model.p50) == pytest.approx(_seconds(found.seen.p50), rel=AT_MEDIAN)
    assert _seconds(model.p99) == pytest.approx(_seconds(found.seen.p99), rel=AT_TAIL)


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize("side", Side)
def test_the_bill_by_formula_is_within_its_error(hour: str, side: Side):
    found = row(hour, side)
    assert found.expected is not None
    ratio = found.expected.cost.total / trial(found).total
    if side is Side.TWIN:
        assert ratio >= 1  # it knows no queue before the twin, so it is the most that it can be
    else:
        assert ratio == pytest.approx(1, abs=OF_MONEY[hour])


def _seconds(time: Duration | None) -> float:
    return np.inf if time is None else time.seconds
