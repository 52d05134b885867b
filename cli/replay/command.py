"""The command itself: what is played, and in what form the answer is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from cli.console import wide_console
from cli.traces import (
    DurationColumn,
    DurationUnit,
    Kind,
    LogFormat,
    RequestPath,
    TimeColumn,
    TimeUnit,
    TraceFile,
    Zone,
    positive,
    read_trace,
    target_of,
    zone_of,
)
from sandbox.progress import Progress

if TYPE_CHECKING:
    from cli.replay.question import Question
    from cli.traces import Target
    from components.placement.replay import Checked, Replay, Size, Way

# A log of which all sizes together take longer than a moment to play.
_LARGE = 2_000


def replay(  # noqa: PLR0913 - each is an option of the command
    trace: TraceFile,
    stack: Annotated[str, typer.Argument(help="Stack name, or path of a stack file.")] = "hybrid",
    *,
    workload: Annotated[
        str,
        typer.Option(
            help="The workload of the stack that the requests are for; of a log with paths, only its."
        ),
    ],
    budget: Annotated[
        str | None,
        typer.Option(
            help="99 of 100 requests are to be answered within this. Default: the workload's latency.p99."
        ),
    ] = None,
    service_time: Annotated[
        str | None,
        typer.Option(
            help="Work of one request, like 25ms. Default: the log's own durations, else the workload's."
        ),
    ] = None,
    work_by: Annotated[
        str | None,
        typer.Option(
            help="What the work of a request grows with, like generated_tokens; its mean is the service time."
        ),
    ] = None,
    kind: Kind = LogFormat.AUTO,
    time_column: TimeColumn = None,
    time_unit: TimeUnit = None,
    duration_column: DurationColumn = None,
    duration_unit: DurationUnit = None,
    zone: Zone = None,
    path: RequestPath = None,
    exhaustive: Annotated[
        bool, typer.Option("--exhaustive", help="Play every size too, and see whether a cheaper one holds.")
    ] = False,
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the choice into the stack file: home, replicas, twin, nodes."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what --write would change, and write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Play a request log through every topology, each at the cheapest size that holds the latency budget."""
    from cli.replay.question import question_of
    from components.traffic import ReadOptions

    target = target_of(stack, workload)
    given = positive(service_time, "--service-time")
    wanted = positive(budget, "--budget")
    options = ReadOptions(
        time_column=time_column,
        time_unit=time_unit,
        duration_column=duration_column,
        duration_unit=duration_unit,
        zone=zone_of(zone),
        path=path or f"/v2/models/{workload}",
    )
    read = read_trace(trace, kind, options)
    asked = question_of(target, read, budget=wanted, service_time=given, work_by=work_by)
    with _progress(asked, "play the log") as on_size:
        answer = asked.answer(on_size)
    proof = None
    if exhaustive:
        with _progress(asked, "play every size") as on_size:
            proof = asked.check(answer, on_size)
    into = (write or dry_run, write and not dry_run)
    _show(target, asked, answer, proof, into=into, as_json=as_json)


@contextmanager
def _progress(asked: Question, name: str) -> Iterator[Callable[[Way, Size], None]]:
    """A step that counts sizes."""
    progress = Progress() if len(asked.log.arrivals_s) > _LARGE else Progress.silent()
    with progress.step(name, unit="sizes") as step:
        played = 0

        def on_size(way: Way, size: Size) -> None:
            nonlocal played
            step.update(done=played, detail=f"{way.side}, {size}")
            played += 1

        yield on_size
        step.result(f"{played:,} sizes")


def _show(  # noqa: PLR0913 - each is a part of what is shown
    target: Target,
    asked: Question,
    answer: Replay,
    proof: Checked | None,
    *,
    into: tuple[bool, bool],
    as_json: bool,
) -> None:
    """The answer, and the change that it makes of the stack file: `into` is whether to make and write it."""
    from cli.replay.as_json import checked_json, replay_json
    from cli.replay.tables import print_checked, print_replay
    from cli.replay.writing import change_of, not_written

    console = wide_console()
    if not as_json:
        print_replay(console, asked, answer)
        if proof is not None:
            print_checked(console, proof)
    made, written = into
    change = change_of(target, asked, answer) if made else None
    if change is not None and written:
        change.write()
    left_out = list(not_written(asked, answer)) if made else []
    if as_json:
        told = replay_json(asked, answer)
        if proof is not None:
            told |= checked_json(proof)
        if change is not None:
            told |= {"into": change.as_json(written=written), "not_written": left_out}
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
    elif change is not None:
        change.show(console, written=written)
        for said in left_out:
            console.print(Text(said, style="yellow"), soft_wrap=True)
