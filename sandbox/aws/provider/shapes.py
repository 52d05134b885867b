"""From property bags to the members of an API call, and back from its answer.

Both directions are led by two descriptions of the same thing: what `pulumi_aws` calls it (`PropType`) and
what the service's botocore model calls it (`Shape`). A property meets the member of its own name, whatever
the case and a plural `s`; a block that one side has as an object and the other as a list of one is wrapped
or unwrapped; a map meets a list of key-value pairs. On the way out every value is held to its shape: type,
allowed values, length, range, pattern. What is not known yet is passed over.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.sdk import ANY, PropType
from sandbox.aws.provider.table.model import Names
from sandbox.aws.provider.values import UNKNOWN, Archive, Asset

_KEYS = ("Key", "key", "TagKey", "Name", "AttributeName")
_VALUES = ("Value", "value", "TagValue")
_ENUM_SHOWN = 12


def member_of(prop: str, shape: StructureShape, path: str, names: Names) -> str | None:
    """The member of `shape` that carries the property, or None."""
    if path in names:
        return names[path]
    known = _members(shape)
    return next((known[form] for form in _forms(prop) if form in known), None)


def _members(shape: StructureShape) -> dict[str, str]:
    return _lowered(tuple(shape.members))


@cache
def _lowered(members: tuple[str, ...]) -> dict[str, str]:
    return {name.lower(): name for name in members}


@cache
def _forms(prop: str) -> tuple[str, ...]:
    plain = prop.lower()
    singular = re.sub(r"ies$", "y", plain) if plain.endswith("ies") else plain.removesuffix("s")
    return (plain, plain + "s", singular)


@dataclass
class Outbound:
    """Turns property values into call members, and notes what the shape would not take."""

    names: Names
    failures: list[Failure] = field(default_factory=list)

    def convert(self, value: Any, shape: Shape, kind: PropType, path: str, shown: str) -> Any:
        """The value as `shape` wants it. `path` looks names up, `shown` is what a failure names."""
        if value is None or value is UNKNOWN:
            return None
        if isinstance(shape, StructureShape):
            return self._structure(value, shape, kind, path, shown)
        if isinstance(shape, ListShape):
            return self._list(value, shape, kind, path, shown)
        if isinstance(shape, MapShape):
            return self._map(value, shape, kind, path, shown)
        return self._scalar(value, shape, shown)

    def _structure(self, value: Any, shape: StructureShape, kind: PropType, path: str, shown: str) -> Any:
        if isinstance(value, list):
            return self.convert(value[0], shape, kind.item or ANY, path, shown) if value else None
        if not isinstance(value, Mapping):
            self._fail(shown, f"must be an object with {', '.join(shape.members)}")
            return None
        result: dict[str, Any] = {}
        for name, inner in value.items():
            below = f"{path}.{name}"
            member = member_of(name, shape, below, self.names)
            if member is None:
                self._unsupported(below, f"{shown}.{name}", inner)
                continue
            place, target = _descend(shape, member)
            inner_kind = kind.fields.get(name, ANY)
            converted = self.convert(inner, target, inner_kind, below, f"{shown}.{name}")
            if converted is not None:
                put(result, place, converted)
        return result

    def _unsupported(self, path: str, shown: str, value: Any) -> None:
        if path not in self.names and value not in (None, "", [], {}):
            self._fail(shown, "is not carried by the sandbox's AWS stand-in: no call of the service takes it")

    def _list(self, value: Any, shape: ListShape, kind: PropType, path: str, shown: str) -> Any:
        if isinstance(value, Mapping) and kind.kind == "map":
            return self._pairs(value, shape, shown)
        single = not isinstance(value, list)
        items = [value] if single else value
        inner = kind if single else (kind.item or ANY)
        self._bounds(len(items), shape, shown, "items")
        converted = [
            self.convert(item, shape.member, inner, path, shown if single else f"{shown}[{index}]")
            for index, item in enumerate(items)
        ]
        return [item for item in converted if item is not None]

    def _pairs(self, value: Mapping[str, Any], shape: ListShape, shown: str) -> list[dict[str, Any]]:
        members = shape.member.members
        key = next(name for name in _KEYS if name in members)
        content = next(name for name in _VALUES if name in members)
        return [
            {key: k, content: self._scalar(v, members[content], f"{shown}.{k}")}
            for k, v in value.items()
            if v is not UNKNOWN
        ]

    def _map(self, value: Any, shape: MapShape, kind: PropType, path: str, shown: str) -> Any:
        if not isinstance(value, Mapping):
            self._fail(shown, "must be a map")
            return None
        for key in value:
            self._scalar(key, shape.key, f"{shown}.{key}")
        inner = kind.item or ANY
        return {
            key: self.convert(item, shape.value, inner, path, f"{shown}.{key}")
            for key, item in value.items()
            if item is not UNKNOWN
        }

    def _scalar(self, value: Any, shape: Shape, shown: str) -> Any:
        try:
            converted = _cast(value, shape.type_name)
        except (TypeError, ValueError):
            self._fail(shown, f"must be a {shape.type_name}, is {value!r}")
            return None
        self._constraints(converted, shape, shown)
        return converted

    def _constraints(self, value: Any, shape: Shape, shown: str) -> None:
        allowed = shape.enum if hasattr(shape, "enum") else []
        if allowed and value not in allowed:
            listed = ", ".join(allowed[:_ENUM_SHOWN]) + (", …" if len(allowed) > _ENUM_SHOWN else "")
            self._fail(shown, f"must be one of {listed}; is {value!r}")
        elif isinstance(value, str):
            self._bounds(len(value), shape, shown, "characters")
            self._pattern(value, shape, shown)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self._bounds(value, shape, shown, "")

    def _bounds(self, size: float, shape: Shape, shown: str, unit: str) -> None:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and size < least:
            self._fail(shown, f"must be at least {least} {unit}".rstrip() + f", is {size}")
        elif most is not None and size > most:
            self._fail(shown, f"must be at most {most} {unit}".rstrip() + f", is {size}")

    def _pattern(self, value: str, shape: Shape, shown: str) -> None:
        pattern = _compiled(shape.metadata.get("pattern", ""))
        if pattern is not None and not pattern.fullmatch(value):
            self._fail(shown, f"must match {shape.metadata['pattern']}, is {value!r}")

    def _fail(self, shown: str, reason: str) -> None:
        self.failures.append(Failure(shown, reason))


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or None where there is none or it is written for another engine than Python's."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def _cast(value: Any, type_name: str) -> Any:
    if type_name in ("integer", "long"):
        return _integer(value)
    if type_name in ("float", "double", "bigdecimal"):
        return float(value)
    if type_name == "boolean":
        return _boolean(value)
    if type_name == "blob":
        return value.encode() if isinstance(value, str) else value
    if type_name == "string":
        return text_of(value)
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _boolean(value: Any) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise TypeError


def text_of(value: Any) -> str:
    """A scalar as text, the way AWS writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (dict, list)):
        raise TypeError
    return str(value)


