"""SNS: topics and their subscriptions."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Read, Scope

_TOPIC = {"TopicArn": "{id}"}
_SUBSCRIPTION = {"SubscriptionArn": "{id}"}
_MISSING = ("NotFound", "NotFoundException")

# Property of a topic to the attribute that SNS keeps it as.
_TOPIC_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
_SUBSCRIPTION_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
# Protocols whose endpoint has to answer before a message reaches it.
_CONFIRMED = ("email", "email-json", "http", "https")


def _set(op: str, owner: dict[str, str], prop: str, attribute: str) -> Call:
    """One attribute a call, and the empty text once the program no longer sets it."""
    args = {**owner, "AttributeName": attribute}
    return Call(
        op=op,
        args={**args, "AttributeValue": lambda scope: _text(scope.get(prop))},
        send=(),
        uses=(prop,),
        unset=Call(op=op, args={**args, "AttributeValue": ""}, send=()),
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flag(name: str) -> Any:
    return lambda attributes: attributes.get(name) == "true"


def _fifo_attributes(scope: Scope) -> dict[str, str] | None:
    wanted = {
        "FifoTopic": scope.get("fifoTopic"),
        "ContentBasedDeduplication": scope.get("contentBasedDeduplication"),
    }
    return {name: "true" for name, value in wanted.items() if value} or None


TOPIC = Entry(
    token="aws:sns/topic:Topic",
    service="sns",
    id="arn:{partition}:sns:{region}:{account}:{name}",
    create=Call(
        op="CreateTopic",
        args={"Name": "{name}", "Attributes": _fifo_attributes},
        send=(),
        uses=("name", "fifoTopic", "contentBasedDeduplication"),
    ),
    then=tuple(
        _set("SetTopicAttributes", _TOPIC, prop, attribute) for prop, attribute in _TOPIC_ATTRIBUTES.items()
    ),
    read=(
        Read(
            op="GetTopicAttributes",
            args=_TOPIC,
            at="Attributes",
            only=(),
            into={
                "arn": "TopicArn",
                "name": lambda attributes: attributes["TopicArn"].rsplit(":", 1)[-1],
                "owner": "Owner",
                "fifoTopic": _flag("FifoTopic"),
                "contentBasedDeduplication": _flag("ContentBasedDeduplication"),
                **{
                    prop: f"{attribute} || null"
                    for prop, attribute in _TOPIC_ATTRIBUTES.items()
                    if prop != "signatureVersion"
                },
                "signatureVersion": lambda attributes: int(attributes.get("SignatureVersion") or 0) or None,
            },
        ),
    ),
    delete=(Call(op="DeleteTopic", args=_TOPIC, send=()),),
    tags=pair_tags(
        "Tags",
        Read(op="ListTagsForResource", args={"ResourceArn": "{id}"}, at="Tags"),
        Call(op="TagResource", args={"ResourceArn": "{id}", "Tags": "{tags}"}, send=()),
        Call(op="UntagResource", args={"ResourceArn": "{id}", "TagKeys": "{keys}"}, send=()),
    ),
    replace=("fifoTopic", "name", "namePrefix"),
    identity=("name",),
    defaults={"contentBasedDeduplication": False, "fifoTopic": False},
    computed=("policy", "signatureVersion", "tracingConfig"),
    local=("namePrefix",),
    json=("deliveryPolicy",),
    policies=("policy",),
    autoname=Autoname(longest=256, prefix_prop="namePrefix"),
    missing=_MISSING,
)

TOPIC_SUBSCRIPTION = Entry(
    token="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    id="{arn}",
    create=Call(
        op="Subscribe",
        # Without it a subscription that waits for its confirmation has no ARN to be known by.
        args={"TopicArn": "{topic}", "ReturnSubscriptionArn": True},
        send=("endpoint", "protocol"),
        uses=("topic",),
        keep={"arn": "SubscriptionArn"},
    ),
    then=tuple(
        _set("SetSubscriptionAttributes", _SUBSCRIPTION, prop, attribute)
        for prop, attribute in _SUBSCRIPTION_ATTRIBUTES.items()
    ),
    read=(
        Read(
            op="GetSubscriptionAttributes",
            args=_SUBSCRIPTION,
            at="Attributes",
            only=(),
            into={
                "arn": "SubscriptionArn",
                "endpoint": "Endpoint",
                "protocol": "Protocol",
                "topic": "TopicArn",
                "ownerId": "Owner",
                "pendingConfirmation": _flag("PendingConfirmation"),
                "confirmationWasAuthenticated": _flag("ConfirmationWasAuthenticated"),
                "rawMessageDelivery": _flag("RawMessageDelivery"),
                **{
                    prop: f"{attribute} || null"
                    for prop, attribute in _SUBSCRIPTION_ATTRIBUTES.items()
                    if prop != "rawMessageDelivery"
                },
            },
        ),
    ),
    delete=(Call(op="Unsubscribe", args=_SUBSCRIPTION, send=()),),
    replace=("endpoint", "protocol", "subscriptionRoleArn", "topic"),
    defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
    computed=("filterPolicyScope",),
    local=("confirmationTimeoutInMinutes", "endpointAutoConfirms"),
    json=("deliveryPolicy", "filterPolicy", "redrivePolicy"),
    missing=_MISSING,
)

ENTRIES = (TOPIC, TOPIC_SUBSCRIPTION)
