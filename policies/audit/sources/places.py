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
    """Lines and columns of offsets into a text, which count from 1; cheapest for offsets that ascend."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offsets = [0]
        self._lines = [(1, 0)]
        """Of each known offset its line, and where that starts."""

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        nearest = bisect_right(self._offsets, offset) - 1
        known = self._offsets[nearest]
        line, start = self._lines[nearest]
        further = self._text.count("\n", known, offset)
        if further:
            line, start = line + further, self._text.rfind("\n", known, offset) + 1
        if offset > self._offsets[-1]:
            self._offsets.append(offset)
            self._lines.append((line, start))
        return line, offset - start + 1
