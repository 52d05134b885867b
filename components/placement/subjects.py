"""From a stack file to facts: what the rules may know of each workload at each home, each pool, and the
control functions.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from components.catalog import Catalog
from components.placement.bounds import Bounds, bounds_of
from components.placement.facts import (
    NONE,
    UNBOUNDED,
    UNRESERVED,
    Facts,
    FrontDoor,
    Role,
    StateRead,
    Tenancy,
)
from components.placement.homes import Home
from components.placement.instances import instance_of
from components.spec import (
    Accelerator,
    DataPlane,
    Duration,
    EksCluster,
    ExistingCluster,
    Memory,
    Pool,
    Share,
    Stack,
    StateStore,
    Traffic,
    Workload,
)
from components.spec.workload import MAX_CONCURRENCY, REPLICAS


@dataclass(frozen=True, slots=True)
class Site:
    """One way to run a workload: a home and, for nodes, a pool and the zones its pods may be in."""

    home: Home
    pool: Pool | None = None
    zones: tuple[str, ...] | None = None

    @property
    def zone(self) -> str | None:
        """The one zone that its pods are in; None where there are several, and for functions."""
        return self.zones[0] if self.zones is not None and len(self.zones) == 1 else None


def workload_facts(stack: Stack, catalog: Catalog, workload: Workload, site: Site) -> Facts:
    """Facts of a workload as it would run at a home."""
    home, pool = site.home, site.pool
    serve = workload.serve.function if home.is_function else None
    accelerator = workload.needs.accelerator
    bounds = _bound_facts(bounds_of(stack, serve), stack) if serve is not None else Facts()
    nodes = _node_facts(stack, catalog, pool) if pool is not None else Facts()
    return Facts(
        workload=workload.name,
        role=Role.WORKLOAD,
        home=home,
        pool=pool.name if pool is not None else None,
        zones=site.zones,
        memory=workload.needs.memory,
        function_memory=serve.memory if serve is not None else None,
        accelerator_type=accelerator.type if accelerator is not None else None,
        accelerator_count=accelerator.count if accelerator is not None else 0,
        accelerator_memory=accelerator_memory(catalog, accelerator) if accelerator is not None else None,
        has_accelerators=pool.accelerator is not None if pool is not None else None,
        # What keeps pods off a pool's nodes is what those placed there are made to tolerate.
        tolerates=True if pool is not None else None,
        utilization=_utilization(workload.traffic),
        latency_p99=workload.latency.p99,
        service_time=workload.traffic.service_time,
        front_door=_front_door(stack, home),
        cold_start_tolerance=_or_unbounded(workload.latency.cold_start_tolerance),
        package=serve.package if serve is not None else None,
        jitter=_or_unbounded(workload.latency.jitter),
        pinned=pool is not None and pool.pinned and _asks_whole_cores(workload),
        twin=has_twin(workload, home),
        warm_replicas=None if home.is_function else replicas_of(workload),
        state=tuple(
            StateRead(store.name, tuple(sorted(store.zones))) for store in zonal_reads(stack, workload)
        ),
        state_bytes=workload.state.bytes,
        local_cache=workload.state.local_cache,
        compliance=tuple(sorted(workload.compliance)),
        tenancy=nodes.tenancy,
        audit_logs=nodes.audit_logs,
        own_keys=nodes.own_keys,
        isolated_namespace=_isolated_namespace(stack) if pool is not None else None,
        managed_cluster=nodes.managed_cluster,
        operations_team=nodes.operations_team,
        ties=tuple(sorted(workload.integrations)),
        # What is kept warm here is provisioned concurrency, not Managed Instances.
        managed_instances=False if home is Home.RESERVED_FUNCTION else None,
        reserved_concurrency=bounds.reserved_concurrency,
        timeout=serve.timeout if serve is not None else None,
        log_retention_days=bounds.log_retention_days,
        alarm=bounds.alarm,
        budget=bounds.budget,
        efa=None if home.is_function else False,
        placement_group=None if home.is_function else NONE,
        capacity_block_zone=None if home.is_function else NONE,
    )


def replicas_of(workload: Workload) -> int:
    """Pods of a workload on nodes: as many as it states, else two, as one alone is down while replaced."""
    return workload.placement.replicas or REPLICAS


def concurrency_of(workload: Workload) -> int:
    """Requests that one pod takes at once: as many as it states, else eight."""
    return workload.placement.max_concurrency or MAX_CONCURRENCY


def has_twin(workload: Workload, home: Home) -> bool:
    """Whether a function takes its tail there: on nodes, where the stack file asks for one."""
    return workload.placement.twin is not None and not home.is_function


def _asks_whole_cores(workload: Workload) -> bool:
    """Whether a pod of it can have cores to itself: the kubelet hands out no part of one."""
    return workload.needs.cpu == int(workload.needs.cpu)


def accelerator_memory(catalog: Catalog, accelerator: Accelerator) -> Memory | None:
    """Memory of each accelerator: as the stack file says, else a whole one of its kind, else not known."""
    if accelerator.memory is not None:
        return accelerator.memory
    kind = catalog.accelerators.get(accelerator.type)
    return kind.sold_as if kind is not None else None


def zonal_reads(stack: Stack, workload: Workload) -> tuple[StateStore, ...]:
    """The stores a workload reads on the request path that sit in some zone, by name.

    A store without zones answers alike from every zone, so where its reader sits makes no difference.
    """
    read = (store for store in stack.state if store.name in workload.state.reads and store.zones)
    return tuple(sorted(read, key=lambda store: store.name))


def pool_facts(stack: Stack, catalog: Catalog, pool: Pool, workloads: Iterable[Workload] = ()) -> Facts:
    """Facts of a pool of nodes, and of the workloads on it those that its nodes must be fit for."""
    return replace(
        _node_facts(stack, catalog, pool),
        pool=pool.name,
        role=Role.NODES,
        home=Home.METAL if pool.kind == "metal" else Home.POOL,
        zones=tuple(sorted(pool.zones)),
        accelerator_type=pool.accelerator.type if pool.accelerator is not None else None,
        accelerator_count=pool.accelerator.count if pool.accelerator is not None else 0,
        accelerator_memory=pool.accelerator.memory if pool.accelerator is not None else None,
        has_accelerators=pool.accelerator is not None,
        jitter=UNBOUNDED,
        pinned=pool.pinned,
        twin=False,
        state=(),
        local_cache=False,
        compliance=tuple(sorted({regime for workload in workloads for regime in workload.compliance})),
        ties=(),
        efa=pool.efa,
        placement_group=pool.placement_group or NONE,
        capacity_block_zone=pool.capacity_block.zone if pool.capacity_block is not None else NONE,
    )


def control_plane_facts(stack: Stack) -> Facts:
    """Facts of every control function: they share one size and one set of guardrails."""
    control = stack.control_plane
    bounds = _bound_facts(bounds_of(stack), stack)
    return Facts(
        role=Role.CONTROL,
        home=Home.FUNCTION,
        memory=control.memory,
        function_memory=control.memory,
        accelerator_count=0,
        front_door=FrontDoor(control.front_door),
        cold_start_tolerance=UNBOUNDED,
        jitter=UNBOUNDED,
        twin=False,
        state=(),
        local_cache=False,
        compliance=(),
        ties=(),
        reserved_concurrency=bounds.reserved_concurrency,
        timeout=control.timeout,
        log_retention_days=bounds.log_retention_days,
        alarm=bounds.alarm,
        budget=bounds.budget,
    )


def _node_facts(stack: Stack, catalog: Catalog, pool: Pool) -> Facts:
    """What a pool's nodes and their cluster give to whatever runs on them."""
    facts = Facts(tenancy=_tenancy(stack, catalog, pool), operations_team=stack.operations_team)
    match stack.data_plane:
        case DataPlane(cluster=EksCluster()):
            # What halfmetal makes: EKS, its audit log on, disks encrypted with the pool's key or with AWS's.
            own = pool.encryption_key is not None
            return replace(facts, managed_cluster=True, audit_logs=True, own_keys=own)
        case DataPlane(cluster=ExistingCluster() as theirs):
            return replace(
                facts,
                managed_cluster=theirs.managed,
                audit_logs=theirs.audit_logs,
                own_keys=theirs.own_keys,
            )
        case _:
            return facts


