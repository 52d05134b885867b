"""`halfmetal plan --keep`: what was decided, written into the stack file as what runs today.

Stickiness measures a move against it, so that a later run leaves things where they are unless moving is worth
it. It binds nothing: a home that the file names is not touched, and a line left from before is removed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from cli.changes import Change
from cli.console import wide_console
from cli.stacks import file_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from components.placement import Placements
    from components.spec import Stack


def keep(stack: str, *, as_json: bool) -> None:
    """Decide, and write what came of it; StackError where the file cannot be edited in place."""
    from components.placement import decide
    from components.spec import Problem, StackError, read_file
    from components.spec.editing import NotEditableError, edited
    from components.spec.source import PROJECT

    file = read_file(file_of(stack))
    asked = file.stack()
    before = after = file.path.read_bytes().decode()
    try:
        for path, values in _edits(asked, decide(asked)):
            after = edited(after, ("config", f"{PROJECT}:stack", *path), values)
    except NotEditableError as error:
        remedy = "write `placement.current` of each workload by hand, as `halfmetal plan` shows its home"
        raise StackError([Problem("", None, f"cannot be edited in place: {error}", remedy)]) from None
    change = Change(file.path, before, after)
    change.write(shown="with halfmetal plan")
    if as_json:
        typer.echo(json.dumps(change.as_json(written=True), indent=2))
    else:
        change.show(wide_console(), written=True)


def _edits(
    asked: Stack, placements: Placements
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, object | None]]]:
    for index, workload in enumerate(asked.workloads):
        placed = placements.by_name[workload.name]
        here = placed.home.value if placed.pool is None else f"{placed.home}/{placed.pool.name}"
        settled = workload.placement.home is not None and (
            placed.pool is None or workload.placement.pool is not None
        )
        if not settled or workload.placement.current is not None:
            yield ("workloads", index, "placement"), {"current": None if settled else here}
    is_auto = asked.topology == "auto"
    if is_auto or asked.decision.current is not None:
        yield ("decision",), {"current": placements.stack.topology if is_auto else None}
