"""How unevenly requests come: from the gaps between them where the log tells those, else from their counts.

A log whose times are coarser than the gaps shows gaps of nothing and of whole ticks, whose variation is that
of the clock: 19 for Poisson arrivals at 20 a second told in seconds. There, and for counts, the index of
dispersion takes its place, and that it does is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from components.traffic import statistics
from components.traffic.findings import Finding, Weight
from components.traffic.measurement import (
    FEW,
    HOUR_S,
    LARGEST_RATIO,
    MINUTE_S,
    Measurement,
    Sureness,
    by_error,
    duration_text,
    percent,
    rounded,
    worse,
)
from components.traffic.statistics import Estimate
from components.traffic.trace import SECOND_NS, Arrivals, Counts, Nanoseconds

_WINDOWS: Final = (1, 10, 60)
_WINDOWS_AT_LEAST: Final = 20
_CORRELATED: Final = 3
_MANY_AT_ONCE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Burstiness:
    """A squared coefficient of variation, or what stands in for it; None where nothing can."""

    value: float | None
    measurement: Measurement
    findings: tuple[Finding, ...] = ()


def burstiness_of(trace: Arrivals, resolution_ns: int, *, within: bool) -> Burstiness:
    """How unevenly requests come, each hour against its own rate where `within` is true."""
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
    judged = _judged(measure(times), gaps, how)
    return replace(judged, findings=tuple(_at_once(times, resolution_ns)))


def _at_once(times: Nanoseconds, resolution_ns: int) -> Iterator[Finding]:
    share = np.count_nonzero(np.diff(times) == 0) / len(times)
    if share > _MANY_AT_ONCE:
        yield Finding(
            f"{share:.0%} of requests carry the same time as the one before them: to the resolution of the "
            f"log, {duration_text(resolution_ns / SECOND_NS)}, they came together",
            "nothing to do if they did (batches, retries); else log finer times",
            weight=Weight.NOTE,
        )


def _resolution_limited(trace: Arrivals, resolution_ns: int, mean_ns: float, *, within: bool) -> Burstiness:
    step = duration_text(resolution_ns / SECOND_NS)
    finding = Finding(
        f"times are to {step}, and requests come every {duration_text(mean_ns / SECOND_NS)}: the gaps "
        "between them are lost, so burstiness is limited by resolution",
        f"log finer times; until then it is the index of dispersion of counts in windows of {step}",
    )
    windows = statistics.windows_in(trace.times_ns, resolution_ns)
    if windows < _WINDOWS_AT_LEAST:
        why = f"times are to {step}, and the trace fills {windows} of such windows"
        return replace(_unknown(why), findings=(finding,))
    estimate = statistics.dispersion(trace.times_ns, resolution_ns, within_hours=within)
    how = f"index of dispersion of {windows:,} windows of {step}, the resolution of the log"
    judged = _judged(estimate, windows, how)
    return replace(_at_most_fair(judged), findings=(finding,))


def burstiness_of_counts(trace: Counts, *, within: bool) -> Burstiness:
    """The same of counts."""
    counts = trace.counts
    if len(counts) < _WINDOWS_AT_LEAST:
        return _unknown(f"{len(counts)} steps are too few; it takes {_WINDOWS_AT_LEAST}")
    hours = trace.middles_ns // statistics.HOUR_NS if within and trace.step_s * 2 <= HOUR_S else None
    how = f"index of dispersion of {len(counts):,} counts of {trace.step_s:g} s"
    return _at_most_fair(_judged(statistics.dispersion_of(counts, hours), len(counts), how))


def _judged(estimate: Estimate, sample: int, how: str) -> Burstiness:
    value = rounded(min(estimate.value, LARGEST_RATIO))
    sureness = by_error(estimate.relative_error)
    if sample < FEW:
        sureness, how = Sureness.POOR, f"{how}: too few"
    why = f"{how}, {percent(estimate.relative_error)}"
    return Burstiness(value, Measurement("burstiness", f"{value:g}", sureness, why))


def _at_most_fair(judged: Burstiness) -> Burstiness:
    """What stands in for cv² is never surer than that."""
    told = judged.measurement
    return replace(judged, measurement=replace(told, sureness=worse(told.sureness, Sureness.FAIR)))


def _unknown(why: str) -> Burstiness:
    return Burstiness(None, Measurement("burstiness", "-", Sureness.UNKNOWN, why))


def dispersions(trace: Arrivals, resolution_ns: int, *, within: bool) -> dict[int, float]:
    """Index of dispersion by the length of the window in seconds, where the trace fills enough of them."""
    return {
        window: rounded(statistics.dispersion(trace.times_ns, window * SECOND_NS, within_hours=within).value)
        for window in _WINDOWS
        if window * SECOND_NS >= resolution_ns
        and statistics.windows_in(trace.times_ns, window * SECOND_NS) >= _WINDOWS_AT_LEAST
    }


def correlation(burstiness: float | None, dispersion: Mapping[int, float]) -> Iterator[Finding]:
    """That counts vary more than the gaps can explain."""
    by_minute = dispersion.get(MINUTE_S)
    if burstiness is None or by_minute is None or by_minute <= _CORRELATED * max(burstiness, 1.0):
        return
    yield Finding(
        f"counts by the minute vary {by_minute:g} times as much as chance would have it, gaps "
        f"{burstiness:g} times: busy minutes follow busy minutes",
        "size for the peak: a queueing formula, which knows the gaps only, is too hopeful here; replay the "
        "trace",
    )
