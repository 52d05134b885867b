"""The shape of a day: how much of the traffic each of its 24 hours gets."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from components.traffic import statistics
from components.traffic.measurement import DAY_S, HOUR_S, WEEK_S, Measurement, Sureness
from components.traffic.trace import Arrivals, Counts, Floats

_HOURS: Final = 24

# A day is measured when every hour of it was seen for most of its length, by enough requests to tell hours
# apart from chance (one in five for an hour of average traffic).
_HOUR_SEEN_S: Final = 50 * 60
_REQUESTS_AN_HOUR: Final = 25


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a day, or why there is none."""

    weights: tuple[float, ...] | None
    """From 00:00 UTC, of mean 1."""
    mean_rate: float
    """Over the day, each hour of it counted once however often it was seen."""
    measurement: Measurement

    @classmethod
    def of_arrivals(cls, trace: Arrivals) -> "Shape":
        """The shape of the day that the requests came in."""
        if not trace.absolute:
            return cls._missing("times count from the beginning of the trace, so the hour is not known")
        counts, seconds = statistics.by_hour_of_day(trace.times_ns)
        return cls._of(counts, seconds)

    @classmethod
    def of_counts(cls, trace: Counts) -> "Shape":
        """The same of counts."""
        hours = (trace.middles_ns // statistics.HOUR_NS) % _HOURS
        if trace.step_s > HOUR_S:
            return cls._missing(f"steps of {trace.step_s:g} s are longer than an hour")
        return cls._of(
            np.bincount(hours, trace.counts, _HOURS).astype(float),
            np.bincount(hours, minlength=_HOURS).astype(float) * trace.step_s,
        )

    @classmethod
    def _of(cls, counts: Floats, seconds: Floats) -> "Shape":
        unseen = int(np.count_nonzero(seconds < _HOUR_SEEN_S))
        if unseen:
            return cls._missing(f"{unseen} of the day's 24 hours are not in the trace; it takes a whole day")
        if counts.sum() < _HOURS * _REQUESTS_AN_HOUR:
            return cls._missing(f"{counts.sum():,.0f} requests are too few to tell the hours of a day apart")
        rates = counts / seconds
        mean = float(rates.mean())
        weights = tuple(round(float(rate) / mean, 2) for rate in rates)
        days = seconds.sum() / DAY_S
        busiest = int(np.argmax(rates))
        text = f"{weights[busiest]:g} x at {busiest:02d}:00 UTC"
        return cls(weights, mean, Measurement("daily shape", text, *_days(days)))

    @classmethod
    def _missing(cls, why: str) -> "Shape":
        return cls(None, 0.0, Measurement("daily shape", "-", Sureness.UNKNOWN, why))


def _days(days: float) -> tuple[Sureness, str]:
    if days * DAY_S >= WEEK_S:
        return Sureness.SURE, f"busiest hour of {days:.1f} days"
    return Sureness.FAIR, f"busiest hour of {days:.1f} days; less than a week, so weekends may differ"
