"""Requests played through: two engines of one mind, twins, limits, and what is no request log."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latency_case import CATALOG, SECOND, bursts, demand, function, nodes

from components.placement.latency import Requests, Scenario, Simulated, Twin, events, recursion, simulate
from components.placement.latency.recursion import Copies, Queue
from components.placement.options import Option, OptionError
from components.spec import Duration, Rate

# -- recursion and events


@pytest.mark.parametrize(
    "queue",
    [
        pytest.param(Queue(servers=1), id="one server"),
        pytest.param(Queue(servers=4), id="several"),
        pytest.param(Queue(servers=4, patience_s=0.8), id="some give up"),
        pytest.param(Queue(servers=4, patience_s=0), id="nobody waits"),
        pytest.param(Queue(servers=4, room=3), id="little room to wait"),
        pytest.param(Queue(servers=4, room=3, patience_s=0.8), id="both"),
    ],
)
@given(seed=st.integers(0, 10**6))
def test_the_recursion_finds_what_the_clock_does(queue: Queue, seed: int):
    random = np.random.default_rng(seed)
    arrivals_s, service_s = np.cumsum(random.gamma(0.3, 1, 60)), random.exponential(1.1, 60)
    by_clock = events.queued(arrivals_s, service_s, queue)
    found = recursion.queued(arrivals_s, service_s, queue)
    assert np.array_equal(found.served, by_clock.served)
    assert found.wait_s == pytest.approx(by_clock.wait_s)


@pytest.mark.parametrize(
    "copies",
    [
        pytest.param(Copies(keep_alive_s=3), id="kept for a while"),
        pytest.param(Copies(keep_alive_s=3, provisioned=2), id="some held warm"),
        pytest.param(Copies(keep_alive_s=3, limit=4), id="not more at once"),
        pytest.param(Copies(keep_alive_s=3, provisioned=1, limit=1), id="held and no more"),
        pytest.param(Copies(keep_alive_s=3, limit=0), id="none at all"),
    ],
)
@given(seed=st.integers(0, 10**6))
def test_the_function_does_the_same_by_the_clock(copies: Copies, seed: int):
    random = np.random.default_rng(seed)
    arrivals_s, service_s = np.cumsum(random.gamma(0.3, 3, 60)), random.exponential(1.1, 60)
    start_s = random.exponential(1, 60)
    by_clock = events.invoked(arrivals_s, service_s, start_s, copies)
    found = recursion.invoked(arrivals_s, service_s, start_s, copies)
    assert np.array_equal(found.cold, by_clock.cold)
    assert np.array_equal(found.held, by_clock.held)
    assert np.array_equal(found.served, by_clock.served)


# -- twins and limits


def played(option: Option, *, twin: Twin | None = None, **more: object) -> Simulated:
    requests = Requests(arrivals_s=bursts(4000))
    return simulate(
        option,
        demand(service_time="400ms"),
        CATALOG,
        scenario=Scenario(requests=requests, twin=twin, **more),
    )


def twin(patience: str, provisioned: int = 0) -> Twin:
    return Twin(function=function(provisioned=provisioned), patience=Duration.parse(patience))


def test_a_twin_that_is_not_told_how_long_to_wait_takes_what_finds_the_queue_full():
    full = played(nodes(4), twin=Twin(function=function()), queue=6)
    assert full.spilled_share == played(nodes(4), queue=6).refused_share
    assert not full.refused_share
    assert not played(nodes(4), twin=Twin(function=function())).spilled_share


def test_what_finds_no_held_copy_is_counted():
    """As a bill wants to know it: they are paid for at another price."""
    shares = [played(function(provisioned=held)).spilled_share for held in (1, 8, 64)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]
    assert not played(function(provisioned=4000)).spilled_share
    assert not played(function()).spilled_share


def test_only_the_tail_meets_a_cold_start():
    alone, with_twin, as_function = (
        played(nodes(4)),
        played(nodes(4), twin=twin("500ms")),
        played(function()),
    )
    assert alone.cold_start_share == alone.spilled_share
    assert 0 < with_twin.cold_start_share.fraction <= with_twin.spilled_share.fraction < 0.9
    assert with_twin.over(SECOND * 3).fraction < alone.over(SECOND * 3).fraction
    assert with_twin.p99.seconds < alone.p99.seconds
    assert as_function.spilled_share.fraction == 0


def test_more_patience_spills_less():
    shares = [
        played(nodes(4), twin=twin(patience)).spilled_share.fraction for patience in ("0s", "1s", "10s")
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[2] > 0


def test_a_full_queue_turns_requests_away_or_over_to_the_twin():
    away, over = played(nodes(4), queue=4), played(nodes(4), queue=4, twin=twin("10s"))
    assert away.refused_share.fraction > 0.01
    assert away.p99 is None
    assert away.over(SECOND * 3600) == away.refused_share
    assert over.refused_share.fraction == 0
    assert over.spilled_share.fraction > 0.01


def test_a_limit_on_copies_turns_requests_away():
    assert played(function(), limit=2).refused_share.fraction > 0.1
    assert played(nodes(4), twin=twin("100ms"), limit=0).refused_share.fraction > 0.1


@pytest.mark.parametrize("option", [nodes(4), function()], ids=["pool", "function"])
def test_one_seed_one_answer(option: Option):
    runs = [
        simulate(option, demand(), CATALOG, scenario=Scenario(requests=Requests(seed=seed, count=500)))
        for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0].seconds, runs[1].seconds)
    assert not np.array_equal(runs[0].seconds, runs[2].seconds)


@pytest.mark.parametrize("with_twin", [None, twin("300ms")], ids=["alone", "with a twin"])
def test_both_engines_give_one_answer(with_twin: Twin | None):
    by_clock, found = (played(nodes(4), twin=with_twin, engine=engine) for engine in ("events", "recursion"))
    assert found.seconds == pytest.approx(by_clock.seconds)


def test_what_each_request_takes_may_be_given():
    requests = Requests(arrivals_s=[0, 1, 2], service_s=[10, 1, 1])
    found = simulate(nodes(1), demand(), CATALOG, scenario=Scenario(requests=requests))
    assert found.seconds == pytest.approx([10, 10, 10], abs=0.1)


# -- what is no request log


@pytest.mark.parametrize(
    ("make", "where"),
    [
        pytest.param(lambda: Requests(arrivals_s=[]), "arrivals", id="no request"),
        pytest.param(lambda: Requests(arrivals_s=[2, 1]), "arrivals", id="back in time"),
        pytest.param(lambda: Requests(arrivals_s=[0, float("nan")]), "arrivals", id="no number"),
        pytest.param(lambda: Requests(arrivals_s=["noon"]), "arrivals", id="words"),
        pytest.param(lambda: Requests(arrivals_s=[[0, 1]]), "arrivals", id="a table"),
        pytest.param(lambda: Requests(arrivals_s=[0, 1], service_s=[1]), "service_s", id="one too few"),
        pytest.param(lambda: Requests(arrivals_s=[0, 1], service_s=[1, -1]), "service_s", id="negative work"),
        pytest.param(lambda: Requests(count=0), "count", id="none made up"),
        pytest.param(lambda: Requests(count=10**9), "count", id="too many made up"),
        pytest.param(lambda: Requests(seed=-1), "seed", id="negative seed"),
    ],
)
def test_what_cannot_be_played_says_where_and_what_to_give_instead(make: object, where: str):
    with pytest.raises(OptionError) as error:
        simulate(nodes(), demand(), CATALOG, scenario=Scenario(requests=make()))
    assert error.value.where == where
    assert error.value.remedy


def test_no_rate_no_requests():
    with pytest.raises(OptionError, match="rate above zero"):
        simulate(nodes(), demand(rate=Rate(0), peak=Rate(0)), CATALOG)


def test_a_function_has_no_twin():
    with pytest.raises(OptionError, match="twin"):
        played(function(), twin=twin("1s"))


def test_a_limit_is_not_negative():
    with pytest.raises(OptionError, match="limit"):
        Scenario(limit=-1)
