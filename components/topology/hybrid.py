"""hybrid: one front door for both kinds of home.

Control routes and workloads on functions are integrations of Lambda. The data route of a workload in a pool
goes from API Gateway to the in-cluster gateway, by VPC link inside AWS or by its address elsewhere: a warm
request never passes through a function.
"""

from typing import Any

from components.control_plane.http_route import Target, ToAddress, ToVpc
from components.control_plane.registry import Entry
from components.topology.common import Topology
from components.topology.data_plane import DataPlane


class Hybrid(Topology):
    """What every topology has, the data plane, and a route for each workload to the home it has."""

    topology = "hybrid"

    def _serve(self) -> list[Entry]:
        spec = self._stack.data_plane
        if spec is None:  # the stack file's model refuses such a stack
            raise TypeError("a hybrid stack has a data plane")
        self._data_plane = DataPlane(self, self._args, spec)
        target, path = self._way_in(linked=spec.gateway.exposure == "vpc-link")
        return [
            self._serve_by_function(placement)
            if placement.home.is_function
            else self._behind_api(placement, target, path)
            for placement in self._placements()
        ]

    def _way_in(self, *, linked: bool) -> tuple[Target, str]:
        if not linked:
            return ToAddress(self._data_plane.gateway.load_balancer_url), "API Gateway, gateway, pod"
        link = self._data_plane.create_link()
        return ToVpc(link.vpc_link_id, link.listener_arn), "API Gateway, VPC link, gateway, pod"

    def _data_plane_outputs(self) -> dict[str, Any]:
        return self._data_plane.outputs
