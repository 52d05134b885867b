"""Which pods run here: those that are bound to a node and have an image that this machine can run."""

import asyncio
import logging
import shutil
from collections.abc import Mapping

from sandbox.node import images
from sandbox.node.addresses import AddressBook, Purpose
from sandbox.node.api import Object
from sandbox.node.cache import Cache
from sandbox.node.worker import Surroundings, Worker, trim_logs

logger = logging.getLogger(__name__)
_FINISHED = frozenset({"Succeeded", "Failed"})
_HOUSEKEEPING_S = 60.0
# A pod whose object vanished at once (a forced deletion) is not owed a long farewell.
_FORCED_GRACE_S = 2.0


def is_ours(pod: Object) -> bool:
    """Whether the agent runs a pod, and KWOK leaves it alone (see `sandbox.cluster.kwok`)."""
    return bool(pod["spec"].get("nodeName")) and any(
        images.find(container["image"]) for container in pod["spec"]["containers"]
    )


class Pods:
    """All workers, started and stopped as pods come and go."""

    def __init__(self, pods: Cache, config_maps: Cache, addresses: AddressBook, around: Surroundings) -> None:
        """Begins to act in `run`."""
        self._pods = pods
        self._addresses = addresses
        self._around = around
        self._workers: dict[str, Worker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._acting = False
        pods.listen(self._pod_changed)
        config_maps.listen(self._config_map_changed)

    async def run(self) -> None:
        """Take up the pods that are there, then those that come; until cancelled.

        To be called once everything that pods refer to is known: nodes, ConfigMaps, Secrets.
        """
        self._forget_the_gone()
        self._acting = True
        for key, pod in list(self._pods.objects.items()):
            self._pod_changed(key, None, pod)
        while True:
            trim_logs(self._around.logs)
            await asyncio.sleep(_HOUSEKEEPING_S)

    async def stop(self, grace_s: float) -> None:
        """End all processes, and leave the pods' objects as they are: another agent takes them up."""
        self._acting = False
        for worker in self._workers.values():
            worker.ask_to_stop(grace_s)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _pod_changed(self, _key: str, old: Object | None, new: Object | None) -> None:
        if not self._acting:
            return
        if old is not None and (new is None or new["metadata"]["uid"] != old["metadata"]["uid"]):
            self._vanished(old["metadata"]["uid"])
        if new is None or not is_ours(new):
            return
        worker = self._workers.get(new["metadata"]["uid"])
        if worker is None:
            self._appeared(new)
        elif "deletionTimestamp" in new["metadata"]:
            worker.ask_to_stop(new["metadata"].get("deletionGracePeriodSeconds"))

    def _appeared(self, pod: Object) -> None:
        if pod.get("status", {}).get("phase") in _FINISHED and "deletionTimestamp" not in pod["metadata"]:
            return
        uid = pod["metadata"]["uid"]
        address = self._addresses.give(Purpose.POD, uid)
        worker = Worker(pod, address, self._around)
        self._workers[uid] = worker
        if "deletionTimestamp" in pod["metadata"]:
            # Deleted while no agent ran: its processes are gone, its object waits for us.
            worker.ask_to_stop(0)
        self._tasks[uid] = asyncio.create_task(self._attend(worker), name=uid)

    async def _attend(self, worker: Worker) -> None:
        logger.info("%s runs at %s", worker.name, worker.address)
        try:
            await worker.run()
            if self._acting:
                await worker.report_end()
                logger.info("%s is gone", worker.name)
        except Exception:  # a fault of ours in one pod must not end all others, and must be seen
            logger.exception("%s was given up", worker.name)
        finally:
            if self._acting:
                worker.clean()
                self._addresses.free(Purpose.POD, worker.uid)
                self._workers.pop(worker.uid, None)
                self._tasks.pop(worker.uid, None)

    def _vanished(self, uid: str) -> None:
        if worker := self._workers.get(uid):
            worker.ask_to_stop(_FORCED_GRACE_S)

    def _config_map_changed(self, key: str, _old: Object | None, new: Object | None) -> None:
        if new is None:
            return
        namespace, _, name = key.partition("/")
        for worker in self._workers.values():
            if worker.pod["metadata"]["namespace"] == namespace:
                worker.config_map_changed(name)

    def _forget_the_gone(self) -> None:
        """Give back what belonged to pods that went away while no agent ran."""
        present: Mapping[str, Object] = {pod["metadata"]["uid"]: pod for pod in self._pods.objects.values()}
        self._addresses.keep_only(Purpose.POD, present)
        directory = self._around.state / "pods"
        for path in directory.iterdir() if directory.exists() else ():
            if path.name not in present:
                shutil.rmtree(path, ignore_errors=True)
