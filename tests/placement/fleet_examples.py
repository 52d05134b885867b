"""Claims and offers in a line each, and the best answer by trying everything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from types import MappingProxyType
from typing import Any

from components.placement import Home
from components.placement.fleet import Claim, Demand, Offer, Terms
from components.spec.units import Memory, Money, Period

MONTH = Period.MONTH


def money(dollars: float | str) -> Money:
    """Dollars a month."""
    return Money(Decimal(str(dollars)), MONTH)


def claim(name: str = "embed", replicas: int = 1, cpu: float = 1, gib: float = 1, **more: Any) -> Claim:
    """A claim; `function` and `reserved` are its prices there in dollars a month."""
    homes = {Home.FUNCTION: more.pop("function", None), Home.RESERVED_FUNCTION: more.pop("reserved", None)}
    return Claim(
        name=name,
        replicas=replicas,
        cpu_m=round(cpu * 1000),
        memory=Memory(round(gib * 2**30)),
        functions=MappingProxyType(
            {home: money(price) for home, price in homes.items() if price is not None}
        ),
        **more,
    )


def terms(replicas: int = 1, extra: float = 0) -> Terms:
    """What it takes to run somewhere as a whole; the rest in dollars a month."""
    return Terms(replicas, money(extra))


def offer(
    instance: str = "m7g.large",
    price: float = 60,
    cpu: float = 2,
    gib: float = 8,
    **more: Any,
) -> Offer:
    """Nodes at a price in dollars a month each."""
    return Offer(
        instance=instance,
        zone=more.pop("zone", "a"),
        capacity=more.pop("capacity", "on-demand"),
        price=money(price),
        cpu_m=round(cpu * 1000),
        memory=Memory(round(gib * 2**30)),
        **more,
    )


def cheapest(demand: Demand) -> Money | None:
    """The least that any fleet costs, by trying every one; None where there is none."""
    prices = [price for price in _every_price(demand) if demand.budget is None or price <= demand.budget]
    return min(prices, default=None)


def _every_price(demand: Demand) -> Iterator[Money]:
    for homes in product(*[[None, *each.functions] for each in demand.claims]):
        on_nodes = [each for each, home in zip(demand.claims, homes, strict=True) if home is None]
        functions = [
            each.functions[home] for each, home in zip(demand.claims, homes, strict=True) if home is not None
        ]
        for settled, extras in _every_settling(on_nodes):
            replicas = [replace(each, replicas=1) for each in settled for _ in range(each.replicas)]
            for nodes in _every_packing(replicas, demand.offers, []):
                counts = [sum(at is each for at, _ in nodes) for each in demand.offers]
                if all(
                    each.at_most is None or count <= each.at_most
                    for each, count in zip(demand.offers, counts, strict=True)
                ):
                    paid = [
                        each.price * max(count, each.at_least)
                        for each, count in zip(demand.offers, counts, strict=True)
                    ]
                    yield sum([*paid, *functions, *extras], money(0))


def _every_settling(claims: Sequence[Claim]) -> Iterator[tuple[list[Claim], list[Money]]]:
    """Every choice of one offer for each claim that stays whole, and what is paid beside the nodes then."""
    choices = [[None] if each.on is None else sorted(each.on) for each in claims]
    for chosen in product(*choices):
        settled, extras = [], []
        for each, name in zip(claims, chosen, strict=True):
            if each.on is None or name is None:
                settled.append(each)
            else:
                settled.append(replace(each, replicas=each.on[name].replicas, on={name: each.on[name]}))
                extras.append(each.on[name].extra)
        yield settled, extras


Filled = tuple[Offer, tuple[Claim, ...]]


def _every_packing(
    replicas: Sequence[Claim], offers: Sequence[Offer], nodes: list[Filled]
) -> Iterator[list[Filled]]:
    if not replicas:
        yield nodes
        return
    first, rest = replicas[0], replicas[1:]
    for at, (here, on_it) in enumerate(nodes):
        if _holds(here, (*on_it, first)):
            yield from _every_packing(rest, offers, [*nodes[:at], (here, (*on_it, first)), *nodes[at + 1 :]])
    for each in offers:
        if _holds(each, (first,)):
            yield from _every_packing(rest, offers, [*nodes, (each, (first,))])


def _holds(node: Offer, replicas: tuple[Claim, ...]) -> bool:
    return (
        sum(each.cpu_m for each in replicas) <= node.cpu_m
        and sum(each.memory.bytes for each in replicas) <= node.memory.bytes
        and sum(each.accelerators for each in replicas) <= node.accelerators
        and all(_may_run(each, node) for each in replicas)
        and all(
            each.per_node is None or sum(other.name == each.name for other in replicas) <= each.per_node
            for each in replicas
        )
    )


def _may_run(each: Claim, node: Offer) -> bool:
    return (
        each.nodes
        and (each.accelerator == node.accelerator or each.on is not None)
        and (each.zones is None or node.zone in each.zones)
        and (each.on is None or node.name in each.on)
        and (
            each.accelerator_memory is None
            or (node.accelerator_memory is not None and node.accelerator_memory >= each.accelerator_memory)
        )
    )


def places(demand: Demand, found: Mapping[str, Any]) -> dict[str, Any]:
    """Where each claim is, in short: a home, or replicas by offer."""
    return {
        each.name: place if isinstance(place := found[each.name], Home) else dict(place.replicas)
        for each in demand.claims
    }
