"""Claims whose replicas are alike, counted together.

A thousand workloads rarely come in a thousand sizes. Where a replica of one may stand for a replica of
another, the choice need not tell them apart; it gets smaller by as much, and stays exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from components.placement.fleet.problem import Claim


@dataclass(frozen=True, slots=True)
class Kind:
    """Claims of one size, in the order of their names."""

    claims: tuple[Claim, ...]
    alike: Claim
    """All of them as one claim, under the name of the first, with the replicas of all."""

    @property
    def name(self) -> str:
        """The name of its first claim."""
        return self.alike.name


def kinds(claims: Iterable[Claim], apart: Collection[str]) -> list[Kind]:
    """The kinds there are. Claims in `apart`, and those that are spread over nodes, are each its own."""
    members: dict[tuple[object, ...], list[Claim]] = {}
    for claim in sorted(claims, key=lambda claim: claim.name):
        key = (
            claim.name if claim.name in apart or claim.per_node is not None else "",
            *(claim.cpu_m, claim.memory, claim.nodes, claim.zones),
            *(claim.accelerator, claim.accelerators, claim.accelerator_memory),
            None if claim.on is None else tuple(sorted(claim.on.items(), key=lambda item: item[0])),
        )
        members.setdefault(key, []).append(claim)
    return [Kind(tuple(group), _together(group)) for group in members.values()]


def _together(group: Sequence[Claim]) -> Claim:
    first = group[0]
    on = first.on and {
        offer: replace(terms, replicas=terms.replicas * len(group)) for offer, terms in first.on.items()
    }
    return replace(first, replicas=sum(claim.replicas for claim in group), functions={}, on=on)


def shared_out(kind: Kind, left_out: Collection[str], counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Replicas by claim and offer, of a kind's by offer: claims by name fill offers by name.

    `left_out` names the claims that run elsewhere; the counts are the replicas of the others, all together.
    """
    remaining = {offer: count for offer, count in sorted(counts.items()) if count}
    given: dict[str, dict[str, int]] = {}
    for claim in kind.claims:
        if claim.name in left_out:
            continue
        given[claim.name] = {}
        for offer, count in _taken(claim, remaining).items():
            given[claim.name][offer] = count
            remaining[offer] -= count
    return given


def _taken(claim: Claim, remaining: Mapping[str, int]) -> dict[str, int]:
    """What one claim takes of the counts that are left: in one place, if it is one that stays whole."""
    if claim.on is not None:
        there = next(offer for offer, count in remaining.items() if count)
        return {there: claim.replicas_on(there)}
    taken = {}
    wanted = claim.replicas
    for offer, count in remaining.items():
        if part := min(wanted, count):
            taken[offer] = part
            wanted -= part
    return taken
