"""What is measured of traces of known traffic, how sure it is said to be, and what is said to be unknown."""

import math

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from traces import NOON, SECOND, arrivals, poisson, real_trace

from components.spec import Duration, Rate, Share
from components.spec.workload import Traffic
from components.traffic import Arrivals, Counts, Profile, Sureness, TraceError, Weight, profile, read

HOUR = 3600
DAY = 24 * HOUR
MIDNIGHT = NOON - 12 * HOUR


def sureness(measured: Profile) -> dict[str, Sureness]:
    return {each.name: each.sureness for each in measured.measurements}


def warnings(measured: Profile) -> list[str]:
    return [each.message for each in measured.findings if each.weight is Weight.WARNING]


def ticks(count: int) -> NDArray[np.float64]:
    return np.arange(count, dtype=float)


def in_pairs(count: int) -> NDArray[np.float64]:
    """Two a millisecond apart, then a second of nothing."""
    return np.concatenate([ticks(count), ticks(count) + 0.001])


@pytest.mark.parametrize(
    ("times", "burstiness"),
    [
        pytest.param(ticks(1000), 0, id="a clock's tick"),
        pytest.param(in_pairs(1000), 0.997, id="pairs"),
        pytest.param(np.cumsum(np.tile([0.01] * 9 + [10.0], 100)), 8.81, id="bursts of ten"),
        pytest.param(poisson(5, 20_000, seed=1), 1, id="Poisson"),
        pytest.param(np.cumsum(np.random.default_rng(2).gamma(0.25, 4, 20_000)), 4, id="gamma of shape 1/4"),
    ],
)
def test_burstiness_of_known_arrivals(times: NDArray[np.float64], burstiness: float):
    # A tick is as fine as its gaps are long: the times are told to a millisecond for it.
    measured = profile(arrivals(times + 0.001))
    assert measured.burstiness == pytest.approx(burstiness, rel=0.1, abs=0.01)


@pytest.mark.parametrize(
    ("name", "burstiness", "requests", "rate", "correlated"),
    [
        pytest.param("AzureLLMInferenceTrace_conv.csv", 1.2, 19_366, "5.53/s", True, id="conversation"),
        pytest.param("AzureLLMInferenceTrace_code.csv", 173, 8_819, "2.57/s", False, id="code completion"),
    ],
)
def test_two_hours_of_production_traffic(
    *, name: str, burstiness: float, requests: int, rate: str, correlated: bool
):
    """Azure Public Dataset, Azure LLM inference trace 2023 (CC-BY 4.0)."""
    measured = profile(read(real_trace(name)))
    assert (measured.requests, measured.burstiness, str(measured.rate)) == (requests, burstiness, rate)
    assert set(measured.means) == {"prompt_tokens", "generated_tokens"}
    assert any("busy minutes follow busy minutes" in each for each in warnings(measured)) is correlated
    assert sureness(measured)["utilization"] is Sureness.UNKNOWN


def test_rate_and_peak():
    busy = ticks(120) / 2 + 600
    measured = profile(arrivals(np.concatenate([ticks(121) * 10, busy])))
    assert measured.rate.per_second == pytest.approx(240 / 1200, rel=0.01)
    # 120 of the busy minute and 6 of the others.
    assert str(measured.peak) == "2.1/s"


def test_utilization_of_durations_in_the_log():
    times = ticks(1001) / 5
    service = np.where(np.arange(1001) % 2, 0.05, 0.15)
    service[7] = np.nan
    measured = profile(arrivals(times, service_s=service))
    assert measured.utilization is not None
    assert float(measured.utilization) == pytest.approx(0.5, rel=0.01)
    assert str(measured.service_time) == "100ms"
    assert measured.service_variation == pytest.approx(0.25, rel=0.01)
    shared = profile(arrivals(times, service_s=service), replicas=2, concurrency=5)
    assert shared.utilization is not None
    assert float(shared.utilization) == pytest.approx(0.05, rel=0.01)


def test_durations_that_are_all_zero_say_nothing():
    measured = profile(arrivals(ticks(100) + 0.001, service_s=np.zeros(100)))
    assert measured.service_time is None
    assert warnings(measured) == ["the durations are all zero"]


