"""What was known before, so that a run shows what is new.

A baseline names findings by their fingerprints, each with what it came to then. A finding that comes to worse
now is new: a waiver that ran out, advice that became a refusal. A report of an earlier run (`--json` or
`--sarif`) is a baseline as it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.audit.findings import Finding, Status

VERSION: Final = 1
KEY: Final = "halfmetal_baseline"
REPORT_KEY: Final = "halfmetal_audit"
SARIF_KEY: Final = "halfmetal/v1"
"""The name of our fingerprint among those of a SARIF result."""


class BaselineError(Exception):
    """A file that is no baseline."""

    def __init__(self, file: str, why: str, remedy: str) -> None:
        super().__init__(file, why, remedy)
        self.file = file
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.file}: {self.why}\n  remedy: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Known:
    """A finding of an earlier run."""

    fingerprint: str
    rule: str
    address: str
    status: Status


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings beside those of an earlier run."""

    known: frozenset[str]
    """Fingerprints of what was there before, and was no better then."""
    worse: frozenset[str]
    """Fingerprints of what was there before, and was better then."""
    gone: tuple[Known, ...]
    """What was there before and is no more."""


def written(findings: Iterable[Finding]) -> str:
    """A baseline of these findings. The same findings give the same text."""
    told = [
        {
            "fingerprint": each.fingerprint,
            "rule": each.rule.id,
            "address": each.address,
            "status": str(each.status),
        }
        for each in findings
    ]
    told.sort(key=lambda each: (each["rule"], each["address"], each["fingerprint"]))
    return json.dumps({KEY: VERSION, "findings": told}, indent=2) + "\n"


def read(text: str, file: str) -> tuple[Known, ...]:
    """The findings of a baseline or of an earlier report. Raises BaselineError for what is neither."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise _no_baseline(file, "is no JSON") from None
    if not isinstance(told, Mapping):
        raise _no_baseline(file, "is no baseline")
    version = told.get(KEY, told.get(REPORT_KEY))
    if version is not None and version != VERSION:
        raise BaselineError(
            file,
            f"is a baseline of version {version!r:.20}, and {VERSION} is what is read",
            "write it again with --write-baseline",
        )
    if version is None and not (told.get("version") == "2.1.0" and isinstance(told.get("runs"), list)):
        raise _no_baseline(file, "is no baseline")
    try:
        return tuple(_of_sarif(told) if version is None else map(_of_report, told["findings"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _no_baseline(file, "is a damaged baseline") from None


def compare(findings: Iterable[Finding], before: Iterable[Known]) -> Compared:
    """What of these findings was known before."""
    earlier = {each.fingerprint: each for each in before}
    now = {each.fingerprint: each for each in findings}
    both = now.keys() & earlier.keys()
    worse = frozenset(each for each in both if now[each].status.is_worse_than(earlier[each].status))
    gone = tuple(each for each in earlier.values() if each.fingerprint not in now)
    return Compared(frozenset(both) - worse, worse, gone)


def _no_baseline(file: str, why: str) -> BaselineError:
    remedy = "name what --write-baseline wrote, or an earlier report of --json or --sarif"
    return BaselineError(file, why, remedy)


def _of_report(told: Mapping[str, Any]) -> Known:
    address = told["address"] if "address" in told else told["resource"]["address"]
    return Known(
        _text(told["fingerprint"]), _text(told["rule"]), _text(address), Status(_text(told["status"]))
    )


def _of_sarif(log: Mapping[str, Any]) -> Iterator[Known]:
    for run in log["runs"]:
        for result in run.get("results") or ():
            fingerprint = result.get("partialFingerprints", {}).get(SARIF_KEY)
            if fingerprint is None or result.get("baselineState") == "absent":
                continue
            address = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
            status = Status(_text(result["properties"]["status"]))
            yield Known(_text(fingerprint), _text(result["ruleId"]), _text(address), status)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is no text")
    return value
