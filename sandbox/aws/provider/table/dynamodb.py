"""DynamoDB: tables and items."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.normalise import json_document
from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope, Wait
from sandbox.aws.provider.values import UNKNOWN, Bag

_MISSING = ("ResourceNotFoundException",)
_BUSY = ("ResourceInUseException", "LimitExceededException")
_TABLE = {"TableName": "{id}"}


# -- what a table's properties are made of on the wire ------------------------------------------------


def _keys(owner: Bag) -> list[Bag]:
    keys = [{"AttributeName": owner["hashKey"], "KeyType": "HASH"}] if owner.get("hashKey") else []
    if owner.get("rangeKey"):
        keys.append({"AttributeName": owner["rangeKey"], "KeyType": "RANGE"})
    return keys


def _capacity(owner: Bag) -> Bag:
    return {
        "ReadCapacityUnits": int(owner.get("readCapacity") or 1),
        "WriteCapacityUnits": int(owner.get("writeCapacity") or 1),
    }


def _provisioned(scope: Scope) -> bool:
    return bool(scope.get("billingMode") != "PAY_PER_REQUEST")


def _attributes(scope: Scope) -> list[Bag]:
    return [
        {"AttributeName": item["name"], "AttributeType": item["type"]}
        for item in scope.inputs.get("attributes") or ()
    ]


def _index(index: Bag, *, provisioned: bool) -> Bag:
    projection: Bag = {"ProjectionType": index.get("projectionType", "ALL")}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = list(index["nonKeyAttributes"])
    described = {"IndexName": index["name"], "KeySchema": _keys(index), "Projection": projection}
    return {**described, "ProvisionedThroughput": _capacity(index)} if provisioned else described


def _global_indexes(scope: Scope) -> list[Bag] | None:
    indexes = scope.inputs.get("globalSecondaryIndexes") or ()
    return [_index(index, provisioned=_provisioned(scope)) for index in indexes] or None


def _local_indexes(scope: Scope) -> list[Bag] | None:
    """A local index has the table's own hash key."""
    indexes = scope.inputs.get("localSecondaryIndexes") or ()
    table_key = scope.inputs.get("hashKey")
    return [_index({"hashKey": table_key, **index}, provisioned=False) for index in indexes] or None


def _throughput(scope: Scope) -> Bag | None:
    return _capacity(scope.inputs) if _provisioned(scope) else None


def _stream(scope: Scope) -> Bag | None:
    if not scope.inputs.get("streamEnabled"):
        return None
    return {"StreamEnabled": True, "StreamViewType": scope.inputs.get("streamViewType")}


def _encryption(scope: Scope) -> Bag | None:
    wanted = scope.inputs.get("serverSideEncryption")
    if wanted is None:
        return {"Enabled": False} if scope.state.get("serverSideEncryption") else None
    described: Bag = {"Enabled": wanted.get("enabled")}
    if wanted.get("enabled") and wanted.get("kmsKeyArn"):
        described |= {"SSEType": "KMS", "KMSMasterKeyId": wanted["kmsKeyArn"]}
    return described


# -- changes that DynamoDB takes one at a time ---------------------------------------------------------


def _settle(scope: Scope) -> None:
    scope.wait(
        Wait(
            op="DescribeTable",
            args=_TABLE,
            path="Table.TableStatus != 'ACTIVE' && Table.TableStatus"
            " || Table.GlobalSecondaryIndexes[?IndexStatus!='ACTIVE'] | [0].IndexStatus || 'ACTIVE'",
            until=("ACTIVE",),
        )
    )


def _update_table(scope: Scope, **members: Any) -> None:
    scope.call("UpdateTable", TableName=scope.resource_id, **members)
    _settle(scope)


def _change_billing(scope: Scope) -> None:
    mode = scope.inputs.get("billingMode", "PROVISIONED")
    throughput = _throughput(scope)
    _update_table(scope, BillingMode=mode, ProvisionedThroughput=throughput)


def _change_stream(scope: Scope) -> None:
    """A stream's view cannot change while it is on."""
    if scope.state.get("streamEnabled"):
        _update_table(scope, StreamSpecification={"StreamEnabled": False})
    wanted = _stream(scope)
    if wanted:
        _update_table(scope, StreamSpecification=wanted)


