"""What a node gives to pods: all that it has, less what its system keeps.

EKS reserves CPU in steps and memory by the number of pods that a type's network interfaces have addresses
for; on top come the pods that the system itself runs on every node. Nodes of an existing cluster are somebody
else's, and what theirs keep is not known.
"""

from dataclasses import dataclass, replace
from typing import Final

from components.catalog import InstanceType, NodeLimits
from components.spec.units import Memory, Share

MILLICORES: Final = 1000
_PODS: Final = ((2, 29), (8, 58), (1 << 20, 234))
"""Up to so many cores, roughly so many pods: the addresses of network interfaces grow with a type's size."""


@dataclass(frozen=True, slots=True)
class Room:
    """What one node has for pods."""

    cpu_m: int
    """In thousandths of a core."""
    memory: Memory
    accelerators: int
    pods: int


def capacity(instance: InstanceType) -> Room:
    """All that a node of this type has."""
    devices = instance.accelerators.count if instance.accelerators is not None else 0
    return Room(instance.vcpu * MILLICORES, instance.memory, devices, pods_of(instance.vcpu))


def allocatable(whole: Room, limits: NodeLimits) -> Room:
    """What EKS lets pods ask for on such a node, its own pods among them."""
    kept = limits.memory.value.bytes + limits.memory_of_a_pod.value.bytes * whole.pods
    kept += limits.memory_before_eviction.value.bytes
    return replace(
        whole,
        cpu_m=whole.cpu_m - _reserved_m(whole.cpu_m // MILLICORES, limits),
        memory=Memory(max(0, whole.memory.bytes - kept)),
    )


def left_for_workloads(whole: Room, limits: NodeLimits) -> Room:
    """What is left of that when the system's own pods have theirs."""
    given = allocatable(whole, limits)
    own = round(limits.system_pods.value.fraction * MILLICORES)
    return replace(given, cpu_m=max(0, given.cpu_m - own))


def _reserved_m(cores: int, limits: NodeLimits) -> int:
    """In thousandths of a core, a part of one counting whole."""
    steps = (
        (0, 1, limits.first_core),
        (1, 2, limits.second_core),
        (2, 4, limits.third_and_fourth_core),
        (4, max(cores, 4), limits.more_cores),
    )
    kept = sum(share.value.steps * max(0, min(cores, last) - first) for first, last, share in steps)
    return -(-kept * MILLICORES // Share.maximum)


def pods_of(vcpu: int) -> int:
    """Roughly how many pods the network interfaces of a type of this size have addresses for."""
    return next(pods for cores, pods in _PODS if vcpu <= cores)
