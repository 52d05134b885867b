"""Where in a text things stand: which values are worth a place, and the line of an offset."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead to a value."""

EACH: Final = "*"
"""Every key or index."""

OPENED: Final[Mapping[str, Any]] = {
    "deployment": {"resources": {EACH: {}}},
    "checkpoint": {"latest": {"resources": {EACH: {}}}},
    "Resources": {EACH: {}},
    "resources": {EACH: {}, "Resources": {EACH: {}}},
    "functions": {EACH: {}},
    "items": {EACH: {}},
}
"""The values that resources are, in the documents that are read: of each the place is kept."""


class Lines:
    """Lines and columns of offsets into a text, which count from 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0]
        self._walked = 0
        """The offset up to which the starts of lines are known: a text is walked through once."""

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        if offset > self._walked:
            self._walk(offset)
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def _walk(self, until: int) -> None:
        at = self._text.find("\n", self._walked, until)
        while at >= 0:
            self._starts.append(at + 1)
            at = self._text.find("\n", at + 1, until)
        self._walked = until
