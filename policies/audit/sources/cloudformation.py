"""CloudFormation templates as resources.

A resource's properties are the template's, its intrinsic functions taken for what they stand for, under
Pulumi's names. What a property refers to is what it was computed from. What other tools write in words of
their own (`sam`, `serverless`) becomes the entries that they would deploy, and is read as these.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources.documents import Document, Found
from policies.audit.sources.intrinsics import NO_VALUE, Intrinsics
from policies.audit.sources.model import Unread
from policies.audit.sources.places import Path
from policies.audit.sources.types import BY_CLOUDFORMATION, KEPT, Part, Type
from policies.reading.bags import UNKNOWN
from policies.resources import Dialect, Resource

_TYPE: Final = pattern(r"[A-Za-z0-9]+::[A-Za-z0-9:]+(?:@[\w.-]+)?\Z")
_ACRONYM: Final = pattern(r"^(?:[A-Z]+(?=[A-Z][a-z]|[0-9]|$)|[A-Z])")
_MACRO: Final = "Fn::"
"""What stands for resources where one is expected: a loop, an include."""
_TAG: Final = frozenset({"Key", "Value"})
_DIMENSION: Final = frozenset({"Name", "Value"})
_PROCESSED: Final = "audit what it becomes: aws cloudformation get-template --template-stage Processed"
_CORRECT: Final = "correct it: aws cloudformation validate-template tells more"


def is_one(value: Any) -> bool:
    """Whether a document is a CloudFormation template."""
    resources = value.get("Resources") if isinstance(value, Mapping) else None
    if not isinstance(resources, Mapping):
        return False
    return "AWSTemplateFormatVersion" in value or any(
        isinstance(each, Mapping) and isinstance(each.get("Type"), str) and _TYPE.match(each["Type"])
        for each in resources.values()
    )


def read(document: Document) -> Found:
    """Every resource of a template that is created."""
    entries: list[Entry] = []
    for each in written(document, document.value, ("Resources",)):
        if isinstance(each, Unread):
            yield each
        else:
            entries.append(each)
    yield from resources_of(document, document.value, entries)


@dataclass(frozen=True, slots=True)
class Entry:
    """A resource in the words of a template."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    path: Path
    """Where it is written in its document."""
    condition: Any = None
    depends_on: tuple[str, ...] = ()
    part: Part | None = None
    """What it is of another resource, where it is written in one."""
    carried: Mapping[str, Any] = field(default_factory=dict)
    """Properties that it has of the resource it is written in, under Pulumi's names."""
    dialect: Dialect = Dialect.CLOUDFORMATION
    """In whose words its owner has it."""


def written(document: Document, template: Mapping[str, Any], path: Path) -> Iterator[Entry | Unread]:
    """The entries of a template's section of resources."""
    for logical_id, each in template["Resources"].items():
        here = (*path, logical_id)
        if logical_id.startswith(_MACRO):
            yield document.unread("is for CloudFormation to expand", _PROCESSED, *here)
        elif not isinstance(each, Mapping) or not isinstance(each.get("Type"), str):
            yield document.unread("is a resource without a type", _CORRECT, *here)
        else:
            properties = each.get("Properties")
            if properties is not None and not isinstance(properties, Mapping):
                yield document.unread("has properties that are no mapping", _CORRECT, *here)
                properties = None
            before = each.get("DependsOn")
            yield Entry(
                logical_id,
                each["Type"],
                properties or {},
                here,
                each.get("Condition"),
                tuple(_texts(before)),
            )


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield each


