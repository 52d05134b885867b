"""The Common Log Format, which API Gateway's own proposal for a plain-text access log follows.

Its time is of the request's arrival, in whole seconds, and it says nothing of how long the request took.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from components.traffic.findings import BadLineError, Finding, shown
from components.traffic.formats.row import NoSuchFormatError, ReadOptions, Row, number, path_of
from components.traffic.times import SECOND_NS, TimeReader

# address caller user [time]"method path protocol" status length …; API Gateway has no space before the quote.
_LINE: Final = re.compile(r'\S+ \S+ \S+ \[([^\]]{20,32})\]\s?"([^"]*)" (\d{3}|-) (\S+)')


class CommonLog:
    """API Gateway's CLF, and any other web server's."""

    name = "clf (API Gateway)"

    def reader(self, sample: Sequence[str], options: ReadOptions) -> "_Reader":
        """A reader for the log that begins with `sample`; raises NoSuchFormatError."""
        if not any(_LINE.match(line) for line in sample[:5]):
            raise NoSuchFormatError(
                'its lines are not like: address caller user [time] "request" status length'
            )
        return _Reader(options.times())


@dataclass
class _Reader:
    times: TimeReader
    resolution_ns: int = SECOND_NS

    def row(self, line: str) -> Row | None:
        """The request of a line."""
        found = _LINE.match(line)
        if found is None:
            raise BadLineError(
                f"is no line of the Common Log Format: {shown(line)}",
                "the line may be cut off; correct or remove it",
            )
        time, request, _, length = found.groups()
        path = next((path_of(word) for word in request.split(" ") if word.startswith("/")), "")
        return Row(self.times.ns(time), path=path, measures={"response_bytes": number(length)})

    def findings(self) -> Sequence[Finding]:
        return ()
