"""Values of Terraform (and OpenTofu, which has the same) under Pulumi's names.

Terraform writes a block as a list, even where there can only be one, and an optional text that nobody set as
an empty one. A value that is sensitive, or that applying will tell, is UNKNOWN.
"""

import json
from collections.abc import Mapping
from re import compile as pattern
from typing import Any, Final

from policies.audit.sources import kubernetes
from policies.audit.sources.documents import Document
from policies.audit.sources.places import Path
from policies.audit.sources.types import BY_TERRAFORM, KEPT, Type, camel
from policies.reading.bags import UNKNOWN
from policies.resources import Dialect, Resource

_MANIFEST: Final = "kubernetes_manifest"
_UNSET: Final[tuple[Any, ...]] = (None, "", [])
MOST_RELATED: Final = 200
"""Resources that one is related to, in one way: more would only cost time."""
_KEY: Final = pattern(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]')
"""Of an instance, in an address."""
_LOOKED_UP: Final = frozenset({"aws_subnet", "aws_eks_cluster"})
"""Types of which a data source says something of a resource that is managed."""


def is_taken(mode: Any, terraform_type: Any) -> bool:
    """Whether a resource is managed, or looked up and of use."""
    return isinstance(terraform_type, str) and (
        mode == "managed" or (mode == "data" and terraform_type in _LOOKED_UP)
    )


def resource(
    document: Document, address: str, terraform_type: str, values: Mapping[str, Any], path: Path
) -> Resource:
    """A resource by its address; of a type that nothing reads without its values."""
    of = BY_TERRAFORM.get(terraform_type)
    pulumi, props = terraform_type, {}
    if of is not None:
        pulumi, props = of.pulumi, _renamed(of, values, of.terraform_names)
    elif terraform_type == _MANIFEST:
        pulumi, props = _manifest(values)
    urn, where = f"{document.file}#{address}", document.at(*path)
    return Resource(pulumi, address, urn, props, location=where, dialect=Dialect.TERRAFORM)


def _manifest(values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A Kubernetes object, which a state keeps beside its type."""
    manifest = values.get("manifest")
    if isinstance(manifest, Mapping) and isinstance(manifest.get("value"), Mapping) and "type" in manifest:
        manifest = manifest["value"]
    if not isinstance(manifest, Mapping) or not kubernetes.is_one(manifest):
        return _MANIFEST, {}
    pulumi = kubernetes.token(manifest["apiVersion"], manifest["kind"])
    return pulumi, dict(kubernetes.without_secrets(pulumi, manifest))


def _renamed(of: Type, values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, value in values.items():
        if value not in _UNSET:
            own = camel(key)
            inner = value if own in KEPT and isinstance(value, dict) else _value(of, key, value)
            renamed[names.get(key) or of.lists.get(key) or own] = inner
    return renamed


def _value(of: Type, key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _renamed(of, value, {})
    if not isinstance(value, list):
        return value
    items = [_renamed(of, each, {}) if isinstance(each, dict) else each for each in value]
    is_block = len(items) == 1 and isinstance(items[0], dict)
    return items[0] if is_block and key not in of.lists else items


def overlaid(value: Any, flags: Any) -> Any:
    """A value with UNKNOWN wherever flags of the same shape say so, also where there is no value."""
    if flags is True:
        return UNKNOWN
    if isinstance(flags, dict):
        marked = dict(value) if isinstance(value, dict) else {}
        for key, flag in flags.items():
            found = overlaid(marked.get(key), flag)
            if found is not None:
                marked[key] = found
        return marked if marked else value
    if isinstance(flags, list):
        items = list(value) if isinstance(value, list) else []
        for index, flag in enumerate(flags):
            found = overlaid(items[index] if index < len(items) else None, flag)
            if index < len(items):
                items[index] = found
            elif found is not None:
                items.append(found)
        return items if items else value
    return value


def address_of(module: Any, mode: Any, terraform_type: str, name: Any, key: Any) -> str:
    """The address of an instance, put together from its parts."""
    parts = [module, "data" if mode == "data" else None, terraform_type, name]
    address = ".".join(str(part) for part in parts if part)
    return address if key is None else f"{address}[{json.dumps(key)}]"


def without_keys(address: str) -> str:
    """The address without keys: `module.a.aws_subnet.b` of `module.a[0].aws_subnet.b[1]`."""
    return _KEY.sub("", address)


def key_of(address: str) -> str | None:
    """The key of an instance, as its address has it."""
    last = None
    for match in _KEY.finditer(address):
        last = match
    return last[0] if last is not None and last.end() == len(address) else None
