"""Prices and times every home of every workload of a stack."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Final, Literal, TypeAlias

from components.catalog import ANYWHERE, Catalog, MissingFigureError, for_stack
from components.catalog import load as load_catalog
from components.placement.bounds import warm_copies
from components.placement.cost import (
    Contender,
    Cost,
    Platform,
    compare,
    compared,
    contender,
    cost,
    platform_of,
)
from components.placement.decision import Candidate, candidates, decide
from components.placement.latency import Around, Latency, latency, tailed
from components.placement.options import (
    Demand,
    FunctionOption,
    Missing,
    NodesOption,
    Option,
    OptionError,
    demand_of,
)
from components.placement.placements import Finding, Placement, Placements
from components.placement.plan.fleet import fleet_of, price_of_node
from components.placement.plan.model import Alternative, Idle, Plan, Planned, Warn
from components.placement.plan.options import met_there, option_of, twin_of
from components.placement.plan.words import length
from components.placement.twins import queued_before_twin, unused_twin
from components.spec import Stack, Workload
from components.spec.units import Money, Share

_Store: TypeAlias = Literal["cache", "database", "weights_store"]

_STORES: Final[Mapping[str, _Store]] = {
    "cache": "cache",
    "database": "database",
    "weights-store": "weights_store",
}


def plan(stack: Stack, catalog: Catalog | None = None) -> Plan:
    """The plan of a stack. Raises as `decide` does."""
    known = for_stack(catalog if catalog is not None else load_catalog(), stack)
    return _Planning(stack, known, decide(stack, catalog)).plan(candidates(stack, catalog))


@dataclass(frozen=True)
class _Planning:
    stack: Stack
    catalog: Catalog
    placements: Placements

    def plan(self, homes: dict[str, tuple[Candidate, ...]]) -> Plan:
        workloads = tuple(
            self._planned(placement, homes[name])
            for name, placement in sorted(self.placements.by_name.items())
        )
        return Plan(
            topology=self.stack.topology,
            region=self.stack.region,
            workloads=workloads,
            idle=tuple(self._idle(workloads)),
            fleet=fleet_of(self.stack, self.catalog, self.placements.by_name.values()),
            warnings=tuple(self._warnings(workloads)),
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

    def _planned(self, placement: Placement, homes: tuple[Candidate, ...]) -> Planned:
        found = Planned(placement, tuple(self._alternative(placement.workload, home) for home in homes))
        if found.chosen.cost is None:
            return found
        others = [
            each for each in found.alternatives if each is not found.chosen and each.candidate.is_allowed
        ]
        try:
            own, *rest = [
                self._contender(each.cost) for each in (found.chosen, *others) if each.cost is not None
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
        return compared(own, self._contender(other.cost)).answer

    def _contender(self, price: Cost) -> Contender:
        return contender(
            price.option, price.demand, self.catalog, region=self.stack.region, platform=self._around_all
        )

    def _alternative(self, workload: Workload, candidate: Candidate) -> Alternative:
        option = option_of(self.catalog, workload, candidate, warm_copies(workload))
        demand = demand_of(workload)
        if isinstance(option, str):
            return Alternative(candidate, None, None, None, option)
        if isinstance(demand, Missing):
            return Alternative(candidate, option, None, None, demand.reason)
        met = met_there(self.stack, workload, candidate, demand)
        twin = twin_of(workload, candidate.home)
        if twin is not None and isinstance(option, NodesOption):
            return self._with_twin(workload, candidate, option, twin, met)
        price, why_no_price = self._priced(option, met)
        time, why_no_time = self._timed(option, met, workload)
        return Alternative(
            candidate, option, price, time, "; ".join(filter(None, (why_no_price, why_no_time)))
        )

    def _with_twin(
        self,
        workload: Workload,
        candidate: Candidate,
        option: NodesOption,
        twin: FunctionOption,
        demand: Demand,
    ) -> Alternative:
        """Nodes, and the function that takes their tail: priced by what goes to it in a simulation."""
        plane = self.stack.data_plane
        queue = queued_before_twin(workload) * (plane.gateway.replicas if plane is not None else 1)
        try:
            found = tailed(option, twin, demand, self.catalog, self._around(option, workload), queue=queue)
        except (MissingFigureError, OptionError) as error:
            return Alternative(candidate, option, None, None, str(error))
        price, why_no_price = self._priced(option, demand, twin, found.spilled)
        return Alternative(candidate, option, price, found.latency, why_no_price)

    def _priced(
        self,
        option: Option,
        demand: Demand,
        twin: FunctionOption | None = None,
        spilled: Share | None = None,
    ) -> tuple[Cost | None, str]:
        region, platform = self.stack.region, self._around_all
        try:
            return cost(
                option, demand, self.catalog, region=region, platform=platform, twin=twin, spilled=spilled
            ), ""
        except (MissingFigureError, OptionError) as error:
            return None, str(error)

    @cached_property
    def _around_all(self) -> Platform:
        return platform_of(self.stack, self.catalog)

    def _timed(self, option: Option, demand: Demand, workload: Workload) -> tuple[Latency | None, str]:
        try:
            return latency(option, demand, self.catalog, self._around(option, workload)), ""
        except (MissingFigureError, OptionError) as error:
            return None, str(error)

    def _around(self, option: Option, workload: Workload) -> Around:
        behind_api = not (isinstance(option, NodesOption) and self.stack.topology == "dedicated")
        kinds = [store.kind for store in self.stack.state if store.name in workload.state.reads]
        return Around(
            region=self.stack.region,
            front_door=self.stack.control_plane.front_door if behind_api else None,
            zones=len(self.stack.zones),
            store=_STORES[kinds[0]] if kinds else "cache",
        )

    def _idle(self, workloads: tuple[Planned, ...]) -> Iterator[Idle]:
        """What of each pool's nodes nobody claims."""
        for pool in self.stack.data_plane.pools if self.stack.data_plane is not None else ():
            claimed = 0.0
            for each in workloads:
                option = each.chosen.option
                if each.placement.pool == pool and isinstance(option, NodesOption):
                    claimed += option.replicas / option.per_node
            left = pool.nodes.desired - claimed
            price = price_of_node(self.stack, self.catalog, pool)
            if left > 0 and isinstance(price, Money):
                yield Idle(pool.name, left, price * Decimal(str(left)))

    def _warnings(self, workloads: tuple[Planned, ...]) -> Iterator[Warn]:
        for finding in (*self.placements.findings, *self.placements.undecided):
            yield Warn(finding.subject, _said(finding))
        for each in workloads:
            chosen = each.chosen
            if chosen.unknown:
                yield Warn(each.name, chosen.unknown)
            if chosen.holds(each.budget) is False and chosen.latency is not None:
                yield Warn(
                    each.name, f"p99 of {length(chosen.latency.p99)} is over its budget of {each.budget}"
                )
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


def _said(finding: Finding) -> str:
    return f"{finding.rule}: {finding.reason}"
