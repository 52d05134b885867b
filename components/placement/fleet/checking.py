"""Looks at a fleet with other eyes than those that chose it: does it keep every promise?

Nothing of the model or the packing is used here, so that a fault in them cannot hide itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from components.placement.fleet.problem import Claim, Demand, Fleet, Node, Nodes, Offer, monthly
from components.spec.units import Money


def broken(demand: Demand, fleet: Fleet) -> tuple[str, ...]:
    """What a fleet breaks of its demand, in words; empty where it keeps all of it."""
    return tuple(_broken(demand, fleet))


def _broken(demand: Demand, fleet: Fleet) -> Iterator[str]:
    claims = {claim.name: claim for claim in demand.claims}
    if fleet.places.keys() != claims.keys():
        yield f"places are for {sorted(fleet.places)}, claims for {sorted(claims)}"
        return
    for node in fleet.nodes:
        yield from _on_a_node(node, claims)
    for claim in demand.claims:
        yield from _of_a_claim(claim, fleet)
    there = Counter(node.offer.name for node in fleet.nodes)
    for offer in demand.offers:
        count = there.pop(offer.name, 0)
        if count < offer.at_least or (offer.at_most is not None and count > offer.at_most):
            yield f"{offer.name} has {count} nodes, outside {offer.at_least} to {offer.at_most}"
    if there:
        yield f"nobody offers {sorted(there)}"
    yield from _of_money(demand, fleet)


def _on_a_node(node: Node, claims: Mapping[str, Claim]) -> Iterator[str]:
    offer = node.offer
    here = [(claims[name], count) for name, count in node.replicas.items()]
    for what, used, space in (
        ("cpu", sum(claim.cpu_m * count for claim, count in here), offer.cpu_m),
        ("memory", sum(claim.memory.bytes * count for claim, count in here), offer.memory.bytes),
        ("accelerators", sum(claim.accelerators * count for claim, count in here), offer.accelerators),
    ):
        if used > space:
            yield f"a node of {offer.name} has not the {what} for {dict(node.replicas)}"
    for claim, count in here:
        yield from _on_an_offer(claim, offer)
        if claim.per_node is not None and count > claim.per_node:
            yield f"{count} replicas of {claim.name} are on one node"


def _on_an_offer(claim: Claim, offer: Offer) -> Iterator[str]:
    if not claim.nodes:
        yield f"{claim.name} is on a node"
    if claim.zones is not None and offer.zone not in claim.zones:
        yield f"{claim.name} is in {offer.zone}"
    if claim.on is not None and offer.name not in claim.on:
        yield f"{claim.name} is on {offer.name}"
    if claim.on is None and claim.accelerator != offer.accelerator:
        yield f"{claim.name} is on a node with {offer.accelerator}"
    needed, has = claim.accelerator_memory, offer.accelerator_memory
    if needed is not None and (has is None or has < needed):
        yield f"{claim.name} is on accelerators that are too small"


def _of_a_claim(claim: Claim, fleet: Fleet) -> Iterator[str]:
    found: Counter[str] = Counter()
    for node in fleet.nodes:
        if claim.name in node.replicas:
            found[node.offer.name] += node.replicas[claim.name]
    place = fleet.places[claim.name]
    if isinstance(place, Nodes):
        if dict(place.replicas) != dict(found) or not _complete(claim, found):
            yield f"{claim.name} has {dict(found)}, is said to have {dict(place.replicas)}"
    elif found or place not in claim.functions:
        yield f"{claim.name} is on {place} and on {dict(found)}"


def _complete(claim: Claim, found: Counter[str]) -> bool:
    if claim.on is None:
        return found.total() == claim.replicas
    return len(found) == 1 and all(
        offer in claim.on and count == claim.on[offer].replicas for offer, count in found.items()
    )


def _of_money(demand: Demand, fleet: Fleet) -> Iterator[str]:
    claims = {claim.name: claim for claim in demand.claims}
    paid: list[Money] = [monthly(node.offer.price) for node in fleet.nodes]
    paid += [
        monthly(claims[name].functions[place])
        for name, place in fleet.places.items()
        if not isinstance(place, Nodes) and place in claims[name].functions
    ]
    paid += [
        monthly(on[offer].extra)
        for name, place in fleet.places.items()
        if isinstance(place, Nodes) and (on := claims[name].on) is not None
        for offer in place.replicas
        if offer in on
    ]
    if paid and sum(paid[1:], paid[0]) != fleet.total:
        yield f"it costs {sum(paid[1:], paid[0])} and says {fleet.total}"
    if demand.budget is not None and fleet.total > monthly(demand.budget):
        yield f"{fleet.total} is over {demand.budget}"
