"""The plan as a page: where it may be written, and that it is written as a whole."""

from pathlib import Path

import typer

from components.placement.plan import Plan
from components.report import page
from sandbox.errors import SandboxError
from sandbox.files import write_atomically

STDOUT = "-"


def check_target(target: str) -> None:
    """Raise SandboxError where no page can be written; asked before anything is reckoned."""
    path = Path(target).resolve()
    if target == STDOUT:
        return
    if path.is_dir():
        raise SandboxError(f"{target} is a folder", f"name a file, like {Path(target) / 'report.html'}")
    if path.exists() and not path.is_file():
        raise SandboxError(f"{target} is no ordinary file", "name one, or - for standard output")
    if not path.parent.is_dir():
        raise SandboxError(f"there is no folder {path.parent}", f"make it: mkdir -p {path.parent}")


def write_page(made: Plan, target: str, *, quiet: bool) -> None:
    """Write the page, and say where unless standard output is wanted for something else."""
    if target == STDOUT:
        typer.echo(page(made).encode(), nl=False)
        return
    path = Path(target).resolve()
    try:
        write_atomically(path, page(made))
    except OSError as error:
        raise SandboxError(
            f"{target} cannot be written: {error.strerror}", "name a file in a folder that you may write to"
        ) from None
    typer.echo(f"wrote {path}", err=quiet)
