"""`halfmetal plan`: where each workload goes, why, at what cost and latency, and what else there was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cli.console import wide_console
from cli.stacks import file_of
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from rich.console import Console

    from components.placement.plan import Alternative, Plan, Planned
    from components.spec import Money
    from components.spec.units import Duration

_COLOURS = {"fits": "green", "refused": "red", "undecided": "yellow"}


def plan(
    stack: Annotated[str, typer.Argument(help="Stack name, or path of a stack file.")] = "hybrid",
    *,
    explain: Annotated[
        str | None,
        typer.Option(help="Show every home of this workload: rules, bill and percentiles part by part."),
    ] = None,
    diff: Annotated[
        str | None, typer.Option(help="Show what is different from this stack (name or file).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show where each workload of a stack runs, why, its cost a month, its latency and the runner-up."""
    from components.placement.plan import plan as planned_of
    from components.spec import load_file

    made = planned_of(load_file(file_of(stack)))
    other = planned_of(load_file(file_of(diff))) if diff is not None else None
    if explain is not None:
        made_of = _named(made, explain)
        if as_json:
            typer.echo(json.dumps(_workload_json(made_of), indent=2))
        else:
            _explain(wide_console(), made_of)
        return
    if as_json:
        typer.echo(json.dumps(_plan_json(made, other), indent=2))
        return
    console = wide_console()
    if other is not None:
        _print_difference(console, made, other)
    else:
        _print(console, made)


def _named(made: Plan, name: str) -> Planned:
    for each in made.workloads:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in made.workloads)
    raise SandboxError(f"no workload is named {name!r}", f"name one of: {known}")


# -- the plan ------------------------------------------------------------------------------------------


