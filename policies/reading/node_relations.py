"""What nodes are with the rest of their stack: the zones of their subnets, the machines of their template.

The zones of a node group are those of its subnets, its launch template says what its machines are, and names
their placement group, their capacity and the key of their disks; its cluster keeps an audit log or none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from components.placement import NONE, Facts
from policies.reading.bags import ABSENT, UNKNOWN, fetch, items, whole
from policies.reading.draft import Subject
from policies.reading.index import Index, Kind, by, sources
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import Related
from policies.resources import Resource

SUBNET: Final = "aws:ec2/subnet:Subnet"
CLUSTER: Final = "aws:eks/cluster:Cluster"
PLACEMENT_GROUP: Final = "aws:ec2/placementGroup:PlacementGroup"
CAPACITY: Final = (
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation",
    "aws:ec2/capacityReservation:CapacityReservation",
)

TYPES: Final = frozenset({NODE_GROUP})
PARTS: Final = frozenset({LAUNCH_TEMPLATE})
"""What nodes are made by: what it lacks is told of the nodes."""

_SAID_BY_TEMPLATE: Final = ("efa", "placement_group", "capacity_block_zone", "tenancy", "own_keys")
SHOWN: Final = frozenset({"zones", "audit_logs", *_SAID_BY_TEMPLATE})

_SUBNETS: Final = Kind((SUBNET,), by("id"))
_CLUSTERS: Final = Kind((CLUSTER,), by("name", "id"))
_GROUPS: Final = Kind((PLACEMENT_GROUP,), by("name", "placementGroupId"))
_TEMPLATES: Final = Kind((LAUNCH_TEMPLATE,), by("id", "name"))
_CAPACITY: Final = Kind(CAPACITY, by("id"))


def nodes(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every node group with the zones of its subnets and what its launch template and its cluster say."""
    index = Index.of(resources)
    for group in index.of_types((NODE_GROUP,)):
        own = index.subject(group)
        if own is None:
            continue
        found = {
            "zones": zones_of_subnets(group, "subnetIds", fetch(group.props, "subnetIds"), index)
            or own.facts.zones,
            "audit_logs": _has_audit_logs(group, own.facts, index),
            **_of_template(group, own.facts, index),
        }
        missing = frozenset(name for name, value in found.items() if value is None)
        yield Related(group, own, Subject(replace(own.facts, **found), missing, own.placed))


def zones_of_subnets(resource: Resource, name: str, listed: object, index: Index) -> tuple[str, ...] | None:
    """The zones of subnets; None when they are not all of the set, or not known yet."""
    named = [index.named(_SUBNETS, each, resource) for each in items(listed)]
    linked = sources(resource, name, _SUBNETS)
    subnets = named if all(isinstance(each, Resource) for each in named) and named else linked
    if len(subnets) < len(named):
        return None
    zones = {fetch(subnet.props, "availabilityZone") for subnet in subnets}
    known = {zone for zone in zones if isinstance(zone, str)}
    return tuple(sorted(known)) if zones and known == zones else None


def _has_audit_logs(group: Resource, carried: Facts, index: Index) -> bool | None:
    """Whether the group's cluster keeps an audit log, where the cluster is of the set."""
    cluster = index.related(group, "clusterName", _CLUSTERS)
    kinds = fetch(cluster.props, "enabledClusterLogTypes") if isinstance(cluster, Resource) else UNKNOWN
    kept = list(items(kinds))
    if "audit" in kept:
        return True
    return carried.audit_logs if kinds is UNKNOWN or UNKNOWN in kept else False


def _of_template(group: Resource, own: Facts, index: Index) -> dict[str, Any]:
    """What a group's machines are: as the launch template says, where it is read, over what they carry."""
    carried = {name: getattr(own, name) for name in _SAID_BY_TEMPLATE}
    template = _template(group, index)
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
    return {
        **carried,
        **{name: value for each in (stated, shown) for name, value in each.items() if value is not None},
    }


def _template(group: Resource, index: Index) -> Any:
    """The launch template of a group's machines; ABSENT if it has none, UNKNOWN if nobody can tell."""
    if fetch(group.props, "launchTemplate") is ABSENT and "launchTemplate" not in group.property_dependencies:
        return ABSENT
    linked = sources(group, "launchTemplate", _TEMPLATES)
    template = linked[0] if linked else UNKNOWN
    for key in ("id", "name"):
        if not isinstance(template, Resource):
            template = index.named(_TEMPLATES, fetch(group.props, "launchTemplate", key), group)
    if not isinstance(template, Resource):
        return UNKNOWN
    return template if _is_described(template, fetch(group.props, "launchTemplate", "version")) else UNKNOWN


def _is_described(template: Resource, version: object) -> bool:
    """Whether the version that is asked for is the one that the template's resource describes, its latest."""
    latest = whole(fetch(template.props, "latestVersion"))
    asked = whole(fetch(template.props, "defaultVersion")) if version == "$Default" else whole(version)
    return latest is None or asked is None or asked == latest


def _strategy(template: Resource, index: Index) -> str | None:
    linked = sources(template, "placement", _GROUPS)
    group = linked[0] if linked else UNKNOWN
    for key in ("groupName", "groupId"):
        if not isinstance(group, Resource):
            group = index.named(_GROUPS, fetch(template.props, "placement", key), template)
    strategy = fetch(group.props, "strategy") if isinstance(group, Resource) else UNKNOWN
    return strategy if isinstance(strategy, str) else None


def _block_zone(template: Resource, index: Index) -> str | None:
    """The zone of the capacity that the template's machines are taken from, where it is of the set."""
    path = ("capacityReservationTarget", "capacityReservationId")
    reservation = index.related(template, "capacityReservationSpecification", _CAPACITY, *path)
    zone = fetch(reservation.props, "availabilityZone") if isinstance(reservation, Resource) else UNKNOWN
    return zone if isinstance(zone, str) else None