def test_a_given_service_time_comes_before_the_log():
    measured = profile(
        arrivals(ticks(1001), service_s=np.full(1001, 0.9)), service_time=Duration.parse("250ms")
    )
    assert (str(measured.service_time), measured.utilization) == ("250ms", Share.parse("25%"))


def test_overload_names_the_replicas_that_would_hold_it():
    measured = profile(arrivals(poisson(10, 5000, 3)), service_time=Duration.parse("350ms"))
    assert measured.utilization is None
    assert measured.offered_load == pytest.approx(3.5, rel=0.1)
    overload = next(each for each in measured.findings if "cannot hold" in each.message)
    assert "4 replicas would hold the average" in overload.message
    assert "--replicas 4" in overload.remedy
    assert overload.weight is Weight.WARNING
    held = profile(arrivals(poisson(10, 5000, 3)), service_time=Duration.parse("380ms"), replicas=4)
    assert held.utilization is not None
    assert [each.weight for each in held.findings if "cannot hold" in each.message] == [Weight.NOTE]


@pytest.mark.parametrize("decimals", [0, 1], ids=["whole seconds", "tenths"])
def test_coarse_times_count_instead(decimals: int):
    """At 20 requests a second, gaps of whole seconds are 0 and 1: their cv² would be 19 for Poisson's."""
    measured = profile(arrivals(np.floor(poisson(20, 40_000, 4) * 10**decimals) / 10**decimals))
    assert measured.burstiness == pytest.approx(1, abs=0.1)
    assert any("limited by resolution" in each for each in warnings(measured))
    assert sureness(measured)["burstiness"] is Sureness.FAIR


def test_a_writer_that_is_coarser_than_what_it_writes():
    fine = profile(arrivals(poisson(20, 10_000, 5)))
    coarse = profile(arrivals(poisson(20, 10_000, 5), resolution_ns=SECOND))
    assert warnings(fine) == []
    assert any("times are to 1 s" in each for each in warnings(coarse))


def test_requests_that_came_together_are_told():
    together = np.repeat(np.cumsum(np.full(200, 1.001)), 2)
    [finding] = profile(arrivals(together)).findings
    assert finding.message.startswith("50% of requests carry the same time as the one before them")
    assert finding.weight is Weight.NOTE


