"""hybrid: one front door for both kinds of home.

Control routes and workloads on functions are integrations of Lambda. The data route of a workload in a pool
goes from API Gateway to the in-cluster gateway, by VPC link inside AWS or by its address elsewhere: a warm
request never passes through a function. One that no pod takes in time may: function twins are behind an API
of their own, which the gateway calls, and have there the path that they have everywhere, so that nothing on
the way has to rewrite one.
"""

import pulumi

from components.catalog import for_stack
from components.catalog import load as load_catalog
from components.control_plane.http_route import HttpRoute, HttpRouteArgs, Target, ToAddress, ToFunction, ToVpc
from components.control_plane.registry import Entry
from components.data_plane.gateway import TailArgs
from components.naming import part
from components.topology.common import model_routes
from components.topology.data_plane import DataPlane, OnCluster

_TAIL = "tail: function"


class Hybrid(OnCluster):
    """What every topology has, the data plane, and a route for each workload to the home it has.

    Where workloads have function twins: those, and an HTTP API with a route to each.
    """

    topology = "hybrid"

    def _serve(self) -> list[Entry]:
        target, path = _way_in(self._create_data_plane(self._create_tail()))
        return [
            self._serve_by_function(placement)
            if placement.home.is_function
            else self._behind_api(placement, target, path if placement.twin is None else f"{path}; {_TAIL}")
            for placement in self._placements()
        ]

    def _create_tail(self) -> TailArgs | None:
        """The function twins, behind an API that the gateway calls."""
        twins = [
            (placement, placement.twin) for placement in self._placements() if placement.twin is not None
        ]
        if not twins:
            return None
        described = f"halfmetal {self._args.stack_name}, tail"
        api = self._create_api_of("tail", described, tuple(placement.workload for placement, _ in twins))
        ways: list[pulumi.Resource] = []
        for placement, facts in twins:
            name = placement.workload.name
            target = ToFunction(self._create_function(placement, facts))
            args = HttpRouteArgs(api, model_routes(name), target)
            ways += HttpRoute(self.child(f"twin-{part(name)}"), args, self.options()).ways
        limits = for_stack(load_catalog(), self._stack).limits
        return TailArgs(api.url, limits.function.payload.value, ways)


def _way_in(data_plane: DataPlane) -> tuple[Target, str]:
    """Where the API sends what is for a pod, and what it goes through."""
    if not data_plane.is_linked:
        return ToAddress(data_plane.gateway.load_balancer_url), "API Gateway, gateway, pod"
    link = data_plane.create_link()
    return ToVpc(link.vpc_link_id, link.listener_arn), "API Gateway, VPC link, gateway, pod"
