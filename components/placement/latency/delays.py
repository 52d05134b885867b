"""What a request waits for on an option at a load: a server, or a copy of a function.

By formula where it follows the demand, else by a simulation of requests that are made up; a log is replayed.
A day with a shape is taken hour by hour, each hour weighing as much as it has of the requests.
"""

import math
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np

from components.catalog import Catalog
from components.placement.latency import queueing
from components.placement.latency.cold_starts import cold_share
from components.placement.latency.simulation import Played, Requests, Scenario, play, share_of
from components.placement.latency.times import (
    CASES,
    Floats,
    Times,
    constant,
    observed,
    percentile,
    sampled,
    shares,
    sometimes,
    worked,
)
from components.placement.latency.way import cold_start
from components.placement.options import Demand, FunctionOption, Option
from components.spec.units import Rate

Method: TypeAlias = Literal["formula", "simulation"]

CLOSE_TO_SATURATION: Final = 0.9
"""Utilization above which a small error in the rate is a large one in the wait."""
ROOM_FOR_PEAK: Final = 0.8
"""Utilization in the busiest minute up to which the average rate tells real traffic's percentiles too."""
WHICH_HOUR: Final = 0
DELAY: Final = 1
WORK: Final = 2
"""Numbers of parts (see `times.shares`)."""

_REQUESTS_AN_HOUR: Final = 2_000
_STRETCHED: Final = 10
"""Times as many requests as asked for, at most, to see copies of a function dropped."""
_WARMED_UP: Final = 0.05
_BATCHES: Final = 10
_MANY: Final = 100
_WHOLE_DAY: Final = (1.0,)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Delays:
    """Waits or cold starts, case by case, and the work that comes with them."""

    name: str
    seconds: Floats
    caveat: str
    work_s: Floats
    cold_share: float
    method: Method
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class _Hour:
    times: Times
    cold_share: float = 0.0
    error: float = 0.0


