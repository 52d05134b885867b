"""JSON as values, with the places of those that are resources.

The standard library's decoder does the work, in C. Only the few containers that lead to resources are gone
through by hand, which tells where each begins; so a state of ten thousand resources costs what decoding it
costs.
"""

import json
import math
from collections.abc import Iterator, Mapping
from re import compile as pattern
from typing import Any, Final, TypeAlias

from policies.audit.sources.files import UnreadableError
from policies.audit.sources.places import EACH, OPENED, Path
from policies.reading.bags import UNKNOWN

_SPACE: Final = pattern(r"[ \t\n\r]*")
_LONE_SURROGATE: Final = pattern(
    r"(\\u[dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})(\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
"""Half a character, which no output could hold."""
_DIGITS_AT_MOST: Final = 40
"""Of a whole number: beyond it no property goes, and Python refuses to make a number of thousands."""
_WRITE_AGAIN: Final = "write the file again: it is cut short, or is not JSON"


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _DIGITS_AT_MOST else UNKNOWN


def _real(digits: str) -> Any:
    number = float(digits)
    return number if math.isfinite(number) else UNKNOWN


def _no_number(_: str) -> Any:
    return UNKNOWN


_DECODER: Final = json.JSONDecoder(parse_int=_whole, parse_float=_real, parse_constant=_no_number)

Placed: TypeAlias = tuple[Any, dict[Path, int]]
"""A value, and the offsets of the parts of it that OPENED names."""


def loads(text: str) -> Iterator[Placed]:
    """The values of a JSON text: one, or one after the other.

    Raises UnreadableError for what is not JSON, or is too deep.
    """
    if r"\ud" in text or r"\uD" in text:
        text = _LONE_SURROGATE.sub(r"\\ufffd", text)  # as long as what it stands for: offsets stay
    reading = _Reading(text)
    while True:
        try:
            yield reading.next()
        except json.JSONDecodeError as error:
            raise UnreadableError(f"is not JSON: {error.msg} (line {error.lineno})", _WRITE_AGAIN) from error
        except RecursionError as error:
            raise UnreadableError("is nested too deep", _WRITE_AGAIN) from error
        if reading.ended:
            return


def load(text: str) -> Any:
    """The one value of a JSON text. Raises UnreadableError as `loads` does."""
    found = [value for value, _ in loads(text)]
    if len(found) != 1:
        raise UnreadableError("is not JSON: several values", _WRITE_AGAIN)
    return found[0]


class _Reading:
    """One text being read from its beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._closed = _DECODER.raw_decode
        self._offsets: dict[Path, int] = {}
        self._begin = self._space(0)

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self._begin == len(self._text)

    def next(self) -> Placed:
        """The next value."""
        self._offsets = {}
        value, end = self._value(self._begin, (), OPENED)
        self._begin = self._space(end)
        return value, self._offsets

    def _space(self, offset: int) -> int:
        match = _SPACE.match(self._text, offset)
        return match.end() if match else offset

    def _value(self, offset: int, path: Path, opened: Mapping[str, Any]) -> tuple[Any, int]:
        self._offsets[path] = offset
        if opened and self._text.startswith("{", offset):
            return self._object(offset + 1, path, opened)
        if EACH in opened and self._text.startswith("[", offset):
            return self._array(offset + 1, path, opened)
        return self._closed(self._text, offset)

    def _object(self, offset: int, path: Path, opened: Mapping[str, Any]) -> tuple[Any, int]:
        found: dict[str, Any] = {}
        offset = self._space(offset)
        if self._text.startswith("}", offset):
            return found, offset + 1
        while True:
            begin = offset
            if not self._text.startswith('"', offset):
                raise json.JSONDecodeError("Expecting property name", self._text, offset)
            key, offset = self._closed(self._text, offset)
            offset = self._space(offset)
            if not self._text.startswith(":", offset):
                raise json.JSONDecodeError("Expecting ':' delimiter", self._text, offset)
            offset = self._space(offset + 1)
            inner = opened.get(key, opened.get(EACH))
            if inner is None:
                found[key], offset = self._closed(self._text, offset)
            else:
                found[key], offset = self._value(offset, (*path, key), inner)
                self._offsets[(*path, key)] = begin
            offset, ended = self._past(offset, "}")
            if ended:
                return found, offset

    def _array(self, offset: int, path: Path, opened: Mapping[str, Any]) -> tuple[Any, int]:
        found: list[Any] = []
        offset = self._space(offset)
        if self._text.startswith("]", offset):
            return found, offset + 1
        while True:
            value, offset = self._value(offset, (*path, len(found)), opened[EACH])
            found.append(value)
            offset, ended = self._past(offset, "]")
            if ended:
                return found, offset

    def _past(self, offset: int, end: str) -> tuple[int, bool]:
        """Past a comma, or past the end of the container."""
        offset = self._space(offset)
        if self._text.startswith(end, offset):
            return offset + 1, True
        if not self._text.startswith(",", offset):
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, offset)
        return self._space(offset + 1), False
