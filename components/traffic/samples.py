"""Values of a metric, moment by moment, as a monitoring system answers with them.

Only numbers are kept, two for each sample, so that an answer of millions of samples is no burden. What is no
number that a metric can have is counted, and its first remembered.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from components.traffic.trace import Floats, Nanoseconds

MS: Final = 1000
_LATEST_MS: Final = 2**32 * MS


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """One series, in order of time, with one value at each moment. Values are finite and not negative."""

    moments_ms: Nanoseconds
    """Milliseconds since 1970."""
    values: Floats
    unusable: int = 0
    """Samples left out: NaN, infinite, negative, no number at a time, or a second one at the same."""
    first_unusable: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, moments_ms: Sequence[float], values: Sequence[float], written: Sequence[Any]) -> "Samples":
        """Moment and value of each sample, NaN for what is none, and how each is written."""
        moments, numbers = np.asarray(moments_ms, dtype=float), np.asarray(values, dtype=float)
        usable = (moments >= 0) & (moments < _LATEST_MS) & (numbers >= 0) & (numbers < math.inf)
        at = np.flatnonzero(usable)
        each, first = np.unique(np.round(moments[at]).astype(np.int64), return_index=True)
        usable[:] = False
        usable[at[first]] = True
        unusable = len(usable) - len(each)
        example = _written(written[int(np.argmin(usable))]) if unusable else ""
        return cls(each, numbers[at[first]], unusable, example)


def _written(sample: Any) -> str:
    try:
        return str(sample)
    except (RecursionError, ValueError):  # too deep, or a number of too many digits
        return "…"


def added_up(each: Iterable[Samples]) -> Samples:
    """The sum of series at each moment that any of them has."""
    series = [one for one in each if len(one)]
    if not series:
        return Samples(np.empty(0, np.int64), np.empty(0))
    moments, which = np.unique(np.concatenate([one.moments_ms for one in series]), return_inverse=True)
    total = np.bincount(which, np.concatenate([one.values for one in series]))
    return Samples(moments, total.astype(float))


def is_running_total(series: Iterable[Samples], at_least: int) -> bool:
    """Whether values only ever rise, by whole numbers; a rate that stays the same never goes down either."""
    filled = [one.values for one in series if len(one)]
    return max(map(len, filled), default=0) >= at_least and all(
        values[0] != values[-1] and bool((np.diff(values) >= 0).all() and (values == np.floor(values)).all())
        for values in filled
    )
