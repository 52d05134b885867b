"""SNS: topics and subscriptions, whose settings are a mapping of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.normalise import json_document
from sandbox.aws.provider.shapes import text_of
from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Find, Read, Scope
from sandbox.aws.provider.values import Bag

_MISSING = ("NotFound", "NotFoundException")


def _settings(attributes: dict[str, str]) -> Callable[[Scope], Bag | None]:
    """The attributes that are set, as a create takes them."""

    def given(scope: Scope) -> Bag | None:
        found = {
            member: text_of(scope.inputs[name])
            for name, member in attributes.items()
            if scope.inputs.get(name) not in (None, "", False)
        }
        return found or None

    return given


def _change_settings(operation: str, owner: str, attributes: dict[str, str]) -> Do:
    """One call per attribute that changed."""

    def run(scope: Scope) -> None:
        for name in scope.lookup("changed") or ():
            if name in attributes:
                value = scope.inputs.get(name)
                scope.call(
                    operation,
                    **{
                        owner: scope.resource_id,
                        "AttributeName": attributes[name],
                        "AttributeValue": "" if value is None else text_of(value),
                    },
                )

    return Do(run=run, uses=tuple(attributes), on="update")


def _attribute(member: str) -> Callable[[Any], Any]:
    return lambda found: found.get(member) or None


# -- topic -------------------------------------------------------------------------------------------

_SENDERS = {
    "application": "Application",
    "firehose": "Firehose",
    "http": "HTTP",
    "lambda": "Lambda",
    "sqs": "SQS",
}
_FEEDBACK = {
    f"{prop}{outcome}FeedbackRoleArn": f"{member}{outcome}FeedbackRoleArn"
    for prop, member in _SENDERS.items()
    for outcome in ("Success", "Failure")
}
_TOPIC = {
    "displayName": "DisplayName",
    "policy": "Policy",
    "deliveryPolicy": "DeliveryPolicy",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "fifoTopic": "FifoTopic",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
    "archivePolicy": "ArchivePolicy",
    **_FEEDBACK,
}


def _topic_failures(inputs: Bag) -> Iterable[Failure]:
    name, fifo = inputs.get("name"), inputs.get("fifoTopic")
    if isinstance(name, str) and bool(fifo) != name.endswith(".fifo"):
        yield Failure("name", "must end in .fifo exactly when fifoTopic is true")
    if inputs.get("contentBasedDeduplication") and not fifo:
        yield Failure("contentBasedDeduplication", "is for FIFO topics: set fifoTopic")


TOPIC = Entry(
    token="aws:sns/topic:Topic",
    service="sns",
    id="{arn}",
    create=Call(
        op="CreateTopic",
        args={"Name": "{name}", "Attributes": _settings(_TOPIC)},
        send=(),
        uses=tuple(_TOPIC),
        keep={"arn": "TopicArn"},
    ),
    then=(_change_settings("SetTopicAttributes", "TopicArn", _TOPIC),),
    read=(
        Read(
            op="GetTopicAttributes",
            args={"TopicArn": "{id}"},
            at="Attributes",
            only=(),
            into={
                **{name: _attribute(member) for name, member in _TOPIC.items()},
                "owner": "Owner",
                "name": lambda found: found["TopicArn"].rpartition(":")[2],
            },
        ),
    ),
    delete=(Call(op="DeleteTopic", args={"TopicArn": "{id}"}, send=()),),
    tags=pair_tags(
        "Tags",
        Read(op="ListTagsForResource", args={"ResourceArn": "{id}"}, at="Tags"),
        Call(op="TagResource", args={"ResourceArn": "{id}", "Tags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"ResourceArn": "{id}", "TagKeys": "{keys}"}, send=()),
    ),
    replace=("fifoTopic", "name", "namePrefix"),
    identity=("name",),
    defaults={"contentBasedDeduplication": False, "fifoTopic": False},
    computed=("policy", "signatureVersion", "tracingConfig", "deliveryPolicy"),
    local=("namePrefix",),
    json=("deliveryPolicy", "archivePolicy"),
    policies=("policy",),
    autoname=Autoname(longest=256, prefix_prop="namePrefix"),
    derive={"arn": "{id}"},
    missing=_MISSING,
    rules=_topic_failures,
    recover_id="arn:{partition}:sns:{region}:{account}:{name}",
)

# -- subscription ------------------------------------------------------------------------------------

_SUBSCRIPTION = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}

TOPIC_SUBSCRIPTION = Entry(
    token="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    id="{arn}",
    create=Call(
        op="Subscribe",
        args={
            "TopicArn": "{topic}",
            "Attributes": _settings(_SUBSCRIPTION),
            "ReturnSubscriptionArn": True,
        },
        send=("protocol", "endpoint"),
        uses=tuple(_SUBSCRIPTION),
        keep={"arn": "SubscriptionArn"},
    ),
    then=(_change_settings("SetSubscriptionAttributes", "SubscriptionArn", _SUBSCRIPTION),),
    read=(
        Read(
            op="GetSubscriptionAttributes",
            args={"SubscriptionArn": "{id}"},
            at="Attributes",
            only=(),
            into={
                **{name: _attribute(member) for name, member in _SUBSCRIPTION.items()},
                "topic": "TopicArn",
                "protocol": "Protocol",
                "endpoint": "Endpoint",
                "ownerId": "Owner",
                "pendingConfirmation": "PendingConfirmation",
                "confirmationWasAuthenticated": "ConfirmationWasAuthenticated",
            },
        ),
    ),
    delete=(Call(op="Unsubscribe", args={"SubscriptionArn": "{id}"}, send=()),),
    replace=("endpoint", "protocol", "topic"),
    defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
    computed=("filterPolicyScope",),
    local=("confirmationTimeoutInMinutes", "endpointAutoConfirms"),
    json=("deliveryPolicy", "filterPolicy", "redrivePolicy"),
    normalise={"filterPolicy": json_document},
    derive={"arn": "{id}"},
    missing=_MISSING,
    find=Find(
        op="ListSubscriptionsByTopic",
        args={"TopicArn": "{topic}"},
        items="Subscriptions",
        resource_id="SubscriptionArn",
        match={"Protocol": "{protocol}", "Endpoint": "{endpoint}"},
    ),
)

ENTRIES = (TOPIC, TOPIC_SUBSCRIPTION)
