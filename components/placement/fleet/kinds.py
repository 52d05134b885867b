"""Claims whose replicas are alike, counted together.

A thousand workloads rarely come in a thousand sizes. Where a replica of one may stand for a replica of
another, the choice need not tell them apart; it gets smaller by as much, and stays exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from components.placement.fleet.problem import Claim


@dataclass(frozen=True, slots=True)
class Kind:
    """Claims of one size, in the order of their names."""

    claims: tuple[Claim, ...]
    alike: Claim
    """All of them as one claim, under the name of the first."""

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
        )
        members.setdefault(key, []).append(claim)
    return [
        Kind(tuple(group), replace(group[0], replicas=sum(claim.replicas for claim in group), functions={}))
        for group in members.values()
    ]


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
        wanted = claim.replicas
        for offer in list(remaining):
            taken = min(wanted, remaining[offer])
            if taken:
                given[claim.name][offer] = taken
                wanted -= taken
                remaining[offer] -= taken
    return given
