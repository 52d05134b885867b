"""What a fleet is chosen from, and what comes of it: claims on capacity, offers of nodes, the fleet.

Numbers arrive here ready made: how many replicas hold the peak, what a function would cost, what a node
costs. Whoever fills them in (cost and latency model, catalog, stack file) can be wrong about the world; the
choice between them is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from components.placement.homes import Home
from components.spec.units import Memory, Money, Period

MONTH: Final = Period.MONTH


@dataclass(frozen=True, slots=True)
class Terms:
    """What it takes to run a claim on one offer as a whole."""

    replicas: int
    """Pods there, in the place of the claim's own number."""
    extra: Money
    """What running there costs beside the nodes: bytes that cross zones, load balancer, front door."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one workload asks of the fleet."""

    name: str
    replicas: int
    """Pods that hold the peak with the headroom asked for; 1 or more, idle or not: the warm minimum is in."""
    cpu_m: int
    """Of one replica, in thousandths of a core."""
    memory: Memory
    accelerator: str | None = None
    accelerators: int = 0
    """Whole devices of one replica: they are not shared."""
    accelerator_memory: Memory | None = None
    """Needed of each device; None where any will do."""
    zones: frozenset[str] | None = None
    """Zones that its replicas may run in; None for any."""
    per_node: int | None = None
    """Most replicas on one node, so that a node's end takes no more of them along; None for any number."""
    nodes: bool = True
    """Whether it may run on nodes at all."""
    on: Mapping[str, Terms] | None = None
    """Offers that it may run on, by name, all replicas on one of them; None where they may be spread over any
    that fit."""
    functions: Mapping[Home, Money] = field(default_factory=lambda: MappingProxyType({}))
    """What it costs a month as a function, for each such home that no hard rule refuses."""

    def replicas_on(self, offer: str) -> int:
        """Replicas that it has where it runs on this offer alone."""
        return self.replicas if self.on is None else self.on[offer].replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Nodes of one kind that can be had in one zone."""

    instance: str
    zone: str
    capacity: str
    """`on-demand`, `spot`, `capacity-block`, `dedicated-host` or `existing`."""
    pool: str = ""
    """The pool that the nodes are of; empty where they are of none yet."""
    price: Money
    """Of one node, over any period."""
    cpu_m: int
    """Left for pods on one node, in thousandths of a core."""
    memory: Memory
    """Left for pods on one node."""
    accelerator: str | None = None
    accelerators: int = 0
    accelerator_memory: Memory | None = None
    at_least: int = 0
    """Nodes that are paid for whether they are used or not."""
    at_most: int | None = None

    @property
    def name(self) -> str:
        """Its identity, and the order in which ties are broken."""
        return self.pool or f"{self.zone}/{self.instance}/{self.capacity}"


@dataclass(frozen=True, slots=True)
class Nodes:
    """How many replicas of a claim run on each offer, by the offer's name; those with none are left out."""

    replicas: Mapping[str, int]


Place = Home | Nodes
"""Where a claim is met: on a function home, or on nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """All that a fleet is chosen for."""

    claims: tuple[Claim, ...]
    offers: tuple[Offer, ...]
    budget: Money | None = None
    previous: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    """Where claims are met today, by name."""
    stickiness: float = 0.0
    """Share of what a replica costs today that moving it must save; 0 moves for a cent."""

    def __post_init__(self) -> None:
        for kind, names in (
            ("claim", [claim.name for claim in self.claims]),
            ("offer", [offer.name for offer in self.offers]),
        ):
            twice = sorted(name for name, count in Counter(names).items() if count > 1)
            if twice:
                raise ValueError(f"{kind} {twice[0]} is there twice")
        if not 0 <= self.stickiness <= 1:
            raise ValueError(f"stickiness is a share, not {self.stickiness}")
        if any(count < 1 for claim in self.claims for count in _counts(claim)):
            raise ValueError("a claim has at least one replica")
        offered = {offer.name for offer in self.offers}
        for claim in self.claims:
            if unknown := sorted((claim.on or {}).keys() - offered):
                raise ValueError(f"{claim.name} is to run on {unknown[0]}, which nobody offers")


@dataclass(frozen=True, slots=True)
class Node:
    """One node and the replicas on it, by claim."""

    offer: Offer
    replicas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The cheapest way found to meet every claim."""

    places: Mapping[str, Place]
    """By claim."""
    nodes: tuple[Node, ...]
    """Every node, those that are paid for and empty too."""
    total: Money
    """A month."""
    bound: Money
    """A month; no fleet costs less, with what `stickiness` holds against moving counted as cost."""
    gap: float
    """How far the answer may be from the best, as a share of the bound; 0 when none can be better."""


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Demands that cannot be met together, in words; any one less of them could."""

    conflict: tuple[str, ...]
    about_money: bool = False
    """Whether the last of them is the budget."""


def _counts(claim: Claim) -> list[int]:
    return [claim.replicas, *(terms.replicas for terms in (claim.on or {}).values())]


def monthly(money: Money) -> Money:
    """The same spending over a month of 730 hours."""
    return money.to(MONTH)
