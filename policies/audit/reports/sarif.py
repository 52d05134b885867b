"""The audit as SARIF 2.1.0, for code scanning.

A breach is a result that failed, and what cannot be decided is one that is open. A waiver is a suppression
from outside the code; one that expired suppresses nothing and is told in the message. Where a resource stands
in a file, the result points to its line, by a path from where the audit was run that names nobody's folders.
Code scanning takes no log with a result that is in no file: what is live or came through a pipe is at a path
that no folder has, made of its name.
What is no breach of security has no `security-severity`: it would be ranked among those that are.
"""

import json
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from components.placement import RULES, Enforcement, Rule, Severity
from components.visible import visible
from policies.audit.baseline import SARIF_KEY
from policies.audit.findings import Finding, Status
from policies.audit.outcome import Outcome
from policies.audit.reports import words
from policies.audit.sources import Unread
from policies.resources import Location

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_ROOT: Final = "%SRCROOT%"
_UNREAD: Final = "unread"
_NO_FILES: Final = "halfmetal-audit"
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]+")
"""What is a letter of no path."""
_LEVELS: Final[Mapping[Severity, str]] = {
    Severity.LOW: "note",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_SCORES: Final[Mapping[Severity, str]] = {
    Severity.LOW: "3.0",
    Severity.MEDIUM: "5.5",
    Severity.HIGH: "8.0",
    Severity.CRITICAL: "9.5",
}
"""In the middle of the bands that code scanning shows as low, medium, high and critical."""
_SECURITY: Final[Mapping[str, tuple[str, ...]]] = {
    "compliance-isolation": ("security", "external/cwe/cwe-653"),
    "runaway-function": ("security", "external/cwe/cwe-770"),
}
"""Rules whose breach weakens security, with the weakness: isolation (653), limits on what is used (770)."""
_INDEX: Final = {rule: index for index, rule in enumerate(RULES)}


def report(outcome: Outcome) -> str:
    """The audit as a SARIF log of one run."""
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(outcome)]}, indent=1) + "\n"


def _run(outcome: Outcome) -> dict[str, Any]:
    return {
        "tool": {
            "driver": {
                "name": "halfmetal",
                "semanticVersion": version("halfmetal"),
                "rules": [_rule(rule) for rule in RULES.values()],
                "notifications": [
                    {"id": _UNREAD, "shortDescription": {"text": "A source could not be read"}}
                ],
            }
        },
        "automationDetails": {"id": "halfmetal/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder in which the audit was run."}}},
        "invocations": [_invocation(outcome)],
        "results": [_result(finding, outcome) for finding in outcome.audit.findings],
        "properties": {
            "resources": outcome.audit.looked_at,
            "judged": outcome.audit.judged,
            "waivers": [
                {
                    "rule": waiver.rule,
                    "subject": waiver.subject,
                    "owner": visible(waiver.owner),
                    "reason": visible(waiver.reason),
                    "expires": waiver.expires.isoformat(),
                    "use": str(use),
                }
                for waiver, use in outcome.audit.waivers
            ],
        },
    }


# -- rules