def _change_indexes(scope: Scope) -> None:
    """One index per call: those that go first, then those that come."""
    before = {index["name"]: index for index in scope.state.get("globalSecondaryIndexes") or ()}
    after = {index["name"]: index for index in scope.inputs.get("globalSecondaryIndexes") or ()}
    changed = {name for name in after if name in before and not _same_index(before[name], after[name])}
    for name in (*sorted(before.keys() - after.keys()), *sorted(changed)):
        _update_table(scope, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": name}}])
    for name in (*sorted(after.keys() - before.keys()), *sorted(changed)):
        _update_table(
            scope,
            AttributeDefinitions=_attributes(scope),
            GlobalSecondaryIndexUpdates=[{"Create": _index(after[name], provisioned=_provisioned(scope))}],
        )


def _same_index(old: Bag, new: Bag) -> bool:
    names = ("hashKey", "rangeKey", "projectionType")
    return all((old.get(name) or None) == (new.get(name) or None) for name in names) and sorted(
        old.get("nonKeyAttributes") or ()
    ) == sorted(new.get("nonKeyAttributes") or ())


def _ttl(scope: Scope) -> None:
    wanted = scope.inputs.get("ttl") or {}
    attribute = wanted.get("attributeName") or (scope.state.get("ttl") or {}).get("attributeName")
    if attribute:
        scope.call(
            "UpdateTimeToLive",
            TableName=scope.resource_id,
            TimeToLiveSpecification={"AttributeName": attribute, "Enabled": bool(wanted.get("enabled"))},
        )


def _table_failures(inputs: Bag) -> Iterable[Failure]:
    if inputs.get("hashKey") is None:
        yield Failure("hashKey", "is not set: a table needs the attribute of its partition key")
    if inputs.get("streamEnabled") is True and inputs.get("streamViewType") is None:
        yield Failure("streamViewType", "is required with streamEnabled")
    attributes = inputs.get("attributes") or ()
    if UNKNOWN in (attributes, *attributes):
        return
    named, used = {item.get("name") for item in attributes}, _used_keys(inputs)
    for name in sorted(used - named, key=str):
        yield Failure("attributes", f"does not describe {name}, which is the key of the table or an index")
    for name in sorted(named - used, key=str):
        yield Failure(
            "attributes", f"describes {name}, which is no key of the table or an index: leave it out"
        )


def _used_keys(inputs: Bag) -> set[Any]:
    owners = [inputs]
    for name in ("globalSecondaryIndexes", "localSecondaryIndexes"):
        owners += [item for item in inputs.get(name) or () if isinstance(item, dict)]
    keys = {owner.get(key) for owner in owners for key in ("hashKey", "rangeKey")}
    return {key for key in keys if key and key is not UNKNOWN}


# -- and back ----------------------------------------------------------------------------------------


def _key(kind: str) -> Any:
    def pick(owner: Any) -> str | None:
        return next((key["AttributeName"] for key in owner["KeySchema"] if key["KeyType"] == kind), None)

    return pick


def _indexes_back(member: str) -> Any:
    return lambda table: [_index_back(index) for index in table.get(member) or ()]


def _index_back(index: Any) -> Bag:
    throughput = index.get("ProvisionedThroughput") or {}
    found = {
        "name": index["IndexName"],
        "hashKey": _key("HASH")(index),
        "rangeKey": _key("RANGE")(index),
        "projectionType": index["Projection"].get("ProjectionType"),
        "nonKeyAttributes": index["Projection"].get("NonKeyAttributes"),
        "readCapacity": throughput.get("ReadCapacityUnits"),
        "writeCapacity": throughput.get("WriteCapacityUnits"),
    }
    return {name: value for name, value in found.items() if value not in (None, 0)}


def _encryption_back(table: Any) -> Bag | None:
    found = table.get("SSEDescription") or {}
    if found.get("Status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return None
    return {"enabled": True, "kmsKeyArn": found.get("KMSMasterKeyArn")}


def _ttl_back(answer: Any) -> Bag | None:
    found = answer["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        return None
    return {"attributeName": found.get("AttributeName"), "enabled": True}


def _recovery_back(answer: Any) -> Bag:
    found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
    return {
        "enabled": found.get("PointInTimeRecoveryStatus") == "ENABLED",
        "recoveryPeriodInDays": found.get("RecoveryPeriodInDays"),
    }


TABLE = Entry(
    token="aws:dynamodb/table:Table",
    service="dynamodb",
    id="{name}",
    create=Call(
        op="CreateTable",
        args={
            "TableName": "{name}",
            "AttributeDefinitions": _attributes,
            "KeySchema": lambda s: _keys(s.inputs),
            "ProvisionedThroughput": _throughput,
            "GlobalSecondaryIndexes": _global_indexes,
            "LocalSecondaryIndexes": _local_indexes,
            "StreamSpecification": _stream,
            "SSESpecification": _encryption,
        },
        send=("billingMode", "tableClass", "deletionProtectionEnabled"),
        uses=(
            "attributes",
            "globalSecondaryIndexes",
            "hashKey",
            "localSecondaryIndexes",
            "rangeKey",
            "readCapacity",
            "serverSideEncryption",
            "streamEnabled",
            "streamViewType",
            "writeCapacity",
        ),
        retry=("LimitExceededException",),
    ),
    then=(
        Do(run=_change_billing, uses=("billingMode", "readCapacity", "writeCapacity"), on="update"),
        Do(run=_change_stream, uses=("streamEnabled", "streamViewType"), on="update"),
        Do(run=_change_indexes, uses=("attributes", "globalSecondaryIndexes"), on="update"),
        Call(
            op="UpdateTable",
            args={**_TABLE, "SSESpecification": _encryption},
            send=(),
            when=("serverSideEncryption",),
            on="update",
            retry=_BUSY,
        ),
        Call(
            op="UpdateTable",
            args=_TABLE,
            send=("tableClass", "deletionProtectionEnabled"),
            only_changed=True,
            on="update",
            retry=_BUSY,
        ),
        Do(run=_ttl, uses=("ttl",)),
        Call(
            op="UpdateContinuousBackups",
            args={
                **_TABLE,
                "PointInTimeRecoverySpecification": lambda s: {
                    "PointInTimeRecoveryEnabled": bool(
                        (s.inputs.get("pointInTimeRecovery") or {}).get("enabled")
                    )
                },
            },
            send=(),
            when=("pointInTimeRecovery",),
            retry=("ContinuousBackupsUnavailableException",),
        ),
    ),
    read=(
        Read(
            op="DescribeTable",
            args=_TABLE,
            at="Table",
            only=("deletionProtectionEnabled",),
            into={
                "arn": "TableArn",
                "name": "TableName",
                "attributes": "AttributeDefinitions[].{name: AttributeName, type: AttributeType}",
                "billingMode": "BillingModeSummary.BillingMode || 'PROVISIONED'",
                "hashKey": _key("HASH"),
                "rangeKey": _key("RANGE"),
                "readCapacity": "ProvisionedThroughput.ReadCapacityUnits",
                "writeCapacity": "ProvisionedThroughput.WriteCapacityUnits",
                "globalSecondaryIndexes": _indexes_back("GlobalSecondaryIndexes"),
                "localSecondaryIndexes": lambda table: [
                    {
                        name: value
                        for name, value in _index_back(index).items()
                        if "Capacity" not in name and name != "hashKey"
                    }
                    for index in table.get("LocalSecondaryIndexes") or ()
                ],
                "streamEnabled": "StreamSpecification.StreamEnabled",
                "streamViewType": "StreamSpecification.StreamViewType",
                "streamArn": "LatestStreamArn",
                "streamLabel": "LatestStreamLabel",
                "serverSideEncryption": _encryption_back,
                "tableClass": "TableClassSummary.TableClass",
            },
        ),
        Read(
            op="DescribeTimeToLive",
            args=_TABLE,
            only=(),
            into={"ttl": _ttl_back},
        ),
        Read(
            op="DescribeContinuousBackups", args=_TABLE, only=(), into={"pointInTimeRecovery": _recovery_back}
        ),
    ),
    delete=(Call(op="DeleteTable", args=_TABLE, send=(), retry=_BUSY),),
    gone=600,
    ready=Wait(
        op="DescribeTable",
        args=_TABLE,
        path="Table.TableStatus",
        until=("ACTIVE",),
    ),
    tags=pair_tags(
        "Tags",
        Read(op="ListTagsOfResource", args={"ResourceArn": "{arn}"}, at="Tags"),
        Call(op="TagResource", args={"ResourceArn": "{arn}", "Tags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"ResourceArn": "{arn}", "TagKeys": "{keys}"}, send=()),
    ),
    replace=("hashKey", "localSecondaryIndexes", "name", "rangeKey"),
    identity=("name",),
    defaults={"billingMode": "PROVISIONED", "deletionProtectionEnabled": False},
    computed=(
        "pointInTimeRecovery",
        "pointInTimeRecovery.recoveryPeriodInDays",
        "readCapacity",
        "writeCapacity",
        "streamViewType",
        "serverSideEncryption.kmsKeyArn",
        "tableClass",
        "globalSecondaryIndexes.readCapacity",
        "globalSecondaryIndexes.writeCapacity",
    ),
    unordered=(
        "attributes",
        "globalSecondaryIndexes",
        "globalSecondaryIndexes.nonKeyAttributes",
        "localSecondaryIndexes",
        "localSecondaryIndexes.nonKeyAttributes",
    ),
    volatile={
        "streamArn": ("streamEnabled", "streamViewType"),
        "streamLabel": ("streamEnabled", "streamViewType"),
    },
    autoname=Autoname(),
    missing=_MISSING,
    exists=("ResourceInUseException",),
    rules=_table_failures,
)


# -- items -------------------------------------------------------------------------------------------


def _item(scope: Scope) -> Any:
    return json.loads(scope.get("item"))


def _item_key(scope: Scope) -> Bag:
    item = _item(scope)
    names = [scope.get("hashKey"), scope.get("rangeKey")]
    return {name: item[name] for name in names if name}


def _item_id(scope: Scope) -> str:
    parts = [str(scope.get("tableName"))]
    for name, value in _item_key(scope).items():
        kind, content = next(iter(value.items()))
        parts += [name, {"S": "", "N": "", "B": ""}.get(kind, kind), str(content)]
    return "|".join(parts)


def _put_new(scope: Scope) -> Bag:
    return {"#hash": scope.get("hashKey")}


def _replace_item(scope: Scope) -> None:
    scope.call("PutItem", TableName=scope.get("tableName"), Item=_item(scope))


def _item_moved(old: Bag, new: Bag) -> Iterable[str]:
    """An item whose key attributes change is another item."""
    before, after = json_document(old.get("item")), json_document(new.get("item"))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ()
    keys = [new.get("hashKey"), new.get("rangeKey")]
    return ("item",) if any(key and before.get(key) != after.get(key) for key in keys) else ()


def _item_failures(inputs: Bag) -> Iterable[Failure]:
    item = json_document(inputs.get("item"))
    if not isinstance(item, dict):
        return
    for role in ("hashKey", "rangeKey"):
        key = inputs.get(role)
        if isinstance(key, str) and key not in item:
            yield Failure("item", f'has no attribute {key}, the {role}: add "{key}": {{"S": "…"}}')
    for name, value in item.items():
        if not (isinstance(value, dict) and len(value) == 1):
            yield Failure("item", f'must give {name} with its type, e.g. {{"S": "…"}} or {{"N": "1"}}')


TABLE_ITEM = Entry(
    token="aws:dynamodb/tableItem:TableItem",
    service="dynamodb",
    id=_item_id,
    create=Call(
        op="PutItem",
        args={
            "TableName": "{tableName}",
            "Item": _item,
            # Creating must not overwrite what somebody else put there.
            "ConditionExpression": "attribute_not_exists(#hash)",
            "ExpressionAttributeNames": _put_new,
        },
        send=(),
        uses=("item", "hashKey", "rangeKey"),
    ),
    then=(Do(run=_replace_item, uses=("item",), on="update"),),
    read=(
        Read(
            op="GetItem",
            args={"TableName": "{tableName}", "Key": _item_key, "ConsistentRead": True},
            at="Item",
            only=(),
            into={"item": lambda found: json.dumps(found, separators=(",", ":"), sort_keys=True)},
        ),
    ),
    delete=(Call(op="DeleteItem", args={"TableName": "{tableName}", "Key": _item_key}, send=()),),
    import_id="",
    replace=("hashKey", "rangeKey", "tableName"),
    replace_if=_item_moved,
    json=("item",),
    missing=_MISSING,
    exists=("ConditionalCheckFailedException",),
    rules=_item_failures,
)

ENTRIES = (TABLE, TABLE_ITEM)
