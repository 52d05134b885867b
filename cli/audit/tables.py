"""The audit in a terminal: rule after rule, the most harmful first, with its remedy once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from components.placement import Enforcement, Use
from components.visible import visible
from policies.audit.findings import Status
from policies.audit.outcome import Ending
from policies.audit.reports import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, RenderableType

    from components.placement import Rule
    from policies.audit.findings import Audit, Finding
    from policies.audit.outcome import Outcome
    from policies.audit.plan import Plan, Step

SHOWN_AT_ONCE: Final = 25
"""Findings of one rule that are shown: more are no reading for a terminal, and are in every report."""

_STYLES: Final = {
    "refused": "bold red",
    words.ADVISORY: "yellow",
    "advised against": "yellow",
    "undecided": "cyan",
    "waived": "dim",
}
_WAIVERS: Final = {Use.USED: "dim", Use.UNUSED: "cyan", Use.EXPIRED: "yellow"}


def print_audit(console: Console, outcome: Outcome) -> None:
    """Show an audit."""
    for rule, findings in _by_rule(each for each in outcome.shown if each.status is not Status.UNDECIDED):
        _print_rule(console, rule, findings)
    _print_undecided(console, [each for each in outcome.shown if each.status is Status.UNDECIDED])
    _print_unread(console, outcome.audit)
    _print_waivers(console, outcome.audit)
    _print_gone(console, outcome)
    if outcome.plan is not None:
        _print_plan(console, outcome.plan)
    style = {Ending.CLEAN: "green", Ending.FOUND: "bold red", Ending.UNREAD: "bold red"}[outcome.ending]
    found = Text.assemble((words.found(outcome), "bold"), f" in {words.looked_at(outcome.audit)}")
    console.print(found)
    beside = words.beside_baseline(outcome)
    if beside:
        console.print(Text(beside))
    console.print(Text(words.ending(outcome), style))


def _by_rule(findings: Iterable[Finding]) -> Iterator[tuple[Rule, list[Finding]]]:
    """The findings of each rule; the rule of the most harmful comes first."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.rule.id, []).append(finding)
    for found in grouped.values():
        yield found[0].rule, found


def _print_rule(console: Console, rule: Rule, findings: list[Finding]) -> None:
    hardest = min(findings, key=lambda each: list(Enforcement).index(each.enforcement)).enforcement
    console.print(Text.assemble((rule.id, "bold"), f"  {rule.severity}, {hardest}"))
    console.print(_indented(Text(rule.title, style="italic")))
    rows = _rows(no_wrap_first=True)
    for finding in findings[:SHOWN_AT_ONCE]:
        named = words.named(finding)
        status = Text(named, _STYLES[named])
        rows.add_row(status, _subject(finding), _reason(finding))
    console.print(_indented(rows))
    _print_rest(console, len(findings))
    console.print(_indented(Text.assemble(("remedy: ", "bold"), words.remedy(findings))))
    console.print()


def _print_undecided(console: Console, findings: list[Finding]) -> None:
    """What cannot be decided, by resource: what is missing, and not what a breach would ask for."""
    if not findings:
        return
    by_resource: dict[int, list[Finding]] = {}
    for finding in findings:
        by_resource.setdefault(id(finding.resource), []).append(finding)
    console.print(Text("undecided", "bold"))
    rows = _rows()
    for found in list(by_resource.values())[:SHOWN_AT_ONCE]:
        told = Text()
        for finding in found:
            told.append(finding.rule.id, _STYLES["undecided"])
            told.append(f" {words.reason(finding)}\n")
        told.rstrip()
        rows.add_row(_subject(found[0]), told)
    console.print(_indented(rows))
    _print_rest(console, len(by_resource))
    console.print(_indented(Text.assemble(("remedy: ", "bold"), words.HOW_TO_DECIDE)))
    console.print()


def _print_rest(console: Console, count: int) -> None:
    if count > SHOWN_AT_ONCE:
        rest = f"and {count - SHOWN_AT_ONCE:,} more, which every report has (--json, --html)"
        console.print(_indented(Text(rest, "italic")))


def _rows(*, no_wrap_first: bool = False) -> Table:
    """Columns without lines: what it is about, and what is said of it."""
    rows = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    if no_wrap_first:
        rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold", ratio=2, min_width=16)
    rows.add_column(overflow="fold", ratio=3)
    return rows


def _indented(told: RenderableType) -> Padding:
    return Padding(told, (0, 0, 0, 2), expand=False)


def _subject(finding: Finding) -> Text:
    """What it is about, and where that stands."""
    subject, name = visible(finding.subject), visible(finding.resource.name)
    told = Text(subject, "bold")
    if name != subject:
        told.append(f"\n{name}", "not bold")
    where = words.place(finding.location)
    if where:
        told.append(f"\n{where}", "dim not bold")
    return told


def _reason(finding: Finding) -> Text:
    told = Text(words.reason(finding))
    answers = words.answered_for(finding)
    if answers:
        told.append(f"\n{answers}", "yellow" if finding.expired is not None else "dim")
    return told


def _print_unread(console: Console, audit: Audit) -> None:
    if not audit.unread:
        return
    console.print(Text("could not be read", "bold"))
    rows = _rows()
    for each in audit.unread[:SHOWN_AT_ONCE]:
        remedy = ("remedy: ", "bold"), visible(each.remedy)
        rows.add_row(Text(words.place(each.location)), Text.assemble(visible(each.why), "\n", *remedy))
    console.print(_indented(rows))
    _print_rest(console, len(audit.unread))
    console.print()


def _print_gone(console: Console, outcome: Outcome) -> None:
    """What a baseline has and is no more."""
    gone = outcome.compared.gone if outcome.compared is not None else ()
    if not gone:
        return
    console.print(Text("gone since the baseline", "bold"))
    rows = _rows()
    for each in gone[:SHOWN_AT_ONCE]:
        rows.add_row(Text(visible(each.rule), "green"), Text(visible(each.address)))
    console.print(_indented(rows))
    _print_rest(console, len(gone))
    console.print()


def _print_waivers(console: Console, audit: Audit) -> None:
    if not audit.waivers:
        return
    console.print(Text("waivers", "bold"))
    rows = _rows(no_wrap_first=True)
    for waiver, use in audit.waivers:
        rows.add_row(
            Text(use, _WAIVERS[use]),
            Text.assemble((visible(waiver.subject), "bold"), "\n", (waiver.rule, "dim")),
            Text(visible(f"until {waiver.expires}, {waiver.owner}: {waiver.reason}")),
        )
    console.print(_indented(rows))
    console.print()


def _print_plan(console: Console, plan: Plan) -> None:
    """What would clear the findings, and what that costs."""
    console.print(Text("what to change", "bold"))
    rows = _rows()
    for step in plan.steps[:SHOWN_AT_ONCE]:
        rows.add_row(Text.assemble(_subject(step.finding), "\n", (step.finding.rule.id, "dim")), _step(step))
    console.print(_indented(rows))
    _print_rest(console, len(plan.steps))
    console.print(_indented(Text(str(plan))))
    console.print()


def _step(step: Step) -> Text:
    told = Text()
    for change in step.changes:
        told.append(f"{change!s}\n", "bold")
        if change.fix.resource is not step.finding.resource:
            told.append(f"of {visible(change.fix.resource.name)} {words.place(change.location)}\n", "dim")
        told.append(f"{visible(change.fix.why)}\n")
    if step.left:
        told.append("by hand: ", "bold").append(f"{step.left}\n")
    return told.append(f"{step.price}: {visible(step.price.how)}", "dim")
