"""Property values as the provider works with them, and their wire form.

Inside the provider a property bag is plain Python: dict, list, str, int, float, bool, plus the few things
Python has no word for. Secrets are taken off on the way in, remembered by path, and put back on the way
out, so that no code in between can forget about them or print them by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

Bag = dict[str, Any]
Path = tuple[str, ...]

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
# One sentinel per kind of value: the engine picks by the kind it expects where it knows it.
_UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWNS: Final = frozenset(
    {
        _UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)


class _Unknown:
    """A value that only the update will tell."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        return True


UNKNOWN: Final = _Unknown()


@dataclass(frozen=True)
class Secret:
    value: Any


class _Content:
    """Files are the same when their content is; the engine has worked out its hash."""

    digest: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Content) or type(other) is not type(self):
            return NotImplemented
        if self.digest and other.digest:
            return self.digest == other.digest
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.digest)


@dataclass(frozen=True, eq=False)
class Asset(_Content):
    """One file: `kind` is path, text or uri."""

    kind: str
    value: str
    digest: str = ""


@dataclass(frozen=True, eq=False)
class Archive(_Content):
    """Many files: `kind` is path, uri or assets (a dict of name to Asset or Archive)."""

    kind: str
    value: Any
    digest: str = ""


@dataclass(frozen=True)
class Reference:
    """A whole resource passed as a value; what a service wants of it is its id."""

    urn: str
    resource_id: Any
    version: str = ""


def decode(struct: struct_pb2.Struct) -> Bag:
    """The property bag on the wire, secrets still wrapped."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in _UNKNOWNS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_struct(value.struct_value)
    return None


def _decode_struct(struct: struct_pb2.Struct) -> Any:
    plain = decode(struct)
    signature = plain.get(_SIGNATURE)
    if signature is None:
        return plain
    if signature == _SECRET:
        return Secret(plain.get("value"))
    if signature == _OUTPUT:
        inner = plain.get("value", UNKNOWN)
        return Secret(inner) if plain.get("secret") else inner
    if signature == _RESOURCE:
        return Reference(plain["urn"], plain.get("id"), plain.get("packageVersion", ""))
    return _decode_file(signature, plain)


def _decode_file(signature: Any, plain: Bag) -> Asset | Archive:
    """A file, or many. What the engine kept of an earlier one is its hash: its content is long gone."""
    digest = plain.get("hash", "")
    if signature == _ASSET:
        kind = next((kind for kind in ("path", "uri") if plain.get(kind)), "text")
        return Asset(kind, plain.get(kind, ""), digest)
    if signature == _ARCHIVE:
        kind = next((kind for kind in ("path", "uri") if plain.get(kind)), "assets")
        return Archive(kind, plain.get(kind, {}), digest)
    raise ValueError(f"a value on the wire has the unknown signature {signature}")


def encode(bag: Mapping[str, Any]) -> struct_pb2.Struct:
    """The wire form; `None` is left out, as the engine reads an absent property."""
    struct = struct_pb2.Struct()
    for key, value in bag.items():
        if value is not None:
            struct.fields[key].CopyFrom(_encode(value))
    return struct


def _encode(value: Any) -> struct_pb2.Value:
    wire = struct_pb2.Value()
    match value:
        case None:
            wire.null_value = struct_pb2.NULL_VALUE
        case _Unknown():
            wire.string_value = _UNKNOWN_STRING
        case bool():
            wire.bool_value = value
        case int() | float():
            wire.number_value = float(value)
        case str():
            wire.string_value = value
        case list() | tuple():
            wire.list_value.CopyFrom(struct_pb2.ListValue(values=[_encode(item) for item in value]))
        case _:
            wire.struct_value.CopyFrom(encode(value if isinstance(value, Mapping) else _signed(value)))
    return wire


def _signed(value: Any) -> Bag:
    match value:
        case Secret(inner):
            return {_SIGNATURE: _SECRET, "value": inner}
        case Asset(kind, content, digest):
            return {_SIGNATURE: _ASSET, kind: content, "hash": digest or None}
        case Archive(kind, content, digest):
            return {_SIGNATURE: _ARCHIVE, kind: content, "hash": digest or None}
        case Reference(urn, resource_id, version):
            return {_SIGNATURE: _RESOURCE, "urn": urn, "id": resource_id, "packageVersion": version or None}
    raise TypeError(f"a {type(value).__name__} cannot be a property value")


def reveal(value: Any) -> Any:
    """The value without its secret wrappers, references turned into the id they stand for."""
    match value:
        case Secret(inner):
            return reveal(inner)
        case Reference():
            return UNKNOWN if value.resource_id is None else reveal(value.resource_id)
        case dict():
            return {key: reveal(item) for key, item in value.items()}
        case list():
            return [reveal(item) for item in value]
    return value


def secret_paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """Where the secrets are. A list is secret as a whole: its order may differ when it comes back."""
    match value:
        case Secret():
            yield at
        case dict():
            for key, item in value.items():
                yield from secret_paths(item, (*at, key))
        case list() if any(True for item in value for _ in secret_paths(item)):
            yield at


def conceal(bag: Mapping[str, Any], paths: Iterable[Path]) -> Bag:
    """The bag with what lies at `paths` marked secret."""
    result = dict(bag)
    for path in paths:
        _conceal(result, path)
    return result


def _conceal(bag: Bag, path: Path) -> None:
    head, rest = path[0], path[1:]
    value = bag.get(head)
    if value is None or isinstance(value, Secret):
        return
    if rest and isinstance(value, dict):
        bag[head] = dict(value)
        _conceal(bag[head], rest)
    else:
        bag[head] = Secret(value)


def has_unknown(value: Any) -> bool:
    """Whether any part of the value is not known yet."""
    match value:
        case _Unknown():
            return True
        case dict():
            return any(has_unknown(item) for item in value.values())
        case list():
            return any(has_unknown(item) for item in value)
    return False
