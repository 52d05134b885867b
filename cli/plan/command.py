"""The command itself: which plan is asked for, and in what form."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import wide_console
from cli.stacks import file_of
from components import clock
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.placement.plan import Plan, Planned


def plan(  # noqa: PLR0913 - each is an option of the command
    stack: Annotated[str, typer.Argument(help="Stack name, or path of a stack file.")] = "hybrid",
    *,
    explain: Annotated[
        str | None,
        typer.Option(help="Show every home of this workload: rules, bill and percentiles part by part."),
    ] = None,
    diff: Annotated[
        str | None, typer.Option(help="Show what is different from this stack (name or file).")
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write the plan as one page of HTML that needs nothing else; - for standard output.",
        ),
    ] = None,
    observed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[KIND=]FILE",
            help="Judge homes by what was measured: an answer of CloudWatch or Prometheus (or - for it), "
            "once for each file. KIND says what a file holds whose metrics do not: ratio, percent, rate,"
            " cores, seconds, milliseconds.",
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="SERIES=WORKLOAD",
            help="With --observed: which workload a series is of, by a label's value, its id or its file.",
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", help="With --observed: make the change to the stack file.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Write what was decided into the stack file as what runs today: a later run leaves it there"
            " unless moving saves enough (decision.stickiness).",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Show where each workload of a stack runs, why, its cost a month, its latency and the runner-up."""
    if observed or maps or write:
        beside = {"--explain": explain, "--diff": diff, "--html": html, "--keep": "" if keep else None}
        _refuse_beside("--observed", beside, "it judges all of one stack")
        _show_observed(stack, observed or (), maps or (), write=write, as_json=as_json)
        return
    if keep:
        from cli.plan.keeping import keep as kept

        beside = {"--explain": explain, "--diff": diff, "--html": html}
        _refuse_beside("--keep", beside, "it shows what it changes in the stack file")
        kept(stack, as_json=as_json)
        return
    from components.placement.plan import plan as planned_of
    from components.spec import load_file

    if html is not None:
        _check_page(html, explain, diff, as_json=as_json)
    day = clock.today()
    made = planned_of(load_file(file_of(stack)), today=day)
    other = planned_of(load_file(file_of(diff)), today=day) if diff is not None else None
    if html is not None:
        _write_page(made, html, as_json=as_json)
    elif explain is not None:
        _show_one(_named(made, explain), as_json=as_json)
    else:
        _show_all(made, other, as_json=as_json)


def _refuse_beside(option: str, others: Mapping[str, str | None], because: str) -> None:
    for other, given in others.items():
        if given is not None:
            raise SandboxError(
                f"{option} and {other} cannot go together: {because}",
                f"leave out {other}, or run the command once for each",
            )


def _show_observed(
    stack: str, files: Sequence[str], maps: Sequence[str], *, write: bool, as_json: bool
) -> None:
    from cli.plan.observed import plan_observed

    if not files:
        raise SandboxError(
            "--map and --write need measurements", "name a file of them with --observed, or leave these out"
        )
    plan_observed(stack, files, maps, write=write, as_json=as_json)


def _named(made: Plan, name: str) -> Planned:
    for each in made.workloads:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in made.workloads)
    raise SandboxError(f"no workload is named {name!r}", f"name one of: {known}")


def _check_page(target: str, explain: str | None, diff: str | None, *, as_json: bool) -> None:
    """Refuse what a page cannot be combined with, and a place where none can be written."""
    from cli.targets import STDOUT, check_target

    others = {"--explain": explain, "--diff": diff}
    _refuse_beside("--html", others, "the page shows every workload of one stack")
    if as_json and target == STDOUT:
        raise SandboxError(
            "--html - and --json both want standard output", "give --html a file, or leave one of them out"
        )
    check_target(target)


def _write_page(made: Plan, target: str, *, as_json: bool) -> None:
    from cli.targets import write_target
    from components.report import page

    write_target(target, page(made), quiet=as_json)
    if as_json:
        _show_all(made, None, as_json=True)


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
