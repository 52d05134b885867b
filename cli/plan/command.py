"""The command itself: which plan is asked for, and in what form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import wide_console
from cli.stacks import file_of
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from components.placement.plan import Plan, Planned


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
        _show_one(_named(made, explain), as_json=as_json)
    else:
        _show_all(made, other, as_json=as_json)


def _named(made: Plan, name: str) -> Planned:
    for each in made.workloads:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in made.workloads)
    raise SandboxError(f"no workload is named {name!r}", f"name one of: {known}")


def _show_one(each: Planned, *, as_json: bool) -> None:
    from cli.plan.as_json import workload_json
    from cli.plan.explanation import print_explanation

    if as_json:
        typer.echo(json.dumps(workload_json(each), indent=2))
    else:
        print_explanation(wide_console(), each)


def _show_all(made: Plan, other: Plan | None, *, as_json: bool) -> None:
    from cli.plan.as_json import plan_json
    from cli.plan.difference import print_difference
    from cli.plan.tables import print_plan

    if as_json:
        typer.echo(json.dumps(plan_json(made, other), indent=2))
    elif other is not None:
        print_difference(wide_console(), made, other)
    else:
        print_plan(wide_console(), made)
