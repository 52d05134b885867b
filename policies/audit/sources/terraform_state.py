"""A Terraform state: the file of a backend, or what `terraform show -json` prints of it."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, TypeAlias

from policies.audit.sources.documents import Document, Found
from policies.audit.sources.model import Unread
from policies.audit.sources.places import Path
from policies.audit.sources.terraform_values import (
    MOST_RELATED,
    address_of,
    is_taken,
    overlaid,
    resource,
    without_keys,
)
from policies.reading.bags import UNKNOWN, fetch
from policies.resources import Resource

_VERSION: Final = 4
_OF_ANY_TYPE: Final = {"value", "type"}
"""What a state has for a value whose type the provider leaves open: no path tells of it."""
_SHOW: Final = "audit what its own version tells: terraform show -json > state.json"
_DECRYPT: Final = "audit what tofu tells: tofu show -json > state.json"
_BROKEN: Final = "pull the state again: terraform state pull > state.json"
_MODULES_WITHIN_MODULES: Final = 64
_Made: TypeAlias = tuple[Resource | Unread, Any]
"""A resource, and the addresses of what must exist before it."""


def is_one(value: Any) -> bool:
    """Whether a document is a Terraform state."""
    if not isinstance(value, Mapping):
        return False
    if "encrypted_data" in value and "lineage" in value:
        return True
    if isinstance(value.get("version"), int) and ("terraform_version" in value or "lineage" in value):
        return "resources" in value or "modules" in value
    return "format_version" in value and isinstance(fetch(value, "values", "root_module"), Mapping)


def read(document: Document) -> Found:
    """Every resource of a state."""
    value = document.value
    if "encrypted_data" in value:
        yield document.unread("is encrypted", _DECRYPT)
    elif "format_version" in value:
        yield from shown(document, ("values", "root_module"))
    elif value["version"] != _VERSION:
        yield document.unread(f"is a Terraform state of version {value['version']}", _SHOW)
    else:
        yield from _stored(document, value.get("resources"))


def _stored(document: Document, states: Any) -> Found:
    made: list[_Made] = []
    for index, state in enumerate(states if isinstance(states, list) else ()):
        path = ("resources", index)
        if not isinstance(state, Mapping) or not isinstance(state.get("instances"), list):
            yield document.unread("is no resource of a Terraform state", _BROKEN, *path)
        elif is_taken(state.get("mode"), state.get("type")):
            for instance in state["instances"]:
                # A deposed one was replaced, and waits for its deletion.
                if isinstance(instance, Mapping) and instance.get("deposed") is None:
                    found = document.tried(path, partial(_instance, document, state, instance, path))
                    made.append((found, instance.get("dependencies")))
    yield from _related(made)


def _instance(
    document: Document, state: Mapping[str, Any], instance: Mapping[str, Any], path: Path
) -> Resource:
    module, mode, kind = state.get("module"), state["mode"], state["type"]
    address = address_of(module, mode, kind, state.get("name"), instance.get("index_key"))
    return resource(document, address, kind, _without_sensitive(instance), path)


def _without_sensitive(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    attributes = instance.get("attributes")
    values = dict(attributes) if isinstance(attributes, Mapping) else {}
    paths = instance.get("sensitive_attributes")
    for path in paths if isinstance(paths, list) else ():
        steps = [_step(step) for step in path] if isinstance(path, list) else [None]
        if not steps or None in steps:
            values = {}  # hide all rather than too little
        elif steps and steps[0] in values:
            values = _hidden(values, steps)
    return values


def _step(step: Any) -> str | int | None:
    """A key or an index: `{"type": "get_attr", "value": "x"}`, `{"type": "index", "value": {"value": 0}}`."""
    value = fetch(step, "value")
    if isinstance(value, Mapping):
        value = value.get("value")
    return value if isinstance(value, str | int) else None


def _hidden(value: Any, steps: list[Any]) -> Any:
    if not steps:
        return UNKNOWN
    step, *rest = steps
    if isinstance(value, dict):
        return _hidden_in_object(value, step, rest)
    if isinstance(value, list) and isinstance(step, int):
        return [_hidden(each, rest) if index == step else each for index, each in enumerate(value)]
    if isinstance(value, list):  # a set, whose items no path tells apart
        return [_hidden(each, steps) for each in value]
    return UNKNOWN if value is not None else value


def _hidden_in_object(value: dict[str, Any], step: Any, rest: list[Any]) -> Any:
    is_of_any_type = value.keys() == _OF_ANY_TYPE
    if step in value and not is_of_any_type:
        return {**value, step: _hidden(value[step], rest)}
    if is_of_any_type and step not in value:
        return {**value, "value": _hidden(value["value"], [step, *rest])}
    return UNKNOWN  # what is meant is somewhere in it: hide all rather than too little


# -- what `terraform show -json` prints


def shown(document: Document, path: Path) -> Found:
    """Every resource of a module, and of those within it."""
    made: list[_Made] = []
    for each in described(document, path):
        if isinstance(each, Unread):
            yield each
        else:
            _, description, where = each
            found = document.tried(where, partial(of_description, document, each))
            made.append((found, description.get("depends_on")))
    yield from _related(made)


Described: TypeAlias = tuple[str, Mapping[str, Any], Path]
"""The address of a resource, what is said of it, and where."""


def of_description(document: Document, described: Described, *flags: Any) -> Resource:
    """A resource as it is described, with UNKNOWN where it is sensitive, or where other flags say so."""
    address, description, path = described
    values = description.get("values")
    for each in (*flags, description.get("sensitive_values")):
        values = overlaid(values, each)
    bag = values if isinstance(values, Mapping) else {}
    return resource(document, address, description["type"], bag, path)


def described(document: Document, path: Path) -> Iterator[Described | Unread]:
    """Each resource of a module that is taken, and of the modules within it."""
    waiting = [path]
    while waiting:
        here = waiting.pop()
        if len(here) > _MODULES_WITHIN_MODULES:
            yield document.unread("is a module in a module in a module", _SHOW, *here)
            continue
        descriptions = fetch(document.value, *here, "resources")
        for index, description in enumerate(descriptions if isinstance(descriptions, list) else ()):
            where = (*here, "resources", index)
            if not isinstance(description, Mapping) or not isinstance(description.get("address"), str):
                yield document.unread("is no resource of a Terraform state", _BROKEN, *where)
            elif is_taken(description.get("mode"), description.get("type")):
                yield description["address"], description, where
        modules = fetch(document.value, *here, "child_modules")
        count = len(modules) if isinstance(modules, list) else 0
        waiting += [(*here, "child_modules", index) for index in reversed(range(count))]


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield each


def _related(made: list[_Made]) -> Found:
    by_address: dict[str, list[Resource]] = {}
    for each, _ in made:
        if isinstance(each, Resource):
            by_address.setdefault(without_keys(each.name), []).append(each)
    for each, before in made:
        if isinstance(each, Resource):
            addresses = (without_keys(name) for name in _texts(before))
            others = (other for address in addresses for other in by_address.get(address, ()))
            each.dependencies = [other for other in islice(others, MOST_RELATED) if other is not each]
        yield each
