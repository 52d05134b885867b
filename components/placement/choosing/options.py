"""From a candidate of a stack file to an option with numbers in it."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from components.catalog import Catalog, InstanceType
from components.placement.bounds import warm_copies
from components.placement.homes import Home
from components.placement.instances import instance_of
from components.placement.nodes import MILLICORES, Room, capacity, left_for_workloads
from components.placement.options import Demand, FunctionOption, NodesOption, Option
from components.placement.sites import Candidate
from components.placement.subjects import Site, concurrency_of, has_twin, replicas_of, zonal_reads
from components.spec import FunctionServe, Pool, Stack, Workload
from components.spec.units import Share


def option_of(stack: Stack, catalog: Catalog, workload: Workload, candidate: Candidate) -> Option | str:
    """The option that a candidate is, or which fact lacks to say so."""
    serve, site = workload.serve.function, candidate.site
    if site is None:
        return candidate.unavailable
    if site.pool is not None:
        return _on_nodes(stack, catalog, workload, site, site.pool)
    if serve is None or candidate.home not in (Home.FUNCTION, Home.RESERVED_FUNCTION):
        return candidate.unavailable
    kept = warm_copies(workload) if candidate.home is Home.RESERVED_FUNCTION else 0
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


def _on_nodes(stack: Stack, catalog: Catalog, workload: Workload, site: Site, pool: Pool) -> Option | str:
    instance = instance_of(pool, catalog)
    if instance is None and pool.capacity != "existing":
        return f"the instance type of pool {pool.name} is not known"
    replicas = replicas_of(workload)
    fits = replicas if instance is None else per_node(workload, room_of(stack, catalog, instance))
    if not fits:
        return f"one replica is larger than what a {pool.instance} has for it"
    return NodesOption(
        home=Home.METAL if site.home is Home.METAL else Home.POOL,
        instance=instance,
        capacity=pool.capacity,
        zone=site.zone,
        replicas=replicas,
        per_node=fits,
        concurrency=concurrency_of(workload),
        shared=True,
    )


def room_of(stack: Stack, catalog: Catalog, instance: InstanceType) -> Room:
    """What a node has for workloads; of an existing cluster all of it, as what theirs keep is not known."""
    whole = capacity(instance)
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks":
        return whole
    return left_for_workloads(whole, catalog.limits.node)


def per_node(workload: Workload, room: Room) -> int:
    """Replicas that one node holds."""
    needs = workload.needs
    limits = [room.cpu_m // millicores(workload), room.memory.bytes // needs.memory.bytes]
    if needs.accelerator is not None:
        limits.append(room.accelerators // needs.accelerator.count)
    return min(limits)


def millicores(workload: Workload) -> int:
    """What one replica asks for, in thousandths of a core."""
    return max(1, math.ceil(workload.needs.cpu * MILLICORES))


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
