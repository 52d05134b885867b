"""Which workloads sit in the wrong home at the traffic that was measured, and what the right one is.

A home is wrong where a mandatory rule refuses it; where it does not hold the latency budget and another does;
where a rule that reads traffic advises against it and another costs no more; or where another costs less by
more than a set share (stickiness), so that a small difference moves nothing. What is moved goes to the
cheapest home that no rule refuses, that none of the rules that read traffic advises against, and that holds
the budget; from a home that is refused or late also to one that is only advised against.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from components.catalog import Catalog, for_stack
from components.catalog import load as load_catalog
from components.observed.figures import changes_of
from components.observed.measuring import Measured, Observed
from components.observed.presuming import Presumed, presumed
from components.placement import decide
from components.placement.homes import Home
from components.placement.judging import Answer, Enforcement
from components.placement.latency import length
from components.placement.openness import stickiness_of
from components.placement.options import NodesOption
from components.placement.placements import Placement
from components.placement.plan import Alternative, Plan, Planned, plan
from components.spec import Share, Stack, Workload
from components.traffic.findings import Finding, Weight

COST: Final = "cost"
LATENCY: Final = "latency"
CAPACITY: Final = "capacity"
MEASUREMENTS: Final = "measurements"

# The rules whose answer the measured figures change.
_OF_TRAFFIC: Final = frozenset({"sustained-utilization", "long-execution"})


class Standing(StrEnum):
    """What is said of a workload."""

    STAYS = "stays"
    MOVES = "moves"
    """Its home is wrong, and there is a better one."""
    STUCK = "nowhere to go"
    """Its home is wrong, and the stack has no other for it."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks against a home, or for leaving it as it is."""

    by: str
    """The rule, or what else: cost, latency, capacity, measurements."""
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One workload."""

    workload: Workload
    """As the stack file has it."""
    measured: Measured
    placement: Placement
    """Where it runs today."""
    presumed: Presumed
    standing: Standing
    reasons: tuple[Reason, ...]
    present: Alternative | None = None
    """Today's home at the measured traffic; None where nothing was measured."""
    better: Alternative | None = None
    """Where it belongs, if not where it is."""

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.workload.name

    @property
    def better_pool(self) -> str | None:
        """The pool where it belongs, on nodes."""
        return _pool_of(self.better)

    @property
    def figures(self) -> dict[str, object | None]:
        """What is to be written under `traffic`; None is a key to remove."""
        return changes_of(self.workload, self.measured)

    @property
    def lacks(self) -> str:
        """The form that the better home needs and that nobody has written; empty where there is none."""
        if self.better is None:
            return ""
        serve = self.workload.serve
        if self.better.home.is_function:
            return "" if serve.function is not None else "serve.function"
        return "" if serve.container is not None else "serve.container"

    @property
    def saved(self) -> Decimal | None:
        """Dollars a month that moving saves, below zero where it costs; None where there are no two bills."""
        if self.present is None or self.better is None:
            return None
        if self.present.cost is None or self.better.cost is None:
            return None
        return self.present.cost.total.amount - self.better.cost.total.amount


