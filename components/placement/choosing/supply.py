"""A stack's pools as offers of nodes, and what is on them beside the workloads: the gateway."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from components.catalog import Catalog, MissingFigureError
from components.placement.choosing.options import room_of
from components.placement.cost.platform import GATEWAY_CORES, GATEWAY_MEMORY
from components.placement.fleet import Claim, Offer, Terms
from components.placement.instances import instance_of
from components.placement.nodes import MILLICORES, Room
from components.placement.taints import hosts_of_gateway
from components.spec import Pool, Stack
from components.spec.units import Memory, Money, Period

GATEWAY: Final = "gateway"
"""Its claim; no workload may be called so."""

NOTHING: Final = Money(Decimal(0), Period.MONTH)
_ROOM_ENOUGH: Final = 2**45


def offers(stack: Stack, catalog: Catalog) -> Iterator[Offer]:
    """Each pool: its nodes in all its zones together, by name."""
    pools = stack.data_plane.pools if stack.data_plane is not None else ()
    for pool in sorted(pools, key=lambda pool: pool.name):
        room = _room(stack, catalog, pool)
        nodes = pool.nodes
        yield Offer(
            pool=pool.name,
            instance=pool.instance or "a type that is not known",
            zone=" and ".join(sorted(pool.zones)),
            capacity=pool.capacity,
            price=_price(stack, catalog, pool),
            cpu_m=room.cpu_m,
            memory=room.memory,
            accelerators=room.accelerators,
            at_least=nodes.min if nodes.desired is None else nodes.desired,
            at_most=nodes.max,
        )


def gateway(stack: Stack) -> Iterator[Claim]:
    """The gateway's pods, where there is one."""
    if stack.data_plane is None:
        return
    replicas = stack.data_plane.gateway.replicas
    hosts = hosts_of_gateway(stack.data_plane.pools)
    yield Claim(
        name=GATEWAY,
        replicas=replicas,
        cpu_m=round(GATEWAY_CORES * MILLICORES),
        memory=GATEWAY_MEMORY,
        on={pool.name: Terms(replicas, NOTHING) for pool in hosts},
    )


def _room(stack: Stack, catalog: Catalog, pool: Pool) -> Room:
    """What a node has; one of a type that is not known may hold anything but other accelerators."""
    known = instance_of(pool, catalog)
    if known is not None:
        return room_of(stack, catalog, known)
    devices = pool.accelerator.count if pool.accelerator is not None else 0
    return Room(_ROOM_ENOUGH, Memory(_ROOM_ENOUGH), devices, _ROOM_ENOUGH)


def _price(stack: Stack, catalog: Catalog, pool: Pool) -> Money:
    """A node a month. Nothing where it exists already, or has no price: then nothing is compared by it."""
    if pool.instance is None or pool.capacity == "existing":
        return NOTHING
    try:
        return catalog.instance_price(pool.instance, pool.capacity, stack.region).value.to(Period.MONTH)
    except MissingFigureError:
        return NOTHING
