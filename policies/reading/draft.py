"""Facts being gathered about one resource: what it carries, and over that what it says itself.

A resource that halfmetal made carries the facts it was placed by, in tags or annotations. What a resource
says itself is read as well, and wins: it is what will be created. So anybody's resource is judged by what it
is, and one of halfmetal's also by what it was made for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from components.placement import ANNOTATION_PREFIX, TAG_PREFIX, Answer, Facts, Home, Verdict
from policies.reading.bags import UNKNOWN, entries, fetch
from policies.reading.declared import TAGS

_PREFIXES: Final = (TAG_PREFIX, ANNOTATION_PREFIX)
_ALL_FACTS: Final = frozenset(field.name for field in fields(Facts))


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource as the rules see it."""

    facts: Facts
    unread: frozenset[str] = frozenset()
    """Facts that the resource states but that cannot be known before it is created."""
    placed: bool = False
    """Whether it carries halfmetal's facts."""
    assumed: frozenset[str] = frozenset()
    """Facts that hold unless another resource shows otherwise: that a function is on demand."""

    def concerns(self, verdict: Verdict) -> bool:
        """Whether an undecided verdict is worth saying.

        Of a resource of somebody else's, that it says nothing about its latency budget is no news. That a
        value it does state is not known yet is, and so is a gap in the facts of one that halfmetal placed.
        """
        return verdict.answer is Answer.UNDECIDED and (
            self.placed or bool(self.unread & set(verdict.missing))
        )


@dataclass(slots=True)
class Draft:
    """Facts being gathered: what is carried first, then what the resource itself says."""

    _known: dict[str, Any]
    _unread: set[str]
    _placed: bool
    _carries: bool
    _assumed: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """A fact as far as it is gathered; None where it is not known."""
        return self._known.get(name)

    def set(self, name: str, value: Any) -> None:
        """State a fact; UNKNOWN states that it cannot be known yet."""
        if value is UNKNOWN:
            self._unread.add(name)
            self._known.pop(name, None)
        else:
            self._unread.discard(name)
            self._known[name] = value

    def set_missing(self, name: str, value: Any) -> None:
        """State a fact unless it is carried already, or carried but not known yet."""
        if self._known.get(name) is None and name not in self._unread:
            self.set(name, value)

    @property
    def hides_home(self) -> bool:
        """Whether it carries facts, and a home among them that is not known yet."""
        return self._carries and "home" in self._unread

    def put_on_nodes(self) -> None:
        """State that it is on nodes: those that it carries, else a pool."""
        home = self._known.get("home")
        if not self.hides_home and (home is None or home.is_function):
            self.set("home", Home.POOL)

    def assume(self, name: str, value: Any) -> None:
        """State a fact that another resource may show to be otherwise."""
        self.set(name, value)
        self._assumed.add(name)

    def done(self) -> Subject:
        """The subject, once nothing more can be read."""
        return Subject(Facts(**self._known), frozenset(self._unread), self._placed, frozenset(self._assumed))


def carried(*bags: object) -> Draft:
    """What tags or annotations carry, of several bags the first that has a key."""
    known: dict[str, str] = {}
    named: set[str] = set()
    unread: set[str] = set()
    placed = False
    for bag in bags:
        if bag is UNKNOWN:
            unread |= _ALL_FACTS
        for key, value in entries(bag):
            if key in known or not key.startswith(_PREFIXES):
                continue
            prefix = TAG_PREFIX if key.startswith(TAG_PREFIX) else ANNOTATION_PREFIX
            name = key.removeprefix(prefix).partition(".")[0].replace("-", "_")
            # Every placement has a home; other keys under the prefix may be there for other reasons.
            placed = placed or name == "home"
            if isinstance(value, str):
                known[key] = value
                named.add(name)
            else:
                unread |= {name} & _ALL_FACTS
    stated = Facts.decoded(known) if known else {}
    # What nobody can read (`fast` for a time) was stated all the same. A home is read off what it is.
    unread |= named & _ALL_FACTS - {"home"}
    return Draft(stated, unread - stated.keys(), placed, bool(known))


def tagged(props: Mapping[str, Any]) -> Draft:
    """What the tags of a resource of AWS carry."""
    return carried(*(fetch(props, name) for name in TAGS))