def _descend(shape: StructureShape, member: str) -> tuple[list[str], Shape]:
    """A member may lie deeper than its property: `Code.S3Bucket`."""
    place = member.split(".")
    target: Shape = shape
    for step in place:
        target = target.members[step]
    return place, target


def put(target: dict[str, Any], place: list[str], value: Any) -> None:
    """Set a value at a path of nested dicts, making those that are not there."""
    for step in place[:-1]:
        target = target.setdefault(step, {})
    existing = target.get(place[-1])
    if isinstance(existing, dict) and isinstance(value, dict):
        existing.update(value)
    else:
        target[place[-1]] = value


def shape_at(shape: Shape | None, path: str) -> Shape | None:
    """The shape at a simple path (`Vpcs[0].Tags`), or None where the path is more than that."""
    if not re.fullmatch(r"[\w.\[\]0-9]*", path):
        return _listed_shape(shape, path)
    for part in filter(None, path.split(".")):
        name, _, index = part.partition("[")
        if not isinstance(shape, StructureShape) or name not in shape.members:
            return None
        shape = shape.members[name]
        if index:
            shape = shape.member if isinstance(shape, ListShape) else None
    return shape


def _listed_shape(shape: Shape | None, path: str) -> Shape | None:
    """The shape of the element that a filter picks: `logGroups[?logGroupName=='x'] | [0]`."""
    head, bracket, _ = path.partition("[?")
    return shape_at(shape, f"{head}[0]") if bracket and path.endswith("] | [0]") else None


@dataclass(frozen=True)
class Inbound:
    """Turns what a service answered into property values of the SDK's types."""

    names: Names

    def outputs(
        self, answer: Mapping[str, Any], shape: Shape | None, kinds: Mapping[str, PropType]
    ) -> dict[str, Any]:
        """Every output that the answer has a member for; None where the member is there but empty."""
        members = tuple(shape.members) if isinstance(shape, StructureShape) else tuple(answer)
        result = {}
        for name, kind in kinds.items():
            member = self._member(name, name, members)
            if member is not None:
                result[name] = self.convert(_dig(answer, member), kind, name)
        return result

    def _member(self, name: str, path: str, members: Iterable[str]) -> str | None:
        if path in self.names:
            return _within(self.names[path], tuple(members))
        known = _lowered(tuple(members))
        return next((known[form] for form in _forms(name) if form in known), None)

    def convert(self, value: Any, kind: PropType, path: str) -> Any:
        """A value of an answer as the SDK types it."""
        if value is None:
            return None
        if kind.kind == "object":
            return self._object(value, kind, path)
        if kind.kind == "list":
            items = value if isinstance(value, list) else [value]
            return [self.convert(item, kind.item or ANY, path) for item in items]
        if kind.kind == "map":
            return self._map(value, kind, path)
        return _scalar_back(value, kind.kind)

    def _object(self, value: Any, kind: PropType, path: str) -> Any:
        if isinstance(value, list):
            return self._object(value[0], kind, path) if value else None
        if not isinstance(value, Mapping):
            return None
        result = {}
        for name, inner in kind.fields.items():
            below = f"{path}.{name}"
            member = self._member(name, below, tuple(value))
            converted = None if member is None else self.convert(_dig(value, member), inner, below)
            if converted is not None:
                result[name] = converted
        return result or None

    def _map(self, value: Any, kind: PropType, path: str) -> Any:
        if isinstance(value, list):
            value = pairs_to_map(value)
        return {key: self.convert(item, kind.item or ANY, path) for key, item in value.items()}


