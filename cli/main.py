"""The `halfmetal` command: what a platform engineer types beside `pulumi`.

A fault that a person can mend ends in its words and its remedy, with exit code 1. Ctrl-C ends in 130, as a
shell expects. Anything else that escapes is a bug of ours, and shows its traceback.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.audit import audit
from cli.catalog import app as catalog
from cli.claims import claims
from cli.console import tell
from cli.deploy import down, up
from cli.plan import plan
from cli.profile import profile
from cli.replay import replay
from cli.requests import requests
from cli.sandbox import app as sandbox
from cli.schema import schema
from cli.validate import validate
from sandbox.errors import SandboxError

INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
app.add_typer(sandbox, name="sandbox")
app.add_typer(catalog, name="catalog")
app.command()(up)
app.command()(down)
app.command()(requests)
app.command()(validate)
app.command()(plan)
app.command()(audit)
app.command()(claims)
app.command()(profile)
app.command()(replay)
app.command()(schema)


def _show_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("halfmetal"))
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Serverless where traffic is spiky, metal where it is not."""


def main() -> None:
    """Entry point of the installed command."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if not isinstance(error, _mendable()):
            raise
        tell(error)
        sys.exit(1)


def _mendable() -> tuple[type[Exception], ...]:
    """Faults that a person can mend. Asked for only once there is one."""
    from components.catalog import CatalogError
    from components.spec import StackError
    from components.traffic import TraceError

    return SandboxError, StackError, TraceError, CatalogError
