"""What only a whole stack shows: log groups, alarms, the budget, the zones of a node group's subnets."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from pulumi_policy import (
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.deserialize import deserialize_properties
from pulumi_policy.policy import PolicyCustomTimeouts
from pulumi_policy.proxy import (
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
    unknown_checking_proxy,
)

from components.placement import NONE, UNBOUNDED, Enforcement, Facts, Home, Override, Tenancy
from components.spec import Memory
from policies.pack import SUMMARY
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CLUSTER, PLACEMENT_GROUP, SUBNET
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP
from tests.pack_in_process import pack_of

A, B = "us-east-1a", "us-east-1b"
RUNAWAY, CAPACITY, UNDECIDED = (
    "runaway-function-across-stack",
    "zone-capacity-across-stack",
    "undecided-across-stack",
)
NO_OPTIONS = PolicyResourceOptions(
    protect=False,
    ignore_changes=[],
    delete_before_replace=None,
    aliases=[],
    custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
    additional_secret_outputs=[],
)


def _made(resource_type: str, called: str, /, **props: Any) -> PolicyResource:
    bag: Any = unknown_checking_proxy(deserialize_properties(props))
    return PolicyResource(
        resource_type, bag, f"urn:{resource_type}:{called}", called, NO_OPTIONS, None, None, [], {}
    )


def _from(resource: PolicyResource, /, **sources: PolicyResource | list[PolicyResource]) -> PolicyResource:
    """The resource, with properties computed from others."""
    for name, each in sources.items():
        found = each if isinstance(each, list) else [each]
        resource.property_dependencies[name] = found
        resource.dependencies.extend(found)
    return resource


def _function(**props: Any) -> PolicyResource:
    return _made(
        FUNCTION,
        "embed",
        **{
            "name": "embed-1a2b",
            "timeout": 30.0,
            "reservedConcurrentExecutions": 10.0,
            "memorySize": 512.0,
            **props,
        },
    )


def _log_group(**props: Any) -> PolicyResource:
    return _made(
        LOG_GROUP, "embed-log", **{"name": "/aws/lambda/embed-1a2b", "retentionInDays": 14.0, **props}
    )


def _alarm(**props: Any) -> PolicyResource:
    stated = {
        "namespace": "AWS/Lambda",
        "dimensions": {"FunctionName": "embed-1a2b"},
        "alarmActions": [UNKNOWN_STRING_VALUE],
    }
    return _made(ALARM, "embed-alarm", **{**stated, **props})


BUDGETED = _made(
    BUDGET,
    "budget",
    budgetType="COST",
    limitAmount="500",
    notifications=[{"subscriberEmailAddresses": ["ops@example.com"]}],
)


def _all(
    resources: list[PolicyResource], overrides: dict[str, Override] | None = None
) -> tuple[dict[str, str], str]:
    """What each stack policy reports, and the line that sums up. Resources come first, as in the engine."""
    said: dict[str, str] = {}
    lines: list[str] = []
    pack = pack_of(overrides or {}, lines.append).policies
    for policy in pack:
        if isinstance(policy, ResourceValidationPolicy):
            for each in resources:
                policy.validate(
                    ResourceValidationArgs(
                        each.resource_type, each.props, each.urn, each.name, NO_OPTIONS, None
                    ),
                    _say_nothing,
                )
    for policy in pack:
        if isinstance(policy, StackValidationPolicy):
            reports: list[str] = []
            policy.validate(
                StackValidationArgs(resources),
                lambda message, urn=None, reports=reports: reports.append(f"{urn} {message}"),
            )
            if reports:
                said[policy.name] = "\n".join(reports)
    (line,) = lines
    return said, line


def _say_nothing(message: str, urn: str | None = None) -> None:
    del message, urn


@dataclass(frozen=True)
class Case:
    says: str
    resources: list[PolicyResource]
    reported: dict[str, str]


def _linked_before_names_are_known() -> list[PolicyResource]:
    group = _log_group(name=UNKNOWN_STRING_VALUE)
    function = _from(_function(name=UNKNOWN_STRING_VALUE), loggingConfig=group)
    return [group, function, _from(_alarm(dimensions=UNKNOWN_OBJECT_VALUE), dimensions=function), BUDGETED]


def _named_after_the_function() -> list[PolicyResource]:
    function = _function(name=UNKNOWN_STRING_VALUE)
    group = _from(_log_group(name=UNKNOWN_STRING_VALUE), name=function)
    alarm = _from(_alarm(dimensions={"FunctionName": UNKNOWN_STRING_VALUE}), dimensions=function)
    return [group, function, alarm, BUDGETED]


def _own_logging() -> list[PolicyResource]:
    return [
        _function(loggingConfig={"logGroup": "/models/embed"}),
        _log_group(name="/models/embed"),
        _alarm(),
        BUDGETED,
    ]


TAGGED = Facts(home=Home.FUNCTION, alarm=False, budget=False, log_retention_days=14, ties=())


def _nodes(
    *zones: str, template: PolicyResource | None = None, tags: Facts | None = None
) -> list[PolicyResource]:
    subnets = [_made(SUBNET, f"subnet-{zone}", availabilityZone=zone) for zone in zones]
    props: dict[str, Any] = {"subnetIds": UNKNOWN_ARRAY_VALUE}
    if tags is not None:
        props["tags"] = tags.to_tags()
    if template is not None:
        props["launchTemplate"] = {"id": UNKNOWN_STRING_VALUE}
    group = _from(_made(NODE_GROUP, "gpu", **props), subnetIds=subnets)
    return [
        *subnets,
        *([template] if template else []),
        _from(group, launchTemplate=template) if template else group,
    ]


def _template(strategy: str | None = None, **props: Any) -> PolicyResource:
    if strategy is None:
        return _made(LAUNCH_TEMPLATE, "template", **props)
    placement_group = _made(PLACEMENT_GROUP, "together", strategy=strategy, name="together")
    return _from(
        _made(LAUNCH_TEMPLATE, "template", placement={"groupName": UNKNOWN_STRING_VALUE}, **props),
        placement=placement_group,
    )


def _reserved(zone: str) -> PolicyResource:
    block = _made("aws:ec2/capacityBlockReservation:CapacityBlockReservation", "block", availabilityZone=zone)
    target = {"capacityReservationTarget": {"capacityReservationId": UNKNOWN_STRING_VALUE}}
    return _from(
        _made(LAUNCH_TEMPLATE, "template", capacityReservationSpecification=target),
        capacityReservationSpecification=block,
    )


EFA = {"networkInterfaces": [{"interfaceType": "efa"}]}
POOL = Facts(
    pool="gpu", home=Home.POOL, zones=(A, B), accelerator_count=0, state=(), jitter=UNBOUNDED,
    compliance=(), ties=(), twin=False, efa=False, placement_group="cluster", capacity_block_zone=NONE,
)  # fmt: skip

ISOLATED = replace(
    POOL, home=Home.METAL, zones=(A,), placement_group=NONE, compliance=("pci-dss",),
    tenancy=Tenancy.DEDICATED, audit_logs=True, own_keys=True,
)  # fmt: skip
ISOLATION = "compliance-isolation-across-stack"


def _isolated(log_types: Any, key: str | None = "arn:key") -> list[PolicyResource]:
    disks = [{"ebs": {"encrypted": "true", "kmsKeyId": key}}]
    template = _template(placement={"tenancy": "dedicated"}, blockDeviceMappings=disks)
    *others, group = _nodes(A, template=template, tags=ISOLATED)
    cluster = _made(CLUSTER, "eks", enabledClusterLogTypes=log_types)
    return [cluster, *others, _from(group, clusterName=cluster)]


KEPT = [_function(), _log_group(), _alarm(), BUDGETED]
TIES = "vendor-lock-in-across-stack"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
STATE_MACHINE = "aws:sfn/stateMachine:StateMachine"
QUEUE = "aws:sqs/queue:Queue"


def _called(resource_type: str, names: str) -> list[PolicyResource]:
    function, *others = KEPT
    caller = _made(resource_type, "caller", **{names: UNKNOWN_STRING_VALUE})
    return [function, *others, _from(caller, **{names: function})]


def _by_alias() -> list[PolicyResource]:
    function, *others = KEPT
    alias = _from(_made("aws:lambda/alias:Alias", "live"), functionName=function)
    topic = _from(_made("aws:sns/topicSubscription:TopicSubscription", "calls"), endpoint=alias)
    return [function, *others, alias, topic]


def _taking_from_a_queue() -> list[PolicyResource]:
    function, *others = KEPT
    queue = _made(QUEUE, "jobs")
    mapping = _made("aws:lambda/eventSourceMapping:EventSourceMapping", "takes")
    return [function, *others, queue, _from(mapping, functionName=function, eventSourceArn=queue)]


CASES = [
    Case("everything is there", [_function(), _log_group(), _alarm(), BUDGETED], {}),
    Case("a log group and an alarm linked before any name is known", _linked_before_names_are_known(), {}),
    Case("a log group and an alarm named after the function", _named_after_the_function(), {}),
    Case("a function that logs to a group of its choice", _own_logging(), {}),
    Case("no log group", [_function(), _alarm(), BUDGETED], {RUNAWAY: "logs kept for ever"}),
    Case(
        "a log group without retention",
        [_function(), _log_group(retentionInDays=None), _alarm(), BUDGETED],
        {RUNAWAY: "logs kept for ever"},
    ),
    Case(
        "a log group of another function",
        [_function(), _log_group(name="/aws/lambda/other"), _alarm(), BUDGETED],
        {RUNAWAY: "logs kept for ever"},
    ),
    Case("no alarm", [_function(), _log_group(), BUDGETED], {RUNAWAY: "no alarm"}),
    Case(
        "an alarm of another function",
        [_function(), _log_group(), _alarm(dimensions={"FunctionName": "other"}), BUDGETED],
        {RUNAWAY: "no alarm"},
    ),
    Case("no budget", [_function(), _log_group(), _alarm()], {RUNAWAY: "no budget for the stack"}),
    Case(
        "nothing at all",
        [_function()],
        {RUNAWAY: "embed: it has logs kept for ever, no alarm, no budget for the stack. To do: give the"},
    ),
    Case(
        "a retention that is not known yet",
        [_function(), _log_group(retentionInDays=UNKNOWN_NUMBER_VALUE), _alarm(), BUDGETED],
        {UNDECIDED: "runaway-function: embed: cannot be decided without log retention days"},
    ),
    Case(
        "an alarm that tells nobody",
        [_function(), _log_group(), _alarm(alarmActions=None), BUDGETED],
        {RUNAWAY: "no alarm"},
    ),
    Case(
        "an alarm of which nobody knows yet whom it tells",
        [_function(), _log_group(), _alarm(alarmActions=UNKNOWN_ARRAY_VALUE), BUDGETED],
        {UNDECIDED: "without alarm"},
    ),
    Case(
        "a budget that tells nobody",
        [_function(), _log_group(), _alarm(), _made(BUDGET, "budget", limitAmount="500")],
        {RUNAWAY: "no budget for the stack"},
    ),
    Case(
        "an alarm on nobody knows what yet",
        [_function(), _log_group(), _alarm(dimensions=UNKNOWN_OBJECT_VALUE), BUDGETED],
        {UNDECIDED: "without alarm"},
    ),
    Case(
        "what a function's own tags said is missing was refused before and is not said again",
        [_function(tags=TAGGED.to_tags()), _log_group()],
        {},
    ),
    Case(
        "a bound that its own policy refuses is not repeated here",
        [_function(reservedConcurrentExecutions=-1.0, timeout=9999.0), _log_group(), _alarm(), BUDGETED],
        {},
    ),
    Case("a node group in two zones, nothing that ties it", _nodes(A, B), {}),
    Case("a node group with EFA in one zone", _nodes(A, template=_template(**EFA)), {}),
    Case(
        "a node group with EFA in two zones",
        _nodes(A, B, template=_template(**EFA)),
        {CAPACITY: "gpu: EFA means one zone, and its nodes are asked for in us-east-1a, us-east-1b"},
    ),
    Case(
        "a cluster placement group over two zones",
        _nodes(A, B, template=_template("cluster")),
        {CAPACITY: "a cluster placement group means one zone"},
    ),
    Case("a spread placement group over two zones", _nodes(A, B, template=_template("spread")), {}),
    Case(
        "a placement group of unknown strategy over two zones",
        _nodes(A, B, template=_template(placement={"groupName": "theirs"})),
        {UNDECIDED: "zone-capacity: gpu: cannot be decided without placement group"},
    ),
    Case("a capacity block in its zone", _nodes(A, template=_reserved(A)), {}),
    Case(
        "a capacity block in another zone",
        _nodes(A, template=_reserved(B)),
        {CAPACITY: "its capacity block is in us-east-1b"},
    ),
    Case("isolated nodes of a cluster with audit logs", _isolated(["api", "audit"]), {}),
    Case(
        "isolated nodes of a cluster that keeps some logs, not known which",
        _isolated(UNKNOWN_ARRAY_VALUE),
        {},
    ),
    Case(
        "nodes of a capacity block, whose tenancy nobody tells",
        _nodes(
            A,
            template=_template(
                instanceMarketOptions={"marketType": "capacity-block"},
                blockDeviceMappings=[{"ebs": {"kmsKeyId": "arn:key"}}],
            ),
            tags=replace(ISOLATED, tenancy=None),
        ),
        {UNDECIDED: "compliance-isolation: gpu: cannot be decided without tenancy"},
    ),
    Case(
        "isolated nodes of a cluster without audit logs",
        _isolated(["api"]),
        {ISOLATION: "gpu: it falls under PCI DSS, and has no audit logs of its cluster"},
    ),
    Case(
        "isolated nodes whose template has another key than their tags say",
        _isolated(["audit"], key=None),
        {ISOLATION: "disks that are not encrypted with a key of its own"},
    ),
    Case(
        "a function that a pipe enriches with",
        _called("aws:pipes/pipe:Pipe", "enrichment"),
        {TIES: "Amazon EventBridge"},
    ),
    Case("a function that an event rule calls", _called(EVENT_TARGET, "arn"), {TIES: "Amazon EventBridge"}),
    Case("a function that is a step", _called(STATE_MACHINE, "definition"), {TIES: "AWS Step Functions"}),
    Case(
        "a function that a topic calls by its alias",
        _by_alias(),
        {TIES: "embed: it works with what only one vendor has: Amazon SNS"},
    ),
    Case("a function that takes from a queue", _taking_from_a_queue(), {TIES: "Amazon SQS"}),
    Case(
        "a function that a schedule names by its ARN",
        [*KEPT, _made(EVENT_TARGET, "rule", arn="arn:aws:lambda:us-east-1:1:function:embed-1a2b:live")],
        {TIES: "Amazon EventBridge"},
    ),
    Case(
        "an event rule for another function whose name begins alike",
        [*KEPT, _made(EVENT_TARGET, "rule", arn="arn:aws:lambda:us-east-1:1:function:embed-1a2b3")],
        {},
    ),
    Case("a queue that nobody takes from", [*KEPT, _made(QUEUE, "jobs")], {}),
    Case("what its tags say was refused before and is not said again", _nodes(A, B, tags=POOL), {}),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_the_stack_policies_report(case: Case):
    said, _ = _all(case.resources)
    assert set(said) == set(case.reported), said
    for policy, part in case.reported.items():
        assert part in said[policy]


def test_a_violation_points_at_the_resource():
    said, _ = _all([_function()])
    assert said[RUNAWAY].startswith(f"urn:{FUNCTION}:embed ")


def test_a_disabled_rule_is_not_run_across_the_stack_either():
    said, line = _all([_function()], {"runaway-function": Override(Enforcement.DISABLED)})
    assert said == {}
    assert "13 placement rules" in line


@pytest.mark.parametrize(
    ("resources", "line"),
    [
        pytest.param(
            [_function(), _log_group(), _alarm(), BUDGETED],
            "halfmetal: 14 placement rules on 1 of 4 resources: all kept",
            id="all kept",
        ),
        pytest.param(
            [_function(tags=replace(TAGGED, memory=Memory.of(12, "GiB"), accelerator_count=1).to_tags())],
            "halfmetal: 14 placement rules on 1 of 1 resources: broken:"
            " accelerator-needs-metal, memory-over-function-limit, runaway-function",
            id="three broken, one of them across the stack",
        ),
        pytest.param([], "halfmetal: 14 placement rules on 0 of 0 resources: all kept", id="nothing there"),
    ],
)
def test_a_stack_is_summed_up_in_one_line(resources: list[PolicyResource], line: str):
    said, summary = _all(resources)
    assert summary == line
    assert SUMMARY not in said
