"""What value of which property would clear a verdict.

A rule's remedy is advice to a person. Some of it is mechanical: a number to set, a zone to select. That much
stands here once, for the policy pack, which may set such a value itself, and for an audit, which writes it
down. A fix is `safe` where it costs nothing, and at most bounds what had no bound; any other is a person's to
decide. A bound may be too low all the same, so each says what to look at.

What a fix takes away is only what its property can: a function that lacks a reserved concurrency and an alarm
gets the first from here, and the alarm stays a finding.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from components.catalog import load as load_catalog
from components.placement import (
    NONE,
    Answer,
    Enforcement,
    Facts,
    FrontDoor,
    Home,
    Setting,
    StateRead,
    Tenancy,
)
from components.placement.labels import ZONE_LABEL
from components.placement.taints import GPU_TAINT
from components.spec import Guardrails
from policies.judging import Judged
from policies.reading import pods
from policies.reading.bags import ABSENT, Lack, entries, fetch, items, whole
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CLUSTER
from policies.reading.nodes import LAUNCH_TEMPLATE
from policies.reading.relations import LOG_GROUP, log_group
from policies.resources import Resource

Path: TypeAlias = tuple[str | int, ...]
"""The way to a property from the top of a resource's bag."""

_SCALED: Final = frozenset({"kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"})
_OF_TEMPLATE: Final = ("spec", "template", "spec")
_OF_KIND: Final = (
    (pods.POD, ("spec",)),
    (pods.SCALED, _OF_TEMPLATE),
    (pods.REPLICAS, _OF_TEMPLATE),
    (pods.ON_EVERY_NODE, _OF_TEMPLATE),
    (pods.JOB, _OF_TEMPLATE),
    (pods.CRON_JOB, ("spec", "jobTemplate", *_OF_TEMPLATE)),
)
_POD_SPECS: Final[Mapping[str, Path]] = {
    name: path for name, workload in pods.WORKLOADS.items() for kind, path in _OF_KIND if workload is kind
}
"""Where the one spec of its pods stands, by type of what makes them."""
_NVIDIA: Final = "nvidia.com/"
_DEDICATED: Final = "dedicated"
_AUDIT: Final = "audit"


@dataclass(frozen=True, slots=True)
class Fix:
    """A property, and the value that clears what a rule has against it."""

    resource: Resource
    """Whose property it is: what was judged, or what it was judged by."""
    path: Path
    value: Any
    why: str
    safe: bool = False
    """Whether it costs nothing and at most bounds what had no bound: not whether the bound is wide enough."""

    @property
    def was(self) -> Any:
        """The value today: ABSENT where there is none, UNKNOWN where it is not known."""
        return fetch(self.resource.props, *self.path)


def fixes(
    setting: Setting,
    judged: Judged,
    among: Iterable[Resource] = (),
    guardrails: Guardrails | None = None,
) -> tuple[Fix, ...]:
    """The fixes of a verdict by this rule as it is run; none where a person has to decide.

    `among` are all resources that there are, some of which may have to change instead; `guardrails` what the
    stack wants of every function, by default what a stack file does that says nothing.
    """
    make = _BY_RULE.get(judged.rule.id)
    if make is None or setting.enforcement is Enforcement.DISABLED or judged.verdict.answer is Answer.FITS:
        return ()
    return tuple(make(_Case(setting, judged, among, guardrails or Guardrails())))


def of_log_group(group: Resource, guardrails: Guardrails | None = None) -> Fix | None:
    """What bounds a log group that keeps what it is given for ever; None where it does not."""
    if group.resource_type != LOG_GROUP:
        return None
    days = fetch(group.props, "retentionInDays")
    kept = (guardrails or Guardrails()).log_retention
    if kept is None or (days is not ABSENT and whole(days) != 0):
        return None
    why = f"CloudWatch deletes what is older than {kept.days:g} days, and does not charge for it for ever"
    return Fix(group, ("retentionInDays",), int(kept.days), why, safe=True)


def of_gpu_pods(resource: Resource) -> Iterator[Fix]:
    """What lets pods that ask for a GPU onto nodes that others are kept off, where they tolerate nothing.

    Kubernetes' own ExtendedResourceToleration does the same where it is switched on. Which nodes there are
    does not matter: a toleration holds a pod to none.
    """
    path = _POD_SPECS.get(resource.resource_type)
    if path is None or fetch(resource.props, *path, "tolerations") is not ABSENT:
        return
    if any(_asks_for_gpu(container) for container in items(resource.props, *path, "containers")):
        toleration = {"key": GPU_TAINT.key, "operator": "Exists", "effect": GPU_TAINT.effect}
        why = f"nodes with GPUs keep off what does not tolerate {GPU_TAINT.key}"
        yield Fix(resource, (*path, "tolerations"), [toleration], why, safe=True)


