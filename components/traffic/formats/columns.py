"""Which column of a table, or key of a JSON line, says what: by its name, and for times by its values too.

A duration without a unit is not guessed at: `latency` may be seconds or milliseconds, and a factor of a
thousand in utilization moves a workload from a function to a rack.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from components.spec.units import Duration, UnitError
from components.traffic.findings import BadLineError, Finding, Weight, shown
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row, number, path_of
from components.traffic.times import UNITS_NS, TimeReader

_TIMES: Final = (
    *(
        "arrival",
        "arrival_time",
        "arrived_at",
        "arrival_timestamp",
        "request_time_epoch",
        "request_creation_time",
    ),
    *("start", "start_time", "started", "started_at", "requested_at", "received_at", "invocation_time"),
    *("timestamp", "time_stamp", "ts", "time", "datetime", "date_time", "event_time", "request_time", "date"),
)
_DURATIONS: Final = (
    *("service", "service_time", "processing", "processing_time", "execution", "execution_time"),
    *("integration", "integration_latency", "duration", "elapsed", "elapsed_time", "runtime", "took"),
    *("latency", "response_latency", "response_time", "total_time"),
)
_SUFFIXES: Final = {
    **dict.fromkeys(("s", "sec", "secs", "seconds"), "s"),
    **dict.fromkeys(("ms", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "micros", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nanos", "nanoseconds"), "ns"),
}
# API Gateway's own variables, which are in milliseconds.
_KNOWN_UNITS: Final = {"integration_latency": "ms", "response_latency": "ms"}
_LONGEST_S: Final = Duration(Duration.maximum).seconds
_PATHS: Final = ("path", "resource_path", "route", "route_key", "uri", "url")
_MEASURES: Final = {
    "request_bytes": ("request_bytes", "bytes_in", "received_bytes", "request_length"),
    "response_bytes": ("response_bytes", "bytes_out", "sent_bytes", "response_length", "bytes"),
    "prompt_tokens": ("prompt_tokens", "context_tokens", "input_tokens"),
    "generated_tokens": ("generated_tokens", "completion_tokens", "output_tokens"),
}


@dataclass(frozen=True)
class Columns:
    """Names of what is read from each record, as the log spells them."""

    time: str
    duration: str | None
    duration_unit: str | None
    """None where each value carries its own."""
    path: str | None
    measures: Mapping[str, str]
    findings: tuple[Finding, ...] = ()


def choose(records: Sequence[Mapping[str, str]], options: ReadOptions) -> Columns:
    """The columns of a log that begins with `records`; raises NoSuchFormatError."""
    names = list(records[0])
    time, others = _time(records, names, options)
    duration, unit, remarks = _duration(records, names, options)
    plain = {_plain(name): name for name in reversed(names)}
    return Columns(
        time,
        duration,
        unit,
        _first(plain, _PATHS),
        {measure: found for measure, known in _MEASURES.items() if (found := _first(plain, known))},
        (*_ambiguous(time, others), *remarks),
    )


def _first(plain: Mapping[str, str], known: Iterable[str]) -> str | None:
    return next((plain[name] for name in known if name in plain), None)


def _time(
    records: Sequence[Mapping[str, str]], names: Sequence[str], options: ReadOptions
) -> tuple[str, list[str]]:
    if options.time_column is not None:
        if options.time_column not in names:
            raise NoSuchFormatError(f"has no column {options.time_column!r}, only {', '.join(names)}")
        return options.time_column, []
    rank = {name: at for at, name in enumerate(_TIMES)}
    usable = [
        name
        for name in names
        if _holds_times(records, name, options, named=_plain(name) in rank or len(names) == 1)
    ]
    if not usable:
        raise NoSuchFormatError(f"no column holds times: {', '.join(names)[:120]}")
    usable.sort(key=lambda name: rank.get(_plain(name), len(rank)))
    return usable[0], [] if _plain(usable[0]) in rank else usable[1:]


def _ambiguous(time: str, others: Sequence[str]) -> list[Finding]:
    if not others:
        return []
    return [
        Finding(
            f"the column {time} is taken for the time of arrival; {', '.join(others)} holds times as well",
            "name the right one with --time-column",
            weight=Weight.NOTE,
        )
    ]


def _holds_times(
    records: Sequence[Mapping[str, str]], name: str, options: ReadOptions, *, named: bool
) -> bool:
    """Whether most values are times; small plain numbers only where the column is called one."""
    reader = options.times()
    good = 0
    for record in records:
        try:
            reader.ns(record.get(name, ""))
            good += 1
        except BadLineError:
            continue
    if reader.kind == "relative" and not named:
        return False
    return good > len(records) / 2


def _duration(
    records: Sequence[Mapping[str, str]], names: Sequence[str], options: ReadOptions
) -> tuple[str | None, str | None, list[Finding]]:
    if options.duration_column is not None:
        if options.duration_column not in names:
            raise NoSuchFormatError(f"has no column {options.duration_column!r}, only {', '.join(names)}")
        found = options.duration_column
    else:
        ranked = [
            (_DURATIONS.index(base), name) for name in names if (base := _without_unit(name)) in _DURATIONS
        ]
        if not ranked:
            return None, None, []
        found = min(ranked)[1]
    unit = options.duration_unit or _unit(found)
    if unit or any(_spelled(record.get(found, "")) is not None for record in records):
        return found, unit, []
    return (
        None,
        None,
        [
            Finding(
                f"the durations in {found} are not used: they have no unit",
                f"say which it is: --duration-column {found} --duration-unit ms (or s, us, ns)",
            )
        ],
    )


def _unit(name: str) -> str | None:
    plain = _plain(name)
    return _KNOWN_UNITS.get(plain) or (_SUFFIXES.get(plain.rpartition("_")[2]) if "_" in plain else None)


def _without_unit(name: str) -> str:
    plain = _plain(name)
    base, _, suffix = plain.rpartition("_")
    return base if base and suffix in _SUFFIXES else plain


def _plain(name: str) -> str:
    """A name in snake case: `ContextTokens`, `context-tokens` and `@context tokens` are one."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _spelled(text: str) -> float | None:
    """Seconds of a duration that carries its unit, like `250ms`."""
    try:
        return Duration.parse(text).seconds
    except UnitError:
        return None


