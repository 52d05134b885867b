"""`halfmetal plan --keep`: what was decided, written into the stack file as what runs today.

Stickiness measures a move against it, so that a later run leaves things where they are unless moving is worth
it. It binds nothing: a home that the file names is not touched, and a line left from before is removed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from cli.changes import Change, Edit
from cli.console import wide_console
from cli.stacks import file_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from components.placement import Placements
    from components.spec import Stack


def keep(stack: str, *, as_json: bool) -> None:
    """Decide, and write what came of it; StackError where the file cannot be edited in place."""
    from components.placement import decide
    from components.spec import read_file

    file = read_file(file_of(stack))
    asked = file.stack()
    edits = list(_edits(asked, decide(asked)))
    by_hand = "\n".join(f"{'.'.join(map(str, edit.path))}: {dict(edit.values)}" for edit in edits)
    change = Change.of_file(file, edits, by_hand=by_hand, because="with what was decided")
    change.write(shown="with halfmetal plan")
    if as_json:
        typer.echo(json.dumps(change.as_json(written=True), indent=2))
    else:
        change.show(wide_console(), written=True)


def _edits(asked: Stack, placements: Placements) -> Iterator[Edit]:
    for index, workload in enumerate(asked.workloads):
        placed = placements.by_name[workload.name]
        here = placed.home.value if placed.pool is None else f"{placed.home}/{placed.pool.name}"
        is_named = workload.placement.home is not None and (
            placed.pool is None or workload.placement.pool is not None
        )
        if not is_named or workload.placement.current is not None:
            yield Edit(("workloads", index, "placement"), {"current": None if is_named else here})
    is_auto = asked.topology == "auto"
    if is_auto or asked.decision.current is not None:
        yield Edit(("decision",), {"current": placements.stack.topology if is_auto else None})
