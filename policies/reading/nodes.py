"""Nodes: node groups, groups that scale by themselves, and the templates that say what their machines are."""

from collections.abc import Mapping
from typing import Any, Final

from components.placement import NONE, Home, Role, Tenancy
from policies.reading.bags import ABSENT, UNKNOWN, fetch, items, listed
from policies.reading.declared import CARRIED, TAGS, Properties
from policies.reading.draft import Draft, Subject, carried, tagged
from policies.reading.machines import OF_TYPE, read_machines

NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"
SCALING_GROUP: Final = "aws:autoscaling/group:Group"
CAPACITY_PROVIDER: Final = "aws:lambda/capacityProvider:CapacityProvider"

_CAPACITY_BLOCK: Final = "capacity-block"

READS: Final[Mapping[str, Properties]] = {
    NODE_GROUP: {**TAGS, "instanceTypes": OF_TYPE},
    SCALING_GROUP: {
        "tags": CARRIED,
        "mixedInstancesPolicy.launchTemplate.overrides[].instanceType": OF_TYPE,
        "availabilityZones": ("zones",),
    },
    CAPACITY_PROVIDER: {
        **TAGS,
        "instanceRequirements[].allowedInstanceTypes": OF_TYPE,
        "kmsKeyArn": ("own_keys",),
    },
    LAUNCH_TEMPLATE: {
        **TAGS,
        "instanceType": OF_TYPE,
        "networkInterfaces[].interfaceType": ("efa",),
        "blockDeviceMappings[].ebs.kmsKeyId": ("own_keys",),
        "placement.availabilityZone": ("zones",),
        "placement.groupName": ("placement_group",),
        "placement.groupId": ("placement_group",),
        "placement.tenancy": ("tenancy",),
        "instanceMarketOptions.marketType": ("tenancy", "capacity_block_zone"),
        "capacityReservationSpecification.capacityReservationTarget": ("capacity_block_zone",),
    },
}


def node_group(props: Mapping[str, Any]) -> Subject:
    draft = tagged(props)
    read_machines(draft, listed(props, "instanceTypes"))
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    draft.set("managed_cluster", value=True)
    return draft.done()


def scaling_group(props: Mapping[str, Any]) -> Subject:
    """An EC2 Auto Scaling group: nodes of whatever cluster, where it is one's own to run."""
    draft = carried(*_by_key(fetch(props, "tags")))
    overrides = fetch(props, "mixedInstancesPolicy", "launchTemplate", "overrides")
    types = [fetch(each, "instanceType") for each in items(overrides)]
    read_machines(draft, [each for each in types if each is not ABSENT])
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    zones = listed(props, "availabilityZones")
    if zones:
        draft.set("zones", UNKNOWN if UNKNOWN in zones else tuple(sorted(map(str, zones))))
    return draft.done()


def capacity_provider(props: Mapping[str, Any]) -> Subject:
    """The instances of Lambda Managed Instances, which run in one's own account and AWS sees to."""
    draft = tagged(props)
    for requirement in items(props, "instanceRequirements"):
        read_machines(draft, listed(requirement, "allowedInstanceTypes"))
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    draft.set("managed_cluster", value=True)
    draft.set("efa", value=False)
    draft.set("placement_group", NONE)
    draft.set("capacity_block_zone", NONE)
    key = fetch(props, "kmsKeyArn")
    draft.set("own_keys", UNKNOWN if key is UNKNOWN else key is not ABSENT)
    return draft.done()


def launch_template(props: Mapping[str, Any]) -> Subject:
    draft = tagged(props)
    instance = fetch(props, "instanceType")
    read_machines(draft, [] if instance is ABSENT else [instance])
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    draft.set("efa", _has_efa(props))
    draft.set("own_keys", _has_own_keys(props))
    _read_placement(draft, fetch(props, "placement"))
    _read_tenancy(draft, props)
    _read_capacity(draft, props)
    return draft.done()


def _by_key(tags: object) -> tuple[object, object]:
    """Tags in a list of keys and values, as a mapping; and UNKNOWN where there are some not known yet."""
    keys = [fetch(tag, "key") for tag in items(tags)]
    known = {
        key: fetch(tag, "value") for key, tag in zip(keys, items(tags), strict=True) if isinstance(key, str)
    }
    return known, UNKNOWN if UNKNOWN in (tags, *keys) else ABSENT


def _has_efa(props: Mapping[str, Any]) -> object:
    interfaces = fetch(props, "networkInterfaces")
    kinds = [fetch(interface, "interfaceType") for interface in items(interfaces)]
    if any(isinstance(kind, str) and kind.startswith("efa") for kind in kinds):
        return True
    return UNKNOWN if interfaces is UNKNOWN or UNKNOWN in kinds else False


def _has_own_keys(props: Mapping[str, Any]) -> object:
    """Whether every disk that the template makes is encrypted with a key that it names."""
    mappings = fetch(props, "blockDeviceMappings")
    if mappings is UNKNOWN:
        return UNKNOWN
    keys = [fetch(disk, "ebs", "kmsKeyId") for disk in items(mappings) if fetch(disk, "ebs") is not ABSENT]
    if not keys or ABSENT in keys:
        return False
    return UNKNOWN if UNKNOWN in keys else True


def _read_tenancy(draft: Draft, props: Mapping[str, Any]) -> None:
    """The tenancy that a template states, or takes where it states none.

    A machine that is bare metal is one's own without its saying so, and a capacity block was bought with a
    tenancy that no template tells.
    """
    stated = fetch(props, "placement", "tenancy")
    market = fetch(props, "instanceMarketOptions", "marketType")
    if stated is UNKNOWN:
        draft.set_missing("tenancy", UNKNOWN)
    elif isinstance(stated, str) and stated != "default":
        draft.set("tenancy", Tenancy.DEDICATED)
    elif market is ABSENT and draft.get("tenancy") is not Tenancy.BARE_METAL:
        draft.set("tenancy", Tenancy.SHARED)


def _read_capacity(draft: Draft, props: Mapping[str, Any]) -> None:
    """Whether machines are taken from a capacity block. Where it is, the block itself says."""
    target = fetch(props, "capacityReservationSpecification", "capacityReservationTarget")
    market = fetch(props, "instanceMarketOptions", "marketType")
    if UNKNOWN in (target, market):
        draft.set_missing("capacity_block_zone", UNKNOWN)
    elif target is ABSENT and market != _CAPACITY_BLOCK:
        draft.set_missing("capacity_block_zone", NONE)


def _read_placement(draft: Draft, placement: object) -> None:
    """The zone that a template states, and whether it names a placement group.

    It names the group, not its strategy: that is in the tags, or in the group itself (see `node_relations`).
    """
    if placement is UNKNOWN:
        draft.set_missing("placement_group", UNKNOWN)
        return
    zone = fetch(placement, "availabilityZone")
    if zone is not ABSENT:
        draft.set("zones", UNKNOWN if zone is UNKNOWN else (str(zone),))
    if fetch(placement, "groupName") is ABSENT and fetch(placement, "groupId") is ABSENT:
        draft.set("placement_group", NONE)
