"""From arrivals to the `traffic` block of a workload, and how much each of its numbers can be trusted.

A number from a log looks as exact whether it comes from a week or from a minute. So each carries how sure it
is and why: its standard error, what the trace is too short, too small or too coarse for, and what was taken
from elsewhere. What cannot be measured is left out of the block, where it means "not known".
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np

from components.spec.units import Duration, Rate, Share
from components.traffic import statistics
from components.traffic.findings import Finding, TraceError, Weight
from components.traffic.statistics import Estimate
from components.traffic.trace import SECOND_NS, Arrivals, Counts, Floats, Trace

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400
_WEEK_S: Final = 7 * _DAY_S
_HOURS: Final = 24

# A day is measured when every hour of it was seen for most of its length, by enough requests to tell hours
# apart from chance (one in five for an hour of average traffic).
_HOUR_SEEN_S: Final = 50 * 60
_REQUESTS_AN_HOUR: Final = 25
# Each hour's own rate is sure enough to measure bursts against.
_REQUESTS_TO_NORMALIZE: Final = 100

# Errors of a number that is sure, and of one that is fair.
_SURE, _FAIR = 0.05, 0.25
_FEW: Final = 30
_WINDOWS: Final = (1, 10, 60)
_WINDOWS_AT_LEAST: Final = 20
_CORRELATED: Final = 3
_LONGEST_S: Final = 3_660 * _DAY_S
_BURSTIEST: Final = 1_000_000
_OVERLOADED: Final = 1


class Sureness(StrEnum):
    """How far a number can be trusted."""

    SURE = "sure"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "not known"


_ORDER: Final = tuple(Sureness)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of what was measured."""

    name: str
    value: str
    sureness: Sureness
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a trace says of a workload's traffic. `None` is what it does not say."""

    format: str
    """Kind of log that it comes from."""
    requests: int
    span_s: float
    start: datetime | None
    """None for a trace that tells times from its own beginning only."""
    rate: Rate
    peak: Rate
    burstiness: float | None
    """cv² of the times between arrivals; index of dispersion where those are too coarse."""
    utilization: Share | None
    """Of one replica; None where the work is not known, or more than the replicas can do."""
    offered_load: float | None
    """Requests being worked on at once on average, in Erlang: rate times service time."""
    service_time: Duration | None
    service_variation: float | None
    hourly: tuple[float, ...] | None
    """24 weights from 00:00 UTC, of mean 1."""
    dispersion: Mapping[int, float]
    """Index of dispersion of the counts in windows, by their length in seconds."""
    means: Mapping[str, float]
    """Mean bytes and tokens of a request, where the log tells them."""
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]

    def block(self) -> dict[str, object]:
        """The `traffic` block as plain values, without what is not known."""
        values: dict[str, object | None] = {
            "rate": str(self.rate),
            "peak": str(self.peak),
            "utilization": None if self.utilization is None else str(self.utilization),
            "service_time": None if self.service_time is None else str(self.service_time),
            "burstiness": _plain(self.burstiness),
            "service_variation": _plain(self.service_variation),
            "hourly": None if self.hourly is None else [_plain(weight) for weight in self.hourly],
        }
        return {key: value for key, value in values.items() if value is not None}

    def to_yaml(self) -> str:
        """The `traffic` block of a stack file, ready to paste."""
        return "traffic:\n" + "".join(f"  {key}: {spelled(value)}\n" for key, value in self.block().items())

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "format": self.format,
            "requests": self.requests,
            "span_s": self.span_s,
            "start": self.start.isoformat() if self.start else None,
            "traffic": self.block(),
            "offered_load": self.offered_load,
            "dispersion": {f"{window}s": value for window, value in self.dispersion.items()},
            "means": dict(self.means),
            "measurements": [
                {"name": each.name, "value": each.value, "sureness": str(each.sureness), "why": each.why}
                for each in self.measurements
            ],
            "findings": [finding.as_json() for finding in self.findings],
        }


