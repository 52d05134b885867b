"""What an audit comes to for whoever started it: what is shown, what counts, and how the command ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING, Final

from components.placement import Enforcement, Severity
from policies.audit.baseline import Compared
from policies.audit.findings import Audit, Finding, Status

if TYPE_CHECKING:
    from policies.audit.plan import Plan

_SEVERITIES: Final[Mapping[Severity, int]] = {severity: index for index, severity in enumerate(Severity)}


class Ending(IntEnum):
    """Exit codes."""

    CLEAN = 0
    FOUND = 1
    """Something that counts was found."""
    UNREAD = 2
    """Something that was named could not be read, so that nobody knows what is in it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Which findings count."""

    fail_on: Severity | None = Severity.HIGH
    """The least severity that does; None for no finding at all."""
    undecided: bool = False
    """Whether what a mandatory rule cannot decide counts like a breach."""
    unread: bool = True
    """Whether something that could not be read counts."""

    def stops(self, finding: Finding) -> bool:
        """Whether a finding counts: a breach of a mandatory rule that does enough harm."""
        if self.fail_on is None or finding.enforcement is not Enforcement.MANDATORY:
            return False
        counted = {Status.REFUSED, Status.UNDECIDED} if self.undecided else {Status.REFUSED}
        return finding.status in counted and _SEVERITIES[finding.severity] >= _SEVERITIES[self.fail_on]


@dataclass(frozen=True)
class Outcome:
    """An audit, seen against what was known before. Of each finding is told how it is worse than it was."""

    audit: Audit
    gate: Gate = Gate()
    compared: Compared | None = None
    plan: Plan | None = None

    def __post_init__(self) -> None:
        worse = self.compared.worse if self.compared is not None else {}
        if worse:
            findings = self.audit.findings
            told = tuple(replace(each, since=worse.get(each.fingerprint, "")) for each in findings)
            object.__setattr__(self, "audit", replace(self.audit, findings=told))

    @cached_property
    def shown(self) -> tuple[Finding, ...]:
        """What people are shown: all findings, or with a baseline those that are new."""
        if self.compared is None:
            return self.audit.findings
        return tuple(each for each in self.audit.findings if each.fingerprint not in self.compared.known)

    @cached_property
    def stopping(self) -> tuple[Finding, ...]:
        """What is shown and counts."""
        return tuple(each for each in self.shown if self.gate.stops(each))

    @property
    def ending(self) -> Ending:
        """How the command ends. What was not read weighs more than what was found: there may be more."""
        if self.audit.unread and self.gate.unread:
            return Ending.UNREAD
        return Ending.FOUND if self.stopping else Ending.CLEAN
