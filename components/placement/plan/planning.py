"""Prices and times every home of every workload of a stack."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from components.catalog import ANYWHERE, Catalog, MissingFigureError, for_stack
from components.catalog import load as load_catalog
from components.placement.choosing.alternatives import Alternative, Alternatives
from components.placement.cost import (
    Contender,
    compare,
    compared,
)
from components.placement.decision import decide, sites_of
from components.placement.homes import Home
from components.placement.latency import length
from components.placement.options import NodesOption, OptionError
from components.placement.placements import Placement, Placements
from components.placement.plan.fleet import fleet_of, price_of_node
from components.placement.plan.model import Idle, Plan, Planned, Warn
from components.placement.twins import unused_twin
from components.placement.waivers import Use
from components.spec import Stack
from components.spec.units import Money


def plan(stack: Stack, catalog: Catalog | None = None, today: date | None = None) -> Plan:
    """The plan of a stack, with its waivers as they count on a day. Raises as `decide` does."""
    decided = decide(stack, catalog)
    return planned(decided if today is None else decided.on(today), catalog)


def planned(placements: Placements, catalog: Catalog | None = None) -> Plan:
    """The plan of a stack that has been decided, by the same catalog."""
    stack = placements.stack
    known = for_stack(catalog if catalog is not None else load_catalog(), stack)
    return _Planning(placements, Alternatives(sites_of(stack, known))).plan()


@dataclass(frozen=True)
class _Planning:
    placements: Placements
    alternatives: Alternatives

    @property
    def stack(self) -> Stack:
        return self.placements.stack

    @property
    def catalog(self) -> Catalog:
        return self.alternatives.catalog

    def plan(self) -> Plan:
        workloads = tuple(self._planned(each) for _, each in sorted(self.placements.by_name.items()))
        lines, unknown = self.alternatives.standing
        return Plan(
            topology=self.stack.topology,
            region=self.stack.region,
            workloads=workloads,
            standing=lines,
            idle=tuple(self._idle(workloads)),
            fleet=fleet_of(self.stack, self.catalog, self.placements.by_name.values()),
            warnings=(*([Warn("data_plane", unknown)] if unknown else []), *self._warnings(workloads)),
            as_of=self._dates(),
        )

    def _dates(self) -> tuple[date, date] | None:
        """From when to when the prices are that may be in a bill here."""
        regions = {self.stack.region, ANYWHERE}
        days = {
            fact.as_of
            for place in self.catalog.places.values()
            if place.steps[0] == "prices"
            for fact in place.facts
            if fact.region in regions
        }
        return (min(days), max(days)) if days else None

    def _planned(self, placement: Placement) -> Planned:
        homes = self._by_home(placement, self.alternatives.of(placement.workload))
        found = Planned(placement, tuple(homes))
        if found.chosen.cost is None:
            return found
        others = [
            each for each in found.alternatives if each is not found.chosen and each.candidate.is_allowed
        ]
        try:
            own, *rest = [
                self.alternatives.contender(each.cost)
                for each in (found.chosen, *others)
                if each.cost is not None
            ]
            comparison = compare(own, rest)
            break_even = self._break_even(found, own)
        except (MissingFigureError, OptionError) as error:
            return replace(found, break_even=str(error))
        return replace(found, break_even=break_even, comparison=comparison)

    def _break_even(self, found: Planned, own: Contender) -> str:
        other = found.runner_up
        if other is None or other.cost is None:
            return ""
        return compared(own, self.alternatives.contender(other.cost)).answer

    def _by_home(self, placement: Placement, found: tuple[Alternative, ...]) -> Iterator[Alternative]:
        """One for each home: where it is, else the pool that would be chosen."""
        for home in Home:
            there = [each for each in found if each.home is home]
            chosen = [each for each in there if home is placement.home and each.pool == placement.pool]
            yield min(chosen or there, key=_last)

    def _idle(self, workloads: tuple[Planned, ...]) -> Iterator[Idle]:
        """What of each pool's nodes nobody claims."""
        for pool in self.stack.data_plane.pools if self.stack.data_plane is not None else ():
            claimed = 0.0
            for each in workloads:
                option = each.chosen.option
                if each.placement.pool == pool and isinstance(option, NodesOption):
                    claimed += option.replicas / option.per_node
            left = (pool.nodes.desired or 0) - claimed
            price = price_of_node(self.stack, self.catalog, pool)
            if left > 0 and isinstance(price, Money):
                yield Idle(pool.name, left, price * Decimal(str(left)))

    def _warnings(self, workloads: tuple[Planned, ...]) -> Iterator[Warn]:
        for note in self.placements.notes:
            yield Warn(note.subject, note.message)
        for finding in (*self.placements.findings, *self.placements.undecided):
            yield Warn(finding.subject, finding.says)
        for waiver, use in self.placements.waivers:
            if use is not Use.USED:
                yield Warn(waiver.subject, use.of(waiver))
        for each in workloads:
            chosen = each.chosen
            if chosen.unknown:
                yield Warn(each.name, chosen.unknown)
            if chosen.holds(each.budget) is False and chosen.latency is not None:
                p99 = length(chosen.latency.p99)
                yield Warn(each.name, f"p99 of {p99} is over its budget of {each.budget}")
            if chosen.latency is not None and chosen.latency.note:
                yield Warn(each.name, chosen.latency.note)
            unused = unused_twin(each.placement.workload, each.placement.home)
            if unused:
                yield Warn(each.name, unused)
            cheaper = each.runner_up
            if cheaper is not None and chosen.cost is not None and cheaper.cost is not None:
                saved = chosen.cost.total.amount - cheaper.cost.total.amount
                if saved > 0:
                    yield Warn(each.name, f"{cheaper.home} would save ${saved:,.2f} a month")


def _last(alternative: Alternative) -> tuple[bool, bool, Decimal, str]:
    """Of the pools of a home those come first that may be had, then those with a price, then the cheaper."""
    price = alternative.cost
    return (
        not alternative.candidate.is_allowed,
        price is None,
        price.total.amount if price is not None else Decimal(0),
        alternative.pool.name if alternative.pool is not None else "",
    )
