"""From one resource to the facts that the rules read.

A resource that halfmetal made carries the facts it was placed by, in tags or annotations. What a resource
says itself is read as well, and wins: it is what will be created. So anybody's resource is judged by what it
is, and one of halfmetal's also by what it was made for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from components.catalog import load as load_catalog
from components.placement import (
    ANNOTATION_PREFIX,
    NONE,
    TAG_PREFIX,
    UNRESERVED,
    Answer,
    Facts,
    Home,
    Role,
    Tenancy,
    Verdict,
)
from components.spec import Duration, Memory, UnitError
from policies.bags import ABSENT, UNKNOWN, entries, fetch, items, whole

FUNCTION: Final = "aws:lambda/function:Function"
NODE_GROUP: Final = "aws:eks/nodeGroup:NodeGroup"
LAUNCH_TEMPLATE: Final = "aws:ec2/launchTemplate:LaunchTemplate"

_ALL_FACTS: Final = frozenset(field.name for field in fields(Facts))
_ACCELERATORS: Final = ("nvidia.com/gpu", "amd.com/gpu", "aws.amazon.com/neuron")
_ACCELERATOR_SLICES: Final = "nvidia.com/mig-"
_EFA: Final = "vpc.amazonaws.com/efa"
_ZONE_LABEL: Final = "topology.kubernetes.io/zone"


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource as the rules see it."""

    facts: Facts
    unread: frozenset[str] = frozenset()
    """Facts that the resource states but that cannot be known before it is created."""
    placed: bool = False
    """Whether it carries halfmetal's facts."""

    def concerns(self, verdict: Verdict) -> bool:
        """Whether an undecided verdict is worth saying.

        Of a resource of somebody else's, that it says nothing about its latency budget is no news. That a
        value it does state is not known yet is, and so is a gap in the facts of one that halfmetal placed.
        """
        return verdict.answer is Answer.UNDECIDED and (
            self.placed or bool(self.unread & set(verdict.missing))
        )


def read(resource_type: str, props: Mapping[str, Any]) -> Subject | None:
    """The facts of a resource, or None if no rule reads resources of its type."""
    reader = _READERS.get(resource_type)
    return reader(props) if reader is not None else None


@dataclass(slots=True)
class _Draft:
    """Facts being gathered: what is carried first, then what the resource itself says."""

    facts: Facts
    unread: set[str]
    placed: bool

    def set(self, name: str, value: Any) -> None:
        """State a fact; UNKNOWN states that it cannot be known yet."""
        if value is UNKNOWN:
            self.unread.add(name)
            self.facts = replace(self.facts, **{name: None})
        else:
            self.unread.discard(name)
            self.facts = replace(self.facts, **{name: value})

    def set_missing(self, name: str, value: Any) -> None:
        """State a fact unless it is carried already, or carried but not known yet."""
        if getattr(self.facts, name) is None and name not in self.unread:
            self.set(name, value)

    def done(self) -> Subject:
        """The subject, once nothing more can be read."""
        return Subject(self.facts, frozenset(self.unread), self.placed)


def _carried(*bags: object) -> _Draft:
    """What tags or annotations carry, of several bags the first that has a key."""
    known: dict[str, str] = {}
    unread: set[str] = set()
    placed = False
    for bag in bags:
        if bag is UNKNOWN:
            unread |= _ALL_FACTS
        for key, value in entries(bag):
            prefix = next(
                (prefix for prefix in (TAG_PREFIX, ANNOTATION_PREFIX) if key.startswith(prefix)), None
            )
            if prefix is None or key in known:
                continue
            name = key.removeprefix(prefix).partition(".")[0].replace("-", "_")
            # Every placement has a home; other keys under the prefix may be there for other reasons.
            placed = placed or name == "home"
            if isinstance(value, str):
                known[key] = value
            else:
                unread |= {name} & _ALL_FACTS
    facts = Facts.from_tags(known)
    stated = {field.name for field in fields(facts) if getattr(facts, field.name) is not None}
    return _Draft(facts, unread - stated, placed)


# -- functions


def _function(props: Mapping[str, Any]) -> Subject:
    limits = load_catalog().limits.function
    draft = _carried(fetch(props, "tags"), fetch(props, "tagsAll"))
    draft.set("function_memory", _megabytes(fetch(props, "memorySize"), limits.memory_default.value))
    draft.set("timeout", _seconds(fetch(props, "timeout"), limits.timeout_default.value))
    reserved = fetch(props, "reservedConcurrentExecutions")
    draft.set("reserved_concurrency", _number(reserved, UNRESERVED))
    provider = fetch(props, "capacityProviderConfig")
    managed: object = UNKNOWN if provider is UNKNOWN else provider is not ABSENT
    draft.set("managed_instances", managed)
    if draft.facts.home is not None and not draft.facts.home.is_function:
        draft.set("twin", value=True)
    draft.set("home", _function_home(draft.facts.home, managed))
    return draft.done()


