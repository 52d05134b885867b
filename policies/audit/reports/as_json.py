"""The audit for programs. It has every finding, also those that a baseline knows: it is a baseline itself."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from components.spec import Waiver
from policies.audit.baseline import REPORT_KEY, VERSION
from policies.audit.findings import Finding, Status
from policies.audit.outcome import Outcome
from policies.resources import Location

if TYPE_CHECKING:
    from policies.audit.plan import Plan, Step

_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can spell and many a reader cannot take."""


def report(outcome: Outcome) -> str:
    """The audit as JSON, of ASCII alone, so that it does nothing to a terminal."""
    return json.dumps(_whole(told(outcome)), indent=2, allow_nan=False) + "\n"


def told(outcome: Outcome) -> dict[str, Any]:
    """The same as objects."""
    audit = outcome.audit
    return {
        REPORT_KEY: VERSION,
        "today": audit.today.isoformat(),
        "exit_code": int(outcome.ending),
        "fail_on": "never" if outcome.gate.fail_on is None else str(outcome.gate.fail_on),
        "summary": {
            "resources": audit.looked_at,
            "judged": audit.judged,
            "kinds": dict(sorted(audit.kinds.items())),
            **{status.replace(" ", "_"): audit.count(status) for status in reversed(Status)},
            "counting": len(outcome.stopping),
            "unread": len(audit.unread),
            "known": None if outcome.compared is None else len(outcome.compared.known),
            "gone": None if outcome.compared is None else len(outcome.compared.gone),
        },
        "findings": [_finding(each, outcome) for each in audit.findings],
        "gone": [
            {"fingerprint": each.fingerprint, "rule": each.rule, "address": each.address}
            for each in (outcome.compared.gone if outcome.compared is not None else ())
        ],
        "unread": [
            {"location": _location(each.location), "why": each.why, "remedy": each.remedy}
            for each in audit.unread
        ],
        "waivers": [_waiver(waiver) | {"use": str(use)} for waiver, use in audit.waivers],
        "fix_plan": _plan(outcome.plan) if outcome.plan is not None else None,
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "region": plan.region,
        "dollars_a_month": _dollars(plan.dollars),
        "not_priced": plan.not_priced,
        "steps": [_step(step) for step in plan.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "fingerprint": step.finding.fingerprint,
        "rule": step.finding.rule.id,
        "subject": step.finding.subject,
        "changes": [
            {
                "address": change.fix.resource.urn,
                "location": _location(change.location),
                "property": change.called,
                "from": change.before,
                "to": change.after,
                "why": change.fix.why,
                "safe": change.fix.safe,
            }
            for change in step.changes
        ],
        "left": step.left or None,
        "remedy": step.finding.judged.remedy if step.left else None,
        "dollars_a_month": None if step.price.dollars is None else _dollars(step.price.dollars),
        "at_least": step.price.at_least,
        "how": step.price.how,
    }


def _dollars(amount: Fraction) -> float:
    return float(round(amount, 2))


def _finding(finding: Finding, outcome: Outcome) -> dict[str, Any]:
    known = None
    if outcome.compared is not None:
        known = finding.fingerprint in outcome.compared.known
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule.id,
        "severity": str(finding.severity),
        "enforcement": str(finding.enforcement),
        "status": str(finding.status),
        "known": known,
        "counts": not known and outcome.gate.stops(finding),
        "subject": finding.subject,
        "resource": {
            "type": finding.resource.resource_type,
            "name": finding.resource.name,
            "address": finding.address,
        },
        "location": _location(finding.location),
        "reason": finding.verdict.reason,
        "missing": list(finding.verdict.missing),
        "broken": list(finding.verdict.broken),
        "worse": finding.since or None,
        "remedy": finding.remedy,
        "waiver": _waiver(finding.waiver) if finding.waiver is not None else None,
        "expired_waiver": _waiver(finding.expired) if finding.expired is not None else None,
    }


def _location(location: Location) -> dict[str, Any] | None:
    if not location.file:
        return None
    return {"file": location.file, "line": location.line, "column": location.column}


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "rule": waiver.rule,
        "subject": waiver.subject,
        "reason": waiver.reason,
        "owner": waiver.owner,
        "expires": waiver.expires.isoformat(),
    }


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return _HALF.sub("\N{REPLACEMENT CHARACTER}", value) if not value.isascii() else value
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return value
