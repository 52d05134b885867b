"""What value of which property clears a verdict, and that it does."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.catalog import load as load_catalog
from components.placement import Answer, Enforcement, Facts, FrontDoor, Home, Override, StateRead, settle
from components.spec import Duration, Guardrails, Memory
from policies.fixes import Fix, applied, fixes, of_log_group
from policies.judging import RELATIONS, Judged, alone, together
from policies.reading.bags import ABSENT, UNKNOWN
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CLUSTER
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import LOG_GROUP
from policies.resources import Resource

A, B, C = "us-east-1a", "us-east-1b", "us-east-1c"
DEPLOYMENT, POD = "kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Pod"
ZONE = "topology.kubernetes.io/zone"
SETTINGS = settle(load_catalog(), {})


def carried(**facts: Any) -> dict[str, str]:
    return Facts(**facts).to_annotations()


READS_A = carried(
    workload="rank",
    home=Home.POOL,
    zones=(B,),
    state=(StateRead("features", (A,)),),
    latency_p99=Duration.of(1, "ms"),
    service_time=Duration.of(1, "ms"),
    state_bytes=Memory.of(1, "MiB"),
)


def in_zones(*zones: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": ZONE, "operator": "In", "values": list(zones)}]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"affinity": {"nodeAffinity": required}}


AFFINITY = (
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
    0,
    "matchExpressions",
    0,
    "values",
)


def pods(spec: dict[str, Any] | None = None, **facts: str) -> dict[str, Any]:
    return {"metadata": {"annotations": facts}, "spec": {"template": {"spec": spec or {}}}}


@dataclass(frozen=True)
class Case:
    id: str
    rule: str
    resource_type: str
    props: dict[str, Any]
    sets: dict[tuple[str | int, ...], Any] = field(default_factory=dict)
    safe: bool = True
    clears: bool = True


BOUNDED = {"timeout": 30, "reservedConcurrentExecutions": 10}

CASES = (
    Case(
        "a function without reserved concurrency",
        "runaway-function",
        FUNCTION,
        {"timeout": 30},
        {("reservedConcurrentExecutions",): 20},
    ),
    Case(
        "a function whose timeout is beyond the longest",
        "runaway-function",
        FUNCTION,
        {**BOUNDED, "timeout": 7200},
        {("timeout",): 900},
        safe=False,
    ),
    Case(
        "a timeout of none at all",
        "runaway-function",
        FUNCTION,
        {**BOUNDED, "timeout": 0},
        {("timeout",): 3},
    ),
    Case("a function that is bounded", "runaway-function", FUNCTION, BOUNDED),
    Case(
        "a bound that is not known yet",
        "runaway-function",
        FUNCTION,
        {**BOUNDED, "reservedConcurrentExecutions": UNKNOWN},
    ),
    Case(
        "an alarm that its tags say is missing",
        "runaway-function",
        FUNCTION,
        {**BOUNDED, "tags": Facts(home=Home.FUNCTION, alarm=False).to_tags()},
        clears=False,
    ),
    Case(
        "a timeout shorter than a request",
        "long-execution",
        FUNCTION,
        {
            "timeout": 3,
            "tags": Facts(
                home=Home.FUNCTION,
                service_time=Duration.of(4500, "ms"),
                front_door=FrontDoor.ASYNCHRONOUS,
            ).to_tags(),
        },
        {("timeout",): 5},
        safe=False,
    ),
    Case(
        "a request longer than any function",
        "long-execution",
        FUNCTION,
        {"timeout": 3, "tags": Facts(home=Home.FUNCTION, service_time=Duration.of(1, "h")).to_tags()},
        clears=False,
    ),
    Case(
        "more memory than there is, needed by nobody",
        "memory-over-function-limit",
        FUNCTION,
        {"memorySize": 20_480},
        {("memorySize",): 10_240},
        safe=False,
    ),
    Case(
        "more memory than there is, and needed",
        "memory-over-function-limit",
        FUNCTION,
        {
            "memorySize": 10_240,
            "tags": Facts(home=Home.FUNCTION, memory=Memory.of(12, "GiB")).to_tags(),
        },
        clears=False,
    ),
    Case(
        "pods in another zone than their state",
        "state-locality",
        DEPLOYMENT,
        pods({"nodeSelector": {ZONE: B}}, **READS_A),
        {("spec", "template", "spec", "nodeSelector", ZONE): A},
        safe=False,
    ),
    Case(
        "pods that may be in their state's zone or not",
        "state-locality",
        DEPLOYMENT,
        pods(in_zones(A, B), **READS_A),
        {("spec", "template", "spec", *AFFINITY): [A]},
    ),
    Case(
        "pods whose affinity and selector both name zones",
        "state-locality",
        DEPLOYMENT,
        pods({**in_zones(B, C), "nodeSelector": {ZONE: B}}, **READS_A),
        {
            ("spec", "template", "spec", *AFFINITY): [A],
            ("spec", "template", "spec", "nodeSelector", ZONE): A,
        },
        safe=False,
    ),
    Case(
        "a pod that says nothing of zones",
        "state-locality",
        POD,
        {"metadata": {"annotations": READS_A}, "spec": {}},
        {("spec", "nodeSelector", ZONE): A},
        safe=False,
    ),
    Case(
        "pods that may be in any of the zones of their state",
        "state-locality",
        DEPLOYMENT,
        pods(in_zones(A, B, C), **READS_A | carried(state=(StateRead("kv", (A, B)),))),
        {("spec", "template", "spec", *AFFINITY): [A]},
        safe=False,
    ),
    Case(
        "stores that share no zone",
        "state-locality",
        POD,
        {
            "metadata": {
                "annotations": READS_A | carried(state=(StateRead("x", (A,)), StateRead("y", (C,))))
            },
            "spec": {},
        },
        clears=False,
    ),
    Case(
        "pods that are kept off the nodes that they need",
        "accelerator-needs-metal",
        DEPLOYMENT,
        pods(
            {"containers": [{"resources": {"limits": {"nvidia.com/gpu": "1"}}}]},
            **carried(home=Home.POOL, tolerates=False),
        ),
        {
            ("spec", "template", "spec", "tolerations"): [
                {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
            ]
        },
        clears=False,  # it says of itself that it does not tolerate them
    ),
    Case(
        "nothing warm before a twin",
        "warm-before-tail",
        DEPLOYMENT,
        {
            "metadata": {"annotations": carried(workload="chat", home=Home.POOL, twin=True)},
            "spec": {"replicas": 0, "template": {}},
        },
        {("spec", "replicas"): 1},
    ),
    Case(
        "shared machines under a regime",
        "compliance-isolation",
        LAUNCH_TEMPLATE,
        {
            "tags": Facts(home=Home.POOL, compliance=("pci-dss",), audit_logs=True).to_tags(),
            "blockDeviceMappings": [{"ebs": {"kmsKeyId": "key"}}],
        },
        {("placement", "tenancy"): "dedicated"},
        safe=False,
    ),
    Case(
        "a capacity block in another zone",
        "zone-capacity",
        LAUNCH_TEMPLATE,
        {
            "tags": Facts(home=Home.POOL, capacity_block_zone=A).to_tags(),
            "placement": {"availabilityZone": B},
            "capacityReservationSpecification": {
                "capacityReservationTarget": {"capacityReservationId": "cr-1"}
            },
        },
        {("placement", "availabilityZone"): A},
        safe=False,
    ),
    Case(
        "a rule that only a person can mend",
        "accelerator-needs-metal",
        FUNCTION,
        {"tags": Facts(home=Home.FUNCTION, accelerator_count=1, accelerator_type="L4").to_tags()},
        clears=False,
    ),
)


def judged(case: Case, props: dict[str, Any]) -> Judged:
    resource = Resource(case.resource_type, "embed", "urn:embed", props)
    (found,) = alone([SETTINGS.by_id[case.rule]], resource)
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_fixes(case: Case):
    before = judged(case, case.props)
    made = fixes(SETTINGS.by_id[case.rule], before)

    assert {fix.path: fix.value for fix in made} == case.sets
    assert all(fix.safe is case.safe and fix.why and fix.resource is before.resource for fix in made)
    after = judged(case, applied(case.props, made))
    assert (after.verdict.answer is not Answer.REFUSED) is case.clears


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_disabled_rule_changes_nothing(case: Case):
    disabled = settle(load_catalog(), {case.rule: Override(Enforcement.DISABLED)}).by_id[case.rule]
    assert fixes(disabled, judged(case, case.props)) == ()


def test_a_stacks_own_guardrails_and_thresholds():
    rule = "runaway-function"
    setting = settle(load_catalog(), {rule: Override(thresholds={"longest_timeout": "60s"})}).by_id[rule]
    function = Resource(FUNCTION, "embed", "urn:embed", {"timeout": 120.0})
    (found,) = alone([setting], function)

    made = fixes(setting, found, guardrails=Guardrails(reserved_concurrency=5))
    assert [(fix.path, fix.was, fix.value) for fix in made] == [
        (("reservedConcurrentExecutions",), ABSENT, 5),
        (("timeout",), 120.0, 60),
    ]
    assert fixes(setting, found, guardrails=Guardrails(reserved_concurrency=None))[0].path == ("timeout",)


# -- what another resource must change


def across(rule: str, *resources: Resource) -> tuple[Fix, ...]:
    (found, *_) = together(SETTINGS.by_id[rule], resources)
    return fixes(SETTINGS.by_id[rule], found, resources)


def test_the_log_group_of_a_function():
    function = Resource(FUNCTION, "embed", "urn:embed", {**BOUNDED, "name": "embed"})
    group = Resource(LOG_GROUP, "log", "urn:log", {"name": "/aws/lambda/embed"})
    (fix,) = across("runaway-function", function, group)
    assert (fix.resource, fix.path, fix.value, fix.safe) == (group, ("retentionInDays",), 14, True)


def test_a_function_with_no_log_group_of_its_own():
    assert (
        across("runaway-function", Resource(FUNCTION, "embed", "urn:embed", {**BOUNDED, "name": "x"})) == ()
    )


@pytest.mark.parametrize(
    ("props", "days"),
    [
        pytest.param({}, 14, id="for ever, as nothing is said"),
        pytest.param({"retentionInDays": 0.0}, 14, id="for ever, as AWS writes it"),
        pytest.param({"retentionInDays": 7}, None, id="for a week"),
        pytest.param({"retentionInDays": UNKNOWN}, None, id="not known"),
    ],
)
def test_a_log_group_by_itself(props: dict[str, Any], days: int | None):
    fix = of_log_group(Resource(LOG_GROUP, "log", "urn:log", props))
    assert (fix.value if fix else None) == days
    assert of_log_group(Resource(FUNCTION, "embed", "urn:embed", props)) is None


def test_the_template_and_the_cluster_of_a_node_group():
    facts = Facts(home=Home.POOL, compliance=("soc2-type-2",), own_keys=True)
    template = Resource(LAUNCH_TEMPLATE, "template", "urn:template", {"placement": {"groupName": "g"}})
    cluster = Resource(CLUSTER, "cluster", "urn:cluster", {"enabledClusterLogTypes": ["api"]})
    group = Resource(
        NODE_GROUP,
        "group",
        "urn:group",
        {"tags": facts.to_tags()},
        property_dependencies={"launchTemplate": [template], "clusterName": [cluster]},
    )
    made = across("compliance-isolation", group)
    assert [(fix.resource.name, fix.path, fix.value) for fix in made] == [
        ("template", ("placement", "tenancy"), "dedicated"),
        ("cluster", ("enabledClusterLogTypes",), ["api", "audit"]),
    ]
    assert applied(template.props, made[:1])["placement"] == {"groupName": "g", "tenancy": "dedicated"}


# -- any bag

values = st.recursive(
    st.sampled_from([UNKNOWN, None, -1, 0, 1, 1e300, "", "x", A, ZONE, "In"]) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "template", "nodeSelector", ZONE, *map(str, AFFINITY), "key", "operator"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([DEPLOYMENT, POD, FUNCTION, LAUNCH_TEMPLATE, LOG_GROUP]),
    st.dictionaries(
        st.sampled_from(["timeout", "memorySize", "reservedConcurrentExecutions", "spec", "placement"]),
        values,
    ),
    st.sampled_from([{}, READS_A]),
)
def test_any_bag_has_fixes_that_can_be_applied(kind: str, props: dict[str, Any], facts: dict[str, str]):
    bag = {**props, "metadata": {"annotations": facts}}
    resource = Resource(kind, "x", "urn:x", bag)
    for found in alone(SETTINGS.enforced, resource):
        made = fixes(SETTINGS.by_id[found.rule.id], found, [resource])
        assert (not made) or applied(bag, made) != bag
    for rule in RELATIONS:
        for found in together(SETTINGS.by_id[rule], [resource]):
            fixes(SETTINGS.by_id[rule], found, [resource])


def test_what_to_look_at_before_a_function_is_bounded_is_said():
    setting = settle(load_catalog(), {}).by_id["runaway-function"]
    (judged,) = alone([setting], Resource(FUNCTION, "embed", "urn:embed", {"timeout": 30}))
    (fix,) = fixes(setting, judged, guardrails=Guardrails(reserved_concurrency=7))
    assert fix.value == 7
    kept = load_catalog().limits.function.unreserved_concurrency.value
    for said in ("no more than 7 copies", "throttled", "ConcurrentExecutions", f"less than {kept} of"):
        assert said in fix.why
