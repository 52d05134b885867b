"""What fits where: a replica on a node, replicas together on one node, replicas on as few nodes as can be.

Nodes are packed first-fit by decreasing size, where a replica's size is its largest share of a node's
resources; that is never far from the best (for one resource at most 11/9 of it and a node), and where it may
be off, `fewest` asks CP-SAT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ortools.sat.python import cp_model

from components.placement.fleet.problem import Claim, Offer

_EXACT_UP_TO = 60
"""Replicas beyond which the fewest nodes are no longer sought exactly."""
_EXACT_EFFORT = 0.2
"""CP-SAT's deterministic time: the same answer on a slow machine as on a fast one."""


def sizes(claim: Claim) -> tuple[int, int, int]:
    """Of one replica: thousandths of a core, bytes, devices."""
    return claim.cpu_m, claim.memory.bytes, claim.accelerators


def room(offer: Offer) -> tuple[int, int, int]:
    """Of one node, as `sizes`."""
    return offer.cpu_m, offer.memory.bytes, offer.accelerators


def fits(claim: Claim, offer: Offer) -> bool:
    """Whether a replica can run on a node of this kind.

    Nodes with accelerators are tainted: only what asks for one gets onto them, or what is let in by name.
    """
    if not claim.nodes or not _let_in(claim, offer):
        return False
    if claim.zones is not None and offer.zone not in claim.zones:
        return False
    needed, there = claim.accelerator_memory, offer.accelerator_memory
    if needed is not None and (there is None or there < needed):
        return False
    return all(size <= space for size, space in zip(sizes(claim), room(offer), strict=True))


def _let_in(claim: Claim, offer: Offer) -> bool:
    return claim.accelerator == offer.accelerator if claim.on is None else offer.name in claim.on


def most_on_a_node(claim: Claim, offer: Offer) -> int:
    """How many replicas of a claim one node holds; 0 where not even one fits."""
    if not fits(claim, offer):
        return 0
    limits = [space // size for size, space in zip(sizes(claim), room(offer), strict=True) if size]
    return min(
        [*limits, claim.replicas_on(offer.name), *([] if claim.per_node is None else [claim.per_node])]
    )


@dataclass(slots=True)
class Bin:
    """A node that is being filled."""

    offer: Offer
    replicas: dict[str, int] = field(default_factory=dict)
    used: tuple[int, int, int] = (0, 0, 0)

    def takes(self, claim: Claim) -> int:
        """How many more replicas of a claim fit."""
        spaces = (space - used for space, used in zip(room(self.offer), self.used, strict=True))
        limits = [space // size for space, size in zip(spaces, sizes(claim), strict=True) if size]
        if claim.per_node is not None:
            limits.append(claim.per_node - self.replicas.get(claim.name, 0))
        return min(limits, default=claim.replicas_on(self.offer.name))

    def put(self, claim: Claim, count: int) -> None:
        """So many more replicas of a claim."""
        self.replicas[claim.name] = self.replicas.get(claim.name, 0) + count
        cpu, memory, accelerators = sizes(claim)
        self.used = (
            self.used[0] + cpu * count,
            self.used[1] + memory * count,
            self.used[2] + accelerators * count,
        )

    def copy(self) -> Bin:
        """One that can be filled in its place, to see how it goes."""
        return Bin(self.offer, dict(self.replicas), self.used)


def share(claim: Claim, offer: Offer) -> float:
    """The largest share of a node's resources that one replica takes."""
    return max(size / space for size, space in zip(sizes(claim), room(offer), strict=True) if space)


def pack(counts: Mapping[str, int], claims: Mapping[str, Claim], offer: Offer) -> list[Bin]:
    """Nodes of one offer that hold these replicas, not always the fewest."""
    bins: list[Bin] = []
    for name in sorted(counts, key=lambda name: (-share(claims[name], offer), name)):
        left = spread(claims[name], counts[name], bins)
        while left:
            bins.append(Bin(offer))
            left = spread(claims[name], left, bins[-1:])
    return bins


def spread(claim: Claim, count: int, bins: Sequence[Bin]) -> int:
    """Put replicas into the first nodes that take them; how many found no room."""
    left = count
    for each in bins:
        taken = min(left, each.takes(claim))
        if taken > 0:
            each.put(claim, taken)
            left -= taken
        if not left:
            break
    return left


def fewest(counts: Mapping[str, int], claims: Mapping[str, Claim], offer: Offer) -> tuple[list[Bin], bool]:
    """Nodes that hold these replicas, and whether it is proven that fewer cannot."""
    packed = pack(counts, claims, offer)
    least = _at_least(counts, claims, offer)
    if len(packed) <= least:
        return packed, True
    if sum(counts.values()) > _EXACT_UP_TO:
        return packed, False
    return _exactly(counts, claims, offer, packed, least)


def nodes_for(counts: Mapping[str, int], claims: Mapping[str, Claim], offer: Offer) -> int:
    """The fewest nodes of one offer known to hold these replicas."""
    return len(fewest(counts, claims, offer)[0])


def _at_least(counts: Mapping[str, int], claims: Mapping[str, Claim], offer: Offer) -> int:
    spaces = room(offer)
    totals = [
        sum(sizes(claims[name])[resource] * count for name, count in counts.items()) for resource in range(3)
    ]
    by_resource = [-(-total // space) for total, space in zip(totals, spaces, strict=True) if space]
    by_spread = [-(-count // most_on_a_node(claims[name], offer)) for name, count in counts.items() if count]
    return max([0, *by_resource, *by_spread])


def _exactly(
    counts: Mapping[str, int],
    claims: Mapping[str, Claim],
    offer: Offer,
    packed: list[Bin],
    least: int,
) -> tuple[list[Bin], bool]:
    """The same, by CP-SAT: which of the nodes that first-fit needed can be done without?"""
    model = cp_model.CpModel()
    names = sorted(name for name, count in counts.items() if count)
    used = [model.new_bool_var(f"used {node}") for node in range(len(packed))]
    on = {
        (name, node): model.new_int_var(0, most_on_a_node(claims[name], offer), f"{name} on {node}")
        for name in names
        for node in range(len(packed))
    }
    for name in names:
        model.add(sum(on[name, node] for node in range(len(packed))) == counts[name])
    for node, whether in enumerate(used):
        for resource, space in enumerate(room(offer)):
            model.add(
                sum(sizes(claims[name])[resource] * on[name, node] for name in names) <= space * whether
            )
    for earlier, later in pairwise(used):
        model.add(earlier >= later)  # nodes are alike: the ones in use come first
    model.add(sum(used) >= least)
    model.minimize(sum(used))
    for node, filled in enumerate(packed):
        for name in names:
            model.add_hint(on[name, node], filled.replicas.get(name, 0))
    solver = deterministic(_EXACT_EFFORT)
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return packed, False
    bins = []
    for node, whether in enumerate(used):
        if solver.value(whether):
            filled = Bin(offer)
            for name in names:
                count = solver.value(on[name, node])
                if count:
                    filled.put(claims[name], count)
            bins.append(filled)
    return bins, status == cp_model.OPTIMAL


def deterministic(effort: float) -> cp_model.CpSolver:
    """A solver whose answer depends on the model alone: one worker, a fixed seed, effort instead of time."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = effort
    return solver
