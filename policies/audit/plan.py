"""The changes that would clear the findings: where, from what to what, and what that costs or saves a month.

What is mechanical is applied to a copy of all resources, and these are audited again: so what a change does
not clear is known, not guessed, and is left to a person with the rule's remedy.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from components.placement.cost.market import Market
from components.visible import visible
from policies.audit.dialects import property_of, value_of
from policies.audit.findings import Finding, Status, Terms, audit
from policies.audit.prices import Price, price_of
from policies.audit.sources import Gathered
from policies.fixes import Fix, applied, fixes
from policies.reading.bags import ABSENT, UNKNOWN
from policies.reading.index import Index
from policies.resources import Location, Resource


@dataclass(frozen=True, slots=True)
class Change:
    """One value to set."""

    fix: Fix

    @property
    def location(self) -> Location:
        """Where the resource stands."""
        return self.fix.resource.location or Location("")

    @property
    def called(self) -> str:
        """The property, in the words of the file that it is in."""
        return visible(property_of(self.fix.resource, self.fix.path))

    @property
    def before(self) -> str:
        """What it is set to."""
        was = self.fix.was
        return "not set" if was is ABSENT else "not known" if was is UNKNOWN else self._written(was)

    @property
    def after(self) -> str:
        """What to set it to."""
        return self._written(self.fix.value)

    def _written(self, value: Any) -> str:
        return _written(value_of(self.fix.resource, self.fix.path, value))

    def __str__(self) -> str:
        return f"{self.called}: {self.before} \N{RIGHTWARDS ARROW} {self.after}"


@dataclass(frozen=True, slots=True)
class Step:
    """What clears one finding."""

    finding: Finding
    changes: tuple[Change, ...]
    left: str
    """What the changes do not clear; nothing where they clear all."""
    price: Price


@dataclass(frozen=True, slots=True)
class Plan:
    """What clears all findings that are shown."""

    steps: tuple[Step, ...]
    region: str
    """Whose prices these are."""

    @property
    def dollars(self) -> Fraction:
        """All that is known, together; what clears several findings of one resource is paid for once."""
        each = {
            (step.price.once or step.finding.address, step.price.how): step.price.dollars or Fraction(0)
            for step in self.steps
        }
        return sum(each.values(), Fraction(0))

    @property
    def not_priced(self) -> int:
        """Steps of which the price is not known, or only in part."""
        return sum(step.price.dollars is None or step.price.at_least for step in self.steps)

    def __str__(self) -> str:
        count = len(self.steps)
        total = str(Price(self.dollars, "")) if count > self.not_priced else ""
        unknown = (
            f"the price of {self.not_priced:,} is not known, or not all of it" if self.not_priced else ""
        )
        told = "; ".join(part for part in (total, unknown) if part) or "nothing to do"
        return f"{count:,} finding{'' if count == 1 else 's'} to clear, at prices of {self.region}: {told}"


def plan(findings: Iterable[Finding], gathered: Gathered, terms: Terms) -> Plan:
    """What clears these findings of what was gathered."""
    breaches = [each for each in findings if each.status in (Status.REFUSED, Status.ADVISED_AGAINST)]
    index = Index.of(gathered.resources)
    made = [_fixes(each, index, terms) for each in breaches]
    again = audit(_changed(gathered, made), terms.settings, terms.waivers)
    after = {_key(each): each for each in again.findings}
    market = Market(terms.catalog, terms.region)
    steps = tuple(
        Step(
            finding,
            tuple(Change(fix) for fix in mended),
            _left(after.get(_key(finding))),
            # What is done by hand is done to a resource whose values are set: nothing is saved twice.
            price_of(finding if mended else _again(finding, after), mended, market),
        )
        for finding, mended in zip(breaches, made, strict=True)
    )
    return Plan(steps, terms.region)


def _key(finding: Finding) -> tuple[str, str]:
    return finding.rule.id, finding.address


def _again(finding: Finding, after: Mapping[tuple[str, str], Finding]) -> Finding:
    """The same finding once all values are set; as it was where that clears it."""
    return after.get(_key(finding), finding)


def _fixes(finding: Finding, index: Index, terms: Terms) -> list[Fix]:
    """The fixes of a finding, each property once."""
    setting = terms.settings.by_id[finding.rule.id]
    found: dict[tuple[int, object], Fix] = {}
    for fix in fixes(setting, finding.judged, index, terms.guardrails):
        found.setdefault((id(fix.resource), fix.path), fix)
    return list(found.values())


def _changed(gathered: Gathered, made: Iterable[Sequence[Fix]]) -> Gathered:
    """The same resources with the fixes applied, related to each other as they were."""
    by_resource: dict[int, list[Fix]] = {}
    for fix in (fix for each in made for fix in each):
        by_resource.setdefault(id(fix.resource), []).append(fix)
    copies = {
        id(each): replace(each, props=applied(each.props, by_resource.get(id(each), ())))
        if id(each) in by_resource
        else replace(each)
        for each in gathered.resources
    }
    for each in copies.values():
        each.dependencies = _copied(each.dependencies, copies)
        each.property_dependencies = {
            name: _copied(sources, copies) for name, sources in each.property_dependencies.items()
        }
    return replace(gathered, resources=tuple(copies.values()), unread=())


def _copied(sources: Iterable[Resource], copies: dict[int, Resource]) -> list[Resource]:
    return [copies.get(id(source), source) for source in sources]


def _left(finding: Finding | None) -> str:
    if finding is None or finding.status in (Status.UNDECIDED, Status.WAIVED):
        return ""
    return visible(finding.verdict.reason)


def _written(value: Any) -> str:
    """A value as JSON has it, and a text as it is."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return visible(json.dumps(value, default=lambda _: "not known"))
