"""Every size played, none passed over: what the searches are checked against.

It shares nothing with them but the simulation and the prices. Each size is simulated from the beginning, and
the cheapest of those that hold is taken.
"""

from collections.abc import Iterable, Iterator

from components.catalog import Catalog
from components.placement.latency import simulate
from components.placement.options import FunctionOption
from components.placement.replay.playing import ROOMS, Log, Size, Trial, met, priced, rank, scenario_of
from components.placement.replay.ways import Way
from components.spec.units import Duration


def cheapest_of_all(
    way: Way, log: Log, catalog: Catalog, budget: Duration, sizes: Iterable[Size] | None = None
) -> Trial | None:
    """The cheapest of all sizes that holds the budget, None where none does; raises as `simulate` does."""
    trials = (_trial(way, log, catalog, budget, size) for size in sizes or every_size(way, log))
    return min((trial for trial in trials if trial.holds), key=rank, default=None)


def every_size(way: Way, log: Log) -> Iterator[Size]:
    """All sizes that could differ: up to where each request is taken at once, and no room is ever full."""
    option = way.option
    if isinstance(option, FunctionOption):
        yield from map(Size, range(1, log.most_at_once() + 1) if option.provisioned else (0,))
        return
    rooms = [None, *(room for room in ROOMS if room < 2 * len(log.arrivals_s))]
    for count in range(way.least, max(way.least, log.most_at_once()) + 1):
        yield from (Size(count, room) for room in (rooms if way.twin is not None else (None,)))


def _trial(way: Way, log: Log, catalog: Catalog, budget: Duration, size: Size) -> Trial:
    there = met(way, log)
    option = there.sized(size.count)
    seen = simulate(option, there.demand, catalog, there.around, scenario_of(there, log, size))
    return Trial(there, size, priced(there, option, catalog, seen.spilled_share), seen, budget)
