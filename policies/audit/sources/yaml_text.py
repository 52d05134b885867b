"""YAML as values, with the places of those that are resources.

libyaml's events are put together here, and not by PyYAML's own composer, which calls itself for every level
and expands what aliases stand for. So depth and aliases are bounded, no tag ever makes an object, and every
value can be placed; and it takes half the time. Each document of a file is parsed for itself, so that one
that is broken hides no other. Values are as YAML 1.1 has them, which is what the tools that own these files
read; times stay text.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from re import MULTILINE
from re import compile as pattern
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from policies.audit.sources.model import Limits
from policies.audit.sources.places import EACH, OPENED, Path
from policies.reading.bags import UNKNOWN

_BOUNDARY: Final = pattern(r"^(?:---|(\.\.\.))(?=[ \t\r\n]|\Z)", MULTILINE)
"""What begins a document, or ends one."""
_CONTENT: Final = pattern(r"^(?![ \t]*(?:#|\r?$)|%)", MULTILINE)
"""A line that is neither empty nor a comment nor a directive."""
_WORDS: Final[Mapping[str, object]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF"), UNKNOWN),
}
_NUMBER_BEGINS: Final = frozenset("+-.0123456789")
_DECIMAL: Final = pattern(r"[-+]?(?:0|[1-9][0-9_]*)\Z")
_BASED: Final = pattern(r"[-+]?0(?:b[01_]+|o?[0-7_]+|x[0-9a-fA-F_]+)\Z")
_REAL: Final = pattern(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?\Z")
_DIGITS_AT_MOST: Final = 40
_NONE: Final = object()
_MERGE: Final = "<<"
_STANDARD: Final = "tag:yaml.org,2002:"
_INTRINSICS: Final = ("Ref", "Condition")
"""Of CloudFormation's short forms those whose long form has no `Fn::` before it."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document: its value and the places of the parts that OPENED names."""

    value: Any
    places: Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Broken:
    """A document that cannot be read."""

    line: int
    column: int
    why: str
    text: str = field(repr=False)


class _BrokenError(Exception):
    def __init__(self, why: str, mark: Any) -> None:
        super().__init__(why)
        self.why = why
        self.mark = mark


def loads(text: str, limits: Limits) -> Iterator[Parsed | Broken]:
    """Every document of a YAML text that has content, in order."""
    start, line = 0, 0
    for boundary in _BOUNDARY.finditer(text):
        document = text[start : boundary.start()]
        yield from _document(document, line, limits)
        line += document.count("\n")
        start = boundary.end() if boundary[1] else boundary.start()
    yield from _document(text[start:], line, limits)


