"""Checks on the stack as a whole: region and zones, network, topology and data plane, names."""

import re
from typing import Final

from components.spec.consistency.saying import At, Problems, StackCheck, twins
from components.spec.data_plane import Pool
from components.spec.stack import Stack
from components.spec.workload import FUNCTION_HOMES, MAX_CONCURRENCY, REPLICAS, Workload

_EKS_ZONES: Final = 2
_POLICIES_SINCE: Final = 30
_MUTATION_SINCE: Final = 36
"""Minor versions of Kubernetes in which ValidatingAdmissionPolicy and MutatingAdmissionPolicy became v1."""
_SUBNETS_A_ZONE: Final = 2
_NARROWEST_SUBNET: Final = 28
_DEVICE_PLUGIN: Final = "NVIDIA's device plugin"
_REGISTRY: Final = r"[0-9]{{12}}\.dkr\.ecr\.{region}\.amazonaws\.com(?:\.cn)?/"
"""Images of ECR in one region. Endpoints in a network lead to the registry of their own region alone."""

GATEWAY_REQUESTS: Final = 24_000
"""Requests that pods behind one gateway may work on at once. For them and for all that waits each gateway pod
has connections that take 8 GiB and half a million open files: more, containerd lets no container open."""


def _zones_of_region(stack: Stack, at: At) -> Problems:
    strays = [(index, zone) for index, zone in enumerate(stack.zones) if not in_region(zone, stack.region)]
    homes = {zone[:-1] for zone in stack.zones}
    if len(strays) == len(stack.zones) and len(homes) == 1:
        yield at(
            "region",
            stack.region,
            f"is not the region of the zones {', '.join(stack.zones)}",
            f"write `region: {homes.pop()}`, or name zones of {stack.region}",
        )
        return
    for index, zone in strays:
        yield at(
            f"zones[{index}]", zone, f"is not a zone of {stack.region}", f"write a zone like {stack.region}a"
        )


def in_region(zone: str, region: str) -> bool:
    """Whether a zone, or a local zone, is of the region."""
    return zone[:-1] == region or zone.startswith(f"{region}-")


def _network_has_room(stack: Stack, at: At) -> Problems:
    subnets = _SUBNETS_A_ZONE * len(stack.zones)
    narrowest = stack.network.cidr.prefixlen + (subnets - 1).bit_length()
    if narrowest > _NARROWEST_SUBNET:
        widest = _NARROWEST_SUBNET - (subnets - 1).bit_length()
        yield at(
            "network.cidr",
            str(stack.network.cidr),
            f"is too small for {subnets} subnets, a public and a private one in each zone",
            f"write a block of /{widest} or wider",
        )


def _data_plane_of_topology(stack: Stack, at: At) -> Problems:
    if stack.topology == "pure" and stack.data_plane is not None:
        yield at(
            "data_plane",
            None,
            "is in a pure stack, in which no cluster exists",
            "remove it, or write `topology: hybrid`",
        )
    if stack.topology in {"hybrid", "dedicated"} and stack.data_plane is None:
        yield at(
            "data_plane",
            None,
            f"is missing in a {stack.topology} stack",
            "add a data_plane with cluster, gateway and pools, or write `topology: pure`",
        )


def _eks_spans_zones(stack: Stack, at: At) -> Problems:
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks":
        return
    if len(stack.zones) < _EKS_ZONES:
        yield at(
            "zones",
            list(stack.zones),
            "is one zone, and EKS puts its control plane in two at least",
            "add a second zone; pools need not use it",
        )


def _eks_in_no_local_zone(stack: Stack, at: At) -> Problems:
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks":
        return
    for index, zone in enumerate(stack.zones):
        if zone.startswith(f"{stack.region}-"):
            yield at(
                f"zones[{index}]",
                zone,
                "is a local zone, in which EKS puts no part of its control plane",
                f"use a zone like {stack.region}a",
            )


def _cluster_has_room(stack: Stack, at: At) -> Problems:
    """EKS puts its DNS on the stack's nodes, and that tolerates no taint of ours."""
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks":
        return
    if all(_keeps_off(pool) for pool in stack.data_plane.pools):
        yield at(
            "data_plane.pools",
            [pool.name for pool in stack.data_plane.pools],
            "are all tainted, so the cluster's own DNS has no node, and no pod finds another",
            "add a small pool without accelerator and taints",
        )


def _keeps_off(pool: Pool) -> bool:
    """Whether pods that know nothing of the pool are kept off its nodes."""
    return pool.accelerator is not None or any(taint.effect != "PreferNoSchedule" for taint in pool.taints)


def _images_within_reach(stack: Stack, at: At) -> Problems:
    """Without a way out, nodes fetch images from the region's own registry alone."""
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks" or stack.network.nat != "none":
        return
    images = [stack.data_plane.gateway.image]
    for workload in stack.workloads:
        if workload.serve.container is not None and workload.placement.home not in FUNCTION_HOMES:
            images.append(workload.serve.container.image)
    if any(pool.accelerator is not None for pool in stack.data_plane.pools):
        images.append(_DEVICE_PLUGIN)
    within = re.compile(_REGISTRY.format(region=re.escape(stack.region)))
    away = list(dict.fromkeys(image for image in images if within.match(image) is None))
    if away:
        yield at(
            "network.nat",
            "none",
            f"keeps nodes from fetching {', '.join(away)}",
            "write `nat: single` or per-zone"
            # Whose image is not the stack file's to choose.
            + ("" if _DEVICE_PLUGIN in away else ", or name copies of the images in ECR of the same region"),
        )