def resources_of(document: Document, template: Mapping[str, Any], entries: Iterable[Entry]) -> Found:
    """Entries as resources that are related as their properties refer to each other."""
    created = Intrinsics(template, {})
    kept = [entry for entry in entries if created.holds(entry.condition) is not False]
    named = Intrinsics(template, {entry.logical_id: UNKNOWN for entry in kept if entry.part is None})
    intrinsics = Intrinsics(template, dict.fromkeys(named.names, UNKNOWN) | dict(_names(named, kept)))
    made: dict[str, Resource] = {}
    waiting: list[tuple[Resource, _Translated, Entry]] = []
    for entry in kept:
        found = document.tried(entry.path, partial(_made, document, entry, intrinsics))
        if isinstance(found, Unread):
            yield found
            continue
        waiting += found
        if entry.part is None:
            made.setdefault(entry.logical_id, found[0][0])
    for resource, translated, entry in waiting:
        _relate(resource, translated, entry, made)
        yield resource


def _names(intrinsics: Intrinsics, entries: Iterable[Entry]) -> Iterator[tuple[str, Any]]:
    """What `Ref` stands for, where a resource is named in the template."""
    for entry in entries:
        of = BY_CLOUDFORMATION.get(entry.type)
        if of is None or of.ref != of.called or entry.part is not None:
            continue
        for key, value in _hoisted(entry.properties, of, intrinsics).items():
            if of.cloudformation_names.get(key, _camel(key)) == of.called:
                name = _name(value, intrinsics)
                yield entry.logical_id, name if isinstance(name, str) else UNKNOWN


def _name(written: Any, intrinsics: Intrinsics) -> Any:
    try:
        return intrinsics.value(written).plain
    except RecursionError:  # its resource will be told to be unread
        return UNKNOWN


def _made(
    document: Document, entry: Entry, intrinsics: Intrinsics
) -> list[tuple[Resource, "_Translated", Entry]]:
    """A resource with what is written in it, each with what was made of its properties."""
    found = []
    for each in _with_parts(entry, intrinsics):
        translated = _translated(each, intrinsics)
        found.append((_resource(document, each, translated), translated, each))
    return found


def _resource(document: Document, entry: Entry, translated: "_Translated") -> Resource:
    name = entry.logical_id
    return Resource(
        translated.type,
        name,
        f"{document.file}#{name}",
        translated.props,
        location=document.at(*entry.path),
        dialect=entry.dialect,
    )


def _relate(
    resource: Resource, translated: "_Translated", entry: Entry, made: Mapping[str, Resource]
) -> None:
    before: dict[str, None] = dict.fromkeys(entry.depends_on)
    for name, refers_to in translated.refers_to.items():
        found = [made[each] for each in sorted(refers_to) if each in made and made[each] is not resource]
        if found:
            resource.property_dependencies[name] = found
            before |= dict.fromkeys(sorted(refers_to))
    resource.dependencies = [made[each] for each in before if each in made and made[each] is not resource]


# -- parts


def _with_parts(entry: Entry, intrinsics: Intrinsics) -> Iterator[Entry]:
    """A resource, and what is written in it that is a resource of its own elsewhere."""
    yield entry
    of = BY_CLOUDFORMATION.get(entry.type)
    for part in of.parts if of is not None else ():
        held = intrinsics.branch(entry.properties.get(part.at))
        each_of = held if isinstance(held, list) else [held]
        carried = {
            theirs: entry.properties[ours]
            for ours, theirs in part.carried.items()
            if ours in entry.properties
        }
        for index, each in enumerate(intrinsics.branch(each) for each in each_of):
            if isinstance(each, Mapping):
                name = each.get("Id", index + 1)
                yield Entry(
                    f"{entry.logical_id}/{name if isinstance(name, str | int) else index + 1}",
                    entry.type,
                    each,
                    entry.path,
                    part=part,
                    carried=carried,
                )


# -- properties


@dataclass(slots=True)
class _Translated:
    """A resource in Pulumi's words."""

    type: str
    props: dict[str, Any] = field(default_factory=dict)
    refers_to: dict[str, set[str]] = field(default_factory=dict)
    """Logical IDs, by the property that refers to them."""


