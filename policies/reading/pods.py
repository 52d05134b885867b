"""Pods, and what makes them: the accelerators, cores and zones that their spec asks for."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from components.placement import NONE, Home
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, whole
from policies.reading.draft import Draft, Subject, carried
from policies.reading.quantities import counted

_ACCELERATORS: Final = ("nvidia.com/gpu", "amd.com/gpu", "aws.amazon.com/neuron")
_ACCELERATOR_SLICES: Final = "nvidia.com/mig-"
_EFA: Final = "vpc.amazonaws.com/efa"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"


def workload(props: Mapping[str, Any]) -> Subject:
    replicas = counted(fetch(props, "spec", "replicas"), 1)
    return _pods(fetch(props, "spec", "template"), fetch(props, "metadata", "annotations"), replicas)


def pod(props: Mapping[str, Any]) -> Subject:
    return _pods(props, fetch(props, "metadata", "annotations"), 1)


def _pods(template: object, annotations: object, replicas: object) -> Subject:
    draft = carried(annotations, fetch(template, "metadata", "annotations"))
    spec = fetch(template, "spec")
    if draft.get("home") is None or draft.get("home").is_function:
        draft.set("home", Home.POOL)
    draft.set_missing("placement_group", NONE)
    draft.set_missing("capacity_block_zone", NONE)
    accelerators = _requested(spec, _is_accelerator)
    if accelerators != 0 or draft.get("accelerator_type") is None:
        draft.set("accelerator_count", accelerators)
    draft.set("warm_replicas", replicas)
    if draft.get("pinned") is not False:
        _read_cores(draft, spec)
    adapters = _requested(spec, lambda name: name == _EFA)
    draft.set("efa", adapters if adapters is UNKNOWN else adapters != 0)
    zones = _zones(spec)
    if zones is not ABSENT:
        draft.set("zones", zones)
    return draft.done()


def _read_cores(draft: Draft, spec: object) -> None:
    """Whether the kubelet would give the pod cores of its own, on nodes of which it is known that they do.

    It gives them to a pod whose containers all have limits that are their requests, in whole cores.
    """
    if spec is UNKNOWN or fetch(spec, "containers") is UNKNOWN:
        draft.set("pinned", UNKNOWN)
        return
    whole_cores = {_asks_whole_cores(container) for container in items(spec, "containers")}
    if False in whole_cores:
        draft.set("pinned", value=False)
    elif UNKNOWN in whole_cores:
        draft.set("pinned", UNKNOWN)


def _asks_whole_cores(container: object) -> object:
    """Whether a container is held to whole cores: its limits, which are its requests where it states none."""
    for kind in ("cpu", "memory"):
        limit = fetch(container, "resources", "limits", kind)
        request = fetch(container, "resources", "requests", kind)
        if limit is UNKNOWN or request is UNKNOWN:
            return UNKNOWN
        if limit is ABSENT or (request is not ABSENT and request != limit):
            return False
    return _is_whole(fetch(container, "resources", "limits", "cpu"))


def _is_whole(cores: object) -> bool:
    if isinstance(cores, str) and cores.endswith("m"):
        millicores = whole(cores.removesuffix("m"))
        return millicores is not None and millicores % 1000 == 0
    return whole(cores) is not None


def _is_accelerator(name: str) -> bool:
    return name in _ACCELERATORS or name.startswith(_ACCELERATOR_SLICES)


def _requested(spec: object, wanted: Callable[[str], bool]) -> Any:
    """How many of an extended resource the containers ask for together, or UNKNOWN.

    For these Kubernetes takes requests and limits to be the same, and either may be left out.
    """
    if spec is UNKNOWN or fetch(spec, "containers") is UNKNOWN:
        return UNKNOWN
    total = 0
    for container in items(spec, "containers"):
        asked: dict[str, object] = {}
        for kind in ("requests", "limits"):
            amounts = fetch(container, "resources", kind)
            if amounts is UNKNOWN:
                return UNKNOWN
            asked |= {name: amount for name, amount in entries(amounts) if wanted(name)}
        for amount in asked.values():
            number = whole(amount)
            if number is None:
                return UNKNOWN
            total += number
    return total


def _zones(spec: object) -> Any:
    """The zones that pods are held to, ABSENT when to none in particular, UNKNOWN when that is not known."""
    selected = fetch(spec, "nodeSelector", ZONE_LABEL)
    required = fetch(
        spec,
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    if UNKNOWN in (selected, required) or fetch(spec, "nodeSelector") is UNKNOWN:
        return UNKNOWN
    terms = [_zones_of_term(term) for term in items(required)]
    if UNKNOWN in terms:
        return UNKNOWN
    # Terms are alternatives: one that says nothing of zones leaves every zone open.
    held = None if not terms or None in terms else frozenset[str]().union(*(term or () for term in terms))
    if isinstance(selected, str):
        held = frozenset([selected]) if held is None else held & {selected}
    return ABSENT if held is None else tuple(sorted(held))


def _zones_of_term(term: object) -> Any:
    """The zones that one alternative allows, None when it says nothing of zones."""
    allowed: frozenset[str] | None = None
    for expression in items(term, "matchExpressions"):
        key = fetch(expression, "key")
        if key is UNKNOWN:
            return UNKNOWN
        if key != ZONE_LABEL or fetch(expression, "operator") != "In":
            continue
        values = list(items(expression, "values"))
        if UNKNOWN in values or fetch(expression, "values") is UNKNOWN:
            return UNKNOWN
        named = frozenset(map(str, values))
        allowed = named if allowed is None else allowed & named
    return allowed
