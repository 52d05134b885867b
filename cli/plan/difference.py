"""Two plans side by side."""

from rich.console import Console
from rich.table import Table

from components.placement.plan import Plan, Planned
from components.placement.plan.words import amount, p99, price, where


def print_difference(console: Console, made: Plan, other: Plan) -> None:
    rows = Table(title="here, and there", title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home here", "home there"):
        rows.add_column(heading)
    for heading in ("here", "there", "p99 here", "p99 there"):
        rows.add_column(heading, justify="right")
    for name in _names(made, other):
        here, there = _find(made, name), _find(other, name)
        rows.add_row(
            name,
            *(where(each) if each else "-" for each in (here, there)),
            *(price(each.chosen) if each else "-" for each in (here, there)),
            *(p99(each.chosen) if each else "-" for each in (here, there)),
        )
    rows.add_row("total", "", "", amount(made.total), amount(other.total), style="bold")
    console.print(rows)


def _names(made: Plan, other: Plan) -> list[str]:
    return sorted({each.name for each in (*made.workloads, *other.workloads)})


def _find(made: Plan, name: str) -> Planned | None:
    return next((each for each in made.workloads if each.name == name), None)
