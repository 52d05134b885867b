"""What a plan says, ready to be shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from components.placement.choosing.alternatives import Alternative
from components.placement.cost import Comparison, Line
from components.placement.placements import Placement
from components.placement.plan.fleet import ZoneNodes
from components.spec.units import Duration, Money, Period

_NOTHING = Money(Decimal(0), Period.MONTH)


@dataclass(frozen=True)
class Planned:
    """One workload: where it goes, and what else there was."""

    placement: Placement
    alternatives: tuple[Alternative, ...]
    """Every home, in the order of `Home`."""
    break_even: str = ""
    """Which of home and runner-up is cheaper, and from where on; empty where there is no runner-up."""
    comparison: Comparison | None = None
    """Its home beside every other that may be had, at any utilisation; None where its home has no price."""

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.placement.workload.name

    @property
    def budget(self) -> Duration | None:
        """What 99 of 100 requests are to be answered within."""
        return self.placement.workload.latency.p99

    @property
    def chosen(self) -> Alternative:
        """The home that it gets."""
        return next(each for each in self.alternatives if each.home is self.placement.home)

    @property
    def runner_up(self) -> Alternative | None:
        """The cheapest other home that no rule refuses and that holds the budget as far as is known."""
        others = [
            each
            for each in self.alternatives
            if each.home is not self.placement.home
            and each.candidate.is_allowed
            and each.cost is not None
            and each.holds(self.budget) is not False
        ]
        return min(others, key=lambda each: (_total(each), each.home), default=None)


@dataclass(frozen=True)
class Idle:
    """Nodes of a pool that are paid for and that no workload of the stack claims."""

    pool: str
    nodes: float
    money: Money


@dataclass(frozen=True)
class Warn:
    """What someone who reads a plan should know beside the figures."""

    subject: str
    message: str


@dataclass(frozen=True)
class Plan:
    """A stack as it would be deployed."""

    topology: str
    region: str
    workloads: tuple[Planned, ...]
    standing: tuple[Line, ...]
    """What is there once for all workloads on nodes, whatever runs: cluster, load balancer, NAT."""
    idle: tuple[Idle, ...]
    fleet: tuple[ZoneNodes, ...]
    """The nodes of every pool, by zone and pool."""
    warnings: tuple[Warn, ...]
    as_of: tuple[date, date] | None = None
    """The oldest and the newest day of the prices known for its region; None where there are none."""

    @property
    def caveats(self) -> tuple[str, ...]:
        """What figures in the total rest on where they are not sourced, each once."""
        bills = (each.chosen.cost for each in self.workloads)
        return tuple(dict.fromkeys(caveat for bill in bills if bill is not None for caveat in bill.caveats))

    @property
    def total(self) -> Money:
        """A month of all that has a price here: workloads, what stands there for all, idle nodes."""
        return sum((money for money in self._parts()), _NOTHING)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """Workloads that are not in the total."""
        return tuple(each.name for each in self.workloads if each.chosen.cost is None)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Workloads on nodes that exist already, whose price is not in the total."""
        return tuple(
            each.name
            for each in self.workloads
            if each.placement.pool is not None and each.placement.pool.capacity == "existing"
        )

    def _parts(self) -> Iterator[Money]:
        yield from (each.chosen.cost.total for each in self.workloads if each.chosen.cost is not None)
        yield from (line.money for line in self.standing)
        yield from (each.money for each in self.idle)


def _total(alternative: Alternative) -> Decimal:
    return alternative.cost.total.amount if alternative.cost is not None else Decimal("Infinity")
