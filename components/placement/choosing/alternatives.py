"""Every home of a workload with its bill and its percentiles, as far as they are known."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, TypeAlias

from components.catalog import Catalog, MissingFigureError
from components.placement.choosing.options import met_there, option_of, twin_of
from components.placement.cost import Contender, Cost, Line, Platform, contender, cost, platform_of, standing
from components.placement.homes import Home
from components.placement.latency import Around, Latency, latency, tailed
from components.placement.options import (
    Demand,
    FunctionOption,
    Missing,
    NodesOption,
    Option,
    OptionError,
    demand_of,
)
from components.placement.sites import Candidate, Sites
from components.placement.twins import queued_before_twin
from components.spec import Pool, Stack, Workload
from components.spec.units import Duration, Share

_Store: TypeAlias = Literal["cache", "database", "weights_store"]

_STORES: Final[Mapping[str, _Store]] = {
    "cache": "cache",
    "database": "database",
    "weights-store": "weights_store",
}
_NONE_OF_IT: Final = Share(0)


@dataclass(frozen=True)
class Alternative:
    """One home of a workload: what the rules say, what it costs, how fast it is."""

    candidate: Candidate
    option: Option | None
    cost: Cost | None
    """What it costs beside what stands there for all: cluster, load balancer, gateway, NAT."""
    latency: Latency | None
    unknown: str
    """Why there is no cost or latency: a fact or a figure that is not known."""

    @property
    def home(self) -> Home:
        """The home."""
        return self.candidate.home

    @property
    def pool(self) -> Pool | None:
        """The pool, on nodes."""
        return self.candidate.pool

    def holds(self, budget: Duration | None) -> bool | None:
        """Whether 99 of 100 requests are within a budget; None where that is not known, or there is none."""
        if budget is None or self.latency is None:
            return None
        return self.latency.p99 is not None and self.latency.p99 <= budget


@dataclass(frozen=True)
class Alternatives:
    """The alternatives of a stack's workloads."""

    sites: Sites
    _times: dict[tuple[Option, Demand, Around], tuple[Latency | None, str]] = field(
        default_factory=dict, compare=False
    )

    @property
    def stack(self) -> Stack:
        """The stack whose workloads they are of."""
        return self.sites.stack

    @property
    def catalog(self) -> Catalog:
        """The catalog with the stack's own figures."""
        return self.sites.catalog

    def of(self, workload: Workload) -> tuple[Alternative, ...]:
        """Every home, in the order of `Home`; on nodes, every pool that can hold it, by name."""
        return tuple(
            self.at(workload, candidate)
            for home in Home
            for candidate in self.sites.candidates(workload, home)
        )

    def at(self, workload: Workload, candidate: Candidate) -> Alternative:
        """One of them."""
        twin = twin_of(workload, candidate.home)
        if twin is not None:
            return self._with_twin(workload, candidate, twin)
        found = self.priced(workload, candidate)
        if found.option is None or isinstance(demand := demand_of(workload), Missing):
            return found
        met = met_there(self.stack, workload, candidate, demand)
        time, why_not = self._timed(found.option, met, workload)
        return replace(found, latency=time, unknown="; ".join(filter(None, (found.unknown, why_not))))

    def priced(self, workload: Workload, candidate: Candidate) -> Alternative:
        """One of them without its percentiles and its twin, which take longer to find than all else."""
        option = option_of(self.stack, self.catalog, workload, candidate)
        demand = demand_of(workload)
        if isinstance(option, str):
            return Alternative(candidate, None, None, None, option)
        if isinstance(demand, Missing):
            return Alternative(candidate, option, None, None, demand.reason)
        price, why_not = self._priced(option, met_there(self.stack, workload, candidate, demand))
        return Alternative(candidate, option, price, None, why_not)

    @cached_property
    def platform(self) -> Platform:
        """What requests pass on their way, without what stands there whatever comes."""
        return replace(platform_of(self.stack, self.catalog), share=_NONE_OF_IT)

    def _with_twin(self, workload: Workload, candidate: Candidate, twin: FunctionOption) -> Alternative:
        """Nodes, and the function that takes their tail: priced by what goes to it in a simulation."""
        option = option_of(self.stack, self.catalog, workload, candidate)
        demand = demand_of(workload)
        if not isinstance(option, NodesOption) or isinstance(demand, Missing):
            return self.priced(workload, candidate)
        met, plane = met_there(self.stack, workload, candidate, demand), self.stack.data_plane
        queue = queued_before_twin(workload) * (plane.gateway.replicas if plane is not None else 1)
        around = around_of(self.stack, workload, option)
        try:
            found = tailed(option, twin, met, self.catalog, around, queue=queue)
        except (MissingFigureError, OptionError) as error:
            return Alternative(candidate, option, None, None, str(error))
        price, why_not = self._priced(option, met, twin, found.spilled)
        return Alternative(candidate, option, price, found.latency, why_not)

    def _priced(
        self,
        option: Option,
        demand: Demand,
        twin: FunctionOption | None = None,
        spilled: Share | None = None,
    ) -> tuple[Cost | None, str]:
        region, platform = self.stack.region, self.platform
        try:
            return cost(
                option, demand, self.catalog, region=region, platform=platform, twin=twin, spilled=spilled
            ), ""
        except (MissingFigureError, OptionError) as error:
            return None, str(error)

    def _timed(self, option: Option, demand: Demand, workload: Workload) -> tuple[Latency | None, str]:
        around = around_of(self.stack, workload, option)
        key = (_as_timed(option), demand, around)
        if key not in self._times:
            try:
                self._times[key] = latency(option, demand, self.catalog, around), ""
            except (MissingFigureError, OptionError) as error:
                self._times[key] = None, str(error)
        return self._times[key]

    def contender(self, price: Cost) -> Contender:
        """A priced alternative at any rate; raises MissingFigureError and OptionError."""
        return contender(
            price.option, price.demand, self.catalog, region=self.stack.region, platform=self.platform
        )

    @cached_property
    def standing(self) -> tuple[tuple[Line, ...], str]:
        """What is paid for once for all, whatever runs, and why that is not known where it is not."""
        try:
            platform = platform_of(self.stack, self.catalog)
            return standing(self.catalog, region=self.stack.region, platform=platform), ""
        except MissingFigureError as error:
            return (), f"what stands there whatever runs is not counted: {error}"


def around_of(stack: Stack, workload: Workload, option: Option) -> Around:
    """What a request of a workload passes."""
    behind_api = not (isinstance(option, NodesOption) and stack.topology == "dedicated")
    kinds = [store.kind for store in stack.state if store.name in workload.state.reads]
    return Around(
        region=stack.region,
        front_door=stack.control_plane.front_door if behind_api else None,
        zones=len(stack.zones),
        store=_STORES[kinds[0]] if kinds else "cache",
    )


def _as_timed(option: Option) -> Option:
    """What of an option its percentiles depend on: a pool's machines and their price are none of it."""
    if not isinstance(option, NodesOption) or option.provider != "aws":
        return option
    return replace(option, instance=None, capacity="existing", per_node=1)
