"""What commands that read a request log have in common: its options, and the workload that it is of."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from cli.stacks import file_of
from sandbox.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timezone

    from components.spec import Duration, StackFile, Workload
    from components.traffic import ReadOptions, Trace
    from components.traffic.source import OnProgress

STDIN = "-"

# A log that takes longer than a moment to read; what comes by a pipe may.
_LARGE = 16 * 2**20


class LogFormat(StrEnum):
    """Kinds of log."""

    AUTO = "auto"
    HAPROXY = "haproxy"
    ALB = "alb"
    CLF = "clf"
    JSON = "json"
    CSV = "csv"
    PROMETHEUS = "prometheus"


class Unit(StrEnum):
    """Units of a plain number of time."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


TraceFile: TypeAlias = Annotated[
    str, typer.Argument(help="A request log (plain or gzip), or - for standard input.")
]
Kind: TypeAlias = Annotated[LogFormat, typer.Option("--format", help="Kind of log.")]
TimeColumn: TypeAlias = Annotated[
    str | None, typer.Option(help="Column (or JSON key) of the time of arrival. Default: found.")
]
TimeUnit: TypeAlias = Annotated[
    Unit | None, typer.Option(help="Unit of times that are plain numbers. Default: by their size.")
]
DurationColumn: TypeAlias = Annotated[
    str | None, typer.Option(help="Column of what a request took. Default: found by name.")
]
DurationUnit: TypeAlias = Annotated[
    Unit | None, typer.Option(help="Unit of durations. Default: from the column's name, like latency_ms.")
]
Zone: TypeAlias = Annotated[str | None, typer.Option(help="Zone of times that name none, like +02:00.")]
RequestPath: TypeAlias = Annotated[
    str | None, typer.Option(help="Only requests for this path or below it; / for all.")
]


@dataclass(frozen=True)
class Target:
    """The workload in a stack file that the traffic is of."""

    file: StackFile
    index: int
    workload: Workload

    @property
    def path(self) -> str:
        """Where its traffic is written."""
        return f"workloads[{self.index}].traffic"


def target_of(stack: str, name: str) -> Target:
    """The workload of a valid stack file; StackError where there is none of that name."""
    from components.spec import Problem, StackError, read_file
    from components.spec.suggestions import choose

    file = read_file(file_of(stack))
    workloads = file.stack().workloads
    for index, workload in enumerate(workloads):
        if workload.name == name:
            return Target(file, index, workload)
    known = [workload.name for workload in workloads]
    remedy = choose(name, known)
    raise StackError(
        [Problem("workloads", name, "is none of them", remedy, location=file.locate("workloads"))]
    )


def positive(text: str | None, option: str) -> Duration | None:
    """A length of time that an option was given."""
    from components.spec import Duration, UnitError

    if text is None:
        return None
    try:
        duration = Duration.parse(text)
    except UnitError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if not duration:
        raise typer.BadParameter("is zero: leave it out if it is not known", param_hint=option)
    return duration


def zone_of(text: str | None) -> timezone | None:
    """The zone of times that name none."""
    from components.traffic import times

    if text is None:
        return None
    try:
        return times.zone_of(text)
    except ValueError:
        raise typer.BadParameter("is no zone: write UTC, or like +02:00", param_hint="--zone") from None


def read_trace(trace: str, kind: LogFormat, options: ReadOptions) -> Trace:
    """The requests of a log, with progress where that takes a while."""
    from components.traffic import read

    with reading([trace]) as told:
        return read(trace, kind, options, on_progress=told)


@contextmanager
def reading(files: Sequence[str]) -> Iterator[OnProgress]:
    """A line of progress while files are read, where they are so large that it takes a moment."""
    large = any(file == STDIN or _size(file) > _LARGE for file in files)
    progress = Progress() if large else Progress.silent()
    names = ", ".join("standard input" if file == STDIN else file for file in files)
    with progress.step(f"read {names}", unit="bytes") as step:

        def on_progress(done: int, total: int | None) -> None:
            step.update(done=done, total=total)

        yield on_progress


def _size(trace: str) -> int:
    """Bytes of a log; 0 for what is none, which reading it tells."""
    try:
        return Path(trace).stat().st_size
    except (OSError, ValueError):
        return 0
