"""The page of a plan as a whole: the summary, then part after part."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from components.placement.plan import Plan
from components.placement.plan.words import UNKNOWN, amount, price, runner_up, where
from components.report.fleet import fleet
from components.report.markup import Child, Element, element
from components.report.sheet import heading, sheet
from components.report.tables import table
from components.report.workload import anchor, budget, workload


def page(made: Plan) -> str:
    """A plan as a page of HTML that is whole by itself. The same plan gives the same page."""
    return sheet(f"Plan: {made.topology} in {made.region}", _body(made), style=_style())


@cache
def _style() -> str:
    return files("components.report").joinpath("page.css").read_text(encoding="utf-8")


def _body(made: Plan) -> Element:
    return element(
        "body",
        element("a", "Skip to the workloads", href="#workloads", class_="skip"),
        _summary(made),
        element(
            "main",
            _workloads(made),
            fleet(made),
            _warnings(made),
            element("section", element("h2", "Each workload"), (workload(each) for each in made.workloads)),
        ),
        element("footer", element("p", "Made by halfmetal plan. Prices are estimates, not offers.")),
    )


def _summary(made: Plan) -> Element:
    return heading(
        "halfmetal plan",
        f"{made.topology} in {made.region}",
        _total(made),
        " ".join(_words(made)),
        element("a", "Workloads", href="#workloads"),
        element("a", "Fleet", href="#fleet"),
        element("a", f"Warnings ({len(made.warnings)})", href="#warnings") if made.warnings else None,
    )


def _total(made: Plan) -> list[Child]:
    unknown = {*made.unpriced, *made.uncounted}
    if len(unknown) == len(made.workloads) and not made.total:
        return [element("strong", "No price", class_="total"), " is known"]
    return [element("strong", amount(made.total), class_="total"), " a month"]


def _words(made: Plan) -> Iterator[str]:
    count = len(made.workloads)
    functions = sum(each.placement.home.is_function for each in made.workloads)
    noun = "workload" if count == 1 else "workloads"
    yield f"{count:,} {noun}: {functions:,} on functions, {count - functions:,} on nodes."
    if made.unpriced and made.total:
        yield f"Without {', '.join(made.unpriced)}, of which the price is not known."
    if made.uncounted:
        yield f"Without what nodes cost that exist already, under {', '.join(made.uncounted)}."
    if made.as_of is not None:
        first, last = made.as_of
        span = f"of {first}" if first == last else f"of {first} to {last}"
        yield f"Prices {span}."
    if made.caveats:
        yield f"Some figures are {', '.join(made.caveats)}: the bills say which."


def _workloads(made: Plan) -> Element:
    return element(
        "section",
        element("h2", "Workloads"),
        table(
            "Where each workload runs, at what cost and latency, and why",
            ["workload", "home", "a month", "p99", "runner-up", "why"],
            [*_placed(made), *_standing(made), *_idle(made)],
            numbers=[2, 3],
            foot=["total", "", amount(made.total) if made.total else UNKNOWN, "", "", ""],
        ),
        id="workloads",
    )


def _placed(made: Plan) -> Iterator[list[Child]]:
    for each in made.workloads:
        home = each.placement.home
        yield [
            element("a", each.name, href=anchor(each.name)),
            element("span", where(each), class_=f"home {home}"),
            price(each.chosen),
            budget(each),
            runner_up(each),
            each.placement.reasons[0],
        ]


def _standing(made: Plan) -> Iterator[list[Child]]:
    for line in made.standing:
        yield ["for all", line.name, amount(line.money), "", "", line.how]


def _idle(made: Plan) -> Iterator[list[Child]]:
    for idle in made.idle:
        what = f"{idle.nodes:.2f} nodes that no workload claims"
        yield ["idle", idle.pool, amount(idle.money), "", "", what]


def _warnings(made: Plan) -> Element | None:
    if not made.warnings:
        return None
    return element(
        "section",
        element("h2", "Warnings"),
        element(
            "ul",
            (element("li", element("strong", each.subject), f": {each.message}") for each in made.warnings),
            class_="plain warnings",
        ),
        id="warnings",
    )
