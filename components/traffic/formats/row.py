"""What all formats of request log have in common: each knows a log of its own, and reads its lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timezone
from typing import Protocol
from urllib.parse import urlsplit

from components.traffic.findings import Finding
from components.traffic.times import TimeReader


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the caller knows about a log better than its format does."""

    time_column: str | None = None
    time_unit: str | None = None
    duration_column: str | None = None
    duration_unit: str | None = None
    zone: timezone | None = None
    path: str | None = None
    """Only requests whose path is this or below it."""

    def times(self) -> TimeReader:
        """A reader of times as these options say."""
        return TimeReader(unit=self.time_unit, zone=self.zone)


@dataclass(slots=True)
class Row:
    """One request."""

    time_ns: int
    service_s: float = math.nan
    path: str | None = None
    measures: dict[str, float] = field(default_factory=dict)
    flaw: str = ""
    """What is wrong with a value that is left out because of it, while the request counts."""


# More bytes or tokens than any request has: a value that is no count of them.
_MOST = 1e15


class NoSuchFormatError(Exception):
    """Why a log is not of a format."""


class LineReader(Protocol):
    """Reads the lines of one log."""

    @property
    def times(self) -> TimeReader:
        """The reader of its times."""

    @property
    def resolution_ns(self) -> int:
        """How finely its writer tells time."""

    def row(self, line: str) -> Row | None:
        """The request of a line; None where it is about none (a heading). Raises BadLineError."""

    def findings(self) -> Sequence[Finding]:
        """What there is to say once the log was read."""


class Format(Protocol):
    """One kind of request log."""

    name: str

    def reader(self, sample: Sequence[str], options: ReadOptions) -> LineReader:
        """A reader for the log that begins with `sample`; raises NoSuchFormatError."""


def number(text: str) -> float:
    """A non-negative number; NaN where the log says there is none (`-`, `-1`, empty, null)."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if 0 <= value <= _MOST else math.nan


def path_of(url: str) -> str:
    """The path of a URL, a path with query, or a route key (`ANY /v2/models/embed/{proxy+}`)."""
    url = url.rpartition(" ")[2]
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path.removesuffix("/{proxy+}") or "/"
