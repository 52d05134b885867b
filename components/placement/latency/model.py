"""How long one request takes: percentiles of the whole and of each part.

The parts are the legs of the way, the wait in the queue, the cold start and the work. They are taken as
independent of each other and added case by case (`times`). Wait and cold start come from a formula where it
follows the demand, else from a simulation (`simulation`), and always from one where arrivals are given; the
answer says which, and why.

With a shape of the day each hour is taken by itself and weighs as many requests as it has. A load that is
not less than capacity has no percentile to give: the queue grows as long as it lasts, and the answer says
so.

What the model takes for granted: service times do not grow with the requests that a replica has at once, up
to its concurrency; within an hour the rate does not drift (where it does, give the log); callers wait as
long as it takes. Lambda Managed Instances are a queue too, where AWS may turn requests away instead.
"""

from dataclasses import dataclass, replace
from typing import Final

from components.catalog import Catalog
from components.placement.latency.delays import Method, Stage
from components.placement.latency.simulation import MADE_UP, Requests, typed
from components.placement.latency.times import (
    MEDIAN_AND_TAIL,
    Floats,
    median_and_tail,
    percentiles,
    sampled,
    total,
)
from components.placement.latency.way import SHORTEST, Around, Leg, way
from components.placement.options import Demand, Option
from components.spec.units import Duration, Share

_LEGS: Final = 3
_SHARES: Final = (0.05, 0.25, 0.50, 0.75, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the way of a request. Percentiles of parts do not add up to those of the whole."""

    name: str
    p50: Duration | None
    p99: Duration | None
    """None is endless."""
    caveat: str
    """What its numbers rest on, where that is not sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long one request takes. None is endless: more requests come than are served."""

    p50: Duration | None
    p95: Duration | None
    p99: Duration | None
    quantiles: tuple[tuple[float, Duration | None], ...]
    """The whole distribution, coarsely: the share of requests, and what they are answered within."""
    parts: tuple[Part, ...]
    method: Method
    """How the wait and the share of cold starts were found."""
    cold_start_share: Share
    note: str
    """Why that method, and what it cannot see, in sentences."""

    @property
    def overloaded(self) -> bool:
        """Whether some requests wait without end."""
        return self.p99 is None


def latency(
    option: Option,
    demand: Demand,
    catalog: Catalog,
    around: Around = SHORTEST,
    requests: Requests = MADE_UP,
) -> Latency:
    """Percentiles of one request on its way through an option, at the demand's rate.

    `requests` of a log are replayed; else they say how a simulation, where one is needed, makes them up.
    Raises OptionError where something given cannot be, MissingFigureError where the catalog lacks a figure
    for the region.
    """
    stage = Stage(option, demand, catalog, around.region, requests)
    found = stage.replayed() if requests.given else stage.by_hour()
    legs = _numbered(option, demand, catalog, around)
    whole = total([*(sampled(leg.times, number) for leg, number in legs), found.seconds, found.work_s])
    return latency_of(
        whole,
        parts=(
            *parts_of_way(option, demand, catalog, around),
            part_of(found.name, found.seconds, found.caveat),
            part_of("work", found.work_s, "; ".join(demand.assumed)),
        ),
        method=found.method,
        cold_start_share=Share(round(found.cold_share * Share.maximum)),
        note=found.note,
    )


def latency_of(
    seconds: Floats, *, parts: tuple[Part, ...], method: Method, cold_start_share: Share, note: str
) -> Latency:
    """The latency of requests that took so long, each."""
    times = percentiles(seconds, _SHARES)
    quantiles = {share: typed(time) for share, time in zip(_SHARES, times, strict=True)}
    return Latency(
        p50=quantiles[0.50],
        p95=quantiles[0.95],
        p99=quantiles[0.99],
        quantiles=tuple(quantiles.items()),
        parts=parts,
        method=method,
        cold_start_share=cold_start_share,
        note=note,
    )


def parts_of_way(option: Option, demand: Demand, catalog: Catalog, around: Around) -> tuple[Part, ...]:
    """The legs of the way, each as a part; raises MissingFigureError."""
    return tuple(
        _part(leg.name, median_and_tail(leg.times, number), leg.caveat)
        for leg, number in _numbered(option, demand, catalog, around)
    )


def part_of(name: str, seconds: Floats, caveat: str = "") -> Part:
    """A part of the way of requests which took so long at it, each."""
    return _part(name, percentiles(seconds, MEDIAN_AND_TAIL), caveat)


def _numbered(option: Option, demand: Demand, catalog: Catalog, around: Around) -> list[tuple[Leg, int]]:
    return [(leg, _LEGS + number) for number, leg in enumerate(way(option, demand, catalog, around))]


def _part(name: str, median_and_tail_s: tuple[float, ...], caveat: str) -> Part:
    median_s, tail_s = median_and_tail_s
    return Part(name, typed(median_s), typed(tail_s), caveat)


def at_peak(demand: Demand) -> Demand:
    """The same demand, were it always its busiest minute."""
    return replace(demand, rate=demand.peak, hourly=None)