@dataclass
class RecordReader:
    """Reads records whose columns are chosen."""

    columns: Columns
    times: TimeReader
    resolution_ns: int = 1
    _seconds: Callable[[str], float | None] = field(init=False)

    def __post_init__(self) -> None:
        unit = self.columns.duration_unit
        scale = UNITS_NS[unit] / UNITS_NS["s"] if unit else 0.0
        self._seconds = (lambda text: _scaled(text, scale)) if unit else _spelled

    def read(self, record: Mapping[str, str]) -> Row:
        """The request of a record; raises BadLineError."""
        columns = self.columns
        row = Row(self.times.ns(record.get(columns.time, "")))
        if columns.duration is not None:
            self._put_duration(row, record.get(columns.duration, "").strip())
        if columns.path is not None:
            row.path = path_of(record.get(columns.path, ""))
        row.measures = {measure: number(record.get(name, "")) for measure, name in columns.measures.items()}
        return row

    def _put_duration(self, row: Row, text: str) -> None:
        if text in {"", "-", "null"}:
            return
        seconds = self._seconds(text)
        if seconds is None or not math.isfinite(seconds):
            row.flaw = f"the duration {shown(text)} is no number"
        elif seconds > _LONGEST_S:
            row.flaw = f"the duration {shown(text)} is longer than ten years"
        elif seconds < 0:
            row.flaw = f"the duration {shown(text)} is negative"
        else:
            row.service_s = seconds

    def findings(self) -> Sequence[Finding]:
        """What there is to say of how columns were chosen."""
        return self.columns.findings


def _scaled(text: str, scale: float) -> float | None:
    try:
        return float(text) * scale
    except ValueError:
        return _spelled(text)
