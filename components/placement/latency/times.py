"""Times as distributions, and the sum of several.

Percentiles do not add: the p99 of a sum is not the sum of the p99s, which would need every part to be slow
at once. So a part is held as a function from a share of the cases to the time that they stay within, and
parts are added case by case: a few thousand cases, each drawing every part at a share of its own, by Latin
hypercube (M. D. McKay, R. J. Beckman and W. J. Conover, Technometrics 21, 1979). There each part is drawn
exactly once from each of as many equal slices of its distribution as there are cases, so that what is left
to chance is only which slices meet. For sums that leaves a fraction of the error of independent draws, in
any number of parts, where a grid fine enough for microseconds and long enough for minutes, as convolution
wants it, would not fit.

The slices meet in the same order always. So the same parts give the same answer, and where a part is slower
at every share, the sum is slower in every case and at every percentile: a comparison of two options is
exact, however coarse the sum itself.

Between the percentiles that a source gives, a time is taken as lognormal in pieces: the logarithm of the
time is linear in the normal quantile, so that every given percentile is met and two of them are the
lognormal that goes through both. Beyond the outermost percentiles the outermost piece goes on.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from components.catalog import Distribution

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = Callable[[Floats], Floats]
"""From shares between 0 and 1 to seconds. Each share alike, it draws from the distribution."""

CASES: Final = 1 << 14
_KEPT: Final = 128
"""Draws kept, 128 KiB each: options of one stack share most of their parts."""
MEDIAN_AND_TAIL: Final = (0.50, 0.99)
_SHORTEST_S: Final = 1e-9
_EXPONENTIAL: Final = 1.0
_STEADY: Final = 1e-6
_SEPARATE: Final = 32
_REPEATED: Final = 1_000
"""Numbers of the parts that repeats draw at, beyond any other."""


@cache
def shares(part: int) -> Floats:
    """Where each case draws its part number `part`: every slice once, in an order of its own."""
    order = np.random.default_rng((0x1A7E, part)).permutation(CASES)
    drawn: Floats = (order + 0.5) / CASES
    drawn.setflags(write=False)
    return drawn


@lru_cache(_KEPT)
def fitted(distribution: Distribution) -> Times:
    """A time that meets every percentile that the catalog gives, lognormal between them."""
    at, seconds = zip(*distribution.quantiles, strict=True)
    normal = ndtri(np.array(at))
    logs = np.log(np.maximum([time.seconds for time in seconds], _SHORTEST_S))
    slopes = np.diff(logs) / np.diff(normal)

    def times(drawn: Floats) -> Floats:
        z = ndtri(drawn)
        piece = np.clip(np.searchsorted(normal, z) - 1, 0, len(slopes) - 1)
        seconds: Floats = np.exp(logs[piece] + slopes[piece] * (z - normal[piece]))
        return seconds

    return times


@lru_cache(_KEPT)
def worked(mean_s: float, variation: float) -> Times:
    """Service times of a mean and a squared coefficient of variation.

    Gamma up to the exponential, which is one of them; lognormal where they vary more, as work of mixed sizes
    does: the gamma would then have most requests do nothing at all.
    """
    if variation < _STEADY:
        return lambda drawn: np.full_like(drawn, mean_s)
    if variation == _EXPONENTIAL:
        return lambda drawn: -mean_s * np.log1p(-drawn)
    if variation < _EXPONENTIAL:
        return lambda drawn: mean_s * variation * gammaincinv(1 / variation, drawn)
    spread = np.log1p(variation)
    return lambda drawn: mean_s * np.exp(np.sqrt(spread) * ndtri(drawn) - spread / 2)


@lru_cache(_KEPT)
def sometimes(share: float, times: Times, otherwise: Times | None = None) -> Times:
    """`times` for a share of the cases, for the rest `otherwise`: no time at all where that is not given."""

    def mixed(drawn: Floats) -> Floats:
        rest = 1 - share
        late = drawn >= rest
        out = np.zeros_like(drawn)
        if otherwise is not None and rest > 0:
            out[~late] = otherwise(drawn[~late] / rest)
        # A case is drawn inside its slice, never on the edge where a time may be endless.
        out[late] = times(np.clip((drawn[late] - rest) / share, 1e-12, 1 - 1e-12)) if share else 0.0
        return out

    return mixed


@lru_cache(_KEPT)
def repeated(times: Times, count: int) -> Times:
    """So many times of that distribution one after another, as one."""
    if count == 1:
        return times
    separate = min(count, _SEPARATE)
    total = sum((times(shares(_REPEATED + each)) for each in range(separate)), np.zeros(CASES)) * (
        count / separate
    )
    return observed(total)


def observed(seconds: Floats) -> Times:
    """The distribution of a sample."""
    rising = np.sort(seconds)
    last = len(rising) - 1
    return lambda drawn: rising[np.minimum((drawn * len(rising)).astype(np.int64), last)]


@lru_cache(_KEPT)
def constant(seconds: float) -> Times:
    """Always the same."""
    return lambda drawn: np.full_like(drawn, seconds)


@lru_cache(_KEPT)
def sampled(times: Times, part: int) -> Floats:
    """What every case draws for its part of that number."""
    seconds = times(shares(part))
    seconds.setflags(write=False)
    return seconds


@lru_cache(_KEPT)
def median_and_tail(times: Times, part: int) -> tuple[float, ...]:
    """The median and the 99th percentile of that part."""
    return percentiles(sampled(times, part), MEDIAN_AND_TAIL)


def total(parts: Sequence[Floats]) -> Floats:
    """The parts of each case added up."""
    whole: Floats = np.sum(parts, axis=0)
    return whole


def percentile(seconds: Floats, share: float) -> float:
    """Within how many seconds that share of the cases is."""
    return percentiles(seconds, (share,))[0]


def percentiles(seconds: Floats, wanted: Sequence[float]) -> tuple[float, ...]:
    """Each is one of the sample, rounded up: never between a time and an endless one."""
    last = len(seconds) - 1
    at = [min(last, max(0, math.ceil(share * len(seconds)) - 1)) for share in wanted]
    parted = np.partition(seconds, at)
    return tuple(float(parted[index]) for index in at)
