"""The `halfmetal` command: what a platform engineer types beside `pulumi`.

A fault that a person can mend ends in its words and its remedy, with exit code 1. Ctrl-C ends in 130, as a
shell expects. Anything else that escapes is a bug of ours, and shows its traceback.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from cli.console import drop, flush, not_written, open_what_is_closed, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130

_GARBAGE_AFTER: Final = 50_000
"""Objects."""

COMMANDS: Final = {
    "sandbox": "cli.sandbox:app",
    "catalog": "cli.catalog:app",
    "up": "cli.deploy:up",
    "down": "cli.deploy:down",
    "requests": "cli.requests:requests",
    "validate": "cli.validate:validate",
    "plan": "cli.plan:plan",
    "admission": "cli.admission:admission",
    "audit": "cli.audit:audit",
    "claims": "cli.claims:claims",
    "profile": "cli.profile:profile",
    "replay": "cli.replay:replay",
    "schema": "cli.schema:schema",
}
"""Where each command is: a function, or an app with commands of its own."""


class _Commands(MutableMapping[str, Any]):
    """The commands by name, each loaded when it is asked for: it should wait for no other's modules."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            module, _, found = COMMANDS[name].partition(":")
            self._loaded[name] = _command(name, getattr(import_module(module), found))
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*COMMANDS, *self._loaded)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _command(name: str, found: Any) -> Any:
    """A function or an app as the command of that name."""
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command()(found)
        command = get_command(alone)
    command.name = name
    return command


class _Group(TyperGroup):
    """A group whose commands are loaded when they are called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


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
    # What is loaded at a start stays: the usual search for garbage among it takes a sixth of the time.
    gc.set_threshold(_GARBAGE_AFTER)
    open_what_is_closed()
    try:
        try:
            app()
        finally:
            flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        unwritten = not_written(error)
        if unwritten is not None:
            drop()
        elif not isinstance(error, _mendable()):
            raise
        tell(unwritten or error)
        sys.exit(1)


def _mendable() -> tuple[type[Exception], ...]:
    """Faults that a person can mend. Asked for only once there is one."""
    from components.catalog import CatalogError
    from components.spec import StackError
    from components.traffic import TraceError
    from sandbox.errors import SandboxError

    return SandboxError, StackError, TraceError, CatalogError
