"""A property in the words of the tool whose file it is changed in.

Whatever a resource was read from, its properties come under Pulumi's names. Who is told to change one looks
for it in their own file, under that tool's name: `memory_size` in Terraform, `MemorySize` in CloudFormation.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from components.visible import visible
from policies.audit.sources.types import BY_CLOUDFORMATION, BY_TERRAFORM, Type
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
    value = fix.value if isinstance(fix.value, str) else json.dumps(fix.value, default=lambda _: "not known")
    of = "" if fix.resource is about else f" of {fix.resource.name}"
    return visible(f"set {property_of(fix.resource, fix.path)}{of} to {value}")


def _in_terraform(resource: Resource, path: Path) -> str:
    if _MANIFEST.search(resource.name):
        return _written(("manifest", *path))
    own = _types(terraform=True).get(resource.resource_type)
    theirs = {**own.lists, **own.terraform_names} if own is not None else {}
    names = {there: here for here, there in theirs.items()}
    steps = [
        names.get(step) or _HUMP.sub("_", step).lower() if isinstance(step, str) else step for step in path
    ]
    return _written(steps)


def _in_cloudformation(resource: Resource, path: Path) -> str:
    own = _types(terraform=False).get(resource.resource_type)
    if own is not None and len(path) == 1:
        for there, here in own.moved.items():
            if here == path[0]:
                return there.rpartition(".")[0]
    within = [own.hoisted[0]] if own is not None and own.hoisted else []
    steps = [f"{step[:1].upper()}{step[1:]}" if isinstance(step, str) else step for step in path]
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
