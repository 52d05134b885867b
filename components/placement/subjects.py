"""From a stack file to facts: what the rules may know of each workload at each home, each pool, and the
control functions.
"""

from dataclasses import dataclass

from components.catalog import Catalog
from components.placement.facts import NONE, UNRESERVED, Facts, StateRead
from components.placement.homes import Home
from components.spec import (
    Accelerator,
    Duration,
    FunctionServe,
    Guardrails,
    Memory,
    Pool,
    Stack,
    StateStore,
    Workload,
)


@dataclass(frozen=True, slots=True)
class Site:
    """One way to run a workload: a home and, for nodes, a pool and the zones its pods may be in."""

    home: Home
    pool: Pool | None = None
    zones: tuple[str, ...] | None = None


def workload_facts(stack: Stack, catalog: Catalog, workload: Workload, site: Site) -> Facts:
    """Facts of a workload as it would run at a home."""
    home, pool = site.home, site.pool
    serve = workload.serve.function if home.is_function else None
    accelerator = workload.needs.accelerator
    bounds = _function_bounds(stack, serve) if serve is not None else Facts()
    return Facts(
        workload=workload.name,
        home=home,
        pool=pool.name if pool is not None else None,
        zones=site.zones,
        memory=workload.needs.memory,
        function_memory=serve.memory if serve is not None else None,
        accelerator_type=accelerator.type if accelerator is not None else None,
        accelerator_count=accelerator.count if accelerator is not None else 0,
        accelerator_memory=accelerator_memory(catalog, accelerator) if accelerator is not None else None,
        latency_p99=workload.latency.p99,
        service_time=workload.traffic.service_time,
        state=tuple(
            StateRead(store.name, tuple(sorted(store.zones))) for store in zonal_reads(stack, workload)
        ),
        state_bytes=workload.state.bytes,
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


def pool_facts(pool: Pool) -> Facts:
    """Facts of a pool of nodes."""
    return Facts(
        pool=pool.name,
        home=Home.METAL if pool.kind == "metal" else Home.POOL,
        zones=tuple(sorted(pool.zones)),
        accelerator_type=pool.accelerator.type if pool.accelerator is not None else None,
        accelerator_count=pool.accelerator.count if pool.accelerator is not None else 0,
        accelerator_memory=pool.accelerator.memory if pool.accelerator is not None else None,
        state=(),
        efa=pool.efa,
        placement_group=pool.placement_group or NONE,
        capacity_block_zone=pool.capacity_block.zone if pool.capacity_block is not None else NONE,
    )


def control_plane_facts(stack: Stack) -> Facts:
    """Facts of every control function: they share one size and one set of guardrails."""
    control = stack.control_plane
    bounds = _guardrail_facts(control.guardrails)
    return Facts(
        home=Home.FUNCTION,
        memory=control.memory,
        function_memory=control.memory,
        accelerator_count=0,
        state=(),
        reserved_concurrency=bounds.reserved_concurrency,
        timeout=control.timeout,
        log_retention_days=bounds.log_retention_days,
        alarm=bounds.alarm,
        budget=control.budget is not None,
    )


def _function_bounds(stack: Stack, serve: FunctionServe) -> Facts:
    """The bounds of one function: its own, else the control plane's guardrails."""
    general = _guardrail_facts(stack.control_plane.guardrails)
    return Facts(
        reserved_concurrency=serve.reserved_concurrency or general.reserved_concurrency,
        log_retention_days=_days(serve.log_retention) or general.log_retention_days,
        alarm=serve.alarm if serve.alarm is not None else general.alarm,
        budget=stack.control_plane.budget is not None,
    )


def _guardrail_facts(guardrails: Guardrails) -> Facts:
    return Facts(
        reserved_concurrency=guardrails.reserved_concurrency or UNRESERVED,
        log_retention_days=_days(guardrails.log_retention),
        alarm=guardrails.alarm,
    )


def _days(kept: Duration | None) -> int:
    return int(kept.days) if kept is not None else 0
