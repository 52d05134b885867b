"""From a candidate of a stack file to an option with numbers in it."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from components.catalog import Catalog, InstanceType
from components.placement.decision import Candidate
from components.placement.homes import Home
from components.placement.instances import instance_of
from components.placement.options import Demand, FunctionOption, NodesOption, Option
from components.placement.subjects import Site, concurrency_of, has_twin, replicas_of, zonal_reads
from components.spec import FunctionServe, Pool, Stack, Workload
from components.spec.units import Share

_MILLICORES = 1000


def option_of(catalog: Catalog, workload: Workload, candidate: Candidate, warm_copies: int) -> Option | str:
    """The option that a candidate is, or which fact lacks to say so."""
    serve, site = workload.serve.function, candidate.site
    if site is None:
        return candidate.unavailable
    if site.pool is not None:
        return _on_nodes(catalog, workload, site, site.pool)
    if serve is None or candidate.home not in (Home.FUNCTION, Home.RESERVED_FUNCTION):
        return candidate.unavailable
    kept = warm_copies if candidate.home is Home.RESERVED_FUNCTION else 0
    return _on_function(serve, candidate.home, kept)


def twin_of(workload: Workload, home: Home) -> FunctionOption | None:
    """The function that takes the tail of a workload at that home; None where it has none."""
    serve = workload.serve.function
    return _on_function(serve, Home.FUNCTION) if serve is not None and has_twin(workload, home) else None


def _on_function(
    serve: FunctionServe, home: Literal[Home.FUNCTION, Home.RESERVED_FUNCTION], provisioned: int = 0
) -> FunctionOption:
    return FunctionOption(
        home=home,
        memory=serve.memory,
        architecture="amd64",  # what the components deploy
        provisioned=provisioned,
        package=serve.package,
    )


def _on_nodes(catalog: Catalog, workload: Workload, site: Site, pool: Pool) -> Option | str:
    instance = instance_of(pool, catalog)
    if instance is None:
        return f"the instance type of pool {pool.name} is not known"
    fits = per_node(workload, instance)
    if not fits:
        return f"one replica is larger than a {instance.name}"
    if pool.capacity == "existing":
        return f"what the nodes of pool {pool.name} cost is not known: they exist already"
    return NodesOption(
        home=Home.METAL if site.home is Home.METAL else Home.POOL,
        instance=instance,
        capacity=pool.capacity,
        zone=site.zones[0] if site.zones is not None and len(site.zones) == 1 else None,
        replicas=replicas_of(workload),
        per_node=fits,
        concurrency=concurrency_of(workload),
        shared=True,
    )


def per_node(workload: Workload, instance: InstanceType) -> int:
    """Replicas that one node holds, by what it has in all; what it keeps for itself is not known here."""
    needs = workload.needs
    limits = [
        instance.vcpu * _MILLICORES // max(1, round(float(needs.cpu) * _MILLICORES)),
        instance.memory.bytes // needs.memory.bytes,
    ]
    if needs.accelerator is not None:
        has = instance.accelerators.count if instance.accelerators is not None else 0
        limits.append(has // needs.accelerator.count)
    return min(limits)


def met_there(stack: Stack, workload: Workload, candidate: Candidate, demand: Demand) -> Demand:
    """The demand with the share of its reads that leave the zone from there.

    A function may land in any zone of the stack.
    """
    stores = zonal_reads(stack, workload)
    if not stores or candidate.site is None:
        return demand
    zones = candidate.site.zones or stack.zones
    away = [_away(zones, store.zones) for store in stores]
    return replace(demand, crossing=Share.of(100 * sum(away) / len(away), "%"))


def _away(zones: Iterable[str], store: Iterable[str]) -> float:
    here, there = list(zones), set(store)
    return sum(zone not in there for zone in here) / len(here)
