"""`halfmetal profile`: from a request log to a workload's `traffic` block, with how sure each number is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.changes import Change, Edit
from cli.console import wide_console
from cli.traces import (
    DurationColumn,
    DurationUnit,
    Kind,
    LogFormat,
    RequestPath,
    Target,
    TimeColumn,
    TimeUnit,
    TraceFile,
    Zone,
    positive,
    read_trace,
    target_of,
    zone_of,
)

if TYPE_CHECKING:
    from rich.console import Console

    from components.spec import Duration
    from components.traffic import Profile, Trace

_VALUE_WIDTH = 24
_SURENESS_STYLES = {"sure": "green", "fair": "yellow", "poor": "red", "not known": "dim"}


def profile(  # noqa: PLR0913 - each is an option of the command
    trace: TraceFile,
    *,
    kind: Kind = LogFormat.AUTO,
    time_column: TimeColumn = None,
    time_unit: TimeUnit = None,
    duration_column: DurationColumn = None,
    duration_unit: DurationUnit = None,
    zone: Zone = None,
    path: RequestPath = None,
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
    change = _change(target, measured) if target else None
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


def _change(target: Target, measured: Profile) -> Change:
    """The measured block in the stack file; StackError where it cannot be there."""
    block: dict[str, object | None] = {**measured.block()}
    if measured.utilization is None and measured.offered_load is not None:
        # Overloaded: what was written before is known to be wrong.
        block["utilization"] = None
    edit = Edit(("workloads", target.index, "traffic"), block)
    return Change.of(target, [edit], by_hand=measured.to_yaml(), because="with what was measured")
