"""What a rule is, and what it answers.

A rule is a pure function of facts and thresholds. It answers one of three things, and says in one sentence
why, with the numbers it used. "Undecided" is an answer of its own: a rule that lacks a fact neither refuses
what may be right nor passes what may be wrong; it names the fact. Some rules have a hard limit and a softer
one below it: what lies between is refused as advice, which is reported and stops nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from components.catalog import Catalog, Fact
from components.placement.facts import Facts
from components.spec.units import Duration, Memory, Share

Amount: TypeAlias = Memory | Duration | Share


class Answer(StrEnum):
    """What a rule says of a subject."""

    FITS = "fits"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Severity(StrEnum):
    """How much harm a breach does."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Enforcement(StrEnum):
    """What a breach does to a deployment."""

    MANDATORY = "mandatory"
    """Stops it."""

    ADVISORY = "advisory"
    """Is reported."""

    DISABLED = "disabled"
    """The rule is not run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule's answer, the reason in one sentence, and the facts it lacked."""

    answer: Answer
    reason: str
    missing: tuple[str, ...] = ()
    soft: bool = False
    """A refusal that is advice, whatever the rule's enforcement."""
    applies: bool = field(default=True, compare=False)
    """Whether the rule is about such a subject at all. It is no part of the answer."""
    broken: tuple[str, ...] = field(default=(), compare=False)
    """Of a rule that asks for several things, those that are broken (names of fields of `Facts`), which the
    reason says in words."""


def fits(reason: str) -> Verdict:
    """The subject keeps the rule."""
    return Verdict(Answer.FITS, reason)


def not_about(reason: str) -> Verdict:
    """The rule is about something else than the subject is, which therefore keeps it."""
    return Verdict(Answer.FITS, reason, applies=False)


def refused(reason: str, *broken: str) -> Verdict:
    """The subject breaks the rule; of several things that it asks for, those that are `broken`."""
    return Verdict(Answer.REFUSED, reason, broken=broken)


def advised_against(reason: str) -> Verdict:
    """The subject would be better off otherwise, but no hard limit is broken."""
    return Verdict(Answer.REFUSED, reason, soft=True)


def undecided(*missing: str) -> Verdict:
    """The rule cannot tell without these facts (names of fields of `Facts`)."""
    named = " and ".join(name.replace("_", " ") for name in missing)
    return Verdict(Answer.UNDECIDED, f"cannot be decided without {named}", missing)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A figure a rule compares with, and what to say behind it where it is shown."""

    value: Amount
    caveat: str = ""

    def __str__(self) -> str:
        return f"{self.value}{self.caveat}"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The figures one rule compares with, by name."""

    values: Mapping[str, Threshold]

    def memory(self, name: str) -> Memory:
        """A threshold that is a size."""
        value = self.values[name].value
        if not isinstance(value, Memory):
            raise TypeError(f"threshold {name} is no size of memory")
        return value

    def duration(self, name: str) -> Duration:
        """A threshold that is a time."""
        value = self.values[name].value
        if not isinstance(value, Duration):
            raise TypeError(f"threshold {name} is no duration")
        return value

    def share(self, name: str) -> Share:
        """A threshold that is a share."""
        value = self.values[name].value
        if not isinstance(value, Share):
            raise TypeError(f"threshold {name} is no share")
        return value

    def caveat(self, *names: str) -> str:
        """` (assumed)` when any of these figures is, else nothing."""
        return next((self.values[name].caveat for name in names if self.values[name].caveat), "")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A threshold of a rule: what it is, its kind, and the catalog's figure it defaults to."""

    about: str
    kind: type[Memory] | type[Duration] | type[Share]
    default: Callable[[Catalog], Fact[Memory] | Fact[Duration] | Fact[Share]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One placement rule."""

    id: str
    title: str
    """What it says, as a sentence without a full stop."""
    rationale: str
    remedy: str
    """What to do about a breach of what a stack file has, in its words."""
    remedy_elsewhere: str
    """What to do about one of anything else, in words that need no stack file."""
    check: Callable[[Facts, Thresholds], Verdict]
    severity: Severity = Severity.HIGH
    enforcement: Enforcement = Enforcement.MANDATORY
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))

    def remedy_of(self, *, placed: bool) -> str:
        """What to do about a breach, by whether halfmetal placed what breaks it."""
        return self.remedy if placed else self.remedy_elsewhere

    @property
    def remedies(self) -> str:
        """What to do about any breach, where it is not known of what."""
        return f"of what a stack file has: {self.remedy}. Of anything else: {self.remedy_elsewhere}"

    def thresholds(self, catalog: Catalog, overrides: Mapping[str, Amount] | None = None) -> Thresholds:
        """The figures to compare with: those of `overrides`, else the catalog's."""
        chosen = overrides or {}
        return Thresholds(
            {
                name: Threshold(chosen[name], " (as configured)")
                if name in chosen
                else _from_catalog(parameter.default(catalog))
                for name, parameter in self.parameters.items()
            }
        )


def _from_catalog(fact: Fact[Memory] | Fact[Duration] | Fact[Share]) -> Threshold:
    return Threshold(fact.value, fact.caveat)
