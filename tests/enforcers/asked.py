"""What every enforcer is asked: each case of the rules' tables, without a waiver and with every kind of one.

A subject's name tells which kind: the waivers are the same for all enforcers, as they stand in one stack
file, and cover subjects by their names. Cases that change a threshold are asked apart from those that do not,
all together as far as no two of them change the same rule.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from typing import Any, Final

from rule_case import Case
from rule_cases import CASES

from components.catalog import load as load_catalog
from components.placement import RULES, Answer, Enforcement, Override, Settings, overrides_of, settle
from components.spec import PolicyOverrides, Waiver

TODAY: Final = date(2026, 11, 25)
OWNER: Final = "ml-platform@example.com"


class Kind(StrEnum):
    """How a subject stands to the waivers."""

    PLAIN = "plain"
    """None is about it."""
    WAIVED = "waived"
    EXPIRED = "expired"
    OTHER = "other"
    """One is about a subject whose name begins as its own does."""


_EXPIRES: Final = {
    Kind.WAIVED: date(2099, 12, 31),
    Kind.EXPIRED: date(2020, 1, 31),
    Kind.OTHER: date(2099, 12, 31),
}
_SUBJECTS: Final = {Kind.WAIVED: "c*-waived", Kind.EXPIRED: "c*-expired", Kind.OTHER: "c*-othe"}


@dataclass(frozen=True)
class Asked:
    """A case as a subject of its own."""

    case: Case = field(repr=False)
    name: str
    kind: Kind
    enforcement: Enforcement | None = None
    """How hard its rule is, where that is not as hard as the rule says itself."""

    @property
    def id(self) -> str:
        """In words."""
        hard = f", {self.enforcement}" if self.enforcement is not None else ""
        return f"{case_id(self.case)} ({self.kind}{hard})"


@dataclass(frozen=True)
class Group:
    """Subjects that are asked about together, by the same figures."""

    asked: tuple[Asked, ...]
    rules: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What is changed about each rule, as a stack file has it."""

    @cached_property
    def overrides(self) -> Mapping[str, Override]:
        """The same, as it is taken from a stack file."""
        return overrides_of(PolicyOverrides.model_validate({"rules": self.rules}))

    @cached_property
    def settings(self) -> Settings:
        """The rules as they are run."""
        return settle(load_catalog(), self.overrides)

    @property
    def policies(self) -> dict[str, Any]:
        """The same as a stack file has it, with the waivers."""
        rules = {rule: dict(own) for rule, own in self.rules.items()}
        return {"rules": rules, "waivers": [waiver.model_dump(mode="json") for waiver in waivers()]}


def case_id(case: Case) -> str:
    return f"{case.rule}: {case.says}"


@cache
def waivers() -> tuple[Waiver, ...]:
    """Every rule waived for some of the subjects."""
    return tuple(
        Waiver(rule=rule, subject=_SUBJECTS[kind], reason=f"it is {kind}", owner=OWNER, expires=expires)
        for rule in RULES
        for kind, expires in _EXPIRES.items()
    )


@cache
def groups() -> tuple[Group, ...]:
    """Everything that is asked."""
    waiting = list(enumerate(CASES))
    found = [_group([(number, case) for number, case in waiting if not case.overrides])]
    waiting = [(number, case) for number, case in waiting if case.overrides]
    while waiting:
        first_of_rule = {case.rule: (number, case) for number, case in reversed(waiting)}
        found.append(_group(list(first_of_rule.values())))
        waiting = [each for each in waiting if each not in first_of_rule.values()]
    return (*found, *_as_hard_as(Enforcement.ADVISORY, Enforcement.MANDATORY, Enforcement.DISABLED))


def _as_hard_as(*enforcements: Enforcement) -> Iterator[Group]:
    """One case of each rule that it refuses, with all rules as hard as each other."""
    cases = [
        next(
            (number, case)
            for number, case in enumerate(CASES)
            if (case.rule, case.answer, case.soft) == (rule, Answer.REFUSED, False) and not case.overrides
        )
        for rule in RULES
    ]
    for enforcement in enforcements:
        hard = _group(cases, enforcement)
        yield replace(hard, rules={rule: {"enforcement": enforcement.value} for rule in RULES})


def _group(cases: list[tuple[int, Case]], enforcement: Enforcement | None = None) -> Group:
    thresholds = {
        case.rule: {name: str(amount) for name, amount in case.overrides.items()}
        for _, case in cases
        if case.overrides
    }
    marked = f"{enforcement}-" if enforcement is not None else ""
    asked = (
        Asked(case, f"c{number}-{marked}{kind}", kind, enforcement)
        for number, case in cases
        for kind in _kinds(case)
    )
    return Group(tuple(asked), thresholds)


def _kinds(case: Case) -> Iterator[Kind]:
    """Where a rule has nothing against a subject no waiver must do anything, of whatever kind it is."""
    return iter(Kind if case.answer is Answer.REFUSED else (Kind.PLAIN, Kind.WAIVED))
