"""The cheapest fleet: cases one can reckon in the head, and everything tried by brute force."""

import random
import re
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fleet_examples import cheapest, claim, money, offer, places, terms
from hypothesis import given
from hypothesis import strategies as st

from bench.fleet import made_up
from components.placement import Home
from components.placement.fleet import (
    Claim,
    Demand,
    Fleet,
    Infeasible,
    NoAnswerError,
    Node,
    Nodes,
    Offer,
    broken,
    solve,
)
from components.spec.units import Memory, Money, Period

SMALL, LARGE = offer(), offer("m7g.xlarge", 110, 4, 16)
L4 = offer(
    "g6.xlarge", 587, 4, 16, accelerator="L4", accelerators=1, accelerator_memory=Memory.parse("22GiB")
)
GPU: dict[str, Any] = {"accelerator": "L4", "accelerators": 1}


@dataclass(frozen=True)
class Case:
    """A demand and what is right."""

    claims: tuple[Claim, ...]
    offers: tuple[Offer, ...]
    total: float
    where: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)


CASES = {
    "one replica, the cheapest node that holds it": Case(
        (claim(),), (SMALL, LARGE), 60, {"embed": {"a/m7g.large/on-demand": 1}}
    ),
    "two that share a node": Case(
        (claim("a"), claim("b")),
        (SMALL,),
        60,
        {"a": {"a/m7g.large/on-demand": 1}, "b": {"a/m7g.large/on-demand": 1}},
    ),
    "one larger node instead of two": Case(
        (claim(replicas=4),), (SMALL, LARGE), 110, {"embed": {"a/m7g.xlarge/on-demand": 4}}
    ),
    "three of four cores each: no two on a node, whatever the sum": Case(
        (claim(replicas=4, cpu=3),), (LARGE,), 440, {"embed": {"a/m7g.xlarge/on-demand": 4}}
    ),
    "a function that costs less than a node": Case(
        (claim(function=12),), (SMALL,), 12, {"embed": Home.FUNCTION}
    ),
    "a function that costs more": Case(
        (claim(function=90),), (SMALL,), 60, {"embed": {"a/m7g.large/on-demand": 1}}
    ),
    "alone a function would be cheaper, on a shared node both are": Case(
        (claim("a", function=40), claim("b", function=40)),
        (SMALL,),
        60,
        {"a": {"a/m7g.large/on-demand": 1}, "b": {"a/m7g.large/on-demand": 1}},
    ),
    "of two function homes the cheaper": Case(
        (claim(function=50, reserved=30),), (SMALL,), 30, {"embed": Home.RESERVED_FUNCTION}
    ),
    "a function alone, as it may not run on nodes": Case(
        (claim(function=90, nodes=False),), (SMALL,), 90, {"embed": Home.FUNCTION}
    ),
    "nodes that are paid for anyway": Case(
        (claim(function=12),),
        (replace(SMALL, at_least=1),),
        60,
        {"embed": {"a/m7g.large/on-demand": 1}},
    ),
    "an idle minimum is paid for": Case(
        (claim(nodes=False, function=5),), (replace(SMALL, at_least=2),), 125, {"embed": Home.FUNCTION}
    ),
    "an accelerator is on its nodes, the rest is not": Case(
        (claim("chat", **GPU), claim("embed")),
        (SMALL, L4),
        647,
        {"chat": {"a/g6.xlarge/on-demand": 1}, "embed": {"a/m7g.large/on-demand": 1}},
    ),
    "accelerators are not shared": Case(
        (claim(replicas=2, **GPU),), (L4,), 1174, {"embed": {"a/g6.xlarge/on-demand": 2}}
    ),
    "an accelerator with memory enough": Case(
        (claim(accelerator_memory=Memory.parse("30GiB"), **GPU),),
        (L4, replace(L4, instance="g6e", price=money(900), accelerator_memory=Memory.parse("44GiB"))),
        900,
        {"embed": {"a/g6e/on-demand": 1}},
    ),
    "in the zone of its state, though another is cheaper": Case(
        (claim(zones=frozenset("b")),),
        (SMALL, replace(SMALL, zone="b", price=money(70))),
        70,
        {"embed": {"b/m7g.large/on-demand": 1}},
    ),
    "one replica a node at the most": Case(
        (claim(replicas=2, per_node=1),), (SMALL, LARGE), 120, {"embed": {"a/m7g.large/on-demand": 2}}
    ),
    "no more of an offer than there is": Case(
        (claim(replicas=3, cpu=2),),
        (replace(SMALL, at_most=1), LARGE),
        170,
        {"embed": {"a/m7g.large/on-demand": 1, "a/m7g.xlarge/on-demand": 2}},
    ),
    "ties go to the first by name": Case(
        (claim(),),
        (replace(SMALL, zone="c"), replace(SMALL, zone="b")),
        60,
        {"embed": {"b/m7g.large/on-demand": 1}},
    ),
    "it stays, as moving saves less than is asked": Case(
        (claim(),),
        (SMALL, replace(SMALL, zone="b", price=money(66))),
        66,
        {"embed": {"b/m7g.large/on-demand": 1}},
        {"previous": {"embed": Nodes({"b/m7g.large/on-demand": 1})}, "stickiness": 0.25},
    ),
    "it moves, as that saves more": Case(
        (claim(),),
        (SMALL, replace(SMALL, zone="b", price=money(90))),
        60,
        {"embed": {"a/m7g.large/on-demand": 1}},
        {"previous": {"embed": Nodes({"b/m7g.large/on-demand": 1})}, "stickiness": 0.25},
    ),
    "a function stays one": Case(
        (claim(function=65),),
        (SMALL,),
        65,
        {"embed": Home.FUNCTION},
        {"previous": {"embed": Home.FUNCTION}, "stickiness": 0.1},
    ),
    "what it was on is offered no more": Case(
        (claim(),),
        (SMALL,),
        60,
        {"embed": {"a/m7g.large/on-demand": 1}},
        {"previous": {"embed": Nodes({"gone": 1})}, "stickiness": 1.0},
    ),
    "nobody claims anything": Case((), (SMALL,), 0, {}),
    "whole on one pool, though spread over two it would fit what is there": Case(
        (claim(on={"x": terms(2), "y": terms(2)}),),
        (
            offer(pool="x", cpu=1, price=10, at_most=1),
            offer(pool="y", cpu=1, price=20),
        ),
        40,
        {"embed": {"y": 2}},
    ),
    "where the nodes are cheaper, the rest is dearer": Case(
        (claim(on={"x": terms(1, 30), "y": terms(1)}),),
        (offer(pool="x", price=60), offer(pool="y", price=80)),
        80,
        {"embed": {"y": 1}},
    ),
    "fewer replicas on the faster nodes": Case(
        (claim(on={"x": terms(5), "y": terms(2)}),),
        (offer(pool="x", price=60), offer(pool="y", price=80)),
        80,
        {"embed": {"y": 2}},
    ),
    "two of a kind, each whole": Case(
        (claim("a", on={"x": terms(2), "y": terms(2)}), claim("b", on={"x": terms(2), "y": terms(2)})),
        (offer(pool="x", price=60, at_most=1), offer(pool="y", price=80)),
        140,
        {"a": {"x": 2}, "b": {"y": 2}},
    ),
    "it stays whole where it is, as moving saves less than is asked": Case(
        (claim(on={"x": terms(2), "y": terms(2)}),),
        (offer(pool="x", price=60), offer(pool="y", price=66)),
        66,
        {"embed": {"y": 2}},
        {"previous": {"embed": Nodes({"y": 2})}, "stickiness": 0.25},
    ),
    "with more replicas than before it still stays": Case(
        (claim(on={"x": terms(2), "y": terms(2)}),),
        (offer(pool="x", price=60), offer(pool="y", price=64)),
        64,
        {"embed": {"y": 2}},
        {"previous": {"embed": Nodes({"y": 1})}, "stickiness": 0.25},
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_the_cheapest_fleet(case: Case):
    demand = Demand(claims=case.claims, offers=case.offers, **case.more)
    fleet = solve(demand)
    assert isinstance(fleet, Fleet)
    assert broken(demand, fleet) == ()
    assert fleet.total == money(case.total)
    assert places(demand, fleet.places) == case.where
    assert fleet.gap == 0


@dataclass(frozen=True)
class Impossible:
    """A demand that nothing meets, and why."""

    demand: Demand
    conflict: tuple[str, ...]
    about_money: bool = False


IMPOSSIBLE = {
    "no node is large enough": Impossible(
        Demand(claims=(claim(cpu=9),), offers=(SMALL, LARGE)),
        ("embed: 1 replica of 9 cores, 1GiB: no offer has a node that holds one replica",),
    ),
    "no node in its zone": Impossible(
        Demand(claims=(claim(zones=frozenset({"b", "c"})),), offers=(SMALL,)),
        ("embed: 1 replica of 1 cores, 1GiB in b or c: no offer has a node that holds one replica",),
    ),
    "two want the only accelerator": Impossible(
        Demand(
            claims=(claim("chat", **GPU), claim("embed"), claim("rank", **GPU)),
            offers=(replace(L4, at_most=1), SMALL),
        ),
        (
            "rank: 1 replica of 1 cores, 1GiB, 1 x L4",
            "chat: 1 replica of 1 cores, 1GiB, 1 x L4",
            "g6.xlarge (on-demand) in a: at most 1 node",
        ),
    ),
    "the budget is too small": Impossible(
        Demand(claims=(claim("a"), claim("b", **GPU)), offers=(SMALL, L4), budget=money(500)),
        ("b: 1 replica of 1 cores, 1GiB, 1 x L4", "the budget: $500/month"),
        about_money=True,
    ),
    "a pool is too small for what must be on it": Impossible(
        Demand(
            claims=(claim("a", on={"x": terms(4)}), claim("b", on={"y": terms(1)})),
            offers=(offer(pool="x", at_most=1), offer(pool="y")),
        ),
        (
            "a: 4 replicas of 1 cores, 1GiB on x",
            "pool x, m7g.large (on-demand) in a: at most 1 node",
        ),
    ),
    "the sum fits on two nodes, the pieces do not": Impossible(
        Demand(claims=(claim(replicas=3, cpu=3),), offers=(replace(LARGE, at_most=2),)),
        ("embed: 3 replicas of 3 cores, 1GiB", "m7g.xlarge (on-demand) in a: at most 2 nodes"),
    ),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in IMPOSSIBLE.items()])
def test_what_stands_against_each_other(case: Impossible):
    assert solve(case.demand) == Infeasible(case.conflict, case.about_money)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"claims": (claim(), claim())}, "claim embed is there twice", id="two of a name"),
        pytest.param({"offers": (SMALL, SMALL)}, "m7g.large/on-demand is there twice", id="an offer twice"),
        pytest.param({"stickiness": 1.5}, "stickiness is a share", id="more than all"),
        pytest.param({"claims": (claim(replicas=0),)}, "at least one replica", id="no replica"),
        pytest.param({"claims": (claim(on={"x": terms(0)}),)}, "at least one", id="no replica there"),
        pytest.param({"claims": (claim(on={"x": terms()}),)}, "nobody offers", id="a pool that is not there"),
    ],
)
def test_a_demand_that_makes_no_sense(wrong: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        Demand(**{"claims": (), "offers": (), **wrong})


def test_no_effort_is_no_answer():
    with pytest.raises(NoAnswerError, match="allow more effort"):
        solve(made_up(50), effort=0.0)


# -- everything tried ------------------------------------------------------------------------------------

prices = st.integers(1, 60).map(lambda tens: 5 * tens)
few_claims = st.lists(
    st.builds(
        lambda **of: of,
        replicas=st.integers(1, 2),
        cpu=st.sampled_from([0.5, 1, 1.5, 3]),
        gib=st.sampled_from([0.5, 4, 6]),
        zones=st.sampled_from([None, None, frozenset("a"), frozenset("b")]),
        per_node=st.sampled_from([None, None, 1]),
        function=st.none() | prices,
        accelerator=st.sampled_from([None, None, "L4"]),
    ),
    min_size=1,
    max_size=3,
)
few_offers = st.lists(
    st.builds(
        offer,
        instance=st.sampled_from(["small", "large"]),
        price=prices,
        cpu=st.sampled_from([1, 2, 4]),
        gib=st.sampled_from([4, 8]),
        zone=st.sampled_from("ab"),
        accelerator=st.sampled_from([None, None, "L4"]),
        at_most=st.sampled_from([None, None, 1]),
        at_least=st.sampled_from([0, 0, 1]),
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)
stays = st.none() | st.lists(st.builds(terms, st.integers(1, 2), prices), min_size=3, max_size=3)


def _made(claims: list[dict[str, Any]], whole: list[Any], offers: list[Offer], budget: int | None) -> Demand:
    names = [each.name for each in offers]
    return Demand(
        claims=tuple(
            claim(
                f"w{at}",
                accelerators=1 if each["accelerator"] else 0,
                on=whole[at] and dict(zip(names, whole[at], strict=False)),
                **each,
            )
            for at, each in enumerate(claims)
        ),
        offers=tuple(replace(each, accelerators=2 if each.accelerator else 0) for each in offers),
        budget=None if budget is None else money(budget),
    )


few = st.builds(
    _made,
    few_claims,
    st.lists(stays, min_size=3, max_size=3),
    few_offers,
    st.none() | st.integers(50, 500),
)


@given(few)
def test_it_is_the_cheapest_of_all_there_are(demand: Demand):
    best = cheapest(demand)
    found = solve(demand)
    if best is None:
        assert isinstance(found, Infeasible)
        assert found.conflict
    else:
        assert isinstance(found, Fleet)
        assert broken(demand, found) == ()
        assert found.total == best
        assert found.gap == 0


@given(few, st.randoms(use_true_random=False))
def test_the_order_of_a_demand_does_not_matter(demand: Demand, chance: random.Random):
    claims, offers = list(demand.claims), list(demand.offers)
    chance.shuffle(claims)
    chance.shuffle(offers)
    assert solve(replace(demand, claims=tuple(claims), offers=tuple(offers))) == solve(demand)


@given(few)
def test_a_run_over_what_it_chose_changes_nothing(demand: Demand):
    first = solve(demand)
    if isinstance(first, Fleet):
        again = solve(replace(demand, previous=first.places, stickiness=0.1))
        assert isinstance(again, Fleet)
        assert (again.places, again.total) == (first.places, first.total)


@pytest.mark.slow
@pytest.mark.parametrize("claims", [30, 100, 1000])
def test_many_claims_are_met_near_the_bound(claims: int):
    demand = made_up(claims)
    fleet = solve(demand)
    assert isinstance(fleet, Fleet)
    assert broken(demand, fleet) == ()
    assert fleet.gap <= 0.01
    assert fleet.bound <= fleet.total


@pytest.mark.slow
def test_a_small_change_does_not_shuffle_the_fleet():
    demand = made_up(100)
    first = solve(demand)
    assert isinstance(first, Fleet)
    for change in ((), (claim("new", 2),)):
        changed = replace(demand, claims=(*demand.claims, *change), previous=first.places, stickiness=0.2)
        second = solve(changed)
        assert isinstance(second, Fleet)
        assert broken(changed, second) == ()
        assert [name for name, place in first.places.items() if second.places[name] != place] == []


# -- the checker itself ----------------------------------------------------------------------------------

TWO = Demand(
    claims=(claim("a", cpu=1.5, zones=frozenset("a")), claim("b", 2, per_node=1)), offers=(SMALL, L4)
)
GOOD = solve(TWO)


def _with(**changes: Any) -> Fleet:
    assert isinstance(GOOD, Fleet)
    return replace(GOOD, **changes)


@pytest.mark.parametrize(
    ("fleet", "said"),
    [
        pytest.param(_with(places={}), "places are for", id="a claim is forgotten"),
        pytest.param(_with(total=money(1)), "says \\$1/month", id="the sum is wrong"),
        pytest.param(_with(nodes=()), "is said to have", id="nodes that are not there"),
        pytest.param(
            _with(nodes=(Node(SMALL, {"a": 1, "b": 2}),)), "has not the cpu", id="more than a node holds"
        ),
        pytest.param(_with(nodes=(Node(SMALL, {"b": 2}),)), "2 replicas of b are on one", id="not spread"),
        pytest.param(_with(nodes=(Node(L4, {"a": 1}),)), "is on a node with L4", id="on an accelerator"),
        pytest.param(
            _with(nodes=(Node(replace(SMALL, zone="b"), {"a": 1}),)), "a is in b", id="in another zone"
        ),
        pytest.param(
            _with(nodes=(Node(replace(SMALL, instance="x"), {}),)), "nobody offers", id="not on offer"
        ),
        pytest.param(
            _with(places={"a": Home.FUNCTION, "b": Home.FUNCTION}), "is on function", id="no such function"
        ),
    ],
)
def test_the_check_sees_what_is_wrong(fleet: Fleet, said: str):
    assert any(re.search(said, line) for line in broken(TWO, fleet))


def test_the_check_sees_what_is_not_whole():
    x, y = offer(pool="x", price=10), offer(pool="y", price=20)
    demand = Demand(claims=(claim(on={"x": terms(2, 5), "y": terms(2)}),), offers=(x, y))
    fleet = solve(demand)
    assert isinstance(fleet, Fleet)
    assert fleet.total == money(15)
    spread = replace(
        fleet,
        places={"embed": Nodes({"x": 1, "y": 1})},
        nodes=(Node(x, {"embed": 1}), Node(y, {"embed": 1})),
        total=money(35),
    )
    assert any("is said to have" in line for line in broken(demand, spread))


def test_prices_over_any_period_are_the_same():
    hourly = replace(SMALL, price=Money(SMALL.price.amount / 730, Period.HOUR))
    fleet = solve(Demand(claims=(claim(),), offers=(hourly,)))
    assert isinstance(fleet, Fleet)
    assert abs(fleet.total.amount - 60) < 1
