"""pure: control and data both on functions; no cluster exists."""

from components.control_plane.registry import Entry
from components.topology.common import Topology


class Pure(Topology):
    """What every topology has, and a function with its routes for each workload."""

    topology = "pure"

    def _serve(self) -> list[Entry]:
        return [self._serve_by_function(placement) for placement in self._placements()]
