"""EKS node groups become nodes.

A managed node group is instances that start by themselves, join the cluster with the group's labels and
taints and leave it when the group shrinks. The emulator says which node groups there are (see
`sandbox.aws.emulator.repairs.node_group_feed`); here each of their instances is a Node object, which KWOK
then keeps alive. A node that has to go is cordoned and its pods are deleted first, as EKS drains a node.
"""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.node.addresses import AddressBook, NoAddressLeftError, Purpose
from sandbox.node.api import CONFLICT, NODES, PODS, ApiError, Client, Object, Unavailable, path_of
from sandbox.node.cache import Backoff, Cache

if TYPE_CHECKING:
    from sandbox.node.shapes import Shape, Shapes

logger = logging.getLogger(__name__)
FEED = "/_halfmetal/node-groups"
_WAIT = httpx.Timeout(5.0, read=60.0)
_DRAIN_S = 20.0
# What the agent has put on a node, so that it can take it away again and nothing else.
APPLIED = "halfmetal.dev/node-group"
_EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
_LONGEST_NAME = 63


@dataclass(frozen=True)
class Wanted:
    """One node that a node group ought to have."""

    name: str
    instance_type: str
    zone: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]
    provider_id: str
    version: str

    @property
    def applied(self) -> str:
        """What is put on the node, as it is written beside it."""
        return json.dumps({"labels": {**self.labels}, "taints": [*self.taints]}, sort_keys=True)


def wanted_nodes(group: Mapping[str, Any]) -> list[Wanted]:
    """The nodes of one node group: as many as desired, spread over its zones, with names that stay."""
    zones = list(dict.fromkeys(group["zones"])) or [f"{group['region']}a"]
    instances = group.get("instances", [])
    nodes = []
    for index in range(int(group["desired"])):
        zone = zones[index % len(zones)]
        name = node_name(group["cluster"], group["name"], index)
        instance = instances[index] if index < len(instances) else "i-" + _digest(name)[:17]
        nodes.append(
            Wanted(
                name=name,
                instance_type=group["instanceType"],
                zone=zone,
                labels={
                    **group["labels"],
                    "eks.amazonaws.com/nodegroup": group["name"],
                    "eks.amazonaws.com/capacityType": group["capacityType"],
                    "node.kubernetes.io/instance-type": group["instanceType"],
                    "topology.kubernetes.io/region": group["region"],
                    "topology.kubernetes.io/zone": zone,
                    "kubernetes.io/hostname": name,
                    "kubernetes.io/os": "linux",
                },
                taints=tuple(_taint(each) for each in group["taints"]),
                provider_id=f"aws:///{zone}/{instance}",
                version=str(group.get("version", "")),
            )
        )
    return nodes


def _taint(taint: Mapping[str, str]) -> dict[str, str]:
    value = {"value": taint["value"]} if taint.get("value") else {}
    return {"key": taint["key"], **value, "effect": _EFFECTS.get(taint["effect"], taint["effect"])}


