"""What a pod's spec means for a process on this machine: plain functions over plain objects.

Environment as kubelet computes it (order, references, the downward API), addresses as they are here, and
mount paths turned into the directories that hold the volumes.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.node.addresses import to_loopback
from sandbox.node.api import Object

_REFERENCE = re.compile(r"\$(\$|\([A-Za-z_.][\w.-]*\))")
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")
_SUFFIXES = {
    "m": Decimal("0.001"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
}
Lookup = Callable[[str, str], Mapping[str, str] | None]


class ConfigError(Exception):
    """A container that cannot be started as it is specified; Kubernetes' CreateContainerConfigError."""


@dataclass(frozen=True)
class Place:
    """Where a pod is: what the downward API tells it, addresses as they are on this machine."""

    pod: Object
    address: str
    """The pod's, as the cluster knows it."""
    host_address: str

    def field(self, path: str) -> str:
        """The value of one `fieldRef`. Raises ConfigError for a field that there is not."""
        metadata, spec = self.pod["metadata"], self.pod["spec"]
        if match := _SUBSCRIPT.fullmatch(path):
            return str(metadata.get(match[1], {}).get(match[2], ""))
        simple: dict[str, Callable[[], str]] = {
            "metadata.name": lambda: metadata["name"],
            "metadata.namespace": lambda: metadata["namespace"],
            "metadata.uid": lambda: metadata["uid"],
            "metadata.labels": lambda: _lines(metadata.get("labels", {})),
            "metadata.annotations": lambda: _lines(metadata.get("annotations", {})),
            "spec.nodeName": lambda: spec.get("nodeName", ""),
            "spec.serviceAccountName": lambda: spec.get("serviceAccountName", "default"),
            "status.podIP": lambda: to_loopback(self.address),
            "status.podIPs": lambda: to_loopback(self.address),
            "status.hostIP": lambda: to_loopback(self.host_address),
            "status.hostIPs": lambda: to_loopback(self.host_address),
        }
        if path not in simple:
            raise ConfigError(f"there is no field {path}")
        return simple[path]()


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f'{name}="{value}"' for name, value in sorted(values.items()))


def environment(container: Object, place: Place, config_map: Lookup, secret: Lookup) -> dict[str, str]:
    """The variables that a container's spec defines, in kubelet's order. Raises ConfigError."""
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        for kind, lookup in (("configMapRef", config_map), ("secretRef", secret)):
            if kind in source:
                found = _found(source[kind], place, lookup)
                values |= {source.get("prefix", "") + name: value for name, value in found.items()}
    for entry in container.get("env", []):
        value = (
            expand(entry.get("value", ""), values)
            if "valueFrom" not in entry
            else _value_from(
                entry["valueFrom"], container, place, {"configMap": config_map, "secret": secret}
            )
        )
        if value is not None:
            values[entry["name"]] = value
    return values


def _value_from(source: Object, container: Object, place: Place, lookups: Mapping[str, Lookup]) -> str | None:
    if "fieldRef" in source:
        return place.field(source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource(container, source["resourceFieldRef"])
    for kind, lookup in lookups.items():
        if reference := source.get(f"{kind}KeyRef"):
            found = _found(reference, place, lookup)
            if reference["key"] in found:
                return found[reference["key"]]
            if reference.get("optional"):
                return None
            raise ConfigError(f"couldn't find key {reference['key']} in {kind} {reference['name']}")
    raise ConfigError(f"unsupported source of a variable: {', '.join(source)}")


def _found(reference: Object, place: Place, lookup: Lookup) -> Mapping[str, str]:
    found = lookup(place.pod["metadata"]["namespace"], reference["name"])
    if found is None and not reference.get("optional"):
        raise ConfigError(f"{reference['name']} not found")
    return found or {}


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$(NAME)` replaced by values known so far; `$$` is a dollar; an unknown name stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return values.get(match[1][1:-1], match[0])

    return _REFERENCE.sub(value, text)


def resource(container: Object, reference: Object) -> str:
    """A `resourceFieldRef`: a request or limit in units of its divisor, rounded up."""
    kind, _, name = reference["resource"].partition(".")
    given = container.get("resources", {}).get(kind, {}).get(name, "0")
    # The API server writes a divisor of 0 where none was given; it means 1.
    divisor = quantity(str(reference.get("divisor", "1"))) or Decimal(1)
    return str(math.ceil(quantity(str(given)) / divisor))


def quantity(text: str) -> Decimal:
    """A Kubernetes quantity, such as 500m or 2Gi, as a number."""
    match = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", text)
    if match is None or match[2] not in {"", *_SUFFIXES}:
        raise ConfigError(f"{text} is not a quantity")
    return Decimal(match[1]) * _SUFFIXES.get(match[2], Decimal(1))


@dataclass(frozen=True)
class Mount:
    """One volume mount: the path in the container, and what is there on this machine."""

    path: str
    target: Path


def rewrite(text: str, mounts: Sequence[Mount]) -> str:
    """Text with every mount path in it replaced by the real one.

    A path counts where it begins a word and ends at a slash or where a file name could not go on:
    `/etc/app` is found in `-f=/etc/app/x` and not in `/my/etc/app` or `/etc/application`.
    """
    for mount in sorted(mounts, key=lambda each: len(each.path), reverse=True):
        path = mount.path.rstrip("/")
        if path:
            pattern = rf"(?<![\w./-]){re.escape(path)}(?![\w.-])"
            text = re.sub(pattern, lambda _, target=str(mount.target): target, text)  # type: ignore[misc]
    return text


def container_ports(container: Object) -> list[int]:
    """The ports that a container declares."""
    return [int(port["containerPort"]) for port in container.get("ports", [])]


def port_number(container: Object, port: Any) -> int:
    """A port given as a number, or as the name of one of the container's. Raises ConfigError."""
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    for each in container.get("ports", []):
        if each.get("name") == port:
            return int(each["containerPort"])
    raise ConfigError(f"container {container['name']} has no port named {port}")
