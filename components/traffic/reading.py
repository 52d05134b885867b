"""From a log to its arrivals: which format it is, every line read, and what is wrong with the lines left out.

A log of millions of lines has one that was cut off, and must not be refused for it; a log read as the wrong
format has thousands, and must be. So bad lines are left out and told up to one in a hundred, and refused
beyond. The last line may always be cut.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from components.traffic.findings import BadLineError, Finding, TraceError, Weight, shown
from components.traffic.formats import prometheus
from components.traffic.formats.alb import Alb
from components.traffic.formats.clf import CommonLog
from components.traffic.formats.delimited import Delimited
from components.traffic.formats.haproxy import Haproxy
from components.traffic.formats.json_lines import JsonLines
from components.traffic.formats.row import Format, LineReader, NoSuchFormatError, ReadOptions, Row
from components.traffic.source import OnProgress, Source, opened
from components.traffic.trace import Arrivals, Trace

FORMATS: Final[dict[str, Format]] = {
    "haproxy": Haproxy(),
    "alb": Alb(),
    "clf": CommonLog(),
    "json": JsonLines(),
    "csv": Delimited(),
}
"""Request logs in the order in which they are tried: the stricter first."""
KINDS: Final = ("auto", *FORMATS, prometheus.NAME)

_BAD_SHOWN: Final = 3
_BAD_SHARE: Final = 100
_MODELS: Final = "/v2/models/"
_PATHS_SHOWN: Final = 5


def read(
    path: str | Path,
    kind: str = "auto",
    options: ReadOptions | None = None,
    *,
    on_progress: OnProgress | None = None,
) -> Trace:
    """The arrivals of a request log, `-` for standard input; raises TraceError where there are none.

    `kind` is one of KINDS. `on_progress` is told the bytes read and the bytes there are.
    """
    options = options or ReadOptions()
    with opened(path, on_progress) as source:
        if not source.sample:
            raise TraceError(f"{source.name}: is empty", "name a log that holds requests")
        if kind == prometheus.NAME or (
            kind == "auto" and prometheus.looks_like_one("\n".join(source.sample))
        ):
            counts = prometheus.counts_of(source.name, source.whole())
            return replace(counts, findings=(*counts.findings, *_without_paths(options)))
        chosen, reader = _detected(source, kind, options)
        return _collected(source, chosen, reader, options)


def _detected(source: Source, kind: str, options: ReadOptions) -> tuple[str, LineReader]:
    tried = FORMATS if kind == "auto" else {kind: FORMATS[kind]}
    refusals = []
    for name, each in tried.items():
        try:
            return name, each.reader(source.sample, options)
        except NoSuchFormatError as error:
            refusals.append(f"    {each.name}: {error}")
    if kind == "auto":
        refusals.append(f"    {prometheus.NAME}: is no JSON document with a resultType")
    raise TraceError(
        f"{source.name}: is of no known format" if kind == "auto" else f"{source.name}: is not {kind}",
        f"name its format with --format ({', '.join(KINDS[1:])}), or the column of times with --time-column",
        detail="\n".join(["  tried:", *refusals, f"  it begins: {shown(source.sample[0])}"]),
    )


@dataclass
class _Collector:
    """The columns of what was read, and the flaws met on the way."""

    times: "array[int]" = field(default_factory=lambda: array("q"))
    service: "array[float]" = field(default_factory=lambda: array("d"))
    measures: "dict[str, array[float]]" = field(default_factory=dict)
    """By name; a format tells the same ones in every line."""
    paths: bool = False
    """Whether the log tells what requests were for."""
    latest: int = -1
    backwards: int = 0
    first_backwards: int = 0
    furthest_back_ns: int = 0
    flawed: int = 0
    first_flaw: tuple[int, str] = (0, "")
    bad: int = 0
    last_bad: int = 0
    first_bad: list[tuple[int, BadLineError]] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)

    def add(self, line: int, row: Row) -> None:
        """Take in one request."""
        if row.time_ns < self.latest:
            self.backwards += 1
            self.first_backwards = self.first_backwards or line
            self.furthest_back_ns = max(self.furthest_back_ns, self.latest - row.time_ns)
        self.latest = max(self.latest, row.time_ns)
        if row.flaw:
            self.flawed += 1
            self.first_flaw = self.first_flaw if self.first_flaw[0] else (line, row.flaw)
        self.times.append(row.time_ns)
        self.service.append(row.service_s)
        self.measures = self.measures or {name: array("d") for name in row.measures}
        for name, values in self.measures.items():
            values.append(row.measures[name])

    def refuse(self, line: int, error: BadLineError) -> None:
        """Note a line that cannot be read."""
        self.bad += 1
        self.last_bad = line
        if len(self.first_bad) < _BAD_SHOWN:
            self.first_bad.append((line, error))

    def pass_over(self, path: str) -> None:
        """Note a request of another path, by what it is for."""
        what = "/".join(path.split("/")[:4]) if path.startswith(_MODELS) else "/".join(path.split("/")[:2])
        if what in self.elsewhere or len(self.elsewhere) < _PATHS_SHOWN:
            self.elsewhere[what] = self.elsewhere.get(what, 0) + 1


def _collected(source: Source, chosen: str, reader: LineReader, options: ReadOptions) -> Arrivals:
    collector = _Collector()
    last = 0
    models: set[str] = set()
    for number, line in source.lines():
        last = number
        try:
            row = reader.row(line)
        except BadLineError as error:
            collector.refuse(number, error)
            continue
        if row is None:
            continue
        collector.paths |= row.path is not None
        if row.path is not None and row.path.startswith(_MODELS):
            models.add(row.path.split("/")[3])
        if options.path is not None and row.path is not None and not _below(row.path, options.path):
            collector.pass_over(row.path)
            continue
        collector.add(number, row)
    _judge(source, collector, reader, options, last)
    found = [*_findings(source, collector, last), *reader.findings()]
    if len(models) > 1 and options.path is None:
        found.append(
            Finding(
                f"the requests are for {len(models)} models ({', '.join(sorted(models)[:_PATHS_SHOWN])}), "
                "taken together",
                "choose one: --workload NAME, or --path /v2/models/NAME",
            )
        )
    if not collector.paths:
        found.extend(_without_paths(options))
    return _arrivals(chosen, collector, reader, found)


def _without_paths(options: ReadOptions) -> list[Finding]:
    """That a log cannot tell which requests are for the path that was asked for."""
    if options.path is None:
        return []
    return [
        Finding(
            f"the log does not tell paths: all its requests are taken to be for {options.path}",
            "nothing to do for a log of one workload",
            weight=Weight.NOTE,
        )
    ]


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def _judge(
    source: Source, collector: _Collector, reader: LineReader, options: ReadOptions, last: int
) -> None:
    """Refuse the log if it holds no request, or so many bad lines that it must be something else."""
    bad = collector.bad - (source.cut and collector.last_bad == last)
    if bad > 1 + len(collector.times) / _BAD_SHARE:
        raise TraceError(
            f"{source.name}: {collector.bad} of {collector.bad + len(collector.times)} lines cannot be read",
            f"{collector.first_bad[0][1].remedy}; or name the right format with --format",
            detail="\n".join(f"  line {line}: {error.message}" for line, error in collector.first_bad),
        )
    if mixed := reader.times.mixed():
        raise TraceError(f"{source.name}: {mixed.what}", mixed.remedy)
    if collector.times:
        return
    if collector.elsewhere:
        paths = ", ".join(f"{path} ({count})" for path, count in sorted(collector.elsewhere.items()))
        raise TraceError(
            f"{source.name}: holds no request for {options.path}",
            f"choose with --path (/ for all); its requests are for: {paths}",
        )
    detail = "\n".join(f"  line {line}: {error.message}" for line, error in collector.first_bad)
    raise TraceError(f"{source.name}: holds no request", "name a log that holds some", detail=detail)


def _findings(source: Source, collector: _Collector, last: int) -> list[Finding]:
    found = []
    for line, error in collector.first_bad:
        cut = source.cut and line == last
        message = (
            f"the last line is cut off, and left out: {error.message}"
            if cut
            else f"{error.message}: left out"
        )
        found.append(Finding(message, error.remedy, line=line, weight=Weight.NOTE if cut else Weight.WARNING))
    if collector.bad > _BAD_SHOWN:
        found.append(
            Finding(f"{collector.bad - _BAD_SHOWN} more lines cannot be read", "correct or remove them")
        )
    if damage := source.finding():
        found.append(damage)
    if collector.flawed:
        count = f", and so are {collector.flawed - 1} more" if collector.flawed > 1 else ""
        found.append(
            Finding(
                f"{collector.first_flaw[1]}{count}: such requests count, their durations do not",
                "correct the durations",
                line=collector.first_flaw[0],
            )
        )
    if collector.backwards:
        found.append(_backwards(collector))
    return found


def _backwards(collector: _Collector) -> Finding:
    times = "once" if collector.backwards == 1 else f"{collector.backwards} times"
    return Finding(
        f"the clock goes backwards here, and {times} in all, by {collector.furthest_back_ns / 1e9:g} s at "
        "most; requests were put in order of time",
        "nothing to do for a log that several machines or threads write; if a clock was set back, take the "
        "log from there on",
        line=collector.first_backwards,
        weight=Weight.NOTE,
    )


def _arrivals(
    chosen: str, collector: _Collector, reader: LineReader, findings: Sequence[Finding]
) -> Arrivals:
    times = np.frombuffer(collector.times, dtype=np.int64)
    order = np.argsort(times, kind="stable")
    service = np.frombuffer(collector.service)[order]
    clock = reader.times
    notes = []
    if clock.naive and clock.zone is None:
        notes.append(
            Finding("the times name no zone: taken as UTC", "name it with --zone +02:00", weight=Weight.NOTE)
        )
    if len(clock.zones) > 1:
        notes.append(
            Finding(
                f"times are written in several zones ({', '.join(sorted(clock.zones))}), and compared in UTC",
                "nothing to do where clocks went from summer to winter time",
                weight=Weight.NOTE,
            )
        )
    return Arrivals(
        times_ns=times[order],
        service_s=None if np.isnan(service).all() else service,
        measures={
            name: values[order]
            for name, kept in collector.measures.items()
            if not np.isnan(values := np.frombuffer(kept)).all()
        },
        absolute=clock.kind != "relative",
        resolution_ns=reader.resolution_ns,
        format=chosen,
        findings=(*findings, *notes),
    )