def _print(console: Console, made: Plan) -> None:
    rows = Table(title=f"{made.topology} in {made.region}", title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home", "why"):
        rows.add_column(heading, overflow="fold")
    for heading in ("a month", "p99"):
        rows.add_column(heading, justify="right", no_wrap=True)
    rows.add_column("runner-up")
    for each in made.workloads:
        rows.add_row(
            each.name,
            _where(each),
            Text(each.placement.reasons[0]),
            _money(each.chosen),
            _p99(each.chosen),
            _runner_up(each),
        )
    for idle in made.idle:
        rows.add_row("", idle.pool, f"{idle.nodes:.2f} nodes that no workload claims", _amount(idle.money))
    without = f", without {', '.join(made.unpriced)}" if made.unpriced else ""
    rows.add_row("total", "", f"all that has a price here{without}", _amount(made.total), style="bold")
    console.print(rows)
    for warning in made.warnings:
        console.print(Text(f"{warning.subject}: {warning.message}", style="yellow"), soft_wrap=True)
    if caveats := _caveats(made):
        console.print(Text(f"some figures are {caveats}: see --explain, halfmetal catalog"), soft_wrap=True)


def _where(each: Planned) -> str:
    placement = each.placement
    place = "/".join(part for part in (placement.pool and placement.pool.name, placement.zone) if part)
    return f"{placement.home} {place}".strip()


def _money(alternative: Alternative) -> str:
    return _amount(alternative.cost.total) if alternative.cost is not None else "-"


def _amount(money: Money) -> str:
    return f"${money.to('month').amount:,.2f}"


def _p99(alternative: Alternative) -> str:
    if alternative.latency is None:
        return "-"
    return _time(alternative.latency.p99)


def _time(time: Duration | None) -> str:
    """Three digits, which is more than a model of a queue knows."""
    if time is None:
        return "endless"
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if time.seconds * factor >= 1:
            return f"{time.seconds * factor:.3g} {unit}"
    return f"{time.seconds * 1e6:.3g} us"


def _runner_up(each: Planned) -> str:
    other = each.runner_up
    return f"{other.home}, {_money(other)}" if other is not None else "none"


def _caveats(made: Plan) -> str:
    found = [
        caveat
        for each in made.workloads
        if each.chosen.cost is not None
        for caveat in each.chosen.cost.caveats
    ]
    return ", ".join(dict.fromkeys(found))


# -- one workload ----------------------------------------------------------------------------------------


def _explain(console: Console, each: Planned) -> None:
    console.print(Text(f"{each.name}: {each.placement.home}, {each.placement.reasons[0]}", style="bold"))
    if each.break_even:
        console.print(Text(f"break-even: {each.break_even}"), soft_wrap=True)
    for alternative in each.alternatives:
        console.print()
        console.print(Text(_headline(each, alternative), style="bold"))
        if alternative.candidate.site is None:
            console.print(Text(f"  {alternative.candidate.unavailable}"), soft_wrap=True)
            continue
        for setting, verdict in alternative.candidate.verdicts:
            console.print(
                Text.assemble(
                    "  ",
                    (f"{verdict.answer:<9}", _COLOURS[verdict.answer]),
                    f" {setting.rule.id}: {verdict.reason}",
                ),
                soft_wrap=True,
            )
        if alternative.unknown:
            console.print(Text(f"  {alternative.unknown}", style="yellow"), soft_wrap=True)
        _print_bill(console, alternative)
        _print_times(console, alternative)


def _headline(each: Planned, alternative: Alternative) -> str:
    if alternative.home is each.placement.home:
        mark = "chosen"
    elif alternative.candidate.site is None:
        mark = "not to be had"
    elif alternative.candidate.blocking:
        mark = f"refused by {', '.join(alternative.candidate.blocking)}"
    else:
        mark = "possible"
    return f"{alternative.home}: {mark}"


def _print_bill(console: Console, alternative: Alternative) -> None:
    if alternative.cost is None:
        return
    rows = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    for name, money, how in alternative.cost.rows:
        rows.add_row(f"  {name}", money, how)
    console.print(rows)
    for note in alternative.cost.notes:
        console.print(Text(f"  {note}", style="dim"), soft_wrap=True)


def _print_times(console: Console, alternative: Alternative) -> None:
    times = alternative.latency
    if times is None:
        return
    rows = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    rows.add_column(no_wrap=True)
    for _ in range(2):
        rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    for part in times.parts:
        rows.add_row(f"  {part.name}", f"p50 {_time(part.p50)}", f"p99 {_time(part.p99)}", part.caveat)
    rows.add_row("  one request", f"p50 {_time(times.p50)}", f"p99 {_time(times.p99)}", f"by {times.method}")
    console.print(rows)
    if times.note:
        console.print(Text(f"  {times.note}", style="dim"), soft_wrap=True)


# -- two plans -------------------------------------------------------------------------------------------


def _print_difference(console: Console, made: Plan, other: Plan) -> None:
    rows = Table(title="here, and there", title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home here", "home there"):
        rows.add_column(heading)
    for heading in ("here", "there", "p99 here", "p99 there"):
        rows.add_column(heading, justify="right")
    for name in _names(made, other):
        here, there = _find(made, name), _find(other, name)
        rows.add_row(
            name,
            *(_where(each) if each else "-" for each in (here, there)),
            *(_money(each.chosen) if each else "-" for each in (here, there)),
            *(_p99(each.chosen) if each else "-" for each in (here, there)),
        )
    rows.add_row("total", "", "", _amount(made.total), _amount(other.total), style="bold")
    console.print(rows)


def _names(made: Plan, other: Plan) -> list[str]:
    return sorted({each.name for each in (*made.workloads, *other.workloads)})


def _find(made: Plan, name: str) -> Planned | None:
    return next((each for each in made.workloads if each.name == name), None)


# -- for programs ----------------------------------------------------------------------------------------


def _plan_json(made: Plan, other: Plan | None) -> dict[str, Any]:
    told = {
        "topology": made.topology,
        "region": made.region,
        "dollars_a_month": float(made.total.amount),
        "not_priced": list(made.unpriced),
        "workloads": [_workload_json(each) for each in made.workloads],
        "idle": [
            {"pool": idle.pool, "nodes": idle.nodes, "dollars_a_month": float(idle.money.amount)}
            for idle in made.idle
        ],
        "warnings": [{"subject": each.subject, "message": each.message} for each in made.warnings],
    }
    return told if other is None else {"here": told, "there": _plan_json(other, None)}


def _workload_json(each: Planned) -> dict[str, Any]:
    runner_up = each.runner_up
    return {
        "name": each.name,
        "home": each.placement.home,
        "pool": each.placement.pool.name if each.placement.pool else None,
        "zone": each.placement.zone,
        "reasons": list(each.placement.reasons),
        "runner_up": runner_up.home if runner_up else None,
        "break_even": each.break_even or None,
        "homes": [_alternative_json(each, alternative) for alternative in each.alternatives],
    }


def _alternative_json(each: Planned, alternative: Alternative) -> dict[str, Any]:
    candidate, price, times = alternative.candidate, alternative.cost, alternative.latency
    return {
        "home": alternative.home,
        "chosen": alternative.home is each.placement.home,
        "allowed": candidate.is_allowed,
        "unavailable": candidate.unavailable or None,
        "refused_by": list(candidate.blocking),
        "verdicts": [
            {"rule": setting.rule.id, "answer": verdict.answer, "reason": verdict.reason}
            for setting, verdict in candidate.verdicts
        ],
        "unknown": alternative.unknown or None,
        "dollars_a_month": float(price.total.amount) if price else None,
        "bill": [
            {
                "name": line.name,
                "dollars_a_month": float(line.money.amount),
                "how": line.how,
                "caveat": line.caveat,
            }
            for line in (price.lines if price else ())
        ],
        "latency": None
        if times is None
        else {
            **{name: _milliseconds(getattr(times, name)) for name in ("p50", "p95", "p99")},
            "unit": "ms",
            "method": times.method,
            "cold_start_share": times.cold_start_share.fraction,
            "note": times.note,
            "holds_budget": alternative.holds(each.budget),
            "parts": [
                {"name": part.name, "p50": _milliseconds(part.p50), "p99": _milliseconds(part.p99)}
                for part in times.parts
            ],
        },
    }


def _milliseconds(time: Duration | None) -> float | None:
    return None if time is None else time.milliseconds
