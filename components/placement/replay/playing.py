"""What one size of a way does with a log, and what a month of it costs.

The same requests, doing the same work, take the same draws of the way there in every size and every topology
that has that leg: two sizes differ by nothing but what they wait for. What does not depend on the size is
drawn once for all of them, so that one size of an hour of traffic takes milliseconds.

A month is the log, over and over: its average rate times the seconds of a month, and of requests that go to
a function the share that did so in the log. Nodes and held copies are paid for all month at that one size.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from components.catalog import Catalog
from components.placement.cost import Cost, cost
from components.placement.latency import Requests, Scenario, Simulated, Twin
from components.placement.latency.arrivals import checked, checked_services, drawn
from components.placement.latency.simulation import Journey, answered, journey, play
from components.placement.latency.times import Floats, worked
from components.placement.options import Demand, FunctionOption, NodesOption, Option, OptionError
from components.placement.replay.ways import Way
from components.spec.units import Duration, Money, Rate, Share
from components.spec.workload import QUEUED_PER_SLOT

_LONGEST_POWER: Final = 20

_NONE: Final = Share(0)
_ALL: Final = Share(Share.maximum)
_SERVICES: Final = 1
_FIRST_AND_LAST: Final = 2
_EMPTY: Final[Floats] = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Log:
    """Requests as they came, and what each takes."""

    arrivals_s: Floats
    service_s: Floats
    seed: int = 0
    """Of what is drawn: the way there, and cold starts."""

    @classmethod
    def of(cls, arrivals_s: object, service_s: object | None, demand: Demand, seed: int = 0) -> "Log":
        """A log, with service times drawn from the demand's where it has none; raises OptionError."""
        times = checked(arrivals_s)
        if len(times) < _FIRST_AND_LAST or not times[-1]:
            raise OptionError("arrivals", len(times), "have no rate", "give requests of two moments or more")
        if service_s is not None:
            return cls(times, checked_services(service_s, len(times)), seed)
        work = worked(demand.service_time.seconds, demand.service_variation)
        return cls(times, drawn(work, len(times), seed, _SERVICES), seed)

    @property
    def span_s(self) -> float:
        """From the first request to the last."""
        return float(self.arrivals_s[-1])

    @property
    def rate(self) -> Rate:
        """On average."""
        return Rate(round((len(self.arrivals_s) - 1) / self.span_s * Rate.units["/s"]))

    def most_at_once(self) -> int:
        """Requests in service at the same time, if none ever waits."""
        moments = np.concatenate([self.arrivals_s + self.service_s, self.arrivals_s])
        change = np.repeat([-1, 1], len(self.arrivals_s))
        # A server that comes free at the moment of an arrival takes it.
        order = np.lexsort((change, moments))
        return max(1, int(np.cumsum(change[order]).max()))


@dataclass(frozen=True, slots=True, order=True)
class Size:
    """How large a way is."""

    count: int = 0
    """Copies held warm, or replicas; 0 for a function on demand, which has no size."""
    queue: int | None = None
    """Requests that may wait in a pod of the gateway before the next goes to the twin: `placement.twin.queue`
    of a stack file. None: nobody goes there."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one size did with the log."""

    way: Way
    size: Size
    cost: Cost
    seen: Simulated
    """Without the time of each request: a search has many trials, a log many requests."""
    holds: bool
    """Whether 99 of 100 requests were answered within the budget."""
    over: Share
    """Share of the requests that were not."""

    @classmethod
    def of(cls, way: Way, size: Size, catalog: Catalog, seen: Simulated, budget: Duration) -> "Trial":
        """A trial that was played; raises as pricing does."""
        return cls(
            way=way,
            size=size,
            cost=priced(way, way.sized(size.count), catalog, seen.spilled_share),
            seen=replace(seen, seconds=_EMPTY),
            holds=seen.p99 is not None and seen.p99 <= budget,
            over=seen.over(budget),
        )

    @property
    def on_demand(self) -> Share:
        """Share of the requests that ran on a function, in a copy that was not held warm."""
        return _ALL if self.size.count == 0 else self.seen.spilled_share

    @property
    def total(self) -> Money:
        """Dollars a month."""
        return self.cost.total

    @property
    def option(self) -> FunctionOption | NodesOption:
        """The way at this size."""
        return self.way.sized(self.size.count)

    def __str__(self) -> str:
        option = self.option
        if isinstance(option, FunctionOption):
            held = f"{_counted(option.provisioned, 'copy', 'copies')} held warm"
            return held if option.provisioned else "a copy for each request at once"
        return (
            f"{_counted(option.replicas, 'replica', 'replicas')} on {_nodes(option)}"
            f"{'' if self.size.queue is None else f', a queue of {self.size.queue}'}"
        )


