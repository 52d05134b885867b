"""What a stack file leaves open, and by what it wants it chosen."""

from typing import Literal

from components.catalog import Catalog
from components.placement.homes import Home
from components.spec import Share, Stack, Workload


def is_open(stack: Stack) -> bool:
    """Whether the stack file leaves anything to be chosen."""
    pools = stack.data_plane.pools if stack.data_plane is not None else ()
    return any(pool.nodes.desired is None for pool in pools) or any(map(_is_open, stack.workloads))


def _is_open(workload: Workload) -> bool:
    asked = workload.placement
    if asked.home is None:
        return True
    return not Home(asked.home).is_function and (asked.pool is None or asked.replicas is None)


def headroom_of(stack: Stack, catalog: Catalog) -> Share:
    """Share of what replicas take at once that stays free in the busiest minute."""
    asked = stack.decision.headroom
    return catalog.guidance.capacity.headroom.value if asked is None else asked


def stickiness_of(stack: Stack, catalog: Catalog) -> Share:
    """Share of what something costs today that moving it must save."""
    asked = stack.decision.stickiness
    return catalog.guidance.capacity.stickiness.value if asked is None else asked


def as_topology(stack: Stack, topology: Literal["pure", "hybrid", "dedicated"]) -> Stack:
    """The stack as if it had named that topology; whether it may be one is not asked."""
    changes: dict[str, object] = {"topology": topology}
    if topology == "pure":
        changes["data_plane"] = None
    return with_exposure(stack.model_copy(update=changes))


def with_exposure(stack: Stack) -> Stack:
    """A stack of one topology that says how its gateway is reached."""
    plane = stack.data_plane
    if plane is None or plane.gateway.exposure is not None:
        return stack
    direct = stack.topology == "dedicated" or plane.cluster.provider == "existing"
    gateway = plane.gateway.model_copy(update={"exposure": "load-balancer" if direct else "vpc-link"})
    return stack.model_copy(update={"data_plane": plane.model_copy(update={"gateway": gateway})})
