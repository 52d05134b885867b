"""What was known before, so that a run shows what is new.

A baseline names findings by their fingerprints, each with what it came to then and what of its rule was
broken. A finding that comes to worse now is new: a waiver that ran out, advice that became a refusal, a
function that had no alarm and now has no reserved concurrency either. A report of an earlier run (`--json` or
`--sarif`) is a baseline as it is.

A fingerprint is the same wherever its resource stands, so that one may move to another file. But while the
file that it stood in is there, a resource of the same name in another one is another.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from components.visible import visible
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
    broken: frozenset[str] | None = None
    """What of its rule was broken; None where that was not written down."""

    def worsened(self, now: Finding) -> str:
        """How it is worse now; nothing where it is not."""
        if now.status.is_worse_than(self.status):
            return f"worse than in the baseline, where it was {self.status}"
        if now.status is not self.status or now.status is Status.WAIVED or self.broken is None:
            return ""
        more = [name for name in now.verdict.broken if name not in self.broken]
        named = " and ".join(name.replace("_", " ") for name in more)
        return f"worse than in the baseline, by {named}" if more else ""

    def stands_in(self, files: Collection[str]) -> bool:
        """Whether the file that it stood in is one of these."""
        ends = (at for at, character in enumerate(self.address) if character == "#")
        return any(self.address[:at] in files for at in ends)


@dataclass(frozen=True, slots=True)
class Compared:
    """Findings beside those of an earlier run."""

    known: frozenset[str]
    """Fingerprints of what was there before, and was no better then."""
    worse: Mapping[str, str]
    """Fingerprints of what was there before and was better then, and how it is worse."""
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
            "broken": list(each.verdict.broken),
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


def compare(findings: Iterable[Finding], before: Iterable[Known], files: Collection[str]) -> Compared:
    """What of these findings was known before, in a run over these files."""
    now = tuple(findings)
    earlier = {(_unnumbered(each.fingerprint), visible(each.address)): each for each in before}
    same: dict[str, Known] = {}
    for each in now:
        known = earlier.pop((_unnumbered(each.fingerprint), visible(each.address)), None)
        if known is not None:
            same[each.fingerprint] = known
    moved: dict[str, list[Known]] = {}
    for known in reversed(earlier.values()):
        if not known.stands_in(files):
            moved.setdefault(_unnumbered(known.fingerprint), []).append(known)
    for each in now:
        those = moved.get(_unnumbered(each.fingerprint))
        if those and each.fingerprint not in same:
            same[each.fingerprint] = known = those.pop()
            del earlier[_unnumbered(known.fingerprint), visible(known.address)]
    both = [each for each in now if each.fingerprint in same]
    worse = {each.fingerprint: how for each in both if (how := same[each.fingerprint].worsened(each))}
    return Compared(frozenset(same.keys() - worse.keys()), worse, tuple(earlier.values()))


def _unnumbered(fingerprint: str) -> str:
    """A fingerprint without what tells it from others of the same: which of them it is, its file says."""
    return fingerprint.partition("-")[0]


def _no_baseline(file: str, why: str) -> BaselineError:
    remedy = "name what --write-baseline wrote, or an earlier report of --json or --sarif"
    return BaselineError(file, why, remedy)


def _of_report(told: Mapping[str, Any]) -> Known:
    address = told["address"] if "address" in told else told["resource"]["address"]
    fingerprint, rule, status = (_text(told[name]) for name in ("fingerprint", "rule", "status"))
    return Known(fingerprint, rule, _text(address), Status(status), _broken(told))


def _of_sarif(log: Mapping[str, Any]) -> Iterator[Known]:
    for run in log["runs"]:
        for result in run.get("results") or ():
            fingerprint = result.get("partialFingerprints", {}).get(SARIF_KEY)
            if fingerprint is None or result.get("baselineState") == "absent":
                continue
            address = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
            about = result["properties"]
            status, broken = Status(_text(about["status"])), _broken(about)
            yield Known(_text(fingerprint), _text(result["ruleId"]), _text(address), status, broken)


def _broken(told: Mapping[str, Any]) -> frozenset[str] | None:
    """What was broken. What was written before that was written down says nothing of it."""
    return frozenset(map(_text, told["broken"])) if "broken" in told else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is no text")
    return value
