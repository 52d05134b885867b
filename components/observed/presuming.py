"""The stack as it runs, at the traffic that was measured: what is judged.

Every workload is held to the home that it has today, so that the bill of today is among those that are
compared. A form that it lacks is presumed, so that a home is not passed over only because nobody has written
`serve.function` yet; what would have to be written is then said.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.catalog import Catalog
from components.observed.figures import traffic_of
from components.observed.measuring import Observed
from components.placement.bounds import bounds_of, warm_copies
from components.placement.cost import replicas_for
from components.placement.homes import Home
from components.placement.openness import headroom_of
from components.placement.options import Demand, Missing, OptionError, demand_of
from components.placement.placements import Placement, Placements
from components.placement.subjects import concurrency_of
from components.spec import (
    ContainerServe,
    Duration,
    FunctionServe,
    Memory,
    PlacementRequest,
    Share,
    Stack,
    Workload,
)
from components.spec.workload import REPLICAS, REPLICAS_AT_MOST

_ALL = Share.parse("100%")
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Presumed:
    """A workload as it is judged, and what was put in to judge it."""

    workload: Workload
    replicas: int | None = None
    """Pods that its peak needs, where it is not on nodes today or has too few there."""
    overloaded: bool = False
    """Whether the pods that it has cannot hold what comes on average."""
    overbooked: int | None = None
    """Copies that its traffic keeps warm, where they are more than may run."""


def presumed(
    stack: Stack, catalog: Catalog, placements: Placements, observed: Observed
) -> tuple[Stack, Mapping[str, Presumed]]:
    """The stack to judge, and each of its workloads by name."""
    each = {
        workload.name: _presumed(stack, catalog, workload, placements.by_name[workload.name], observed)
        for workload in stack.workloads
    }
    workloads = tuple(each[workload.name].workload for workload in stack.workloads)
    return stack.model_copy(update={"workloads": workloads}), each


def _presumed(
    stack: Stack, catalog: Catalog, workload: Workload, placement: Placement, observed: Observed
) -> Presumed:
    held = _held(workload, placement)
    measured = observed.by_workload[workload.name]
    if measured.is_empty:
        return Presumed(workload.model_copy(update={"placement": held}))
    seen = workload.model_copy(update={"traffic": traffic_of(workload, measured)})
    overloaded, replicas = _replicas(seen, placement, headroom_of(stack, catalog))
    function = seen.serve.function or _function(catalog, seen)
    overbooked = _overbooked(stack, seen, function) if placement.home is Home.RESERVED_FUNCTION else None
    if overbooked is not None:
        function = function.model_copy(update={"reserved_concurrency": overbooked})
    forms = {"function": function, "container": seen.serve.container or _container()}
    changes = {
        "serve": seen.serve.model_copy(update=forms),
        "placement": held if replicas is None else held.model_copy(update={"replicas": replicas}),
    }
    return Presumed(seen.model_copy(update=changes), replicas, overloaded, overbooked)


def _held(workload: Workload, placement: Placement) -> PlacementRequest:
    """What the stack file would have to ask for to get what runs today."""
    today: dict[str, object] = {"home": placement.home.value}
    if placement.pool is not None:
        today |= {"pool": placement.pool.name, "replicas": placement.replicas}
    return workload.placement.model_copy(update=today)


def _replicas(workload: Workload, placement: Placement, headroom: Share) -> tuple[bool, int | None]:
    """Whether it has too few pods, and how many its peak needs where it has too few or none."""
    demand = demand_of(workload)
    if isinstance(demand, Missing):
        return False, None
    concurrency = concurrency_of(workload)
    on_nodes = not placement.home.is_function
    overloaded = on_nodes and demand.offered >= placement.replicas * concurrency
    if on_nodes and not overloaded:
        return False, None
    return overloaded, _for_the_peak(demand, concurrency, Share(_ALL.steps - headroom.steps))


def _for_the_peak(demand: Demand, concurrency: int, busy: Share) -> int | None:
    try:
        enough = replicas_for(demand, concurrency=concurrency, busy_at_most=busy, minimum=REPLICAS)
    except OptionError:
        return None
    return enough if enough <= REPLICAS_AT_MOST else None


def _overbooked(stack: Stack, workload: Workload, function: FunctionServe) -> int | None:
    allowed, kept = bounds_of(stack, function).reserved_concurrency, warm_copies(workload)
    return kept if allowed is not None and kept > allowed else None


def _container() -> ContainerServe:
    return ContainerServe.model_construct(image="")


def _function(catalog: Catalog, workload: Workload) -> FunctionServe:
    """A function with the memory and the CPU that one replica needs, as far as a function can have them."""
    core = catalog.metering.function.memory_of_a_core.value
    most = catalog.limits.function.memory_on_demand.value
    wanted = max(workload.needs.memory.bytes, math.ceil(core.bytes * float(workload.needs.cpu)))
    memory = Memory(min(max(-(-wanted // _MIB), 128) * _MIB, max(most.bytes, workload.needs.memory.bytes)))
    work = workload.traffic.service_time
    timeout = Duration.of(max(30, 2 * math.ceil(work.seconds) if work is not None else 0), "s")
    return FunctionServe.model_construct(bundle="", handler="", memory=memory, timeout=timeout)