@dataclass(frozen=True)
class Stage:
    """Where one option meets one demand."""

    option: Option
    demand: Demand
    catalog: Catalog
    region: str
    requests: Requests

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

    def by_hour(self) -> Delays:
        """Each hour by itself, in as many of the cases as it has of the requests."""
        seconds, cold, begin, error = np.zeros(CASES), 0.0, 0.0, 0.0
        for weight, of_all in self._hours:
            hour = self._hour(weight)
            cases = shares(WHICH_HOUR) >= begin
            seconds[cases] = hour.times(shares(DELAY)[cases])
            cold += hour.cold_share * of_all
            begin += of_all
            error = hour.error
        return self._answer(
            seconds, min(cold, 1.0), "formula" if self._follows else "simulation", self._why(error)
        )

    def replayed(self) -> Delays:
        """The delays of given requests, each with its own work."""
        played = play(self.option, self.demand, self.catalog, self.region, Scenario(requests=self.requests))
        delay_s = played.wait_s + played.cold_s
        order = np.argsort(delay_s, kind="stable")
        pick = order[(shares(DELAY) * len(order)).astype(np.int64)]
        answer = self._answer(
            delay_s[pick],
            share_of(played.cold_s > 0).fraction,
            "simulation",
            f"{len(order):,} requests were played through as given.",
        )
        return replace(answer, work_s=played.work_s[pick])

    def _answer(self, seconds: Floats, cold: float, method: Method, note: str) -> Delays:
        function = self._function
        return Delays(
            name="queue" if function is None else "cold start",
            seconds=seconds,
            caveat="" if function is None else self._cold_caveat(function),
            work_s=sampled(worked(self.demand.service_time.seconds, self.demand.service_variation), WORK),
            cold_share=cold,
            method=method,
            note=note,
        )

    def _cold_caveat(self, function: FunctionOption) -> str:
        kept = self.catalog.latency.cold_start.kept_warm
        said = cold_start(function, self.catalog, self.region).caveat
        return "; ".join(filter(None, (said, f"idle copies are kept for {kept.value}{kept.caveat}")))

    def _hour(self, weight: float) -> _Hour:
        """The delay in an hour of that weight."""
        if not self._follows:
            return self._simulated(weight)
        per_second = self.demand.rate.per_second * weight
        if self._function is not None:
            return self._cold(self._function, per_second)
        waits = queueing.wait(
            servers=self.option.servers,
            per_second=per_second,
            service_s=self.demand.service_time.seconds,
            burstiness=self.demand.burstiness,
            service_variation=self.demand.service_variation,
        )
        return _Hour(waits.at)

    def _cold(self, function: FunctionOption, per_second: float) -> _Hour:
        share = cold_share(
            per_second=per_second,
            service_s=self.demand.service_time.seconds,
            keep_alive_s=self.catalog.latency.cold_start.kept_warm.value.seconds,
            provisioned=function.provisioned,
        )
        return _Hour(sometimes(share, cold_start(function, self.catalog, self.region).times), share)

    def _simulated(self, weight: float) -> _Hour:
        rate = Rate(min(Rate.maximum, round(self.demand.rate.steps * weight)))
        offered = rate.per_second * self.demand.service_time.seconds
        if self._function is None and offered >= self.option.servers:
            return _Hour(constant(math.inf))
        if not rate:
            return _Hour(constant(0.0))
        played = self._played(rate)
        return _Hour(
            observed(played.wait_s + played.cold_s),
            share_of(played.cold_s > 0).fraction,
            _error(played.wait_s + played.cold_s + played.work_s),
        )

    def _played(self, rate: Rate) -> Played:
        """Hours on end at one rate, without their beginning, when all was idle."""
        demand = replace(self.demand, rate=rate, peak=max(rate, self.demand.peak), hourly=None)
        count = max(_REQUESTS_AN_HOUR, self.requests.count // len(self._hours))
        kept_s = self.catalog.latency.cold_start.kept_warm.value.seconds
        if self._function is not None:
            count = max(count, min(_STRETCHED * count, round(4 * kept_s * rate.per_second)))
        scenario = Scenario(requests=replace(self.requests, count=count))
        played = play(self.option, demand, self.catalog, self.region, scenario)
        until_s = float(played.arrivals_s[-1])
        begun_s = until_s * _WARMED_UP
        return played.after(begun_s if self._function is None else min(until_s / 2, max(kept_s, begun_s)))

    def _why(self, error: float) -> str:
        loads = self._loads() if self._function is None else []
        return " ".join(loads if self._follows else [self._beyond_formula(error), *loads])

    def _beyond_formula(self, error: float) -> str:
        uneven = f"burstiness {self.demand.burstiness:g}, service variation {self.demand.service_variation:g}"
        return (
            f"No formula follows requests so uneven ({uneven}): a sequence of them was made up and played "
            f"through, whose own standard error at the 99th percentile is {error:.0%}. How long bursts last "
            "is not known from these numbers, and may make twice the difference: a request log tells it."
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
        if self.demand.offered_at_peak > ROOM_FOR_PEAK * servers:
            said.append(
                f"In the busiest minute ({self.demand.peak}) it is "
                f"{self.demand.offered_at_peak / servers:.0%} busy: the queue that builds up then is left "
                "out of these percentiles. A request log, or the demand at its peak, shows it."
            )
        return said


def _counted(number: float) -> str:
    return f"{number:,.0f}" if number >= _MANY else f"{number:.3g}"


def _error(seconds: Floats) -> float:
    """Standard error of the 99th percentile, relative to it, from that of consecutive batches."""
    tails = np.array([percentile(batch, 0.99) for batch in np.array_split(seconds, _BATCHES)])
    mean = float(tails.mean())
    return float(tails.std(ddof=1)) / mean / math.sqrt(_BATCHES) if mean else 0.0
