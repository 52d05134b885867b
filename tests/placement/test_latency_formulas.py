"""The formulas behind latency (sums of times, Erlang's C, cold starts), each against what it must meet."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.catalog import Distribution
from components.placement.latency.cold_starts import cold_share
from components.placement.latency.queueing import erlang_c, follows, wait
from components.placement.latency.recursion import Copies, invoked
from components.placement.latency.times import (
    CASES,
    constant,
    fitted,
    observed,
    percentile,
    repeated,
    shares,
    sometimes,
    total,
    worked,
)

# -- times


@pytest.mark.parametrize(
    "percentiles",
    [
        pytest.param({"p50": "8ms", "p95": "20ms", "p99": "40ms"}, id="three percentiles"),
        pytest.param({"p10": "200ms", "p95": "1s"}, id="two"),
        pytest.param({"p50": "1s", "p99": "1s"}, id="all the same"),
        pytest.param({"p50": "0s", "p99": "1ms"}, id="nothing at first"),
    ],
)
def test_a_fitted_time_meets_every_percentile_that_the_source_gives(percentiles: dict[str, str]):
    distribution = Distribution.model_validate(percentiles)
    times = fitted(distribution)
    for share, time in distribution.quantiles:
        assert times(np.array([share]))[0] == pytest.approx(time.seconds, abs=2e-9)
    assert np.all(np.diff(times(np.linspace(0.001, 0.999, 99))) >= 0)


@pytest.mark.parametrize("variation", [0, 0.25, 1, 4])
def test_work_has_the_mean_and_the_variation_that_it_is_said_to_have(variation: float):
    drawn = worked(0.2, variation)(np.arange(0.5, 200_000) / 200_000)
    assert drawn.mean() == pytest.approx(0.2, rel=0.01)
    assert drawn.var() / drawn.mean() ** 2 == pytest.approx(variation, rel=0.05, abs=1e-9)


@pytest.mark.parametrize("share", [0.50, 0.95, 0.99])
def test_a_sum_is_that_of_the_closed_form(share: float):
    """Of three exponential times of 1, 2 and 3 seconds on average."""
    found = percentile(total([worked(mean, 1)(shares(mean)) for mean in (1, 2, 3)]), share)
    beyond = 0.5 * math.exp(-found) - 4 * math.exp(-found / 2) + 4.5 * math.exp(-found / 3)
    assert beyond == pytest.approx(1 - share, rel=0.03)


def test_percentiles_do_not_add():
    parts = [worked(1, 1)(shares(each)) for each in range(8)]
    assert percentile(total(parts), 0.99) < 0.5 * sum(percentile(part, 0.99) for part in parts)


def test_a_part_that_is_met_sometimes():
    drawn = sometimes(0.25, constant(9.0), constant(1.0))(shares(0))
    assert np.mean(drawn == 9.0) == 0.25
    assert np.mean(drawn == 1.0) == 0.75
    assert not sometimes(0.0, constant(9.0))(shares(0)).any()
    assert np.all(sometimes(1.0, constant(9.0))(shares(0)) == 9.0)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_reads_one_after_another_take_that_many_times_as_long_on_average(count: int):
    assert repeated(worked(0.1, 1), count)(shares(0)).mean() == pytest.approx(0.1 * count, rel=0.01)


def test_a_sample_gives_itself_back():
    sample = np.random.default_rng(1).random(CASES)
    assert np.array_equal(np.sort(observed(sample)(shares(3))), np.sort(sample))


# -- queue


@pytest.mark.parametrize(
    ("servers", "offered", "waits"),
    [
        pytest.param(1, 0.5, 0.5, id="one server: its utilisation"),
        pytest.param(2, 1.0, 1 / 3, id="two servers, half busy"),
        pytest.param(3, 2.0, 4 / 9, id="three servers, two thirds busy"),
        pytest.param(5, 0.0, 0.0, id="nobody comes"),
        pytest.param(4, 4.0, 1.0, id="all that they can do"),
        pytest.param(4, 40.0, 1.0, id="more than they can do"),
    ],
)
def test_erlang_c(servers: int, offered: float, waits: float):
    assert erlang_c(servers, offered) == pytest.approx(waits)


@given(servers=st.integers(1, 40), busy=st.floats(0.01, 0.99))
def test_erlang_c_agrees_with_the_sum_that_defines_it(servers: int, busy: float):
    offered = busy * servers
    terms = [offered**count / math.factorial(count) for count in range(servers)]
    full = offered**servers / math.factorial(servers) / (1 - busy)
    assert erlang_c(servers, offered) == pytest.approx(full / (sum(terms) + full), rel=1e-9)


@pytest.mark.parametrize("servers", [10_000, 1_000_000])
def test_erlang_c_takes_any_number_of_servers(servers: int):
    assert 0 < erlang_c(servers, servers - math.sqrt(servers)) < 1
    assert erlang_c(servers, servers / 2) == pytest.approx(0, abs=1e-12)


def test_with_one_server_the_mean_wait_is_that_of_pollaczek_and_khinchine():
    found = wait(servers=1, per_second=8, service_s=0.1, service_variation=0.5)
    assert found.mean_s == pytest.approx(0.8 * 0.1 / 0.2 * 1.5 / 2)


def test_overload_waits_without_end():
    assert np.all(np.isinf(wait(servers=2, per_second=20, service_s=0.1).at(shares(0))))


@pytest.mark.parametrize(
    ("burstiness", "variation", "followed"),
    [
        pytest.param(1, 1, True, id="by chance"),
        pytest.param(1.2, 1, True, id="a little uneven"),
        pytest.param(173, 1, False, id="bursts"),
        pytest.param(0, 1, False, id="a clock's tick"),
        pytest.param(1, 4, False, id="work of all sizes"),
        pytest.param(1, 0, False, id="always the same work"),
    ],
)
def test_the_formula_knows_what_it_follows(burstiness: float, variation: float, *, followed: bool):
    assert follows(burstiness, variation) is followed


# -- cold starts


@pytest.mark.parametrize(
    ("service_s", "keep_alive_s", "provisioned", "within"),
    [
        pytest.param(1, 5, 0, 0.05, id="kept for a few requests"),
        pytest.param(3, 20, 0, 0.05, id="kept longer"),
        pytest.param(0.1, 1, 0, 0.05, id="mostly alone"),
        pytest.param(20, 5, 0, 0.05, id="kept for less than the work takes"),
        pytest.param(5, 60, 5, 0.15, id="some held warm"),
    ],
)
def test_the_share_of_cold_starts_agrees_with_a_simulation(
    service_s: float, keep_alive_s: float, provisioned: int, within: float
):
    random = np.random.default_rng(3)
    count = 60_000
    arrivals_s, service = np.cumsum(random.exponential(1, count)), random.exponential(service_s, count)
    copies = Copies(keep_alive_s=keep_alive_s, provisioned=provisioned)
    simulated = invoked(arrivals_s, service, np.zeros(count), copies).cold.mean()
    formula = cold_share(
        per_second=1, service_s=service_s, keep_alive_s=keep_alive_s, provisioned=provisioned
    )
    assert formula == pytest.approx(simulated, rel=within)


@pytest.mark.parametrize("rate", [0.001, 0.01, 1.0])
def test_short_work_starts_cold_if_the_last_request_is_too_long_ago(rate: float):
    share = cold_share(per_second=rate, service_s=1e-6, keep_alive_s=100)
    assert share == pytest.approx(math.exp(-rate * 100), abs=1e-5)


@given(
    per_second=st.floats(1e-12, 1e9),
    service_s=st.floats(1e-9, 1e8),
    keep_alive_s=st.just(0.0) | st.floats(1, 1e6),
    provisioned=st.integers(0, 5000),
)
def test_a_share_of_cold_starts_is_a_share_and_more_held_copies_never_add_to_it(
    per_second: float, service_s: float, keep_alive_s: float, provisioned: int
):
    with_some, with_more = (
        cold_share(per_second=per_second, service_s=service_s, keep_alive_s=keep_alive_s, provisioned=held)
        for held in (provisioned, provisioned + 1)
    )
    assert 0 <= with_more <= with_some + 1e-9 <= 1 + 1e-9
