"""All topologies side by side on one log, and the one to choose: the cheapest that holds the budget and that
no rule refuses.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.catalog import Catalog, MissingFigureError
from components.placement.cost import Cost
from components.placement.latency import Latency, latency
from components.placement.options import OptionError
from components.placement.replay.gain import Gain, gain
from components.placement.replay.playing import Log, Player, Size, Trial, priced, rank
from components.placement.replay.searching import searched
from components.placement.replay.ways import Side, Way, Ways
from components.spec.units import Duration


@dataclass(frozen=True, slots=True)
class Expected:
    """What the models say of the same size without the log: by rate, peak, burstiness and work alone."""

    latency: Latency | None
    """None with a twin: no formula follows one, only the simulation."""
    cost: Cost
    """With the share of requests that goes to a function by formula."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One topology on this log."""

    side: Side
    trial: Trial | None
    """The cheapest size that holds; where none does, the fastest. None where the stack has no way to."""
    why_not: str
    """Why it cannot be chosen; empty where it can."""
    expected: Expected | None = None
    sizes: int = 0
    """Sizes that were played to find it."""

    @property
    def can_be_chosen(self) -> bool:
        """Whether it holds, and no rule refuses it."""
        return not self.why_not


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """One log, every topology."""

    log: Log
    budget: Duration
    rows: tuple[Row, ...]
    """In the order of `Side`."""
    gain: Gain | None
    """What a twin is worth; None where not both of hybrid's rows hold."""

    @property
    def ranked(self) -> tuple[Row, ...]:
        """Rows that can be chosen, the cheapest first; of two at the same price the first of `Side`."""
        able = [(row.trial.total, row) for row in self.rows if row.trial is not None and row.can_be_chosen]
        return tuple(row for _, row in sorted(able, key=lambda each: each[0]))

    @property
    def choice(self) -> Row | None:
        """The cheapest that holds; None where none does."""
        return next(iter(self.ranked), None)


def unseen(_way: Way, _size: Size) -> None:
    """Nobody watches."""


def replay(
    rows: Iterable[Ways],
    log: Log,
    catalog: Catalog,
    budget: Duration,
    on_size: Callable[[Way, Size], None] = unseen,
) -> Replay:
    """Every row at the cheapest size that holds. `on_size` is told each size before it is played."""
    sides = [_Side(ways, log, catalog, budget, on_size) for ways in rows]
    return Replay(log, budget, tuple(side.row for side in sides), _gain(sides))


class _Side:
    """The ways of one row, searched."""

    def __init__(
        self,
        ways: Ways,
        log: Log,
        catalog: Catalog,
        budget: Duration,
        on_size: Callable[[Way, Size], None],
    ) -> None:
        self._ways = ways
        self._catalog = catalog
        self.players = [Player(way, log, catalog, budget, on_size) for way in ways.ways]
        self.row = self._row()

    @property
    def side(self) -> Side:
        return self._ways.side

    def _row(self) -> Row:
        found, unknown = [], []
        for player in self.players:
            try:
                found.append(self._of(player))
            except (MissingFigureError, OptionError) as error:
                unknown.append(str(error))
        if not found:
            return Row(self.side, None, self._ways.lacking or "; ".join(unknown))
        return min(found, key=_preference)[0]

    def _of(self, player: Player) -> tuple[Row, Trial]:
        result = searched(player)
        trial = result.best or result.fastest
        why_not = player.way.refused if trial.holds else _too_slow(player, trial)
        return Row(self.side, trial, why_not, expected(trial, self._catalog), player.played), trial


def expected(trial: Trial, catalog: Catalog) -> Expected:
    """What the models say of the size of a trial without its log."""
    way = trial.way
    composed = None if way.twin is not None else latency(trial.option, way.demand, catalog, way.around)
    return Expected(composed, priced(way, trial.option, catalog, None))


def _preference(found: tuple[Row, Trial]) -> tuple[object, ...]:
    """Of the ways of one row: what can be chosen first, then what holds, then what costs less."""
    row, trial = found
    return (not row.can_be_chosen, not trial.holds, *rank(trial))


def _too_slow(player: Player, trial: Trial) -> str:
    late = f"{trial.over.fraction:.2%} of the requests take longer than {player.budget}"
    if not trial.size.count:
        return f"{late}, and {trial.seen.cold_start_share.fraction:.2%} meet a cold start"
    return f"{late} even at {trial}, where none of them waits: the way there and the work alone are too long"


def _gain(sides: list[_Side]) -> Gain | None:
    by_side = {side.side: side for side in sides}
    if not {Side.HYBRID, Side.TWIN} <= by_side.keys():
        return None
    alone, twin = by_side[Side.HYBRID].row.trial, by_side[Side.TWIN].row.trial
    if alone is None or twin is None or not (alone.holds and twin.holds):
        return None
    return gain(next(_players_of(by_side[Side.HYBRID], alone)), twin, alone)


def _players_of(side: _Side, trial: Trial) -> Iterator[Player]:
    return (player for player in side.players if player.way is trial.way)
