"""One workload: where it goes and why, its charts, every home in figures, the rules, the bill."""

from collections.abc import Iterator

from components.placement.cost import Cost
from components.placement.latency import length
from components.placement.plan import Alternative, Planned
from components.placement.plan.words import UNKNOWN, p99, price, runner_up, where
from components.report.cost_chart import cost_chart
from components.report.latency_chart import latency_chart
from components.report.markup import Child, Element, element
from components.report.rules import rules
from components.report.tables import table


def identity(name: str) -> str:
    """The id of a workload's section; no other part of the page has one that begins so."""
    return f"workload-{name}"


def anchor(name: str) -> str:
    """A link to it."""
    return f"#{identity(name)}"


def workload(each: Planned) -> Element:
    """The section."""
    charts = [chart for chart in (cost_chart(each), latency_chart(each)) if chart is not None]
    return element(
        "section",
        element("h3", each.name, element("span", where(each), class_=f"home {each.placement.home}")),
        element("p", _sentence(each.placement.reasons[0]), class_="why"),
        _facts(each),
        element("div", charts, class_="charts")
        if charts
        else element("p", f"No cost and no latency: {each.chosen.unknown}.", class_="note"),
        _homes(each),
        rules(each),
        _bills(each),
        _ways(each),
        id=identity(each.name),
        class_="workload",
    )


def budget(each: Planned) -> Child:
    """Its p99 against the budget, with a sign and a word for the answer."""
    told = p99(each.chosen)
    if each.budget is None:
        return told
    holds = each.chosen.holds(each.budget)
    if holds is None:
        return f"not known, of {length(each.budget)}"
    word, class_ = ("✓", "fits") if holds else ("✕ over", "refused")
    return [f"{told} of {length(each.budget)} ", element("span", word, class_=class_)]


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _facts(each: Planned) -> Element:
    facts: list[tuple[str, Child]] = [
        ("a month", price(each.chosen)),
        ("p99 of its budget" if each.budget is not None else "p99", budget(each)),
        ("runner-up", runner_up(each)),
    ]
    return element(
        "dl",
        (element("div", element("dt", name), element("dd", value)) for name, value in facts),
        class_="facts",
    )


def _homes(each: Planned) -> Element:
    return element(
        "div",
        element("h4", "Every home in figures"),
        table(
            f"Homes of {each.name}: cost a month, latency, cold starts",
            ["home", "status", "a month", "p50", "p95", "p99", "cold starts"],
            [_home(each, alternative) for alternative in each.alternatives if alternative.candidate.site],
            numbers=range(2, 7),
        ),
        element(
            "ul",
            (
                element("li", f"{alternative.home}: {alternative.unknown}")
                for alternative in each.alternatives
                if alternative.candidate.site and alternative.unknown
            ),
            class_="plain quiet",
        )
        if any(alternative.candidate.site and alternative.unknown for alternative in each.alternatives)
        else None,
    )


def _home(each: Planned, alternative: Alternative) -> list[Child]:
    times = alternative.latency
    figures = (
        [UNKNOWN] * 4
        if times is None
        else [
            *(length(time) for time in (times.p50, times.p95, times.p99)),
            f"{times.cold_start_share.fraction:.2%}",
        ]
    )
    return [alternative.home, _standing(each, alternative), price(alternative), *figures]


def _standing(each: Planned, alternative: Alternative) -> Child:
    """Whether it gets that home, may have it, or which rules stand against it."""
    against = f"refused by {', '.join(alternative.candidate.blocking)}"
    if alternative.home is each.placement.home:
        chosen = element("strong", "chosen")
        return [chosen, f", though {against}"] if alternative.candidate.blocking else chosen
    return "possible" if alternative.candidate.is_allowed else against


def _bills(each: Planned) -> Iterator[Element]:
    priced = [
        (alternative, alternative.cost) for alternative in each.alternatives if alternative.cost is not None
    ]
    if priced:
        yield element("h4", "Bills")
    for alternative, cost in priced:
        yield element(
            "details",
            element("summary", f"{alternative.home}: {price(alternative)} a month"),
            _bill(each, alternative, cost),
            class_="more",
            open=alternative.home is each.placement.home,
        )


def _bill(each: Planned, alternative: Alternative, cost: Cost) -> Iterator[Element]:
    *lines, total = cost.rows
    yield table(
        f"Bill of {each.name} on {alternative.home}",
        ["what", "a month", "reckoned"],
        lines,
        numbers=[1],
        foot=total,
    )
    if cost.notes:
        yield element("ul", (element("li", note) for note in cost.notes), class_="plain quiet")


def _ways(each: Planned) -> Iterator[Element]:
    timed = [
        (alternative, alternative.latency)
        for alternative in each.alternatives
        if alternative.latency is not None
    ]
    if timed:
        yield element("h4", "The way of a request")
    for alternative, times in timed:
        yield element(
            "details",
            element("summary", f"{alternative.home}: p99 {length(times.p99)}"),
            table(
                f"The way of a request for {each.name} on {alternative.home}",
                ["part", "p50", "p99", "rests on"],
                [[part.name, length(part.p50), length(part.p99), part.caveat] for part in times.parts],
                numbers=[1, 2],
                foot=["one request", length(times.p50), length(times.p99), f"by {times.method}"],
            ),
            element("p", f"{times.note.rstrip('.')}.", class_="note") if times.note else None,
            class_="more",
        )
