"""The package schema of what the stand-in supports, for tools that ask for it (`pulumi import`)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.aws.provider import sdk
from sandbox.aws.provider.sdk import PropType
from sandbox.aws.provider.table import all_entries
from sandbox.aws.provider.table.model import Entry

_SCALARS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def package_schema() -> str:
    """The schema as JSON text."""
    types: dict[str, Any] = {}
    resources = {entry.token: _resource(entry, types) for entry in all_entries()}
    config = {name: _kind(kind, "config", types) for name, kind in sdk.provider_signature().inputs.items()}
    return json.dumps(
        {
            "name": "aws",
            "version": sdk.version(),
            "description": "The AWS provider of the halfmetal sandbox.",
            "config": {"variables": config},
            "provider": {"inputProperties": config},
            "types": types,
            "resources": resources,
        }
    )


def _resource(entry: Entry, types: dict[str, Any]) -> dict[str, Any]:
    signature = sdk.signature(entry.token)
    path = entry.token.rpartition(":")[2]
    inputs = {name: _kind(kind, f"{path}.{name}", types) for name, kind in signature.inputs.items()}
    for name in entry.replace:
        if name in inputs:
            inputs[name]["willReplaceOnChanges"] = True
    return {
        "inputProperties": inputs,
        "requiredInputs": sorted(signature.required),
        "properties": {
            name: _kind(kind, f"{path}.{name}", types) for name, kind in signature.outputs.items()
        },
    }


def _kind(kind: PropType, path: str, types: dict[str, Any]) -> dict[str, Any]:
    if kind.kind in _SCALARS:
        return {"type": _SCALARS[kind.kind]}
    if kind.kind == "list" and kind.item:
        return {"type": "array", "items": _kind(kind.item, path, types)}
    if kind.kind == "map" and kind.item:
        return {"type": "object", "additionalProperties": _kind(kind.item, path, types)}
    if kind.kind == "object":
        return {"$ref": f"#/types/{_object(kind, path, types)}"}
    return {"$ref": f"pulumi.json#/{kind.kind.capitalize()}"}


def _object(kind: PropType, path: str, types: dict[str, Any]) -> str:
    name = "".join(part[0].upper() + part[1:] for part in path.split("."))
    token = f"aws:index/{name}:{name}"
    if token not in types:
        types[token] = {"type": "object"}
        types[token]["properties"] = {
            inner: _kind(field, f"{path}.{inner}", types) for inner, field in kind.fields.items()
        }
        types[token]["required"] = sorted(kind.required)
    return token