def _isolated_namespace(stack: Stack) -> bool | None:
    """One that halfmetal makes enforces a Pod Security level; of somebody else's it is not known."""
    match stack.data_plane:
        case DataPlane(cluster=ExistingCluster(namespace=str())):
            return None
        case _:
            return True


def _tenancy(stack: Stack, catalog: Catalog, pool: Pool) -> Tenancy | None:
    known = instance_of(pool, catalog)
    if known is not None and known.bare_metal:
        return Tenancy.BARE_METAL
    if stack.data_plane is not None and isinstance(theirs := stack.data_plane.cluster, ExistingCluster):
        # Every pool of theirs is `metal`: it says that its nodes are there, not whose else they are.
        return {None: None, True: Tenancy.DEDICATED, False: Tenancy.SHARED}[theirs.dedicated]
    if pool.capacity_block is not None:
        return None  # a block was bought with a tenancy of its own, and its nodes must have the same
    return Tenancy.DEDICATED if pool.kind == "metal" else Tenancy.SHARED


def _utilization(traffic: Traffic) -> Share | None:
    """Share of the day that one replica is busy: as stated, else from rate and work, at most all of it."""
    if traffic.utilization is not None or traffic.rate is None or traffic.service_time is None:
        return traffic.utilization
    busy = traffic.rate.per_second * traffic.service_time.seconds
    return Share.of(min(100.0, math.ceil(busy * 10_000) / 100), "%")


def _front_door(stack: Stack, home: Home) -> FrontDoor:
    """What requests for a workload come through."""
    if stack.topology == "dedicated" and not home.is_function:
        return FrontDoor.GATEWAY
    return FrontDoor(stack.control_plane.front_door)


def _or_unbounded(limit: Duration | None) -> Duration:
    return UNBOUNDED if limit is None else limit


def _bound_facts(bounds: Bounds, stack: Stack) -> Facts:
    return Facts(
        reserved_concurrency=bounds.reserved_concurrency or UNRESERVED,
        log_retention_days=_days(bounds.log_retention),
        alarm=bounds.alarm,
        budget=stack.control_plane.budget is not None,
    )


def _days(kept: Duration | None) -> int:
    return int(kept.days) if kept is not None else 0
