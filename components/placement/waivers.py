"""Breaches that somebody answers for, until a day.

A waiver takes the force of what a rule says of one subject, never the finding: that is reported with who
answers for it, and why. From the day after its last one it is as if it were not there, but that it is named.
There is no clock here: whoever asks says what day it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase

from components.spec import Waiver


@dataclass(frozen=True, slots=True)
class Waived:
    """The waiver of a breach, and whether it still counts."""

    waiver: Waiver
    expired: bool

    def __str__(self) -> str:
        waiver = self.waiver
        if self.expired:
            return f"the waiver of {waiver.owner} expired on {waiver.expires}: {waiver.reason}"
        return f"waived until {waiver.expires} by {waiver.owner}: {waiver.reason}"


class Use(StrEnum):
    """What came of a waiver."""

    USED = "used"
    UNUSED = "unused"
    """Nothing that it names breaks its rule: it can go."""

    EXPIRED = "expired"

    def of(self, waiver: Waiver) -> str:
        """The same as words."""
        return f"{self} waiver of {waiver.rule} by {waiver.owner}"


@dataclass(frozen=True, slots=True)
class Waivers:
    """The waivers of a stack file on one day."""

    waivers: tuple[Waiver, ...]
    today: date

    def of(self, rule: str, *names: str) -> Waived | None:
        """The waiver of a rule's breach by what has any of these names: the one that counts longest."""
        found = [waiver for waiver in self.waivers if _covers(waiver, rule, names)]
        if not found:
            return None
        longest = max(found, key=lambda waiver: waiver.expires)
        return Waived(longest, self._is_expired(longest))

    def uses(self, found: Iterable[Waived | None]) -> Iterator[tuple[Waiver, Use]]:
        """What came of each, given what `of` answered for all breaches that there are."""
        used = [each.waiver for each in found if each is not None]
        for waiver in self.waivers:
            if self._is_expired(waiver):
                yield waiver, Use.EXPIRED
            else:
                yield waiver, Use.USED if waiver in used else Use.UNUSED

    def _is_expired(self, waiver: Waiver) -> bool:
        return waiver.expires < self.today


def _covers(waiver: Waiver, rule: str, names: Iterable[str]) -> bool:
    return waiver.rule == rule and any(fnmatchcase(name, waiver.subject) for name in names if name)
