"""What an audit found: one finding for each rule and resource that the rule has something against.

Its fingerprint is made of the rule and of what the resource is in its source, not of the file and the line
that it stands in, so that it is the same finding after somebody has edited the file, or moved it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from components.catalog import Catalog
from components.placement import Answer, Enforcement, Rule, Settings, Severity, Use, Verdict, Waivers
from components.spec import Guardrails, Waiver
from policies.audit.dialects import instruction
from policies.audit.sources import Gathered, Unread
from policies.fixes import Fix, fixes
from policies.judging import Judged, everything
from policies.reading.index import Index
from policies.resources import Location, Resource

_NOWHERE: Final = Location("")
_WORST_FIRST: Final = tuple(reversed(Severity))


class Status(StrEnum):
    """What a finding comes to. The later, the worse."""

    WAIVED = "waived"
    UNDECIDED = "undecided"
    ADVISED_AGAINST = "advised against"
    REFUSED = "refused"

    def is_worse_than(self, other: "Status") -> bool:
        """Whether it is more to worry about."""
        return _STATUSES.index(self) > _STATUSES.index(other)


_STATUSES: Final = tuple(Status)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has against one resource, or cannot tell of it."""

    rule: Rule
    resource: Resource
    subject: str
    """What it is about, by the name that people know it by."""
    verdict: Verdict
    enforcement: Enforcement
    fingerprint: str
    """The same in the next run, wherever the resource stands then."""
    judged: Judged = field(repr=False)
    """What it was made of."""
    waiver: Waiver | None = None
    """Who answers for it, as of today."""
    expired: Waiver | None = None
    """Who answered for it, and does no more."""
    since: str = ""
    """How it is worse than in the baseline; nothing where it is not, or where there is none."""

    fixes: tuple[Fix, ...] = field(default=(), repr=False)
    """What of it is a value to set, of what halfmetal did not place."""

    @property
    def status(self) -> Status:
        """What it comes to."""
        if self.waiver is not None:
            return Status.WAIVED
        if self.verdict.answer is Answer.UNDECIDED:
            return Status.UNDECIDED
        return Status.ADVISED_AGAINST if self.verdict.soft else Status.REFUSED

    @property
    def severity(self) -> Severity:
        """How much harm the breach does, or would."""
        return self.rule.severity

    @property
    def remedy(self) -> str:
        """What to do about it, in the words of whoever made it: first the values to set, then all of it."""
        own = [instruction(fix, self.resource) for fix in self.fixes]
        return "; in all, ".join([" and ".join(own), self.judged.remedy]) if own else self.judged.remedy

    @property
    def address(self) -> str:
        """What tells the resource from all others."""
        return self.resource.urn

    @property
    def location(self) -> Location:
        """Where the resource stands; a location of no file where it stands in none."""
        return self.resource.location or _NOWHERE


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of one audit."""

    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]
    looked_at: int
    """Resources that there are."""
    judged: int
    """Resources of a type that some rule reads."""
    kinds: Mapping[str, int]
    """Resources by the kind of source they were read from."""
    waivers: tuple[tuple[Waiver, Use], ...]
    """All that the stack file has, and what came of each."""
    passed: tuple[tuple[Rule, Resource], ...]
    """Rules that were kept, by what; not those that are about something else."""
    files: frozenset[str]
    """Files that resources stand in."""
    today: date

    def count(self, status: Status) -> int:
        """How many findings come to that."""
        return sum(finding.status is status for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Terms:
    """What whoever audits holds resources against."""

    settings: Settings
    waivers: Waivers
    catalog: Catalog
    region: str
    """Whose prices hold."""
    guardrails: Guardrails | None = None
    """What functions are to be bounded by; None is what a stack file means that says nothing."""


def audit(
    gathered: Gathered, settings: Settings, waivers: Waivers, guardrails: Guardrails | None = None
) -> Audit:
    """Judge resources by the rules as they are set. `guardrails` are as in Terms."""
    index = Index.of(gathered.resources)
    against: list[Judged] = []
    kept: list[tuple[Rule, Resource]] = []
    judged: set[int] = set()
    for each in everything(settings, index):
        judged.add(id(each.resource))
        if each.verdict.answer is Answer.FITS:
            if each.verdict.applies:
                kept.append((each.rule, each.resource))
        elif each.verdict.answer is Answer.REFUSED or each.open:
            against.append(each)
    made = (
        replace(_finding(each, settings, waivers), fixes=_fixes(each, settings, index, guardrails))
        for each in against
    )
    findings = _told_apart(sorted(made, key=_order))
    return Audit(
        findings=tuple(findings),
        unread=tuple(sorted(gathered.unread, key=lambda each: str(each.location))),
        looked_at=len(gathered.resources),
        judged=len(judged),
        kinds=MappingProxyType({str(kind): count for kind, count in gathered.kinds.items()}),
        waivers=tuple(_uses(findings, waivers)),
        passed=tuple(kept),
        files=frozenset(each.location.file for each in gathered.resources if each.location is not None),
        today=waivers.today,
    )


def _finding(judged: Judged, settings: Settings, waivers: Waivers) -> Finding:
    waived = None if judged.open else waivers.of(judged.rule.id, *judged.names)
    counts = waived is not None and not waived.expired
    return Finding(
        rule=judged.rule,
        resource=judged.resource,
        subject=judged.named,
        verdict=judged.verdict,
        enforcement=settings.by_id[judged.rule.id].enforcement_of(judged.verdict),
        fingerprint=_fingerprint(judged),
        judged=judged,
        waiver=waived.waiver if waived is not None and counts else None,
        expired=waived.waiver if waived is not None and not counts else None,
    )


def _fixes(
    judged: Judged, settings: Settings, index: Index, guardrails: Guardrails | None
) -> tuple[Fix, ...]:
    """The values to set, each once; a stack file's keys say what to do of what halfmetal placed."""
    if judged.subject.placed or judged.open:
        return ()
    found = fixes(settings.by_id[judged.rule.id], judged, index, guardrails)
    return tuple({(id(fix.resource), fix.path): fix for fix in found}.values())


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    """The most harmful first, then as one reads: by file and line."""
    where = finding.location
    severity = _WORST_FIRST.index(finding.severity)
    return (severity, where.file, where.line or 0, finding.address, finding.rule.id)


def _fingerprint(judged: Judged) -> str:
    resource = judged.resource
    file = resource.location.file if resource.location is not None else ""
    address = resource.urn.removeprefix(f"{file}#") if file else resource.urn
    told = "\0".join((judged.rule.id, resource.resource_type, address))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _told_apart(findings: Iterable[Finding]) -> list[Finding]:
    """Findings of which each has a fingerprint of its own: one object may stand in several files."""
    seen: Counter[str] = Counter()
    apart = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        number = seen[finding.fingerprint]
        apart.append(
            finding if number == 1 else replace(finding, fingerprint=f"{finding.fingerprint}-{number}")
        )
    return apart


def _uses(findings: Iterable[Finding], waivers: Waivers) -> Iterable[tuple[Waiver, Use]]:
    return waivers.uses(waivers.of(each.rule.id, *each.judged.names) for each in findings if _is_breach(each))


def _is_breach(finding: Finding) -> bool:
    return finding.verdict.answer is Answer.REFUSED
