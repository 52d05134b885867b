"""Why there is no fleet: demands that cannot be met together, none of which can be left out.

Demands are dropped one after the other; one without which the rest is still impossible was no part of the
reason. What remains is a smallest set in the sense that every member of it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.placement.fleet.fitting import fits
from components.placement.fleet.model import Cut, Left, Model
from components.placement.fleet.problem import Claim, Demand, Infeasible, Offer, monthly

_EFFORT = 1.0


@dataclass(frozen=True, slots=True)
class _Member:
    """One demand: what is left out without it, and how it is said."""

    words: str
    claim: str = ""
    limit: str = ""
    budget: bool = False


def conflict(demand: Demand, cuts: Sequence[Cut]) -> Infeasible | None:
    """The conflict; None where it is not proven that there is one."""
    for claim in sorted(demand.claims, key=lambda claim: claim.name):
        if not claim.functions and not any(fits(claim, offer) for offer in demand.offers):
            return Infeasible((f"{_claim(claim)}: no offer has a node that holds one replica",))
    kept = list(_members(demand))
    if not _impossible(demand, cuts, kept):
        return None
    for member in list(kept):
        without = [other for other in kept if other is not member]
        if _impossible(demand, cuts, without):
            kept = without
    return Infeasible(tuple(member.words for member in kept), any(member.budget for member in kept))


def _members(demand: Demand) -> Iterator[_Member]:
    """Claims first: an explanation with fewer of them is easier to read than one without a limit."""
    for claim in sorted(demand.claims, key=lambda claim: claim.name, reverse=True):
        yield _Member(_claim(claim), claim=claim.name)
    for offer in sorted(demand.offers, key=lambda offer: offer.name):
        if offer.at_most is not None:
            yield _Member(_limit(offer), limit=offer.name)
    if demand.budget is not None:
        yield _Member(f"the budget: {monthly(demand.budget)}", budget=True)


def _impossible(demand: Demand, cuts: Sequence[Cut], kept: Sequence[_Member]) -> bool:
    claims = {member.claim for member in kept if member.claim}
    limits = {member.limit for member in kept if member.limit}
    left = Left(
        claims=frozenset(claim.name for claim in demand.claims if claim.name not in claims),
        limits=frozenset(offer.name for offer in demand.offers if offer.name not in limits),
        budget=not any(member.budget for member in kept),
    )
    return Model(demand, cuts, left=left).is_infeasible(_EFFORT)


def _claim(claim: Claim) -> str:
    needs = [f"{claim.cpu_m / 1000:g} cores", str(claim.memory)]
    if claim.accelerator is not None:
        needs.append(f"{claim.accelerators} x {claim.accelerator}")
    where = f" in {' or '.join(sorted(claim.zones))}" if claim.zones is not None else ""
    if claim.on is not None:
        where += f" on {' or '.join(sorted(claim.on))}"
    fewest = min((terms.replicas for terms in (claim.on or {}).values()), default=claim.replicas)
    replicas = "1 replica" if fewest == 1 else f"{fewest} replicas"
    spread = f", at most {claim.per_node} a node" if claim.per_node is not None else ""
    return f"{claim.name}: {replicas} of {', '.join(needs)}{where}{spread}"


def _limit(offer: Offer) -> str:
    nodes = "1 node" if offer.at_most == 1 else f"{offer.at_most} nodes"
    whose = f"pool {offer.pool}, " if offer.pool else ""
    return f"{whose}{offer.instance} ({offer.capacity}) in {offer.zone}: at most {nodes}"