def _within(member: str | None, members: tuple[str, ...]) -> str | None:
    """A member that calls carry deeper (`LaunchTemplateData.ImageId`) may be at the top of an answer."""
    if not member or member.split(".")[0] in members:
        return member
    last = member.rpartition(".")[2]
    return last if last in members else None


def pairs_to_map(pairs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A list of key-value pairs as a mapping."""
    result = {}
    for pair in pairs:
        key = next(pair[name] for name in _KEYS if name in pair)
        result[key] = next((pair[name] for name in _VALUES if name in pair), "")
    return result


def _dig(answer: Mapping[str, Any], member: str) -> Any:
    value: Any = answer
    for step in member.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _scalar_back(value: Any, kind: str) -> Any:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if kind == "str":
        return text_of(value)
    if kind in ("int", "float"):
        return _number(value)
    if kind == "bool":
        return value in (True, "true", "True", "enabled")
    return value


def _number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def type_failures(value: Any, kind: PropType, shown: str) -> list[Failure]:
    """What the SDK's signature has against a value: unknown or missing names, wrong types."""
    if value is None or value is UNKNOWN or kind.kind == "any":
        return []
    if kind.kind == "object":
        return _object_failures(value, kind, shown)
    if kind.kind == "list":
        return _list_failures(value, kind, shown)
    if kind.kind == "map":
        return _map_failures(value, kind, shown)
    return _leaf_failures(value, kind.kind, shown)


def _object_failures(value: Any, kind: PropType, shown: str) -> list[Failure]:
    if not isinstance(value, Mapping):
        return [Failure(shown, f"must be an object with {', '.join(kind.fields)}; is {value!r}")]
    failures = unknown_names(value, kind.fields, shown)
    failures += [
        Failure(f"{shown}.{name}", "is required but missing")
        for name in sorted(kind.required)
        if value.get(name) is None
    ]
    for name, inner in value.items():
        if name in kind.fields:
            failures += type_failures(inner, kind.fields[name], f"{shown}.{name}")
    return failures


def unknown_names(value: Mapping[str, Any], known: Iterable[str], shown: str = "") -> list[Failure]:
    """A failure for each name that the signature does not have, with the nearest one that it has."""
    names = set(known)
    return [
        Failure(f"{shown}.{name}" if shown else name, f"is not a property of it{_hint(name, names)}")
        for name in value
        if name not in names and not name.startswith("__")
    ]


def _hint(name: str, known: set[str]) -> str:
    import difflib  # noqa: PLC0415  # slow to import and wanted only for a mistake

    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; it has {', '.join(sorted(known))}"


def _list_failures(value: Any, kind: PropType, shown: str) -> list[Failure]:
    if not isinstance(value, list):
        return [Failure(shown, f"must be a list, is {value!r}")]
    inner = kind.item or ANY
    return [
        failure
        for index, item in enumerate(value)
        for failure in type_failures(item, inner, f"{shown}[{index}]")
    ]


def _map_failures(value: Any, kind: PropType, shown: str) -> list[Failure]:
    if not isinstance(value, Mapping):
        return [Failure(shown, f"must be a map, is {value!r}")]
    inner = kind.item or ANY
    return [
        failure for key, item in value.items() for failure in type_failures(item, inner, f"{shown}.{key}")
    ]


_WORDS = {"str": "a string", "int": "a whole number", "float": "a number", "bool": "true or false"}


def _leaf_failures(value: Any, kind: str, shown: str) -> list[Failure]:
    fits = _fits(value, kind)
    return [] if fits else [Failure(shown, f"must be {_WORDS.get(kind, 'an ' + kind)}, is {value!r}")]


def _fits(value: Any, kind: str) -> bool:
    if kind == "str":
        return isinstance(value, (str, int, float))
    if kind == "bool":
        return isinstance(value, bool) or value in ("true", "false")
    if kind in ("int", "float"):
        return _fits_number(value, whole=kind == "int")
    return isinstance(value, (Asset, Archive))


def _fits_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool):
        return False
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    return number.is_integer() if whole else True
