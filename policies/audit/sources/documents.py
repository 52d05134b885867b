"""One document of a file: its value, and where in the file its parts stand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from policies.audit.sources.model import Kind, Unread
from policies.audit.sources.places import Path
from policies.resources import Location, Resource

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """A value read from a file, as it stands there."""

    file: str
    value: Any
    text: str = field(default="", repr=False)
    place: Callable[[Path], tuple[int, int] | None] = lambda _: None
    """Line and column of the value at a path, where known."""

    def at(self, *path: str | int) -> Location:
        """Where the value at a path stands, or what it stands in."""
        for length in range(len(path), -1, -1):
            found = self.place(path[:length])
            if found is not None:
                return Location(self.file, *found)
        return Location(self.file)

    def unread(self, why: str, remedy: str, *path: str | int) -> Unread:
        """The value at a path as one that could not be read."""
        return Unread(self.at(*path), why, remedy)

    def tried(self, path: Path, make: Callable[[], T]) -> T | Unread:
        """What is made of the value at a path; unread if it is nested too deep to be gone through."""
        try:
            return make()
        except RecursionError:
            return self.unread("is nested too deep", "take out what nobody reads, or audit it without", *path)


Found = Iterator[Resource | Unread]
"""What a reader makes of a document."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A kind of document: how it is told from others, and how it is read."""

    kind: Kind
    is_one: Callable[[Any], bool]
    read: Callable[[Document], Found]
