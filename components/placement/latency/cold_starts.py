"""How many requests meet no warm copy of a function, by formula.

A function runs each request in a copy of its own, takes of its idle copies the one used last, and drops a
copy that nobody has wanted for the keep-alive time. (AWS says neither the order nor the time; both are as
measured by others and as simulators of such platforms have it: the last used first, a set time, as in N.
Mahmoudi and H. Khazaei, "Performance modeling of serverless computing platforms", IEEE Trans. Cloud
Computing 2020.) Idle copies are then a stack. A request that raises the number at work from k-1 to k takes
the copy that was laid down when that number last fell from k to k-1: it is warm if that was less than the
keep-alive time ago.

So if requests come by chance and service is exponential, the share that starts cold is the sum over k of the
probability that a request finds k-1 others at work (Poisson, as for endless servers) times the probability
that the number at work needs more than the keep-alive time to climb from k-1 to k. The time of that climb
has a Laplace transform that follows from the one of the step below; all are inverted at the keep-alive time
together, by the Fourier-series method with Euler summation (J. Abate and W. Whitt, "Numerical inversion of
Laplace transforms of probability distributions", ORSA Journal on Computing 7, 1995).

Copies that are held warm are taken as the lowest of the stack. In fact they are taken first even where a
copy beyond them is still at work, so with held copies the share is an upper bound. That a copy is at work
during its cold start too is left out: a cold start is short against the keep-alive time.
"""

import math
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb, pdtr

_TERMS: Final = 15
_AVERAGED: Final = 11
_ACCURACY: Final = 18.4
"""Discretisation error of the inversion, as the exponent of e: 1e-8."""
_UNLIKELY: Final = -30.0
"""Logarithm of a probability that is as good as none."""
_DEVIATIONS: Final = 8
_LEVELS_AT_MOST: Final = 4_000

_Complex = NDArray[Any]


def cold_share(*, per_second: float, service_s: float, keep_alive_s: float, provisioned: int = 0) -> float:
    """Share of the requests that meet no warm copy; 1 where they are too far apart for any to stay.

    With thousands of requests at work it is an upper bound, that of a walk which climbs as often as it falls.
    """
    offered = per_second * service_s
    if not offered:
        return 0.0 if provisioned else 1.0
    most = offered + _DEVIATIONS * math.sqrt(offered) + _DEVIATIONS**2
    if most > _LEVELS_AT_MOST:
        climbing = 1 / math.sqrt(math.pi * per_second * keep_alive_s) if keep_alive_s else 1.0
        return min(1.0, climbing, _beyond(provisioned, offered))
    if not keep_alive_s:
        return _beyond(provisioned, offered)
    return _summed(per_second, service_s, keep_alive_s, provisioned, math.ceil(most))


def _beyond(provisioned: int, offered: float) -> float:
    """Share of the requests that find all held copies at work."""
    return 1 - float(pdtr(provisioned - 1, offered)) if provisioned else 1.0


def _summed(per_second: float, service_s: float, keep_alive_s: float, lowest: int, last: int) -> float:
    at = _points() / keep_alive_s
    offered = per_second * service_s
    climb: _Complex = per_second / (per_second + at)
    share, log_likely = 0.0, -offered
    for level in range(last + 1):
        if level:
            log_likely += math.log(offered / level)
            climb = per_second / (per_second + at + level / service_s * (1 - climb))
        if level >= lowest and log_likely > _UNLIKELY:
            share += math.exp(log_likely) * _longer_than(at, climb, keep_alive_s)
    return min(1.0, max(0.0, share))


@cache
def _points() -> _Complex:
    return (_ACCURACY + 2j * math.pi * np.arange(_TERMS + _AVERAGED + 1)) / 2


def _longer_than(at: _Complex, climb: _Complex, after_s: float) -> float:
    """Probability that a time with this Laplace transform is longer than `after_s`."""
    survival = ((1 - climb) / at).real
    signs = np.where(np.arange(len(at)) % 2, -1.0, 1.0)
    terms = signs * survival
    terms[0] /= 2
    partial = np.cumsum(terms)[_TERMS:]
    weights = comb(_AVERAGED, np.arange(_AVERAGED + 1)) / 2**_AVERAGED
    value = math.exp(_ACCURACY / 2) / after_s * float(weights @ partial)
    return min(1.0, max(0.0, value))
