"""EKS managed node groups: the Auto Scaling group behind each, launch templates, and updates.

AWS: a node group owns an Auto Scaling group of the same size over the same subnets, which target groups can
be attached to; it remembers launch template and update settings; UpdateNodegroupConfig and
UpdateNodegroupVersion change it.
ministack: names an Auto Scaling group that does not exist, forgets launch template and update settings, and
has no updates.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import autoscaling, ec2, eks

from sandbox.aws.emulator.repairs.eks_cluster import finished_update

Response = tuple[int, dict[str, Any], Any]
Body = dict[str, Any]
_FORGOTTEN = ("launchTemplate", "updateConfig", "nodeRepairConfig", "remoteAccess")
_UPDATE = re.compile(r"/clusters/([A-Za-z0-9_-]+)/node-groups/([A-Za-z0-9_-]+)/update-(config|version)")


def apply() -> None:
    """Keep an Auto Scaling group for every node group, and route the calls that change one."""
    eks._create_nodegroup = _creating(eks._create_nodegroup)
    eks._describe_nodegroup = _describing(eks._describe_nodegroup)
    eks._delete_nodegroup = _deleting(eks._delete_nodegroup)
    eks._delete_cluster = _deleting_cluster(eks._delete_cluster)
    eks._handle_request_sync = _handling_updates(eks._handle_request_sync)


def _creating(create: Callable[[str, Body], Response]) -> Callable[[str, Body], Response]:
    def handle(cluster: str, body: Body) -> Response:
        status, headers, answer = create(cluster, body)
        if "nodegroup" not in json.loads(answer):
            return status, headers, answer
        group = eks._nodegroups[f"{cluster}/{body['nodegroupName']}"]
        group.update({name: body[name] for name in _FORGOTTEN if name in body})
        group.setdefault("updateConfig", {"maxUnavailable": 1})
        if "launchTemplate" in body:
            group["launchTemplate"] = _both_names(body["launchTemplate"])
            _follow_launch_template(group, body)
        _create_scaling_group(group)
        shown: Response = eks._json_resp(200, {"nodegroup": group})
        return shown

    return handle


def _both_names(template: Body) -> Body:
    """A launch template is given by id or by name; AWS reports both."""
    known: Body = next(
        (
            each
            for each in ec2._launch_templates.values()
            if template.get("id") == each.get("LaunchTemplateId")
            or template.get("name") == each.get("LaunchTemplateName")
        ),
        {},
    )
    named = {"id": known.get("LaunchTemplateId"), "name": known.get("LaunchTemplateName")}
    return {**{name: value for name, value in named.items() if value}, **template}


def _follow_launch_template(group: Body, body: Body) -> None:
    """What a launch template may say instead of the node group is not made up for it."""
    for name in ("instanceTypes", "diskSize"):
        if name not in body:
            group.pop(name, None)


def _describing(describe: Callable[[str, str], Response]) -> Callable[[str, str], Response]:
    def handle(cluster: str, name: str) -> Response:
        if group := eks._nodegroups.get(f"{cluster}/{name}"):
            group["tags"] = dict(eks._tags.get(group["nodegroupArn"], {}))
        return describe(cluster, name)

    return handle


def _deleting(delete: Callable[[str, str], Response]) -> Callable[[str, str], Response]:
    def handle(cluster: str, name: str) -> Response:
        if group := eks._nodegroups.get(f"{cluster}/{name}"):
            _delete_scaling_group(group)
        return delete(cluster, name)

    return handle


def _deleting_cluster(delete: Callable[[str], Response]) -> Callable[[str], Response]:
    """AWS refuses to delete a cluster that has node groups; the emulator lost them silently."""

    def handle(name: str) -> Response:
        if any(key.startswith(f"{name}/") for key in eks._nodegroups):
            refusal: Response = eks._error(409, "ResourceInUseException", "Cluster has nodegroups attached")
            return refusal
        return delete(name)

    return handle


def _handling_updates(handler: Callable[..., Response]) -> Callable[..., Response]:
    def handle(method: str, path: str, *rest: Any) -> Response:
        match = _UPDATE.fullmatch(path)
        if match is None or method != "POST":
            return handler(method, path, *rest)
        _headers, body, _query = rest
        cluster, name, kind = match.groups()
        group = eks._nodegroups.get(f"{cluster}/{name}")
        if group is None:
            refusal: Response = eks._error(
                404, "ResourceNotFoundException", f"No node group found for name: {name}."
            )
            return refusal
        wanted = json.loads(body or b"{}")
        group["modifiedAt"] = eks._now()
        return _configure(group, wanted) if kind == "config" else _upgrade(group, wanted)

    return handle


def _configure(group: Body, wanted: Body) -> Response:
    labels = wanted.get("labels", {})
    group["labels"] = {
        **{k: v for k, v in group["labels"].items() if k not in labels.get("removeLabels", [])},
        **labels.get("addOrUpdateLabels", {}),
    }
    taints = wanted.get("taints", {})
    gone = [*taints.get("removeTaints", []), *taints.get("addOrUpdateTaints", [])]
    replaced = {(each["key"], each["effect"]) for each in gone}
    kept = [each for each in group["taints"] if (each["key"], each["effect"]) not in replaced]
    group["taints"] = kept + taints.get("addOrUpdateTaints", [])
    for name in ("scalingConfig", "updateConfig", "nodeRepairConfig"):
        if name in wanted:
            group[name] = {**group.get(name, {}), **wanted[name]}
    _resize_scaling_group(group)
    return finished_update("ConfigUpdate")


def _upgrade(group: Body, wanted: Body) -> Response:
    for name in ("version", "releaseVersion"):
        if name in wanted:
            group[name] = wanted[name]
    if "launchTemplate" in wanted:
        group["launchTemplate"] = _both_names(wanted["launchTemplate"])
    return finished_update("VersionUpdate")


def _scaling_group_name(group: Body) -> str:
    name: str = group["resources"]["autoScalingGroups"][0]["name"]
    return name


def _create_scaling_group(group: Body) -> None:
    zones = [ec2._subnets[each]["AvailabilityZone"] for each in group["subnets"] if each in ec2._subnets]
    members = {f"AvailabilityZones.member.{n}": zone for n, zone in enumerate(sorted({*zones}), start=1)}
    autoscaling._create_asg(
        {
            "AutoScalingGroupName": _scaling_group_name(group),
            "VPCZoneIdentifier": ",".join(group["subnets"]),
            **_sizes(group),
            **(members or {"AvailabilityZones.member.1": f"{get_region()}a"}),
        }
    )


def _resize_scaling_group(group: Body) -> None:
    autoscaling._update_asg({"AutoScalingGroupName": _scaling_group_name(group), **_sizes(group)})


def _delete_scaling_group(group: Body) -> None:
    autoscaling._ACTION_MAP["DeleteAutoScalingGroup"]({"AutoScalingGroupName": _scaling_group_name(group)})


def _sizes(group: Body) -> dict[str, str]:
    scaling = group["scalingConfig"]
    names = {"MinSize": "minSize", "MaxSize": "maxSize", "DesiredCapacity": "desiredSize"}
    return {ours: str(scaling[theirs]) for ours, theirs in names.items() if theirs in scaling}
