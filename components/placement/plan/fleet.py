"""The nodes that a stack has, zone by zone, and what of them each workload asks for.

A pool over several zones is one group of nodes that the cloud keeps even, and the scheduler spreads a
workload's pods over them. Both are told here as they come out when all is well: nodes as even as their number
goes, pods each to the zone that has fewest of their own, and of equals to the one with most room. Which zone
gets the odd one is for the cloud to say; here it is the first by name.

What the system, the gateway and other people's pods take of a node is not in it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from components.catalog import Catalog, MissingFigureError
from components.placement.homes import Home
from components.placement.instances import instance_of
from components.placement.placements import Placement
from components.spec import Pool, Stack, Workload
from components.spec.units import Memory, Money, Period


class Resource(StrEnum):
    """What a node has and a pod asks for."""

    CPU = "cpu"
    """In cores."""

    MEMORY = "memory"
    """In GiB."""

    ACCELERATORS = "accelerators"
    """In whole ones."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one node has, or what one replica asks for. None is not known."""

    cpu: float | None
    memory: Memory | None
    accelerators: int

    def of(self, resource: Resource) -> float | None:
        """So much of one resource, in its unit."""
        match resource:
            case Resource.CPU:
                return self.cpu
            case Resource.MEMORY:
                return None if self.memory is None else self.memory.gib
            case Resource.ACCELERATORS:
                return self.accelerators


@dataclass(frozen=True, slots=True)
class Claim:
    """The replicas of one workload in one zone of a pool."""

    workload: str
    replicas: int
    each: Room
    """What one replica asks for."""

    def of(self, resource: Resource) -> float:
        """What all of them ask for."""
        return self.replicas * (self.each.of(resource) or 0.0)


@dataclass(frozen=True, slots=True)
class ZoneNodes:
    """The nodes of one pool in one zone."""

    pool: str
    home: Home
    zone: str
    instance: str | None
    capacity: str
    """How they are had: `on-demand`, `spot`, `capacity-block`, `existing`."""
    nodes: int
    each: Room
    """What one of them has in all."""
    claims: tuple[Claim, ...]
    price: Money | None
    """A month of all of them."""
    unpriced: str
    """Why there is no price; empty where there is one."""

    def has(self, resource: Resource) -> float | None:
        """So much of a resource all nodes have; None where that is not known."""
        one = self.each.of(resource)
        return None if one is None else one * self.nodes

    def claimed(self, resource: Resource) -> float:
        """So much of it the workloads ask for."""
        return sum(claim.of(resource) for claim in self.claims)

    def used(self, resource: Resource) -> float | None:
        """The share of it that is asked for: above 1 is more than there is. None where that is not known."""
        has = self.has(resource)
        return self.claimed(resource) / has if has else None


def fleet_of(stack: Stack, catalog: Catalog, placements: Iterable[Placement]) -> tuple[ZoneNodes, ...]:
    """The nodes of every pool, by zone and pool."""
    plane = stack.data_plane
    on_nodes = [each for each in placements if each.pool is not None]
    found = [
        nodes
        for pool in (plane.pools if plane is not None else ())
        for nodes in _by_zone(
            stack,
            catalog,
            pool,
            [each for each in on_nodes if each.pool is not None and each.pool.name == pool.name],
        )
    ]
    return tuple(sorted(found, key=lambda nodes: (nodes.zone, nodes.pool)))


def price_of_node(stack: Stack, catalog: Catalog, pool: Pool) -> Money | str:
    """A month of one node of a pool, or why that is not known."""
    if pool.capacity == "existing":
        return "what nodes that exist already cost is not known"
    if pool.instance is None:
        return "the instance type is not known"
    try:
        price = catalog.instance_price(pool.instance, pool.capacity, stack.region)
    except MissingFigureError as error:
        return str(error)
    return price.value.to(Period.MONTH)


def _by_zone(stack: Stack, catalog: Catalog, pool: Pool, placed: Sequence[Placement]) -> Iterator[ZoneNodes]:
    zones = sorted(pool.zones)
    nodes = _even(pool.nodes.desired or 0, zones)
    replicas = _spread(placed, nodes)
    price = price_of_node(stack, catalog, pool)
    for zone in zones:
        yield ZoneNodes(
            pool=pool.name,
            home=Home.METAL if pool.kind == "metal" else Home.POOL,
            zone=zone,
            instance=pool.instance,
            capacity=pool.capacity,
            nodes=nodes[zone],
            each=_room(catalog, pool),
            claims=tuple(
                Claim(each.workload.name, count, _asked(each.workload))
                for each in placed
                if (count := replicas[each.workload.name, zone])
            ),
            price=price * Decimal(nodes[zone]) if isinstance(price, Money) else None,
            unpriced=price if isinstance(price, str) else "",
        )


def _even(count: int, zones: Sequence[str]) -> dict[str, int]:
    each, odd = divmod(count, len(zones))
    return {zone: each + (index < odd) for index, zone in enumerate(zones)}


def _spread(placed: Sequence[Placement], nodes: dict[str, int]) -> Counter[tuple[str, str]]:
    """How many replicas of each workload are in each zone: the pinned first, as nothing moves them."""
    found: Counter[tuple[str, str]] = Counter()
    cores = dict.fromkeys(nodes, 0.0)

    def put(placement: Placement, zone: str) -> None:
        found[placement.workload.name, zone] += 1
        cores[zone] += float(placement.workload.needs.cpu)

    for each in sorted(placed, key=lambda each: (each.zone is None, each.workload.name)):
        for _ in range(each.replicas):
            put(each, each.zone or _emptiest(each, nodes, found, cores))
    return found


def _emptiest(
    placement: Placement, nodes: dict[str, int], found: Counter[tuple[str, str]], cores: dict[str, float]
) -> str:
    with_nodes = [zone for zone in nodes if nodes[zone]] or list(nodes)
    return min(
        with_nodes,
        key=lambda zone: (
            found[placement.workload.name, zone],
            cores[zone] / max(1, nodes[zone]),
            zone,
        ),
    )


def _room(catalog: Catalog, pool: Pool) -> Room:
    """What a node has by its instance type, else what the stack file says of it."""
    known = instance_of(pool, catalog)
    if known is None:
        return Room(None, None, pool.accelerator.count if pool.accelerator is not None else 0)
    return Room(known.vcpu, known.memory, known.accelerators.count if known.accelerators is not None else 0)


def _asked(workload: Workload) -> Room:
    needs = workload.needs
    return Room(float(needs.cpu), needs.memory, needs.accelerator.count if needs.accelerator else 0)
