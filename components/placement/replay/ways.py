"""How one workload could run in each topology: what there is to size, and what stands around it.

A stack file names one topology; here it is read as each of the three. A row is a topology, hybrid with and
without a function twin; where a stack has both managed and metal pools that may take the workload, a row has
two ways, and the cheaper one counts.

Rules judge each way as they do in a plan, all but one: whether a workload is too busy for a function is a
question of what costs less, and that is what is measured here, not estimated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from components.catalog import Catalog
from components.placement.choosing.alternatives import around_of
from components.placement.choosing.options import met_there, option_of
from components.placement.cost import COMPUTE_ONLY, Platform, platform_of
from components.placement.decision import sites_of
from components.placement.homes import Home
from components.placement.latency import Around
from components.placement.latency.way import SHORTEST
from components.placement.openness import as_topology
from components.placement.options import Demand, FunctionOption, Missing, NodesOption, OptionError, demand_of
from components.placement.sites import Candidate
from components.spec import Stack, Workload
from components.spec.workload import REPLICAS

_Topology: TypeAlias = Literal["pure", "hybrid", "dedicated"]
_Candidates: TypeAlias = Mapping[str, tuple[Candidate, ...]]

_ON_NODES: Final = (Home.POOL, Home.METAL)


class Side(StrEnum):
    """The rows that stand side by side."""

    ON_DEMAND = "pure, on demand"
    HELD_WARM = "pure, held warm"
    HYBRID = "hybrid"
    TWIN = "hybrid with a twin"
    DEDICATED = "dedicated"

    @property
    def topology(self) -> _Topology:
        """The topology that it is of."""
        return _TOPOLOGIES[self]


_TOPOLOGIES: Final[Mapping[Side, _Topology]] = {
    Side.ON_DEMAND: "pure",
    Side.HELD_WARM: "pure",
    Side.HYBRID: "hybrid",
    Side.TWIN: "hybrid",
    Side.DEDICATED: "dedicated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run a workload, all but its size."""

    side: Side
    option: FunctionOption | NodesOption
    """At any size."""
    demand: Demand
    """As the way meets it, at the log's average rate."""
    region: str
    around: Around = SHORTEST
    platform: Platform = COMPUTE_ONLY
    pool: str | None = None
    """The pool whose nodes they are."""
    twin: FunctionOption | None = None
    """The function that takes what the replicas cannot take in time."""
    least: int = 1
    """Replicas at the least."""
    gateways: int = 1
    """Pods of the gateway before them, each with a queue of its own."""
    refused: str = ""
    """The rule that refuses it, with its reason. It is played all the same."""

    def sized(self, count: int) -> FunctionOption | NodesOption:
        """With so many copies held warm, or so many replicas; a function on demand has no size."""
        if isinstance(self.option, NodesOption):
            return replace(self.option, replicas=count)
        return replace(self.option, provisioned=count) if self.option.provisioned else self.option


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one row."""

    side: Side
    ways: tuple[Way, ...]
    lacking: str = ""
    """Why there is none."""


def ways_of(stack: Stack, workload: Workload, catalog: Catalog) -> tuple[Ways, ...]:
    """The ways of every row, in the order of `Side`.

    `workload` is one of the stack's, with the traffic that was measured and the budget that it is to hold.
    Raises OptionError where its traffic has no rate or no service time.
    """
    demand = demand_of(workload)
    if isinstance(demand, Missing):
        raise OptionError(demand.facts[0], "", "is not known", "measure it, or give it")
    found = {topology: _Read(stack, workload, catalog, topology, demand) for topology in _TOPOLOGIES.values()}
    return tuple(found[side.topology].row(side) for side in Side)


class _Read:
    """A stack read as one of another topology."""

    def __init__(
        self, stack: Stack, workload: Workload, catalog: Catalog, topology: _Topology, demand: Demand
    ) -> None:
        self._workload, self._catalog, self._demand = workload, catalog, demand
        judged = workload.model_copy(
            update={"traffic": workload.traffic.model_copy(update={"rate": None, "utilization": None})}
        )
        workloads = tuple(judged if each.name == workload.name else each for each in stack.workloads)
        self._stack = as_topology(stack, topology).model_copy(update={"workloads": workloads})
        sites = sites_of(self._stack, catalog)
        self._all: _Candidates = {
            each.name: tuple(sites.candidate(each, home) for home in Home) for each in self._stack.workloads
        }
        self._platform = platform_of(self._stack, catalog)

    def row(self, side: Side) -> Ways:
        if side is Side.ON_DEMAND or side is Side.HELD_WARM:
            home = Home.FUNCTION if side is Side.ON_DEMAND else Home.RESERVED_FUNCTION
            return self._ways(side, (home,), None)
        if side is not Side.TWIN:
            return self._ways(side, _ON_NODES, None)
        tail = self._candidate(Home.FUNCTION)
        function = option_of(self._stack, self._catalog, self._workload, tail)
        if not isinstance(function, FunctionOption):
            return Ways(side, (), f"no twin: {function}")
        return self._ways(side, _ON_NODES, function, _refusal(tail))

    def _ways(
        self, side: Side, homes: tuple[Home, ...], twin: FunctionOption | None, refused: str = ""
    ) -> Ways:
        found, lacking = [], []
        for home in homes:
            candidate = self._candidate(home)
            option = option_of(self._stack, self._catalog, self._workload, candidate)
            if isinstance(option, NodesOption) and option.capacity == "existing":
                lacking.append("its nodes exist already: what they cost is not known")
            elif isinstance(option, FunctionOption | NodesOption):
                found.append(self._way(side, candidate, option, twin, refused or _refusal(candidate)))
            else:
                lacking.append(str(option))
        return Ways(side, tuple(found), "" if found else "; ".join(dict.fromkeys(lacking)))

    def _way(
        self,
        side: Side,
        candidate: Candidate,
        option: FunctionOption | NodesOption,
        twin: FunctionOption | None,
        refused: str,
    ) -> Way:
        on_nodes = isinstance(option, NodesOption)
        pool = candidate.site.pool if candidate.site is not None else None
        if isinstance(option, NodesOption):
            option = replace(option, shared=self._is_shared(candidate))
        return Way(
            side=side,
            option=option,
            demand=met_there(self._stack, self._workload, candidate, self._demand),
            region=self._stack.region,
            around=around_of(self._stack, self._workload, option),
            platform=self._platform,
            pool=pool.name if pool is not None else None,
            twin=twin,
            gateways=self._stack.data_plane.gateway.replicas if self._stack.data_plane is not None else 1,
            least=min(REPLICAS, self._workload.placement.replicas or REPLICAS) if on_nodes else 1,
            refused=refused,
        )

    def _candidate(self, home: Home) -> Candidate:
        return next(each for each in self._all[self._workload.name] if each.home is home)

    def _is_shared(self, candidate: Candidate) -> bool:
        """Whether another workload of the stack could use what this one leaves of its nodes."""
        pool = candidate.site.pool if candidate.site is not None else None
        others = (homes for name, homes in self._all.items() if name != self._workload.name)
        return any(
            each.is_allowed and each.site is not None and each.site.pool == pool
            for homes in others
            for each in homes
        )


def _refusal(candidate: Candidate) -> str:
    """The first mandatory rule that refuses a candidate."""
    return next(_blocking(candidate), "")


def _blocking(candidate: Candidate) -> Iterator[str]:
    for setting, verdict in candidate.verdicts:
        if setting.rule.id in candidate.blocking:
            yield f"{setting.rule.id}: {verdict.reason}"
