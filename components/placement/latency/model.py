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

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np

from components.catalog import Catalog
from components.placement.latency import queueing
from components.placement.latency.cold_starts import cold_share
from components.placement.latency.simulation import (
    MADE_UP,
    Played,
    Setting,
    Source,
    play,
    share_of,
    typed,
)
from components.placement.latency.times import (
    CASES,
    Floats,
    Times,
    constant,
    observed,
    percentile,
    shares,
    sometimes,
    total,
    worked,
)
from components.placement.latency.way import SHORTEST, Around, cold_start, way
from components.placement.options import Demand, FunctionOption, Option
from components.spec.units import Duration, Rate, Share

CLOSE_TO_SATURATION: Final = 0.9
"""Utilization above which a small error in the rate is a large one in the wait."""
_WHICH_HOUR: Final = 0
_DELAY: Final = 1
_WORK: Final = 2
_LEGS: Final = 3
_REQUESTS_AN_HOUR: Final = 4_000
_STRETCHED: Final = 10
"""Times as many requests as asked for, at most, to see copies of a function dropped."""
_WARMED_UP: Final = 0.05
_MANY: Final = 100
_WHOLE_DAY: Final = (1.0,)


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
    parts: tuple[Part, ...]
    method: Literal["formula", "simulation"]
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
    source: Source = MADE_UP,
) -> Latency:
    """Percentiles of one request on its way through an option, at the demand's rate.

    A `source` with a log is replayed; else it seeds the simulation, where one is needed. Raises OptionError
    where something given cannot be, MissingFigureError where the catalog lacks a figure for the region.
    """
    stage = _Stage(option, demand, catalog, around.region, source)
    found = stage.replayed() if source.given else stage.by_hour()
    legs = way(option, demand, catalog, around)
    parts = [
        *((leg.name, leg.times(shares(_LEGS + number)), leg.caveat) for number, leg in enumerate(legs)),
        (found.name, found.seconds, found.caveat),
        ("work", found.work(shares(_WORK)), "; ".join(demand.assumed)),
    ]
    whole = total([seconds for _, seconds, _ in parts])
    return Latency(
        p50=typed(percentile(whole, 0.50)),
        p95=typed(percentile(whole, 0.95)),
        p99=typed(percentile(whole, 0.99)),
        parts=tuple(
            Part(name, typed(percentile(seconds, 0.50)), typed(percentile(seconds, 0.99)), caveat)
            for name, seconds, caveat in parts
        ),
        method=found.method,
        cold_start_share=Share(round(found.cold_share * Share.maximum)),
        note=found.note,
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Delays:
    """Waits or cold starts, case by case, and the work that comes with them."""

    name: str
    seconds: Floats
    caveat: str
    work: Times
    cold_share: float
    method: Literal["formula", "simulation"]
    note: str


@dataclass(frozen=True)
class _Stage:
    option: Option
    demand: Demand
    catalog: Catalog
    region: str
    source: Source

    @property
    def _function(self) -> FunctionOption | None:
        return self.option if isinstance(self.option, FunctionOption) else None

    @property
    def _follows(self) -> bool:
        return queueing.follows(self.demand.burstiness, self.demand.service_variation)

    @cached_property
    def _hours(self) -> tuple[tuple[float, float], ...]:
        """Kinds of hours with requests in them, busiest last: weight, and share of all requests."""
        counts = Counter(weight for weight in self.demand.hourly or _WHOLE_DAY if weight)
        whole = math.fsum(weight * count for weight, count in counts.items())
        return tuple((weight, weight * counts[weight] / whole) for weight in sorted(counts))

    def by_hour(self) -> _Delays:
        """Each hour by itself, in as many of the cases as it has of the requests."""
        seconds, cold, begin = np.zeros(CASES), 0.0, 0.0
        for weight, of_all in self._hours:
            times, share = self._hour(weight)
            cases = shares(_WHICH_HOUR) >= begin
            seconds[cases] = times(shares(_DELAY)[cases])
            cold += share * of_all
            begin += of_all
        return self._answer(
            seconds, min(cold, 1.0), "formula" if self._follows else "simulation", self._why()
        )

    def replayed(self) -> _Delays:
        """The delays of given requests, each with its own work."""
        played = play(self.option, self.demand, self.catalog, self.region, Setting(source=self.source))
        delay_s = played.wait_s + played.cold_s
        order = np.argsort(delay_s, kind="stable")
        pick = order[(shares(_DELAY) * len(order)).astype(np.int64)]
        answer = self._answer(
            delay_s[pick],
            share_of(played.cold_s > 0).fraction,
            "simulation",
            f"{len(order):,} requests were played through as given.",
        )
        return replace(answer, work=lambda _: played.work_s[pick])

    def _answer(
        self, seconds: Floats, cold: float, method: Literal["formula", "simulation"], note: str
    ) -> _Delays:
        function = self._function
        return _Delays(
            name="queue" if function is None else "cold start",
            seconds=seconds,
            caveat="" if function is None else self._cold_caveat(function),
            work=worked(self.demand.service_time.seconds, self.demand.service_variation),
            cold_share=cold,
            method=method,
            note=note,
        )

    def _cold_caveat(self, function: FunctionOption) -> str:
        kept = self.catalog.latency.cold_start.kept_warm
        said = cold_start(function, self.catalog, self.region).caveat
        return "; ".join(filter(None, (said, f"idle copies are kept for {kept.value}{kept.caveat}")))

    def _hour(self, weight: float) -> tuple[Times, float]:
        """The delay in an hour of that weight, and its share of cold starts."""
        per_second = self.demand.rate.per_second * weight
        if not self._follows:
            return self._simulated(weight)
        if (function := self._function) is not None:
            return self._cold(function, per_second)
        waits = queueing.wait(
            servers=self.option.servers,
            per_second=per_second,
            service_s=self.demand.service_time.seconds,
            burstiness=self.demand.burstiness,
            service_variation=self.demand.service_variation,
        )
        return waits.at, 0.0

    def _cold(self, function: FunctionOption, per_second: float) -> tuple[Times, float]:
        share = cold_share(
            per_second=per_second,
            service_s=self.demand.service_time.seconds,
            keep_alive_s=self.catalog.latency.cold_start.kept_warm.value.seconds,
            provisioned=function.provisioned,
        )
        return sometimes(share, cold_start(function, self.catalog, self.region).times), share

    def _simulated(self, weight: float) -> tuple[Times, float]:
        rate = Rate(min(Rate.maximum, round(self.demand.rate.steps * weight)))
        if (
            self._function is None
            and rate.per_second * self.demand.service_time.seconds >= self.option.servers
        ):
            return constant(math.inf), 0.0
        if not rate:
            return constant(0.0), 0.0
        played = self._played(rate)
        return observed(played.wait_s + played.cold_s), share_of(played.cold_s > 0).fraction

    def _played(self, rate: Rate) -> Played:
        """Hours on end at one rate, without their beginning, when all was idle."""
        demand = replace(self.demand, rate=rate, peak=max(rate, self.demand.peak), hourly=None)
        requests = max(_REQUESTS_AN_HOUR, self.source.requests // len(self._hours))
        kept_s = self.catalog.latency.cold_start.kept_warm.value.seconds
        if self._function is not None:
            requests = max(requests, min(_STRETCHED * requests, round(4 * kept_s * rate.per_second)))
        setting = Setting(source=replace(self.source, requests=requests))
        played = play(self.option, demand, self.catalog, self.region, setting)
        until_s = float(played.arrivals_s[-1])
        begun_s = until_s * _WARMED_UP
        return played.after(begun_s if self._function is None else min(until_s / 2, max(kept_s, begun_s)))

    def _why(self) -> str:
        loads = self._loads() if self._function is None else []
        return " ".join(loads if self._follows else [self._beyond_formula(), *loads])

    def _beyond_formula(self) -> str:
        uneven = f"burstiness {self.demand.burstiness:g}, service variation {self.demand.service_variation:g}"
        return (
            f"No formula follows requests so uneven ({uneven}): a sequence of them was made up and played "
            "through. How long bursts last is not known from these numbers; a request log tells it."
        )

    def _loads(self) -> list[str]:
        servers, (busiest, _) = self.option.servers, self._hours[-1]
        offered = self.demand.offered * busiest
        hour = " in the busiest hour" if self.demand.hourly else ""
        if offered >= servers:
            return [
                f"Overloaded{hour}: {_counted(offered)} requests at work at once would be needed and "
                f"{_counted(servers)} are possible, so the queue grows without bound."
            ]
        said = []
        if offered > CLOSE_TO_SATURATION * servers:
            said.append(
                f"Close to saturation{hour}, {offered / servers:.1%} busy: a little more load makes the wait "
                "much longer."
            )
        if self.demand.offered_at_peak >= servers:
            said.append(
                f"In the busiest minute ({self.demand.peak}) more requests come than are served, and a queue "
                "builds up that these percentiles leave out."
            )
        return said


def _counted(number: float) -> str:
    return f"{number:,.0f}" if number >= _MANY else f"{number:.3g}"