def _document(text: str, line: int, limits: Limits) -> Iterator[Parsed | Broken]:
    """The one document of a text that begins in this line of the file, counted from 0."""
    if not _CONTENT.search(text):
        return
    try:
        next_event = _parser(text).get_event
        event = next_event()
        while not isinstance(event, DocumentStartEvent):
            if isinstance(event, StreamEndEvent):
                return
            event = next_event()
        builder = _Builder(next_event, line, limits)
        value = builder.value()
        while not isinstance(next_event(), StreamEndEvent):
            continue  # whatever comes after the document is not YAML, and raises
        if value is not None:
            yield Parsed(value, builder.places)
    except _BrokenError as error:
        yield Broken(error.mark.line + line + 1, error.mark.column + 1, error.why, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (mark.line + line + 1, mark.column + 1) if mark else (line + 1, 1)
        yield Broken(*at, error.problem or "is not YAML", text)
    except yaml.YAMLError as error:  # a character that YAML has not
        yield Broken(line + 1, 1, str(error).partition("\n")[0], text)


def _parser(text: str) -> Any:
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


@dataclass(slots=True)
class _Level:
    """A list or mapping being filled."""

    container: Any
    opened: Mapping[str, Any] | None
    path: Path
    count: int
    tag: str | None
    anchor: str | None
    key: Any = _NONE
    height: int = 1
    merges: bool = False


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: Any
    count: int
    height: int


class _Builder:
    """Puts the events of one document together."""

    def __init__(self, next_event: Callable[[], Any], line: int, limits: Limits) -> None:
        self._next_event = next_event
        self._line = line
        self._limits = limits
        self._levels: list[_Level] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._count = 0
        self._aliased = 0
        self._root: Any = _NONE
        self.places: dict[Path, tuple[int, int]] = {}

    def value(self) -> Any:
        """The document's value."""
        next_event, scalar, others = self._next_event, self._scalar, self._others()
        while self._root is _NONE:
            event = next_event()
            if type(event) is ScalarEvent:
                scalar(event)
            else:
                others[type(event)](event)
        return self._root

    def _others(self) -> Mapping[type, Callable[[Any], None]]:
        return {
            MappingStartEvent: self._mapping,
            SequenceStartEvent: self._sequence,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
        }

    def _scalar(self, event: ScalarEvent) -> None:
        self._count += 1
        levels = self._levels
        if levels and levels[-1].key is _NONE and type(levels[-1].container) is dict:
            self._key(levels[-1], event)
            return
        text = event.value
        if event.implicit[0]:
            value = _plain(text)
        elif event.implicit[1]:
            value = text
        else:
            value = _tagged(event.tag, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(value, 1, 0)
        self._put(value, event)

    def _key(self, level: _Level, event: ScalarEvent) -> None:
        text = event.value
        if text in level.container:
            raise _BrokenError(f"has the key {text[:60]!r} twice", event.start_mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(text, 1, 0)
        level.key = text
        level.merges = level.merges or (text == _MERGE and event.implicit[0])
        if level.opened is not None:
            self._place((*level.path, text), event)

    def _place(self, path: Path, event: Any) -> None:
        mark = event.start_mark
        self.places[path] = mark.line + self._line + 1, mark.column + 1

    def _mapping(self, event: MappingStartEvent) -> None:
        self._start({}, event)

    def _sequence(self, event: SequenceStartEvent) -> None:
        self._start([], event)

    def _start(self, container: Any, event: Any) -> None:
        if len(self._levels) >= self._limits.depth:
            raise _BrokenError(f"is nested more than {self._limits.depth} deep", event.start_mark)
        path: Path = ()
        opened: Mapping[str, Any] | None = OPENED
        if self._levels:
            path, opened = self._inside(self._levels[-1], event)
        else:
            self._place((), event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        tag = None if event.implicit else event.tag
        self._levels.append(_Level(container, opened, path, self._count, tag, event.anchor))
        self._count += 1

    def _inside(self, level: _Level, event: Any) -> tuple[Path, Mapping[str, Any] | None]:
        """Path of the container that begins, and what is opened in it."""
        if type(level.container) is dict and level.key is _NONE:
            raise _BrokenError("has a list or a mapping as a key", event.start_mark)
        if level.opened is None:
            return (), None
        if type(level.container) is dict:
            step: str | int = level.key
            opened = level.opened.get(level.key, level.opened.get(EACH))
        else:
            step = len(level.container)
            opened = level.opened.get(EACH)
            if opened is not None:
                self._place((*level.path, step), event)
        return (*level.path, step), opened or None

    def _end(self, event: Any) -> None:
        level = self._levels.pop()
        value = level.container
        if level.merges:
            _merge(value, event)
        if level.tag is not None:
            value = _tagged(level.tag, value)
        if level.anchor is not None:
            self._anchors[level.anchor] = _Anchored(value, self._count - level.count, level.height)
        if self._levels:
            above = self._levels[-1]
            above.height = max(above.height, level.height + 1)
        self._put(value, event)

    def _alias(self, event: AliasEvent) -> None:
        name = event.anchor or ""
        if name not in self._anchors:
            # Its name is not told: a password without quotes that begins with an asterisk is read as one.
            raise _BrokenError("has an alias (*) of no anchor", event.start_mark)
        anchored = self._anchors[name]
        if anchored is None:
            raise _BrokenError("has an alias that holds itself", event.start_mark)
        self._count += anchored.count
        self._aliased += anchored.count
        if self._aliased > self._limits.aliased_values:
            raise _BrokenError(
                f"has aliases that stand for more than {self._limits.aliased_values:,} values",
                event.start_mark,
            )
        if len(self._levels) + anchored.height > self._limits.depth:
            raise _BrokenError(f"is nested more than {self._limits.depth} deep", event.start_mark)
        if self._levels:
            level = self._levels[-1]
            level.height = max(level.height, anchored.height + 1)
            if type(level.container) is dict and level.key is _NONE:
                self._key(level, _as_key(anchored.value, event))
                return
        self._put(anchored.value, event)

    def _put(self, value: Any, event: Any) -> None:
        if not self._levels:
            self._root = value
            return
        level = self._levels[-1]
        if type(level.container) is dict:
            level.container[level.key] = value
            level.key = _NONE
        else:
            if level.opened is not None and type(event) is ScalarEvent:
                self._place((*level.path, len(level.container)), event)
            level.container.append(value)


def _as_key(value: Any, event: Any) -> ScalarEvent:
    if not isinstance(value, str):
        raise _BrokenError("has a key that is no text", event.start_mark)
    return ScalarEvent(None, None, (False, True), value, event.start_mark, event.end_mark)


def _merge(mapping: dict[str, Any], event: Any) -> None:
    """Take over what the merge key stands for; what the mapping says itself wins."""
    merged = mapping.pop(_MERGE)
    for each in merged if isinstance(merged, list) else [merged]:
        if not isinstance(each, dict):
            raise _BrokenError("merges (<<) what is no mapping", event.start_mark)
        for key, value in each.items():
            mapping.setdefault(key, value)


def _plain(text: str) -> Any:
    """The value of a scalar without quotes and tag."""
    if text[:1] in _NUMBER_BEGINS:
        return _number(text)
    return _WORDS.get(text, text)


def _number(text: str) -> Any:
    if _DECIMAL.match(text):
        return int(text.replace("_", "")) if len(text) <= _DIGITS_AT_MOST else UNKNOWN
    if _BASED.match(text):
        return _based(text) if len(text) <= _DIGITS_AT_MOST else UNKNOWN
    if _REAL.match(text):
        number = float(text.replace("_", ""))
        return UNKNOWN if number in (float("inf"), float("-inf")) else number
    return _WORDS.get(text, text)


def _based(text: str) -> Any:
    digits = text.replace("_", "")
    signless = digits.lstrip("+-")
    base = {"b": 2, "o": 8, "x": 16}.get(signless[1:2], 8)
    try:
        number = int(signless, base if signless[1:2].isalpha() else 8)
    except ValueError:  # `0_`, `0x_`
        return text
    return -number if digits.startswith("-") else number


def _tagged(tag: str | None, value: Any) -> Any:
    """A value with a tag: YAML's own, one of CloudFormation's short forms, or UNKNOWN for anything else."""
    if tag is None or tag == "!":
        return value
    if tag.startswith(_STANDARD):
        return _standard(tag.removeprefix(_STANDARD), value)
    name = tag.removeprefix("!")
    if name in _INTRINSICS:
        return {name: value}
    if not name.isalnum():
        return UNKNOWN
    if name == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    return {f"Fn::{name}": value}


def _standard(name: str, value: Any) -> Any:
    if name in ("str", "map", "seq") or not isinstance(value, str):
        return value if name in ("str", "map", "seq", "set", "omap", "pairs") else UNKNOWN
    if name in ("null", "bool", "int", "float"):
        return _plain(value)
    return value if name == "timestamp" else UNKNOWN
