"""Access logs of an Application Load Balancer.

A line's first time is that of the answer; the arrival is `request_creation_time`, the 22nd field, which logs
from before 2018 lack. What the target took, `target_processing_time`, is the service time; -1 says that the
target never answered.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from components.traffic.findings import BadLineError, Finding, shown
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row, number, path_of
from components.traffic.times import SECOND_NS, TimeReader

_KINDS: Final = ("http", "https", "h2", "grpcs", "ws", "wss")
_FIELD: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_TIME, _TIMES_TAKEN, _TARGET_TOOK = 1, slice(5, 8), 6
_RECEIVED, _SENT, _REQUEST, _CREATED = 10, 11, 12, 21


class Alb:
    """Application Load Balancer access logs."""

    name = "alb"

    def reader(self, sample: Sequence[str], options: ReadOptions) -> "_Reader":
        """A reader for the log that begins with `sample`; raises NoSuchFormatError."""
        if not sample or not any(_begins_like_one(line) for line in sample[:5]):
            raise NoSuchFormatError(f"its lines do not begin with one of {', '.join(_KINDS)} and a time")
        return _Reader(options.times())


def _begins_like_one(line: str) -> bool:
    kind, _, rest = line.partition(" ")
    return kind in _KINDS and re.match(r"\d{4}-\d\d-\d\dT", rest) is not None


@dataclass
class _Reader:
    times: TimeReader
    resolution_ns: int = 1
    _found: list[Finding] = field(default_factory=list)

    def row(self, line: str) -> Row | None:
        """The request of a line."""
        fields = [quoted or bare for quoted, bare in _FIELD.findall(line)]
        if len(fields) <= _REQUEST or fields[0] not in _KINDS:
            raise BadLineError(
                f"is no line of an ALB log: {shown(line)}", "the line may be cut off; correct or remove it"
            )
        took = number(fields[_TARGET_TOOK])
        request = fields[_REQUEST].split(" ")
        return Row(
            self._arrival(fields),
            took,
            path_of(request[1]) if len(request) > 1 else "",
            {"request_bytes": number(fields[_RECEIVED]), "response_bytes": number(fields[_SENT])},
        )

    def findings(self) -> Sequence[Finding]:
        return self._found

    def _arrival(self, fields: Sequence[str]) -> int:
        if len(fields) > _CREATED + 1:
            return self.times.ns(fields[_CREATED])
        # Cut off before it, or an old log: what the balancer says it took lies between.
        taken = [number(text) for text in fields[_TIMES_TAKEN]]
        return self.times.ns(fields[_TIME]) - round(
            sum(each for each in taken if not math.isnan(each)) * SECOND_NS
        )
