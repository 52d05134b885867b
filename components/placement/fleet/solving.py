"""Chooses the fleet: count, pack, learn from what did not fit, count again.

Each round asks the model for a count and packs it. Where a packing needs more nodes than were counted, and
that is proven, the model is told (a `Cut`) and the bound rises with it; the search ends when a count can be
packed as it is, which is then the best there is. Where it cannot be proven (many replicas), the offer is
taken to be less usable than it looks, the bound stays where it was, and the search ends when the answer is
near enough to it.

Effort is counted in the solver's own steps and not in seconds, so that the same demand gets the same fleet on
any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from components.placement.fleet.conflicts import conflict
from components.placement.fleet.fitting import Bin, fewest, fits, share
from components.placement.fleet.improving import improved
from components.placement.fleet.model import MILLS, Count, Cut, Model, mills
from components.placement.fleet.problem import (
    MONTH,
    Demand,
    Fleet,
    Infeasible,
    Node,
    Nodes,
    Place,
    monthly,
)
from components.placement.homes import Home
from components.spec.units import Money

EFFORT: Final = 6.0
"""Of CP-SAT's deterministic time, all rounds together: some ten seconds of one core."""
_EACH: Final = 3.3
"""The same, for one round."""
GOOD_ENOUGH: Final = 0.01
"""Gap at which a search that cannot be completed may end."""
_COMPLETE_UP_TO: Final = 600
"""Replicas times offers up to which the best is sought, and not only what is good enough."""
_ROUNDS: Final = 60
_STRATEGIES: Final = 2
"""Of the solver, in turn."""
_OF_THE_GAP: Final = 0.5
"""Share of the gap allowed that a count may use up; the rest is for its packing."""


class NoAnswerError(Exception):
    """Neither a fleet was found with the effort allowed, nor a proof that there is none."""


def solve(demand: Demand, *, effort: float = EFFORT, good_enough: float = GOOD_ENOUGH) -> Fleet | Infeasible:
    """The cheapest fleet that meets every claim, or the demands that stand against each other.

    Raises NoAnswerError where `effort` is spent before either is known.
    """
    search = _Search(demand, good_enough)
    found = search.run(effort)
    if found is None:
        return search.nothing()
    if not found.gap or not demand.previous:
        return found
    # What is proven to be cheaper is worth its moves. What only came out of a search that could not be
    # completed must be clearly cheaper: another run would move everything again for as little.
    stayed = _Search(demand, good_enough, staying=True).run(effort)
    if stayed is None:
        return found
    saved = mills(stayed.total) - mills(found.total) - _moves(demand, found)
    if saved > good_enough * mills(stayed.total):
        return found
    return replace(stayed, bound=found.bound, gap=mills(stayed.total) / mills(found.bound) - 1)


@dataclass
class _Search:
    demand: Demand
    good_enough: float
    staying: bool = False
    """Whether what is placed is held where it is."""
    cuts: list[Cut] = field(default_factory=list)
    usable: dict[str, float] = field(default_factory=dict)
    """By offer, the share of its nodes that is counted on; empty as long as everything is proven."""
    bound: int = 0
    best: Fleet | None = None
    cost: float = float("inf")
    """Of the best, in mills a month, with what is held against its moves."""

    def __post_init__(self) -> None:
        self.claims = {claim.name: claim for claim in self.demand.claims}
        self.offers = {offer.name: offer for offer in self.demand.offers}
        replicas = sum(claim.replicas for claim in self.demand.claims)
        self.complete = replicas * len(self.offers) <= _COMPLETE_UP_TO

    def run(self, effort: float) -> Fleet | None:
        """The best fleet found; None where none was."""
        gap = 0.0 if self.complete else self.good_enough * _OF_THE_GAP
        count: Count | None = None
        known, idle = self._known(), 0
        for turn in range(_ROUNDS):
            count = Model(self.demand, self.cuts, self.usable, staying=self.staying).solve(
                min(effort, _EACH), gap, hint=count, restarting=bool(turn % 2)
            )
            if count is None:
                break
            effort -= count.effort
            if not self.usable:
                self.bound = max(self.bound, count.bound)
            if self._packs(count) and count.proven and not self.usable and self.best is not None:
                return self._answer(self.best, proven=True)
            if effort <= 0 or (not self.complete and self._gap() <= self.good_enough):
                break
            idle = idle + 1 if self._known() == known else 0
            known = self._known()
            if idle == _STRATEGIES:
                break  # nothing was learned by either: the next rounds would be these once more
        return None if self.best is None else self._answer(self.best, proven=False)

    def _known(self) -> tuple[object, ...]:
        return len(self.cuts), dict(self.usable), self.cost, self.bound

    def _packs(self, count: Count) -> bool:
        """Whether a count can be packed as it is. What comes of it is kept if it is the best so far."""
        bins: list[Bin] = []
        as_counted = True
        for name, offer in sorted(self.offers.items()):
            on_it = _on(count.places, name)
            packed, proven = fewest(on_it, self.claims, offer)
            bins += packed
            if len(packed) > count.nodes[name]:
                as_counted = False
                self._learn(Cut(name, on_it, len(packed)), count.nodes[name], proven=proven)
        if not as_counted and not self.staying:
            bins = improved(bins, self.claims, self.demand.offers)
        self._keep(count.places, bins)
        return as_counted

    def _learn(self, cut: Cut, counted: int, *, proven: bool) -> None:
        if proven:
            self.cuts.append(cut)
        else:
            self.usable[cut.offer] = self.usable.get(cut.offer, 1.0) * counted / cut.nodes

    def _keep(self, places: Mapping[str, Place], bins: list[Bin]) -> None:
        functions = {name: place for name, place in places.items() if isinstance(place, Home)}
        fleet = _fleet(self.demand, functions, bins)
        if fleet is None:
            return
        cost = float(mills(fleet.total)) + _moves(self.demand, fleet)
        if cost < self.cost:
            self.best, self.cost = fleet, cost

    def _gap(self) -> float:
        if self.cost == self.bound:  # both may be nothing at all
            return 0.0
        return max(0.0, self.cost / self.bound - 1) if self.bound else float("inf")

    def _answer(self, best: Fleet, *, proven: bool) -> Fleet:
        bound = Money(Decimal(min(self.bound, round(self.cost))) / MILLS, MONTH)
        return replace(best, bound=bound, gap=0.0 if proven else self._gap())

    def nothing(self) -> Infeasible:
        """Why there is no fleet. Raises NoAnswerError where that is not known."""
        found = None if self.usable else conflict(self.demand, self.cuts)
        if found is None:
            raise NoAnswerError("no fleet was found, nor a proof that there is none: allow more effort")
        return found


