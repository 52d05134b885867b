"""The gateway's own log, as components/data_plane/haproxy.py has HAProxy write it.

A line is written when the request has ended, and tells that second; the request came `total_ms` before. So
an arrival is known to a second, however fine the result of that subtraction looks. What the pod took is all
that time but waiting in the queue and connecting. What a function twin took says nothing of pods: it has
another processor, starts cold, and is behind an API. The gateway's remarks about itself (a server is up or
down) stand between the lines, and requests for no model are nobody's traffic.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from components.traffic.findings import BadLineError, Finding, Weight, shown
from components.traffic.formats.json_lines import other_messages, record_of, records_of
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row, number
from components.traffic.times import SECOND_NS, TimeReader

_KEYS: Final = ("time", "path", "backend", "queue_ms", "connect_ms", "response_ms", "total_ms")
_NOWHERE: Final = "nowhere"
_TWINS: Final = "tail-"
_MS_NS: Final = 10**6


class Haproxy:
    """halfmetal's gateway log."""

    name = "haproxy"

    def reader(self, sample: Sequence[str], options: ReadOptions) -> "_Reader":
        """A reader for the log that begins with `sample`; raises NoSuchFormatError."""
        records = records_of(sample)
        if not records:
            raise NoSuchFormatError("its lines are no JSON objects")
        missing = [key for key in _KEYS if key not in records[0]]
        if missing:
            raise NoSuchFormatError(f"its JSON lacks {', '.join(missing)}")
        return _Reader(options.times())


@dataclass
class _Reader:
    times: TimeReader
    resolution_ns: int = SECOND_NS
    others: int = 0
    nobodys: int = 0
    tail: int = 0

    def row(self, line: str) -> Row | None:
        """The request of a line; None where it is for no model, or a remark of the gateway's."""
        record = record_of(line)
        if record is None:
            self.others += 1
            return None
        missing = [key for key in _KEYS if key not in record]
        if missing:
            raise BadLineError(f"lacks {', '.join(missing)}: {shown(line)}", "correct or remove the line")
        if record["backend"] == _NOWHERE:
            self.nobodys += 1
            return None
        return self._request(record)

    def _request(self, record: dict[str, Any] | Any) -> Row:
        queue, connect, response, total = (_ms(record[key]) for key in _KEYS[3:])
        ended = self.times.ns(str(record["time"]))
        tail = str(record["backend"]).startswith(_TWINS)
        self.tail += tail
        # -1 says that the request never got so far: no pod has worked on it.
        worked = not tail and min(queue, connect, response, total) >= 0
        return Row(
            ended - max(total, 0) * _MS_NS,
            max(total - queue - connect, 0) / 1000 if worked else float("nan"),
            str(record["path"]),
            {"response_bytes": number(str(record.get("bytes", "")))},
        )

    def findings(self) -> Sequence[Finding]:
        found = other_messages(self.others)
        if self.nobodys:
            found.append(
                Finding(
                    f"{self.nobodys} requests were for no model of the data plane, and are left out",
                    "look at their paths if they should have been for one",
                    weight=Weight.NOTE,
                )
            )
        if self.tail:
            found.append(
                Finding(
                    f"{self.tail} requests went to a function twin: they count, and what they took does not",
                    "add replicas if more than the tail goes there",
                    weight=Weight.NOTE,
                )
            )
        return found


def _ms(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**40:
        raise BadLineError(
            f"{shown(json.dumps(value, default=str))} is no number of milliseconds",
            "correct or remove the line",
        )
    return value
