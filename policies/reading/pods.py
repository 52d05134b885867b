"""Pods, and what makes them: the accelerators, cores and zones that their spec asks for.

A workload of Kubernetes is a number of pods by one template or several, in an object that says how many run
and what ends them. What pods ask for is read the same way in all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from components.placement import NONE, FrontDoor
from components.placement.devices import ACCELERATOR_SLICES, ACCELERATORS, EFA
from components.placement.labels import POOL_LABEL, ZONE_LABELS
from components.placement.taints import GPU_TAINT
from components.spec import Duration
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, listed, whole
from policies.reading.declared import CARRIED, Properties, under
from policies.reading.draft import Draft, Subject, carried
from policies.reading.quantities import amount_of, counted, seconds
from policies.reading.tolerations import tolerates

_GPU_TAINT: Final = {"key": GPU_TAINT.key, "value": GPU_TAINT.value, "effect": "NO_SCHEDULE"}
_AUTOSCALING: Final = "autoscaling.knative.dev/"
_SCALES_TO_ZERO: Final = "kpa.autoscaling.knative.dev"


_OF_CONTAINERS: Final = ("accelerator_count", "efa")
_WHERE: Final = ("zones", "has_accelerators")
_OF_PODS: Final[Properties] = {
    "metadata.annotations": CARRIED,
    "spec.containers[].resources.limits": (*_OF_CONTAINERS, "pinned"),
    "spec.containers[].resources.requests": (*_OF_CONTAINERS, "pinned"),
    "spec.initContainers[].resources.limits": _OF_CONTAINERS,
    "spec.initContainers[].resources.requests": _OF_CONTAINERS,
    "spec.initContainers[].restartPolicy": _OF_CONTAINERS,
    "spec.resourceClaims": ("accelerator_count",),
    "spec.nodeSelector": _WHERE,
    "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution": _WHERE,
    "spec.tolerations": ("tolerates",),
}
_OWNED: Final[Properties] = {"metadata.ownerReferences[].controller": ("warm_replicas",)}
_ANNOTATED: Final[Properties] = {"metadata.annotations": CARRIED}
_SCALES: Final[Properties] = {**_ANNOTATED, "spec.replicas": ("warm_replicas",)}
_DEADLINE: Final[Properties] = {"spec.activeDeadlineSeconds": ("timeout",)}


@dataclass(frozen=True, slots=True)
class Template:
    """A template of pods, and how many pods one replica of the workload has by it."""

    pods: object
    copies: int = 1

    @property
    def spec(self) -> Any:
        """What its pods are."""
        return fetch(self.pods, "spec")


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of object that makes pods."""

    templates: Callable[[object], Iterable[Template]]
    """Those of its pods."""
    finish: Callable[[Draft, object], None]
    """Reads what it says beside them."""
    reads: Properties
    made: tuple[str, ...] = ()
    """The way to what it makes that makes the pods, which has labels and annotations of its own."""

    def __call__(self, props: Mapping[str, Any]) -> Subject:
        """What is read of one."""
        templates = [template for template in self.templates(props) if template.copies]
        annotations = [fetch(template.pods, "metadata", "annotations") for template in templates]
        if self.made:
            annotations.insert(0, fetch(props, *self.made, "metadata", "annotations"))
        draft = carried(fetch(props, "metadata", "annotations"), *annotations)
        _read_templates(draft, templates)
        self.finish(draft, props)
        return draft.done()


# -- what makes pods


def _one_template(*path: str) -> Callable[[object], Iterable[Template]]:
    return lambda props: (Template(fetch(props, *path)),)


def _leader_and_workers(props: object) -> Iterator[Template]:
    """Those of one group: a leader, and workers by a template of their own or the same."""
    group = fetch(props, "spec", "leaderWorkerTemplate")
    size = counted(fetch(group, "size"), 1)
    workers, leader = fetch(group, "workerTemplate"), fetch(group, "leaderTemplate")
    yield Template(workers if leader is ABSENT else leader)
    if isinstance(size, int):
        yield Template(workers, max(0, size - 1))
    else:
        yield Template({"metadata": fetch(workers, "metadata"), "spec": UNKNOWN})


def _scaled(draft: Draft, props: object) -> None:
    """So many pods, all the time."""
    draft.set("warm_replicas", counted(fetch(props, "spec", "replicas"), 1))


def _scaled_by_owner(draft: Draft, props: object) -> None:
    _unless_owned(draft, props, counted(fetch(props, "spec", "replicas"), 1))


