"""Which of the three topologies a stack becomes that leaves it open: the cheapest that breaks no hard rule.

Each is tried as if the stack file had named it. What is deployed today is kept unless another saves more than
a set share of what it costs.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal, TypeAlias

from components.placement.choosing.settling import Settled
from components.placement.openness import as_topology
from components.placement.placements import Note, PlacementError
from components.spec import Problem, Share, Stack, StackError
from components.spec.consistency import inconsistencies

Topology: TypeAlias = Literal["pure", "hybrid", "dedicated"]
TOPOLOGIES: Final[tuple[Topology, ...]] = ("pure", "dedicated", "hybrid")
"""Of those that cost the same the first."""
_WORKLOAD: Final = re.compile(r"workloads\[(\d+)\]")
_REMEDY: Final = "change what stands against one of them, or name the topology that it must be"


@dataclass(frozen=True, slots=True)
class _Tried:
    topology: str
    settled: Settled

    @property
    def dollars(self) -> Fraction:
        total = self.settled.total
        return Fraction(0) if total is None else Fraction(total.amount)


def cheapest(stack: Stack, settle: Callable[[Stack], Settled], stickiness: Share) -> Settled:
    """The stack in the topology that costs least. Raises PlacementError where none is possible."""
    tried: list[_Tried] = []
    against: dict[str, str] = {}
    for topology in TOPOLOGIES:
        try:
            tried.append(_Tried(topology, settle(_as(stack, topology))))
        except StackError as error:
            against[topology] = _told(stack, error)
    if not tried:
        reasons = "; ".join(f"{topology}: {why}" for topology, why in against.items())
        raise PlacementError([Problem("topology", "auto", f"is none of the three: {reasons}", _REMEDY)])
    best = min(tried, key=lambda each: each.dollars)
    chosen = _kept(stack, tried, best, stickiness)
    return replace(
        chosen.settled,
        notes=(Note("topology", "; ".join(_compared(chosen, best, tried, against))), *chosen.settled.notes),
    )


def _as(stack: Stack, topology: Topology) -> Stack:
    """The stack as if that topology had been named; raises StackError where it cannot be."""
    named = as_topology(stack, topology)
    if problems := list(inconsistencies(named)):
        raise StackError(problems)
    return named


def _kept(stack: Stack, tried: list[_Tried], best: _Tried, stickiness: Share) -> _Tried:
    now = next((each for each in tried if each.topology == stack.decision.current), None)
    if now is None:
        return best
    asked = now.dollars * Fraction(stickiness.steps, Share.maximum)
    return best if now.dollars - best.dollars > asked else now


def _compared(chosen: _Tried, best: _Tried, tried: list[_Tried], against: dict[str, str]) -> Iterator[str]:
    kept = "" if chosen is best else ", which is deployed: another saves too little to move"
    yield f"{chosen.topology}, ${float(chosen.dollars):,.2f} a month{kept}"
    for each in tried:
        if each is not chosen:
            yield f"{each.topology} would be ${float(each.dollars):,.2f}"
    for topology, why in against.items():
        yield f"{topology} is not possible: {why}"


def _told(stack: Stack, error: StackError) -> str:
    """The first problem and how many more there are, in an order that is not that of the workloads."""

    def name(found: re.Match[str]) -> str:
        return stack.workloads[int(found[1])].name

    told = sorted(f"{_WORKLOAD.sub(name, problem.path)} {problem.message}" for problem in error.problems)
    return told[0] + (f", and {len(told) - 1} more" if len(told) > 1 else "")
