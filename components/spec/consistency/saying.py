"""How a consistency check words what it found, and looks things up among parts that may be unknown."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from components.spec.draft import Undecided
from components.spec.errors import Problem
from components.spec.stack import Stack


class Named(Protocol):
    """A workload, a pool, a store."""

    @property
    def name(self) -> str:
        """Name, unique among its like."""


NamedT = TypeVar("NamedT", bound=Named)
Problems: TypeAlias = Iterator[Problem]


@dataclass(frozen=True)
class At:
    """Words problems of the item at `path`."""

    path: str = ""

    def __call__(self, where: str, value: object, message: str, remedy: str) -> Problem:
        """The problem of what stands at `where` in the item."""
        return Problem(".".join(part for part in (self.path, where) if part), value, message, remedy)


StackCheck: TypeAlias = Callable[[Stack, At], Problems]
ItemCheck: TypeAlias = Callable[[Stack, NamedT, At], Problems]


def named(items: Sequence[NamedT], name: str) -> NamedT | None:
    """The item of that name. `Undecided` if it may be one whose name is unknown."""
    unknown = False
    for item in items:
        try:
            if item.name == name:
                return item
        except Undecided:
            unknown = True
    if unknown:
        raise Undecided
    return None


def names(items: Sequence[Named]) -> list[tuple[int, str]]:
    """Index and name of every item whose name is known."""
    known = []
    for at, item in enumerate(items):
        try:
            known.append((at, f"{item.name}"))
        except Undecided:
            continue
    return known


def twins(items: Sequence[Named], path: str, what: str) -> Problems:
    """Items whose name an earlier one has."""
    first: dict[str, int] = {}
    for at, name in names(items):
        if name in first:
            yield Problem(
                f"{path}[{at}].name",
                name,
                f"is the name of {path}[{first[name]}] too",
                f"give each {what} a name of its own",
            )
        first.setdefault(name, at)


def outside(stack: Stack, zones: Sequence[str], at: At) -> Problems:
    """Zones of an item that are none of the stack's."""
    for index, zone in enumerate(zones):
        if zone not in stack.zones:
            yield at(
                f"zones[{index}]",
                zone,
                "is not one of the stack's zones",
                f"add it to the stack's `zones`, or use one of {', '.join(stack.zones)}",
            )