def _single(draft: Draft, props: object) -> None:
    _unless_owned(draft, props, 1)


def _unless_owned(draft: Draft, props: object, replicas: object) -> None:
    """State how many pods run, unless another object made this one and says so: it may be an old one."""
    controllers = [fetch(owner, "controller") for owner in items(props, "metadata", "ownerReferences")]
    if True in controllers:
        return
    is_unknown = fetch(props, "metadata", "ownerReferences") is UNKNOWN or UNKNOWN in controllers
    draft.set("warm_replicas", UNKNOWN if is_unknown else replicas)


def _one_on_every_node(draft: Draft, props: object) -> None:
    """However many nodes there are."""


def _ends(*path: str) -> Callable[[Draft, object], None]:
    """Nobody waits for a job, and it may have a deadline."""

    def finish(draft: Draft, props: object) -> None:
        draft.set("front_door", FrontDoor.ASYNCHRONOUS)
        deadline = fetch(props, *path, "activeDeadlineSeconds")
        if deadline is not ABSENT:
            draft.set("timeout", seconds(deadline, _NO_TIME))

    return finish


_NO_TIME: Final = Duration(0)


def _scales_with_requests(draft: Draft, props: object) -> None:
    """By what a Knative service says; what its cluster takes otherwise is its operator's choice."""
    template = fetch(props, "spec", "template")
    least = _least_scale(fetch(template, "metadata", "annotations"))
    if least is not ABSENT:
        draft.set("warm_replicas", least)
    asked = fetch(template, "spec", "timeoutSeconds")
    if asked is not ABSENT:
        draft.set("timeout", seconds(asked, _NO_TIME))


def _least_scale(annotations: object) -> object:
    """Pods that a Knative service keeps, of the revision that takes requests; ABSENT where it does not say.

    Then it keeps none by default, but its cluster may keep one of each service, or more.
    """
    if annotations is UNKNOWN:
        return UNKNOWN
    scaler = fetch(annotations, _AUTOSCALING + "class")
    if scaler is UNKNOWN:
        return UNKNOWN
    stated = [fetch(annotations, _AUTOSCALING + key) for key in ("min-scale", "minScale")]
    asked = stated[1] if stated[0] is ABSENT else stated[0]
    may_be_none = scaler is ABSENT or scaler == _SCALES_TO_ZERO
    # By a horizontal pod autoscaler there is always one.
    return ABSENT if asked is ABSENT and may_be_none else counted(asked, 1)


_TEMPLATE: Final = under("spec.template", _OF_PODS)
_GROUP: Final = "spec.leaderWorkerTemplate"

SCALED: Final = Workload(_one_template("spec", "template"), _scaled, {**_SCALES, **_TEMPLATE})
REPLICAS: Final = Workload(
    _one_template("spec", "template"), _scaled_by_owner, {**_SCALES, **_OWNED, **_TEMPLATE}
)
"""What a Deployment makes, and of which it keeps old ones."""
ON_EVERY_NODE: Final = Workload(
    _one_template("spec", "template"), _one_on_every_node, {**_ANNOTATED, **_TEMPLATE}
)
POD: Final = Workload(_one_template(), _single, {**_OWNED, **_OF_PODS})
JOB: Final = Workload(
    _one_template("spec", "template"), _ends("spec"), {**_ANNOTATED, **_DEADLINE, **_TEMPLATE}
)
CRON_JOB: Final = Workload(
    _one_template("spec", "jobTemplate", "spec", "template"),
    _ends("spec", "jobTemplate", "spec"),
    {**_ANNOTATED, **under("spec.jobTemplate", {**_ANNOTATED, **_DEADLINE, **_TEMPLATE})},
    made=("spec", "jobTemplate"),
)
LEADER_WORKER_SET: Final = Workload(
    _leader_and_workers,
    _scaled,
    {
        **_SCALES,
        f"{_GROUP}.size": (*_OF_CONTAINERS, "pinned", *_WHERE, "tolerates"),
        **under(f"{_GROUP}.leaderTemplate", _OF_PODS),
        **under(f"{_GROUP}.workerTemplate", _OF_PODS),
    },
)
KNATIVE_SERVICE: Final = Workload(
    _one_template("spec", "template"),
    _scales_with_requests,
    {**_ANNOTATED, **_TEMPLATE, "spec.template.spec.timeoutSeconds": ("timeout",)},
)

