"""What every report says in the same words."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from components.placement import Enforcement
from components.placement.waivers import Waived
from components.visible import visible
from policies.audit.findings import Audit, Finding, Status
from policies.audit.outcome import Ending, Outcome
from policies.resources import Location

ADVISORY: Final = "advisory"
"""What a breach of a rule is called that stops nothing."""
NAMES: Final = ("refused", ADVISORY, "advised against", "undecided", "waived")
"""What a finding is called that people look at, the worst first."""

HOW_TO_DECIDE: Final = (
    "say what is missing where the resource is made: in a tag like `halfmetal:cold-start-tolerance` on AWS,"
    " in an annotation like `halfmetal.dev/cold-start-tolerance` in Kubernetes"
)
"""What to do about a finding that is undecided."""

_NO_FILES: Final = ("stack:", "cluster:", "(")


def named(finding: Finding) -> str:
    """What a finding comes to, for people: a breach that stops nothing is not shown as one that does."""
    advisory = finding.status is Status.REFUSED and finding.enforcement is not Enforcement.MANDATORY
    return ADVISORY if advisory else str(finding.status)


def place(location: Location) -> str:
    """Where something stands; nothing where that is not known."""
    return visible(str(location)) if location.file else ""


def is_file(location: Location) -> bool:
    """Whether something stands in a file, and not in what is live or came through a pipe."""
    return bool(location.file) and not location.file.startswith(_NO_FILES)


def reason(finding: Finding) -> str:
    """Why, as a sentence without a full stop."""
    since = f" ({finding.since})" if finding.since else ""
    return visible(f"{finding.verdict.reason}{since}")


def remedy(findings: Sequence[Finding]) -> str:
    """What to do about findings of one rule, whoever made what they are about and whatever each lacks."""
    told = {finding.judged.remedy for finding in findings}
    return told.pop() if len(told) == 1 else findings[0].rule.remedies


def answered_for(finding: Finding) -> str:
    """Who answers for a finding, or did; nothing where nobody does."""
    waiver = finding.waiver or finding.expired
    return "" if waiver is None else visible(str(Waived(waiver, expired=finding.waiver is None)))


def counted(number: int, noun: str, plural: str = "") -> str:
    """So many of a thing."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def looked_at(audit: Audit) -> str:
    """How much was looked at, and how much of it the rules are about."""
    kinds = ", ".join(f"{count:,} of {kind}" for kind, count in sorted(audit.kinds.items()))
    seen = counted(audit.looked_at, "resource")
    of = f" ({kinds})" if len(audit.kinds) > 1 else f" of {kinds.partition(' of ')[2]}" if kinds else ""
    return f"{seen}{of}, {audit.judged:,} of them judged"


def found(outcome: Outcome) -> str:
    """How many findings come to what."""
    counts = Counter(map(named, outcome.shown))
    told = ", ".join(f"{counts[name]:,} {name}" for name in NAMES if counts[name])
    if outcome.compared is None:
        return told or "nothing found"
    return f"new: {told}" if told else "nothing new"


def beside_baseline(outcome: Outcome) -> str:
    """How many findings were there before, and how many are no more; nothing without a baseline."""
    if outcome.compared is None:
        return ""
    compared = outcome.compared
    worse = f", {len(compared.worse):,} worse since" if compared.worse else ""
    return f"{counted(len(compared.known), 'finding')} known before{worse}, {len(compared.gone):,} gone since"


def ending(outcome: Outcome) -> str:
    """How it ends, and why."""
    least = outcome.gate.fail_on
    if outcome.ending is Ending.UNREAD:
        count = counted(len(outcome.audit.unread), "source or part of one", "sources or parts of them")
        return f"{count} could not be read: nobody knows what is in there"
    if outcome.ending is Ending.FOUND:
        verb = "counts" if len(outcome.stopping) == 1 else "count"
        return f"{len(outcome.stopping):,} {verb}: {_counts(outcome)}"
    return (
        "nothing counts: --fail-on never"
        if least is None
        else f"nothing counts: nothing is {_counts(outcome)}"
    )


def _counts(outcome: Outcome) -> str:
    least = outcome.gate.fail_on
    what = "refused or undecided" if outcome.gate.undecided else "refused"
    return f"{what} by a mandatory rule of severity {least} or above"
