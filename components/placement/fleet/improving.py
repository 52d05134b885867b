"""Makes a packing cheaper node by node: empty it into the room of others, or move all of it to a smaller one.

A count whose packing needed more nodes than expected ends in nodes that are nearly empty. What is on them
usually fits elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from components.placement.fleet.fitting import Bin, fits, room, share
from components.placement.fleet.model import mills
from components.placement.fleet.problem import Claim, Offer

_HALF_EMPTY = 0.5
"""Fuller nodes are left alone: what is on them would hardly fit into the rests of others."""


def improved(bins: Sequence[Bin], claims: Mapping[str, Claim], offers: Sequence[Offer]) -> list[Bin]:
    """Nodes that hold the same replicas for no more money, within the limits of the offers."""
    return _smaller(_emptied([each.copy() for each in bins], claims), claims, offers)


def _emptied(bins: Sequence[Bin], claims: Mapping[str, Claim]) -> list[Bin]:
    """Without the nodes whose replicas the others have room for; the emptiest and dearest go first."""
    left = dict(enumerate(bins))
    for at in sorted(left, key=lambda at: (_fullness(left[at]), -mills(left[at].offer.price), at)):
        if _fullness(left[at]) > _HALF_EMPTY:
            continue
        leaving = left.pop(at)
        changed = _moved(leaving, left, claims)
        if changed is None:
            left[at] = leaving
        else:
            left |= changed
    return [left[at] for at in sorted(left)]


def _moved(leaving: Bin, others: Mapping[int, Bin], claims: Mapping[str, Claim]) -> dict[int, Bin] | None:
    """The nodes that would take in the replicas of one, as they would be then; None if any finds no room."""
    changed: dict[int, Bin] = {}
    for name in sorted(leaving.replicas, key=lambda name: (-share(claims[name], leaving.offer), name)):
        claim, count = claims[name], leaving.replicas[name]
        for at, other in others.items():
            if count and fits(claim, other.offer) and _may_leave(claim, leaving.offer, other.offer):
                target = changed.get(at, other)
                taken = min(count, target.takes(claim))
                if taken > 0:
                    changed[at] = target if at in changed else other.copy()
                    changed[at].put(claim, taken)
                    count -= taken
        if count:
            return None
    return changed


def _smaller(bins: Sequence[Bin], claims: Mapping[str, Claim], offers: Sequence[Offer]) -> list[Bin]:
    """Each node replaced by the cheapest one that holds the same, where there may be another of that."""
    cheapest_first = sorted(offers, key=lambda offer: (mills(offer.price), offer.name))
    there = Counter(each.offer.name for each in bins)
    result = []
    for each in bins:
        chosen = next(
            offer
            for offer in cheapest_first
            if offer == each.offer or (_holds(offer, each, claims) and _may_grow(offer, there))
        )
        there[each.offer.name] -= 1
        there[chosen.name] += 1
        result.append(Bin(chosen, each.replicas, each.used))
    return result


def _may_leave(claim: Claim, here: Offer, there: Offer) -> bool:
    """Whether some of its replicas may be on another offer than the rest."""
    return claim.on is None or there == here


def _may_grow(offer: Offer, there: Counter[str]) -> bool:
    return offer.at_most is None or there[offer.name] < offer.at_most


def _holds(offer: Offer, content: Bin, claims: Mapping[str, Claim]) -> bool:
    return all(
        fits(claims[name], offer) and _may_leave(claims[name], content.offer, offer)
        for name in content.replicas
    ) and all(used <= space for used, space in zip(content.used, room(offer), strict=True))


def _fullness(each: Bin) -> float:
    return max(used / space for used, space in zip(each.used, room(each.offer), strict=True) if space)
