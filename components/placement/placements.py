"""What a decision is: the placement of every workload, and what the rules say of the stack."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from components.placement.facts import Facts
from components.placement.homes import Home
from components.placement.judging import Answer, Enforcement, Severity, Verdict
from components.placement.settings import Setting
from components.placement.waivers import Use, Waived, Waivers
from components.spec import Money, Pool, Problem, Stack, StackError, Waiver, Workload


class PlacementError(StackError):
    """A stack whose workloads cannot, or may not, run where the stack file puts them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A home that a workload does not get."""

    home: Home
    rule: str | None
    """The rule that refuses it; None when the stack does not offer that home at all."""
    reason: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says against a subject of the stack, and what to do about it."""

    rule: str
    subject: str
    path: str
    """Where in the stack file, like `workloads[2].placement`."""
    severity: Severity
    enforcement: Enforcement
    reason: str
    remedy: str
    answer: Answer = Answer.REFUSED
    waived: Waived | None = None
    """The waiver of it, if there is one on the day that was asked for."""

    @classmethod
    def of(cls, setting: Setting, verdict: Verdict, subject: str, path: str) -> "Finding":
        """What a rule as it is run says of a subject."""
        rule = setting.rule
        return cls(
            rule=rule.id,
            subject=subject,
            path=path,
            severity=rule.severity,
            enforcement=setting.enforcement_of(verdict),
            reason=verdict.reason,
            remedy=rule.remedy,
            answer=verdict.answer,
        )

    @property
    def blocks(self) -> bool:
        """Whether it must be cleared before anything is deployed."""
        return (
            self.answer is Answer.REFUSED
            and self.enforcement is Enforcement.MANDATORY
            and (self.waived is None or self.waived.expired)
        )

    @property
    def says(self) -> str:
        """The rule, its reason, and what a waiver makes of it."""
        return f"{self.rule}: {self.reason}{f' ({self.waived})' if self.waived is not None else ''}"


@dataclass(frozen=True, slots=True)
class Note:
    """What someone should know of a decision beside it."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one workload runs, and why."""

    workload: Workload
    home: Home
    pool: Pool | None
    zone: str | None
    """The one zone its pods run in; None where the pool has several and any will do, and for functions."""
    replicas: int
    """Pods; 0 for functions, whose copies come and go with the requests."""
    reasons: tuple[str, ...]
    """How the home was chosen, then what each rule says for it."""
    refused: tuple[Refusal, ...]
    """The other homes that it could not have, with the first rule that refuses each."""
    facts: Facts
    """What its resources carry as tags and annotations."""
    twin: Facts | None = None
    """What the function that takes its tail carries; None where it has none."""


@dataclass(frozen=True, slots=True)
class Placements:
    """The placement of every workload, by name, and what the rules say of the stack."""

    stack: Stack
    """The stack with all filled in that its file leaves open: topology, homes, pools, replicas, nodes."""
    by_name: Mapping[str, Placement]
    pools: Mapping[str, Facts]
    """Facts of each pool, for its node group and launch template to carry."""
    control_plane: Facts
    """Facts for every control function to carry."""
    findings: tuple[Finding, ...]
    """What the rules refuse."""
    undecided: tuple[Finding, ...]
    """What the rules cannot decide for want of a fact."""
    notes: tuple[Note, ...] = ()
    """What else there is to know of the choice."""
    total: Money | None = None
    """What all that has a price costs a month; None where nothing was left to be chosen."""
    waivers: tuple[tuple[Waiver, Use], ...] = ()
    """The stack file's waivers, and what came of each on the day that was asked for."""

    def on(self, today: date) -> "Placements":
        """The same with the stack file's waivers applied as they count on a day.

        They let be what the file says. Nothing is chosen on the strength of one.
        """
        waivers = Waivers(self.stack.policies.waivers, today)
        findings = tuple(
            replace(finding, waived=waivers.of(finding.rule, finding.subject, self._pool_of(finding.subject)))
            for finding in self.findings
        )
        uses = tuple(waivers.uses(finding.waived for finding in findings))
        return replace(self, findings=findings, waivers=uses)

    def _pool_of(self, subject: str) -> str:
        """The pool that a workload runs on, by name: its waivers are about what it serves as well."""
        placement = self.by_name.get(subject)
        return placement.pool.name if placement is not None and placement.pool is not None else ""

    def raise_if_refused(self) -> None:
        """Raise PlacementError with every finding of a mandatory rule, if there is one."""
        blocking = [finding for finding in self.findings if finding.blocks]
        if blocking:
            raise PlacementError(
                Problem(finding.path, None, finding.says, finding.remedy, finding.subject)
                for finding in blocking
            )
