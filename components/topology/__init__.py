"""Topologies: how the components make a platform. `compose` is all that a program needs."""

from pkgutil import resolve_name
from typing import Final

import pulumi
import pulumi_aws as aws

from components.base import Transform
from components.control_plane.bundle import bundle
from components.naming import root
from components.placement import Placements
from components.spec import Stack
from components.topology.common import Package, Topology, TopologyArgs, bundles_of
from components.topology.outputs import Outputs

__all__ = ["Outputs", "compose", "topology_of"]

# Imported when chosen: a pure stack does not wait for the SDKs of the clusters that it does not have.
_KINDS: Final = {
    "pure": "components.topology.pure:Pure",
    "hybrid": "components.topology.hybrid:Hybrid",
    "dedicated": "components.topology.dedicated:Dedicated",
}


def compose(
    stack: Stack,
    placements: Placements,
    name: str,
    *,
    transform: Transform | None = None,
    package: Package = bundle,
) -> Outputs:
    """Make the platform that a stack file describes.

    `name` is the Pulumi stack's. `transform` sees every resource but the AWS provider before it is
    registered. `package` makes the bundles of functions. Raises StackError for functions that cannot be
    packaged before any resource is registered.
    """
    topology = topology_of(stack, placements)
    bundles = bundles_of(stack, placements, package)
    tags = {"halfmetal:stack": name, "halfmetal:topology": topology}
    provider = aws.Provider(
        f"{root(name)}-aws",
        region=stack.region,
        default_tags={"tags": tags},
    )
    kind: type[Topology] = resolve_name(_KINDS[topology])
    made = kind(
        root(name),
        TopologyArgs(
            stack=stack,
            placements=placements,
            stack_name=name,
            bundles=bundles,
            tags=tags,
            transform=transform,
        ),
        pulumi.ResourceOptions(providers=[provider]),
    )
    return made.outputs


def topology_of(stack: Stack, placements: Placements) -> str:
    """The topology; where the stack file leaves it open, the least that the workloads' homes need."""
    if stack.topology != "auto":
        return stack.topology
    on_nodes = [placement for placement in placements.by_name.values() if not placement.home.is_function]
    if stack.data_plane is None or not on_nodes:
        return "pure"
    direct = stack.data_plane.gateway.exposure == "load-balancer"
    # A function twin is serverless, so a data route that has one is not dedicated.
    alone = all(placement.twin is None for placement in on_nodes)
    return "dedicated" if direct and alone and len(on_nodes) == len(placements.by_name) else "hybrid"
