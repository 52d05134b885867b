"""How many replicas a workload has where the stack file leaves that open.

Enough that the busiest minute leaves some of what they take at once free (headroom), and two at least, as one
alone is down while it is replaced. Where that holds the latency budget for too few requests, more of them
wait for each other less: then the fewest that hold it, up to a multiple at which waiting is no longer why.
"""

from dataclasses import dataclass
from typing import Final

from components.placement.choosing.alternatives import Alternative, Alternatives
from components.placement.cost import replicas_for
from components.placement.options import Missing, NodesOption, demand_of
from components.placement.sites import Candidate
from components.placement.subjects import concurrency_of
from components.spec import Workload
from components.spec.units import Share
from components.spec.workload import REPLICAS, REPLICAS_AT_MOST

_MORE: Final = 4
"""Times as many replicas as the peak needs, within which waiting is cured or is not the cause."""
_ALL: Final = Share.parse("100%")


@dataclass(frozen=True)
class Sizing:
    """Sizes what is left open."""

    alternatives: Alternatives
    headroom: Share

    def sized(self, workload: Workload, candidate: Candidate) -> tuple[int, Alternative] | str:
        """Replicas of a candidate, 0 for functions, and what it is then; or why there are not enough."""
        if candidate.home.is_function:
            return 0, self.alternatives.at(workload, candidate)
        if workload.placement.replicas is not None:
            return workload.placement.replicas, self.alternatives.at(workload, candidate)
        least = self._for_the_peak(workload)
        if least > REPLICAS_AT_MOST:
            return f"its peak needs {least:,} replicas, more than the {REPLICAS_AT_MOST:,} that may be"
        return self._for_the_budget(workload, candidate, least)

    def _for_the_peak(self, workload: Workload) -> int:
        demand = demand_of(workload)
        if isinstance(demand, Missing):
            return REPLICAS
        busy = Share(_ALL.steps - self.headroom.steps)
        return replicas_for(demand, concurrency=concurrency_of(workload), busy_at_most=busy, minimum=REPLICAS)

    def _for_the_budget(
        self, workload: Workload, candidate: Candidate, least: int
    ) -> tuple[int, Alternative]:
        def at(replicas: int) -> Alternative:
            return self.alternatives.at(with_replicas(workload, replicas), candidate)

        budget, found = workload.latency.p99, at(least)
        most = min(_MORE * least, REPLICAS_AT_MOST)
        if not isinstance(found.option, NodesOption) or found.holds(budget) is not False:
            return least, found
        enough = at(most)
        if not enough.holds(budget):
            return least, found
        low, high = least, most  # low does not hold it, high does
        while high - low > 1:
            middle = (low + high) // 2
            tried = at(middle)
            if tried.holds(budget):
                high, enough = middle, tried
            else:
                low = middle
        return high, enough


def with_replicas(workload: Workload, replicas: int) -> Workload:
    """The same workload with so many."""
    asked = workload.placement.model_copy(update={"replicas": replicas})
    return workload.model_copy(update={"placement": asked})