def _function_home(carried: Home | None, managed: object) -> Home:
    """A function is a function, whatever home its tags name (it may be the twin of a workload elsewhere)."""
    if managed is True:
        return Home.RESERVED_FUNCTION
    return carried if carried is not None and carried.is_function else Home.FUNCTION


def _megabytes(value: object, absent: Memory) -> object:
    return _quantity(value, absent, lambda number: Memory.of(number, "MiB"))


def _seconds(value: object, absent: Duration) -> object:
    return _quantity(value, absent, lambda number: Duration.of(number, "s"))


def _quantity(value: object, absent: object, convert: Callable[[int], object]) -> object:
    number = _number(value, None)
    if value is ABSENT:
        return absent
    if not isinstance(number, int):
        return UNKNOWN
    try:
        return convert(number)
    except UnitError:  # negative, or beyond anything that exists: the provider's own check says so
        return UNKNOWN


def _number(value: object, absent: int | None) -> object:
    if value is ABSENT:
        return absent
    number = whole(value)
    return UNKNOWN if number is None else number


# -- nodes


def _node_group(props: Mapping[str, Any]) -> Subject:
    draft = _carried(fetch(props, "tags"), fetch(props, "tagsAll"))
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    draft.set("managed_cluster", value=True)
    return draft.done()


def _launch_template(props: Mapping[str, Any]) -> Subject:
    draft = _carried(fetch(props, "tags"), fetch(props, "tagsAll"))
    draft.set_missing("home", Home.POOL)
    draft.set("role", Role.NODES)
    draft.set("efa", _has_efa(props))
    draft.set("own_keys", _has_own_keys(props))
    _read_placement(draft, fetch(props, "placement"))
    _read_tenancy(draft, props)
    target = fetch(props, "capacityReservationSpecification", "capacityReservationTarget")
    if target is ABSENT:
        draft.set_missing("capacity_block_zone", NONE)
    elif target is UNKNOWN:
        draft.set_missing("capacity_block_zone", UNKNOWN)
    return draft.done()


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


def _read_tenancy(draft: _Draft, props: Mapping[str, Any]) -> None:
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
    elif market is ABSENT and draft.facts.tenancy is not Tenancy.BARE_METAL:
        draft.set("tenancy", Tenancy.SHARED)


def _read_placement(draft: _Draft, placement: object) -> None:
    """The zone that a template states, and whether it names a placement group.

    It names the group, not its strategy: that is in the tags, or in the group itself (see `relations`).
    """
    if placement is UNKNOWN:
        draft.set_missing("placement_group", UNKNOWN)
        return
    zone = fetch(placement, "availabilityZone")
    if zone is not ABSENT:
        draft.set("zones", UNKNOWN if zone is UNKNOWN else (str(zone),))
    if fetch(placement, "groupName") is ABSENT and fetch(placement, "groupId") is ABSENT:
        draft.set("placement_group", NONE)


# -- pods


def _workload(props: Mapping[str, Any]) -> Subject:
    replicas = _number(fetch(props, "spec", "replicas"), 1)
    return _pods(fetch(props, "spec", "template"), fetch(props, "metadata", "annotations"), replicas)


def _pod(props: Mapping[str, Any]) -> Subject:
    return _pods(props, fetch(props, "metadata", "annotations"), 1)


def _pods(template: object, annotations: object, replicas: object) -> Subject:
    draft = _carried(annotations, fetch(template, "metadata", "annotations"))
    spec = fetch(template, "spec")
    if draft.facts.home is None or draft.facts.home.is_function:
        draft.set("home", Home.POOL)
    draft.set_missing("placement_group", NONE)
    draft.set_missing("capacity_block_zone", NONE)
    accelerators = _requested(spec, _is_accelerator)
    if accelerators != 0 or draft.facts.accelerator_type is None:
        draft.set("accelerator_count", accelerators)
    draft.set("warm_replicas", replicas)
    if draft.facts.pinned is not False:
        _read_cores(draft, spec)
    adapters = _requested(spec, lambda name: name == _EFA)
    draft.set("efa", adapters if adapters is UNKNOWN else adapters != 0)
    zones = _zones(spec)
    if zones is not ABSENT:
        draft.set("zones", zones)
    return draft.done()


def _read_cores(draft: _Draft, spec: object) -> None:
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
    selected = fetch(spec, "nodeSelector", _ZONE_LABEL)
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
        if key != _ZONE_LABEL or fetch(expression, "operator") != "In":
            continue
        values = list(items(expression, "values"))
        if UNKNOWN in values or fetch(expression, "values") is UNKNOWN:
            return UNKNOWN
        named = frozenset(map(str, values))
        allowed = named if allowed is None else allowed & named
    return allowed


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Subject]]] = {
    FUNCTION: _function,
    NODE_GROUP: _node_group,
    LAUNCH_TEMPLATE: _launch_template,
    "kubernetes:apps/v1:Deployment": _workload,
    "kubernetes:apps/v1:StatefulSet": _workload,
    "kubernetes:batch/v1:Job": _workload,
    "kubernetes:core/v1:Pod": _pod,
}
