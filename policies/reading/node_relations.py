"""What nodes are with the rest of their stack: the zones of their subnets, the machines of their template.

The zones of a node group are those of its subnets, its launch template says what its machines are, and names
their placement group, their capacity and the key of their disks; its cluster keeps an audit log or none.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from components.placement import NONE, Facts, Home, Tenancy
from policies.reading.bags import ABSENT, UNKNOWN, fetch, items, texts, whole
from policies.reading.declared import Properties, under
from policies.reading.draft import Subject
from policies.reading.index import Index, Kind, by, sources
from policies.reading.nodes import CAPACITY_PROVIDER, LAUNCH_TEMPLATE, NODE_GROUP, SCALING_GROUP
from policies.reading.relations import Related
from policies.resources import Resource

SUBNET: Final = "aws:ec2/subnet:Subnet"
CLUSTER: Final = "aws:eks/cluster:Cluster"
PLACEMENT_GROUP: Final = "aws:ec2/placementGroup:PlacementGroup"
CAPACITY: Final = (
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation",
    "aws:ec2/capacityReservation:CapacityReservation",
)

PARTS: Final = frozenset({LAUNCH_TEMPLATE})
"""What nodes are made by: what it lacks is told of the nodes."""

_OF_TYPE: Final = ("accelerator_type", "accelerator_count")
_SAID_BY_TEMPLATE: Final = (
    "efa",
    "placement_group",
    "capacity_block_zone",
    "tenancy",
    "own_keys",
    *_OF_TYPE,
)
SHOWN: Final = frozenset({"zones", "audit_logs", *_SAID_BY_TEMPLATE})

FOR_PODS: Final[Mapping[str, Any]] = {
    "home": Home.POOL,
    "has_accelerators": False,
    "managed_cluster": False,
    "tenancy": Tenancy.SHARED,
    "own_keys": False,
    "audit_logs": False,
}
"""What pods have of the nodes that they are held to, beside their zones: each with the worst it can be."""

_SUBNETS: Final = Kind((SUBNET,), by("id"))
_CLUSTERS: Final = Kind((CLUSTER,), by("name"))
_GROUPS: Final = Kind((PLACEMENT_GROUP,), by("name", "placementGroupId"))
_TEMPLATES: Final = Kind((LAUNCH_TEMPLATE,), by("id", "name"))
_CAPACITY: Final = Kind(CAPACITY, by("id"))


_TEMPLATE_NAMED: Final = {f"launchTemplate.{key}": _SAID_BY_TEMPLATE for key in ("id", "name", "version")}
READS: Final[Mapping[str, Properties]] = {
    NODE_GROUP: {"subnetIds": ("zones",), "clusterName": ("audit_logs",), **_TEMPLATE_NAMED},
    SCALING_GROUP: {
        "vpcZoneIdentifiers": ("zones",),
        "placementGroup": ("placement_group",),
        **_TEMPLATE_NAMED,
        **under(
            "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification",
            dict.fromkeys(("launchTemplateId", "launchTemplateName", "version"), _SAID_BY_TEMPLATE),
        ),
    },
    CAPACITY_PROVIDER: {"vpcConfig.subnetIds": ("zones",)},
    SUBNET: {"id": ("zones",), "availabilityZone": ("zones",)},
    CLUSTER: {"name": ("audit_logs",), "enabledClusterLogTypes": ("audit_logs",)},
    LAUNCH_TEMPLATE: {
        **dict.fromkeys(("id", "name", "latestVersion", "defaultVersion"), _SAID_BY_TEMPLATE),
        "placement.groupName": ("placement_group",),
        "placement.groupId": ("placement_group",),
        "capacityReservationSpecification.capacityReservationTarget.capacityReservationId": (
            "capacity_block_zone",
        ),
    },
    PLACEMENT_GROUP: dict.fromkeys(("name", "placementGroupId", "strategy"), ("placement_group",)),
    **{
        each: {"id": ("capacity_block_zone",), "availabilityZone": ("capacity_block_zone",)}
        for each in CAPACITY
    },
}


@dataclass(frozen=True, slots=True)
class _Nodes:
    """Where a type of resource names what its nodes are made of."""

    subnets: tuple[str, ...]
    templates: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    """The ways to what names a launch template, each with the keys there of its id and its name."""
    cluster: str | None = None
    placement_group: str | None = None


_KINDS: Final[Mapping[str, _Nodes]] = {
    NODE_GROUP: _Nodes(("subnetIds",), ((("launchTemplate",), ("id", "name")),), cluster="clusterName"),
    SCALING_GROUP: _Nodes(
        ("vpcZoneIdentifiers",),
        (
            (("launchTemplate",), ("id", "name")),
            (
                ("mixedInstancesPolicy", "launchTemplate", "launchTemplateSpecification"),
                ("launchTemplateId", "launchTemplateName"),
            ),
        ),
        placement_group="placementGroup",
    ),
    CAPACITY_PROVIDER: _Nodes(("vpcConfig", "subnetIds")),
}
TYPES: Final = frozenset(_KINDS)


def nodes(resources: Iterable[Resource]) -> Iterator[Related]:
    """All nodes with the zones of their subnets and what their launch template and their cluster say."""
    index = Index.of(resources)
    for resource_type, kind in _KINDS.items():
        for group in index.of_types((resource_type,)):
            own = index.subject(group)
            if own is not None:
                yield Related(group, own, _with_the_rest(group, kind, own, index))


def _with_the_rest(group: Resource, kind: _Nodes, own: Subject, index: Index) -> Subject:
    found: dict[str, Any] = {"zones": zones_of_subnets(group, kind.subnets, index) or own.facts.zones}
    if kind.cluster is not None:
        found["audit_logs"] = _has_audit_logs(group, kind.cluster, own.facts, index)
    if kind.templates:
        found |= _of_template(group, kind, own.facts, index)
    strategy = _group_of(group, kind.placement_group, index) if kind.placement_group is not None else None
    if strategy is not None:
        found["placement_group"] = strategy
    missing = frozenset(name for name, value in found.items() if value is None)
    return Subject(replace(own.facts, **found), (own.unread - found.keys()) | missing, own.placed)


def zones_of_subnets(resource: Resource, path: tuple[str, ...], index: Index) -> tuple[str, ...] | None:
    """The zones of the subnets at a path; None when they are not all of the set, or not known yet."""
    named = [index.named(_SUBNETS, each, resource) for each in items(resource.props, *path)]
    linked = sources(resource, path[0], _SUBNETS)
    subnets = named if named and all(isinstance(each, Resource) for each in named) else linked
    if len(subnets) < len(named):
        return None
    return texts(fetch(subnet.props, "availabilityZone") for subnet in subnets)


def _has_audit_logs(group: Resource, name: str, carried: Facts, index: Index) -> bool | None:
    """Whether the nodes' cluster keeps an audit log, where the cluster is of the set."""
    cluster = index.related(group, name, _CLUSTERS)
    kinds = fetch(cluster.props, "enabledClusterLogTypes") if isinstance(cluster, Resource) else UNKNOWN
    kept = list(items(kinds))
    if "audit" in kept:
        return True
    return carried.audit_logs if kinds is UNKNOWN or UNKNOWN in kept else False


