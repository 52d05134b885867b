"""Every size played, none passed over: what the searches are checked against.

It shares nothing with them but the simulation and the prices. Each size is simulated from the beginning, and
the cheapest of those that hold is taken.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.catalog import Catalog
from components.placement.latency import simulate
from components.placement.options import FunctionOption
from components.placement.replay.playing import Log, Size, Trial, met, queues, rank, scenario_of
from components.placement.replay.replaying import Replay, unseen
from components.placement.replay.ways import Side, Way
from components.spec.units import Duration


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of playing every size."""

    sizes: int
    wrong: tuple[Side, ...]
    """Rows that are not at the cheapest size that holds; none where all is well."""


def checked(answer: Replay, catalog: Catalog, on_size: Callable[[Way, Size], None] = unseen) -> Checked:
    """Whether each row is at the cheapest size of its way that holds; raises as `simulate` does."""
    sizes, wrong = 0, []

    def told(way: Way) -> Iterator[Size]:
        nonlocal sizes
        for size in every_size(way, answer.log):
            on_size(way, size)
            sizes += 1
            yield size

    for row in answer.rows:
        if row.trial is None:
            continue
        way = row.trial.way
        best = cheapest_of_all(way, answer.log, catalog, answer.budget, told(way))
        found = rank(row.trial) if row.trial.holds else None
        if found != (None if best is None else rank(best)):
            wrong.append(row.side)
    return Checked(sizes, tuple(wrong))


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
    enough = -(-log.most_at_once() // option.concurrency)
    for count in range(way.least, max(way.least, enough) + 1):
        yield Size(count)
        if way.twin is not None:
            yield from (Size(count, queue) for queue in queues(way, count))


def _trial(way: Way, log: Log, catalog: Catalog, budget: Duration, size: Size) -> Trial:
    there = met(way, log)
    option = there.sized(size.count)
    seen = simulate(option, there.demand, catalog, there.around, scenario_of(there, log, size))
    return Trial.of(there, size, catalog, seen, budget)
