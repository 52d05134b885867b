"""The plan as a table: a line for each workload, what stands idle, the total, and what to know beside it."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.placement.plan import Plan, Resource
from components.placement.plan.words import UNKNOWN, amount, asked, machines, p99, price, runner_up, where


def print_plan(console: Console, made: Plan) -> None:
    rows = Table(title=f"{made.topology} in {made.region}", title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home", "why"):
        rows.add_column(heading, overflow="fold")
    for heading in ("a month", "p99"):
        rows.add_column(heading, justify="right", no_wrap=True)
    rows.add_column("runner-up")
    for each in made.workloads:
        rows.add_row(
            each.name,
            where(each),
            Text(each.placement.reasons[0]),
            price(each.chosen),
            p99(each.chosen),
            runner_up(each),
        )
    for line in made.standing:
        rows.add_row("", line.name, line.how, amount(line.money))
    for idle in made.idle:
        rows.add_row("", idle.pool, f"{idle.nodes:.2f} nodes that no workload claims", amount(idle.money))
    without = f", without {', '.join(made.unpriced)}" if made.unpriced else ""
    rows.add_row("total", "", f"all that has a price here{without}", amount(made.total), style="bold")
    console.print(rows)
    if made.fleet:
        console.print()
        console.print(_fleet(made))
        console.print()
    if made.uncounted:
        named = ", ".join(made.uncounted)
        console.print(Text(f"not counted: what nodes cost that exist already, under {named}"), soft_wrap=True)
    for warning in made.warnings:
        console.print(Text(f"{warning.subject}: {warning.message}", style="yellow"), soft_wrap=True)
    if made.caveats:
        told = ", ".join(made.caveats)
        console.print(Text(f"some figures are {told}: see --explain, halfmetal catalog"), soft_wrap=True)


def _fleet(made: Plan) -> Table:
    rows = Table(title="nodes by zone", title_justify="left", box=None, pad_edge=False)
    for heading in ("zone", "pool", "nodes"):
        rows.add_column(heading)
    for heading in ("cpu", "memory", "GPUs", "a month"):
        rows.add_column(heading, justify="right", no_wrap=True)
    rows.add_column("for", overflow="fold")
    for nodes in made.fleet:
        rows.add_row(
            nodes.zone,
            nodes.pool,
            Text(machines(nodes)),
            *(asked(nodes, resource) for resource in Resource),
            UNKNOWN if nodes.price is None else amount(nodes.price),
            ", ".join(f"{claim.workload} x{claim.replicas}" for claim in nodes.claims),
        )
    return rows
