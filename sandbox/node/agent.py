"""The agent put together: caches of the API, everything that acts on them, and an orderly end."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from sandbox.node.addresses import AddressBook
from sandbox.node.api import (
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
    Client,
    connect,
)
from sandbox.node.cache import Cache
from sandbox.node.children import Register
from sandbox.node.config import NodeConfig
from sandbox.node.dns import Server, Zone
from sandbox.node.endpoints import Endpoints
from sandbox.node.nodegroups import NodeGroups
from sandbox.node.pods import Pods
from sandbox.node.services import Services
from sandbox.node.volumes import config_map_data, secret_data
from sandbox.node.worker import Surroundings

logger = logging.getLogger(__name__)
# Shorter than what the supervisor gives the agent itself.
_LAST_GRACE_S = 10.0


class Agent:
    """One node agent."""

    def __init__(self, config: NodeConfig) -> None:
        """Connects to nothing yet."""
        self._config = config
        self._client: Client = connect(config.kubeconfig, config.state)
        self._addresses = AddressBook(config.octet, config.state / "addresses.json")
        self._register = Register(config.state / "processes.json")
        self._caches = {
            collection: Cache(self._client, collection)
            for collection in (PODS, NODES, SERVICES, ENDPOINT_SLICES, CONFIG_MAPS, SECRETS)
        }
        endpoints = Endpoints(self._caches[ENDPOINT_SLICES])
        self._dns = Server(Zone(endpoints, self._has_service), "127.0.0.1", config.dns_port)
        services = Services(self._client, self._caches[SERVICES], endpoints, self._addresses)
        self._pods = Pods(
            self._caches[PODS], self._caches[CONFIG_MAPS], self._addresses, self._surroundings()
        )
        self._running = [*(cache.run for cache in self._caches.values()), services.run, self._run_pods]
        if config.emulator_url:
            groups = NodeGroups(
                self._client, self._caches[NODES], self._caches[PODS], self._addresses, config.emulator_url
            )
            self._running.append(groups.run)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then end everything that was started."""
        for pid in self._register.end_leftovers():
            logger.warning("ended process %d that an agent before this one left behind", pid)
        stopped = asyncio.create_task(stop.wait())
        tasks: list[asyncio.Task[Any]] = [stopped, *(asyncio.create_task(run()) for run in self._running)]
        try:
            if await self._before_end(self._filled(), tasks):
                await self._dns.start()
                logger.info(
                    "ready: DNS on %s, pods at 127.%d.0.0/16", self._config.nameserver, self._config.octet
                )
                await self._before_end(asyncio.Event().wait(), tasks)
        finally:
            await self._end(tasks)

    async def _run_pods(self) -> None:
        await self._filled()
        await self._pods.run()

    async def _filled(self) -> None:
        """Until every cache is filled; DNS is served only then, as it is what others take for readiness."""
        for cache in self._caches.values():
            await cache.filled.wait()

    async def _before_end(self, waited_for: Coroutine[Any, Any, Any], tasks: list[asyncio.Task[Any]]) -> bool:
        """Whether something came about before the end was asked for. Raises what made a part fail."""
        waiting = asyncio.create_task(waited_for)
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for task in done:
            # No part ever returns by itself: it failed, and an agent with a part missing is of no use.
            task.result()
        return waiting in done

    async def _end(self, tasks: list[asyncio.Task[Any]]) -> None:
        await self._dns.stop()
        await self._pods.stop(_LAST_GRACE_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.close()

    def _surroundings(self) -> Surroundings:
        config = self._config
        return Surroundings(
            client=self._client,
            state=config.state,
            logs=config.logs,
            register=self._register,
            config_map=self._config_map,
            secret=self._secret,
            env={
                "PATH": config.path,
                "LANG": "C.UTF-8",
                "NAMESERVER": config.nameserver,
                **(config.mark or {}),
            },
            hosts=self._host_address,
        )

    def _config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        found = self._caches[CONFIG_MAPS].objects.get(f"{namespace}/{name}")
        return None if found is None else config_map_data(found)

    def _secret(self, namespace: str, name: str) -> Mapping[str, str] | None:
        found = self._caches[SECRETS].objects.get(f"{namespace}/{name}")
        return None if found is None else secret_data(found)

    def _host_address(self, node: str) -> str:
        found = self._caches[NODES].objects.get(node, {})
        addresses = found.get("status", {}).get("addresses", [])
        internal = (each["address"] for each in addresses if each["type"] == "InternalIP")
        return next(internal, f"10.{self._config.octet}.0.1")

    def _has_service(self, namespace: str, name: str) -> bool:
        return f"{namespace}/{name}" in self._caches[SERVICES].objects
