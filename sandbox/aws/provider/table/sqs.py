"""SQS: queues, whose settings are a mapping of texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.shapes import text_of
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope, Tags
from sandbox.aws.provider.values import Bag

_SETTINGS = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}
_FIFO_ONLY = ("contentBasedDeduplication", "deduplicationScope", "fifoQueue", "fifoThroughputLimit")


def _given(scope: Scope) -> dict[str, str] | None:
    settings = {
        member: text_of(scope.inputs[name])
        for name, member in _SETTINGS.items()
        if scope.inputs.get(name) is not None and not (name in _FIFO_ONLY and not scope.inputs[name])
    }
    return settings or None


def _change(scope: Scope) -> None:
    changed = [name for name in scope.lookup("changed") if name in _SETTINGS]
    texts = {
        _SETTINGS[name]: "" if scope.inputs.get(name) is None else text_of(scope.inputs[name])
        for name in changed
    }
    scope.call("SetQueueAttributes", QueueUrl=scope.resource_id, Attributes=texts)


def _setting(member: str) -> Any:
    return lambda found: found.get(member) or None


def _failures(inputs: Bag) -> Iterable[Failure]:
    name, fifo = inputs.get("name"), inputs.get("fifoQueue")
    if isinstance(name, str) and bool(fifo) != name.endswith(".fifo"):
        yield Failure("name", "must end in .fifo exactly when fifoQueue is true")
    if not fifo:
        for option in ("contentBasedDeduplication", "deduplicationScope", "fifoThroughputLimit"):
            if inputs.get(option):
                yield Failure(option, "is for FIFO queues: set fifoQueue")


QUEUE = Entry(
    token="aws:sqs/queue:Queue",
    service="sqs",
    id="{url}",
    create=Call(
        op="CreateQueue",
        args={"QueueName": "{name}", "Attributes": _given},
        send=(),
        uses=tuple(_SETTINGS),
        keep={"url": "QueueUrl"},
        retry=("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
    ),
    then=(Do(run=_change, uses=tuple(_SETTINGS), on="update"),),
    read=(
        Read(
            op="GetQueueAttributes",
            args={"QueueUrl": "{id}", "AttributeNames": ["All"]},
            at="Attributes",
            only=(),
            into={
                **{name: _setting(member) for name, member in _SETTINGS.items()},
                "arn": "QueueArn",
                "name": lambda found: found["QueueArn"].rpartition(":")[2],
            },
        ),
    ),
    delete=(Call(op="DeleteQueue", args={"QueueUrl": "{id}"}, send=()),),
    tags=Tags(
        create=lambda tags: {"tags": dict(tags)},
        read=None,
        read_call=Read(op="ListQueueTags", args={"QueueUrl": "{id}"}, at="Tags"),
        change=Call(op="TagQueue", args={"QueueUrl": "{id}", "Tags": "{tags}"}, send=()),
        remove=Call(op="UntagQueue", args={"QueueUrl": "{id}", "TagKeys": "{keys}"}, send=()),
    ),
    replace=("fifoQueue", "name", "namePrefix"),
    identity=("name",),
    defaults={
        "contentBasedDeduplication": False,
        "delaySeconds": 0,
        "fifoQueue": False,
        "maxMessageSize": 262144,
        "messageRetentionSeconds": 345600,
        "receiveWaitTimeSeconds": 0,
        "visibilityTimeoutSeconds": 30,
    },
    computed=(
        "deduplicationScope",
        "fifoThroughputLimit",
        "kmsDataKeyReusePeriodSeconds",
        "policy",
        "redriveAllowPolicy",
        "redrivePolicy",
        "sqsManagedSseEnabled",
    ),
    local=("namePrefix",),
    json=("redriveAllowPolicy", "redrivePolicy"),
    policies=("policy",),
    autoname=Autoname(longest=80, prefix_prop="namePrefix"),
    derive={"url": "{id}"},
    missing=("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
    exists=("QueueAlreadyExists", "QueueNameExists"),
    rules=_failures,
    recover_id=lambda s: s.call("GetQueueUrl", QueueName=s.inputs["name"])["QueueUrl"],
)

ENTRIES = (QUEUE,)
