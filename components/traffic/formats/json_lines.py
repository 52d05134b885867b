"""One JSON object a line: API Gateway's JSON access logs, whatever keys their format gives the variables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.traffic.findings import BadLineError, Finding, Weight, shown
from components.traffic.formats.columns import RecordReader, choose
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row
from components.traffic.times import TimeReader

_SAMPLE: Final = 50
# A line of CloudWatch Logs or `kubectl logs --timestamps` begins with a time of its own.
_PREFIX_AT_MOST: Final = 40


def record_of(line: str) -> Mapping[str, Any] | None:
    """The JSON object of a line; None where the line holds none. Raises BadLineError for half of one."""
    start = line.find("{")
    if start < 0 or start > _PREFIX_AT_MOST or (start > 0 and not line[0].isdigit()):
        return None
    try:
        record = json.loads(line[start:])
    except (ValueError, RecursionError):
        raise BadLineError(
            f"is not JSON: {shown(line)}", "the line may be cut off; correct or remove it"
        ) from None
    return record if isinstance(record, dict) else None


def records_of(sample: Sequence[str]) -> list[Mapping[str, Any]]:
    """The JSON objects that a log begins with."""
    records = []
    for line in sample[:_SAMPLE]:
        try:
            record = record_of(line)
        except BadLineError:
            continue
        if record is not None:
            records.append(record)
    return records


class JsonLines:
    """JSON lines with keys of any name."""

    name = "json-lines (API Gateway)"

    def reader(self, sample: Sequence[str], options: ReadOptions) -> "_Reader":
        """A reader for the log that begins with `sample`; raises NoSuchFormatError."""
        records = [_texts(record) for record in records_of(sample)]
        if not records or not records[0]:
            raise NoSuchFormatError("its lines are no JSON objects")
        return _Reader(RecordReader(choose(records, options), options.times()))


@dataclass
class _Reader:
    records: RecordReader
    resolution_ns: int = 1
    others: int = 0
    """Lines that hold no JSON."""

    @property
    def times(self) -> TimeReader:
        return self.records.times

    def row(self, line: str) -> Row | None:
        """The request of a line; None where it is a message of another kind."""
        record = record_of(line)
        if record is None:
            self.others += 1
            return None
        return self.records.read(_texts(record))

    def findings(self) -> Sequence[Finding]:
        return [*self.records.findings(), *other_messages(self.others)]


def other_messages(count: int) -> list[Finding]:
    """That some lines were about no request."""
    if not count:
        return []
    lines = "1 line is" if count == 1 else f"{count} lines are"
    return [Finding(f"{lines} about no request, and left out", "nothing to do", weight=Weight.NOTE)]


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    """A record's plain values as text, as a table would hold them."""
    return {key: str(value) for key, value in record.items() if isinstance(value, str | int | float)}
