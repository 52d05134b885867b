"""The choice as integers: how many nodes of each offer, how many replicas of each claim on them.

Replicas are counted by offer, not by node, and those of claims of one size together: a thousand claims on
sixty offers are then thousands of numbers and not millions. What such a count forgets is that a replica
cannot be split over two nodes. Three things bring it back, all of them true of every real packing, so that
the bound stays a bound:

* a node holds no more replicas of one size than fit on it alone;
* of replicas larger than half a node, a node holds one; of those larger than a third, two; and so on (the
  dual feasible functions of bin packing);
* `Cut`s, added once a packing has shown that these very replicas need more nodes than were counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ortools.sat.python import cp_model

from components.placement.fleet.fitting import deterministic, fits, most_on_a_node, room, share, sizes
from components.placement.fleet.kinds import Kind, kinds, shared_out
from components.placement.fleet.problem import Claim, Demand, Nodes, Offer, Place, monthly
from components.placement.homes import Home
from components.spec.units import Money

MILLS: Final = 1000
"""Money is counted in thousandths of a dollar a month."""
_PIECES: Final = (1, 2, 3)
"""How many of the replicas that are larger than a half, a third, a quarter of a node one node holds."""
_RANKED_UP_TO: Final = 2**50
"""Objectives beyond this are left without the ranking that breaks ties: the solver counts in doubles too."""


def mills(money: Money) -> int:
    """Thousandths of a dollar a month."""
    return round(monthly(money).amount * MILLS)


@dataclass(frozen=True, slots=True)
class Cut:
    """These replicas on this offer need so many nodes, and so do any more."""

    offer: str
    replicas: Mapping[str, int]
    nodes: int


@dataclass(frozen=True, slots=True)
class Left:
    """Demands to leave out, by name: what an explanation tries."""

    claims: frozenset[str] = frozenset()
    limits: frozenset[str] = frozenset()
    budget: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """An answer: nodes of each offer and the place of each claim, not yet packed."""

    nodes: Mapping[str, int]
    places: Mapping[str, Place]
    bound: int
    """In thousandths of a dollar a month, what moving is held to cost included."""
    proven: bool
    effort: float


class Model:
    """One demand as a CP-SAT model. Claims, kinds and offers are in the order of their names."""

    def __init__(
        self,
        demand: Demand,
        cuts: Sequence[Cut] = (),
        usable: Mapping[str, float] | None = None,
        left: Left | None = None,
        *,
        staying: bool = False,
    ) -> None:
        self._demand = demand
        self._left = left or Left()
        self._usable = usable or {}
        self._model = cp_model.CpModel()
        self._claims = [
            claim
            for claim in sorted(demand.claims, key=lambda claim: claim.name)
            if claim.name not in self._left.claims
        ]
        self._kinds = kinds(self._claims, demand.previous.keys())
        self._offers = sorted(demand.offers, key=lambda offer: offer.name)
        self._on: dict[tuple[str, str], cp_model.LinearExprT] = {}
        """Replicas of a kind on an offer."""
        self._counted: dict[tuple[str, str], cp_model.IntVar] = {}
        """What is counted of them: replicas, or claims where each is whole."""
        self._as: dict[tuple[str, Home], cp_model.IntVar] = {}
        self._nodes: dict[str, cp_model.IntVar] = {}
        self._place_claims()
        for offer in self._offers:
            self._fill(offer)
        for cut in cuts:
            self._cut(cut)
        if staying:
            self._stay()
        self._cost = self._costs()
        if demand.budget is not None and not self._left.budget:
            self._model.add(self._cost <= mills(demand.budget))

    def solve(
        self, effort: float, gap: float, hint: Count | None = None, *, restarting: bool = False
    ) -> Count | None:
        """The cheapest count; None when there is none, or none was found with this effort.

        `restarting` chooses the strategy of CP-SAT that now and then begins anew: sometimes it finds what the
        usual one does not, and sometimes the other way round.
        """
        ranking, scale = self._ranking() if not gap else (0, 1)
        self._model.minimize((self._cost + self._moving()) * scale + ranking)
        if hint is not None:
            self._hint(hint)
        solver = deterministic(effort)
        solver.parameters.relative_gap_limit = gap
        if restarting:
            solver.parameters.search_branching = cp_model.PORTFOLIO_WITH_QUICK_RESTART_SEARCH
            solver.parameters.linearization_level = 2
        status = solver.solve(self._model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        return Count(
            nodes={name: solver.value(count) for name, count in self._nodes.items()},
            places=dict(self._places(solver)),
            bound=math.floor(solver.best_objective_bound / scale),
            proven=status == cp_model.OPTIMAL and gap == 0,
            effort=solver.deterministic_time,
        )

    def is_infeasible(self, effort: float) -> bool:
        """Whether it is proven that no count meets all this."""
        return bool(deterministic(effort).solve(self._model) == cp_model.INFEASIBLE)

    def _place_claims(self) -> None:
        for kind in self._kinds:
            chosen = []
            for claim in kind.claims:
                for home in sorted(claim.functions):
                    self._as[claim.name, home] = self._model.new_bool_var(f"{claim.name} as {home}")
                homes = [self._as[claim.name, home] for home in claim.functions]
                self._model.add_at_most_one(homes)
                chosen += [(1 if claim.on is not None else claim.replicas) * one for one in homes]
            for offer in self._offers:
                if fits(kind.alike, offer):
                    chosen.append(self._put(kind, offer))
            self._model.add(
                cp_model.LinearExpr.sum(chosen)
                == (len(kind.claims) if kind.alike.on is not None else kind.alike.replicas)
            )

    def _put(self, kind: Kind, offer: Offer) -> cp_model.IntVar:
        """The count of a kind on an offer: of replicas, or of claims where each is whole."""
        key, whole = (kind.name, offer.name), kind.alike.on is not None
        most = len(kind.claims) if whole else kind.alike.replicas
        count = self._model.new_int_var(0, most, f"{kind.name} on {offer.name}")
        self._counted[key] = count
        self._on[key] = kind.claims[0].replicas_on(offer.name) * count if whole else count
        return count

    def _here(self, offer: Offer) -> list[tuple[Claim, cp_model.LinearExprT]]:
        return [
            (kind.alike, self._on[kind.name, offer.name])
            for kind in self._kinds
            if (kind.name, offer.name) in self._on
        ]

    def _fill(self, offer: Offer) -> None:
        here = self._here(offer)
        most = sum(claim.replicas_on(offer.name) for claim, _ in here)
        if offer.at_most is not None and offer.name not in self._left.limits:
            most = min(most, offer.at_most)
        nodes = self._model.new_int_var(offer.at_least, max(most, offer.at_least), offer.name)
        self._nodes[offer.name] = nodes
        usable = self._usable.get(offer.name, 1.0)
        for resource, space in enumerate(room(offer)):
            taken = [(sizes(claim)[resource], on) for claim, on in here if sizes(claim)[resource]]
            self._model.add(sum(size * on for size, on in taken) <= int(space * usable) * nodes)
            for parts in _PIECES:
                pieces = [(-(-(parts + 1) * size // space) - 1, on) for size, on in taken]
                if any(piece for piece, _ in pieces):
                    self._model.add(sum(piece * on for piece, on in pieces if piece) <= parts * nodes)
        for claim, on in here:
            self._model.add(most_on_a_node(claim, offer) * nodes >= on)

    def _cut(self, cut: Cut) -> None:
        counts = {
            kind.name: sum(cut.replicas.get(claim.name, 0) for claim in kind.claims) for kind in self._kinds
        }
        if sum(counts.values()) < sum(cut.replicas.values()):
            return  # a claim of it is left out: the rest may need fewer
        fewer = []
        for name, count in counts.items():
            if count:
                on = self._on[name, cut.offer]
                less = self._model.new_bool_var(f"fewer than {count} of {name} on {cut.offer}")
                self._model.add(on >= count).only_enforce_if(~less)
                self._model.add(on < count).only_enforce_if(less)
                fewer.append(less)
        self._model.add(self._nodes[cut.offer] + cut.nodes * sum(fewer) >= cut.nodes)

    def _stay(self) -> None:
        """What is placed stays as far as it can, whatever it costs."""
        for claim in self._claims:
            match self._demand.previous.get(claim.name):
                case Nodes(replicas):
                    free = max(replicas.values(), default=0) if claim.on is not None else claim.replicas
                    for offer in self._offers:
                        on = self._on.get((claim.name, offer.name))
                        if on is None:
                            continue
                        stayed = min(replicas.get(offer.name, 0), free, claim.replicas_on(offer.name))
                        if stayed:
                            self._model.add(on >= stayed)
                            free -= stayed
                case Home() as home if home in claim.functions:
                    self._model.add(self._as[claim.name, home] == 1)
                case _:
                    continue

    def _costs(self) -> cp_model.LinearExpr:
        nodes = [mills(offer.price) * self._nodes[offer.name] for offer in self._offers]
        functions = [
            mills(claim.functions[home]) * self._as[claim.name, home]
            for claim in self._claims
            for home in claim.functions
        ]
        beside = [
            mills(kind.alike.on[offer].extra) * self._counted[kind.name, offer]
            for kind in self._kinds
            if kind.alike.on is not None
            for offer in kind.alike.on
            if (kind.name, offer) in self._counted
        ]
        return cp_model.LinearExpr.sum([*nodes, *functions, *beside])

    def _moving(self) -> cp_model.LinearExpr:
        """What is held against moves: for each replica that leaves its place, a share of its price there."""
        against = []
        for claim in self._claims:
            match self._demand.previous.get(claim.name):
                case Nodes(replicas):
                    for offer in self._offers:
                        if (claim.name, offer.name) not in self._on:
                            continue
                        stayed = min(replicas.get(offer.name, 0), claim.replicas_on(offer.name))
                        if stayed:
                            gone = self._model.new_int_var(0, stayed, "")
                            self._model.add(gone >= stayed - self._on[claim.name, offer.name])
                            against.append(self._penalty(share(claim, offer) * mills(offer.price)) * gone)
                case Home() as home if home in claim.functions:
                    left = 1 - self._as[claim.name, home]
                    against.append(self._penalty(mills(claim.functions[home])) * left)
                case _:
                    continue
        return cp_model.LinearExpr.sum(against)

    def _penalty(self, price: float) -> int:
        return round(price * self._demand.stickiness)

    def _ranking(self) -> tuple[cp_model.LinearExpr | int, int]:
        """Breaks ties by name: functions, then the first offers. And the scale that keeps it below a mill."""
        replicas = sum(
            max([claim.replicas, *(terms.replicas for terms in (claim.on or {}).values())])
            for claim in self._claims
        )
        most = replicas * (len(self._offers) + 1) + 1
        dearest = sum(
            max(
                [mills(price) for price in claim.functions.values()]
                + [
                    claim.replicas_on(offer.name) * mills(offer.price)
                    + (mills(claim.on[offer.name].extra) if claim.on is not None else 0)
                    for offer in self._offers
                    if fits(claim, offer)
                ],
                default=0,
            )
            for claim in self._claims
        )
        if most * max(dearest, 1) > _RANKED_UP_TO:
            return 0, 1
        rank = {offer.name: place for place, offer in enumerate(self._offers, start=1)}
        return cp_model.LinearExpr.sum([rank[offer] * on for (_, offer), on in self._on.items()]), most

    def _hint(self, hint: Count) -> None:
        for name, nodes in self._nodes.items():
            self._model.add_hint(nodes, hint.nodes.get(name, 0))
        for (claim, home), variable in self._as.items():
            self._model.add_hint(variable, hint.places.get(claim) == home)
        for kind in self._kinds:
            there = [hint.places.get(claim.name) for claim in kind.claims]
            for offer in self._offers:
                on_it = [
                    place.replicas[offer.name]
                    for place in there
                    if isinstance(place, Nodes) and offer.name in place.replicas
                ]
                if (kind.name, offer.name) in self._counted:
                    count = len(on_it) if kind.alike.on is not None else sum(on_it)
                    self._model.add_hint(self._counted[kind.name, offer.name], count)

    def _places(self, solver: cp_model.CpSolver) -> Iterator[tuple[str, Place]]:
        functions = {claim: home for (claim, home), chosen in self._as.items() if solver.value(chosen)}
        yield from functions.items()
        for kind in self._kinds:
            counts = {
                offer.name: solver.value(self._on[kind.name, offer.name])
                for offer in self._offers
                if (kind.name, offer.name) in self._on
            }
            for name, given in shared_out(kind, functions, counts).items():
                yield name, Nodes(given)
