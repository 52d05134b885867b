"""What is read of each type of resource, and what each rule then says: with unknowns, floats and secrets."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy import (
    EnforcementLevel,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import (
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
    unknown_checking_proxy,
)

from components.catalog import load as load_catalog
from components.placement import (
    NONE,
    UNBOUNDED,
    UNRESERVED,
    Enforcement,
    Facts,
    FrontDoor,
    Home,
    Override,
    Role,
    StateRead,
    Tenancy,
    settle,
)
from components.spec import Duration, Memory, Share
from policies.pack import ADVICE, UNDECIDED
from policies.pack.bags import plain
from policies.reading.functions import FUNCTION
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.subjects import read
from tests.pack_in_process import pack_of
from tests.twin_example import placed

A, B = "us-east-1a", "us-east-1b"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NO_OPTIONS = PolicyResourceOptions(
    protect=False,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)
PLACED = Facts(
    workload="embed",
    role=Role.WORKLOAD,
    home=Home.FUNCTION,
    memory=Memory.of(1, "GiB"),
    accelerator_count=0,
    utilization=Share.parse("3%"),
    service_time=Duration.of(40, "ms"),
    front_door=FrontDoor.HTTP_API,
    cold_start_tolerance=UNBOUNDED,
    jitter=UNBOUNDED,
    pinned=False,
    twin=False,
    state=(),
    local_cache=False,
    compliance=(),
    ties=(),
    log_retention_days=14,
    alarm=True,
    budget=True,
)
BOUNDED = {"memorySize": 2048.0, "timeout": 30.0, "reservedConcurrentExecutions": 10.0}
READER = replace(
    PLACED,
    home=Home.POOL,
    pool="cpu-a",
    zones=(A,),
    state=(StateRead("features", (A,)),),
    state_bytes=Memory.of(64, "KiB"),
    latency_p99=Duration.of(41, "ms"),
    managed_cluster=True,
    efa=False,
    placement_group=NONE,
    capacity_block_zone=NONE,
)


def _bag(props: dict[str, Any]) -> Any:
    return unknown_checking_proxy(deserialize_properties(props))


def _secret(value: object) -> dict[str, object]:
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


def _reports(
    resource_type: str,
    props: dict[str, Any],
    overrides: dict[str, Override] | None = None,
    config: dict[str, dict[str, Any]] | None = None,
) -> dict[str, str]:
    """What each resource policy reports, by its name."""
    said: dict[str, str] = {}
    for policy in pack_of(overrides or {}).policies:
        runs = policy.enforcement_level is not EnforcementLevel.DISABLED  # the engine's to see to
        if runs and isinstance(policy, ResourceValidationPolicy):
            own = (config or {}).get(policy.name)
            args = ResourceValidationArgs(
                resource_type, _bag(props), "urn:thing", "thing", NO_OPTIONS, None, own
            )
            reports: list[str] = []
            policy.validate(args, lambda message, _urn=None, reports=reports: reports.append(message))
            if reports:
                said[policy.name] = "\n".join(reports)
    return said


def _function(facts: Facts | None = None, **props: Any) -> dict[str, Any]:
    return {**BOUNDED, **({"tags": facts.to_tags()} if facts is not None else {}), **props}


def _deployment(facts: Facts | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "embed", "annotations": facts.to_annotations() if facts is not None else None},
        "spec": {"replicas": 2.0, "template": {"spec": {"containers": [{"name": "embed"}], **spec}}},
    }


def _scaled(facts: Facts, replicas: float) -> dict[str, Any]:
    made = _deployment(facts)
    return {**made, "spec": {**made["spec"], "replicas": replicas}}


def _asking(**resources: Any) -> list[dict[str, Any]]:
    return [{"name": "embed", "resources": resources}]


def _in_zones(*zones: str) -> dict[str, Any]:
    expression = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": list(zones)}
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [expression]}]
            }
        }
    }


@dataclass(frozen=True)
class Case:
    says: str
    resource_type: str
    props: dict[str, Any]
    reported: dict[str, str]
    """Policy → a part of what it says. Policies not named say nothing."""
    overrides: dict[str, Override] | None = None


GPU = replace(PLACED, accelerator_type="L4", accelerator_count=1, accelerator_memory=Memory.of(20, "GiB"))
BIG = replace(PLACED, memory=Memory.of(12, "GiB"))
EAGER = replace(
    PLACED,
    state=(StateRead("features", (A,)),),
    state_bytes=Memory.of(64, "KiB"),
    latency_p99=Duration.of(2, "ms"),
    service_time=Duration.of(1, "ms"),
)
SPREAD = Facts(
    pool="gpu",
    home=Home.POOL,
    zones=(A, B),
    accelerator_count=0,
    jitter=UNBOUNDED,
    twin=False,
    managed_cluster=True,
    state=(),
    compliance=(),
    ties=(),
    efa=False,
    placement_group="cluster",
    capacity_block_zone=NONE,
)

ISOLATED = replace(
    SPREAD,
    home=Home.METAL,
    zones=(A,),
    placement_group=NONE,
    compliance=("pci-dss",),
    tenancy=Tenancy.DEDICATED,
    audit_logs=True,
    own_keys=True,
)
KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVEN = replace(READER, home=Home.METAL, jitter=Duration.of(20, "us"), pinned=True)
WHOLE = {"cpu": "2000m", "memory": "1024Mi"}


def _template(key: str | None = KEY, **placement: Any) -> dict[str, Any]:
    return {
        "tags": ISOLATED.to_tags(),
        "placement": placement,
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "kmsKeyId": key}}],
    }


CASES = [
    # functions
    Case("a function with every bound", FUNCTION, _function(PLACED), {}),
    Case("a function of somebody else's with bounds", FUNCTION, _function(), {}),
    Case(
        "a function of somebody else's without reserved concurrency",
        FUNCTION,
        {"memorySize": 512.0, "timeout": 3.0},
        {"runaway-function": "no reserved concurrency"},
    ),
    Case(
        "a reserved concurrency of -1 is none",
        FUNCTION,
        _function(reservedConcurrentExecutions=-1.0),
        {"runaway-function": "no reserved concurrency"},
    ),
    Case(
        "a function for a workload that needs a GPU",
        FUNCTION,
        _function(GPU),
        {"accelerator-needs-metal": "embed: it needs 1 L4 with 20GiB"},
    ),
    Case(
        "a function for a workload that needs 12 GiB, set to what a function can have",
        FUNCTION,
        _function(BIG, memorySize=10240.0),
        {"memory-over-function-limit": "needs 12,288 MB"},
    ),
    Case(
        "a function of somebody else's set to 12 GiB without Managed Instances",
        FUNCTION,
        _function(memorySize=12288.0),
        {"memory-over-function-limit": "thing: it is given 12,288 MB"},
    ),
    Case(
        "the same on Managed Instances",
        FUNCTION,
        _function(
            memorySize=12288.0, capacityProviderConfig={"lambdaManagedInstancesCapacityProviderConfig": {}}
        ),
        {},
    ),
    Case(
        "a reserved function without Managed Instances has no more than any",
        FUNCTION,
        _function(replace(BIG, home=Home.RESERVED_FUNCTION)),
        {"memory-over-function-limit": "provisioned concurrency"},
    ),
    Case(
        "a function whose latency budget does not bear reads across zones",
        FUNCTION,
        _function(EAGER),
        {"state-locality": "1 x 2ms (assumed)"},
    ),
    Case(
        "a function whose tags say that the stack has no budget",
        FUNCTION,
        _function(replace(PLACED, budget=False)),
        {"runaway-function": "no budget"},
    ),
    Case(
        "a function whose concurrency is not known yet, and is judged by the rest",
        FUNCTION,
        _function(GPU, reservedConcurrentExecutions=UNKNOWN_NUMBER_VALUE),
        {
            "accelerator-needs-metal": "1 L4",
            UNDECIDED: "runaway-function: embed: cannot be decided without reserved concurrency",
        },
    ),
    Case(
        "a function whose memory is not known yet",
        FUNCTION,
        _function(memorySize=UNKNOWN_NUMBER_VALUE),
        {UNDECIDED: "memory-over-function-limit: thing: cannot be decided without memory"},
    ),
    Case(
        "one tag not known yet beside tags that are",
        FUNCTION,
        _function(tags={**GPU.to_tags(), "halfmetal:memory": UNKNOWN_STRING_VALUE}),
        {"accelerator-needs-metal": "1 L4"},
    ),
    Case(
        "tags not known yet",
        FUNCTION,
        _function(tags=UNKNOWN_OBJECT_VALUE),
        {UNDECIDED: "accelerator-needs-metal: thing: cannot be decided without accelerator count"},
    ),
    Case(
        "secrets are read like anything else",
        FUNCTION,
        _function(memorySize=_secret(12288.0), tags=_secret(GPU.to_tags())),
        {"accelerator-needs-metal": "1 L4", "memory-over-function-limit": "is given 12,288 MB"},
    ),
    Case(
        "a tag that somebody spoiled",
        FUNCTION,
        _function(tags={**PLACED.to_tags(), "halfmetal:state": "@@"}),
        {UNDECIDED: "state-locality: embed: cannot be decided without state"},
    ),
    Case(
        "default tags of the provider count",
        FUNCTION,
        {**BOUNDED, "tagsAll": GPU.to_tags()},
        {"accelerator-needs-metal": "1 L4"},
    ),
    Case(
        "a stack that sets a lower limit",
        FUNCTION,
        _function(),
        {"memory-over-function-limit": "1,024 MB (as configured)"},
        overrides={"memory-over-function-limit": Override(thresholds={"on_demand": "1GiB"})},
    ),
    Case(
        "a function that is busy most of the day",
        FUNCTION,
        _function(replace(PLACED, utilization=Share.parse("75%"))),
        {"sustained-utilization": "busy 75% of the day"},
    ),
    Case(
        "a function that is busy part of the day is advised against",
        FUNCTION,
        _function(replace(PLACED, utilization=Share.parse("35%"))),
        {ADVICE: "sustained-utilization: embed: it is busy 35% of the day"},
    ),
    Case(
        "the same where a break-even was computed",
        FUNCTION,
        _function(replace(PLACED, utilization=Share.parse("35%"), break_even=Share.parse("39%"))),
        {},
    ),
    Case(
        "a function whose requests an HTTP API cuts off",
        FUNCTION,
        _function(replace(PLACED, service_time=Duration.of(45, "s"))),
        {"long-execution": "over the 30s of an HTTP API"},
    ),
    Case(
        "a function whose callers bear no cold start",
        FUNCTION,
        _function(replace(PLACED, cold_start_tolerance=Duration.of(500, "ms"))),
        {"cold-start-budget": "500ms"},
    ),
    Case(
        "a function with a cache, under a regime, of even answer times",
        FUNCTION,
        _function(replace(PLACED, local_cache=True, compliance=("pci-dss",), jitter=Duration.of(20, "us"))),
        {"local-state": "cache", "compliance-isolation": "PCI DSS", "jitter-budget": "20us"},
    ),
    Case(
        "a function that a workload is tied to an event bus by",
        FUNCTION,
        _function(replace(PLACED, ties=("eventbridge",))),
        {"vendor-lock-in": "Amazon EventBridge"},
    ),
    Case(
        "a control function says nothing of traffic",
        FUNCTION,
        _function(replace(PLACED, role=Role.CONTROL, utilization=None, service_time=None)),
        {},
    ),
    Case(
        "the twin of a workload that keeps replicas warm",
        FUNCTION,
        _function(replace(PLACED, home=Home.POOL, warm_replicas=2)),
        {},
    ),
    Case(
        "the twin of a workload whose replicas are busy all day",
        FUNCTION,
        _function(replace(PLACED, home=Home.POOL, warm_replicas=2, utilization=Share.parse("95%"))),
        {},
    ),
    Case(
        "the twin of a workload that keeps none warm",
        FUNCTION,
        _function(replace(PLACED, home=Home.POOL, warm_replicas=0)),
        {"warm-before-tail": "its function twin is its only home"},
    ),
    # pods
    Case(
        "a deployment with a twin, scaled to nothing",
        DEPLOYMENT,
        _scaled(replace(READER, twin=True, warm_replicas=2), 0.0),
        {"warm-before-tail": "keeps 0 warm replicas"},
    ),
    Case(
        "a deployment with a twin and a replica",
        DEPLOYMENT,
        _scaled(replace(READER, twin=True, warm_replicas=2), 1.0),
        {},
    ),
    Case(
        "whole cores on metal that pins them",
        DEPLOYMENT,
        _deployment(EVEN, containers=_asking(requests=WHOLE, limits=WHOLE)),
        {},
    ),
    Case(
        "whole cores without a limit are shared after all",
        DEPLOYMENT,
        _deployment(EVEN, containers=_asking(requests=WHOLE, limits={"memory": "1024Mi"})),
        {"jitter-budget": "share cores"},
    ),
    Case(
        "a part of a core is shared after all",
        DEPLOYMENT,
        _deployment(EVEN, containers=_asking(limits={"cpu": "1500m", "memory": "1Gi"})),
        {"jitter-budget": "share cores"},
    ),
    Case(
        "limits alone are requests too",
        DEPLOYMENT,
        _deployment(EVEN, containers=_asking(limits={"cpu": 2.0, "memory": "1Gi"})),
        {},
    ),
    Case(
        "containers that are not known yet, on metal that pins cores",
        DEPLOYMENT,
        _deployment(EVEN, containers=UNKNOWN_ARRAY_VALUE),
        {UNDECIDED: "jitter-budget: embed: cannot be decided without pinned"},
    ),
    Case(
        "a deployment on a cluster that nobody runs",
        DEPLOYMENT,
        _deployment(replace(READER, managed_cluster=False, operations_team=False)),
        {"unattended-cluster": "nobody runs its cluster"},
    ),
    Case("a deployment in the zone of its state", DEPLOYMENT, _deployment(READER), {}),
    Case("a deployment of somebody else's", DEPLOYMENT, _deployment(), {}),
    Case(
        "a deployment that only mentions halfmetal",
        DEPLOYMENT,
        {**_deployment(), "metadata": {"annotations": {"halfmetal.dev/config": "1a2b"}}},
        {},
    ),
    Case(
        "a deployment held by affinity to another zone than its state",
        DEPLOYMENT,
        _deployment(READER, affinity=_in_zones(B)),
        {"state-locality": "it sits in us-east-1b and features is in us-east-1a"},
    ),
    Case(
        "a deployment held by its selector to another zone than its state",
        DEPLOYMENT,
        _deployment(READER, nodeSelector={"topology.kubernetes.io/zone": B}),
        {"state-locality": "us-east-1b"},
    ),
    Case(
        "a deployment in another zone than its state, with time to cross",
        DEPLOYMENT,
        _deployment(replace(READER, latency_p99=Duration.of(60, "s")), affinity=_in_zones(B)),
        {},
    ),
    Case(
        "a deployment allowed in a second zone",
        DEPLOYMENT,
        _deployment(READER, affinity=_in_zones(A, B)),
        {"state-locality": "us-east-1a, us-east-1b"},
    ),
    Case(
        "a deployment whose zone is not known yet",
        DEPLOYMENT,
        _deployment(READER, nodeSelector={"topology.kubernetes.io/zone": UNKNOWN_STRING_VALUE}),
        {UNDECIDED: "state-locality: embed: cannot be decided without zones"},
    ),
    Case(
        "a deployment that asks for GPUs",
        DEPLOYMENT,
        _deployment(containers=_asking(requests={"nvidia.com/gpu": "1"}, limits={"nvidia.com/gpu": "1"})),
        {},
    ),
    Case(
        "pods with EFA in two zones",
        DEPLOYMENT,
        _deployment(affinity=_in_zones(A, B), containers=_asking(limits={"vpc.amazonaws.com/efa": 4.0})),
        {"zone-capacity": "EFA means one zone"},
    ),
    Case(
        "containers that are not known yet",
        DEPLOYMENT,
        _deployment(READER, containers=UNKNOWN_ARRAY_VALUE),
        {},
    ),
    # nodes
    Case("isolated nodes with a key of one's own", LAUNCH_TEMPLATE, _template(tenancy="dedicated"), {}),
    Case(
        "isolated nodes whose template forgot the tenancy",
        LAUNCH_TEMPLATE,
        _template(),
        {"compliance-isolation": "machines shared with other accounts"},
    ),
    Case(
        "isolated nodes whose template forgot the key",
        LAUNCH_TEMPLATE,
        _template(key=None, tenancy="dedicated"),
        {"compliance-isolation": "disks that are not encrypted with a key of its own"},
    ),
    Case(
        "isolated nodes with a key that is not known yet",
        LAUNCH_TEMPLATE,
        _template(key=UNKNOWN_STRING_VALUE, tenancy="dedicated"),
        {UNDECIDED: "compliance-isolation: gpu: cannot be decided without own keys"},
    ),
    Case(
        "a capacity block's tenancy is for the node group to tell",
        LAUNCH_TEMPLATE,
        {
            **_template(),
            "tags": replace(ISOLATED, tenancy=None).to_tags(),
            "instanceMarketOptions": {"marketType": "capacity-block"},
        },
        {},
    ),
    Case(
        "bare metal is one's own without a tenancy",
        LAUNCH_TEMPLATE,
        {**_template(), "tags": replace(ISOLATED, tenancy=Tenancy.BARE_METAL).to_tags()},
        {},
    ),
    Case(
        "a node group of a placement group over two zones",
        NODE_GROUP,
        {"tags": SPREAD.to_tags(), "subnetIds": [UNKNOWN_STRING_VALUE, UNKNOWN_STRING_VALUE]},
        {"zone-capacity": "gpu: a cluster placement group means one zone"},
    ),
    Case(
        "a node group of somebody else's, subnets not known yet",
        NODE_GROUP,
        {"subnetIds": UNKNOWN_ARRAY_VALUE},
        {},
    ),
    Case(
        "a launch template with EFA whose tags say two zones",
        LAUNCH_TEMPLATE,
        {
            "tags": replace(SPREAD, placement_group=NONE, efa=False).to_tags(),
            "networkInterfaces": [{"interfaceType": "efa", "deviceIndex": 0.0}],
        },
        {"zone-capacity": "EFA means one zone"},
    ),
    Case(
        "a launch template of somebody else's with EFA and its zone",
        LAUNCH_TEMPLATE,
        {"networkInterfaces": [{"interfaceType": "efa"}], "placement": {"availabilityZone": A}},
        {},
    ),
    Case(
        "a launch template whose capacity block is in another zone",
        LAUNCH_TEMPLATE,
        {
            "tags": replace(SPREAD, placement_group=NONE, zones=(A,), capacity_block_zone=B).to_tags(),
            "capacityReservationSpecification": {
                "capacityReservationTarget": {"capacityReservationId": "cr-0123456789abcdef0"}
            },
        },
        {"zone-capacity": "its capacity block is in us-east-1b"},
    ),
    Case("a resource that no rule reads", "aws:s3/bucket:Bucket", {"bucket": UNKNOWN_STRING_VALUE}, {}),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_the_resource_policies_report(case: Case):
    said = _reports(case.resource_type, case.props, case.overrides)
    assert set(said) == set(case.reported), said
    for policy, part in case.reported.items():
        assert part in said[policy]


def test_a_rule_that_the_stack_disabled_says_nothing():
    disabled = {"accelerator-needs-metal": Override(Enforcement.DISABLED)}
    assert _reports(FUNCTION, _function(GPU), disabled) == {}


def test_a_refusal_says_what_to_do():
    (said,) = _reports(FUNCTION, _function(GPU)).values()
    assert re.search(r"To do: place it on nodes that have the accelerator .*`placement\.home: pool`", said)


def test_pack_configuration_goes_over_the_stacks_own():
    said = _reports(
        FUNCTION,
        _function(),
        {"memory-over-function-limit": Override(thresholds={"on_demand": "1GiB"})},
        {"memory-over-function-limit": {"on_demand": "4GiB"}},
    )
    assert said == {}


@pytest.mark.parametrize(
    ("props", "facts"),
    [
        pytest.param(
            {}, {"function_memory": "128MiB", "timeout": "3s"}, id="what AWS takes when nothing is said"
        ),
        pytest.param({"memorySize": -5.0}, {"function_memory": None}, id="a size that cannot be"),
        pytest.param({"memorySize": 1e300}, {"function_memory": None}, id="a size beyond all others"),
        pytest.param({"timeout": "soon"}, {"timeout": None}, id="a timeout that is no number"),
    ],
)
def test_what_a_function_states_is_read(props: dict[str, Any], facts: dict[str, str | None]):
    subject = read(FUNCTION, plain(_bag(props)))
    assert subject is not None
    for name, spelled in facts.items():
        value = getattr(subject.facts, name)
        assert (str(value) if value is not None else None) == spelled
        assert (name in subject.unread) == (spelled is None)


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        pytest.param({}, 0, id="none"),
        pytest.param({"containers": _asking(limits={"nvidia.com/gpu": 2.0})}, 2, id="limits only"),
        pytest.param(
            {"containers": _asking(requests={"nvidia.com/gpu": "2"})}, 2, id="requests only, as text"
        ),
        pytest.param(
            {"containers": [*_asking(limits={"nvidia.com/gpu": 1}), *_asking(limits={"nvidia.com/gpu": 1})]},
            2,
            id="two containers",
        ),
        pytest.param({"containers": _asking(limits={"nvidia.com/mig-1g.5gb": 1})}, 1, id="a slice of one"),
        pytest.param({"containers": _asking(limits={"cpu": "1", "memory": "1Gi"})}, 0, id="other resources"),
        pytest.param(
            {"containers": _asking(limits={"nvidia.com/gpu": UNKNOWN_NUMBER_VALUE})}, None, id="not known yet"
        ),
    ],
)
def test_accelerators_of_pods_are_counted(spec: dict[str, Any], count: int | None):
    subject = read(DEPLOYMENT, plain(_bag(_deployment(**spec))))
    assert subject is not None
    assert subject.facts.accelerator_count == count


@pytest.mark.parametrize(
    ("tag", "fact"),
    [("cold-start-tolerance", "cold_start_tolerance"), ("utilization", "utilization"), ("memory", "memory")],
)
def test_a_tag_that_cannot_be_read_is_stated_and_not_known(tag: str, fact: str):
    subject = read(FUNCTION, {"tags": {f"halfmetal:{tag}": "a lot"}})
    assert subject is not None
    assert fact in subject.unread


def test_a_function_is_a_function_whatever_its_tags_say():
    subject = read(FUNCTION, plain(_bag({"tags": replace(PLACED, home=Home.POOL).to_tags()})))
    assert subject is not None
    assert subject.facts.home is Home.FUNCTION
    assert subject.facts.reserved_concurrency == UNRESERVED


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="nothing against it"),
        pytest.param({"traffic.utilization": "95%"}, id="busy replicas before it"),
        pytest.param({"needs.accelerator": {"type": "L4"}, "placement.pool": "gpu-a"}, id="a GPU"),
        pytest.param({"latency.cold_start_tolerance": "100ms"}, id="no patience for a cold start"),
        pytest.param({"latency.cold_start_tolerance": "2s"}, id="a package of unknown size"),
        pytest.param({"state.local_cache": True}, id="a cache of its own"),
        pytest.param({"compliance": ["pci-dss"]}, id="a regime that asks for isolation"),
        pytest.param({"serve.function.timeout": "20m"}, id="a timeout beyond all limits"),
    ],
)
def test_a_twin_is_judged_by_its_tags_as_by_the_stack_file(changes: dict[str, Any]):
    twin = placed(changes).by_name["embed"].twin
    assert twin is not None
    assert twin.function_memory is not None
    assert twin.timeout is not None
    made = {
        "memorySize": float(twin.function_memory.mib),
        "timeout": twin.timeout.seconds,
        "reservedConcurrentExecutions": float(twin.reserved_concurrency or UNRESERVED),
        "tags": twin.to_tags(),
    }
    subject = read(FUNCTION, plain(_bag(made)))
    assert subject is not None
    settings = settle(load_catalog(), {})
    judged = {setting.rule.id: verdict for setting, verdict in settings.judge(subject.facts)}
    assert judged == {setting.rule.id: verdict for setting, verdict in settings.judge(twin)}


unknowns = st.sampled_from(
    [UNKNOWN_STRING_VALUE, UNKNOWN_NUMBER_VALUE, UNKNOWN_ARRAY_VALUE, UNKNOWN_OBJECT_VALUE]
)
leaves = unknowns | st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "containers",
                    "resources",
                    "limits",
                    "requests",
                    "cpu",
                    "memory",
                    "tenancy",
                    "ebs",
                    "kmsKeyId",
                    "nvidia.com/gpu",
                    "key",
                    "values",
                    "halfmetal:state",
                    "name",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
PROPERTIES = (
    "tags", "memorySize", "timeout", "reservedConcurrentExecutions", "capacityProviderConfig", "placement",
    "networkInterfaces", "capacityReservationSpecification", "metadata", "spec", "subnetIds",
    "blockDeviceMappings",
)  # fmt: skip


@given(
    st.sampled_from([FUNCTION, NODE_GROUP, LAUNCH_TEMPLATE, DEPLOYMENT, "kubernetes:core/v1:Pod"]),
    st.dictionaries(st.sampled_from(PROPERTIES), values),
    st.text(alphabet="secret", min_size=12, max_size=12),
)
def test_no_bag_of_properties_breaks_a_policy_or_leaks_a_secret(
    resource_type: str, props: dict[str, Any], secret: str
):
    said = _reports(resource_type, {**props, "environment": {"variables": {"KEY": _secret(secret)}}})
    assert secret not in "".join(said.values())