def day_and_night(days: float, rate: float, seed: int) -> NDArray[np.float64]:
    """Poisson arrivals, at night a fifth of the day's rate."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(1 / rate, int(rate * days * DAY * 1.2)))
    times = times[times < days * DAY]
    awake = (times // HOUR) % 24 >= 8
    return times[awake | (rng.random(len(times)) < 0.2)]


def test_the_shape_of_a_day_is_no_burstiness():
    trace = arrivals(day_and_night(2, 1.0, 6), start=MIDNIGHT)
    measured = profile(trace)
    assert measured.hourly is not None
    night, day = measured.hourly[:8], measured.hourly[8:]
    assert np.mean(night) / np.mean(day) == pytest.approx(0.2, rel=0.1)
    assert np.mean(measured.hourly) == pytest.approx(1, abs=0.01)
    assert measured.burstiness == pytest.approx(1, abs=0.1)
    assert list(measured.dispersion.values()) == pytest.approx([1, 1, 1], abs=0.06)
    # Whoever takes the nights for long gaps finds bursts where there are none.
    gaps = np.diff(trace.times_ns)
    assert gaps.var() / gaps.mean() ** 2 > 1.5
    assert sureness(measured)["daily shape"] is Sureness.FAIR
    assert measured.rate.per_second == pytest.approx((16 + 8 * 0.2) / 24, rel=0.02)


@pytest.mark.parametrize(
    ("trace", "why"),
    [
        pytest.param(arrivals(poisson(1, 5000, 7)), "it takes a whole day", id="an hour"),
        pytest.param(
            arrivals(poisson(200 / DAY, 400, 8), start=MIDNIGHT), "too few to tell", id="two quiet days"
        ),
        pytest.param(
            arrivals(poisson(0.1, 10_000, 9), start=0, absolute=False), "hour is not known", id="no clock"
        ),
    ],
)
def test_no_shape_of_a_day(trace: Arrivals, why: str):
    measured = profile(trace)
    assert measured.hourly is None
    assert why in next(each.why for each in measured.measurements if each.name == "daily shape")
    assert "hourly" not in measured.block()


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(5, Sureness.POOR, id="five"),
        pytest.param(400, Sureness.FAIR, id="hundreds"),
        pytest.param(40_000, Sureness.SURE, id="tens of thousands"),
    ],
)
def test_more_requests_are_surer(count: int, expected: Sureness):
    assert sureness(profile(arrivals(poisson(3, count, 10))))["burstiness"] is expected


def test_two_requests_have_a_rate_and_no_burstiness():
    measured = profile(arrivals([0, 30]))
    assert (str(measured.rate), measured.burstiness) == ("2/min", None)
    assert sureness(measured)["peak"] is Sureness.POOR


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        pytest.param(arrivals([]), "one request is no traffic", id="none"),
        pytest.param(arrivals([3]), "one request is no traffic", id="one"),
        pytest.param(arrivals([3] * 40), "all 40 requests carry the same time", id="one instant"),
        pytest.param(arrivals([0, 20 * 366 * DAY], start=0), "span 20 years", id="a wrong unit somewhere"),
        pytest.param(arrivals(np.repeat([0, 1e-9], 5), start=0), "are no traffic", id="ten a nanosecond"),
        pytest.param(
            Counts(ends_ns=np.array([1, 2]) * SECOND, rates=np.zeros(2), step_s=1),
            "no request",
            id="all zero",
        ),
    ],
)
def test_too_little_to_measure(trace: Arrivals | Counts, said: str):
    with pytest.raises(TraceError, match=said) as error:
        profile(trace)
    assert error.value.remedy


# --- counts


def counts(rates: NDArray[np.float64], step: int = 60, start: int = MIDNIGHT) -> Counts:
    return Counts(ends_ns=(start + step * (np.arange(len(rates)) + 1)) * SECOND, rates=rates, step_s=step)


def test_counts_of_poisson_arrivals():
    rates = np.random.default_rng(11).poisson(600, 1000) / 60
    measured = profile(counts(rates))
    assert measured.burstiness == pytest.approx(1, abs=0.2)
    assert measured.rate.per_second == pytest.approx(10, rel=0.01)
    assert measured.peak.per_second == pytest.approx(rates.max(), rel=0.01)
    assert sureness(measured)["burstiness"] is Sureness.FAIR
    assert measured.service_time is None


def test_counts_of_a_day_within_its_hours():
    rng = np.random.default_rng(12)
    awake = (np.arange(2 * 1440) // 60) % 24 >= 8
    measured = profile(counts(rng.poisson(np.where(awake, 600, 60)) / 60))
    assert measured.hourly is not None
    assert measured.burstiness == pytest.approx(1, abs=0.2)


def test_counts_finer_than_a_minute():
    rates = np.zeros(240)
    rates[10] = 60
    assert profile(counts(rates, step=15)).peak == Rate.parse("15/s")


def test_a_week_is_sure_of_the_shape_of_its_days():
    measured = profile(counts(np.random.default_rng(15).poisson(600, 8 * 1440) / 60))
    assert sureness(measured)["daily shape"] is Sureness.SURE
    assert sureness(measured)["peak"] is Sureness.SURE


def test_few_counts_have_no_burstiness():
    measured = profile(counts(np.array([1.0, 2.0, 3.0])))
    assert (measured.burstiness, measured.requests) == (None, 360)


# --- the block


def test_the_block_is_ready_to_paste():
    trace = arrivals(
        day_and_night(1, 1.0, 13), start=MIDNIGHT, service_s=np.full(len(day_and_night(1, 1.0, 13)), 0.25)
    )
    block = yaml.safe_load(profile(trace).to_yaml())
    traffic = Traffic.model_validate(block["traffic"])
    assert traffic.hourly is not None
    assert traffic.rate is not None
    assert traffic.peak is not None
    assert traffic.peak >= traffic.rate * max(traffic.hourly) * 0.999
    assert list(block["traffic"]) == [
        "rate", "peak", "utilization", "service_time", "burstiness", "service_variation", "hourly",
    ]  # fmt: skip


def test_json_has_no_nan():
    measured = profile(arrivals(poisson(1, 50, 14), service_s=np.full(50, math.nan)))
    assert measured.as_json()["traffic"]["rate"] == str(measured.rate)
