"""EC2 Auto Scaling: what is added to a group that another service, EKS say, has made."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.table.common import exactly_one
from sandbox.aws.provider.table.model import Call, Do, Entry, Read, Scope
from sandbox.aws.provider.values import Bag

_GROUP = {"AutoScalingGroupName": "{autoscalingGroupName}"}


def _attached(answer: Any, scope: Scope) -> Any:
    for group in answer.get("AutoScalingGroups", ()):
        if scope.get("lbTargetGroupArn") in group.get("TargetGroupARNs", ()):
            return group
        if scope.get("elb") in group.get("LoadBalancerNames", ()):
            return group
    return None


def _detach(scope: Scope) -> None:
    group = scope.get("autoscalingGroupName")
    if scope.get("lbTargetGroupArn"):
        scope.call(
            "DetachLoadBalancerTargetGroups",
            AutoScalingGroupName=group,
            TargetGroupARNs=[scope.get("lbTargetGroupArn")],
        )
    else:
        scope.call("DetachLoadBalancers", AutoScalingGroupName=group, LoadBalancerNames=[scope.get("elb")])


ATTACHMENT = Entry(
    token="aws:autoscaling/attachment:Attachment",
    service="autoscaling",
    id=lambda s: "-".join(
        str(part) for part in (s.get("autoscalingGroupName"), s.get("lbTargetGroupArn") or s.get("elb"))
    ),
    create=Call(
        op="AttachLoadBalancerTargetGroups",
        args={
            **_GROUP,
            "TargetGroupARNs": lambda s: [s.inputs["lbTargetGroupArn"]],
        },
        send=(),
        uses=("lbTargetGroupArn",),
    ),
    read=(
        Read(
            op="DescribeAutoScalingGroups",
            args={"AutoScalingGroupNames": ["{autoscalingGroupName}"]},
            at=_attached,
            only=(),
            into={"autoscalingGroupName": "AutoScalingGroupName"},
        ),
    ),
    delete=(Do(run=_detach),),
    import_id="{autoscalingGroupName}/{lbTargetGroupArn}",
    replace=("autoscalingGroupName", "elb", "lbTargetGroupArn"),
    identity=("autoscalingGroupName", "lbTargetGroupArn"),
    missing=("ValidationError",),
    rules=exactly_one("lbTargetGroupArn", "elb"),
)


# -- tags on a group ---------------------------------------------------------------------------------


def _tag(scope: Scope) -> list[Bag]:
    tag = scope.get("tag")
    return [
        {
            "ResourceId": scope.get("autoscalingGroupName"),
            "ResourceType": "auto-scaling-group",
            "Key": tag["key"],
            "Value": tag["value"],
            "PropagateAtLaunch": tag["propagateAtLaunch"],
        }
    ]


def _tag_identity(scope: Scope) -> list[Bag]:
    return [{name: _tag(scope)[0][name] for name in ("ResourceId", "ResourceType", "Key")}]


def _tag_back(answer: Any, scope: Scope) -> Bag | None:
    group, _, key = scope.resource_id.partition(",")
    for tag in answer.get("Tags") or ():
        if (tag["ResourceId"], tag["Key"]) == (group, key):
            shown = {"key": key, "value": tag["Value"], "propagateAtLaunch": tag["PropagateAtLaunch"]}
            return {"tag": shown, "autoscalingGroupName": group}
    return None


TAG = Entry(
    token="aws:autoscaling/tag:Tag",
    service="autoscaling",
    id=lambda s: f"{s.get('autoscalingGroupName')},{s.get('tag')['key']}",
    create=Call(op="CreateOrUpdateTags", args={"Tags": _tag}, send=(), uses=("autoscalingGroupName", "tag")),
    then=(Call(op="CreateOrUpdateTags", args={"Tags": _tag}, send=(), uses=("tag",), on="update"),),
    read=(Read(op="DescribeTags", at=_tag_back, only=("tag", "autoscalingGroupName")),),
    delete=(Call(op="DeleteTags", args={"Tags": _tag_identity}, send=()),),
    # A tag of another key is another tag.
    replace=("autoscalingGroupName", "tag.key"),
)

ENTRIES = (ATTACHMENT, TAG)