def node_name(cluster: str, group: str, index: int) -> str:
    """A node's name: the same for the same place in the same node group, and a valid host name."""
    text = re.sub(r"[^a-z0-9-]+", "-", f"{cluster}-{group}".lower()).strip("-")
    suffix = f"-{index}"
    if len(text) + len(suffix) > _LONGEST_NAME:
        text = f"{text[:40].rstrip('-')}-{_digest(text)[:8]}"
    return text + suffix


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(node: Wanted, kind: "Shape", address: str) -> Object:
    """The Node object that an instance registers."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {**node.labels, "kubernetes.io/arch": kind.architecture},
            "annotations": {APPLIED: node.applied},
        },
        "spec": {"providerID": node.provider_id, "taints": [*node.taints]},
        "status": {
            "capacity": {**kind.capacity},
            "allocatable": {**kind.allocatable},
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": node.name},
            ],
            "nodeInfo": _node_info(kind, node.version),
        },
    }


def _node_info(kind: "Shape", version: str) -> Object:
    unknown = ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "kubeProxyVersion")
    return {
        **dict.fromkeys(unknown, ""),
        "architecture": kind.architecture,
        "operatingSystem": "linux",
        "containerRuntimeVersion": "sandbox://1",
        "kubeletVersion": f"v{version}.0" if version else "",
    }


def change(node: Wanted, present: Object) -> Object | None:
    """The merge patch that brings a node up to date; None when it is. Taints of others stay."""
    before = present["metadata"].get("annotations", {}).get(APPLIED, "")
    if before == node.applied:
        return None
    applied = json.loads(before or "{}")
    gone = {label: None for label in applied.get("labels", {}) if label not in node.labels}
    ours = [(each["key"], each["effect"]) for each in (*applied.get("taints", []), *node.taints)]
    others = [
        taint for taint in present["spec"].get("taints", []) if (taint["key"], taint["effect"]) not in ours
    ]
    return {
        "metadata": {"labels": {**node.labels, **gone}, "annotations": {APPLIED: node.applied}},
        "spec": {"taints": [*node.taints, *others]},
    }


def is_ours(node: Object) -> bool:
    """Whether a node belongs to a node group, and so to the agent."""
    return APPLIED in node["metadata"].get("annotations", {})


def is_outdated(node: Wanted, present: Object) -> bool:
    """Whether a node has to be replaced: an instance cannot become one of another type or zone."""
    labels = present["metadata"].get("labels", {})
    return any(
        labels.get(name) != node.labels[name]
        for name in ("node.kubernetes.io/instance-type", "topology.kubernetes.io/zone")
    )


class NodeGroups:
    """Keeps the nodes as the node groups want them."""

    def __init__(
        self, client: Client, nodes: Cache, pods: Cache, addresses: AddressBook, emulator_url: str
    ) -> None:
        """Begins to act in `run`."""
        self._client = client
        self._nodes = nodes
        self._pods = pods
        self._addresses = addresses
        self._emulator = httpx.AsyncClient(base_url=emulator_url, timeout=_WAIT, trust_env=False)
        self._draining: dict[str, asyncio.Task[None]] = {}
        self._silent = False

    @cached_property
    def _shapes(self) -> "Shapes":
        # A tenth of the agent's start, for what only a first node group asks for.
        from sandbox.node.shapes import Shapes  # noqa: PLC0415

        return Shapes()

    async def run(self) -> None:
        """Follow the emulator until cancelled."""
        await self._nodes.filled.wait()
        backoff = Backoff()
        version = ""
        while True:
            try:
                feed = await self._feed(version)
                await self._converge(feed["nodeGroups"])
            except (httpx.HTTPError, ValueError, KeyError) as error:
                self._fails(f"node groups are not known: {error or type(error).__name__}")
                await asyncio.sleep(backoff.next())
            except (ApiError, Unavailable, NoAddressLeftError) as error:
                self._fails(f"nodes of node groups cannot be kept: {error}")
                version = ""
                await asyncio.sleep(backoff.next())
            else:
                version, self._silent = feed["version"], False
                backoff.reset()

    async def _feed(self, version: str) -> Mapping[str, Any]:
        response = await self._emulator.get(FEED, params={"version": version} if version else {})
        response.raise_for_status()
        answer: Mapping[str, Any] = response.json()
        return answer

    async def _converge(self, groups: Iterable[Mapping[str, Any]]) -> None:
        wanted = {node.name: node for group in groups for node in wanted_nodes(group)}
        present = {name: node for name, node in self._nodes.objects.items() if is_ours(node)}
        leaving = {
            name for name, node in present.items() if name not in wanted or is_outdated(wanted[name], node)
        }
        for name in leaving:
            self._drain(name)
        for name, node in wanted.items():
            if name in leaving or name in self._draining:
                continue
            if name not in self._nodes.objects:
                await self._create(node)
            elif patch := change(node, self._nodes.objects[name]):
                await self._client.patch(f"{NODES}/{name}", patch)
        if waiting := [task for name, task in self._draining.items() if name in wanted]:
            # Their successors have the same names: look again once they are gone.
            await asyncio.wait(waiting)
            raise Unavailable("nodes are being replaced")

    async def _create(self, node: Wanted) -> None:
        address = self._addresses.give(Purpose.NODE, node.name)
        try:
            await self._client.create(NODES, manifest(node, self._shapes.of(node.instance_type), address))
        except ApiError as error:
            if error.status == CONFLICT:
                # It was made a moment ago and the cache has not heard of it yet.
                return
            raise
        logger.info("node %s joins: %s in %s", node.name, node.instance_type, node.zone)

    def _drain(self, name: str) -> None:
        if name not in self._draining:
            task = asyncio.create_task(self._remove(name))
            self._draining[name] = task
            task.add_done_callback(lambda _: self._draining.pop(name, None))

    async def _remove(self, name: str) -> None:
        backoff = Backoff()
        while name in self._nodes.objects:
            try:
                await self._client.patch(f"{NODES}/{name}", {"spec": {"unschedulable": True}})
                await self._evict(name)
                await self._client.delete(f"{NODES}/{name}")
                self._addresses.free(Purpose.NODE, name)
                logger.info("node %s has left", name)
                return
            except (ApiError, Unavailable):
                await asyncio.sleep(backoff.next())

    async def _evict(self, name: str) -> None:
        """Delete the node's pods and wait for them to go; what stays too long is forced."""
        for pod in self._on(name):
            await self._client.delete(path_of(pod, PODS))
        deadline = asyncio.get_running_loop().time() + _DRAIN_S
        while self._on(name) and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
        for pod in self._on(name):
            await self._client.delete(path_of(pod, PODS), grace_s=0)

    def _on(self, name: str) -> list[Object]:
        """Pods on a node, except those that a DaemonSet would put there again at once."""
        return [
            pod
            for pod in self._pods.objects.values()
            if pod["spec"].get("nodeName") == name
            and not any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", []))
        ]

    def _fails(self, reason: str) -> None:
        if not self._silent:
            logger.warning("%s; trying again until they are", reason)
        self._silent = True
