"""What an enforcer says of a subject, in the words that all of them share."""

from dataclasses import dataclass
from enum import StrEnum


class Says(StrEnum):
    """What a rule's answer comes to where it is enforced."""

    FITS = "fits"
    REFUSED = "refused"
    ADVISED_AGAINST = "advised against"
    UNDECIDED = "undecided"
    WAIVED = "waived"


@dataclass(frozen=True)
class Said:
    """One rule on one subject."""

    says: Says
    stops: bool = False
    """Whether it keeps the subject from being deployed, or fails the audit."""
    text: str = ""
    """Everything that people are told of it."""
    expired: bool = False
    """Whether a waiver is named that counts no more."""


NOTHING = Said(Says.FITS)


def differences(said: Said, expected: Said, reason: str, *, in_parts: bool = False) -> list[str]:
    """In what an answer differs from the one that it should be, for the reason that the rule has.

    An enforcer that is asked twice may give one part of a reason at one time and the other at another.
    """
    parts = reason.split(", ") if in_parts else [reason]
    lacking = [part for part in parts if part not in said.text and said.says is not Says.FITS]
    return [
        *([f"says {said.says}, not {expected.says}: {said.text}"] if said.says is not expected.says else []),
        *([f"stops: {said.stops}"] if said.stops != expected.stops else []),
        *([f"names an expired waiver: {said.expired}"] if said.expired != expected.expired else []),
        *(f"{said.text} lacks {part}" for part in lacking),
    ]
