"""The rules matrix of a workload: every rule against every home.

A cell says its answer in a word and a sign. The sentence with the numbers opens below it by click or key; it
is open where the answer is another than that it fits, and on paper. Homes that cannot be had are no column:
no rule was asked.
"""

from collections.abc import Iterator
from typing import Final

from components.placement.judging import Answer, Enforcement, Verdict
from components.placement.plan import Alternative, Planned
from components.placement.settings import Setting
from components.report.markup import Child, Element, element
from components.report.tables import table

_SIGNS: Final = {Answer.FITS: "✓", Answer.REFUSED: "✕", Answer.UNDECIDED: "?"}


def rules(each: Planned) -> Element:
    """The table, and why the homes that are missing in it cannot be had."""
    asked = [alternative for alternative in each.alternatives if alternative.candidate.verdicts]
    absent = [alternative for alternative in each.alternatives if alternative.candidate.site is None]
    return element(
        "div",
        element("h4", "Rules"),
        table(
            f"Rules for {each.name} at each home",
            ["rule", *(alternative.home for alternative in asked)],
            _rows(asked),
        )
        if asked
        else None,
        element(
            "ul",
            (
                element("li", f"{alternative.home}: not to be had, {alternative.candidate.unavailable}")
                for alternative in absent
            ),
            class_="plain quiet",
        )
        if absent
        else None,
        class_="matrix",
    )


def _rows(asked: list[Alternative]) -> Iterator[list[Child]]:
    verdicts = [
        {setting.rule.id: (setting, verdict) for setting, verdict in alternative.candidate.verdicts}
        for alternative in asked
    ]
    for rule in dict.fromkeys(rule for of_home in verdicts for rule in of_home):
        yield [
            _named(next(found[rule][0] for found in verdicts if rule in found)),
            *(_cell(*of_home[rule]) if rule in of_home else "not asked" for of_home in verdicts),
        ]


def _named(setting: Setting) -> list[Element | str]:
    return [setting.rule.id, element("small", setting.rule.title)]


def _cell(setting: Setting, verdict: Verdict) -> Element:
    answer = verdict.answer
    advice = answer is Answer.REFUSED and setting.enforcement_of(verdict) is not Enforcement.MANDATORY
    word = "advised against" if advice else answer.value
    return element(
        "details",
        element("summary", element("span", _SIGNS[answer], aria_hidden="true"), f" {word}"),
        element("p", verdict.reason),
        class_=answer.value,
        open=answer is not Answer.FITS,
    )