_VERSIONS: Final[Mapping[tuple[str, tuple[str, ...]], Workload]] = {
    ("Deployment", ("apps/v1", "apps/v1beta1", "apps/v1beta2", "extensions/v1beta1")): SCALED,
    ("StatefulSet", ("apps/v1", "apps/v1beta1", "apps/v1beta2")): SCALED,
    ("ReplicaSet", ("apps/v1", "apps/v1beta2", "extensions/v1beta1")): REPLICAS,
    ("ReplicationController", ("core/v1",)): REPLICAS,
    ("DaemonSet", ("apps/v1", "apps/v1beta2", "extensions/v1beta1")): ON_EVERY_NODE,
    ("Pod", ("core/v1",)): POD,
    ("Job", ("batch/v1",)): JOB,
    ("CronJob", ("batch/v1", "batch/v1beta1")): CRON_JOB,
    ("LeaderWorkerSet", ("leaderworkerset.x-k8s.io/v1",)): LEADER_WORKER_SET,
    ("Service", ("serving.knative.dev/v1",)): KNATIVE_SERVICE,
}
WORKLOADS: Final[Mapping[str, Workload]] = {
    f"kubernetes:{version}:{kind}": workload
    for (kind, versions), workload in _VERSIONS.items()
    for version in versions
}
"""What makes pods, by type, in every version of its API that is in use."""


def pools_of(resource_type: str, props: Mapping[str, Any]) -> Iterator[str]:
    """The pools that pods are held to by their label, by name."""
    workload = WORKLOADS.get(resource_type)
    for template in workload.templates(props) if workload is not None else ():
        pools = held_to(template.spec, (POOL_LABEL,))
        yield from pools if isinstance(pools, tuple) else ()


# -- what pods ask for


def _read_templates(draft: Draft, templates: list[Template]) -> None:
    draft.put_on_nodes()
    draft.set_missing("placement_group", NONE)
    draft.set_missing("capacity_block_zone", NONE)
    accelerators = accelerators_asked(templates)
    # What is claimed from a driver (DRA) only the claims tell; it comes on top of what is counted.
    if accelerators == 0 and claim_anything(templates):
        accelerators = UNKNOWN
    if accelerators != 0 or draft.get("accelerator_type") is None:
        draft.set("accelerator_count", accelerators)
    specs = [template.spec for template in templates]
    if accelerators != 0:
        _read_ways_in(draft, specs)
    if draft.get("pinned") is not False:
        _read_cores(draft, specs)
    adapters = _asked_of_all(templates, lambda name: name == EFA)
    draft.set("efa", adapters if adapters is UNKNOWN else adapters != 0)
    zones = zones_of_all(specs)
    if zones is not ABSENT:
        draft.set("zones", zones)


def _read_ways_in(draft: Draft, specs: list[object]) -> None:
    """Whether pods that were placed on nodes with accelerators still get onto them, as they are now.

    Of pods that carry nothing of it, it is not known what nodes they were meant for.
    """
    if draft.get("has_accelerators"):
        held = [held_to(spec, (POOL_LABEL,)) for spec in specs]
        if ABSENT in held or UNKNOWN in held:
            draft.set("has_accelerators", value=False if ABSENT in held else UNKNOWN)
    if draft.get("tolerates"):
        tolerated = [tolerates([_GPU_TAINT], [fetch(spec, "tolerations")]) for spec in specs]
        if False in tolerated or None in tolerated:
            draft.set("tolerates", value=False if False in tolerated else UNKNOWN)


def claims_of(spec: object) -> Iterator[Any]:
    """Each claim of devices that a pod has, UNKNOWN for one that is not known."""
    return iter(listed(spec, "resourceClaims"))


def claim_anything(templates: Iterable[Template]) -> bool:
    """Whether pods claim devices, or may."""
    return any(True for template in templates for _ in claims_of(template.spec))


def _read_cores(draft: Draft, specs: list[object]) -> None:
    """Whether the kubelet would give the pods cores of their own, on nodes of which it is known that they do.

    It gives them to a pod whose containers all have limits that are their requests, in whole cores.
    """
    if any(UNKNOWN in (spec, fetch(spec, "containers")) for spec in specs):
        draft.set("pinned", UNKNOWN)
        return
    containers = chain.from_iterable(items(spec, "containers") for spec in specs)
    whole_cores = {_asks_whole_cores(container) for container in containers}
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
        if limit is ABSENT or (request is not ABSENT and not _are_same(request, limit)):
            return False
    return _is_whole(fetch(container, "resources", "limits", "cpu"))


