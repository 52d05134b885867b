"""Topologies: how the components make a platform. `compose` is all that a program needs."""

from pkgutil import resolve_name
from typing import Final

import pulumi
import pulumi_aws as aws

from components.base import Transform
from components.control_plane.bundle import bundle
from components.naming import root
from components.placement import Placements
from components.topology.common import Package, Topology, TopologyArgs, bundles_of
from components.topology.outputs import Outputs

__all__ = ["Outputs", "compose"]

# Imported when chosen: a pure stack does not wait for the SDKs of the clusters that it does not have.
_KINDS: Final = {
    "pure": "components.topology.pure:Pure",
    "hybrid": "components.topology.hybrid:Hybrid",
    "dedicated": "components.topology.dedicated:Dedicated",
}


def compose(
    placements: Placements,
    name: str,
    *,
    transform: Transform | None = None,
    package: Package = bundle,
) -> Outputs:
    """Make the platform that was decided.

    `name` is the Pulumi stack's. `transform` sees every resource but the AWS provider before it is
    registered. `package` makes the bundles of functions. Raises StackError for functions that cannot be
    packaged before any resource is registered.
    """
    stack = placements.stack
    topology = stack.topology
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
