"""A demand played through an option, request by request.

The requests come from a log or are made up from the demand; what each takes is given, or drawn from the same
distribution that the formula has. Three places to play them through: a queue before nodes (and Managed
Instances), a function, and nodes with a function for the tail (`Twin`): who would wait longer than the
twin's patience leaves the queue then and goes to the function, and so does at once who finds the queue full,
so only the tail can meet a cold start.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Final, Literal, TypeAlias

import numpy as np

from components.catalog import Catalog
from components.placement.latency import recursion
from components.placement.latency.arrivals import checked, checked_services, drawn, made
from components.placement.latency.recursion import Copies, Flags, Invoked, Queue
from components.placement.latency.times import Floats, percentiles, worked
from components.placement.latency.way import SHORTEST, Around, Leg, approach, cold_start, way
from components.placement.options import Demand, FunctionOption, NodesOption, Option, OptionError
from components.spec.units import Duration, Share

Engine: TypeAlias = Literal["recursion", "events"]

MADE: Final = 50_000
_SERVICES: Final = 1
_COLD_STARTS: Final = 2
_LEGS: Final = 3
_TWIN_LEGS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A function that takes what nodes cannot take in time."""

    function: FunctionOption
    patience: Duration | None = None
    """How long a request waits for a node before it goes to the function. None: however long it takes, so
    that only a queue that is full (`Scenario.queue`) sends it there."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Requests:
    """Where the requests of a simulation come from: a log, or a seed."""

    arrivals_s: Sequence[float] | Floats | None = None
    """In order. None makes them up."""
    service_s: Sequence[float] | Floats | None = None
    """What each of them takes. None draws from the demand's distribution."""
    seed: int = 0
    count: int = MADE
    """How many are made up."""

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise OptionError("seed", self.seed, "is negative", "give 0 or more")

    @property
    def given(self) -> bool:
        """Whether any of it comes from a log."""
        return self.arrivals_s is not None or self.service_s is not None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scenario:
    """How a simulation is set up."""

    requests: Requests = Requests()
    twin: Twin | None = None
    queue: int | None = None
    """Requests that may wait in the gateway; the next is turned away, or goes to the twin. None: no limit."""
    limit: int | None = None
    """Copies of the function at once (reserved concurrency). None is no limit."""
    engine: Engine = "recursion"
    """`events` is the reference: slower, the same answer."""

    def __post_init__(self) -> None:
        for name in ("queue", "limit"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise OptionError(name, value, "is negative", "give 0 or more")


MADE_UP: Final = Requests()
AS_IT_COMES: Final = Scenario()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Played:
    """What happened to each request, without the way there. In seconds."""

    arrivals_s: Floats
    wait_s: Floats
    cold_s: Floats
    """0 for those that met a warm copy."""
    work_s: Floats
    spilled: Flags
    """Went to the twin, or past the held copies of a function to one that is not held."""
    refused: Flags
    """Turned away: never answered."""

    def after(self, start_s: float) -> "Played":
        """Only the requests from then on; all where none are left."""
        kept = self.arrivals_s >= start_s
        if not kept.any():
            return self
        return Played(**{name: getattr(self, name)[kept] for name in type(self).__slots__})


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Simulated:
    """What the caller of each request saw, as percentiles. None is no answer at all."""

    requests: int
    p50: Duration | None
    p95: Duration | None
    p99: Duration | None
    cold_start_share: Share
    spilled_share: Share
    refused_share: Share
    seconds: Floats
    """Of each request, infinite where it was turned away."""

    def over(self, budget: Duration) -> Share:
        """Share of the requests that were answered later than that, or not at all."""
        return share_of(self.seconds > budget.seconds)


def simulate(
    option: Option,
    demand: Demand,
    catalog: Catalog,
    around: Around = SHORTEST,
    scenario: Scenario = AS_IT_COMES,
) -> Simulated:
    """A demand, or a log, played through an option with its way there and back.

    What is made up comes at the demand's average rate: the shape of a day is not played, `latency` weighs it.
    Where more comes than is served, the percentiles are those of so many requests, and grow with them.
    Raises OptionError where something given cannot be, MissingFigureError where the catalog lacks a figure.
    """
    played = play(option, demand, catalog, around.region, scenario)
    return answered(played, journey(option, demand, catalog, around, scenario, requests=len(played.wait_s)))


@dataclass(frozen=True, slots=True, eq=False)
class Journey:
    """The way of each request, drawn. It is the same for every size of what it leads to."""

    there_s: Floats
    onward_s: Floats | None = None
    """From nodes to the twin, for each that goes there."""


def journey(  # noqa: PLR0913 - each is a thing of its own that a way depends on
    option: Option, demand: Demand, catalog: Catalog, around: Around, scenario: Scenario, *, requests: int
) -> Journey:
    """The way of so many requests; raises MissingFigureError where the catalog lacks a figure."""
    seed, twin = scenario.requests.seed, scenario.twin
    there_s = _drawn(way(option, demand, catalog, around), seed, _LEGS, requests)
    if twin is None:
        return Journey(there_s)
    # The gateway hands over what came all the way to it, to an HTTP API that the twins have for themselves.
    legs = approach(twin.function, catalog, replace(around, front_door="http-api"))
    return Journey(there_s, _drawn(legs, seed, _TWIN_LEGS, requests))


def answered(played: Played, way_there: Journey) -> Simulated:
    """What callers saw of requests that were played through and of their way."""
    seconds = played.wait_s + played.cold_s + played.work_s + way_there.there_s
    if way_there.onward_s is not None:
        seconds += np.where(played.spilled, way_there.onward_s, 0.0)
    seconds[played.refused] = np.inf
    return _summary(played, seconds)


def play(option: Option, demand: Demand, catalog: Catalog, region: str, scenario: Scenario) -> Played:
    """The same without the way there."""
    requests = scenario.requests
    if requests.arrivals_s is None:
        times = made(demand, count=requests.count, seed=requests.seed)
    else:
        times = checked(requests.arrivals_s)
    if requests.service_s is None:
        service = worked(demand.service_time.seconds, demand.service_variation)
        work = drawn(service, len(times), requests.seed, _SERVICES)
    else:
        work = checked_services(requests.service_s, len(times))
    stage = _Stage(catalog, region, times, work, scenario)
    if scenario.twin is not None and not isinstance(option, NodesOption):
        raise OptionError("twin", option.home, "is a function itself", "give a twin to nodes only")
    return stage.function(option) if isinstance(option, FunctionOption) else stage.queue(option)


@dataclass(frozen=True, slots=True)
class _Stage:
    catalog: Catalog
    region: str
    arrivals_s: Floats
    work_s: Floats
    scenario: Scenario

    @property
    def _engine(self) -> ModuleType:
        if self.scenario.engine == "recursion":
            return recursion
        from components.placement.latency import events  # noqa: PLC0415 - simpy only where it is asked for

        return events

    def function(self, option: FunctionOption) -> Played:
        cold_s, found = self._invoked(option, self.arrivals_s, self.work_s)
        past_held = found.served & ~found.held
        return Played(
            arrivals_s=self.arrivals_s,
            wait_s=np.zeros(len(cold_s)),
            cold_s=cold_s,
            work_s=self.work_s,
            spilled=past_held if option.provisioned else np.zeros_like(past_held),
            refused=~found.served,
        )

    def queue(self, option: Option) -> Played:
        twin = self.scenario.twin
        patience_s = np.inf if twin is None or twin.patience is None else twin.patience.seconds
        queue = Queue(servers=option.servers, patience_s=patience_s, room=self.scenario.queue)
        found = self._engine.queued(self.arrivals_s, self.work_s, queue)
        cold_s = np.zeros(len(self.arrivals_s))
        spilled, refused = ~found.served, ~found.served
        if twin is None:
            spilled = np.zeros(len(self.arrivals_s), dtype=np.bool_)
        elif spilled.any():
            refused = np.zeros(len(self.arrivals_s), dtype=np.bool_)
            cold_s[spilled], served = self._tail(twin, (self.arrivals_s + found.wait_s)[spilled], spilled)
            refused[spilled] = ~served
        return Played(
            arrivals_s=self.arrivals_s,
            wait_s=found.wait_s,
            cold_s=cold_s,
            work_s=self.work_s,
            spilled=spilled,
            refused=refused,
        )

    def _tail(self, twin: Twin, times_s: Floats, spilled: Flags) -> tuple[Floats, Flags]:
        """In the order in which they get there: who is turned away at once overtakes those who wait first."""
        order = np.argsort(times_s, kind="stable")
        cold_s, served = np.zeros(len(order)), np.ones(len(order), dtype=np.bool_)
        cold_s[order], found = self._invoked(twin.function, times_s[order], self.work_s[spilled][order])
        served[order] = found.served
        return cold_s, served

    def _invoked(self, option: FunctionOption, times_s: Floats, work_s: Floats) -> tuple[Floats, Invoked]:
        start = cold_start(option, self.catalog, self.region).times
        start_s = drawn(start, len(times_s), self.scenario.requests.seed, _COLD_STARTS)
        copies = Copies(
            keep_alive_s=self.catalog.latency.cold_start.kept_warm.value.seconds,
            provisioned=option.provisioned,
            limit=self.scenario.limit,
        )
        found = self._engine.invoked(times_s, work_s, start_s, copies)
        return np.where(found.cold, start_s, 0.0), found


def _drawn(legs: Sequence[Leg], seed: int, stream: int, count: int) -> Floats:
    """Time on the way of each request."""
    each = (drawn(leg.times, count, seed, stream + number) for number, leg in enumerate(legs))
    return sum(each, np.zeros(count))


def _summary(played: Played, seconds: Floats) -> Simulated:
    p50, p95, p99 = map(typed, percentiles(seconds, (0.50, 0.95, 0.99)))
    return Simulated(
        requests=len(seconds),
        p50=p50,
        p95=p95,
        p99=p99,
        cold_start_share=share_of(played.cold_s > 0),
        spilled_share=share_of(played.spilled),
        refused_share=share_of(played.refused),
        seconds=seconds,
    )


def share_of(flags: Flags) -> Share:
    """Share of the requests that a flag is set for."""
    return Share(round(float(np.mean(flags)) * Share.maximum))


def typed(seconds: float) -> Duration | None:
    """As a duration; None for an endless one. The longest that a duration can be stands for any longer."""
    if not np.isfinite(seconds):
        return None
    return Duration(min(Duration.maximum, round(seconds * 10**9)))
