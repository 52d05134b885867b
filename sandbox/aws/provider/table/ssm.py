"""Systems Manager: parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.table.common import exactly_one, pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Read, Scope
from sandbox.aws.provider.values import Bag


def _value(scope: Scope) -> Any:
    return scope.inputs.get("value") or scope.inputs.get("insecureValue")


_PUT: dict[str, Any] = {
    "op": "PutParameter",
    "skip": ("arn", "overwrite", "value"),
    "uses": ("value", "insecureValue"),
}

_only_one_value = exactly_one("value", "insecureValue")


def _failures(inputs: Bag) -> Iterable[Failure]:
    yield from _only_one_value(inputs)
    if inputs.get("type") == "SecureString" and inputs.get("insecureValue") is not None:
        yield Failure("insecureValue", "cannot hold a SecureString: use value")


PARAMETER = Entry(
    token="aws:ssm/parameter:Parameter",
    service="ssm",
    id="{name}",
    create=Call(**_PUT, args={"Value": _value, "Overwrite": "{overwrite}"}),
    then=(Call(**_PUT, args={"Name": "{id}", "Value": _value, "Overwrite": True}, on="update"),),
    read=(
        Read(
            op="GetParameter",
            args={"Name": "{id}", "WithDecryption": True},
            at="Parameter",
            only=("arn", "dataType", "type", "version"),
            into={"name": "Name", "value": "Value"},
        ),
        Read(
            op="DescribeParameters",
            args={"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["{id}"]}]},
            at="Parameters[0]",
            only=("allowedPattern", "description", "tier", "keyId"),
        ),
    ),
    delete=(Call(op="DeleteParameter", args={"Name": "{id}"}, send=()),),
    tags=pair_tags(
        "Tags",
        Read(
            op="ListTagsForResource", args={"ResourceType": "Parameter", "ResourceId": "{id}"}, at="TagList"
        ),
        Call(
            op="AddTagsToResource",
            args={"ResourceType": "Parameter", "ResourceId": "{id}", "Tags": "{tags}"},
            send=(),
        ),
        Call(
            op="RemoveTagsFromResource",
            args={"ResourceType": "Parameter", "ResourceId": "{id}", "TagKeys": "{keys}"},
            send=(),
        ),
    ),
    replace=("dataType", "name"),
    replace_if=lambda old, new: (
        ("tier",) if old.get("tier") == "Advanced" and new.get("tier") == "Standard" else ()
    ),
    identity=("name",),
    defaults={},
    computed=("arn", "dataType", "insecureValue", "keyId", "tier", "value"),
    local=("overwrite",),
    write_only=("insecureValue",),
    secret=("value",),
    autoname=Autoname(longest=1011),
    volatile={"version": ()},
    missing=("ParameterNotFound",),
    exists=("ParameterAlreadyExists",),
    rules=_failures,
)

ENTRIES = (PARAMETER,)