def _translated(entry: Entry, intrinsics: Intrinsics) -> _Translated:
    of = BY_CLOUDFORMATION.get(entry.type)
    if of is None:
        return _Translated(entry.type)
    if entry.part is not None:
        of = Type(entry.part.pulumi, cloudformation_names=entry.part.names)
    found = _Translated(of.pulumi)
    properties = _hoisted(entry.properties, of, intrinsics)
    for name, value in entry.carried.items():
        _add(found, name, value, intrinsics, lambda plain: plain)
    for key, value in properties.items():
        name = of.cloudformation_names.get(key, _camel(key))
        _add(found, name, value, intrinsics, partial(_in_their_words, of, key))
    for source, target in of.moved.items():
        _move(found, properties, source, target, intrinsics)
    if of.called:
        found.props.setdefault(of.called, UNKNOWN)
    return found


def _add(
    found: _Translated, name: str, value: Any, intrinsics: Intrinsics, translate: Callable[[Any], Any]
) -> None:
    known = intrinsics.value(value)
    if known.plain is not NO_VALUE and (name not in found.props or found.props[name] is UNKNOWN):
        found.props[name] = translate(known.plain)
    found.refers_to.setdefault(name, set()).update(known.refers_to)


def _hoisted(properties: Mapping[str, Any], of: Type, intrinsics: Intrinsics) -> Mapping[str, Any]:
    """Properties with those of the objects in them that are the resource's own."""
    flat = dict(properties)
    for name in of.hoisted:
        inner = intrinsics.branch(flat.get(name))
        if "." not in name and isinstance(inner, Mapping):
            del flat[name]
            flat = {**flat, **inner}
    return flat


def _in_their_words(of: Type, path: str, value: Any) -> Any:
    """A known value under Pulumi's names. `path` is where it stands, in CloudFormation's names."""
    name = of.cloudformation_names.get(path, _camel(path.rpartition(".")[2]))
    if name in of.as_text:
        return _as_text(of, path, value)
    return _as_map(value) if name in KEPT else _renamed(of, path, value)


def _renamed(of: Type, path: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(of, path, each) for each in value]
    if not isinstance(value, dict):
        return value
    renamed: dict[str, Any] = {}
    for key, each in value.items():
        inner = f"{path}.{key}"
        if inner in of.hoisted and isinstance(each, dict):
            renamed |= _renamed(of, inner, each)
        else:
            renamed[of.cloudformation_names.get(inner, _camel(key))] = _in_their_words(of, inner, each)
    return [renamed] if path in of.listed else renamed


def _as_map(value: Any) -> Any:
    """Tags and dimensions, which are lists of pairs in most types."""
    if not isinstance(value, list):
        return value
    pairs: dict[str, Any] = {}
    for each in value:
        if not isinstance(each, dict) or set(each) not in (_TAG, _DIMENSION):
            return [_camel_keys(each) for each in value]
        key = each.get("Key", each.get("Name"))
        if isinstance(key, str):
            pairs[key] = each["Value"]
    return pairs


def _camel_keys(value: Any) -> Any:
    return {_camel(key): each for key, each in value.items()} if isinstance(value, dict) else value


def _as_text(of: Type, path: str, value: Any) -> Any:
    """What is a text of JSON in Pulumi, written out in the template or not; with gaps it stays as it is."""
    if isinstance(value, list):
        value = _renamed(of, path, value)
    if not isinstance(value, dict | list):
        return value
    try:
        return json.dumps(value)
    except TypeError:
        return value


def _move(
    found: _Translated, properties: Mapping[str, Any], source: str, target: str, intrinsics: Intrinsics
) -> None:
    first, *rest = source.split(".")
    if first not in properties:
        return
    known = intrinsics.value(properties[first])
    value = known.plain
    for step in rest:
        if isinstance(value, list):
            value = [each.get(step) if isinstance(each, dict) else each for each in value]
        elif isinstance(value, dict):
            value = value.get(step)
    if value is not None:
        found.props[target] = value
    found.refers_to.setdefault(target, set()).update(known.refers_to)


def _camel(name: str) -> str:
    """CloudFormation's spelling of a name as Pulumi's."""
    return _ACRONYM.sub(lambda match: match[0].lower(), name, count=1)
