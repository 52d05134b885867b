"""What `pulumi_aws` says about a resource type: property names, types, what is required.

The SDK's own signatures are the truth about names. They are read from its source, one class at a time:
importing `pulumi_aws.ec2` takes over a second and executes 28,000 lines to describe one resource, while
the generated text is so regular that a class can be cut out and its getters listed. A test holds the
result to what Pulumi's own introspection says of the imported classes, for every type of the table.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

Kind = Literal["str", "int", "float", "bool", "object", "list", "map", "archive", "asset", "any"]


@dataclass(frozen=True)
class PropType:
    """The type of one property. `fields` is there for objects, `item` for lists and maps."""

    kind: Kind
    item: PropType | None = None
    fields: Mapping[str, PropType] = field(default_factory=dict)
    required: frozenset[str] = frozenset()


ANY = PropType("any")
_SCALARS: Mapping[str, Kind] = {"str": "str", "int": "int", "float": "float", "bool": "bool", "Any": "any"}


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs of one resource type (or of the provider itself: no outputs)."""

    inputs: Mapping[str, PropType]
    required: frozenset[str]
    outputs: Mapping[str, PropType]


class UnknownTypeError(Exception):
    """The SDK has no such resource."""


def version() -> str:
    """The version of the installed SDK; the plugin reports it as its own."""
    text = next(_root().parent.glob("pulumi_aws-*.dist-info")).name
    return text.removeprefix("pulumi_aws-").removesuffix(".dist-info")


@cache
def signature(token: str) -> Signature:
    """The signature of a resource type such as `aws:ec2/vpc:Vpc`."""
    _, module, name = token.split(":")
    folder, _, stem = module.partition("/")
    package = "lambda_" if folder == "lambda" else folder
    path = _root() / package / f"{_snake(stem)}.py"
    if not path.is_file():
        raise UnknownTypeError(f"pulumi_aws has no resource type {token}")
    return _read(path, name, _Nested(_root() / package))


@cache
def provider_signature() -> Signature:
    """The signature of `pulumi_aws.Provider`."""
    inputs, required = _properties(
        _class_text(_root() / "provider.py", "ProviderArgs"), _Nested(_root()), "ProviderArgs"
    )
    return Signature(inputs, required, {})


def _read(path: Path, name: str, nested: _Nested) -> Signature:
    # A resource whose name with `Args` is a nested type's as well has its own as `…InitArgs`.
    arguments = f"{name}Args" if f"class {name}Args:" in _text(path) else f"{name}InitArgs"
    inputs, required = _properties(_class_text(path, arguments), nested, arguments)
    outputs, _ = _properties(_class_text(path, name), nested, name)
    return Signature(inputs, required, outputs)


@dataclass(frozen=True)
class _Nested:
    """Where the classes named in a module's annotations are defined."""

    folder: Path

    def resolve(self, name: str) -> PropType:
        if name.startswith(("_enums.", "_root_enums.")):
            return PropType("str")
        folder = self._folder(name.partition(".")[0] if "." in name else "")
        output = name.startswith(("outputs.", "_root_outputs."))
        plain = name.rpartition(".")[2]
        file = folder / ("outputs.py" if output else "_inputs.py")
        if not output and not plain.endswith("Args"):
            return PropType("str")  # an enum, or a resource passed where its id or ARN is wanted
        return _object(file, plain)

    def _folder(self, module: str) -> Path:
        if module in ("_root_inputs", "_root_outputs"):
            return _root()
        return self.folder if module in ("", "outputs") else _root() / module.lstrip("_")


@cache
def _object(path: Path, name: str) -> PropType:
    fields, required = _properties(_class_text(path, name), _Nested(path.parent), name)
    return PropType("object", fields=fields, required=required)


_GETTER = re.compile(
    r'@pulumi\.getter(?:\(name="(?P<wire>\w+)"\))?\n'
    r"(?:    @.*\n)*"
    r"    def (?P<name>\w+)\(self\) -> (?P<type>.+):\n"
)
_WITHOUT_DEFAULT = re.compile(r"^ {17}(\w+): [^=]+?(?:,|\):)$", re.MULTILINE)


def _properties(text: str, nested: _Nested, name: str) -> tuple[dict[str, PropType], frozenset[str]]:
    found: dict[str, PropType] = {}
    wire_names: dict[str, str] = {}
    for match in _GETTER.finditer(text):
        wire = match["wire"] or match["name"]
        wire_names[match["name"]] = wire
        found[wire] = _type(match["type"], nested, within=name)
    constructor = text[: text.find('"""')]
    required = {wire_names[p] for p in _WITHOUT_DEFAULT.findall(constructor) if p in wire_names}
    return found, frozenset(required)


def _type(annotation: str, nested: _Nested, within: str) -> PropType:
    return _typed(_parse(annotation), nested, within)


@cache
def _parse(annotation: str) -> ast.expr:
    return ast.parse(annotation, mode="eval").body


def _typed(node: ast.expr, nested: _Nested, within: str) -> PropType:
    match node:
        case ast.Constant(value=str(name)):
            # A type that contains itself (a JSON-schema-like tree) is left open at the second level.
            return ANY if name.rpartition(".")[2] == within else nested.resolve(name)
        case ast.Attribute(attr=attr) | ast.Name(id=attr):
            return _named(attr, nested)
        case ast.Subscript(value=ast.Attribute(attr=outer) | ast.Name(id=outer), slice=inner):
            return _generic(outer, inner, nested, within)
    return ANY


def _named(name: str, nested: _Nested) -> PropType:
    if name == "Archive":
        return PropType("archive")
    if name == "Asset":
        return PropType("asset")
    return PropType(_SCALARS[name]) if name in _SCALARS else nested.resolve(name)


def _generic(outer: str, inner: ast.expr, nested: _Nested, within: str) -> PropType:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if outer == "Sequence":
        return PropType("list", item=_typed(parts[0], nested, within))
    if outer == "Mapping":
        return PropType("map", item=_typed(parts[1], nested, within))
    if outer == "Union":
        return _union([_typed(part, nested, within) for part in parts])
    return _typed(parts[0], nested, within)  # Input, Output, Optional, Awaitable


def _union(members: list[PropType]) -> PropType:
    """A policy may be JSON text or an object that becomes it: either goes."""
    kinds = {member.kind for member in members}
    if kinds <= {"asset", "archive"}:
        return PropType("asset" if "asset" in kinds else "archive")
    return members[0] if len(kinds) == 1 else ANY


def _class_text(path: Path, name: str) -> str:
    # `str.find` and no pattern: some of these files have 30,000 lines, and every preview looks for dozens.
    text = _text(path)
    start = max(text.find(f"\nclass {name}{opening}") for opening in (":", "("))
    if start < 0:
        raise UnknownTypeError(f"{path.name} of pulumi_aws has no class {name}")
    ends = [text.find(heading, start + 1) for heading in ("\nclass ", "\n@pulumi.")]
    return text[start + 1 : min((end for end in ends if end > 0), default=None)]


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _root() -> Path:
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise ImportError("the pulumi_aws package is not installed: run `make setup`")
    return Path(spec.origin).parent


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", camel).lower()
