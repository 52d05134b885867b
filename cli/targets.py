"""Files that a command is told to write: asked for before anything is worked out, and written whole."""

from __future__ import annotations

from pathlib import Path

import typer

from sandbox.errors import SandboxError
from sandbox.files import write_atomically

STDOUT = "-"


def check_target(target: str, *, like: str = "report.html") -> None:
    """Raise SandboxError where no file can be written; `like` is a name for one."""
    if target == STDOUT:
        return
    path = Path(target).resolve()
    if path.is_dir():
        raise SandboxError(f"{target} is a folder", f"name a file, like {Path(target) / like}")
    if path.exists() and not path.is_file():
        raise SandboxError(f"{target} is no ordinary file", "name one, or - for standard output")
    if not path.parent.is_dir():
        raise SandboxError(f"there is no folder {path.parent}", f"make it: mkdir -p {path.parent}")


def write_target(target: str, text: str, *, quiet: bool) -> None:
    """Write a file, and say where: to standard error if standard output is wanted for something else."""
    if target == STDOUT:
        typer.echo(text.encode(), nl=False)
        return
    path = Path(target).resolve()
    try:
        write_atomically(path, text)
    except OSError as error:
        raise SandboxError(
            f"{target} cannot be written: {error.strerror}", "name a file in a folder that you may write to"
        ) from None
    typer.echo(f"wrote {path}", err=quiet)