def _asks_for_gpu(container: object) -> bool:
    return any(
        name.startswith(_NVIDIA) and whole(amount) != 0
        for kind in ("requests", "limits")
        for name, amount in entries(container, "resources", kind)
    )


def applied(props: Mapping[str, Any], made: Iterable[Fix]) -> dict[str, Any]:
    """A bag with these values set, those around them as they are."""
    changed: dict[str, Any] = dict(props)
    for fix in made:
        changed = _with(changed, fix.path, fix.value)
    return changed


def _with(node: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        copied = list(node)
        copied[step] = _with(copied[step], rest, value)
        return copied
    inner = dict(node) if isinstance(node, Mapping) else {}
    inner[step] = _with(inner.get(step), rest, value)
    return inner


# -- rules


@dataclass(frozen=True, slots=True)
class _Case:
    """A verdict, and what its fix may rest on."""

    setting: Setting
    judged: Judged
    among: Iterable[Resource]
    guardrails: Guardrails

    @property
    def resource(self) -> Resource:
        return self.judged.resource

    @property
    def facts(self) -> Facts:
        return self.judged.subject.facts

    @property
    def is_managed(self) -> bool:
        """Whether it is a function on Managed Instances, or may be."""
        return self.facts.home is Home.RESERVED_FUNCTION and self.facts.managed_instances is not False

    def sources(self, name: str, resource_type: str) -> list[Resource]:
        """What a property of the resource was computed from, of one type."""
        made_from = self.resource.property_dependencies.get(name, ())
        return [source for source in made_from if source.resource_type == resource_type]


def _runaway_function(case: _Case) -> Iterator[Fix]:
    if case.resource.resource_type != FUNCTION:
        return
    reserved, wanted = case.facts.reserved_concurrency, case.guardrails.reserved_concurrency
    if reserved is not None and reserved < 0 and wanted is not None:
        kept = load_catalog().limits.function.unreserved_concurrency.value
        why = (
            f"no more than {wanted} copies run at once, and what comes beyond is throttled: CloudWatch's"
            f" ConcurrentExecutions shows how many do today. AWS refuses it where less than {kept} of the"
            " account's concurrency would be left unreserved"
        )
        yield Fix(case.resource, ("reservedConcurrentExecutions",), wanted, why, safe=True)
    yield from _bounded_timeout(case)
    group = log_group(case.resource, case.among)
    if case.facts.log_retention_days == 0 and isinstance(group, Resource):
        bounded = of_log_group(group, case.guardrails)
        if bounded is not None:
            yield bounded


def _bounded_timeout(case: _Case) -> Iterator[Fix]:
    timeout = case.facts.timeout
    if timeout is None:
        return
    name = "longest_timeout_managed_instances" if case.is_managed else "longest_timeout"
    longest = case.setting.thresholds.duration(name)
    if timeout > longest:
        why = f"a call that hangs is paid for no longer than {longest}"
        # Not safe: a call that takes longer today, and is answered, is cut off then.
        yield Fix(case.resource, ("timeout",), max(1, int(longest.seconds)), why)
    elif not timeout:
        default = load_catalog().limits.function.timeout_default.value
        yield Fix(case.resource, ("timeout",), int(default.seconds), "AWS takes no timeout of 0", safe=True)


def _accelerator(case: _Case) -> Iterator[Fix]:
    """Pods that are kept off the nodes that they need."""
    if case.facts.tolerates is False:
        yield from of_gpu_pods(case.resource)


def _long_execution(case: _Case) -> Iterator[Fix]:
    """A function whose own timeout is what cuts a request off."""
    takes, timeout = case.facts.service_time, case.facts.timeout
    if case.resource.resource_type != FUNCTION or takes is None or timeout is None or takes <= timeout:
        return
    waits = case.facts.front_door is not FrontDoor.ASYNCHRONOUS
    name = "managed_instances" if case.is_managed and not waits else "function"
    longest = case.setting.thresholds.duration(name)
    if takes <= longest:
        why = f"a request takes {takes}, and is cut off after {timeout} and paid for all the same"
        yield Fix(case.resource, ("timeout",), math.ceil(takes.seconds), why)


def _memory(case: _Case) -> Iterator[Fix]:
    """A function that is given more than there is, though its workload does not need it."""
    given, needed = case.facts.function_memory, case.facts.memory
    if case.resource.resource_type != FUNCTION or given is None:
        return
    limit = case.setting.thresholds.memory("managed_instances" if case.is_managed else "on_demand")
    if given > limit and (needed is None or needed <= limit):
        yield Fix(case.resource, ("memorySize",), limit.mib, "it is the most that there is")


def _state_locality(case: _Case) -> Iterator[Fix]:
    spec_path = _POD_SPECS.get(case.resource.resource_type)
    if spec_path is None or not case.facts.state:
        return
    shared, here = _shared_zones(case.facts.state), frozenset(case.facts.zones or ())
    zone = min(shared & here or shared, default=None)
    if zone is None:
        return
    stores = ", ".join(sorted(read.store for read in case.facts.state))
    why = f"{zone} is where {stores} is, and reads within a zone are fast and free"
    safe = shared & here == {zone}  # of several, which one has room is not to be guessed
    affinity = list(_zone_expressions(fetch(case.resource.props, *spec_path)))
    for path in affinity:
        yield Fix(case.resource, (*spec_path, *path), [zone], why, safe)
    selector = (*spec_path, "nodeSelector", ZONE_LABEL)
    selected = fetch(case.resource.props, *selector)
    if not isinstance(selected, Lack) or not affinity:
        yield Fix(case.resource, selector, zone, why, safe)


def _shared_zones(reads: Iterable[StateRead]) -> frozenset[str]:
    """The zones that have all stores."""
    return frozenset.intersection(*(frozenset(read.zones) for read in reads))


def _zone_expressions(spec: object) -> Iterator[Path]:
    """Where a pod's required affinity names zones."""
    terms: Path = (
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    for number, term in enumerate(items(spec, *terms)):
        for index, expression in enumerate(items(term, "matchExpressions")):
            if fetch(expression, "key") == ZONE_LABEL and fetch(expression, "operator") == "In":
                yield (*terms, number, "matchExpressions", index, "values")


def _warm_before_tail(case: _Case) -> Iterator[Fix]:
    if case.resource.resource_type in _SCALED and case.facts.twin and case.facts.warm_replicas == 0:
        why = "one replica is warm before the function twin, which then takes the tail only"
        yield Fix(case.resource, ("spec", "replicas"), 1, why, safe=True)


def _compliance_isolation(case: _Case) -> Iterator[Fix]:
    if not case.facts.compliance:
        return
    is_template = case.resource.resource_type == LAUNCH_TEMPLATE
    templates = [case.resource] if is_template else case.sources("launchTemplate", LAUNCH_TEMPLATE)
    if case.facts.tenancy is Tenancy.SHARED and templates:
        why = "no other account's instances are on the machine"
        yield Fix(templates[0], ("placement", "tenancy"), _DEDICATED, why)
    clusters = case.sources("clusterName", CLUSTER)
    if case.facts.audit_logs is False and clusters:
        kept = fetch(clusters[0].props, "enabledClusterLogTypes")
        logs = [] if isinstance(kept, Lack) else [*kept]
        why = "who did what in the cluster can be shown; CloudWatch charges for what is taken in"
        yield Fix(clusters[0], ("enabledClusterLogTypes",), [*logs, _AUDIT], why)


def _zone_capacity(case: _Case) -> Iterator[Fix]:
    zone = case.facts.capacity_block_zone
    is_template = case.resource.resource_type == LAUNCH_TEMPLATE
    if is_template and zone not in (None, NONE) and case.facts.zones not in (None, (zone,)):
        why = "the capacity block is there, and nodes elsewhere never come"
        yield Fix(case.resource, ("placement", "availabilityZone"), zone, why)


_BY_RULE: Final[Mapping[str, Callable[[_Case], Iterator[Fix]]]] = {
    "accelerator-needs-metal": _accelerator,
    "runaway-function": _runaway_function,
    "long-execution": _long_execution,
    "memory-over-function-limit": _memory,
    "state-locality": _state_locality,
    "warm-before-tail": _warm_before_tail,
    "compliance-isolation": _compliance_isolation,
    "zone-capacity": _zone_capacity,
}
