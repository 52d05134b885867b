"""Facts that no resource has by itself: they are in how the resources of a stack relate.

A function's log group, its alarm and the stack's budget are resources of their own. The zones of a node group
are those of its subnets, its launch template names its placement group and the key of its disks, and its
cluster keeps an audit log or none. Names are known at preview only sometimes, so a relation is also read off
the graph: what a property was computed from.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from components.placement import NONE, Facts
from components.spec import Duration
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, whole
from policies.reading.draft import Subject
from policies.reading.functions import FUNCTION
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.subjects import read
from policies.resources import Resource

LOG_GROUP: Final = "aws:cloudwatch/logGroup:LogGroup"
ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"
BUDGET: Final = "aws:budgets/budget:Budget"
SUBNET: Final = "aws:ec2/subnet:Subnet"
CLUSTER: Final = "aws:eks/cluster:Cluster"
PLACEMENT_GROUP: Final = "aws:ec2/placementGroup:PlacementGroup"
CAPACITY: Final = (
    "aws:ec2/capacityBlockReservation:CapacityBlockReservation",
    "aws:ec2/capacityReservation:CapacityReservation",
)

_JUDGED_ALONE: Final = {"reserved_concurrency": 0, "timeout": Duration.of(1, "s")}
"""Bounds that a function states itself. Its own policy judges them; here they are taken to hold."""


@dataclass(frozen=True, slots=True)
class Related:
    """A resource, what it shows itself, and what it is seen to be with the rest of the stack."""

    resource: Resource
    own: Subject
    subject: Subject


def functions(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every function with its log retention, its alarm and the stack's budget.

    A bound that its own tags say is missing was refused already, before creation; it is not said twice.
    """
    by_type = _by_type(resources)
    has_budget = bool(by_type.get(BUDGET))
    for function in by_type.get(FUNCTION, ()):
        own = read(FUNCTION, function.props)
        if own is None:
            continue
        found = {
            "log_retention_days": _log_retention(function, by_type.get(LOG_GROUP, [])),
            "alarm": _has_alarm(function, by_type.get(ALARM, [])),
            "budget": has_budget,
        }
        refused = {name: _HELD[name] for name in found if _is_broken(getattr(own.facts, name))}
        facts = replace(own.facts, **{**_JUDGED_ALONE, **found, **refused})
        unknown = frozenset(name for name, value in found.items() if value is None)
        yield Related(function, own, Subject(facts, unknown, own.placed))


