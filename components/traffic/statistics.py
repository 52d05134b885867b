"""How unevenly events come in time.

Two views of the same thing. The squared coefficient of variation of the gaps between arrivals (cv²) is what
queueing formulas take; it wants every moment finely enough. The index of dispersion of counts (variance over
mean of the number in windows of one length) wants counts only. Both are 1 for Poisson arrivals, and for
arrivals that are independent of each other the second tends to the first as windows grow (Cox & Lewis, "The
Statistical Analysis of Series of Events", 1966). Where it does not, arrivals are correlated.

The rate's own swing over the day is no burstiness: where the shape of the day is measured, both are taken
within hours, each hour against its own rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.traffic.trace import SECOND_NS, Floats, Nanoseconds

HOUR_NS: Final = 3_600 * SECOND_NS
_BLOCKS: Final = 20
_BLOCK_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, and its standard error."""

    value: float
    error: float

    @property
    def relative_error(self) -> float:
        """The error as a part of the value; infinite where the value is zero and the error is not."""
        if not self.error:
            return 0.0
        return self.error / self.value if self.value else float("inf")


def gap_variation(times_ns: Nanoseconds) -> Estimate:
    """cv² of the gaps between arrivals, of which there are at least two."""
    return _variation(np.diff(times_ns) / SECOND_NS)


