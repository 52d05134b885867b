"""Secrets Manager: secrets and their versions."""

from __future__ import annotations

import base64
from typing import Any

from sandbox.aws.provider.table.common import exactly_one, pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope

_MISSING = ("ResourceNotFoundException", "InvalidRequestException")


def _present(answer: Any, _: Scope) -> Any:
    """A secret that waits for its deletion is gone as far as a program is concerned."""
    return None if answer.get("DeletedDate") else answer


def _delete(scope: Scope) -> None:
    days = scope.get("recoveryWindowInDays", 30)
    at_once = {"ForceDeleteWithoutRecovery": True} if days == 0 else {"RecoveryWindowInDays": days}
    scope.call("DeleteSecret", SecretId=scope.resource_id, **at_once)


SECRET = Entry(
    token="aws:secretsmanager/secret:Secret",
    service="secretsmanager",
    id="{arn}",
    create=Call(
        op="CreateSecret",
        send=("name", "description", "kmsKeyId"),
        keep={"arn": "ARN"},
        retry=("InvalidRequestException: scheduled for deletion",),
    ),
    then=(
        Call(op="UpdateSecret", args={"SecretId": "{id}"}, send=("description", "kmsKeyId"), on="update"),
        Call(
            op="PutResourcePolicy",
            args={"SecretId": "{id}", "ResourcePolicy": "{policy}"},
            send=(),
            unset=Call(op="DeleteResourcePolicy", args={"SecretId": "{id}"}, send=()),
        ),
    ),
    read=(
        Read(
            op="DescribeSecret",
            args={"SecretId": "{id}"},
            at=_present,
            only=("arn", "name", "description", "kmsKeyId", "type"),
        ),
        Read(
            op="GetResourcePolicy",
            args={"SecretId": "{id}"},
            only=(),
            into={"policy": "ResourcePolicy"},
        ),
    ),
    delete=(Do(run=_delete, uses=("recoveryWindowInDays",)),),
    tags=pair_tags(
        "Tags",
        Read(op="DescribeSecret", args={"SecretId": "{id}"}, at="Tags"),
        Call(op="TagResource", args={"SecretId": "{id}", "Tags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"SecretId": "{id}", "TagKeys": "{keys}"}, send=()),
    ),
    replace=("name", "namePrefix"),
    identity=("name",),
    defaults={"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30},
    computed=("policy", "type"),
    # Replicas in other regions are not handled, so there is nothing to overwrite.
    local=("forceOverwriteReplicaSecret", "recoveryWindowInDays", "namePrefix"),
    policies=("policy",),
    autoname=Autoname(longest=512, prefix_prop="namePrefix"),
    derive={"arn": "{id}"},
    missing=_MISSING,
    exists=("ResourceExistsException",),
    recover_id=lambda s: s.call("DescribeSecret", SecretId=s.inputs["name"])["ARN"],
)


def _binary(scope: Scope) -> bytes | None:
    text = scope.inputs.get("secretBinary")
    return base64.b64decode(text) if text else None


def _binary_back(answer: Any) -> str | None:
    content = answer.get("SecretBinary")
    return base64.b64encode(content).decode() if content else None


_VERSION = {"SecretId": "{secretId}", "VersionId": "{versionId}"}


def _retire(scope: Scope) -> None:
    """The version in force cannot be taken away, only replaced: it stays until the secret goes."""
    for stage in scope.get("versionStages") or ():
        if stage != "AWSCURRENT":
            scope.call(
                "UpdateSecretVersionStage",
                SecretId=scope.get("secretId"),
                VersionStage=stage,
                RemoveFromVersionId=scope.get("versionId"),
            )


def _current(scope: Scope) -> str | None:
    """A lost answer left its value as the one in force."""
    found = scope.call("GetSecretValue", SecretId=scope.inputs["secretId"])
    same = found.get("SecretString") == scope.inputs.get("secretString")
    return f"{scope.inputs['secretId']}|{found['VersionId']}" if same else None


SECRET_VERSION = Entry(
    token="aws:secretsmanager/secretVersion:SecretVersion",
    service="secretsmanager",
    id="{secretId}|{versionId}",
    create=Call(
        op="PutSecretValue",
        args={"SecretId": "{secretId}", "SecretBinary": _binary},
        send=("secretString",),
        uses=("secretBinary",),
        keep={"versionId": "VersionId"},
    ),
    read=(
        Read(
            op="GetSecretValue",
            args=_VERSION,
            only=("arn", "versionId", "versionStages", "secretString"),
            into={"secretBinary": _binary_back, "secretArn": "ARN"},
        ),
    ),
    delete=(Do(run=_retire),),
    import_id="{secretId}|{versionId}",
    remains="the version in force goes with its secret",
    replace=("secretBinary", "secretId", "secretString"),
    computed=("versionStages",),
    secret=("secretBinary", "secretString"),
    unordered=("versionStages",),
    missing=_MISSING,
    rules=exactly_one("secretString", "secretBinary"),
    recover_id=_current,
)


ENTRIES = (SECRET, SECRET_VERSION)