def spelled(value: object) -> str:
    """A value of the block as YAML on one line."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def profile(
    trace: Trace, *, service_time: Duration | None = None, replicas: int = 1, concurrency: int = 1
) -> Profile:
    """What the trace says of the traffic; raises TraceError where it is too little to say anything.

    `service_time` stands in for durations that the log does not tell, and before those that it does.
    Utilization is of `replicas`, each of which takes `concurrency` requests at once.
    """
    flow = _flow_of_arrivals(trace) if isinstance(trace, Arrivals) else _flow_of_counts(trace)
    work = _work(trace, service_time)
    load = _load(flow, work, replicas * concurrency, concurrency)
    return Profile(
        format=trace.format,
        requests=flow.requests,
        span_s=flow.span_s,
        start=flow.start,
        rate=_rate(flow.rate),
        peak=flow.peak_rate(),
        burstiness=flow.burstiness,
        utilization=load.utilization,
        offered_load=load.erlang,
        service_time=work.typed,
        service_variation=work.variation,
        hourly=flow.hourly,
        dispersion=flow.dispersion,
        means=_means(trace),
        measurements=(*flow.measurements, *work.measurements(), load.measurement),
        findings=(*trace.findings, *flow.findings, *work.findings, *load.findings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
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
        least = _rate(self.rate) * max((1.0, *(self.hourly or ())))
        return max(_rate(self.peak, up=True), _rate(least.per_second, up=True))


# --- how requests come


def _flow_of_arrivals(trace: Arrivals) -> _Flow:
    times = trace.times_ns
    requests = len(times)
    span_s = _span(requests, times)
    shape = _Shape.of_arrivals(trace)
    rate = shape.mean_rate if shape.weights else (requests - 1) / span_s
    _check_rate(rate)
    resolution = max(trace.resolution_ns, statistics.resolution(times))
    within = shape.weights is not None and requests / (span_s / _HOUR_S) >= _REQUESTS_TO_NORMALIZE
    measured = _burstiness(trace, resolution, within=within)
    spread = _dispersions(trace, resolution, within=within)
    peak = statistics.busiest(times, _MINUTE_S * SECOND_NS) / _MINUTE_S if span_s >= _MINUTE_S else rate
    chance = math.sqrt(max(spread.get(_MINUTE_S, 1.0), 1.0) / requests)
    return _Flow(
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
        findings=(*measured.findings, *_correlation(measured.value, spread)),
    )


def _flow_of_counts(trace: Counts) -> _Flow:
    counts = trace.counts
    if not counts.sum() > 0:
        raise TraceError("no request came in the whole trace", "ask for a time with traffic")
    span_s = len(counts) * trace.step_s
    shape = _Shape.of_counts(trace)
    rate = shape.mean_rate if shape.weights else float(trace.rates.mean())
    _check_rate(rate)
    peak, how = _busiest_step(trace)
    measured = _burstiness_of_counts(trace, within=shape.weights is not None)
    chance = math.sqrt(max(measured.value or 1.0, 1.0) / max(counts.sum(), 1.0))
    return _Flow(
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


def _span(requests: int, times: Any) -> float:
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
            f"the requests span {span_s / _DAY_S / 365:,.0f} years",
            "look for lines with another unit of time; name the unit with --time-unit",
        )
    return span_s


def _check_rate(rate: float) -> None:
    if rate > Rate(Rate.maximum).per_second:
        raise TraceError(f"{rate:.3g} requests a second are no traffic", "name the unit of time: --time-unit")


def _moment(ns: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(ns / SECOND_NS, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _measured_rate(rate: float, span_s: float, chance: float, seen: str) -> Measurement:
    sureness = _by_error(chance)
    why = f"{seen} in {duration_text(span_s)}, {_percent(chance)}"
    if span_s < _DAY_S:
        sureness = _worse(sureness, Sureness.FAIR)
        why += "; less than a day, so the average of these hours only"
    return Measurement("rate", str(_rate(rate)), sureness, why)


def _measured_peak(peak: float, span_s: float, how: str) -> Measurement:
    sureness, more = Sureness.SURE, ""
    if span_s < _MINUTE_S:
        sureness, how, more = Sureness.POOR, "the average", "; the trace is shorter than a minute"
    elif span_s < _WEEK_S:
        sureness, more = (
            Sureness.FAIR,
            f" of {duration_text(span_s)}; less than a week, so busier ones may come",
        )
    return Measurement("peak", str(_rate(peak, up=True)), sureness, f"{how}{more}")


@dataclass(frozen=True, slots=True)
class _Burstiness:
    value: float | None
    measurement: Measurement
    findings: tuple[Finding, ...] = ()


def _burstiness(trace: Arrivals, resolution_ns: int, *, within: bool) -> _Burstiness:
    times = trace.times_ns
    gaps = len(times) - 1
    if gaps < 2:  # noqa: PLR2004 - one gap does not vary
        return _unknown("one gap between requests does not vary")
    mean_ns = float(times[-1] - times[0]) / gaps
    # Rounding to a step adds a sixth of its square to the variance of a gap: 4 % of the mean's square here.
    if resolution_ns > mean_ns / 2:
        return _resolution_limited(trace, resolution_ns, mean_ns, within=within)
    measure = statistics.gap_variation_within_hours if within else statistics.gap_variation
    how = f"cv² of {gaps:,} gaps between requests{', each hour at its own rate' if within else ''}"
    return _judged(measure(times), gaps, how)


def _resolution_limited(trace: Arrivals, resolution_ns: int, mean_ns: float, *, within: bool) -> _Burstiness:
    step = duration_text(resolution_ns / SECOND_NS)
    finding = Finding(
        f"times are to {step}, and requests come every {duration_text(mean_ns / SECOND_NS)}: the gaps "
        "between them are lost, so burstiness is limited by resolution",
        f"log finer times; until then it is the index of dispersion of counts in windows of {step}",
    )
    windows = statistics.windows_in(trace.times_ns, resolution_ns)
    if windows < _WINDOWS_AT_LEAST:
        unknown = _unknown(f"times are to {step}, and the trace fills {windows} of such windows")
        return _Burstiness(None, unknown.measurement, (finding,))
    estimate = statistics.dispersion(trace.times_ns, resolution_ns, within_hours=within)
    how = f"index of dispersion of {windows:,} windows of {step}, the resolution of the log"
    judged = _judged(estimate, windows, how)
    limited = Measurement(
        "burstiness",
        judged.measurement.value,
        _worse(judged.measurement.sureness, Sureness.FAIR),
        judged.measurement.why,
    )
    return _Burstiness(judged.value, limited, (finding,))


def _burstiness_of_counts(trace: Counts, *, within: bool) -> _Burstiness:
    counts = trace.counts
    if len(counts) < _WINDOWS_AT_LEAST:
        return _unknown(f"{len(counts)} steps are too few; it takes {_WINDOWS_AT_LEAST}")
    hours = trace.middles_ns // statistics.HOUR_NS if within and trace.step_s * 2 <= _HOUR_S else None
    how = f"index of dispersion of {len(counts):,} counts of {trace.step_s:g} s"
    judged = _judged(statistics.dispersion_of(counts, hours), len(counts), how)
    sureness = _worse(judged.measurement.sureness, Sureness.FAIR)
    measurement = Measurement("burstiness", judged.measurement.value, sureness, judged.measurement.why)
    return _Burstiness(judged.value, measurement)


def _judged(estimate: Estimate, sample: int, how: str) -> _Burstiness:
    value = _rounded(min(estimate.value, float(_BURSTIEST)))
    sureness = _by_error(estimate.relative_error)
    if sample < _FEW:
        sureness, how = Sureness.POOR, f"{how}: too few"
    why = f"{how}, {_percent(estimate.relative_error)}"
    return _Burstiness(value, Measurement("burstiness", f"{value:g}", sureness, why))


def _unknown(why: str) -> _Burstiness:
    return _Burstiness(None, Measurement("burstiness", "-", Sureness.UNKNOWN, why))


def _dispersions(trace: Arrivals, resolution_ns: int, *, within: bool) -> dict[int, float]:
    return {
        window: _rounded(statistics.dispersion(trace.times_ns, window * SECOND_NS, within_hours=within).value)
        for window in _WINDOWS
        if window * SECOND_NS >= resolution_ns
        and statistics.windows_in(trace.times_ns, window * SECOND_NS) >= _WINDOWS_AT_LEAST
    }


def _correlation(burstiness: float | None, dispersion: Mapping[int, float]) -> Iterator[Finding]:
    by_minute = dispersion.get(_MINUTE_S)
    if burstiness is None or by_minute is None or by_minute <= _CORRELATED * max(burstiness, 1.0):
        return
    yield Finding(
        f"counts by the minute vary {by_minute:g} times as much as chance would have it, gaps "
        f"{burstiness:g} times: busy minutes follow busy minutes",
        "size for the peak: a queueing formula, which knows the gaps only, is too hopeful here; replay the "
        "trace",
    )


def _busiest_step(trace: Counts) -> tuple[float, str]:
    if trace.step_s >= _MINUTE_S:
        return float(trace.rates.max()), f"busiest step of {trace.step_s:g} s"
    minute = trace.ends_ns // (_MINUTE_S * SECOND_NS)
    _, which, sizes = np.unique(minute, return_inverse=True, return_counts=True)
    means = np.bincount(which, trace.rates) / sizes
    full = sizes >= min(sizes.max(), math.floor(_MINUTE_S / trace.step_s))
    return float(means[full].max()), "busiest minute"


# --- the shape of the day


@dataclass(frozen=True, slots=True)
class _Shape:
    weights: tuple[float, ...] | None
    mean_rate: float
    """Over the day, each hour of it counted once however often it was seen."""
    measurement: Measurement

    @classmethod
    def of_arrivals(cls, trace: Arrivals) -> "_Shape":
        if not trace.absolute:
            return cls._missing("times count from the beginning of the trace, so the hour is not known")
        counts, seconds = statistics.by_hour_of_day(trace.times_ns)
        return cls._of(counts, seconds)

    @classmethod
    def of_counts(cls, trace: Counts) -> "_Shape":
        hours = (trace.middles_ns // statistics.HOUR_NS) % _HOURS
        if trace.step_s > _HOUR_S:
            return cls._missing(f"steps of {trace.step_s:g} s are longer than an hour")
        return cls._of(
            np.bincount(hours, trace.counts, _HOURS).astype(float),
            np.bincount(hours, minlength=_HOURS).astype(float) * trace.step_s,
        )

    @classmethod
    def _of(cls, counts: Floats, seconds: Floats) -> "_Shape":
        unseen = int(np.count_nonzero(seconds < _HOUR_SEEN_S))
        if unseen:
            return cls._missing(f"{unseen} of the day's 24 hours are not in the trace; it takes a whole day")
        if counts.sum() < _HOURS * _REQUESTS_AN_HOUR:
            return cls._missing(f"{counts.sum():,.0f} requests are too few to tell the hours of a day apart")
        rates = counts / seconds
        mean = float(rates.mean())
        weights = tuple(round(float(rate) / mean, 2) for rate in rates)
        days = seconds.sum() / _DAY_S
        busiest = int(np.argmax(rates))
        text = f"busiest {busiest:02d}:00 UTC, {weights[busiest]:g} times the average"
        return cls(weights, mean, Measurement("daily shape", text, *_days(days)))

    @classmethod
    def _missing(cls, why: str) -> "_Shape":
        return cls(None, 0.0, Measurement("daily shape", "-", Sureness.UNKNOWN, why))


def _days(days: float) -> tuple[Sureness, str]:
    if days * _DAY_S >= _WEEK_S:
        return Sureness.SURE, f"{days:.1f} days"
    return Sureness.FAIR, f"{days:.1f} days; less than a week, so weekends may differ"


# --- the work of a request


@dataclass(frozen=True, slots=True)
class _Work:
    seconds: float | None
    variation: float | None
    sureness: Sureness
    why: str
    findings: tuple[Finding, ...] = ()

    @property
    def typed(self) -> Duration | None:
        return None if self.seconds is None else _service_time(self.seconds)

    def measurements(self) -> tuple[Measurement, ...]:
        shown = "-" if self.typed is None else str(self.typed)
        taken = Measurement("service time", shown, self.sureness, self.why)
        if self.variation is None:
            return (taken,)
        value = f"{self.variation:g}"
        return (taken, Measurement("service variation", value, self.sureness, "cv² of the same durations"))


def _work(trace: Trace, given: Duration | None) -> _Work:
    logged = trace.service_s if isinstance(trace, Arrivals) else None
    known = logged[~np.isnan(logged)] if logged is not None else np.empty(0)
    if given is not None:
        return _Work(given.seconds, _work_variation(known), Sureness.SURE, "given, not measured")
    if not len(known):
        return _Work(None, None, Sureness.UNKNOWN, "the log tells no durations; give it with --service-time")
    mean = float(known.mean())
    if not mean or mean > Duration(Duration.maximum).seconds:
        said = "all zero" if not mean else "longer than ten years"
        finding = Finding(f"the durations are {said}", "name their unit: --duration-unit us")
        return _Work(None, None, Sureness.UNKNOWN, f"the durations are {said}", (finding,))
    variation = _work_variation(known)
    error = math.sqrt((variation or 0.0) / len(known))
    sureness = _worse(_by_error(error), Sureness.FAIR if len(known) >= _FEW else Sureness.POOR)
    why = f"mean of {len(known):,} durations, {_percent(error)}; waiting inside the server is in it"
    return _Work(mean, variation, sureness, why)


def _work_variation(seconds: Floats) -> float | None:
    if len(seconds) < _FEW or not seconds.mean() > 0:
        return None
    return _rounded(min(float((seconds / seconds.mean()).var()), float(_BURSTIEST)))


def _service_time(seconds: float) -> Duration:
    return max(Duration(1), Duration(round(_rounded(seconds * SECOND_NS))))


# --- work against replicas


@dataclass(frozen=True, slots=True)
class _Load:
    utilization: Share | None
    erlang: float | None
    measurement: Measurement
    findings: tuple[Finding, ...] = ()


def _load(flow: _Flow, work: _Work, slots: int, concurrency: int) -> _Load:
    if work.seconds is None:
        unknown = Measurement("utilization", "-", Sureness.UNKNOWN, "the service time is not known")
        return _Load(None, None, unknown)
    erlang, at_peak = flow.rate * work.seconds, flow.peak * work.seconds
    busy = erlang / slots
    sureness = _worse(flow.measurements[0].sureness, work.sureness)
    replicas = _counted(slots // concurrency, "replica")
    why = f"{_rounded(erlang):g} requests at work on average, {replicas} of {_counted(concurrency, 'slot')}"
    if busy > _OVERLOADED:
        shown = f"{busy:.0%}"
        measurement = Measurement("utilization", shown, sureness, f"{why}: overloaded, so left out")
        return _Load(None, erlang, measurement, (_overload(erlang, at_peak, slots, concurrency),))
    share = Share(max(1, round(_rounded(busy) * Share.maximum)))
    notes = (_overload(erlang, at_peak, slots, concurrency),) if at_peak > slots else ()
    return _Load(share, erlang, Measurement("utilization", str(share), sureness, why), notes)


def _overload(erlang: float, at_peak: float, slots: int, concurrency: int) -> Finding:
    """What is too much, and how many replicas would hold it: strictly more slots than work."""
    average, peak = (math.floor(load / concurrency) + 1 for load in (erlang, at_peak))
    always = erlang > slots
    when = "" if always else " in the busiest minute"
    return Finding(
        f"{_counted(slots // concurrency, 'replica')} of {_counted(concurrency, 'slot')} cannot hold "
        f"{_rounded(erlang if always else at_peak):g} requests at work{when}: "
        f"{_counted(average, 'replica')} would hold the average, {peak} the peak",
        f"say how many there are: --replicas {average}; or --concurrency, where one takes several at once"
        if always
        else f"run {_counted(peak, 'replica')} in that minute, or let requests wait",
        weight=Weight.WARNING if always else Weight.NOTE,
    )


# --- saying it


def _means(trace: Trace) -> dict[str, float]:
    measures = trace.measures if isinstance(trace, Arrivals) else {}
    return {name: _rounded(float(np.nanmean(values))) for name, values in measures.items()}


def _rate(per_second: float, *, up: bool = False) -> Rate:
    """A rate of three digits, in the unit that suits it; rounded up where it is to be enough."""
    units = (("/s", 0.1), ("/min", 0.1 / 60), ("/h", 0.1 / 3600), ("/day", 0.0))
    unit = next(unit for unit, least in units if per_second >= least)
    value = per_second * Rate.units["/s"] / Rate.units[unit]
    rate = Rate.of(_rounded(value, up=up), unit)
    return max(rate, Rate(1))


def _rounded(value: float, digits: int = 3, *, up: bool = False) -> float:
    if not value:
        return 0.0
    power = digits - 1 - math.floor(math.log10(abs(value)))
    nearest = round(value, power)
    if up and nearest < value * (1 - 1e-12):
        nearest = round(nearest + 10.0**-power, power)
    return nearest


def _plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


def _by_error(error: float) -> Sureness:
    return Sureness.SURE if error <= _SURE else Sureness.FAIR if error <= _FAIR else Sureness.POOR


def _worse(*each: Sureness) -> Sureness:
    return max(each, key=_ORDER.index)


def _percent(error: float) -> str:
    return f"± {error:.0%}" if math.isfinite(error) else "of unknown error"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count:,} {what}s"


def duration_text(seconds: float) -> str:
    """A length of time as a person says it."""
    units: Iterable[tuple[float, str]] = (
        (2 * _DAY_S, "days"),
        (2 * _HOUR_S, "hours"),
        (2 * _MINUTE_S, "minutes"),
        (1.0, "s"),
        (1e-3, "ms"),
        (1e-6, "us"),
        (0.0, "ns"),
    )
    worth = {
        "days": _DAY_S,
        "hours": _HOUR_S,
        "minutes": _MINUTE_S,
        "s": 1,
        "ms": 1e-3,
        "us": 1e-6,
        "ns": 1e-9,
    }
    unit = next(unit for least, unit in units if seconds >= least)
    return f"{seconds / worth[unit]:.3g} {unit}"
