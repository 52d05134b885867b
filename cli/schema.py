"""`halfmetal schema`: writes what is generated from the stack file's models, or tells if that is stale."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.paths import REPO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = REPO / "stacks" / "halfmetal.schema.json"
REFERENCE = REPO / "docs" / "stack-file.md"


def generated() -> Mapping[Path, str]:
    """Each generated file with the text that it should have."""
    from components.spec.reference import reference
    from components.spec.schema import stack_file_schema

    return {
        SCHEMA: json.dumps(stack_file_schema(), indent=2, ensure_ascii=False) + "\n",
        REFERENCE: reference(),
    }


def stale() -> list[Path]:
    """The generated files that are missing or differ from what the models say."""
    return [
        path for path, text in generated().items() if not path.is_file() or path.read_text("utf-8") != text
    ]


def schema(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 if a generated file is out of date.")
    ] = False,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="Print the JSON Schema instead of writing it.")
    ] = False,
) -> None:
    """Write the JSON Schema and the reference of the stack file."""
    if stdout:
        typer.echo(generated()[SCHEMA], nl=False)
        return
    outdated = stale()
    if check and outdated:
        names = ", ".join(str(path.relative_to(REPO)) for path in outdated)
        typer.echo(
            f"out of date: {names}\nremedy: run `halfmetal schema` and commit what it writes", err=True
        )
        raise typer.Exit(1)
    if not check:
        for path in outdated:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(generated()[path], "utf-8")
            typer.echo(f"wrote {path.relative_to(REPO)}")
    if not outdated:
        typer.echo("up to date")
