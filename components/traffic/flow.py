"""How requests come: how many, how many at most, how unevenly, and when in the day."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from components.spec.units import Rate
from components.traffic import statistics
from components.traffic.burstiness import burstiness_of, burstiness_of_counts, correlation, dispersions
from components.traffic.daily_shape import Shape
from components.traffic.findings import Finding, TraceError
from components.traffic.measurement import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    WEEK_S,
    Measurement,
    Sureness,
    by_error,
    duration_text,
    percent,
    rate_of,
    worse,
)
from components.traffic.trace import SECOND_NS, Arrivals, Counts, Nanoseconds, Trace

# Each hour's own rate is sure enough to measure bursts against.
_REQUESTS_TO_NORMALIZE: Final = 100
_LONGEST_S: Final = 3_660 * DAY_S
_ABSURD_PER_SECOND: Final = 1e8


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How requests come."""

    requests: int
    span_s: float
    start: datetime | None
    rate: float
    peak: float
    burstiness: float | None
    hourly: tuple[float, ...] | None
    dispersion: Mapping[int, float]
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]

    def peak_rate(self) -> Rate:
        """The peak, not below what rate and hourly say of the busiest hour."""
        least = rate_of(self.rate) * max((1.0, *(self.hourly or ())))
        return max(rate_of(self.peak, up=True), rate_of(least.per_second, up=True))


def flow_of(trace: Trace) -> Flow:
    """How the requests of a trace come; raises TraceError where they are too few to say."""
    return _flow_of_arrivals(trace) if isinstance(trace, Arrivals) else _flow_of_counts(trace)


def _flow_of_arrivals(trace: Arrivals) -> Flow:
    times = trace.times_ns
    requests = len(times)
    span_s = _span(requests, times)
    shape = Shape.of_arrivals(trace)
    rate = shape.mean_rate if shape.weights else (requests - 1) / span_s
    _check_rate(rate)
    resolution = max(trace.resolution_ns, statistics.resolution(times))
    within = shape.weights is not None and requests / (span_s / HOUR_S) >= _REQUESTS_TO_NORMALIZE
    measured = burstiness_of(trace, resolution, within=within)
    spread = dispersions(trace, resolution, within=within)
    peak = statistics.busiest(times, MINUTE_S * SECOND_NS) / MINUTE_S if span_s >= MINUTE_S else rate
    chance = math.sqrt(max(spread.get(MINUTE_S, 1.0), 1.0) / requests)
    return Flow(
        requests=requests,
        span_s=span_s,
        start=_moment(int(times[0])) if trace.absolute else None,
        rate=rate,
        peak=max(peak, rate),
        burstiness=measured.value,
        hourly=shape.weights,
        dispersion=spread,
        measurements=(
            _measured_rate(rate, span_s, chance, f"{requests:,} requests"),
            _measured_peak(max(peak, rate), span_s, "busiest 60 s in a row"),
            measured.measurement,
            shape.measurement,
        ),
        findings=(*measured.findings, *correlation(measured.value, spread)),
    )


def _flow_of_counts(trace: Counts) -> Flow:
    if not trace.rates.max(initial=0.0) > 0:
        raise TraceError("no request came in the whole trace", "ask for a time with traffic")
    _check_rate(float(trace.rates.max()))
    counts = trace.counts
    span_s = len(counts) * trace.step_s
    shape = Shape.of_counts(trace)
    rate = shape.mean_rate if shape.weights else float(trace.rates.mean())
    peak, how = _busiest_step(trace)
    measured = burstiness_of_counts(trace, within=shape.weights is not None)
    chance = math.sqrt(max(measured.value or 1.0, 1.0) / max(counts.sum(), 1.0))
    return Flow(
        requests=round(float(counts.sum())),
        span_s=span_s,
        start=_moment(int(trace.ends_ns[0]) - round(trace.step_s * SECOND_NS)),
        rate=rate,
        peak=max(peak, rate),
        burstiness=measured.value,
        hourly=shape.weights,
        dispersion={} if measured.value is None else {round(trace.step_s): measured.value},
        measurements=(
            _measured_rate(rate, span_s, chance, f"{len(counts):,} steps of {trace.step_s:g} s"),
            _measured_peak(max(peak, rate), span_s, how),
            measured.measurement,
            shape.measurement,
        ),
        findings=measured.findings,
    )


def _span(requests: int, times: Nanoseconds) -> float:
    if requests < 2:  # noqa: PLR2004 - a rate takes two moments
        raise TraceError("one request is no traffic: a rate takes two at the least", "take a longer log")
    span_s = float(times[-1] - times[0]) / SECOND_NS
    if not span_s:
        raise TraceError(
            f"all {requests:,} requests carry the same time",
            "take a log with finer times, or of a longer time",
        )
    if span_s > _LONGEST_S:
        raise TraceError(
            f"the requests span {span_s / DAY_S / 365:,.0f} years",
            "look for lines with another unit of time; name the unit with --time-unit",
        )
    return span_s


def _check_rate(rate: float) -> None:
    if rate > _ABSURD_PER_SECOND:
        raise TraceError(f"{rate:.3g} requests a second are no traffic", "name the unit of time: --time-unit")


def _moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / SECOND_NS, UTC)


def _measured_rate(rate: float, span_s: float, chance: float, seen: str) -> Measurement:
    sureness = by_error(chance)
    why = f"{seen} in {duration_text(span_s)}, {percent(chance)}"
    if span_s < DAY_S:
        sureness = worse(sureness, Sureness.FAIR)
        why += "; less than a day, so the average of these hours only"
    return Measurement("rate", str(rate_of(rate)), sureness, why)


def _measured_peak(peak: float, span_s: float, how: str) -> Measurement:
    sureness, more = Sureness.SURE, ""
    if span_s < MINUTE_S:
        sureness, how, more = Sureness.POOR, "the average", "; the trace is shorter than a minute"
    elif span_s < WEEK_S:
        sureness, more = (
            Sureness.FAIR,
            f" of {duration_text(span_s)}; less than a week, so busier ones may come",
        )
    return Measurement("peak", str(rate_of(peak, up=True)), sureness, f"{how}{more}")


def _busiest_step(trace: Counts) -> tuple[float, str]:
    if trace.step_s >= MINUTE_S:
        return float(trace.rates.max()), f"busiest step of {trace.step_s:g} s"
    minute = trace.ends_ns // (MINUTE_S * SECOND_NS)
    _, which, sizes = np.unique(minute, return_inverse=True, return_counts=True)
    means = np.bincount(which, trace.rates) / sizes
    full = sizes >= min(sizes.max(), math.floor(MINUTE_S / trace.step_s))
    return float(means[full].max()), "busiest minute"
