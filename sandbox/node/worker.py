"""One pod, from the moment it is bound to a node until it is gone."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.node import images, podspec, podstatus
from sandbox.node.addresses import to_loopback
from sandbox.node.api import (
    CONFLICT,
    NOT_FOUND,
    PODS,
    STRATEGIC,
    ApiError,
    Client,
    Object,
    Unavailable,
    path_of,
)
from sandbox.node.cache import Backoff
from sandbox.node.children import Register
from sandbox.node.podspec import ConfigError, Lookup, Place
from sandbox.node.podstatus import Seen
from sandbox.node.runtime import Container, Launch, now, pretend
from sandbox.node.volumes import Volumes

logger = logging.getLogger(__name__)
_DEFAULT_GRACE_S = 30
_LOG_LIMIT = 16 * 1024 * 1024


@dataclass(frozen=True)
class Surroundings:
    """What all pods of an agent share."""

    client: Client
    state: Path
    logs: Path
    register: Register
    config_map: Lookup
    secret: Lookup
    env: Mapping[str, str]
    """Variables that every container gets below its own."""
    hosts: Callable[[str], str]
    """A node's address, by its name."""


class Worker:
    """Runs one pod. The pod's status is patched whenever something about it changes, and never otherwise."""

    def __init__(self, pod: Object, address: str, around: Surroundings) -> None:
        """Starts nothing yet; `address` is the pod's, as the cluster knows it."""
        self.pod = pod
        self.name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        self.address = to_loopback(address)
        self.restart_policy = str(pod["spec"].get("restartPolicy", "Always"))
        self._around = around
        self._place = Place(pod, address, around.hosts(pod["spec"]["nodeName"]))
        directory = around.state / "pods" / pod["metadata"]["uid"]
        self._home = directory / "home"
        self._directory = directory
        self._volumes = Volumes(
            directory / "volumes", around.state / "claims", self._place, around.config_map, around.secret
        )
        self._began = now()
        self._init = [self._container(spec, init=True) for spec in pod["spec"].get("initContainers", [])]
        self._containers = [self._container(spec) for spec in pod["spec"]["containers"]]
        self._dirty = asyncio.Event()
        self._stop_asked = asyncio.Event()
        self._grace_s = 0.0
        self._reported: Object = pod.get("status", {})
        self._last_refusal = ""

    @property
    def uid(self) -> str:
        """The pod's identity; one of the same name that comes later has another."""
        return str(self.pod["metadata"]["uid"])

    async def run(self) -> None:
        """Run the pod until it was stopped and its end is reported."""
        if self._stop_asked.is_set():
            return
        reporting = asyncio.create_task(self._report_changes())
        containers = asyncio.create_task(self._run_containers())
        containers.add_done_callback(self._log_fault)
        self.changed()
        try:
            await self._stop_asked.wait()
        finally:
            await self._end(containers)
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    def ask_to_stop(self, grace_s: float | None = None) -> None:
        """End everything; the grace is the pod's own unless the deletion says otherwise."""
        default = self.pod["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE_S)
        self._grace_s = float(default if grace_s is None else grace_s)
        self._stop_asked.set()

    async def report_end(self) -> None:
        """Say how the containers ended, then let the object go."""
        with contextlib.suppress(ApiError, Unavailable):
            await self._report()
        backoff = Backoff()
        while True:
            try:
                await self._around.client.delete(path_of(self.pod, PODS), grace_s=0, uid=self.uid)
            except (ApiError, Unavailable) as error:
                await self._wait_after(error, backoff)
            else:
                return

    def clean(self) -> None:
        """Remove what goes with the pod."""
        self._volumes.remove()
        with contextlib.suppress(OSError):
            self._home.rmdir()
            self._directory.rmdir()

    def config_map_changed(self, name: str) -> None:
        """Bring volumes up to date, as kubelet does while the containers run."""
        if name in self._volumes.config_maps():
            with contextlib.suppress(ConfigError):
                self._volumes.materialise()

    # What containers ask of their pod.

    def prepare(self, container: Object) -> Launch:
        """The process of one container, with the volumes as they ought to be now."""
        image = images.find(container["image"])
        if image is None:
            raise ConfigError(f"{container['image']} cannot be run here")
        self._volumes.materialise()
        self._home.mkdir(parents=True, exist_ok=True)
        mounts = self._volumes.mounts(container)
        given = podspec.environment(container, self._place, self._around.config_map, self._around.secret)
        own = {name: podspec.rewrite(value, mounts) for name, value in given.items()}
        base = {**self._around.env, "HOME": str(self._home), "TMPDIR": str(self._home)}
        env = {**base, **image.env, "HOSTNAME": self.pod["metadata"]["name"], **own}

        def translate(words: Sequence[str]) -> list[str]:
            here = images.translated(image, words, self.address)
            return [podspec.rewrite(word, mounts) for word in here]

        words = images.argv(
            image,
            command=[podspec.expand(word, given) for word in container.get("command", [])],
            args=[podspec.expand(word, given) for word in container.get("args", [])],
            ports=podspec.container_ports(container),
            address=self.address,
        )
        workdir = podspec.rewrite(container.get("workingDir", ""), mounts)
        cwd = Path(workdir) if workdir and Path(workdir).is_dir() else image.workdir or self._home
        return Launch(
            [podspec.rewrite(word, mounts) for word in words], env, cwd, image.stop_signal, translate
        )

    def changed(self) -> None:
        """Something is to be reported."""
        self._dirty.set()

    def _container(self, spec: Object, *, init: bool = False) -> Container:
        metadata = self.pod["metadata"]
        log = self._around.logs / f"{metadata['namespace']}_{metadata['name']}_{spec['name']}.log"
        kind = "initContainerStatuses" if init else "containerStatuses"
        reported = {each["name"]: each for each in self.pod.get("status", {}).get(kind, [])}
        state = podstatus.resumed(reported.get(spec["name"]))
        return Container(spec, self, log, self._around.register, is_init=init, state=state)

    async def _run_containers(self) -> None:
        for container in self._init:
            if images.find(container.spec["image"]) is None:
                container.state.waiting = None
                container.state.terminated = {"exitCode": 0, "reason": "Completed", "finishedAt": now()}
                continue
            await container.run()
            if container.state.terminated is None or container.state.terminated["exitCode"] != 0:
                return
        self.changed()
        async with asyncio.TaskGroup() as group:
            for container in self._containers:
                if images.find(container.spec["image"]) is None:
                    pretend(container.state)
                else:
                    group.create_task(container.run())

    async def _end(self, containers: asyncio.Task[None]) -> None:
        everything = [*self._init, *self._containers]
        await asyncio.gather(*(container.stop(self._grace_s) for container in everything))
        await asyncio.gather(containers, return_exceptions=True)

    async def _report_changes(self) -> None:
        backoff = Backoff()
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                await self._report()
                backoff.reset()
            except (ApiError, Unavailable) as error:
                if isinstance(error, ApiError) and error.status in {NOT_FOUND, CONFLICT}:
                    # It is gone, or another pod has its name: there is nobody to report about.
                    return
                self._dirty.set()
                await self._wait_after(error, backoff)

    async def _wait_after(self, error: ApiError | Unavailable, backoff: Backoff) -> None:
        """Everything is tried again: what nobody heard now may never change, and so never be told, again.

        Refusals included: an API server that has just started forbids all until it has read its roles.
        """
        if isinstance(error, ApiError) and str(error) != self._last_refusal:
            logger.warning("what %s reports is refused: %s; trying again", self.name, error)
            self._last_refusal = str(error)
        await asyncio.sleep(backoff.next())

    async def _report(self) -> None:
        seen = Seen(
            address=self._place.address,
            host_address=self._place.host_address,
            started_at=self._began,
            init=[(container.spec, container.state) for container in self._init],
            containers=[(container.spec, container.state) for container in self._containers],
            restart_policy=self.restart_policy,
        )
        wanted = podstatus.status(seen, self._reported, now())
        # The pod that is meant, not a later one of the same name.
        change = {"metadata": {"uid": self.uid}, "status": wanted}
        answer = await self._around.client.patch(path_of(self.pod, PODS) + "/status", change, kind=STRATEGIC)
        self._reported = answer["status"]

    def _log_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            logger.error("the containers of %s were given up", self.name, exc_info=error)


def trim_logs(directory: Path) -> None:
    """Empty logs that have grown too large; their writers append, so they go on at the beginning."""
    for path in directory.glob("*.log"):
        if path.stat().st_size > _LOG_LIMIT:
            os.truncate(path, 0)
