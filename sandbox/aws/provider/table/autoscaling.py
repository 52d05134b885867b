"""EC2 Auto Scaling: what attaches a group's instances to a load balancer."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.table.common import exactly_one
from sandbox.aws.provider.table.model import Call, Do, Entry, Read, Scope

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

ENTRIES = (ATTACHMENT,)
