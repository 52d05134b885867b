"""What stands around a workload and is paid for with it: front door, load balancer, cluster, gateway, NAT.

Most of it is there once for many workloads, so each pays a share. A function needs nothing but its front
door; nodes need all of it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final, Literal

from components.catalog import Catalog, InstanceType
from components.placement.options import OptionError
from components.spec import Stack
from components.spec.units import Memory, Share

GATEWAY_CORES: Final = Fraction(1, 10)
"""Cores that one gateway pod asks for."""

GATEWAY_MEMORY: Final = Memory.parse("256MiB")
"""Memory that one gateway pod asks for, unless thousands of requests are under way at once."""

ALL: Final = Share.parse("100%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What stands around a workload. The default is nothing: the compute alone."""

    front_door: Literal["http-api", "rest-api"] | None = None
    """The API Gateway that every request passes."""
    twin_door: Literal["http-api"] | None = None
    """The API Gateway through which the gateway in the cluster calls function twins."""
    balancer: Literal["network", "application"] | None = None
    """The load balancer before the gateway in the cluster."""
    cluster: Literal["eks"] | None = None
    extended_support: bool = False
    """Whether the cluster's version is past its standard support."""
    nat_gateways: int = 0
    gateway: InstanceType | None = None
    """The machine that the gateway's pods run on; None leaves them out."""
    gateway_pods: int = 0
    zones: int = 1
    """Zones that gateway and pods are spread over."""
    share: Share = ALL
    """This workload's part of what is there once for all."""

    def __post_init__(self) -> None:
        for name, least in (("nat_gateways", 0), ("gateway_pods", 0), ("zones", 1)):
            if getattr(self, name) < least:
                raise OptionError(name, getattr(self, name), "is too small", f"give {least} or more")

    @property
    def crossing(self) -> Fraction:
        """Share of requests whose pod stands in another zone than the gateway that passes them on."""
        return 1 - Fraction(1, self.zones)


COMPUTE_ONLY: Final = Platform()


def platform_of(stack: Stack, catalog: Catalog, *, among: int | None = None) -> Platform:
    """What stands around the workloads of a stack, each paying the same share of it.

    `among` is how many run on nodes; without it, all that have a container are taken to. The dedicated
    topology has no API Gateway before its data route.
    """
    front = None if stack.topology == "dedicated" else stack.control_plane.front_door
    alone = Platform(front_door=front, zones=len(stack.zones))
    plane = stack.data_plane
    if plane is None:
        return alone
    made_here = plane.cluster.provider == "eks"
    known = (catalog.instance_types.get(pool.instance) for pool in plane.pools if pool.instance)
    return replace(
        alone,
        twin_door="http-api",
        balancer="network" if made_here else None,
        cluster="eks" if made_here else None,
        nat_gateways={"none": 0, "single": 1, "per-zone": len(stack.zones)}[stack.network.nat],
        gateway=next((instance for instance in known if instance and not instance.accelerators), None),
        gateway_pods=plane.gateway.replicas,
        share=ALL / max(1, _in_containers(stack) if among is None else among),
    )


def _in_containers(stack: Stack) -> int:
    return sum(1 for workload in stack.workloads if workload.serve.container is not None)
