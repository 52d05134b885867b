"""Facts as the resources that carry them, in Pulumi's words: functions, pods and nodes, with what is by them.

What a resource states by itself (its memory, its replicas, the zones of its subnets) is stated so; all else
is carried in tags or annotations. What a case does not know of a resource that cannot but state it is HIDDEN:
a secret, an output that is not known yet, a parameter without a value, in whatever way the source has for it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from carrying import EFA_RESOURCE, POD_SECURITY, POOL_LABEL, TOLERATION
from rule_case import Case

from components.placement import NONE, UNRESERVED, Facts, FrontDoor, Home, Platform, Role, Tenancy
from components.placement.taints import GPU_RESOURCE, GPU_TAINT
from policies.judging import RELATIONS
from policies.reading.callers import PROVISIONED
from policies.reading.cloud_run import SERVICE as CLOUD_RUN
from policies.reading.endpoints import ENDPOINT
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CAPACITY, CLUSTER, PLACEMENT_GROUP, SUBNET
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP

DEPLOYMENT: Final = "kubernetes:apps/v1:Deployment"
NAMESPACE: Final = "kubernetes:core/v1:Namespace"


@dataclass(frozen=True)
class Hidden:
    """A value that is there, and that nobody who reads the source may know."""

    value: str | int


HIDDEN: Final = Hidden("hidden")
"""One of which only that counts."""


@dataclass(frozen=True)
class Id:
    """The id that the cloud gives another resource, by its name."""

    of: str


@dataclass(frozen=True)
class Made:
    """A resource."""

    type: str
    name: str
    props: Mapping[str, Any]


@dataclass(frozen=True)
class Carrier:
    """One kind of resource that a case may be about."""

    id: str
    carries: Callable[[Case], bool]
    make: Callable[[Facts, str], Iterator[Made]]
    """The first is the subject."""
    read_as: Callable[[Facts], Facts]
    """What is stated whatever the facts are, because there is no such resource without it."""
    around: tuple[Made, ...] = ()
    """What all of them share."""


def _is_on_function(case: Case) -> bool:
    return case.facts.home is not None and case.facts.home.is_function


def _is_of_platform(platform: Platform) -> Callable[[Case], bool]:
    return lambda case: case.facts.platform is platform


def _is_on_lambda(case: Case) -> bool:
    return _is_on_function(case) and case.facts.platform is None


def _is_of_nodes(case: Case) -> bool:
    """Whether it is about nodes themselves, or about what nodes show as well as pods."""
    shown = any(NODE_GROUP in relation.types for relation in RELATIONS.get(case.rule, ()))
    of_pods = case.facts.isolated_namespace is not None
    return case.facts.role is Role.NODES or (shown and not _is_on_function(case) and not of_pods)


def _is_of_pods(case: Case) -> bool:
    return not _is_on_function(case) and case.facts.role is not Role.NODES


# -- functions

_TOPIC: Final = "arn:aws:sns:us-east-1:000000000000:alarms"


def _function(facts: Facts, name: str) -> Iterator[Made]:
    stated = ("function_memory", "timeout", "reserved_concurrency", "managed_instances")
    related = ("log_retention_days", "alarm", "budget")
    props: dict[str, Any] = {
        "name": name,
        "tags": _without(facts, *stated, *related).to_tags(),
        "memorySize": HIDDEN if facts.function_memory is None else facts.function_memory.mib,
        "timeout": HIDDEN if facts.timeout is None else int(facts.timeout.seconds),
        "reservedConcurrentExecutions": (
            HIDDEN if facts.reserved_concurrency is None else facts.reserved_concurrency
        ),
        "capacityProviderConfig": _capacity_provider(facts),
    }
    if facts.reserved_concurrency == UNRESERVED:
        del props["reservedConcurrentExecutions"]
    yield Made(FUNCTION, name, {key: value for key, value in props.items() if value is not None})
    if facts.log_retention_days is not None:
        kept = {"retentionInDays": facts.log_retention_days} if facts.log_retention_days else {}
        yield Made(LOG_GROUP, f"{name}-logs", {"name": f"/aws/lambda/{name}", **kept})
    if facts.alarm:
        watched = {"name": f"{name}-errors", "dimensions": {"FunctionName": name}}
        told = {"namespace": "AWS/Lambda", "metricName": "Errors", "alarmActions": [_TOPIC]}
        yield Made(ALARM, f"{name}-errors", {**watched, **told})


def _capacity_provider(facts: Facts) -> object:
    if facts.managed_instances is None:
        return HIDDEN if facts.home is Home.RESERVED_FUNCTION else None
    if not facts.managed_instances:
        return None
    arn = "arn:aws:lambda:us-east-1:000000000000:capacity-provider:gpu"
    return {"lambdaManagedInstancesCapacityProviderConfig": {"capacityProviderArn": arn}}


def _function_read_as(facts: Facts) -> Facts:
    """Whether its stack has a budget is plain to see, and so is that nothing watches it."""
    return replace(facts, budget=bool(facts.budget), alarm=bool(facts.alarm))


# -- functions of which what calls them tells


def _is_told_by_callers(case: Case) -> bool:
    facts = case.facts
    if case.rule == "vendor-lock-in":
        return set(facts.ties or ()) <= _CALLERS_BY_TIE.keys() and facts.ties is not None
    shown = any(FUNCTION in relation.types for relation in RELATIONS.get(case.rule, ()))
    is_provisioned = facts.home is Home.RESERVED_FUNCTION and facts.managed_instances is False
    return shown and _is_on_lambda(case) and (facts.front_door is not None or is_provisioned)


def _called_function(facts: Facts, name: str) -> Iterator[Made]:
    """A function that says nothing of who calls it, nor of copies that are kept warm."""
    is_provisioned = facts.home is Home.RESERVED_FUNCTION and facts.managed_instances is False
    own = replace(
        facts,
        home=None if is_provisioned else facts.home or Home.FUNCTION,
        front_door=None,
        ties=None if facts.ties else facts.ties,
    )
    yield from _function(own, name)
    if is_provisioned:
        yield Made(PROVISIONED, f"{name}-warm", {"functionName": name, "provisionedConcurrentExecutions": 2})
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    if facts.front_door is not None:
        caller, named, more = _CALLERS_BY_DOOR[facts.front_door]
        yield Made(caller, f"{name}-caller", {named: arn, **more})
    for tie in facts.ties or ():
        caller, named, more = _CALLERS_BY_TIE[tie]
        yield Made(caller, f"{name}-{tie}", {named: arn, **more})


_REST: Final = "aws:apigateway/integration:Integration"
_MAPPING: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
_QUEUE: Final = "arn:aws:sqs:us-east-1:000000000000:jobs"
_CALLERS_BY_DOOR: Final[Mapping[FrontDoor, tuple[str, str, Mapping[str, Any]]]] = {
    FrontDoor.HTTP_API: (
        "aws:apigatewayv2/integration:Integration",
        "integrationUri",
        {"payloadFormatVersion": "2.0"},
    ),
    FrontDoor.REST_API: (_REST, "uri", {}),
    FrontDoor.REST_API_STREAMED: (_REST, "uri", {"responseTransferMode": "STREAM"}),
    FrontDoor.ASYNCHRONOUS: (_MAPPING, "functionName", {"eventSourceArn": _QUEUE}),
}
"""What calls a function by each way in, where that names the function, and what else it says."""

_CALLERS_BY_TIE: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = {
    "eventbridge": ("aws:cloudwatch/eventTarget:EventTarget", "arn", {"rule": "nightly"}),
    "step-functions": ("aws:sfn/stateMachine:StateMachine", "definition", {}),
    "sqs": (_MAPPING, "functionName", {"eventSourceArn": _QUEUE}),
}


def _called_read_as(facts: Facts) -> Facts:
    return replace(_function_read_as(facts), home=facts.home or Home.FUNCTION)


# -- functions of other platforms


def _cloud_run(facts: Facts, name: str) -> Iterator[Made]:
    stated = ("function_memory", "timeout", "accelerator_count", "home", "platform")
    limits: dict[str, Any] = {
        "memory": HIDDEN if facts.function_memory is None else f"{facts.function_memory.mib}Mi"
    }
    if facts.accelerator_count != 0:
        limits["nvidia.com/gpu"] = HIDDEN if facts.accelerator_count is None else facts.accelerator_count
    kept = 1 if facts.home is Home.RESERVED_FUNCTION else 0
    template = {
        "timeout": HIDDEN if facts.timeout is None else f"{int(facts.timeout.seconds)}s",
        "containers": [{"image": "example/model:1", "resources": {"limits": limits}}],
        "scaling": {"minInstanceCount": kept},
    }
    # That it was placed: what it states of its home goes over it.
    carried = {**_without(facts, *stated).to_annotations(), **Facts(home=Home.FUNCTION).to_annotations()}
    yield Made(CLOUD_RUN, name, {"name": name, "annotations": carried, "template": template})


def _sagemaker(facts: Facts, name: str) -> Iterator[Made]:
    stated = ("function_memory", "timeout", "home", "platform")
    memory = HIDDEN if facts.function_memory is None else facts.function_memory.mib
    variant = {"variantName": "all", "serverlessConfig": {"memorySizeInMb": memory, "maxConcurrency": 5}}
    carried = {**_without(facts, *stated).to_tags(), **Facts(home=Home.FUNCTION).to_tags()}
    yield Made(ENDPOINT, name, {"name": name, "tags": carried, "productionVariants": [variant]})


# -- pods


def _deployment(facts: Facts, name: str) -> Iterator[Made]:
    """Pods beside the nodes that they are held to."""
    yield _pods(_without(facts, *_OF_NODES), name, _held(facts))


def _deployment_alone(facts: Facts, name: str) -> Iterator[Made]:
    """Pods of whose nodes the source tells nothing but what they carry."""
    yield _pods(facts, name, _held(facts))


_OF_NODES: Final = ("has_accelerators", "tolerates")


def _held(facts: Facts) -> dict[str, Any]:
    if facts.has_accelerators is None:
        return {}
    return {
        "nodeSelector": {POOL_LABEL: "gpu" if facts.has_accelerators else "plain"},
        "tolerations": [TOLERATION] if facts.tolerates else [],
    }


def _pods(facts: Facts, name: str, held: Mapping[str, Any]) -> Made:
    """Pods that whoever made them placed somewhere: on a shared pool, where their case does not say."""
    placed = replace(facts, home=facts.home or Home.POOL)
    stated = ("accelerator_count", "efa", "warm_replicas", "isolated_namespace")
    carried: dict[str, Any] = dict(_without(placed, *stated).to_annotations())
    for fact in ("placement_group", "capacity_block_zone"):
        if getattr(facts, fact) is None:
            carried[f"halfmetal.dev/{fact.replace('_', '-')}"] = HIDDEN
    return Made(
        DEPLOYMENT,
        name,
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": _namespace(facts), "annotations": carried},
            "spec": {
                "replicas": HIDDEN if facts.warm_replicas is None else facts.warm_replicas,
                "template": {"spec": {**_pod_spec(facts), **held}},
            },
        },
    )


def _pod_spec(facts: Facts) -> dict[str, Any]:
    limits: dict[str, Any] = {"memory": "1Gi"}
    if facts.pinned is not False:
        limits["cpu"] = "1"
    if facts.accelerator_count is None and facts.accelerator_type is None:
        limits[GPU_RESOURCE] = HIDDEN
    elif facts.accelerator_count:
        limits[GPU_RESOURCE] = facts.accelerator_count
    if facts.efa is not False:
        limits[EFA_RESOURCE] = 1 if facts.efa else HIDDEN
    return {"containers": [{"name": "model", "resources": {"limits": limits}}]}


def _namespace(facts: Facts) -> str:
    """One that enforces a Pod Security level, one that does not, or one that nothing tells of."""
    return {None: "elsewhere", True: "isolated", False: "bare"}[facts.isolated_namespace]


def _namespace_made(name: str, labels: Mapping[str, str]) -> Made:
    metadata = {"name": name, "labels": dict(labels)}
    return Made(NAMESPACE, name, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def _pool_made(name: str, accelerators: int) -> Made:
    effect = {"NoSchedule": "NO_SCHEDULE"}[GPU_TAINT.effect]
    taint = {"key": GPU_TAINT.key, "value": GPU_TAINT.value, "effect": effect}
    return Made(
        NODE_GROUP,
        f"pool-{name}",
        {
            "nodeGroupName": f"pool-{name}",
            "tags": Facts(accelerator_count=accelerators).to_tags(),
            "labels": {POOL_LABEL: name},
            "taints": [taint] if accelerators else [],
        },
    )


_NAMESPACES: Final = (_namespace_made("isolated", {POD_SECURITY: "baseline"}), _namespace_made("bare", {}))
_POOLS: Final = (_pool_made("gpu", 1), _pool_made("plain", 0))


def _pods_read_as(facts: Facts) -> Facts:
    """Pods are on nodes; that a part of one stands in no source, a property bag tells."""
    return replace(facts, home=facts.home or Home.POOL)


def _manifest_read_as(facts: Facts) -> Facts:
    """A manifest has no way to hide a value: what it does not state is known to be absent."""
    counted = facts.accelerator_count
    if counted is None and facts.accelerator_type is None:
        counted = 0
    return replace(
        _pods_read_as(facts),
        accelerator_count=counted,
        efa=bool(facts.efa),
        warm_replicas=1 if facts.warm_replicas is None else facts.warm_replicas,
        placement_group=facts.placement_group or NONE,
        capacity_block_zone=facts.capacity_block_zone or NONE,
    )


# -- nodes


def _nodes(facts: Facts, name: str) -> Iterator[Made]:
    stated = ("zones", "efa", "placement_group", "capacity_block_zone", "own_keys", "audit_logs")
    carried = _without(facts, *stated, "tenancy")
    bare_metal = Facts(tenancy=Tenancy.BARE_METAL if facts.tenancy is Tenancy.BARE_METAL else None)
    zones = ["nowhere"] if facts.zones is None else facts.zones
    yield Made(
        NODE_GROUP,
        name,
        {
            "nodeGroupName": name,
            "clusterName": {None: "elsewhere", True: "audited", False: "unaudited"}[facts.audit_logs],
            "tags": {**carried.to_tags(), **bare_metal.to_tags()},
            "subnetIds": [HIDDEN if zone == "nowhere" else Id(f"subnet-{zone}") for zone in zones],
            "launchTemplate": {"id": Id(f"{name}-machines"), "version": "$Latest"},
        },
    )
    yield Made(LAUNCH_TEMPLATE, f"{name}-machines", _template(facts, bare_metal))


def _template(facts: Facts, bare_metal: Facts) -> dict[str, Any]:
    placement: dict[str, Any] = {}
    if facts.placement_group != NONE:
        placement["groupName"] = facts.placement_group or HIDDEN
    if facts.tenancy is None or facts.tenancy is Tenancy.DEDICATED:
        placement["tenancy"] = HIDDEN if facts.tenancy is None else "dedicated"
    target = {} if facts.capacity_block_zone == NONE else {"capacityReservationTarget": _target(facts)}
    props: dict[str, Any] = {
        "tags": bare_metal.to_tags(),
        "networkInterfaces": [{"interfaceType": {None: HIDDEN, True: "efa", False: "interface"}[facts.efa]}],
        "placement": placement,
        "capacityReservationSpecification": target,
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": _disk(facts)}],
    }
    return {name: value for name, value in props.items() if value}


def _target(facts: Facts) -> dict[str, Any]:
    zone = facts.capacity_block_zone
    return {"capacityReservationId": HIDDEN if zone is None else Id(f"block-{zone}")}


def _disk(facts: Facts) -> dict[str, Any]:
    if facts.own_keys is False:
        return {"volumeSize": 100}
    return {"volumeSize": 100, "kmsKeyId": "arn:aws:kms:us-east-1:0:key/own" if facts.own_keys else HIDDEN}


_ZONES: Final = ("us-east-1a", "us-east-1b")
_AROUND_NODES: Final = (
    *(Made(SUBNET, f"subnet-{zone}", {"availabilityZone": zone}) for zone in _ZONES),
    *(Made(CAPACITY[1], f"block-{zone}", {"availabilityZone": zone}) for zone in _ZONES),
    *(Made(PLACEMENT_GROUP, way, {"name": way, "strategy": way}) for way in ("cluster", "spread")),
    Made(CLUSTER, "audited", {"name": "audited", "enabledClusterLogTypes": ["api", "audit"]}),
    Made(CLUSTER, "unaudited", {"name": "unaudited", "enabledClusterLogTypes": ["api"]}),
)


def _nodes_read_as(facts: Facts) -> Facts:
    """They are nodes, and a provider runs their cluster."""
    return replace(facts, role=Role.NODES, home=facts.home or Home.POOL, managed_cluster=True)


# -- all of them


def _without(facts: Facts, *names: str) -> Facts:
    return replace(facts, **dict.fromkeys(names))


BUDGETED: Final = Made(
    BUDGET,
    "monthly",
    {
        "name": "monthly",
        "limitAmount": "500",
        "notifications": [{"subscriberEmailAddresses": ["ops@example.com"]}],
    },
)
"""What makes every function beside it one of a stack with a budget."""

FUNCTIONS: Final = Carrier("functions", _is_on_lambda, _function, _function_read_as)
PODS: Final = Carrier("pods", _is_of_pods, _deployment, _pods_read_as, (*_NAMESPACES, *_POOLS))
MANIFESTS: Final = Carrier(
    "pods in manifests", _is_of_pods, _deployment_alone, _manifest_read_as, _NAMESPACES
)
CALLED: Final = Carrier(
    "functions and what calls them", _is_told_by_callers, _called_function, _called_read_as
)
ON_CLOUD_RUN: Final = Carrier(
    "services of Cloud Run", _is_of_platform(Platform.CLOUD_RUN), _cloud_run, lambda facts: facts
)
ON_SAGEMAKER: Final = Carrier(
    "endpoints of SageMaker", _is_of_platform(Platform.SAGEMAKER_SERVERLESS), _sagemaker, lambda facts: facts
)
NODES: Final = Carrier("nodes", _is_of_nodes, _nodes, _nodes_read_as, _AROUND_NODES)
CARRIERS: Final = {
    each.id: each for each in (FUNCTIONS, CALLED, ON_CLOUD_RUN, ON_SAGEMAKER, PODS, MANIFESTS, NODES)
}


def subject_name(carrier: Carrier, asked: str) -> str:
    """The name of a subject. What carries one case stands side by side, and one waiver covers all of it."""
    return asked.replace("-", f"-{_APART[carrier.id]}", 1) if carrier.id in _APART else asked


_APART: Final = {NODES.id: "nodes-", CALLED.id: "called-"}