def _are_same(one: object, other: object) -> bool:
    """Whether two quantities are as much, however they are written."""
    amounts = amount_of(one), amount_of(other)
    return one == other if None in amounts else amounts[0] == amounts[1]


def _is_whole(cores: object) -> bool:
    if isinstance(cores, str) and cores.endswith("m"):
        millicores = whole(cores.removesuffix("m"))
        return millicores is not None and millicores % 1000 == 0
    return whole(cores) is not None


def accelerators_asked(templates: Iterable[Template]) -> Any:
    """How many accelerators the pods of one replica count among their resources, or UNKNOWN."""
    return _asked_of_all(templates, lambda name: name in ACCELERATORS or name.startswith(ACCELERATOR_SLICES))


def _asked_of_all(templates: Iterable[Template], wanted: Callable[[str], bool]) -> Any:
    total = 0
    for template in templates:
        each = _asked_by_pod(template.spec, wanted)
        if each is UNKNOWN:
            return UNKNOWN
        total += each * template.copies
    return total


def _asked_by_pod(spec: object, wanted: Callable[[str], bool]) -> Any:
    """How many of an extended resource one pod asks for, or UNKNOWN.

    Its containers have theirs at the same time, with the init containers that keep running beside them; any
    other init container has had its own, and given it back, before they start.
    """
    if UNKNOWN in (spec, fetch(spec, "containers"), fetch(spec, "initContainers")):
        return UNKNOWN
    beside, before = 0, 0
    for container in items(spec, "initContainers"):
        asked = _asked_by_container(container, wanted)
        restarts = fetch(container, "restartPolicy")
        if asked is UNKNOWN or (asked and restarts is UNKNOWN):
            return UNKNOWN
        if restarts == "Always":
            beside += asked
        else:
            before = max(before, beside + asked)
    for container in items(spec, "containers"):
        asked = _asked_by_container(container, wanted)
        if asked is UNKNOWN:
            return UNKNOWN
        beside += asked
    return max(before, beside)


def _asked_by_container(container: object, wanted: Callable[[str], bool]) -> Any:
    """For extended resources Kubernetes takes requests and limits to be the same; either may be left out."""
    asked: dict[str, object] = {}
    for kind in ("requests", "limits"):
        amounts = fetch(container, "resources", kind)
        if amounts is UNKNOWN:
            return UNKNOWN
        asked |= {name: amount for name, amount in entries(amounts) if wanted(name)}
    counts = [whole(amount) for amount in asked.values()]
    return UNKNOWN if None in counts else sum(count for count in counts if count is not None)


# -- where pods may be


def zones_of_all(specs: Iterable[object]) -> Any:
    """The zones that all pods are held to together: ABSENT if some may be anywhere, UNKNOWN if not known."""
    found = [held_to(spec, ZONE_LABELS) for spec in specs]
    for lack in (UNKNOWN, ABSENT):
        if lack in found:
            return lack
    return tuple(sorted(set(chain.from_iterable(found)))) if found else ABSENT


def held_to(spec: object, labels: tuple[str, ...]) -> Any:
    """The values of a node label (by any of its names) that a pod is held to.

    ABSENT when to none in particular, UNKNOWN when that is not known.
    """
    selected = [fetch(spec, "nodeSelector", label) for label in labels]
    required = fetch(
        spec,
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    terms = [_allowed_by(term, labels) for term in items(required)]
    if UNKNOWN in (*selected, required, *terms):
        return UNKNOWN
    # Terms are alternatives: one that says nothing of the label leaves every value open.
    held = None if not terms or None in terms else frozenset[str]().union(*(term or () for term in terms))
    for value in selected:
        if isinstance(value, str):
            held = frozenset([value]) if held is None else held & {value}
    return ABSENT if held is None else tuple(sorted(held))


def _allowed_by(term: object, labels: tuple[str, ...]) -> Any:
    """The values that one alternative allows, None when it says nothing of the label."""
    allowed: frozenset[str] | None = None
    for expression in items(term, "matchExpressions"):
        key, operator = fetch(expression, "key"), fetch(expression, "operator")
        if key is UNKNOWN:
            return UNKNOWN
        if key not in labels or (operator != "In" and operator is not UNKNOWN):
            continue
        values = list(items(expression, "values"))
        if UNKNOWN in (operator, fetch(expression, "values"), *values):
            return UNKNOWN
        named = frozenset(map(str, values))
        allowed = named if allowed is None else allowed & named
    return UNKNOWN if UNKNOWN in (term, fetch(term, "matchExpressions")) else allowed