def _rule(rule: Rule) -> dict[str, Any]:
    tags = ("placement", *_SECURITY.get(rule.id, ()))
    security = {"security-severity": _SCORES[rule.severity]} if rule.id in _SECURITY else {}
    return {
        "id": rule.id,
        "name": "".join(part.capitalize() for part in rule.id.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": f"{rule.title}. {rule.rationale}"},
        "help": {
            "text": f"{rule.rationale}\n\nTo do, {rule.remedies}.",
            "markdown": f"**{rule.title}.**\n\n{rule.rationale}\n\n**To do,** {rule.remedies}.",
        },
        "defaultConfiguration": {
            "level": _level(rule.severity, rule.enforcement),
            "enabled": rule.enforcement is not Enforcement.DISABLED,
        },
        "properties": {
            "tags": list(tags),
            "precision": "very-high",
            "problem.severity": "error" if _level(rule.severity, rule.enforcement) == "error" else "warning",
            **security,
        },
    }


def _level(severity: Severity, enforcement: Enforcement) -> str:
    """What stops nothing is no error."""
    level = _LEVELS[severity]
    return "warning" if level == "error" and enforcement is not Enforcement.MANDATORY else level


# -- results


def _result(finding: Finding, outcome: Outcome) -> dict[str, Any]:
    is_open = finding.status is Status.UNDECIDED
    result = {
        "ruleId": finding.rule.id,
        "ruleIndex": _INDEX[finding.rule.id],
        "kind": "open" if is_open else "fail",
        "level": "none" if is_open else _level(finding.severity, finding.enforcement),
        "message": {"text": _message(finding)},
        "locations": [_location(finding.location, finding)],
        "partialFingerprints": {
            SARIF_KEY: finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
        },
        "properties": {
            "status": str(finding.status),
            "enforcement": str(finding.enforcement),
            "severity": str(finding.severity),
            "broken": list(finding.verdict.broken),
            "resourceType": visible(finding.resource.resource_type),
        },
    }
    if finding.waiver is not None:
        said = words.answered_for(finding)
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    if outcome.compared is not None:
        result["baselineState"] = _state(finding.fingerprint, outcome)
    return result


def _message(finding: Finding) -> str:
    said = f"{visible(finding.subject)}: {words.reason(finding)}."
    if finding.expired is not None:
        said += f" But {words.answered_for(finding)}."
    return said if finding.status is Status.UNDECIDED else f"{said} To do: {finding.remedy}."


def _state(fingerprint: str, outcome: Outcome) -> str:
    if outcome.compared is not None and fingerprint in outcome.compared.known:
        return "unchanged"
    return "updated" if outcome.compared is not None and fingerprint in outcome.compared.worse else "new"


def _location(location: Location, finding: Finding | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if words.is_file(location):
        told["physicalLocation"] = {"artifactLocation": _artifact(location.file), **_region(location)}
    if finding is not None:
        # What a result points to has a line in code scanning, whatever it is.
        there = {"artifactLocation": _no_file(location.file), "region": {"startLine": 1}}
        told["physicalLocation"] = {**there, **told.get("physicalLocation", {})}
        told["logicalLocations"] = [
            {
                "name": visible(finding.resource.name),
                "fullyQualifiedName": visible(finding.address),
                "kind": "resource",
            }
        ]
    return told


def _artifact(file: str) -> dict[str, str]:
    """A file by its path from where the audit was run, or by its whole path where it lies elsewhere."""
    path = PurePath(file)
    written = quote(path.as_posix(), safe="/", errors="surrogatepass")
    return {"uri": f"file://{written}"} if path.is_absolute() else {"uri": written, "uriBaseId": _ROOT}


def _no_file(source: str) -> dict[str, str]:
    """A path for what stands in no file: `halfmetal-audit/stack/prod`."""
    parts = [_ODD.sub("-", part).strip("-.") for part in source.split(":", 1)]
    named = "/".join(part for part in parts if part)
    return {"uri": f"{_NO_FILES}/{named or 'unknown'}", "uriBaseId": _ROOT}


def _region(location: Location) -> dict[str, Any]:
    if location.line is None:
        return {}
    column = {} if location.column is None else {"startColumn": location.column}
    return {"region": {"startLine": location.line, **column}}


# -- the run itself


def _invocation(outcome: Outcome) -> dict[str, Any]:
    return {
        "executionSuccessful": not outcome.audit.unread,
        "exitCode": int(outcome.ending),
        "exitCodeDescription": words.ending(outcome),
        "toolExecutionNotifications": list(_notifications(outcome.audit.unread)),
    }


def _notifications(unread: tuple[Unread, ...]) -> Iterator[dict[str, Any]]:
    for each in unread:
        told = f"{words.place(each.location)}: {visible(each.why)}. To do: {visible(each.remedy)}."
        where = _location(each.location)
        yield {
            "descriptor": {"id": _UNREAD},
            "level": "error",
            "message": {"text": told},
            **({"locations": [where]} if where else {}),
        }