def _on(places: Mapping[str, Place], offer: str) -> dict[str, int]:
    """Replicas on an offer, by claim."""
    return {
        name: place.replicas[offer]
        for name, place in places.items()
        if isinstance(place, Nodes) and offer in place.replicas
    }


def _fleet(demand: Demand, functions: Mapping[str, Home], bins: list[Bin]) -> Fleet | None:
    """The fleet that these make, with the empty nodes that are paid for; None where it breaks a limit."""
    nodes = [Node(each.offer, dict(sorted(each.replicas.items()))) for each in bins]
    for offer in sorted(demand.offers, key=lambda offer: offer.name):
        there = sum(node.offer.name == offer.name for node in nodes)
        if offer.at_most is not None and there > offer.at_most:
            return None
        nodes += [Node(offer, {})] * (offer.at_least - there)
    by_claim: dict[str, dict[str, int]] = {}
    for node in nodes:
        for name, count in node.replicas.items():
            on = by_claim.setdefault(name, {})
            on[node.offer.name] = on.get(node.offer.name, 0) + count
    places: dict[str, Place] = {
        claim.name: functions[claim.name]
        if claim.name in functions
        else Nodes(dict(sorted(by_claim[claim.name].items())))
        for claim in sorted(demand.claims, key=lambda claim: claim.name)
    }
    prices = [node.offer.price for node in nodes]
    prices += [claim.functions[functions[claim.name]] for claim in demand.claims if claim.name in functions]
    prices += [
        claim.on[offer].extra
        for claim in demand.claims
        if claim.on is not None and claim.name not in functions
        for offer in by_claim[claim.name]
    ]
    total = sum(map(monthly, prices), Money(Decimal(0), MONTH))
    if demand.budget is not None and mills(total) > mills(demand.budget):
        return None
    nodes.sort(key=lambda node: (node.offer.name, not node.replicas))
    return Fleet(places, tuple(nodes), total, total, 0.0)


def _moves(demand: Demand, fleet: Fleet) -> float:
    """What is held against the moves to a fleet, in mills a month."""
    offers = {offer.name: offer for offer in demand.offers}
    against = 0.0
    for claim in demand.claims:
        before, now = demand.previous.get(claim.name), fleet.places[claim.name]
        if isinstance(before, Home):
            price = claim.functions.get(before)
            against += mills(price) if price is not None and now != before else 0.0
        elif isinstance(before, Nodes):
            still = now.replicas if isinstance(now, Nodes) else {}
            for name in sorted(before.replicas.keys() & offers.keys()):
                if not fits(claim, offers[name]):
                    continue  # it could not have stayed
                stayed = min(before.replicas[name], claim.replicas_on(name))
                gone = max(0, stayed - still.get(name, 0))
                against += gone * share(claim, offers[name]) * mills(offers[name].price)
    return against * demand.stickiness
