"""A log played through every topology: each at its cheapest size that holds, checked by playing every one."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from latency_case import CATALOG, demand, function, nodes

from components.catalog import for_stack
from components.placement.cost import Platform
from components.placement.latency import Around, simulate
from components.placement.options import Demand, NodesOption, OptionError
from components.placement.replay import (
    Log,
    Player,
    Replay,
    Row,
    Side,
    Size,
    Trial,
    Way,
    Ways,
    cheapest_of_all,
    checked,
    every_size,
    replay,
    ways_of,
)
from components.placement.replay.gain import gain
from components.placement.replay.playing import rank, scenario_of
from components.placement.replay.searching import searched
from components.spec import Duration, load
from components.spec.units import Rate
from tests.spec.stack_examples import ABSENT, Raw, changed

BUDGET = Duration.parse("3s")
WORK = demand(4, "500ms")


def way(side: Side, asked: Demand = WORK, **more: Any) -> Way:
    """A way on machines that hold two replicas, or on a function, behind an API."""
    options = {Side.ON_DEMAND: function(), Side.HELD_WARM: function(provisioned=1)}
    given = {
        "option": options.get(side, nodes(1, per_node=2, concurrency=1)),
        "platform": Platform(front_door="http-api", twin_door="http-api"),
        "around": Around(front_door="http-api"),
        "twin": function() if side is Side.TWIN else None,
        "gateways": 2,
    }
    return Way(side=side, demand=asked, region="us-east-1", **(given | more))


def log(times: Any, asked: Demand = WORK, service_s: Any = None) -> Log:
    return Log.of(times, service_s, asked, seed=3)


@cache
def uneven() -> Log:
    """A thousand requests: by chance for most of the time, ten times as many in two short minutes."""
    random = np.random.default_rng(5)
    steady = np.sort(random.random(700) * 600)
    crowds = (begin + random.random(150) * 15 for begin in (120, 430))
    return log(np.sort(np.concatenate([steady, *crowds])))


@cache
def played() -> Replay:
    rows = [Ways(side, (way(side),)) for side in Side]
    return replay(rows, uneven(), CATALOG, BUDGET)


def row(side: Side, of: Replay | None = None) -> Row:
    return next(each for each in (of or played()).rows if each.side is side)


def trial(side: Side, of: Replay | None = None) -> Trial:
    found = row(side, of).trial
    assert found is not None
    return found


# -- the search is complete


@pytest.mark.parametrize("side", Side)
def test_what_is_found_is_the_cheapest_of_every_size(side: Side):
    best = cheapest_of_all(way(side), uneven(), CATALOG, BUDGET, coarse(side))
    assert best is not None
    found = searched(Player(way(side), uneven(), CATALOG, BUDGET)).best
    assert found is not None
    assert rank(found) <= rank(best)
    assert found.size in set(every_size(way(side), uneven()))
    again = cheapest_of_all(way(side), uneven(), CATALOG, BUDGET, [found.size])
    assert again is not None
    assert (again.total, again.seen.p99) == (found.total, found.seen.p99)


def coarse(side: Side) -> list[Size]:
    sizes = list(every_size(way(side), uneven()))
    return sizes[:: max(1, len(sizes) // 40)]


gaps = st.lists(st.floats(0, 4).map(lambda gap: gap if gap > 0.5 else 0.0), min_size=2, max_size=14)
works = st.floats(0.05, 4)


@pytest.mark.parametrize("side", Side)
@given(data=st.data(), budget_ms=st.integers(300, 9000), per_node=st.integers(1, 3), least=st.integers(1, 3))
def test_no_size_is_cheaper_and_holds(
    side: Side, data: st.DataObject, budget_ms: int, per_node: int, least: int
):
    times = np.cumsum(data.draw(gaps))
    assume(times[-1] > times[0])
    service_s = data.draw(st.lists(works, min_size=len(times), max_size=len(times)))
    requests, budget = log(times, service_s=service_s), Duration.parse(f"{budget_ms}ms")
    chosen = way(side)
    if isinstance(chosen.option, NodesOption):
        chosen = replace(chosen, option=replace(chosen.option, per_node=per_node), least=least)
    best = cheapest_of_all(chosen, requests, CATALOG, budget)
    found = searched(Player(chosen, requests, CATALOG, budget)).best
    assert (found and rank(found)) == (best and rank(best))


@given(data=st.data(), servers=st.integers(1, 6))
def test_with_one_replica_more_no_request_waits_longer(data: st.DataObject, servers: int):
    """What bisection rests on."""
    times = np.cumsum(data.draw(gaps))
    assume(times[-1] > times[0])
    service_s = data.draw(st.lists(works, min_size=len(times), max_size=len(times)))
    asked = scenario_of(way(Side.HYBRID), log(times, service_s=service_s), Size(servers))
    fewer, more = (
        simulate(way(Side.HYBRID).sized(count), WORK, CATALOG, scenario=asked).seconds
        for count in (servers, servers + 1)
    )
    assert (more <= fewer + 1e-9).all()


def test_a_row_that_is_not_the_cheapest_is_told():
    """By asking about another budget than the one that it was found for."""
    few = Log(uneven().arrivals_s[:200], uneven().service_s[:200])
    found = replay([Ways(side, (way(side),)) for side in Side], few, CATALOG, BUDGET)
    proof = checked(found, CATALOG)
    assert proof.wrong == ()
    assert proof.sizes == sum(len(list(every_size(way(side), few))) for side in Side)
    assert Side.HYBRID in checked(replace(found, budget=Duration.parse("10m")), CATALOG).wrong
    assert Side.ON_DEMAND in checked(replace(found, budget=Duration.parse("1ms")), CATALOG).wrong


@pytest.mark.parametrize("side", [Side.HELD_WARM, Side.TWIN])
@given(count=st.integers(1, 12), queue=st.sampled_from([0, 1, 4, 16, 256]))
def test_no_size_costs_less_than_its_floor(side: Side, count: int, queue: int):
    player = _players()[side]
    found = player.play(Size(count, queue if side is Side.TWIN else None))
    assert player.floor(count) <= found.total
    assert player.floor(count) <= player.floor(count + 1)


@cache
def _players() -> dict[Side, Player]:
    return {side: Player(way(side), uneven(), CATALOG, BUDGET) for side in Side}


# -- side by side


def test_every_row_holds_at_its_size_and_the_cheapest_is_chosen():
    rows = {each.side: each for each in played().rows}
    assert list(rows) == list(Side)
    for side in Side:
        found = trial(side)
        assert found.holds
        assert found.over.fraction <= 0.01
    best = min(Side, key=lambda side: trial(side).total)
    assert played().choice is rows[best]
    prices = [trial(each.side).total for each in played().ranked]
    assert prices == sorted(prices)


def test_a_twin_never_costs_more_than_none():
    assert trial(Side.TWIN).total <= trial(Side.HYBRID).total
    assert trial(Side.TWIN).size.count < trial(Side.HYBRID).size.count


def test_what_goes_where():
    assert trial(Side.ON_DEMAND).on_demand.fraction == 1
    assert 0 < trial(Side.HELD_WARM).on_demand.fraction < 1
    assert 0 < trial(Side.TWIN).on_demand.fraction < 1
    assert not trial(Side.HYBRID).on_demand
    assert trial(Side.TWIN).seen.cold_start_share <= trial(Side.TWIN).on_demand


@pytest.mark.parametrize(
    ("refused", "chosen"),
    [
        pytest.param((), Side.TWIN, id="none"),
        pytest.param((Side.TWIN,), None, id="the cheapest"),
        pytest.param(tuple(Side), None, id="all"),
    ],
)
def test_what_a_rule_refuses_is_played_and_not_chosen(refused: tuple[Side, ...], chosen: Side | None):
    rows = [
        Ways(side, (way(side, refused="a-rule: it may not" if side in refused else ""),))
        for side in (Side.TWIN, Side.HYBRID)
    ]
    found = replay(rows, uneven(), CATALOG, BUDGET)
    for side in refused:
        if side in {Side.TWIN, Side.HYBRID}:
            assert row(side, found).why_not == "a-rule: it may not"
            assert trial(side, found).holds
    expected = chosen or (Side.HYBRID if len(refused) == 1 else None)
    assert (found.choice and found.choice.side) == expected


def test_of_two_ways_of_a_row_the_cheaper_that_may_be_had_counts():
    dear = way(Side.HYBRID, option=nodes(1, per_node=1, concurrency=1))
    cheap, barred = way(Side.HYBRID), way(Side.HYBRID, refused="a-rule: no")
    for ways, expected in (((dear, cheap), cheap), ((dear, barred), dear)):
        found = replay([Ways(Side.HYBRID, ways)], uneven(), CATALOG, BUDGET)
        assert trial(Side.HYBRID, found).way.option == expected.option
        assert row(Side.HYBRID, found).can_be_chosen


@pytest.mark.parametrize(
    ("side", "budget", "said"),
    [
        pytest.param(Side.HYBRID, "1s", "where none of them waits", id="work that is too long"),
        pytest.param(Side.HELD_WARM, "1s", "copies held warm", id="however many are held"),
        pytest.param(Side.ON_DEMAND, "1s", "meet a cold start", id="on demand"),
        pytest.param(Side.TWIN, "1s", "where none of them waits", id="nor with a twin"),
    ],
)
def test_a_row_that_cannot_hold_says_why(side: Side, budget: str, said: str):
    found = replay([Ways(side, (way(side),))], uneven(), CATALOG, Duration.parse(budget))
    assert found.choice is None
    assert said in row(side, found).why_not
    assert not trial(side, found).holds


def test_a_region_without_prices_says_so():
    there = replace(way(Side.HYBRID), region="ap-south-2", around=Around())
    found = replay([Ways(Side.HYBRID, (there,))], uneven(), CATALOG, BUDGET)
    assert row(Side.HYBRID, found).trial is None
    assert "ap-south-2" in row(Side.HYBRID, found).why_not


# -- a month


def test_a_month_is_the_log_over_and_over():
    """Twice the same hour costs what once does: it is the rate that counts."""
    once = uneven().arrivals_s
    twice = np.concatenate([once, once + once[-1] + 1])
    prices = [
        Player(way(Side.ON_DEMAND), log(times), CATALOG, BUDGET).play(Size()).total for times in (once, twice)
    ]
    assert prices[1] / prices[0] == pytest.approx(1, rel=0.01)


def test_the_rate_is_the_logs_own():
    found = Player(way(Side.ON_DEMAND, demand(99)), uneven(), CATALOG, BUDGET).play(Size()).cost.demand
    assert found.rate == uneven().rate
    assert found.rate.per_second == pytest.approx(999 / uneven().span_s)
    assert found.peak >= found.rate
    assert found.peak == Rate.of(99, "/s")


@pytest.mark.parametrize(
    ("times", "service_s", "expected"),
    [
        pytest.param([0, 1, 2], [0.5, 0.5, 0.5], 1, id="one after another"),
        pytest.param([0, 1, 2], [1, 1, 1], 1, id="a server comes free for the next"),
        pytest.param([0, 1, 2], [1.5, 1.5, 1.5], 2, id="two at once"),
        pytest.param([0, 0, 0, 1], [1, 1, 1, 1], 3, id="a crowd"),
        pytest.param([0, 1], [0, 0], 1, id="no work at all"),
    ],
)
def test_how_many_are_at_work_at_once(times: list[float], service_s: list[float], expected: int):
    assert log(times, service_s=service_s).most_at_once() == expected


@pytest.mark.parametrize("times", [[1.0], [1.0, 1.0]])
def test_a_log_without_a_rate(times: list[float]):
    with pytest.raises(OptionError, match="have no rate"):
        log(times)


# -- beside the models


def test_what_the_model_says_of_bursts_is_by_simulation():
    asked = demand(4, "500ms", burstiness=30.0)
    found = replay([Ways(Side.HYBRID, (way(Side.HYBRID, asked),))], uneven(), CATALOG, BUDGET)
    expected = row(Side.HYBRID, found).expected
    assert expected is not None
    assert expected.latency is not None
    assert expected.latency.method == "simulation"
    assert "No formula follows" in expected.latency.note


def test_no_formula_follows_a_twin():
    expected = row(Side.TWIN).expected
    assert expected is not None
    assert expected.latency is None


# -- what a twin is worth


def test_a_twin_against_none():
    found = played().gain
    assert found is not None
    assert found.is_used
    assert found.less_cost == pytest.approx(1 - trial(Side.TWIN).total / trial(Side.HYBRID).total)
    assert found.same_money is not None
    assert found.same_money.total <= trial(Side.TWIN).total
    one_more = found.same_money.size.count + 1
    assert _players()[Side.HYBRID].play(Size(one_more)).total > trial(Side.TWIN).total
    assert found.fewer_misses == pytest.approx(
        1 - trial(Side.TWIN).over.fraction / found.same_money.over.fraction
    )


def test_a_twin_that_nothing_goes_to():
    """So long a budget that the least pool holds it."""
    budget = Duration.parse("10m")
    rows = [Ways(side, (way(side),)) for side in (Side.HYBRID, Side.TWIN)]
    found = replay(rows, uneven(), CATALOG, budget).gain
    assert found is not None
    assert not found.is_used
    assert found.less_cost == 0
    assert found.fewer_misses is None


def test_nothing_without_a_twin_that_costs_as_little():
    player = _players()[Side.HYBRID]
    dear = replace(way(Side.HYBRID), least=40)
    found = gain(Player(dear, uneven(), CATALOG, BUDGET), trial(Side.TWIN), player.play(Size(40)))
    assert found.same_money is None
    assert found.fewer_misses is None


# -- from a stack file

RAW = yaml.safe_load((Path(__file__).parents[2] / "examples/replay/Pulumi.replay.yaml").read_text())
STACK: Raw = RAW["config"]["halfmetal:stack"]
OTHER = {
    "name": "other",
    "serve": {"container": {"image": "halfmetal/embedder:0.1.0"}},
    "needs": {"cpu": 0.5, "memory": "1GiB"},
}


def rows_of(**changes: object) -> dict[Side, Ways]:
    """The rows of the example stack with something changed."""
    stack = load(changed(STACK, changes))
    found = ways_of(stack, stack.workloads[0], for_stack(CATALOG, stack))
    assert [each.side for each in found] == list(Side)
    return {each.side: each for each in found}


def way_of(side: Side, **changes: object) -> Way:
    (found,) = rows_of(**changes)[side].ways
    return found


FIRST = "workloads[0]"


def test_every_topology_of_a_workload_that_has_both_forms():
    for side in Side:
        found = way_of(side)
        assert not found.refused
        assert (found.twin is not None) == (side is Side.TWIN)
        assert (found.platform.cluster == "eks") == (side.topology != "pure")
        assert (found.around.front_door is None) == (side is Side.DEDICATED)
    assert way_of(Side.HELD_WARM).sized(7).servers == 7
    assert way_of(Side.HYBRID).sized(7).servers == 7


@pytest.mark.parametrize(
    ("absent", "sides", "lacking"),
    [
        pytest.param(
            "function", (Side.ON_DEMAND, Side.HELD_WARM, Side.TWIN), "no `serve.function`", id="no function"
        ),
        pytest.param(
            "container", (Side.HYBRID, Side.TWIN, Side.DEDICATED), "no `serve.container`", id="no container"
        ),
    ],
)
def test_a_workload_with_one_form_has_some_of_the_rows(absent: str, sides: tuple[Side, ...], lacking: str):
    found = rows_of(**{f"{FIRST}.serve.{absent}": ABSENT})
    for side in Side:
        assert bool(found[side].ways) != (side in sides)
        assert (lacking in found[side].lacking) == (side in sides)


@pytest.mark.parametrize(
    ("changes", "side", "lacking"),
    [
        pytest.param(
            {"topology": "pure", "data_plane": ABSENT}, Side.HYBRID, "no managed pool", id="no pool"
        ),
        pytest.param({f"{FIRST}.needs.cpu": 4}, Side.DEDICATED, "with room", id="no room"),
    ],
)
def test_a_stack_without_a_place_for_it(changes: dict[str, object], side: Side, lacking: str):
    found = rows_of(**changes)[side]
    assert not found.ways
    assert lacking in found.lacking


def test_a_rule_that_refuses_is_named():
    found = rows_of(**{f"{FIRST}.state": {"local_cache": True}})
    assert all(
        "local-state" in way.refused for side in (Side.ON_DEMAND, Side.TWIN) for way in found[side].ways
    )
    assert not found[Side.HYBRID].ways[0].refused


def test_how_busy_it_is_refuses_nothing():
    """Which is cheaper is what is measured."""
    traffic = {"rate": "50/s", "peak": "50/s", "service_time": "500ms", "utilization": "90%"}
    assert not way_of(Side.ON_DEMAND, **{f"{FIRST}.traffic": traffic}).refused


def test_nodes_are_whole_unless_another_workload_could_use_what_is_left():
    alone, together = way_of(Side.HYBRID), way_of(Side.HYBRID, **{"workloads[1]": OTHER})
    assert isinstance(alone.option, NodesOption)
    assert isinstance(together.option, NodesOption)
    assert not alone.option.shared
    assert together.option.shared
    assert together.platform.share.fraction == 0.5


@pytest.mark.parametrize(("stated", "least"), [(ABSENT, 2), (1, 1), (5, 2)])
def test_one_replica_alone_only_where_the_stack_file_says_so(stated: object, least: int):
    changes = {} if stated is ABSENT else {f"{FIRST}.placement.replicas": stated}
    assert way_of(Side.HYBRID, **changes).least == least


def test_traffic_without_a_rate():
    with pytest.raises(OptionError, match="rate"):
        rows_of(**{f"{FIRST}.traffic": {"service_time": "1s"}})
