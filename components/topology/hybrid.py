"""hybrid: one front door for both kinds of home.

Control routes and workloads on functions are integrations of Lambda. The data route of a workload in a pool
goes from API Gateway to the in-cluster gateway, by VPC link inside AWS or by its address elsewhere: a warm
request never passes through a function.
"""

from components.control_plane.http_route import Target, ToAddress, ToVpc
from components.control_plane.registry import Entry
from components.topology.data_plane import DataPlane, OnCluster


class Hybrid(OnCluster):
    """What every topology has, the data plane, and a route for each workload to the home it has."""

    topology = "hybrid"

    def _serve(self) -> list[Entry]:
        target, path = _way_in(self._create_data_plane())
        return [
            self._serve_by_function(placement)
            if placement.home.is_function
            else self._behind_api(placement, target, path)
            for placement in self._placements()
        ]


def _way_in(data_plane: DataPlane) -> tuple[Target, str]:
    """Where the API sends what is for a pod, and what it goes through."""
    if not data_plane.is_linked:
        return ToAddress(data_plane.gateway.load_balancer_url), "API Gateway, gateway, pod"
    link = data_plane.create_link()
    return ToVpc(link.vpc_link_id, link.listener_arn), "API Gateway, VPC link, gateway, pod"
