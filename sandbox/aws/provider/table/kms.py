"""KMS: keys and their aliases."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.table.common import pairs
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Find, Read, Scope, Tags

_KEY = {"KeyId": "{id}"}


def _rotation(scope: Scope) -> None:
    on = scope.inputs.get("enableKeyRotation")
    period = scope.inputs.get("rotationPeriodInDays") if on else None
    scope.call(
        "EnableKeyRotation" if on else "DisableKeyRotation",
        KeyId=scope.resource_id,
        RotationPeriodInDays=period,
    )


def _enabled(scope: Scope) -> None:
    on = scope.inputs.get("isEnabled", True)
    scope.call("EnableKey" if on else "DisableKey", KeyId=scope.resource_id)


def _present(answer: Any, _: Scope) -> Any:
    """A key that waits for its deletion is gone as far as a program is concerned."""
    found = answer["KeyMetadata"]
    return None if found.get("KeyState") in ("PendingDeletion", "PendingReplicaDeletion") else found


KEY = Entry(
    token="aws:kms/key:Key",
    service="kms",
    id="{keyId}",
    create=Call(
        op="CreateKey", keep={"keyId": "KeyMetadata.KeyId"}, retry=("MalformedPolicyDocumentException",)
    ),
    names={
        "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
        "customerMasterKeySpec": "KeySpec",
        "isEnabled": "Enabled",
    },
    then=(
        Do(run=_rotation, uses=("enableKeyRotation", "rotationPeriodInDays")),
        Do(run=_enabled, uses=("isEnabled",)),
        Call(op="UpdateKeyDescription", args=_KEY, send=("description",), on="update"),
        Call(
            op="PutKeyPolicy",
            args={**_KEY, "PolicyName": "default", "Policy": "{policy}"},
            send=("bypassPolicyLockoutSafetyCheck",),
            on="update",
        ),
    ),
    read=(
        Read(op="DescribeKey", args=_KEY, at=_present, into={"customerMasterKeySpec": "KeySpec"}),
        Read(op="GetKeyPolicy", args={**_KEY, "PolicyName": "default"}, only=(), into={"policy": "Policy"}),
        Read(
            op="GetKeyRotationStatus",
            args=_KEY,
            only=(),
            into={"enableKeyRotation": "KeyRotationEnabled", "rotationPeriodInDays": "RotationPeriodInDays"},
            absent=("UnsupportedOperationException",),
        ),
    ),
    delete=(
        Call(
            op="ScheduleKeyDeletion",
            args={**_KEY, "PendingWindowInDays": "{deletionWindowInDays}"},
            send=(),
            accept=("KMSInvalidStateException",),
        ),
    ),
    tags=Tags(
        create=lambda tags: {"Tags": pairs(tags, "TagKey", "TagValue")},
        read=None,
        read_call=Read(op="ListResourceTags", args=_KEY, at="Tags"),
        change=Call(op="TagResource", args={**_KEY, "Tags": "{tags}"}, send=()),
        remove=Call(op="UntagResource", args={**_KEY, "TagKeys": "{keys}"}, send=()),
        style="TagKey",
    ),
    replace=("customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "xksKeyId"),
    defaults={
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    },
    computed=("description", "multiRegion", "policy", "rotationPeriodInDays"),
    local=("deletionWindowInDays",),
    write_only=("bypassPolicyLockoutSafetyCheck",),
    policies=("policy",),
    derive={"keyId": "{id}"},
    missing=("NotFoundException",),
    find=Find(op="ListKeys", items="Keys", resource_id="KeyId"),
)

ALIAS = Entry(
    token="aws:kms/alias:Alias",
    service="kms",
    id="{name}",
    create=Call(op="CreateAlias", args={"AliasName": "{name}", "TargetKeyId": "{targetKeyId}"}, send=()),
    then=(
        Call(
            op="UpdateAlias",
            args={"AliasName": "{id}", "TargetKeyId": "{targetKeyId}"},
            send=(),
            on="update",
        ),
    ),
    read=(
        Read(
            op="ListAliases",
            at="Aliases[?AliasName=='{id}'] | [0]",
            into={
                "name": "AliasName",
                "arn": "AliasArn",
                "targetKeyArn": lambda alias: (
                    alias["AliasArn"].rpartition(":")[0] + f":key/{alias['TargetKeyId']}"
                ),
            },
        ),
    ),
    delete=(Call(op="DeleteAlias", args={"AliasName": "{id}"}, send=()),),
    replace=("name", "namePrefix"),
    identity=("name",),
    local=("namePrefix",),
    # A key may be named by its id or by its ARN.
    normalise={"targetKeyId": lambda key: str(key).rpartition("/")[2]},
    autoname=Autoname(longest=256, prefix_prop="namePrefix", prefix="alias/"),
    missing=("NotFoundException",),
    exists=("AlreadyExistsException",),
)

ENTRIES = (KEY, ALIAS)
