"""The audit as a comment on a pull request: what counts at once, all else one click away.

The first line is a comment of HTML that nobody sees, by which a bot finds its own comment and updates it.
Text from elsewhere is put into character references, which can be no markup, and names into `code`, in which
nobody is mentioned and nothing is linked. GitHub takes 65,536 characters; what does not fit is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from components.placement import Enforcement
from components.visible import visible
from policies.audit.findings import Audit, Finding, Status
from policies.audit.outcome import Ending, Outcome
from policies.audit.reports import words

if TYPE_CHECKING:
    from policies.audit.plan import Plan

MARKER: Final = "<!-- halfmetal-audit -->"
AT_MOST: Final = 60_000
"""Characters of a comment, with room for a line that a bot adds. GitHub takes 65,536, GitLab more."""

_SHORT: Final = 300
_ENDING: Final = 2_000
"""Characters kept free for what is said at the end."""
_MARKS: Final = re.compile(r"[^\w\s,()%=+/-]|_")
_MENTION: Final = re.compile("(&#(?:64|35);)")
_ICONS: Final = {
    "refused": ":x:",
    words.ADVISORY: ":warning:",
    "advised against": ":warning:",
    "undecided": ":grey_question:",
    "waived": ":heavy_minus_sign:",
}


def report(outcome: Outcome) -> str:
    """The audit as Markdown, GitHub's and GitLab's kind."""
    sheet = _Sheet()
    sheet.add(MARKER, f"### halfmetal audit: {words.found(outcome)}", "", f"{_summary(outcome)}", "")
    _add_findings(sheet, [each for each in outcome.shown if each.status is not Status.UNDECIDED])
    _add_undecided(sheet, [each for each in outcome.shown if each.status is Status.UNDECIDED])
    if outcome.plan is not None:
        _add_plan(sheet, outcome.plan)
    _add_unread(sheet, outcome.audit)
    _add_waivers(sheet, outcome.audit)
    _add_gone(sheet, outcome)
    return sheet.text()


class _Sheet:
    """Lines, as many as fit."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._left_out = 0

    def add(self, *lines: str) -> None:
        """Lines that are there whatever comes."""
        self._lines += lines
        self._size += sum(len(line) + 1 for line in lines)

    def fold(
        self, summary: str, heading: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
    ) -> None:
        """A table behind its summary, with the rows that fit; nothing of it where none does."""
        frame = [
            f"<details><summary>{summary}</summary>",
            "",
            f"| {' | '.join(heading)} |",
            f"|{' --- |' * len(heading)}",
        ]
        end = ["", *([note, ""] if note else []), "</details>", ""]
        room = AT_MOST - _ENDING - self._size - sum(len(line) + 1 for line in (*frame, *end))
        fitting = list(_fitting((f"| {' | '.join(row)} |" for row in rows), room))
        self._left_out += len(rows) - len(fitting)
        if fitting:
            self.add(*frame, *fitting, *end)

    def text(self) -> str:
        """All of it."""
        if self._left_out:
            more = words.counted(self._left_out, "more line does not fit", "more lines do not fit")
            self.add(f"{more} into a comment: see the other reports.")
        return "\n".join(self._lines).rstrip("\n") + "\n"


def _fitting(lines: Iterable[str], room: int) -> Iterator[str]:
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _summary(outcome: Outcome) -> str:
    sign = ":white_check_mark:" if outcome.ending is Ending.CLEAN else ":x:"
    said = [words.ending(outcome), words.looked_at(outcome.audit), words.beside_baseline(outcome)]
    return " ".join([sign, *(f"{each[:1].upper()}{each[1:]}." for each in said if each)])


def _add_findings(sheet: _Sheet, findings: Iterable[Finding]) -> None:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule.id, []).append(finding)
    for found in by_rule.values():
        rule = found[0].rule
        hard = any(each.enforcement is Enforcement.MANDATORY for each in found)
        how = Enforcement.MANDATORY if hard else Enforcement.ADVISORY
        summary = f"<b>{rule.id}</b> ({rule.severity}, {how}): {words.counted(len(found), 'finding')}"
        sheet.fold(
            summary,
            ("", "what", "where", "why"),
            [(_ICONS[words.named(each)], _what(each), _where(each), _why(each)) for each in found],
            f"**{rule.title}.** To do: {words.remedy(found)}.",
        )


def _add_undecided(sheet: _Sheet, findings: Sequence[Finding]) -> None:
    sheet.fold(
        f"undecided: {words.counted(len(findings), 'finding')}",
        ("what", "where", "rule", "why"),
        [(_what(each), _where(each), each.rule.id, _why(each)) for each in findings],
        f"To do: {words.HOW_TO_DECIDE}.",
    )


def _add_plan(sheet: _Sheet, plan: Plan) -> None:
    sheet.fold(
        f"what to change: {plan!s}",
        ("what", "where", "rule", "change", "price"),
        [
            (
                _what(each.finding),
                _where(each.finding),
                each.finding.rule.id,
                "<br>".join(
                    [
                        *(_code(str(change)) for change in each.changes),
                        *([f"by hand: {_text(each.left)}"] if each.left else []),
                    ]
                ),
                f"{each.price}: {_text(each.price.how)}",
            )
            for each in plan.steps
        ],
    )


def _add_unread(sheet: _Sheet, audit: Audit) -> None:
    sheet.fold(
        f"could not be read: {len(audit.unread):,}",
        ("where", "why", "to do"),
        [(_code(words.place(each.location)), _text(each.why), _text(each.remedy)) for each in audit.unread],
    )


def _add_waivers(sheet: _Sheet, audit: Audit) -> None:
    sheet.fold(
        words.counted(len(audit.waivers), "waiver"),
        ("rule", "subject", "owner", "until", "", "why"),
        [
            (
                waiver.rule,
                _code(waiver.subject),
                _code(waiver.owner),
                waiver.expires.isoformat(),
                str(use),
                _text(waiver.reason),
            )
            for waiver, use in audit.waivers
        ],
    )


def _add_gone(sheet: _Sheet, outcome: Outcome) -> None:
    gone = outcome.compared.gone if outcome.compared is not None else ()
    rows = [(_code(each.rule), _code(each.address)) for each in gone]
    sheet.fold(f"gone since the baseline: {len(gone):,}", ("rule", "what"), rows)


def _what(finding: Finding) -> str:
    return _code(finding.subject)


def _where(finding: Finding) -> str:
    return _code(words.place(finding.location) or finding.resource.name)


def _why(finding: Finding) -> str:
    answers = words.answered_for(finding)
    return _text(finding.verdict.reason) + (f"<br>{_text(answers)}" if answers else "")


def _text(text: str) -> str:
    """A text that is no markup, and in which nobody is mentioned."""
    return _MENTION.sub(r"\1&#8203;", _escaped(text))


def _code(text: str) -> str:
    return f"<code>{_escaped(text)}</code>" if text else ""


def _escaped(text: str) -> str:
    return _MARKS.sub(lambda found: f"&#{ord(found[0])};", visible(text, _SHORT))
