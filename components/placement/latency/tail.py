"""Nodes with a function twin: how fast they answer, and how much goes to the twin.

No formula follows a queue that hands over what it is too long for to copies that start cold, so requests are
made up and played through: those of each kind of hour by themselves, as many as its share of the day.

The twin is taken to have a copy for each that comes, where a stack bounds them: what then waits for a pod
after all is slower than is said here.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from components.catalog import Catalog
from components.placement.latency.model import Latency, at_peak, latency_of, part_of, parts_of_way
from components.placement.latency.simulation import (
    MADE,
    Played,
    Requests,
    Scenario,
    Twin,
    answered,
    journey,
    play,
    share_of,
)
from components.placement.latency.way import SHORTEST, Around, cold_start
from components.placement.options import Demand, FunctionOption, NodesOption
from components.spec.units import Share

_WHOLE_DAY: Final = (1.0,)


@dataclass(frozen=True, slots=True)
class Tailed:
    """What nodes and their twin do together."""

    latency: Latency
    spilled: Share
    """Of all requests, those that go to the twin."""


def tailed(  # noqa: PLR0913 - each is a thing of its own that the answer depends on
    option: NodesOption,
    twin: FunctionOption,
    demand: Demand,
    catalog: Catalog,
    around: Around = SHORTEST,
    *,
    queue: int,
) -> Tailed:
    """Percentiles of one request at nodes whose twin takes whoever finds `queue` requests waiting.

    Raises OptionError where something given cannot be, MissingFigureError where the catalog lacks a figure.
    """
    scenario = Scenario(twin=Twin(function=twin), queue=queue)
    played = _played(option, demand, catalog, around.region, scenario)
    busiest = _played(option, at_peak(demand), catalog, around.region, scenario)
    drawn = journey(option, demand, catalog, around, scenario, requests=len(played.wait_s))
    seen = answered(played, drawn)
    onward_s = np.where(played.spilled, 0.0 if drawn.onward_s is None else drawn.onward_s, 0.0)
    return Tailed(
        latency_of(
            seen.seconds,
            parts=(
                *parts_of_way(option, demand, catalog, around),
                part_of("queue", played.wait_s),
                part_of("on to the function twin", onward_s),
                part_of("cold start", played.cold_s, cold_start(twin, catalog, around.region).caveat),
                part_of("work", played.work_s, "; ".join(demand.assumed)),
            ),
            method="simulation",
            cold_start_share=seen.cold_start_share,
            note=(
                f"its function twin takes {seen.spilled_share} of the requests,"
                f" {share_of(busiest.spilled)} in the busiest minute"
            ),
        ),
        seen.spilled_share,
    )


def _hours(demand: Demand, scenario: Scenario) -> Iterator[tuple[Demand, Scenario]]:
    """Each kind of hour that has requests, as a demand of its own and as many requests as it has of all."""
    hours = Counter(weight for weight in demand.hourly or _WHOLE_DAY if weight)
    whole = sum(weight * count for weight, count in hours.items())
    for number, (weight, count) in enumerate(sorted(hours.items())):
        rate = demand.rate * weight
        met = replace(demand, rate=rate, peak=max(rate, demand.peak), hourly=None)
        requests = Requests(seed=number, count=max(1, round(MADE * weight * count / whole)))
        yield met, replace(scenario, requests=requests)


def _played(option: NodesOption, demand: Demand, catalog: Catalog, region: str, scenario: Scenario) -> Played:
    """The requests of all kinds of hours."""
    hours = [play(option, met, catalog, region, each) for met, each in _hours(demand, scenario)]
    names = [field.name for field in fields(Played)]
    return Played(**{name: np.concatenate([getattr(hour, name) for hour in hours]) for name in names})