def queues(way: Way, count: int) -> tuple[int, ...]:
    """The queues to try before a twin with so many replicas: none, and then twice as long each time.

    What a queue decides is whether a request waits for about the budget or far from it, so doubling is fine
    enough. It ends where the gateway turns requests away.
    """
    most = count * way.option.concurrency * QUEUED_PER_SLOT
    lengths = (0, *(1 << power for power in range(_LONGEST_POWER)))
    return tuple(length for length in lengths if length < most)


def cheaper(one: Trial, other: Trial) -> Trial:
    """The one that costs less; of two at the same price the smaller one."""
    return min((one, other), key=rank)


def rank(trial: Trial) -> tuple[Money, int, int]:
    """Trials in order: by money, then by size."""
    size = trial.size
    return trial.total, size.count, -1 if size.queue is None else size.queue


class Player:
    """Plays a log through sizes of one way, each size once."""

    def __init__(
        self,
        way: Way,
        log: Log,
        catalog: Catalog,
        budget: Duration,
        on_size: Callable[[Way, Size], None] = lambda _way, _size: None,
    ) -> None:
        self.way, self.log, self.catalog, self.budget = met(way, log), log, catalog, budget
        self._on_size = on_size
        self._trials: dict[Size, Trial] = {}

    @property
    def played(self) -> int:
        """Sizes that were played."""
        return len(self._trials)

    @cached_property
    def enough(self) -> int:
        """The size from which on no request waits, or none starts cold."""
        at_once, option = self.log.most_at_once(), self.way.option
        return (
            at_once
            if isinstance(option, FunctionOption)
            else max(self.way.least, -(-at_once // option.concurrency))
        )

    def play(self, size: Size) -> Trial:
        """One size; raises MissingFigureError where the catalog lacks a figure."""
        if size not in self._trials:
            self._on_size(self.way, size)
            self._trials[size] = self._played(size)
        return self._trials[size]

    def floor(self, count: int) -> Money:
        """What that many cost at the least, whatever share of the requests goes to a function.

        The cost is linear in that share, so it is least at one of its ends.
        """
        option = self.way.sized(count)
        return min(priced(self.way, option, self.catalog, share).total for share in (_NONE, _ALL))

    def _played(self, size: Size) -> Trial:
        way, option = self.way, self.way.sized(size.count)
        played = play(option, way.demand, self.catalog, way.around.region, scenario_of(way, self.log, size))
        seen = answered(played, self._journey)
        return Trial.of(way, size, self.catalog, seen, self.budget)

    @cached_property
    def _journey(self) -> Journey:
        way = self.way
        return journey(
            way.option,
            way.demand,
            self.catalog,
            way.around,
            scenario_of(way, self.log, Size()),
            requests=len(self.log.arrivals_s),
        )


def met(way: Way, log: Log) -> Way:
    """The way at the log's own rate."""
    demand, rate = way.demand, log.rate
    return replace(way, demand=replace(demand, rate=rate, peak=max(rate, demand.peak)))


def priced(way: Way, option: Option, catalog: Catalog, spilled: Share | None) -> Cost:
    """A month of an option of that way, with the share of requests that went to a function as it was seen, or
    by formula; raises MissingFigureError and OptionError as pricing does."""
    spills = way.twin is not None or (isinstance(option, FunctionOption) and option.provisioned > 0)
    return cost(
        option,
        way.demand,
        catalog,
        region=way.region,
        platform=way.platform,
        twin=way.twin,
        spilled=spilled if spills else None,
    )


def scenario_of(way: Way, log: Log, size: Size) -> Scenario:
    """A log and a size as a simulation has them."""
    requests = Requests(arrivals_s=log.arrivals_s, service_s=log.service_s, seed=log.seed)
    if way.twin is None:
        return Scenario(requests=requests)
    room = None if size.queue is None else size.queue * way.gateways
    return Scenario(requests=requests, twin=Twin(function=way.twin), queue=room)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _nodes(option: NodesOption) -> str:
    nodes = option.replicas / option.per_node if option.shared else option.nodes
    return f"{nodes:,.3g} {option.machine}"