def _gateway_holds(stack: Stack, at: At) -> Problems:
    if stack.data_plane is None:
        return
    behind = {
        index: _at_once(each) + _at_its_twin(stack, each)
        for index, each in enumerate(stack.workloads)
        if _is_for_nodes(each)
    }
    total = sum(behind.values())
    if total > GATEWAY_REQUESTS:
        index = max(behind, key=lambda each: behind[each])
        placement = stack.workloads[index].placement
        key = "replicas" if placement.max_concurrency is None else "max_concurrency"
        yield at(
            f"workloads[{index}].placement.{key}",
            getattr(placement, key),
            f"makes {total:,} requests at once behind the gateway, which holds {GATEWAY_REQUESTS:,}",
            "lower replicas or max_concurrency, or give some of the workloads a stack of their own",
        )


def _is_for_nodes(workload: Workload) -> bool:
    """Whether its pods are sure to come: it can be nothing else, or says how many or how busy they are."""
    placement, serve = workload.placement, workload.serve
    if serve.container is None or placement.home in FUNCTION_HOMES:
        return False
    said = placement.home, placement.replicas, placement.max_concurrency
    return serve.function is None or any(each is not None for each in said)


def _at_once(workload: Workload) -> int:
    placement = workload.placement
    return (placement.replicas or REPLICAS) * (placement.max_concurrency or MAX_CONCURRENCY)


def _at_its_twin(stack: Stack, workload: Workload) -> int:
    """Requests that its function works on at once, held by the gateway like those of pods."""
    if workload.placement.twin is None or workload.serve.function is None:
        return 0
    general = stack.control_plane.guardrails.reserved_concurrency
    return workload.serve.function.reserved_concurrency or general or _at_once(workload)


def _exposure_possible(stack: Stack, at: At) -> Problems:
    if stack.data_plane is None or stack.data_plane.gateway.exposure != "vpc-link":
        return
    if stack.topology == "dedicated":
        why = "puts API Gateway on the data route, which in a dedicated stack touches nothing serverless"
    elif stack.data_plane.cluster.provider == "existing":
        why = "reaches only what is inside this stack's VPC, and an existing cluster is not"
    else:
        return
    yield at("data_plane.gateway.exposure", "vpc-link", why, "write `exposure: load-balancer`")


def _admission_on_eks(stack: Stack, at: At) -> Problems:
    """What EKS of a version has of admission policies. Of a cluster that others run it is not known."""
    if stack.data_plane is None or stack.data_plane.cluster.provider != "eks":
        return
    version, admission = stack.data_plane.cluster.version, stack.data_plane.admission
    minor = int(version.partition(".")[2])
    if admission.rules != "disabled" and minor < _POLICIES_SINCE:
        yield at(
            "data_plane.admission.rules",
            admission.rules,
            f"takes Kubernetes 1.{_POLICIES_SINCE} or newer, and the cluster has {version}",
            "take a newer version of Kubernetes, or write `admission: {rules: disabled}`",
        )
    if admission.defaults and minor < _MUTATION_SINCE:
        yield at(
            "data_plane.admission.defaults",
            admission.defaults,
            f"takes Kubernetes 1.{_MUTATION_SINCE} or newer, and the cluster has {version}",
            "take a newer version of Kubernetes, or leave it out",
        )


def _pool_names(stack: Stack, _: At) -> Problems:
    if stack.data_plane is not None:
        yield from twins(stack.data_plane.pools, "data_plane.pools", "pool")


def _store_names(stack: Stack, _: At) -> Problems:
    yield from twins(stack.state, "state", "store")


def _workload_names(stack: Stack, _: At) -> Problems:
    yield from twins(stack.workloads, "workloads", "workload")


def _waivers(stack: Stack, at: At) -> Problems:
    """Waivers that say again what an earlier one says: which of two days would count is not to be guessed."""
    first: dict[tuple[str, str], int] = {}
    for index, waiver in enumerate(stack.policies.waivers):
        key = f"{waiver.rule}", f"{waiver.subject}"
        if key in first:
            yield at(
                f"policies.waivers[{index}]",
                waiver.subject,
                f"is waived for {waiver.rule} by policies.waivers[{first[key]}] too",
                "keep one of them",
            )
        first.setdefault(key, index)


def _remediated(stack: Stack, at: At) -> Problems:
    """Rules that are to be remediated but not mandatory: what remediation leaves of a breach is refused."""
    if isinstance(stack.policies.remediate, bool):
        return
    for index, rule in enumerate(stack.policies.remediate):
        if rule not in stack.policies.remediated:
            yield at(
                f"policies.remediate[{index}]",
                rule,
                f"is {stack.policies.rules[rule].enforcement} here (policies.rules.{rule}), so what"
                " remediation leaves of a breach could not be refused",
                "make the rule mandatory, or take it out",
            )


CHECKS: Final[tuple[StackCheck, ...]] = (
    _zones_of_region,
    _network_has_room,
    _data_plane_of_topology,
    _eks_spans_zones,
    _eks_in_no_local_zone,
    _cluster_has_room,
    _images_within_reach,
    _gateway_holds,
    _exposure_possible,
    _admission_on_eks,
    _pool_names,
    _store_names,
    _workload_names,
    _waivers,
    _remediated,
)