def node_groups(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every node group with the zones of its subnets and the capacity that its launch template asks for."""
    by_type = _by_type(resources)
    for group in by_type.get(NODE_GROUP, ()):
        own = read(NODE_GROUP, group.props)
        if own is None:
            continue
        found = {
            "zones": _zones(group) or own.facts.zones,
            "audit_logs": _has_audit_logs(group, own.facts),
            **_capacity(group, own.facts),
            **_isolation(group, own.facts),
        }
        facts = replace(own.facts, **found)
        missing = frozenset(name for name, value in found.items() if value is None)
        yield Related(group, own, Subject(facts, missing, own.placed))


_HELD: Final[dict[str, Any]] = {"log_retention_days": 1, "alarm": True, "budget": True}


def _is_broken(bound: object) -> bool:
    return bound is not None and not bound


def _by_type(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    grouped: dict[str, list[Resource]] = {}
    for resource in resources:
        grouped.setdefault(resource.resource_type, []).append(resource)
    return grouped


def _sources(resource: Resource, name: str, resource_type: str) -> list[Resource]:
    """The resources of a type that a property was computed from."""
    return [
        source
        for source in resource.property_dependencies.get(name, ())
        if source.resource_type == resource_type
    ]


# -- functions


def _log_retention(function: Resource, groups: list[Resource]) -> int | None:
    """Days that a function's logs are kept: 0 for ever, None when it cannot be told yet."""
    group = log_group(function, groups)
    if isinstance(group, Resource):
        days = fetch(group.props, "retentionInDays")
        return 0 if days is ABSENT else whole(days)
    # Lambda makes the group that nobody made, and keeps it for ever.
    return None if group is UNKNOWN else 0


def log_group(function: Resource, groups: list[Resource]) -> Any:
    """The log group a function writes to, ABSENT if the stack has none, UNKNOWN if that cannot be told."""
    linked = _sources(function, "loggingConfig", LOG_GROUP)
    if linked:
        return linked[0]
    name = _log_group_name(function)
    names = {id(group): fetch(group.props, "name") for group in groups}
    for group in groups:
        if isinstance(name, str) and names[id(group)] == name:
            return group
    for group in groups:
        # Made before the function, or named after it: its own while one of the two names is not known.
        related = group in function.dependencies or function in group.dependencies
        if related and not (isinstance(name, str) and isinstance(names[id(group)], str)):
            return group
    return UNKNOWN if name is UNKNOWN or UNKNOWN in names.values() else ABSENT


def _log_group_name(function: Resource) -> Any:
    named = fetch(function.props, "loggingConfig", "logGroup")
    if named is not ABSENT:
        return named
    name = fetch(function.props, "name")
    return f"/aws/lambda/{name}" if isinstance(name, str) else UNKNOWN


def _has_alarm(function: Resource, alarms: list[Resource]) -> bool | None:
    """Whether an alarm watches a function; None when it cannot be told yet."""
    name = fetch(function.props, "name")
    undecided = False
    for alarm in alarms:
        watched = _watched(alarm)
        related = any(
            function in alarm.property_dependencies.get(where, ())
            for where in ("dimensions", "metricQueries")
        )
        if related or (isinstance(name, str) and name in watched):
            return True
        undecided = undecided or UNKNOWN in watched or (not isinstance(name, str) and bool(watched))
    return None if undecided else False


def _watched(alarm: Resource) -> set[Any]:
    """Names of the functions in an alarm's dimensions."""
    dimensions = fetch(alarm.props, "dimensions")
    if dimensions is UNKNOWN:
        return {UNKNOWN}
    return {value for key, value in entries(dimensions) if key == "FunctionName"}


# -- nodes


def _zones(group: Resource) -> tuple[str, ...] | None:
    """The zones of a group's subnets; None when they are not of this stack, or not known yet."""
    subnets = _sources(group, "subnetIds", SUBNET)
    zones = {fetch(subnet.props, "availabilityZone") for subnet in subnets}
    named = {zone for zone in zones if isinstance(zone, str)}
    return tuple(sorted(named)) if zones and named == zones else None


def _capacity(group: Resource, carried: Facts) -> dict[str, Any]:
    """What the launch template asks for, where it is of this stack."""
    templates = _sources(group, "launchTemplate", LAUNCH_TEMPLATE)
    if not templates:
        without = fetch(group.props, "launchTemplate") is ABSENT
        return {
            "efa": carried.efa if carried.efa is not None or not without else False,
            "placement_group": carried.placement_group or (NONE if without else None),
            "capacity_block_zone": carried.capacity_block_zone or (NONE if without else None),
        }
    template = templates[0]
    own = read(LAUNCH_TEMPLATE, template.props)
    facts = own.facts if own is not None else Facts()
    return {
        "efa": facts.efa if facts.efa is not None else carried.efa,
        "placement_group": _strategy(template) or facts.placement_group or carried.placement_group,
        "capacity_block_zone": _block_zone(template)
        or facts.capacity_block_zone
        or carried.capacity_block_zone,
    }


def _isolation(group: Resource, carried: Facts) -> dict[str, Any]:
    """Whose the machines and the key of the disks are: as the launch template says, where it is read."""
    found = {"tenancy": carried.tenancy, "own_keys": carried.own_keys}
    for template in _sources(group, "launchTemplate", LAUNCH_TEMPLATE)[:1]:
        own = read(LAUNCH_TEMPLATE, template.props)
        if own is not None:
            stated = {"tenancy": own.facts.tenancy, "own_keys": own.facts.own_keys}
            found |= {name: value for name, value in stated.items() if value is not None}
    return found


def _has_audit_logs(group: Resource, carried: Facts) -> bool | None:
    """Whether the group's cluster keeps an audit log, where the cluster is of this stack."""
    clusters = _sources(group, "clusterName", CLUSTER)
    kinds = fetch(clusters[0].props, "enabledClusterLogTypes") if clusters else UNKNOWN
    kept = list(items(kinds))
    if "audit" in kept:
        return True
    return carried.audit_logs if kinds is UNKNOWN or UNKNOWN in kept else False


def _strategy(template: Resource) -> str | None:
    groups = _sources(template, "placement", PLACEMENT_GROUP)
    strategy = fetch(groups[0].props, "strategy") if groups else UNKNOWN
    return strategy if isinstance(strategy, str) else None


def _block_zone(template: Resource) -> str | None:
    for resource_type in CAPACITY:
        for reservation in _sources(template, "capacityReservationSpecification", resource_type):
            zone = fetch(reservation.props, "availabilityZone")
            if isinstance(zone, str):
                return zone
    return None
