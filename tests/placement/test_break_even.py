"""Where two bills cross: the known points, the curve, and that a crossing is one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from cost_cases import (
    EVERYTHING,
    FACTS,
    HERE,
    at,
    demand,
    demands,
    function,
    managed,
    nodes,
    options,
    platforms,
)
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from components.catalog import MissingFigureError
from components.placement.cost import (
    BreakEven,
    Contender,
    Platform,
    bill,
    break_even,
    claims,
    compare,
    compared,
    contender,
    cost,
)
from components.placement.options import Demand, Option, OptionError
from components.spec import Money, Rate

A_MINUTE = demand("1/h", "60s")
"""Requests long enough for the fee on each of them to vanish."""


def between(first: Option, second: Option, given_demand: Demand = A_MINUTE, **more: Any) -> BreakEven:
    return break_even(first, second, given_demand, FACTS, region=HERE, **more)


def busy(found: BreakEven) -> float:
    assert found.utilization is not None
    return found.utilization.fraction


# -- known points


@pytest.mark.parametrize(
    ("first", "second", "expected", "within"),
    [
        pytest.param(
            function("1769MiB"), nodes("m7g.large"), 0.39, 0.005, id="bound by cores, x86 against m7g.large"
        ),
        pytest.param(
            function("1769MiB", "arm64"),
            nodes("m7g.large"),
            0.49,
            0.005,
            id="bound by cores, Arm against m7g.large",
        ),
        pytest.param(
            function("8GiB"),
            nodes("m7g.large", replicas=1, per_node=1),
            0.17,
            0.005,
            id="bound by memory, against a general machine",
        ),
        pytest.param(
            function("8GiB"),
            nodes("r7g.large", replicas=2, per_node=2),
            0.11,
            0.005,
            id="bound by memory, against a machine of memory",
        ),
        pytest.param(
            function("10GiB"),
            nodes("r7g.4xlarge", replicas=12, per_node=12),
            0.119,
            0.005,
            id="bound by memory, the largest function",
        ),
    ],
)
def test_a_function_on_demand_against_a_machine(
    first: Option, second: Option, expected: float, within: float
):
    found = between(first, second)
    assert busy(found) == pytest.approx(expected, abs=within)
    assert found.method == "closed form"
    assert (found.cheaper_below, found.cheaper_above) == (first, second)


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
@pytest.mark.parametrize("copies", [1, 3, 50])
@pytest.mark.parametrize("burstiness", [0.0, 1.0, 20.0])
def test_provisioned_concurrency_against_on_demand_at_sixty_percent_busy(
    architecture: str, copies: int, burstiness: float
):
    warm = function("2GiB", architecture, provisioned=copies)
    found = between(function("2GiB", architecture), warm, replace(A_MINUTE, burstiness=burstiness))
    assert busy(found) == pytest.approx(0.60, abs=0.001)
    assert found.method == "bracketed root"
    assert found.cheaper_above is warm


# -- never and always


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        pytest.param(
            between(function("128MiB"), nodes("g6.xlarge", replicas=1, per_node=1)),
            "a function on demand of 128MiB (amd64) cheaper at any utilisation",
            id="a GPU for the smallest of functions",
        ),
        pytest.param(
            between(nodes("m7g.large"), nodes("m7g.xlarge")),
            "1 m7g.large cheaper at any utilisation",
            id="the same work on a larger machine",
        ),
        pytest.param(
            between(function(), function(architecture="arm64")),
            "a function on demand of 2GiB (arm64) cheaper at any utilisation",
            id="two that cost nothing idle",
        ),
        pytest.param(
            between(nodes("m7g.large"), nodes("m7g.large")),
            "both cost the same at any utilisation",
            id="the same twice",
        ),
    ],
)
def test_bills_that_do_not_cross(found: BreakEven, answer: str):
    assert found.crossings == ()
    assert found.utilization is None
    assert found.cheaper_below is found.cheaper_above
    assert found.answer == answer


def test_the_answer_in_words():
    assert between(function("1769MiB"), nodes("m7g.large")).answer == (
        "a function on demand of 1769MiB (amd64) cheaper at first, from 39.4% busy 1 m7g.large cheaper"
    )


def test_without_servers_a_crossing_is_told_by_its_rate():
    beside = Platform(front_door="rest-api")
    first, second = function("2GiB"), function("2GiB", "arm64")
    found = between(first, second, demand("1/s", "100ms"), second_platform=beside)
    assert found.answer == "a function on demand of 2GiB (amd64) cheaper at any utilisation"
    assert found.curve[-1].utilization is None


def test_managed_instances_against_provisioned_concurrency():
    found = between(function("4GiB", provisioned=2), managed(3, "4GiB"), demand("1/s", "1s"))
    assert found.reference is not None
    assert found.reference.option == managed(3, "4GiB")
    assert found.cheaper_above == managed(3, "4GiB")


def test_what_stands_around_nodes_moves_the_crossing_up():
    alone = between(function("1769MiB"), nodes("m7g.large", replicas=20))
    with_all = between(function("1769MiB"), nodes("m7g.large", replicas=20), platform=EVERYTHING)
    assert busy(with_all) > busy(alone)


def test_a_second_option_may_have_other_things_around_it():
    first, second = nodes("m7g.large"), nodes("m7g.large")
    behind = Platform(front_door="http-api")
    found = between(first, second, demand("1/s", "10ms"), platform=behind, second_platform=Platform())
    assert found.cheaper == (second,)


def test_nodes_with_a_twin_against_functions_alone():
    given_demand = demand("1/s", "1s", service_variation=1)
    warm, alone = nodes("m7g.large", replicas=4), function("1769MiB")
    contenders = (
        Contender(alone, bill(alone, given_demand, FACTS, region=HERE), given_demand),
        Contender(warm, bill(warm, given_demand, FACTS, region=HERE, twin=alone), given_demand),
    )
    found = compared(*contenders)
    assert found.cheaper == (alone, warm)
    assert busy(found) == pytest.approx(0.39, abs=0.01)


def test_two_crossings_are_both_found():
    # Much held memory is dear when idle and when the most spills, and cheap in between.
    given_demand = demand("1/s", "1s", service_variation=1)
    warm, smaller = function("2GiB", provisioned=10), function("1950MiB")
    found = between(smaller, warm, given_demand)
    assert len(found.crossings) == 2
    assert found.cheaper == (smaller, warm, smaller)


# -- the curve


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(between(function("1769MiB"), nodes("m7g.large")), id="straight lines"),
        pytest.param(between(function(), function(provisioned=3)), id="a curve"),
        pytest.param(between(function(), function("3GiB")), id="no servers"),
    ],
)
def test_the_curve_has_every_crossing_and_spans_all_utilisations(found: BreakEven):
    curve = found.curve
    assert [point.rate for point in curve] == sorted(point.rate for point in curve)
    assert {crossing.rate for crossing in found.crossings} <= {point.rate for point in curve}
    assert curve[0].rate == Rate(0)
    assert len(curve) > 40
    assert all(point.first.period == point.second.period == "month" for point in curve)
    if found.reference is not None:
        utilizations = [point.utilization.fraction for point in curve if point.utilization is not None]
        assert utilizations == sorted(utilizations)
        assert utilizations[-1] >= 0.98


def test_the_curve_is_the_cost():
    first, second = function("1769MiB"), nodes("m7g.large")
    for point in between(first, second).curve:
        there = at(A_MINUTE, point.rate)
        for option, money in ((first, point.first), (second, point.second)):
            total = cost(option, there, FACTS, region=HERE).total
            assert float(money.amount) == pytest.approx(float(total.amount), rel=1e-9, abs=1e-6)


# -- for all of them


@contextmanager
def within_what_money_can_be() -> Iterator[None]:
    """A full machine may serve more than any amount of money pays for: that is said, and is no answer."""
    try:
        yield
    except OptionError as error:
        assert "absurdly large" in error.message
        reject()


def dollars(option: Option, given_demand: Demand, rate: Rate, platform: Platform) -> float:
    found = cost(option, at(given_demand, rate), FACTS, region=HERE, platform=platform)
    return float(found.total.amount)


@given(first=options, second=options, given_demand=demands(), platform=platforms)
def test_a_crossing_is_one(first: Option, second: Option, given_demand: Demand, platform: Platform):
    with within_what_money_can_be():
        found = between(first, second, given_demand, platform=platform)
        rates = [Rate(0), *(crossing.rate for crossing in found.crossings), Rate.of(found.top, "/s")]
        assert rates == sorted(rates)
        for crossing in found.crossings:
            costs = [dollars(option, given_demand, crossing.rate, platform) for option in (first, second)]
            assert costs[0] == pytest.approx(costs[1], rel=1e-6, abs=1e-6)
        for low, high, cheaper in zip(rates[:-1], rates[1:], found.cheaper, strict=True):
            between_them = Rate((low.steps + high.steps) // 2)
            costs = [dollars(option, given_demand, between_them, platform) for option in (first, second)]
            assume(abs(costs[0] - costs[1]) > 1e-6 * max(costs))
            assert cheaper == (first if costs[0] < costs[1] else second)


@given(first=options, second=options, given_demand=demands())
def test_it_does_not_matter_which_is_first(first: Option, second: Option, given_demand: Demand):
    assume(first.servers != second.servers)
    with within_what_money_can_be():
        one, other = between(first, second, given_demand), between(second, first, given_demand)
    assert len(one.crossings) == len(other.crossings)
    for here, there in zip(one.crossings, other.crossings, strict=True):
        assert here.rate.per_second == pytest.approx(there.rate.per_second, rel=1e-6)


@given(demand_=demands(), replicas=st.integers(1, 40))
def test_one_price_twice_never_crosses(demand_: Demand, replicas: int):
    assert between(nodes(replicas=replicas), nodes(replicas=replicas), demand_).cheaper == (None,)


def test_a_missing_price_says_what_to_add():
    with pytest.raises(MissingFigureError) as error:
        break_even(function(), nodes(), A_MINUTE, FACTS, region="xx-nowhere-1")
    assert error.value.remedy


# -- the article


def test_the_claims_of_the_article_beside_todays_figures():
    premium, utilisation, long_ones = claims(FACTS)
    by_cores, on_arm, by_memory, against_memory = (each.value for each in premium.reckoned)
    assert by_cores == pytest.approx(2.56, abs=0.02)
    assert on_arm == pytest.approx(2.05, abs=0.02)
    assert by_memory > 5
    assert against_memory > by_memory
    assert [round(each.value) for each in utilisation.reckoned] == [39, 49, 17, 11]
    assert long_ones.reckoned[0].value == pytest.approx(2.54, abs=0.01)
    for claim in (premium, utilisation, long_ones):
        assert not claim.agrees
        assert claim.verdict.startswith("differs: less for")
        assert "; more for" in claim.verdict
        assert all(each.how for each in claim.reckoned)


def test_a_claim_that_holds_says_so():
    claim = replace(claims(FACTS)[0], low=1, high=10)
    assert claim.agrees
    assert claim.verdict.startswith("holds: as claimed for")


def test_money_at_a_crossing_is_by_the_month():
    (crossing,) = between(function("1769MiB"), nodes("m7g.large")).crossings
    assert float((crossing.money - Money.parse("$59.568/month")).amount) == pytest.approx(0, abs=1e-3)


# -- one beside several


@given(first=options, others=st.lists(options, max_size=3), given_demand=demands(), platform=platforms)
def test_one_beside_several_is_what_each_pair_is(
    first: Option, others: list[Option], given_demand: Demand, platform: Platform
):
    with within_what_money_can_be():
        contenders = [
            contender(option, given_demand, FACTS, region=HERE, platform=platform)
            for option in (first, *others)
        ]
        found = compare(contenders[0], contenders[1:])
        levels = found.levels
    assert [level.rate for level in levels] == sorted(level.rate for level in levels)
    assert all(each.fullest >= found.span.top for each in contenders)
    for other, crossings in zip(contenders[1:], found.crossings, strict=True):
        for crossing in crossings:
            assert crossing.rate in {level.rate for level in levels}
            costs = [each.bill.dollars(crossing.rate.per_second) for each in (contenders[0], other)]
            assert costs[0] == pytest.approx(costs[1], rel=1e-6, abs=1e-6)
