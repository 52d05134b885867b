"""Tables of text: CSV with comma, semicolon or tab, with a heading or without."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.traffic.findings import BadLineError, Finding, shown
from components.traffic.formats.columns import RecordReader, choose
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row
from components.traffic.times import TimeReader

_DELIMITERS: Final = (",", ";", "\t")
_SAMPLE: Final = 50


class Delimited:
    """CSV and its like."""

    name = "csv"

    def reader(self, sample: Sequence[str], options: ReadOptions) -> "_Reader":
        """A reader for the table that begins with `sample`; raises NoSuchFormatError."""
        lines = [line for line in sample[:_SAMPLE] if not line.startswith("#")]
        if not lines:
            raise NoSuchFormatError("has no line that is no comment")
        if lines[0].startswith(("{", "[")):
            raise NoSuchFormatError("begins like JSON")
        delimiter = max(_DELIMITERS, key=lines[0].count)
        heading = _cells(lines[0], delimiter)
        if _has_times(heading, options):
            names, first = [str(at) for at in range(1, len(heading) + 1)], 0
        else:
            names, first = _distinct(heading), 1
        records = [dict(zip(names, _cells(line, delimiter), strict=False)) for line in lines[first:]]
        if not records:
            raise NoSuchFormatError(f"has a heading, {shown(lines[0])}, and no line below it")
        columns = choose([*records], options)
        return _Reader(RecordReader(columns, options.times()), delimiter, names, lines[0] if first else "")


@dataclass
class _Reader:
    records: RecordReader
    delimiter: str
    names: list[str]
    heading: str

    @property
    def times(self) -> TimeReader:
        return self.records.times

    resolution_ns: int = 1

    def row(self, line: str) -> Row | None:
        """The request of a line; None for the heading (of each file, where several were joined)."""
        if line == self.heading or line.startswith("#"):
            return None
        cells = _cells(line, self.delimiter)
        if len(cells) != len(self.names):
            raise BadLineError(
                f"has {len(cells)} of {len(self.names)} columns: {shown(line)}",
                "the line may be cut off; correct or remove it",
            )
        return self.records.read(dict(zip(self.names, cells, strict=True)))

    def findings(self) -> Sequence[Finding]:
        return self.records.findings()


def _cells(line: str, delimiter: str) -> list[str]:
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return []


def _distinct(names: Sequence[str]) -> list[str]:
    """The names of columns; one that stands there again, or is empty, is told by its place."""
    return [name if name and name not in names[:at] else f"{name}[{at + 1}]" for at, name in enumerate(names)]


def _has_times(cells: Sequence[str], options: ReadOptions) -> bool:
    """Whether a first line is data already."""
    for cell in cells:
        try:
            options.times().ns(cell)
        except BadLineError:
            continue
        return True
    return False