def _of_template(group: Resource, kind: _Nodes, own: Facts, index: Index) -> dict[str, Any]:
    """What a group's machines are: as the launch template says, where it is read, over what they carry."""
    carried = {name: getattr(own, name) for name in _SAID_BY_TEMPLATE}
    template = _template(group, kind, index)
    if template is ABSENT:
        none = {"efa": False, "placement_group": NONE, "capacity_block_zone": NONE}
        return {**carried, **{name: value for name, value in none.items() if carried[name] is None}}
    if not isinstance(template, Resource):
        return carried
    subject = index.subject(template)
    stated = {name: getattr(subject.facts, name) for name in _SAID_BY_TEMPLATE} if subject else {}
    shown = {
        "placement_group": _strategy(template, index),
        "capacity_block_zone": _block_zone(template, index),
    }
    found = {
        **carried,
        **{name: value for each in (stated, shown) for name, value in each.items() if value is not None},
    }
    if own.accelerator_count is not None:  # types of its own go over that of the template
        found |= {name: getattr(own, name) for name in _OF_TYPE}
    return found


def _template(group: Resource, kind: _Nodes, index: Index) -> Any:
    """The launch template of a group's machines; ABSENT if it has none, UNKNOWN if nobody can tell."""
    stated = [
        (path, keys)
        for path, keys in kind.templates
        if fetch(group.props, *path) is not ABSENT or path[0] in group.property_dependencies
    ]
    for path, keys in stated:
        named = fetch(group.props, *path)
        found: Any = next(iter(sources(group, path[0], _TEMPLATES)), UNKNOWN)
        for key in keys:
            if not isinstance(found, Resource):
                found = index.named(_TEMPLATES, fetch(named, key), group)
        if isinstance(found, Resource) and _is_described(found, fetch(named, "version")):
            return found
    return UNKNOWN if stated else ABSENT


def _is_described(template: Resource, version: object) -> bool:
    """Whether the version that is asked for is the one that the template's resource describes, its latest."""
    latest = whole(fetch(template.props, "latestVersion"))
    asked = whole(fetch(template.props, "defaultVersion")) if version == "$Default" else whole(version)
    return latest is None or asked is None or asked == latest


def _strategy(template: Resource, index: Index) -> str | None:
    return _group_of(template, "placement", index, "groupName", "groupId")


def _group_of(resource: Resource, name: str, index: Index, *keys: str) -> str | None:
    """The strategy of the placement group that a property names, itself or under one of some keys."""
    group: Any = next(iter(sources(resource, name, _GROUPS)), UNKNOWN)
    stated = fetch(resource.props, name)
    for text in [fetch(stated, key) for key in keys] or [stated]:
        if not isinstance(group, Resource):
            group = index.named(_GROUPS, text, resource)
    strategy = fetch(group.props, "strategy") if isinstance(group, Resource) else UNKNOWN
    return strategy if isinstance(strategy, str) else None


def _block_zone(template: Resource, index: Index) -> str | None:
    """The zone of the capacity that the template's machines are taken from, where it is of the set."""
    path = ("capacityReservationTarget", "capacityReservationId")
    reservation = index.related(template, "capacityReservationSpecification", _CAPACITY, *path)
    zone = fetch(reservation.props, "availabilityZone") if isinstance(reservation, Resource) else UNKNOWN
    return zone if isinstance(zone, str) else None
