"""Requests made up from what a demand says, where no log of them is at hand.

The times between requests are gamma, scaled to the rate: at a burstiness of 1 that is chance, below it a
clock's tick that wavers, far above it whole bursts at once with long silences between. Two numbers cannot
say how long bursts last, so a made-up sequence is no log; of the families tried on real ones
(hyperexponential with balanced means, interrupted Poisson at the peak's rate) it came nearest.

The same seed gives the same draws at every rate: at a higher rate the same requests come closer together,
and none of them can be answered sooner for it.
"""

from typing import Final

import numpy as np

from components.placement.latency.times import Floats, Times
from components.placement.options import Demand, OptionError

REQUESTS_AT_MOST: Final = 1_000_000


def made(demand: Demand, *, count: int, seed: int) -> Floats:
    """So many arrivals, in seconds from the first."""
    if not 1 <= count <= REQUESTS_AT_MOST:
        raise OptionError(
            "count", count, "is no number of requests to simulate", f"give 1 to {REQUESTS_AT_MOST:,}"
        )
    if not demand.rate:
        raise OptionError("rate", demand.rate, "brings no requests to simulate", "give a rate above zero")
    random = np.random.default_rng((seed, 0))
    if demand.burstiness > 0:
        gaps = random.gamma(1 / demand.burstiness, demand.burstiness, count)
    else:
        gaps = np.ones(count)
    gaps[0] = 0
    times: Floats = np.cumsum(gaps) / demand.rate.per_second
    return times


def checked(arrivals_s: object, where: str = "arrivals") -> Floats:
    """Given times of arrival as an array, from the first on; raises OptionError where they are none."""
    times = _numbers(arrivals_s, where)
    if len(times) and np.any(np.diff(times) < 0):
        raise OptionError(where, _first(np.diff(times) < 0), "comes before the one before it", "sort them")
    return times - times[0] if len(times) else times


def checked_services(service_s: object, requests: int) -> Floats:
    """Given service times as an array, one for each request; raises OptionError where they are not."""
    times = _numbers(service_s, "service_s")
    if len(times) != requests:
        raise OptionError(
            "service_s", len(times), f"are not the {requests} that arrive", "give one for each arrival"
        )
    if np.any(times < 0):
        raise OptionError("service_s", _first(times < 0), "is negative", "give 0 or more")
    return times


def drawn(times: Times, requests: int, seed: int, stream: int) -> Floats:
    """One time for each request."""
    shares = np.random.default_rng((seed, stream)).random(requests)
    return times(np.clip(shares, 1e-12, 1 - 1e-12))


def _numbers(values: object, where: str) -> Floats:
    try:
        times = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(where, "", "are no numbers", "give seconds") from None
    if times.ndim != 1 or not len(times) or len(times) > REQUESTS_AT_MOST:
        raise OptionError(
            where, times.shape, "is no sequence of requests", f"give 1 to {REQUESTS_AT_MOST:,}, in seconds"
        )
    if not np.all(np.isfinite(times)):
        raise OptionError(where, _first(~np.isfinite(times)), "is no finite number", "leave it out")
    return times


def _first(wrong: object) -> str:
    return f"[{int(np.argmax(np.asarray(wrong)))}]"
