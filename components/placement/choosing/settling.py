"""Fills in what a stack file leaves open: homes, pools, replicas, numbers of nodes.

All of it is chosen together, as workloads that share nodes share their price: of the places that each may
get (`ways`) those for which the whole stack costs the least (`fleet`). What comes out is a stack with nothing
left open, so that everything after it sees one thing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from components.catalog import Catalog
from components.placement.choosing.alternatives import Alternatives
from components.placement.choosing.options import millicores
from components.placement.choosing.supply import NOTHING, gateway, offers
from components.placement.choosing.ways import Found, Way, Ways
from components.placement.fleet import (
    Claim,
    Demand,
    Fleet,
    Infeasible,
    NoAnswerError,
    Nodes,
    Offer,
    Place,
    Terms,
    nodes_for,
    solve,
)
from components.placement.homes import Home
from components.placement.openness import headroom_of, stickiness_of
from components.placement.placements import Note, PlacementError
from components.placement.sites import Sites
from components.spec import Money, Pool, Problem, Stack, Workload
from components.spec.units import Period

_NO_HOME_REMEDY = "change what stands against one of these homes, or name a home in `placement.home`"
_IMPOSSIBLE_REMEDY = "add what is missing, or name another home in `placement.home`"
_CROWDED_REMEDY = "raise `nodes.max` of a pool, add a pool, or lower `placement.replicas` or `needs`"
_DEAR_REMEDY = "raise `decision.budget`, or lower what costs most: `halfmetal plan` shows it"
_A_PAIR = 2


@dataclass(frozen=True, slots=True)
class Settled:
    """A stack with nothing left open."""

    stack: Stack
    how: Mapping[str, str]
    """Why each workload whose home was open has the one it has, by name."""
    total: Money | None = None
    """What all that has a price costs a month; None where nothing had to be chosen."""
    notes: tuple[Note, ...] = ()


def settled(sites: Sites) -> Settled:
    """The stack of these sites, of one topology, with everything filled in.

    Raises PlacementError, naming each workload that has no place, or else the demands that stand against each
    other.
    """
    return _Settling(sites).settled()


@dataclass(frozen=True)
class _Settling:
    sites: Sites

    def settled(self) -> Settled:
        fleet = self._fleet
        chosen = {name: _chosen(found.ways, fleet.places[name]) for name, found in self._found.items()}
        counts = {pool.name: self._nodes(pool, chosen) for pool in self._pools}
        return Settled(
            self._filled(chosen, counts),
            {
                workload.name: _said(chosen[workload.name], self._found[workload.name])
                for workload in self.stack.workloads
                if workload.placement.home is None
            },
            fleet.total + self._stands,
            tuple(self._short(counts)),
        )

    @property
    def stack(self) -> Stack:
        return self.sites.stack

    @property
    def catalog(self) -> Catalog:
        return self.sites.catalog

    @property
    def _pools(self) -> tuple[Pool, ...]:
        return self.stack.data_plane.pools if self.stack.data_plane is not None else ()

    @cached_property
    def _found(self) -> dict[str, Found]:
        """The places of every workload, by name."""
        ways = Ways(self._alternatives, headroom_of(self.stack, self.catalog))
        found = {workload.name: ways.of(workload) for workload in self.stack.workloads}
        problems = [
            _nowhere(workload, f"workloads[{index}].placement", found[workload.name].against)
            for index, workload in sorted(enumerate(self.stack.workloads), key=lambda item: item[1].name)
            if not found[workload.name].ways
        ]
        if problems:
            raise PlacementError(problems)
        return dict(sorted(found.items()))

    # -- the choice -----------------------------------------------------------------------------------

    @cached_property
    def _fleet(self) -> Fleet:
        try:
            found = solve(self._demand)
        except NoAnswerError as error:
            raise PlacementError([Problem("decision", None, str(error), _CROWDED_REMEDY)]) from None
        if isinstance(found, Infeasible):
            raise PlacementError([self._conflict(found)])
        return found

    @cached_property
    def _demand(self) -> Demand:
        return Demand(
            claims=(*self._claims.values(), *gateway(self.stack)),
            offers=tuple(offers(self.stack, self.catalog)),
            budget=self._budget,
            previous=dict(self._previous()),
            stickiness=stickiness_of(self.stack, self.catalog).fraction,
        )

    @cached_property
    def _claims(self) -> dict[str, Claim]:
        return {
            workload.name: self._claim(workload, self._found[workload.name].ways)
            for workload in sorted(self.stack.workloads, key=lambda workload: workload.name)
        }

    def _claim(self, workload: Workload, ways: tuple[Way, ...]) -> Claim:
        needs = workload.needs
        on = {way.pool: Terms(way.replicas, way.beside) for way in ways if way.pool}
        replicas = max(1, *(way.replicas for way in ways))
        return Claim(
            name=workload.name,
            replicas=replicas,
            cpu_m=millicores(workload),
            memory=needs.memory,
            accelerator=needs.accelerator.type if needs.accelerator is not None else None,
            accelerators=needs.accelerator.count if needs.accelerator is not None else 0,
            on=on,
            nodes=bool(on),
            per_node=self._most_on_a_node(on, replicas),
            functions={way.home: way.beside for way in ways if not way.pool},
        )

    def _most_on_a_node(self, on: Mapping[str, Terms], replicas: int) -> int | None:
        """Where every pool may have a second node, one that ends takes half of the replicas, not all."""
        if replicas < _A_PAIR or any(pool.nodes.max < _A_PAIR for pool in self._pools if pool.name in on):
            return None
        return -(-replicas // 2)

    @property
    def _budget(self) -> Money | None:
        """What is left of the budget for workloads and nodes."""
        asked = self.stack.decision.budget
        if asked is None:
            return None
        stands = self._stands
        if stands.amount >= asked.amount:
            raise PlacementError(
                [
                    Problem(
                        "decision.budget",
                        str(asked),
                        f"does not pay for what stands there whatever runs, ${stands.amount:,.2f} a month",
                        _DEAR_REMEDY,
                    )
                ]
            )
        return Money(asked.amount - stands.amount, Period.MONTH)

    @cached_property
    def _alternatives(self) -> Alternatives:
        return Alternatives(self.sites)

    @property
    def _stands(self) -> Money:
        """What is paid for whatever runs, as far as it has a price: the plan says where it has none."""
        return sum((line.money for line in self._alternatives.standing[0]), NOTHING)

    def _previous(self) -> Iterator[tuple[str, Place]]:
        for workload in self.stack.workloads:
            home, _, pool = (workload.placement.current or "").partition("/")
            claim = self._claims[workload.name]
            if pool and claim.on is not None and pool in claim.on:
                yield workload.name, Nodes({pool: claim.replicas_on(pool)})
            elif home and not pool:
                yield workload.name, Home(home)

    def _conflict(self, found: Infeasible) -> Problem:
        conflict, dear = found.conflict, found.about_money
        if dear:
            stands = f"${self._stands.amount:,.2f}"
            budget = f"the budget: {self.stack.decision.budget}, of which {stands} is for what"
            conflict = (*conflict[:-1], f"{budget} stands there whatever runs")
        return Problem(
            "decision.budget" if dear else "data_plane.pools",
            None,
            f"cannot hold all of this together: {'; '.join(conflict)}",
            _DEAR_REMEDY if dear else _CROWDED_REMEDY,
        )

    # -- what comes of it -----------------------------------------------------------------------------

    def _nodes(self, pool: Pool, chosen: Mapping[str, Way]) -> int:
        """Nodes that the pool needs. What is held to one of its zones has a share of them only."""
        there = [node for node in self._fleet.nodes if node.offer.name == pool.name and node.replicas]
        zones = len(pool.zones)
        if zones == 1:
            return len(there)
        held: dict[str, dict[str, int]] = {}
        for name, way in chosen.items():
            site = way.alternative.candidate.site
            zone = site.zone if site is not None else None
            if way.pool == pool.name and zone is not None:
                held.setdefault(zone, {})[name] = way.replicas
        in_one = [nodes_for(replicas, self._claims, _offer(self._demand, pool)) for replicas in held.values()]
        return max([len(there), *(zones * count for count in in_one)])

    def _filled(self, chosen: Mapping[str, Way], counts: Mapping[str, int]) -> Stack:
        changes: dict[str, object] = {
            "workloads": tuple(_placed(workload, chosen[workload.name]) for workload in self.stack.workloads)
        }
        if self.stack.data_plane is not None:
            pools = tuple(_of_size(pool, counts[pool.name]) for pool in self._pools)
            changes["data_plane"] = self.stack.data_plane.model_copy(update={"pools": pools})
        return self.stack.model_copy(update=changes)

    def _short(self, counts: Mapping[str, int]) -> Iterator[Note]:
        for pool in self._pools:
            needed, has = (
                counts[pool.name],
                pool.nodes.max if pool.nodes.desired is None else pool.nodes.desired,
            )
            if needed > has:
                yield Note(
                    pool.name,
                    f"what is placed there needs {needed} nodes, and it has {has}: pods wait for more",
                )


def _nowhere(workload: Workload, path: str, against: tuple[str, ...]) -> Problem:
    home = workload.placement.home
    if home is None:
        return Problem(path, None, f"has no home: {'; '.join(against)}", _NO_HOME_REMEDY, workload.name)
    reason = "; ".join(each.partition(": ")[2] for each in against)
    return Problem(f"{path}.home", home, reason, _IMPOSSIBLE_REMEDY, workload.name)


def _chosen(ways: tuple[Way, ...], place: Place) -> Way:
    if isinstance(place, Nodes):
        (pool,) = place.replicas
        return next(way for way in ways if way.pool == pool)
    return next(way for way in ways if way.home is place)


def _said(way: Way, found: Found) -> str:
    if found.unpriced:
        return f"the first home that the stack offers and no rule refuses, as {found.unpriced}"
    if len(found.ways) == 1:
        return "the only home that the stack offers and no rule refuses"
    others = ", ".join(other.described for other in found.ways if other is not way)
    return f"with it the whole stack costs least, compared with {others}"


def _offer(demand: Demand, pool: Pool) -> Offer:
    return next(offer for offer in demand.offers if offer.name == pool.name)


def _placed(workload: Workload, way: Way) -> Workload:
    changes: dict[str, object] = {"home": way.home.value}
    if way.pool:
        changes |= {"pool": way.pool, "replicas": way.replicas}
    asked = workload.placement.model_copy(update=changes)
    return workload.model_copy(update={"placement": asked})


def _of_size(pool: Pool, count: int) -> Pool:
    if pool.nodes.desired is not None:
        return pool
    desired = min(pool.nodes.max, max(pool.nodes.min, count))
    return pool.model_copy(update={"nodes": pool.nodes.model_copy(update={"desired": desired})})
