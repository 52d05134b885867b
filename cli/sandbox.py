"""`halfmetal sandbox …`: a whole cloud on this machine."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from sandbox import lifecycle, recovery
from sandbox.engine import Engine
from sandbox.environment import Shell, exports, inside, ones_own, variables
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.services import EMULATOR
from sandbox.supervisor import State

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.supervisor import Status

app = typer.Typer(help="A whole cloud on this machine: start it, stop it, look at it.", no_args_is_help=True)

_STYLES = {State.READY: "green", State.NOT_READY: "yellow", State.DEAD: "bold red", State.STOPPED: "dim"}
_FOLLOW_S = 0.2


class TopologyChoice(StrEnum):
    """What to start: only what a stack of that topology needs."""

    PURE = "pure"
    HYBRID = "hybrid"
    DEDICATED = "dedicated"


@app.command()
def up(
    topology: Annotated[
        TopologyChoice, typer.Option(help="Start only what a stack of this topology needs.")
    ] = TopologyChoice.HYBRID,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Start it, or start again what died."""
    outcome = lifecycle.up(topology, Progress())
    if as_json:
        typer.echo(json.dumps({verb: sorted(names) for verb, names in asdict(outcome).items()}, indent=2))
        return
    for verb, names in (("started again", outcome.repaired), ("started", outcome.started)):
        if names:
            typer.echo(f"{verb}: {', '.join(sorted(names))}", err=True)
    if EMULATOR in outcome.repaired:
        typer.echo(
            f"{EMULATOR} may have lost what it made last: pulumi refresh before the next update", err=True
        )
    if outcome.kept and not (outcome.started or outcome.repaired):
        typer.echo("everything runs already", err=True)


@app.command()
def down(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False
) -> None:
    """Stop it and remove all it kept: data, keys, logs, the Pulumi backend."""
    stopped = lifecycle.down(Progress())
    if as_json:
        typer.echo(json.dumps({"stopped": sorted(stopped)}, indent=2))
        return
    typer.echo(f"stopped: {', '.join(sorted(stopped))}" if stopped else "nothing was running", err=True)


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Show every service. Exit code 1 when one that should run does not, or nothing is up."""
    health = lifecycle.status()
    if as_json:
        typer.echo(json.dumps(_as_json(health), indent=2, default=str))
    elif health.instance is None:
        typer.echo("the sandbox is not up; start it: halfmetal sandbox up")
    else:
        Console(highlight=False).print(_table(health.services))
        _explain(health.services)
    raise typer.Exit(0 if health.well else 1)


@app.command()
def recover(
    stack: Annotated[
        str | None, typer.Argument(help="A stack; every one in the sandbox if left out.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Repair stacks after an update was killed: its lock, its orphans, what it had begun.

    `halfmetal up` does it by itself; this is for a shell in which `pulumi up` says that the stack is locked.
    """
    engine = Engine(inside(os.environ))
    there = engine.stacks()
    if stack is not None and stack not in there:
        raise SandboxError(
            f"the sandbox has no stack {stack!r}", f"name one of: {', '.join(there) or 'none was deployed'}"
        )
    repaired = {name: recovery.recover(name, engine) for name in ([stack] if stack else there)}
    if as_json:
        typer.echo(json.dumps({name: asdict(found) for name, found in repaired.items()}, indent=2))
        return
    for name, found in repaired.items():
        typer.echo(f"{name}: {found}")
    if not repaired:
        typer.echo("no stack was deployed")


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A service; all of them if left out.")] = None,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as more is written.")] = False,
) -> None:
    """Show the end of a service's log."""
    there = lifecycle.logs()
    if name is not None and name not in there:
        raise SandboxError(
            f"no service called {name!r} has a log", f"name one of: {', '.join(there) or 'none was started'}"
        )
    chosen = there if name is None else {name: there[name]}
    readers = [_LogReader(path, f"{label}: " if len(chosen) > 1 else "") for label, path in chosen.items()]
    for reader in readers:
        reader.show_last(lines)
    while follow:
        news = [reader.show_new() for reader in readers]
        if not any(news):
            time.sleep(_FOLLOW_S)


@app.command()
def env(
    *,
    shell: Annotated[Shell, typer.Option(help="Which shell is to evaluate it.")] = Shell.POSIX,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Print what a shell needs to work against the sandbox: eval "$(halfmetal sandbox env)"."""
    values = variables()
    typer.echo(json.dumps(values, indent=2) if as_json else exports(values, shell, ones_own(os.environ)))


class _LogReader:
    """One log that is being written by somebody else, and may be put aside for a new one meanwhile."""

    def __init__(self, path: Path, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        self._offset = 0

    def show_last(self, lines: int) -> None:
        with self._path.open("rb") as file:
            last = deque(file, maxlen=lines)
            self._offset = file.tell()
        self._print(last)

    def show_new(self) -> bool:
        """Print whole lines that came since; whether there were any."""
        if not self._path.exists():
            return False
        if self._path.stat().st_size < self._offset:
            self._offset = 0
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        if newline:
            self._offset += len(whole) + 1
            self._print(whole.splitlines())
        return bool(newline)

    def _print(self, lines: deque[bytes] | list[bytes]) -> None:
        for line in lines:
            sys.stdout.write(f"{self._prefix}{line.decode(errors='replace').rstrip()}\n")
        sys.stdout.flush()


def _as_json(health: lifecycle.Health) -> dict[str, object]:
    return {
        "topology": health.instance.topology if health.instance else None,
        "well": health.well,
        "services": [asdict(service) for service in health.services],
    }


def _table(services: tuple[Status, ...]) -> Table:
    rows = Table(box=None, pad_edge=False)
    for heading in ("service", "state", "pid", "ports", "since", "restarts"):
        rows.add_column(heading, no_wrap=True)
    for service in services:
        rows.add_row(
            service.name,
            f"[{_STYLES[service.state]}]{service.state}[/]",
            str(service.pid or "-"),
            " ".join(map(str, service.ports)),
            service.since.astimezone().strftime("%b %d %H:%M:%S") if service.since else "-",
            str(service.restarts),
        )
    return rows


def _explain(services: tuple[Status, ...]) -> None:
    unwell = [service for service in services if not service.well]
    for service in unwell:
        typer.echo(f"\n{service.name} is {service.state}")
        for line in service.last_words:
            typer.echo(f"    {line}")
    if unwell:
        typer.echo("\nrepair it: halfmetal sandbox up; whole logs: halfmetal sandbox logs NAME")