@dataclass(frozen=True, slots=True)
class Judgement:
    """A stack, judged by what was measured."""

    stack: Stack
    judged: tuple[Judged, ...]
    """By name."""
    at_measured: Plan
    """The stack as it runs, at the measured traffic."""
    stickiness: Share
    observed: Observed

    @property
    def moving(self) -> tuple[Judged, ...]:
        """The workloads that belong elsewhere, and may go there."""
        return tuple(each for each in self.judged if each.standing is Standing.MOVES)

    @property
    def saved(self) -> Decimal:
        """Dollars a month that all moves save whose two bills are known."""
        return sum((each.saved or Decimal(0) for each in self.moving), Decimal(0))

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """When the first and the last measurement is of."""
        measured = [each.measured for each in self.judged]
        return (
            min((each.start for each in measured if each.start is not None), default=None),
            max((each.end for each in measured if each.end is not None), default=None),
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say beside each workload."""
        return (*self.observed.findings, *self._pools())

    def _pools(self) -> Iterator[Finding]:
        """Pools that moves leave with too few nodes, or with nodes that are paid for and not used."""
        moved = {each.name: each for each in self.moving}
        for pool in self.stack.data_plane.pools if self.stack.data_plane is not None else ():
            now = then = 0.0
            for planned in self.at_measured.workloads:
                mover = moved.get(planned.name)
                now += _claimed(planned.chosen, pool.name)
                then += _claimed(planned.chosen if mover is None else mover.better, pool.name)
            needed = math.ceil(then)
            if then > now and needed > pool.nodes.max:
                yield Finding(
                    f"pool {pool.name} then needs {needed} nodes, and may have {pool.nodes.max}",
                    f"write nodes.max {needed} or more",
                )
            if then < now:
                yield Finding(
                    f"workloads on pool {pool.name} then claim {then:.2g} of its nodes and not {now:.2g}:"
                    " what they leave is saved once there are fewer nodes",
                    "lower nodes.desired, or let its autoscaler do so",
                    weight=Weight.NOTE,
                )


def judge(
    stack: Stack, observed: Observed, catalog: Catalog | None = None, *, stickiness: Share | None = None
) -> Judgement:
    """Judge a stack, by its own stickiness where none is given. Raises as `decide` does."""
    known = for_stack(catalog if catalog is not None else load_catalog(), stack)
    least = stickiness_of(stack, known) if stickiness is None else stickiness
    placements = decide(stack, catalog)
    held, each = presumed(stack, known, placements, observed)
    made = plan(held, catalog)
    by_name: Mapping[str, Planned] = {planned.name: planned for planned in made.workloads}
    judged = tuple(
        _Case(
            workload,
            observed.by_workload[workload.name],
            placements.by_name[workload.name],
            each[workload.name],
            by_name[workload.name],
            stack.topology != "dedicated",
            least,
        ).judged()
        for workload in sorted(stack.workloads, key=lambda workload: workload.name)
    )
    return Judgement(stack, judged, made, least, observed)


@dataclass(frozen=True, slots=True)
class _Case:
    workload: Workload
    measured: Measured
    placement: Placement
    presumed: Presumed
    planned: Planned
    serverless: bool
    """Whether the stack's topology has functions for its workloads."""
    stickiness: Share

    def judged(self) -> Judged:
        if (unknown := self._unknown()) is not None:
            return self._said(Standing.UNDECIDED, [unknown])
        more = list(self._overloaded())
        if grave := [*self._refusals(), *self._late()]:
            return self._wrong(self._refuge, [*grave, *more])
        if slight := self._slight():
            return self._wrong(self._best, [*slight, *more])
        if self._present.cost is None:
            return self._said(Standing.UNDECIDED, [self._unpriced(), *more])
        return self._said(Standing.STAYS, [*self._advice(self._present), *self._kept(), *more])

    def _unknown(self) -> Reason | None:
        """Why nothing can be said."""
        if self.measured.is_empty:
            used = (
                "what was measured of it cannot be used" if self.measured.findings else "nothing was measured"
            )
            return Reason(MEASUREMENTS, used)
        if self.measured.is_idle:
            held = "" if self.placement.home.is_function else ", and its pods are paid for"
            asked = "is it still needed? remove it, or measure for longer"
            return Reason(MEASUREMENTS, f"no request came in the whole time{held}: {asked}")
        return None

    def _slight(self) -> list[Reason]:
        """Why its home is wrong though no rule refuses it; empty where it is not."""
        advice = list(self._advice(self._present))
        if advice and self._costs_no_more(self._best):
            return advice
        cheaper = self._cheaper()
        return [cheaper] if cheaper is not None else []

    def _said(
        self, standing: Standing, reasons: Iterable[Reason], better: Alternative | None = None
    ) -> Judged:
        return Judged(
            workload=self.workload,
            measured=self.measured,
            placement=self.placement,
            presumed=self.presumed,
            standing=standing,
            reasons=tuple(reasons),
            present=self._present if self._has_a_bill else None,
            better=better,
        )

    @property
    def _has_a_bill(self) -> bool:
        """Whether what it costs today is known: without requests, on nodes only."""
        return not (self.measured.is_empty or (self.measured.is_idle and self.placement.home.is_function))

    def _wrong(self, better: Alternative | None, reasons: list[Reason]) -> Judged:
        if better is not None:
            return self._said(Standing.MOVES, [*reasons, *self._dearer(better)], better)
        return self._said(Standing.STUCK, [*reasons, *self._nowhere()])

    # --- the homes

    @property
    def _present(self) -> Alternative:
        return self.planned.chosen

    @property
    def _best(self) -> Alternative | None:
        """The cheapest home that is right; where none has a price, the first."""
        return _cheapest(each for each in self._others if not any(self._advice(each)))

    @property
    def _refuge(self) -> Alternative | None:
        """The same, and where there is none, one that is only advised against: better than a wrong one."""
        return self._best or _cheapest(self._others)

    @property
    def _others(self) -> list[Alternative]:
        """The homes that it may go to and that hold the budget, as far as is known."""
        return [
            each
            for each in self.planned.alternatives
            if each is not self._present
            and each.candidate.is_allowed
            and (self.serverless or not each.home.is_function)
            and each.holds(self.planned.budget) is not False
            and not _is_endless(each)
        ]

    # --- what speaks against the home of today

    def _refusals(self) -> Iterator[Reason]:
        blocking = dict.fromkeys(self._present.candidate.blocking, "refuses the pool that it is on")
        for setting, verdict in self._present.candidate.verdicts:
            if setting.rule.id in blocking and verdict.answer is Answer.REFUSED:
                blocking[setting.rule.id] = verdict.reason
        yield from (Reason(rule, said) for rule, said in blocking.items())

    def _late(self) -> Iterator[Reason]:
        """Where the budget is not held here, and is held elsewhere."""
        budget, times = self.planned.budget, self._present.latency
        if self._present.holds(budget) is not False or times is None or self._refuge is None:
            return
        if self._refuge.holds(budget):
            p99 = length(times.p99)
            yield Reason(LATENCY, f"99 of 100 requests take up to {p99}, and the budget is {budget}")

    def _advice(self, each: Alternative) -> Iterator[Reason]:
        for setting, verdict in each.candidate.verdicts:
            advised = setting.enforcement_of(verdict) is Enforcement.ADVISORY
            if verdict.answer is Answer.REFUSED and advised and setting.rule.id in _OF_TRAFFIC:
                yield Reason(setting.rule.id, verdict.reason)

    def _costs_no_more(self, best: Alternative | None) -> bool:
        """Whether moving costs nothing, as far as is known; where there is nowhere to go, advice stands."""
        return best is None or best.cost is None or _dollars(best) <= _dollars(self._present)

    def _cheaper(self) -> Reason | None:
        best, present = self._best, self._present
        if best is None or best.cost is None or present.cost is None:
            return None
        saved, now = present.cost.total.amount - best.cost.total.amount, present.cost.total.amount
        if saved <= 0 or saved <= now * Decimal(str(self.stickiness.fraction)):
            return None
        share = saved / now
        enough = f"more than the {self.stickiness} that it takes to move"
        return Reason(COST, f"{best.home.described} costs {share:.0%} less, {enough}")

    # --- what else there is to say

    def _why_empty(self) -> str:
        return (
            "what was measured of it cannot be used"
            if self.measured.findings
            else "nothing was measured of it"
        )

    def _overloaded(self) -> Iterator[Reason]:
        told = self.presumed
        if told.overloaded:
            wanted = f"{told.replicas} would hold its peak" if told.replicas else "no number of them would do"
            yield Reason(CAPACITY, f"its pods cannot hold what comes on average: {wanted}")
        if told.overbooked is not None:
            yield Reason(
                CAPACITY,
                f"its peak keeps {told.overbooked} copies warm, more than reserved_concurrency lets run",
            )

    def _unpriced(self) -> Reason:
        return Reason(
            COST, f"no rule is against its home, but bills cannot be compared: {self._present.unknown}"
        )

    def _kept(self) -> Iterator[Reason]:
        best, present = self._best, self._present
        if best is None:
            yield Reason(COST, "no other home may be had")
        elif best.cost is not None and present.cost is not None:
            saved = present.cost.total.amount - best.cost.total.amount
            if saved > 0:
                said = f"would cost {saved / present.cost.total.amount:.0%} less, too little to move"
            else:
                said = f"would cost ${-saved:,.2f} a month more"
            yield Reason(COST, f"{best.home.described} {said}")

    def _dearer(self, best: Alternative) -> Iterator[Reason]:
        """What it costs to follow a rule, where that is no saving."""
        if self._present.cost is None or best.cost is None:
            return
        more = best.cost.total.amount - self._present.cost.total.amount
        if more > 0:
            yield Reason(
                COST, f"{best.home.described} costs ${more:,.2f} a month more at this traffic all the same"
            )

    def _nowhere(self) -> Iterator[Reason]:
        for each in self.planned.alternatives:
            if each is self._present:
                continue
            candidate = each.candidate
            if each.home.is_function and not self.serverless:
                why = "a dedicated stack has none for its workloads"
            elif candidate.site is None:
                why = candidate.unavailable
            elif candidate.blocking:
                why = f"refused by {', '.join(candidate.blocking)}"
            elif advice := next(self._advice(each), None):
                why = f"{advice.by} advises against it"
            else:
                why = f"does not hold the budget of {self.planned.budget}"
            yield Reason(each.home, why)


def _pool_of(each: Alternative | None) -> str | None:
    site = each.candidate.site if each is not None else None
    return site.pool.name if site is not None and site.pool is not None else None


def _claimed(each: Alternative | None, pool: str) -> float:
    """Nodes of a pool that a home takes."""
    if each is None or _pool_of(each) != pool or not isinstance(each.option, NodesOption):
        return 0.0
    return each.option.replicas / each.option.per_node


def _dollars(each: Alternative) -> Decimal:
    return each.cost.total.amount if each.cost is not None else Decimal("Infinity")


def _cheapest(homes: Iterable[Alternative]) -> Alternative | None:
    return min(homes, key=lambda each: (_dollars(each), list(Home).index(each.home)), default=None)


def _is_endless(each: Alternative) -> bool:
    """Whether more comes than it can take."""
    return each.latency is not None and each.latency.p99 is None