def gap_variation_within_hours(times_ns: Nanoseconds) -> Estimate:
    """The same on a clock that runs in each hour as fast as requests come in it."""
    hours, starts, counts = np.unique(times_ns // HOUR_NS, return_index=True, return_counts=True)
    opened = np.maximum(hours * HOUR_NS, times_ns[0])
    closed = np.minimum((hours + 1) * HOUR_NS, times_ns[-1] + 1)
    which = np.repeat(np.arange(len(hours)), counts)
    part = (times_ns - opened[which]) / (closed - opened)[which]
    return _variation(np.diff(starts[which] + counts[which] * part))


def windows_in(times_ns: Nanoseconds, window_ns: int) -> int:
    """How many windows the trace fills; the two that it begins and ends in are not among them."""
    return max(int(times_ns[-1] // window_ns - times_ns[0] // window_ns) - 1, 0)


def dispersion(times_ns: Nanoseconds, window_ns: int, *, within_hours: bool = False) -> Estimate:
    """Index of dispersion of the counts in the windows that the trace fills, of which there are some."""
    first, windows = int(times_ns[0] // window_ns) + 1, windows_in(times_ns, window_ns)
    position = times_ns // window_ns
    filled = position[(position >= first) & (position < first + windows)]
    if not len(filled):
        return Estimate(0.0, float("inf"))
    busy, counts = np.unique(filled, return_counts=True)
    per_hour = HOUR_NS // window_ns
    hours = range(-(-first // per_hour), (first + windows) // per_hour) if per_hour > 1 else range(0)
    if within_hours and len(hours) > 1:
        return _dispersion_within_hours(busy // per_hour, counts.astype(float), hours, per_hour)
    return _jackknifed(_sums(busy - first, counts.astype(float), windows), _index)


def dispersion_of(counts: Floats, hours: Nanoseconds | None = None) -> Estimate:
    """Index of dispersion of counts; within hours, where `hours` says which hour each is of."""
    at = np.arange(len(counts))
    if hours is None:
        return _jackknifed(_sums(at, counts, len(counts)), _index)
    _, which, sizes = np.unique(hours, return_inverse=True, return_counts=True)
    mean = np.bincount(which, counts) / sizes
    # Each hour loses one degree of freedom to its own mean.
    spread = np.sum((counts - mean[which]) ** 2 * (sizes / np.maximum(sizes - 1, 1))[which])
    total = counts.sum()
    return Estimate(float(spread / total), float(spread / total * np.sqrt(2 / len(counts))))


def _dispersion_within_hours(hour: Nanoseconds, counts: Floats, hours: range, per_hour: int) -> Estimate:
    """The same against the mean of each hour, for the hours that the trace covers whole."""
    inside = (hour >= hours.start) & (hour < hours.stop)
    which = hour[inside] - hours.start
    total = np.bincount(which, counts[inside], len(hours))
    squares = np.bincount(which, counts[inside] ** 2, len(hours))
    if not total.any():
        return Estimate(0.0, float("inf"))
    # Each hour loses one degree of freedom to its own mean.
    spread = (squares - total**2 / per_hour).sum() * per_hour / (per_hour - 1)
    value = float(spread / total.sum())
    return Estimate(value, value * float(np.sqrt(2 / (len(hours) * per_hour))))


@dataclass(frozen=True, slots=True)
class _Sums:
    """Number, sum and sum of squares of a sample, by consecutive block."""

    number: Floats
    total: Floats
    squares: Floats


_Statistic = Callable[[Floats, Floats, Floats], Floats]


def _variation(gaps: Floats) -> Estimate:
    # In units of their mean, so that no square of a nanosecond is lost beside that of a day.
    scaled = gaps / gaps.mean()
    return _jackknifed(_sums(np.arange(len(scaled)), scaled, len(scaled)), _cv2)


def _cv2(number: Floats, total: Floats, squares: Floats) -> Floats:
    return np.maximum(squares * number / total**2 - 1, 0)


def _index(number: Floats, total: Floats, squares: Floats) -> Floats:
    return np.maximum(squares / total - total / number, 0)


def _sums(at: Nanoseconds, values: Floats, size: int) -> _Sums:
    blocks = max(1, min(_BLOCKS, size // _BLOCK_AT_LEAST))
    edges = np.linspace(0, size, blocks + 1).astype(np.int64)
    which = np.searchsorted(edges, at, side="right") - 1
    return _Sums(
        np.diff(edges).astype(float),
        np.bincount(which, values, blocks).astype(float),
        np.bincount(which, values**2, blocks).astype(float),
    )


def _jackknifed(sums: _Sums, statistic: _Statistic) -> Estimate:
    """The statistic of the whole, its error from leaving out each block in turn: bursts stay in one piece."""
    whole = tuple(part.sum() for part in (sums.number, sums.total, sums.squares))
    value = float(statistic(*map(np.asarray, whole)))
    number, total, squares = whole[0] - sums.number, whole[1] - sums.total, whole[2] - sums.squares
    kept = total > whole[1] * 1e-9
    if np.count_nonzero(kept) < 2:  # noqa: PLR2004 - one alone has no spread
        return Estimate(value, float("inf"))
    without = statistic(number[kept], total[kept], squares[kept])
    blocks = len(without)
    error = np.sqrt((blocks - 1) / blocks * np.sum((without - without.mean()) ** 2))
    return Estimate(value, float(error))


def busiest(times_ns: Nanoseconds, window_ns: int) -> int:
    """Most arrivals in any stretch of that length."""
    ends = np.searchsorted(times_ns, times_ns + window_ns, side="left")
    return int(np.max(ends - np.arange(len(times_ns))))


def resolution(times_ns: Nanoseconds) -> int:
    """The coarsest of the steps that clocks tick in which all times keep to, in nanoseconds."""
    common = int(np.gcd.reduce(times_ns))
    minute = 60 * SECOND_NS
    steps = [minute, *(int(10**power) for power in range(9, -1, -1))]
    return next(step for step in steps if common % step == 0)


def by_hour_of_day(times_ns: Nanoseconds) -> tuple[Floats, Floats]:
    """Arrivals in each hour of the day (UTC), and how many seconds of each the trace covers."""
    first, last = int(times_ns[0]), int(times_ns[-1])
    counts = np.bincount((times_ns // HOUR_NS) % 24, minlength=24).astype(float)
    edges = np.arange(first // HOUR_NS, last // HOUR_NS + 1)
    covered = np.minimum((edges + 1) * HOUR_NS, last) - np.maximum(edges * HOUR_NS, first)
    return counts, np.bincount(edges % 24, covered / SECOND_NS, minlength=24).astype(float)
