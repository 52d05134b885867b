"""dedicated: the gateway is the front door of the data route, which touches nothing serverless.

API Gateway, the control function and the registry stay, beside the data route: with all of them down, models
still answer.
"""

import pulumi

from components.control_plane.registry import Entry
from components.topology.data_plane import OnCluster


class Dedicated(OnCluster):
    """What every topology has, and the data plane with its gateway reached directly."""

    topology = "dedicated"

    def _serve(self) -> list[Entry]:
        gateway = self._create_data_plane().gateway.load_balancer_url
        return [
            Entry(
                placement,
                pulumi.Output.concat(gateway, f"/v2/models/{placement.workload.name}"),
                "gateway, pod",
            )
            for placement in self._placements()
        ]
