"""`halfmetal requests`: one request through every route of a deployed stack, with its latency."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import wide_console
from cli.routes import answers, pretended_workloads
from cli.stacks import path_of
from sandbox.engine import Engine
from sandbox.environment import inside
from sandbox.lifecycle import is_running

if TYPE_CHECKING:
    from cli.routes import Answer

_ROOM_FOR_WORDS = 120


def table(results: list[Answer], width: int) -> Table:
    """The answers, one a line; on a narrow terminal without their words, since the latencies matter more."""
    rows = Table(title="Every route, asked twice", title_justify="left", box=None, pad_edge=False)
    rows.add_column("route", no_wrap=True)
    rows.add_column("through")
    rows.add_column("status", no_wrap=True)
    rows.add_column("first", justify="right", no_wrap=True)
    rows.add_column("then", justify="right", no_wrap=True)
    with_words = width >= _ROOM_FOR_WORDS
    if with_words:
        rows.add_column("answer", overflow="ellipsis", no_wrap=True)
    for answer in results:
        cells = (
            answer.route.name,
            answer.route.through,
            f"[{'green' if answer.ok else 'red'}]{_status(answer)}[/]",
            f"{answer.first_ms:.0f} ms",
            f"{answer.second_ms:.0f} ms",
        )
        rows.add_row(*cells, *([escape(_told(answer))] if with_words else []))
    return rows


def _status(answer: Answer) -> str:
    status = str(answer.status or "none")
    return f"{status}, pretended" if answer.route.pretended else status


def _told(answer: Answer) -> str:
    return "its container is pretended here: no model to ask" if answer.route.pretended else answer.detail


def requests(
    stack: Annotated[str, typer.Argument(help="A deployed stack.")] = "hybrid",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Send one request through every route of a deployed stack."""
    from components.spec import load_file

    in_sandbox = is_running()
    environment = inside(os.environ) if in_sandbox else dict(os.environ)
    file = path_of(stack)
    pretended = pretended_workloads(load_file(file)) if in_sandbox and file.exists() else frozenset()
    results = answers(Engine(environment).outputs(stack), pretended)
    if as_json:
        typer.echo(json.dumps([answer.as_json() for answer in results], indent=2))
    else:
        console = wide_console()
        console.print(table(results, console.width))
    raise typer.Exit(0 if all(answer.ok for answer in results) else 1)
