"""The audit as one page that can be mailed, archived and printed: the sheet that plans are written on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from components.placement import Enforcement
from components.report.markup import Child, Element, element
from components.report.sheet import heading, sheet
from components.report.tables import table
from components.visible import visible
from policies.audit.findings import Audit, Finding, Status
from policies.audit.outcome import Ending, Outcome
from policies.audit.reports import words

if TYPE_CHECKING:
    from policies.audit.plan import Plan, Step


def report(outcome: Outcome) -> str:
    """The audit as a page of HTML that is whole by itself."""
    return sheet("Audit by halfmetal", _body(outcome), style=_style())


@cache
def _style() -> str:
    return files("policies.audit.reports").joinpath("page.css").read_text(encoding="utf-8")


def _body(outcome: Outcome) -> Element:
    breaches = [each for each in outcome.shown if each.status is not Status.UNDECIDED]
    undecided = [each for each in outcome.shown if each.status is Status.UNDECIDED]
    return element(
        "body",
        element("a", "Skip to the findings", href="#findings", class_="skip"),
        _summary(outcome, breaches, undecided),
        element(
            "main",
            _findings(breaches),
            _undecided(undecided),
            _plan(outcome.plan) if outcome.plan is not None else None,
            _unread(outcome.audit),
            _waivers(outcome.audit),
            _gone(outcome),
        ),
        element("footer", element("p", f"Made by halfmetal audit, as of {outcome.audit.today}.")),
    )


def _summary(outcome: Outcome, breaches: Sequence[Finding], undecided: Sequence[Finding]) -> Element:
    audit, plans = outcome.audit, outcome.plan is not None and bool(outcome.plan.steps)
    parts = (
        ("Findings", "findings", len(breaches), True),
        ("Undecided", "undecided", len(undecided), bool(undecided)),
        ("What to change", "plan", len(outcome.plan.steps) if outcome.plan is not None else 0, plans),
        ("Not read", "unread", len(audit.unread), bool(audit.unread)),
        ("Waivers", "waivers", len(audit.waivers), bool(audit.waivers)),
    )
    links = (
        element("a", f"{name} ({count:,})", href=f"#{anchor}")
        for name, anchor, count, there in parts
        if there
    )
    lead = " ".join(_lead(outcome))
    return heading("halfmetal audit", words.found(outcome), _figure(outcome), lead, links)


def _figure(outcome: Outcome) -> Child:
    count, style = len(outcome.stopping), "total refused"
    if outcome.ending is Ending.UNREAD and not count:
        return [element("strong", f"{len(outcome.audit.unread):,}", class_=style), " not read"]
    if not count:
        return element("strong", "Clean", class_="total clean")
    return [element("strong", f"{count:,}", class_=style), " that counts" if count == 1 else " that count"]


def _lead(outcome: Outcome) -> Iterator[str]:
    yield _sentence(words.looked_at(outcome.audit))
    beside = words.beside_baseline(outcome)
    if beside:
        yield _sentence(beside)
    yield _sentence(words.ending(outcome))


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _findings(findings: Sequence[Finding]) -> Element:
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule.id, []).append(finding)
    nothing = element("p", "No rule has anything against what was judged.") if not findings else None
    return element("section", element("h2", "Findings"), nothing, map(_rule, by_rule.values()), id="findings")


def _rule(findings: Sequence[Finding]) -> Element:
    rule = findings[0].rule
    hard = any(each.enforcement is Enforcement.MANDATORY for each in findings)
    how = Enforcement.MANDATORY if hard else Enforcement.ADVISORY
    return element(
        "article",
        element("h3", rule.id, element("span", f"{rule.severity}, {how}", class_="kind")),
        element("p", f"{rule.title}. {rule.rationale}"),
        table(
            f"What {rule.id} has something against",
            ["what", "", "where", "why"],
            [[_what(each), _status(each), _where(each), _why(each)] for each in findings],
        ),
        _remedy(words.remedy(findings)),
        class_="rule findings",
        id=f"rule-{rule.id}",
    )


def _undecided(findings: Sequence[Finding]) -> Element | None:
    if not findings:
        return None
    return element(
        "section",
        element("h2", "Undecided"),
        table(
            "What no rule can tell for want of a fact",
            ["what", "where", "rule", "why"],
            [[_what(each), _where(each), each.rule.id, _why(each)] for each in findings],
        ),
        _remedy(words.HOW_TO_DECIDE),
        id="undecided",
    )


def _plan(plan: Plan) -> Element | None:
    if not plan.steps:
        return None
    return element(
        "section",
        element("h2", "What to change"),
        element("p", _sentence(str(plan))),
        table(
            "What would clear the findings, and what it costs a month",
            ["what", "rule", "change", "a month"],
            [
                [_what(each.finding), each.finding.rule.id, _changes(each), _price(each)]
                for each in plan.steps
            ],
        ),
        id="plan",
    )


def _changes(step: Step) -> list[Child]:
    return [
        *(
            element(
                "p",
                element("code", str(change)),
                element("small", f"{words.place(change.location)} {visible(change.fix.why)}".strip()),
            )
            for change in step.changes
        ),
        element("p", element("strong", "By hand: "), step.left) if step.left else None,
    ]


def _price(step: Step) -> Child:
    return [str(step.price), element("small", visible(step.price.how))]


def _unread(audit: Audit) -> Element | None:
    if not audit.unread:
        return None
    rows = [[words.place(each.location), visible(each.why), visible(each.remedy)] for each in audit.unread]
    return element(
        "section",
        element("h2", "Not read"),
        table("What could not be read, so that nobody knows what is in it", ["where", "why", "to do"], rows),
        id="unread",
    )


def _waivers(audit: Audit) -> Element | None:
    if not audit.waivers:
        return None
    rows: list[list[Child]] = [
        [
            visible(waiver.subject),
            waiver.rule,
            element("span", str(use), class_="status"),
            waiver.expires.isoformat(),
            visible(waiver.owner),
            visible(waiver.reason),
        ]
        for waiver, use in audit.waivers
    ]
    return element(
        "section",
        element("h2", "Waivers"),
        table(
            "Breaches that somebody answers for", ["subject", "rule", "", "until", "owner", "reason"], rows
        ),
        id="waivers",
    )


def _gone(outcome: Outcome) -> Element | None:
    gone = outcome.compared.gone if outcome.compared is not None else ()
    if not gone:
        return None
    return element(
        "section",
        element("h2", "Gone since the baseline"),
        table(
            "What the baseline has and is no more",
            ["rule", "what"],
            [[visible(each.rule), visible(each.address)] for each in gone],
        ),
        id="gone",
    )


def _remedy(said: str) -> Element:
    """What to do; what is between backticks is code."""
    parts = (element("code", part) if index % 2 else part for index, part in enumerate(f"{said}.".split("`")))
    return element("p", element("strong", "To do: "), parts, class_="remedy")


def _what(finding: Finding) -> Child:
    subject, name = visible(finding.subject), visible(finding.resource.name)
    return [subject, element("small", name) if name != subject else None]


def _status(finding: Finding) -> Element:
    named = words.named(finding)
    return element("span", named, class_=f"status {named.replace(' ', '-')}")


def _where(finding: Finding) -> Child:
    return [words.place(finding.location), element("small", visible(finding.resource.resource_type))]


def _why(finding: Finding) -> Child:
    answers = words.answered_for(finding)
    return [words.reason(finding), element("small", answers) if answers else None]
