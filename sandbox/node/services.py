"""Services of the types NodePort and LoadBalancer, made reachable on this machine.

Every node port is open on one address, 127.N.0.1, as it is on every node of a cluster. A LoadBalancer gets an
address of its own, 127.N.1.z, which its status says.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.node.addresses import AddressBook, Purpose, to_loopback
from sandbox.node.api import SERVICES, ApiError, Client, Object, Unavailable, path_of
from sandbox.node.cache import Backoff, Cache
from sandbox.node.endpoints import Endpoints
from sandbox.node.proxy import Proxy, Target

logger = logging.getLogger(__name__)
_RETRY_S = 2.0


@dataclass(frozen=True)
class Door:
    """Somewhere that a service is to be reached: where, and which port of which service it leads to."""

    address: str
    port: int
    namespace: str
    service: str
    port_name: str


def doors(service: Object, node_address: str, balancer_address: str | None) -> set[Door]:
    """Every door that a service is to have."""
    spec, metadata = service["spec"], service["metadata"]
    found = set()
    for port in spec.get("ports", []):
        if port.get("protocol", "TCP") != "TCP":
            continue
        leads_to = (metadata["namespace"], metadata["name"], port.get("name", ""))
        if balancer_address:
            found.add(Door(balancer_address, port["port"], *leads_to))
        if "nodePort" in port:
            found.add(Door(node_address, port["nodePort"], *leads_to))
    return found


class Services:
    """Opens and closes doors as services come and go."""

    def __init__(self, client: Client, services: Cache, endpoints: Endpoints, addresses: AddressBook) -> None:
        """Begins to act in `run`."""
        self._client = client
        self._services = services
        self._endpoints = endpoints
        self._addresses = addresses
        self._open: dict[Door, Proxy] = {}
        self._changed = asyncio.Event()
        self._refused: set[Door] = set()
        services.listen(lambda *_: self._changed.set())

    async def run(self) -> None:
        """Keep the doors as they ought to be, until cancelled."""
        await self._services.filled.wait()
        backoff = Backoff()
        try:
            while True:
                self._changed.clear()
                await self._converge()
                try:
                    await self._report()
                    backoff.reset()
                except (ApiError, Unavailable) as error:
                    logger.warning("a load balancer's address cannot be reported: %s", error)
                    await asyncio.sleep(backoff.next())
                    continue
                await self._wait()
        finally:
            for proxy in self._open.values():
                await proxy.stop()

    async def _wait(self) -> None:
        """Until something changed; or a moment, while some port is taken by a stranger."""
        try:
            await asyncio.wait_for(self._changed.wait(), _RETRY_S if self._refused else None)
        except TimeoutError:
            return

    async def _converge(self) -> None:
        balancers = self._balancers()
        self._addresses.keep_only(Purpose.LOAD_BALANCER, balancers)
        wanted: set[Door] = set()
        for key, service in self._services.objects.items():
            if service["spec"].get("type") in {"NodePort", "LoadBalancer"}:
                wanted |= doors(service, self._addresses.node_port_address(), balancers.get(key))
        for door in self._open.keys() - wanted:
            await self._open.pop(door).stop()
        self._refused &= wanted
        for door in sorted(wanted - self._open.keys(), key=lambda each: (each.address, each.port)):
            await self._open_door(door)

    async def _open_door(self, door: Door) -> None:
        proxy = Proxy(door.address, door.port, lambda: self._targets(door))
        try:
            await proxy.start()
        except OSError as error:
            if door not in self._refused:
                logger.warning(
                    "%s/%s cannot listen on %s:%d: %s; trying again",
                    *(door.namespace, door.service, door.address, door.port, error.strerror),
                )
            self._refused.add(door)
            return
        self._refused.discard(door)
        self._open[door] = proxy
        logger.info("%s/%s listens on %s:%d", door.namespace, door.service, door.address, door.port)

    def _targets(self, door: Door) -> list[Target]:
        ready = self._endpoints.ready(door.namespace, door.service)
        return [(each.address, port) for each in ready if (port := each.port(door.port_name)) is not None]

    def _balancers(self) -> Mapping[str, str]:
        """Loopback addresses of the load balancers, by service."""
        return {
            key: to_loopback(self._addresses.give(Purpose.LOAD_BALANCER, key))
            for key, service in sorted(self._services.objects.items())
            if service["spec"].get("type") == "LoadBalancer"
            and "deletionTimestamp" not in service["metadata"]
        }

    async def _report(self) -> None:
        for key, address in self._balancers().items():
            service = self._services.objects[key]
            ingress = [{"ip": address}]
            shown = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
            if [{"ip": each.get("ip")} for each in shown] != ingress:
                path = path_of(service, SERVICES) + "/status"
                await self._client.patch(path, {"status": {"loadBalancer": {"ingress": ingress}}})
