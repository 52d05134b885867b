"""What a node of an instance type offers: its capacity, and what EKS leaves of it to pods."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from components.catalog import load
from components.placement.nodes import MILLICORES, Room, allocatable, capacity, pods_of
from components.spec.units import Memory

logger = logging.getLogger(__name__)

# What is taken for a type that the catalog does not know.
_FALLBACK: Final = Room(2 * MILLICORES, Memory.parse("4GiB"), 0, pods_of(2))


@dataclass(frozen=True)
class Shape:
    """What an instance type gives to pods."""

    architecture: str
    capacity: Mapping[str, str]
    allocatable: Mapping[str, str]


class Shapes:
    """The shapes of the catalog's types, and one that stands for any other."""

    def __init__(self) -> None:
        """Reads the catalog."""
        self._catalog = load()
        self._unknown: set[str] = set()

    def of(self, instance_type: str) -> Shape:
        """The shape of a type; of one that is not known the log says so, once."""
        kind = self._catalog.instance_types.get(instance_type)
        if kind is None and instance_type not in self._unknown:
            self._unknown.add(instance_type)
            logger.warning("instance type %s is not in the catalog: taken for 2 vCPU, 4 GiB", instance_type)
        whole = _FALLBACK if kind is None else capacity(kind)
        given = allocatable(whole, self._catalog.limits.node)
        devices = {"nvidia.com/gpu": str(whole.accelerators)} if whole.accelerators else {}
        common = {"pods": str(whole.pods), "ephemeral-storage": "20Gi", **devices}
        return Shape(
            "amd64" if kind is None else kind.architecture,
            capacity={
                "cpu": str(whole.cpu_m // MILLICORES),
                "memory": f"{whole.memory.bytes // 1024}Ki",
                **common,
            },
            allocatable={"cpu": f"{given.cpu_m}m", "memory": f"{given.memory.bytes // 1024}Ki", **common},
        )
