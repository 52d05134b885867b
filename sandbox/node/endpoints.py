"""What a service's EndpointSlices say: which addresses are ready, at which ports."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.node.addresses import to_loopback
from sandbox.node.api import Object
from sandbox.node.cache import Cache

SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True)
class Endpoint:
    """One ready address of a service, as it is on this machine."""

    address: str
    ports: tuple[tuple[str, int], ...]
    """Port numbers by the service port's name (empty for the only, unnamed one)."""
    hostname: str = ""

    def port(self, name: str) -> int | None:
        """The number of a port by its name."""
        return dict(self.ports).get(name)


class Endpoints:
    """The endpoints of all services, found by service."""

    def __init__(self, slices: Cache) -> None:
        """Follows the cache from now on."""
        self._slices: dict[str, dict[str, Object]] = {}
        for key, item in slices.objects.items():
            self._changed(key, None, item)
        slices.listen(self._changed)

    def ready(self, namespace: str, service: str) -> list[Endpoint]:
        """The ready endpoints of a service, in a stable order."""
        slices = self._slices.get(f"{namespace}/{service}", {}).values()
        found = {endpoint for item in slices for endpoint in _ready(item)}
        return sorted(found, key=lambda endpoint: (endpoint.address, endpoint.ports))

    def _changed(self, key: str, old: Object | None, new: Object | None) -> None:
        for item in (old, new):
            if item is not None:
                self._slices.setdefault(_service(item), {}).pop(key, None)
        if new is not None:
            self._slices[_service(new)][key] = new


def _service(item: Object) -> str:
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata.get('labels', {}).get(SERVICE_LABEL, '')}"


def _ready(item: Object) -> Iterator[Endpoint]:
    ports = tuple(
        (port.get("name") or "", int(port["port"])) for port in item.get("ports") or [] if port.get("port")
    )
    for endpoint in item.get("endpoints") or []:
        # Unknown counts as ready, as the API says.
        if endpoint.get("conditions", {}).get("ready") is not False:
            for address in endpoint["addresses"]:
                yield Endpoint(to_loopback(address), ports, endpoint.get("hostname") or "")
