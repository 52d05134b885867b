"""Target groups attached to an Auto Scaling group.

AWS: AttachLoadBalancerTargetGroups makes every instance of the group, now and later, a target of the target
group; DescribeAutoScalingGroups and DescribeLoadBalancerTargetGroups say which are attached.
ministack: knows none of the three calls and reports no target groups.
"""

import re
from collections.abc import Callable
from typing import Any

from ministack.services import alb, autoscaling

Params = dict[str, Any]
Response = tuple[int, dict[str, Any], bytes]
_ATTACHED = "TargetGroupARNs"
_NAME = re.compile(rb"<AutoScalingGroupName>([^<]+)</AutoScalingGroupName>(?=<AutoScalingGroupARN>)")


def apply() -> None:
    """Add the calls, and follow the group's instances."""
    autoscaling._ACTION_MAP.update(
        AttachLoadBalancerTargetGroups=_attach,
        DetachLoadBalancerTargetGroups=_detach,
        DescribeLoadBalancerTargetGroups=_describe,
        DescribeAutoScalingGroups=_listing_target_groups(autoscaling._describe_asgs),
        DeleteAutoScalingGroup=_withdrawing(autoscaling._delete_asg),
    )
    autoscaling._reconcile_instances = _registering(autoscaling._reconcile_instances)


def _attach(params: Params) -> Response:
    group = _group(params)
    if group is None:
        return _no_group(params)
    arns = autoscaling._parse_member_list(params, _ATTACHED)
    unknown = [arn for arn in arns if arn not in alb._tgs]
    if unknown:
        refusal: Response = autoscaling._error(
            "ValidationError",
            f"Provided Target Groups may not be valid. Please ensure they exist: {unknown[0]}",
        )
        return refusal
    attached = group.setdefault(_ATTACHED, [])
    attached += [arn for arn in arns if arn not in attached]
    _register(group, previous=[])
    return _done("AttachLoadBalancerTargetGroups")


def _detach(params: Params) -> Response:
    group = _group(params)
    if group is None:
        return _no_group(params)
    arns = autoscaling._parse_member_list(params, _ATTACHED)
    _withdraw(group, arns)
    group[_ATTACHED] = [arn for arn in group.get(_ATTACHED, []) if arn not in arns]
    return _done("DetachLoadBalancerTargetGroups")


def _describe(params: Params) -> Response:
    group = _group(params)
    if group is None:
        return _no_group(params)
    members = "".join(
        f"<member><LoadBalancerTargetGroupARN>{arn}</LoadBalancerTargetGroupARN><State>InService</State></member>"
        for arn in group.get(_ATTACHED, [])
    )
    return _done(
        "DescribeLoadBalancerTargetGroups",
        f"<LoadBalancerTargetGroups>{members}</LoadBalancerTargetGroups>",
    )


def _listing_target_groups(describe: Callable[[Params], Response]) -> Callable[[Params], Response]:
    def with_arns(match: re.Match[bytes]) -> bytes:
        group = autoscaling._asgs.get(match[1].decode()) or {}
        members = "".join(f"<member>{arn}</member>" for arn in group.get(_ATTACHED, []))
        return match[0] + f"<{_ATTACHED}>{members}</{_ATTACHED}>".encode()

    def handle(params: Params) -> Response:
        status, headers, body = describe(params)
        return status, headers, _NAME.sub(with_arns, body)

    return handle


def _withdrawing(delete: Callable[[Params], Response]) -> Callable[[Params], Response]:
    def handle(params: Params) -> Response:
        if group := _group(params):
            _withdraw(group, group.get(_ATTACHED, []))
        return delete(params)

    return handle


def _registering(reconcile: Callable[[Params], None]) -> Callable[[Params], None]:
    def handle(group: Params) -> None:
        previous = _instances(group)
        reconcile(group)
        _register(group, previous=previous)

    return handle


def _register(group: Params, *, previous: list[str]) -> None:
    for arn in group.get(_ATTACHED, []):
        port = alb._tgs[arn]["Port"] if arn in alb._tgs else None
        alb.set_targets_for_group(arn, [(each, port) for each in _instances(group)], previous)


def _withdraw(group: Params, arns: list[str]) -> None:
    for arn in arns:
        alb.set_targets_for_group(arn, [], _instances(group))


def _instances(group: Params) -> list[str]:
    return [instance["InstanceId"] for instance in group["Instances"]]


def _group(params: Params) -> Params | None:
    group: Params | None = autoscaling._asgs.get(autoscaling._p(params, "AutoScalingGroupName"))
    return group


def _no_group(params: Params) -> Response:
    name = autoscaling._p(params, "AutoScalingGroupName")
    response: Response = autoscaling._error(
        "ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found"
    )
    return response


def _done(action: str, result: str = "") -> Response:
    response: Response = autoscaling._xml(
        200, f"{action}Response", f"<{action}Result>{result}</{action}Result>"
    )
    return response
