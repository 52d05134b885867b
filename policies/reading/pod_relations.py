"""What pods are with the rest of their cluster: their nodes, their queue, their claims, their namespace.

A pod is held to a pool by a label of its nodes, and so has what those nodes have. A queue (Kueue) adds to
that the labels of the flavours that it hands out, one of each group. What a pod claims from a driver (DRA) is
in the claim, and what kind of device that is, in its class. How far a pod may get at its node is its
namespace's to say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from components.placement import Facts, Tenancy
from components.placement.labels import ISOLATING_LEVELS, POD_SECURITY_LABEL, POOL_LABEL, ZONE_LABELS
from policies.reading import claims, queues, scalers
from policies.reading.bags import ABSENT, UNKNOWN, fetch
from policies.reading.claims import accelerators_claimed
from policies.reading.declared import Properties
from policies.reading.draft import Subject
from policies.reading.index import Index, Kind, in_cluster, namespace_of
from policies.reading.node_relations import FOR_PODS, nodes
from policies.reading.nodes import NODE_GROUP
from policies.reading.pods import WORKLOADS, Template, Workload, claim_anything, held_to
from policies.reading.queues import Flavors, flavors
from policies.reading.relations import Related
from policies.reading.scalers import least_replicas
from policies.reading.tolerations import tolerates
from policies.resources import Resource

TYPES: Final = frozenset(WORKLOADS)
NAMESPACE: Final = "kubernetes:core/v1:Namespace"
SHOWN: Final = frozenset(
    {"zones", "accelerator_count", "tolerates", "isolated_namespace", "warm_replicas", *FOR_PODS}
)

_NODE_GROUP_LABEL: Final = "eks.amazonaws.com/nodegroup"

_NAMESPACES: Final = Kind((NAMESPACE,), in_cluster)
_POOLS: Final = Kind((NODE_GROUP,), lambda group: (_pool_of(group), fetch(group.props, "nodeGroupName")))


_MOST_GROUPS: Final = 100
"""Node groups of one pool. Of more nothing is said, so that nobody can write a file that takes an hour."""

_REPLICAS: Final = "spec.replicas"
"""A kind that has it may be scaled by another object."""
_WARM: Final = ("warm_replicas",)
_OF_NAMESPACE: Final = ("isolated_namespace",)


def _related(workload: Workload) -> Properties:
    """What of a kind that makes pods relates them to the rest."""
    selector = "spec.nodeSelector"
    pods = [path.removesuffix(selector) for path in workload.reads if path.endswith(selector)]
    found: dict[str, tuple[str, ...]] = {
        "metadata.namespace": (*_OF_NAMESPACE, *queues.QUEUED, "accelerator_count"),
        "metadata.labels": queues.QUEUED,
    }
    if _REPLICAS in workload.reads:
        found["metadata.name"] = _WARM
        found["metadata.namespace"] += _WARM
    for path in pods:
        found |= {
            f"{path}spec.nodeSelector": queues.QUEUED,
            f"{path}spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution": queues.QUEUED,
            f"{path}spec.tolerations": ("tolerates",),
            f"{path}spec.resourceClaims": ("accelerator_count",),
        }
    if workload.made:
        found[".".join((*workload.made, "metadata.labels"))] = queues.QUEUED
    return found


_RELATED: Final = {id(workload): _related(workload) for workload in WORKLOADS.values()}
READS: Final[Mapping[str, Properties]] = {
    **{name: _RELATED[id(workload)] for name, workload in WORKLOADS.items()},
    NODE_GROUP: {"labels": queues.QUEUED, "nodeGroupName": queues.QUEUED, "taints": ("tolerates",)},
    NAMESPACE: {"metadata.name": _OF_NAMESPACE, "metadata.labels": _OF_NAMESPACE},
    **queues.READS,
    **claims.READS,
    **scalers.READS,
}


def _pool_of(group: Resource) -> Any:
    return fetch(group.props, "labels", POOL_LABEL)


def pods(resources: Iterable[Resource]) -> Iterator[Related]:
    """Everything that makes pods, with what its cluster shows of it and it does not state itself."""
    index = Index.of(resources)
    for resource in index.of_types(WORKLOADS):
        own = index.subject(resource)
        if own is None:
            continue
        found = _found(resource, own.facts, index)
        facts = replace(own.facts, **found) if found else own.facts
        unread = {name for name, value in found.items() if value is None}
        yield Related(resource, own, Subject(facts, own.unread - found.keys() | unread, own.placed))


def _found(resource: Resource, own: Facts, index: Index) -> dict[str, Any]:
    workload = WORKLOADS[resource.resource_type]
    templates = [template for template in workload.templates(resource.props) if template.copies]
    queue = flavors(resource, workload.made, index)
    found: dict[str, Any] = {}
    zones = _zones(own, queue)
    if zones is not None:
        found["zones"] = zones
    groups = _groups(resource, templates, queue, index)
    if groups:
        found |= _of_nodes(templates, own, queue, groups, index)
    if own.accelerator_count is None or claim_anything(templates):
        count = accelerators_claimed(resource, templates, index)
        if count is not None and count != own.accelerator_count:
            found["accelerator_count"] = count
    least = least_replicas(resource, own.warm_replicas, index) if _REPLICAS in workload.reads else ABSENT
    if least is not ABSENT:
        found["warm_replicas"] = None if least is UNKNOWN else least
    isolated = _is_isolated(resource, index)
    if isolated is not None:
        found["isolated_namespace"] = isolated
    return found


def _is_isolated(resource: Resource, index: Index) -> bool | None:
    """Whether its namespace enforces a Pod Security level; None where that is not known."""
    namespace = index.named(_NAMESPACES, namespace_of(resource), resource)
    level = (
        fetch(namespace.props, "metadata", "labels", POD_SECURITY_LABEL)
        if isinstance(namespace, Resource)
        else UNKNOWN
    )
    return None if level is UNKNOWN else level in ISOLATING_LEVELS


# -- nodes


def _groups(resource: Resource, templates: list[Template], queue: Flavors, index: Index) -> list[Resource]:
    """The node groups that its pods are held to, by the pool or by name; none where some may be elsewhere."""
    found: dict[int, Resource] = {}
    for template in templates:
        values = held_to(template.spec, (POOL_LABEL, _NODE_GROUP_LABEL))
        if not isinstance(values, tuple):
            values = queue.labelled(POOL_LABEL)
        if not values:
            return []
        for value in values:
            groups = index.all_named(_POOLS, value, resource)
            if not isinstance(groups, list):
                return []
            found |= {id(group): group for group in groups[: _MOST_GROUPS + 1]}
    return list(found.values()) if len(found) <= _MOST_GROUPS else []


def _of_nodes(
    templates: list[Template],
    own: Facts,
    queue: Flavors,
    groups: list[Resource],
    index: Index,
) -> dict[str, Any]:
    """What the nodes that it may be on have: the worst of them, whatever it claims; else what all have."""
    related = index.once(_nodes)
    facts = [related[id(group)] for group in groups if id(group) in related]
    found: dict[str, Any] = {}
    for name, worst in FOR_PODS.items():
        values, said = {_fact(each, name) for each in facts}, getattr(own, name)
        if worst in values and said is not worst:
            found[name] = worst
        elif len(values) == 1 and said is None and None not in values:
            found[name] = values.pop()
    if own.zones is None and all(each.zones for each in facts):
        found["zones"] = tuple(sorted({zone for each in facts for zone in each.zones or ()}))
    tolerated = {
        tolerates(fetch(group.props, "taints"), [fetch(template.spec, "tolerations"), *queue.tolerations])
        for template in templates
        for group in groups
    }
    if len(tolerated) == 1 and None not in tolerated:
        found["tolerates"] = tolerated.pop()
    return found


def _fact(facts: Facts, name: str) -> Any:
    if name == "has_accelerators":
        return None if facts.accelerator_count is None else facts.accelerator_count > 0
    if name == "home" and facts.tenancy in (None, Tenancy.BARE_METAL):
        return None  # a whole machine, perhaps, of which nobody has said that it is metal
    return getattr(facts, name)


def _nodes(index: Index) -> dict[int, Facts]:
    return {id(each.resource): each.subject.facts for each in nodes(index)}


def _zones(own: Facts, queue: Flavors) -> tuple[str, ...] | None:
    """The zones that the flavours of its queue leave of those that it states."""
    zones = queue.labelled(*ZONE_LABELS)
    if not zones:
        return None
    both = tuple(zone for zone in zones if own.zones is None or zone in own.zones)
    return both or zones
