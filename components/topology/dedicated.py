"""dedicated: the gateway is the front door of the data route, which touches nothing serverless.

API Gateway, the control function and the registry stay, beside the data route: with all of them down, models
still answer.
"""

from typing import Any

import pulumi

from components.control_plane.registry import Entry
from components.topology.common import Topology
from components.topology.data_plane import DataPlane


class Dedicated(Topology):
    """What every topology has, and the data plane with its gateway reached directly."""

    topology = "dedicated"

    def _serve(self) -> list[Entry]:
        spec = self._stack.data_plane
        if spec is None:  # the stack file's model refuses such a stack
            raise TypeError("a dedicated stack has a data plane")
        self._data_plane = DataPlane(self, self._args, spec)
        gateway = self._data_plane.gateway.load_balancer_url
        return [
            Entry(
                placement,
                pulumi.Output.concat(gateway, f"/v2/models/{placement.workload.name}"),
                "gateway, pod",
            )
            for placement in self._placements()
        ]

    def _data_plane_outputs(self) -> dict[str, Any]:
        return self._data_plane.outputs
