"""Every size played, none passed over: what the searches are checked against.

It shares nothing with them but the simulation and the prices. Each size is simulated from the beginning, and
the cheapest of those that hold is taken.
"""

from collections.abc import Iterable, Iterator

from components.catalog import Catalog
from components.placement.latency import simulate
from components.placement.options import FunctionOption
from components.placement.replay.playing import Log, Size, Trial, met, queues, rank, scenario_of
from components.placement.replay.ways import Way
from components.spec.units import Duration


def cheapest_of_all(
    way: Way, log: Log, catalog: Catalog, budget: Duration, sizes: Iterable[Size] | None = None
) -> Trial | None:
    """The cheapest of all sizes that holds the budget, None where none does; raises as `simulate` does."""
    trials = (_trial(way, log, catalog, budget, size) for size in sizes or every_size(way, log))
    return min((trial for trial in trials if trial.holds), key=rank, default=None)


def every_size(way: Way, log: Log) -> Iterator[Size]:
    """All sizes that there are, up to where each request is taken at once."""
    option = way.option
    if isinstance(option, FunctionOption):
        yield from map(Size, range(1, log.most_at_once() + 1) if option.provisioned else (0,))
        return
    for count in range(way.least, max(way.least, log.most_at_once()) + 1):
        yield Size(count)
        if way.twin is not None:
            yield from (Size(count, queue) for queue in queues(way, count))


def _trial(way: Way, log: Log, catalog: Catalog, budget: Duration, size: Size) -> Trial:
    there = met(way, log)
    option = there.sized(size.count)
    seen = simulate(option, there.demand, catalog, there.around, scenario_of(there, log, size))
    return Trial.of(there, size, catalog, seen, budget)
