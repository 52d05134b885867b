"""`halfmetal profile`: from a request log to a workload's `traffic` block, with how sure each number is."""

from __future__ import annotations

import difflib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.console import wide_console
from cli.traces import LogFormat, Target, Unit, positive, read_trace, target_of, zone_of
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from rich.console import Console

    from components.spec import Duration
    from components.traffic import Profile, Trace

_VALUE_WIDTH = 24
_SURENESS_STYLES = {"sure": "green", "fair": "yellow", "poor": "red", "not known": "dim"}


def profile(  # noqa: PLR0913 - each is an option of the command
    trace: Annotated[str, typer.Argument(help="A request log (plain or gzip), or - for standard input.")],
    *,
    kind: Annotated[LogFormat, typer.Option("--format", help="Kind of log.")] = LogFormat.AUTO,
    time_column: Annotated[
        str | None, typer.Option(help="Column (or JSON key) of the time of arrival. Default: found.")
    ] = None,
    time_unit: Annotated[
        Unit | None, typer.Option(help="Unit of times that are plain numbers. Default: by their size.")
    ] = None,
    duration_column: Annotated[
        str | None, typer.Option(help="Column of what a request took. Default: found by name.")
    ] = None,
    duration_unit: Annotated[
        Unit | None, typer.Option(help="Unit of durations. Default: from the column's name, like latency_ms.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of times that name none, like +02:00.")] = None,
    path: Annotated[
        str | None, typer.Option(help="Only requests for this path or below it; / for all.")
    ] = None,
    workload: Annotated[
        str | None, typer.Option(help="Only requests for this workload: its path, /v2/models/NAME.")
    ] = None,
    service_time: Annotated[
        str | None, typer.Option(help="Work of one request, like 25ms. Default: the log's own durations.")
    ] = None,
    replicas: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Replicas that shared the work. Default: 1.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Requests that one takes at once. Default: 1.")
    ] = None,
    into: Annotated[
        str | None,
        typer.Option(help="Stack, or path of a stack file, to write the block of --workload into."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --into: show the change only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure the traffic in a request log: rate, peak, burstiness, utilization, shape of the day."""
    from components.traffic import ReadOptions
    from components.traffic import profile as measure

    if into is not None and workload is None:
        raise typer.BadParameter("needs --workload: which one the traffic is of", param_hint="--into")
    target = target_of(into, workload) if into is not None and workload is not None else None
    given = positive(service_time, "--service-time")
    options = ReadOptions(
        time_column=time_column,
        time_unit=time_unit,
        duration_column=duration_column,
        duration_unit=duration_unit,
        zone=zone_of(zone),
        path=path or (f"/v2/models/{workload}" if workload else None),
    )
    arrivals = read_trace(trace, kind, options)
    placement = target.workload.placement if target else None
    measured = measure(
        arrivals,
        service_time=given or _known_already(arrivals, target),
        replicas=replicas or (placement and placement.replicas) or 1,
        concurrency=concurrency or (placement and placement.max_concurrency) or 1,
    )
    _report(measured, target, dry_run=dry_run, as_json=as_json)


def _report(measured: Profile, target: Target | None, *, dry_run: bool, as_json: bool) -> None:
    console = wide_console()
    if not as_json:
        _show(console, measured)
    change = _Change.of(target, measured) if target else None
    if change and not dry_run:
        change.write()
    if as_json:
        told = measured.as_json() | ({"into": change.as_json(written=not dry_run)} if change else {})
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
    elif change:
        change.show(console, written=not dry_run)
    else:
        console.print(Text(f"\n{measured.to_yaml()}"), end="", soft_wrap=True)


# --- what goes in


def _known_already(trace: Trace, target: Target | None) -> Duration | None:
    """The stack file's own service time, for a log without durations."""
    from components.traffic import Arrivals

    measured = isinstance(trace, Arrivals) and trace.service_s is not None
    return None if measured or target is None else target.workload.traffic.service_time


# --- what comes out


def _show(console: Console, measured: Profile) -> None:
    console.print(_table(measured))
    for finding in measured.findings:
        console.print(Text(f"\n{finding.weight}: {finding}"), soft_wrap=True)


def _table(measured: Profile) -> Table:
    from components.traffic.measurement import duration_text

    began = f" from {measured.start:%Y-%m-%d %H:%M} UTC" if measured.start else ""
    title = f"{measured.requests:,} requests in {duration_text(measured.span_s)}{began} ({measured.format})"
    rows = Table(title=title, title_justify="left", box=None, pad_edge=False)
    rows.add_column("measured", no_wrap=True)
    rows.add_column("value", max_width=_VALUE_WIDTH)
    rows.add_column("how sure", no_wrap=True)
    rows.add_column("why")
    for each in measured.measurements:
        style = _SURENESS_STYLES[each.sureness]
        rows.add_row(each.name, Text(each.value), Text(each.sureness, style), Text(each.why))
    if measured.dispersion:
        values = ", ".join(f"{value:g} by {window} s" for window, value in measured.dispersion.items())
        rows.add_row("dispersion", Text(values), "", "variance of counts over their mean; 1 is chance")
    for name, mean in measured.means.items():
        rows.add_row(name.replace("_", " "), f"{mean:,g}", "", "mean of a request")
    return rows


@dataclass(frozen=True)
class _Change:
    """What the stack file says now, and with the traffic that was measured."""

    target: Target
    before: str
    after: str

    @classmethod
    def of(cls, target: Target, measured: Profile) -> _Change:
        """The change; StackError where it cannot be made, or would leave the stack file wrong."""
        from components.spec import Problem, StackError
        from components.spec.editing import NotEditableError, edited
        from components.spec.source import PROJECT

        before = target.file.path.read_bytes().decode()
        root = ("config", f"{PROJECT}:stack")
        block: dict[str, object | None] = {**measured.block()}
        if measured.utilization is None and measured.offered_load is not None:
            # Overloaded: what was written before is known to be wrong.
            block["utilization"] = None
        try:
            after = edited(before, (*root, "workloads", target.index, "traffic"), block)
        except NotEditableError as error:
            spelled = measured.to_yaml().replace("\n", "\n      ").rstrip()
            raise StackError(
                [
                    Problem(
                        target.path,
                        None,
                        f"cannot be edited in place: {error}",
                        f"write it by hand:\n      {spelled}",
                        subject=target.workload.name,
                        location=target.file.locate(target.path),
                    )
                ]
            ) from None
        _validate(after, root)
        return cls(target, before, after)

    @property
    def diff(self) -> list[str]:
        """The change as a unified diff."""
        name = str(self.target.file.path)
        lines = (self.before.splitlines(), self.after.splitlines())
        return list(difflib.unified_diff(*lines, name, name, lineterm="", n=2))

    def write(self) -> None:
        """Put the file in place as a whole, or not at all."""
        if self.after == self.before:
            return
        try:
            self._replace(self.target.file.path.resolve())
        except OSError as error:
            raise SandboxError(
                f"{self.target.file.path}: cannot be written: {error.strerror}",
                "allow it to be written, or see the change with --dry-run",
            ) from None

    def _replace(self, file: Path) -> None:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as beside:
                beside.write(self.after.encode())
            shutil.copymode(file, name)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def show(self, console: Console, *, written: bool) -> None:
        """The diff, or that there is none."""
        name = self.target.file.path
        console.print()
        if self.after == self.before:
            console.print(Text(f"{name} says so already"), soft_wrap=True)
            return
        styles = {"+": "green", "-": "red", "@": "cyan"}
        for line in self.diff:
            console.print(Text(line, styles.get(line[:1], "")), soft_wrap=True)
        console.print(Text(f"\n{'wrote' if written else 'would write'} {name}"), soft_wrap=True)

    def as_json(self, *, written: bool) -> dict[str, object]:
        """The change as plain JSON values."""
        changed = self.after != self.before
        return {
            "file": str(self.target.file.path),
            "workload": self.target.workload.name,
            "changed": changed,
            "written": changed and written,
            "diff": "\n".join(self.diff),
        }


def _validate(text: str, root: tuple[str, str]) -> None:
    """That the stack file is right with what was measured; StackError where it is not."""
    from dataclasses import replace

    from components.spec import StackError, load
    from components.spec.yaml_source import read as read_yaml

    try:
        load(read_yaml(text).value[root[0]][root[1]])
    except StackError as error:
        problems = [
            replace(problem, message=f"{problem.message} (with what was measured; nothing was written)")
            for problem in error.problems
        ]
        raise StackError(problems) from None
