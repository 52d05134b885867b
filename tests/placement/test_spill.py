"""Erlang's B formula, beside exact values, and what spills of bursty requests beside a simulation."""

import heapq

import numpy as np
import pytest
from cost_cases import demand
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from components.placement.cost import Hold, blocked, peakedness


def exact(servers: float, offered: float) -> float:
    """The formula's continuation to any number of servers, where doubles can hold it."""
    return float(
        np.exp(servers * np.log(offered) - offered - special.gammaln(servers + 1))
        / special.gammaincc(servers + 1, offered)
    )


@pytest.mark.parametrize(
    ("servers", "offered", "share"),
    [
        pytest.param(1, 1, 0.5, id="one server, as much work"),
        pytest.param(2, 1, 0.2, id="two servers"),
        pytest.param(5, 3, 0.1100543, id="a table's value"),
        pytest.param(0, 3, 1, id="no server"),
        pytest.param(5, 0, 0, id="no work"),
        pytest.param(10_000, 100, 0, id="far too many"),
    ],
)
def test_known_values(servers: int, offered: float, share: float):
    assert blocked(servers, offered) == pytest.approx(share, abs=1e-6)


@given(servers=st.floats(1, 400), load=st.floats(0.4, 1.4))
def test_any_number_of_servers(servers: float, load: float):
    assert blocked(servers, servers * load) == pytest.approx(
        exact(servers, servers * load), rel=0.01, abs=1e-9
    )


@given(servers=st.integers(1, 300), offered=st.floats(0.01, 500), more=st.floats(1, 2))
def test_more_work_spills_more_and_more_servers_spill_less(servers: int, offered: float, more: float):
    assert blocked(servers, offered) <= blocked(servers, offered * more) + 1e-12
    assert blocked(servers + 1, offered) <= blocked(servers, offered) + 1e-12


@given(servers=st.integers(1, 100), rate=st.floats(0, 1e6), more=st.floats(1, 3))
def test_busy_servers_are_a_share_that_rises_with_traffic(servers: int, rate: float, more: float):
    hold = Hold(servers, demand("1/s", "100ms", burstiness=20, hourly=(0.5,) * 12 + (1.5,) * 12))
    assert 0 <= hold.busy(rate) <= hold.busy(rate * more) + 1e-9
    assert hold.busy(rate * more) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("burstiness", "variation", "expected"),
    [
        pytest.param(1, 1, 1, id="chance"),
        pytest.param(1, 0, 1, id="chance, constant service"),
        pytest.param(3, 1, 2, id="bursts, exponential service"),
        pytest.param(3, 0, 3, id="bursts, constant service"),
    ],
)
def test_peakedness_as_published(burstiness: float, variation: float, expected: float):
    given_demand = demand(burstiness=burstiness, service_variation=variation)
    assert peakedness(given_demand) == pytest.approx(expected)


def simulated(servers: int, gaps: np.ndarray, times: np.ndarray) -> float:
    """Share that finds all servers busy, counted."""
    free: list[float] = [0.0] * servers
    turned_away = 0
    for now, time in zip(np.cumsum(gaps), times, strict=True):
        if free[0] <= now:
            heapq.heapreplace(free, now + time)
        else:
            turned_away += 1
    return turned_away / len(gaps)


def hyperexponential(random: np.random.Generator, count: int, burstiness: float) -> np.ndarray:
    """Gaps of mean 1 and that squared coefficient of variation, with balanced means."""
    share = (1 + np.sqrt((burstiness - 1) / (burstiness + 1))) / 2
    short = random.random(count) < share
    means = np.where(short, 1 / (2 * share), 1 / (2 * (1 - share)))
    return random.exponential(1.0, count) * means


@pytest.mark.parametrize(
    ("burstiness", "servers", "offered"),
    [
        pytest.param(1, 4, 3, id="chance"),
        pytest.param(4, 20, 15, id="bursts, most of the servers busy"),
        pytest.param(4, 40, 30, id="bursts, more servers"),
        pytest.param(10, 60, 40, id="strong bursts"),
    ],
)
def test_what_spills_is_what_a_simulation_counts(burstiness: float, servers: int, offered: float):
    random = np.random.default_rng(7)
    count = 40_000
    gaps = hyperexponential(random, count, burstiness)
    counted = simulated(servers, gaps, random.exponential(offered, count))
    hold = Hold(servers, demand("1/s", "1s", burstiness=burstiness, service_variation=1))
    assert 1 - hold.kept(offered) == pytest.approx(counted, abs=0.03)
