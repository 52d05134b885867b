"""A property, and its value, in the words of the tool whose file it is changed in.

Whatever a resource was read from, its properties come under Pulumi's names. Who is told to change one looks
for it in their own file, under that tool's name: `memory_size` in Terraform, `MemorySize` in CloudFormation.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from components.visible import visible
from policies.audit.sources.types import BY_CLOUDFORMATION, BY_TERRAFORM, KEPT, Type
from policies.fixes import Fix, Path
from policies.resources import Dialect, Resource

_MANIFEST: Final = re.compile(r"(?:^|\.)kubernetes_manifest\.")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SERVERLESS: Final[Mapping[str, str]] = {
    "reservedConcurrentExecutions": "reservedConcurrency",
    "retentionInDays": "provider.logRetentionInDays",
}


def property_of(resource: Resource, path: Path) -> str:
    """What a property is called where the resource is defined."""
    match resource.dialect:
        case Dialect.PULUMI:
            return _written(path)
        case Dialect.TERRAFORM:
            return _in_terraform(resource, path)
        case Dialect.CLOUDFORMATION:
            return _in_cloudformation(resource, path)
        case Dialect.SERVERLESS:
            return _written([_SERVERLESS.get(step, step) if isinstance(step, str) else step for step in path])


def instruction(fix: Fix, about: Resource) -> str:
    """What to set to what, as a person is told to: `set reserved_concurrent_executions to 20`.

    `about` is what was judged, which need not be whose property it is.
    """
    value = value_of(fix.resource, fix.path, fix.value)
    value = value if isinstance(value, str) else json.dumps(value, default=lambda _: "not known")
    of = "" if fix.resource is about else f" of {fix.resource.name}"
    return visible(f"set {property_of(fix.resource, fix.path)}{of} to {value}")


def value_of(resource: Resource, path: Path, value: Any) -> Any:
    """What a value of a property is where the resource is defined."""
    match resource.dialect:
        case Dialect.TERRAFORM if not _MANIFEST.search(resource.name):
            return value if KEPT.intersection(path) else _renamed(value, _snake)
        case Dialect.CLOUDFORMATION:
            own = _types(terraform=False).get(resource.resource_type)
            there = _moved(own, path)
            if there and isinstance(value, list):
                return [{there.rpartition(".")[2]: each} for each in value]
            return value if KEPT.intersection(path) else _renamed(value, _capital)
        case _:
            return value


def _renamed(value: Any, called: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {called(name): _renamed(each, called) for name, each in value.items()}
    return [_renamed(each, called) for each in value] if isinstance(value, list) else value


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _moved(own: Type | None, path: Path) -> str:
    """Where CloudFormation has a property that it has deeper; nothing where it has not."""
    if own is None or len(path) != 1:
        return ""
    return next((there for there, here in own.moved.items() if here == path[0]), "")


def _in_terraform(resource: Resource, path: Path) -> str:
    if _MANIFEST.search(resource.name):
        return _written(("manifest", *path))
    own = _types(terraform=True).get(resource.resource_type)
    theirs = {**own.lists, **own.terraform_names} if own is not None else {}
    names = {there: here for here, there in theirs.items()}
    steps = [names.get(step) or _snake(step) if isinstance(step, str) else step for step in path]
    return _written(steps)


def _in_cloudformation(resource: Resource, path: Path) -> str:
    own = _types(terraform=False).get(resource.resource_type)
    there = _moved(own, path)
    if there:
        return there.rpartition(".")[0]
    within = [own.hoisted[0]] if own is not None and own.hoisted else []
    steps = [_capital(step) if isinstance(step, str) else step for step in path]
    return ".".join([*within, _written(steps)])


@cache
def _types(*, terraform: bool) -> Mapping[str, Type]:
    known = BY_TERRAFORM if terraform else BY_CLOUDFORMATION
    return {each.pulumi: each for each in known.values()}


def _written(path: Path | list[str | int]) -> str:
    """A path as people write it: `spec.containers[0].image`, `nodeSelector["a/b"]`."""
    written = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
        elif _PLAIN.fullmatch(step) or ("." in step and "/" not in step):
            written += f".{step}" if written else step
        else:
            written += f'["{step}"]'
    return written
