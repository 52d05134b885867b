"""What the nodes of node groups ought to be, for whoever plays the machines.

AWS: a node group's instances start, join the cluster and leave it by themselves, out of sight of any public
API. ministack: keeps node groups as records; nothing ever starts.

`GET /_halfmetal/node-groups` tells the sandbox's node agent about every node group of every account and
region, with instance types and zones resolved through launch templates and subnets. With `?version=V` the
answer waits (a long poll) until something differs from version V, or half a minute.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from ministack.core.responses import request_scope
from ministack.services import autoscaling, ec2, eks

PATH = "/_halfmetal/node-groups"
_WAIT_S = 25.0
Application = Callable[..., Awaitable[None]]


def serving(application: Application) -> Application:
    """The application, with the feed in front of it."""
    changes = _Changes()

    async def handle(
        scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            known = parse_qs(scope["query_string"].decode()).get("version", [""])[0]
            await _respond(send, await changes.after(known))
            return
        await application(scope, receive, send)
        if scope["type"] == "http" and scope["method"] != "GET":
            changes.notify()

    return handle


class _Changes:
    """Wakes everyone who waits whenever a call may have changed something."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def notify(self) -> None:
        for event in self._waiting:
            event.set()

    async def after(self, version: str) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + _WAIT_S
        while True:
            # Listening begins before looking: a change in between is not missed.
            event = asyncio.Event()
            self._waiting.add(event)
            try:
                current = document()
                left = deadline - asyncio.get_running_loop().time()
                if current["version"] != version or left <= 0:
                    return current
                await asyncio.wait_for(event.wait(), left)
            except TimeoutError:
                return current
            finally:
                self._waiting.discard(event)


def document() -> dict[str, Any]:
    """All node groups, and a version that changes exactly when they do."""
    groups = sorted(_groups(), key=lambda group: str(group["arn"]))
    version = hashlib.sha256(json.dumps(groups, sort_keys=True).encode()).hexdigest()
    return {"version": version, "nodeGroups": groups}


def _groups() -> Iterator[dict[str, Any]]:
    for (account, region, _key), group in list(eks._nodegroups.all_items()):
        with request_scope(account, region):
            yield _group(group, region)


def _group(group: dict[str, Any], region: str) -> dict[str, Any]:
    template = _launch_template_data(group.get("launchTemplate", {}))
    types = group.get("instanceTypes") or [template.get("InstanceType", "")]
    name = group["resources"]["autoScalingGroups"][0]["name"]
    instances = (autoscaling._asgs.get(name) or {}).get("Instances", [])
    return {
        "arn": group["nodegroupArn"],
        "cluster": group["clusterName"],
        "name": group["nodegroupName"],
        "region": region,
        "version": group["version"],
        "capacityType": group["capacityType"],
        "instanceType": types[0],
        "labels": group["labels"],
        "taints": group["taints"],
        "desired": group["scalingConfig"].get("desiredSize", len(instances)),
        "zones": [
            ec2._subnets[each]["AvailabilityZone"] for each in group["subnets"] if each in ec2._subnets
        ],
        "instances": [instance["InstanceId"] for instance in instances],
    }


def _launch_template_data(named: dict[str, Any]) -> dict[str, Any]:
    template = ec2._launch_templates.get(named.get("id", ""))
    if not template:
        return {}
    wanted = named.get("version") or "$Default"
    number = str(template.get("DefaultVersionNumber", 1)) if wanted == "$Default" else str(wanted)
    versions = template.get("Versions", [])
    chosen = [each for each in versions if str(each.get("VersionNumber")) == number] or versions[-1:]
    data: dict[str, Any] = chosen[0].get("LaunchTemplateData", {}) if chosen else {}
    return data


async def _respond(send: Callable[..., Any], answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
