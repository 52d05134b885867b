"""What resources show together: by the graph, and by names, ids and ARNs alone, each where it stands."""

from dataclasses import dataclass
from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import Answer, Facts, FrontDoor, Home, Tenancy, settle
from components.spec import Duration
from policies.judging import everything
from policies.reading.bags import UNKNOWN
from policies.reading.callers import PROVISIONED, functions_called, functions_tied
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CLUSTER, PLACEMENT_GROUP, SUBNET, nodes
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP, functions
from policies.resources import Location, Resource

A, B = "us-east-1a", "us-east-1b"
ARN = "arn:aws:lambda:us-east-1:111122223333:function"
SETTINGS = settle(load_catalog(), {})
ESM = "aws:lambda/eventSourceMapping:EventSourceMapping"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
HTTP_ROUTE = "aws:apigatewayv2/integration:Integration"
REST_ROUTE = "aws:apigateway/integration:Integration"
API = "aws:apigatewayv2/api:Api"
NOBODY_WAITS = FrontDoor.ASYNCHRONOUS
RESERVATION = "aws:ec2/capacityReservation:CapacityReservation"


def _made(resource_type: str, called: str = "it", /, stack: str = "dev", **props: Any) -> Resource:
    return Resource(resource_type, called, f"urn:pulumi:{stack}::shop::{resource_type}::{called}", props)


def _in_file(file: str, resource_type: str, called: str = "it", /, **props: Any) -> Resource:
    return Resource(resource_type, called, f"{file}#{called}", props, location=Location(file, 1))


def _from(resource: Resource, /, **read: Resource) -> Resource:
    for name, source in read.items():
        resource.property_dependencies.setdefault(name, []).append(source)
        resource.dependencies.append(source)
    return resource


def _function(name: str | None = "embed", /, stack: str = "dev", **props: Any) -> Resource:
    return _made(FUNCTION, name or "unnamed", stack=stack, **({"name": name} if name else {}), **props)


# -- functions: what bounds them


@dataclass(frozen=True)
class Bounds:
    says: str
    resources: list[Resource]
    log_retention_days: int | None = 0
    alarm: bool | None = False
    budget: bool | None = False


def _log(days: int | None = 14, name: str = "/aws/lambda/embed", stack: str = "dev") -> Resource:
    return _made(LOG_GROUP, "log", stack=stack, name=name, retentionInDays=days)


def _alarm(stack: str = "dev", **props: Any) -> Resource:
    return _made(ALARM, "alarm", stack=stack, **{"alarmActions": [UNKNOWN], **props})


def _budget(stack: str = "dev", **props: Any) -> Resource:
    told = [{"subscriberEmailAddresses": ["ops@example.com"]}]
    return _made(BUDGET, stack=stack, **{"limitAmount": "500", "notifications": told, **props})


METRIC = {"metric": {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "embed"}}}

ON_ALL = {"namespace": "AWS/Lambda"}
ADJUSTED = {"autoAdjustData": {"autoAdjustType": "HISTORICAL"}}


def _in(file: str, resource_type: str, like: Resource | None = None) -> Resource:
    """A resource in a file that is no state of Pulumi's."""
    props = like.props if like is not None else {"name": "embed"}
    return _in_file(file, resource_type, resource_type, **props)


BOUNDS = [
    Bounds("nothing at all", [_function()]),
    Bounds("nothing at all, of a function whose name the cloud makes", [_function(None)], 0),
    Bounds("nothing at all, of a name that is not known", [_function(None, name=UNKNOWN)], 0),
    Bounds(
        "a log group that it names, and that nobody can tell",
        [_function(loggingConfig={"logGroup": UNKNOWN})],
        log_retention_days=None,
    ),
    Bounds(
        "a log group, of whose function nobody can tell the name",
        [_function(None, name=UNKNOWN), _log()],
        log_retention_days=None,
    ),
    Bounds("a log group by its name", [_function(), _log()], log_retention_days=14),
    Bounds("a log group of another stack", [_function(), _log(), _log(1, stack="other")], 14),
    Bounds(
        "a log group that is only in another stack",
        [_function(), _log(30, stack="shared")],
        log_retention_days=30,
    ),
    Bounds(
        "log groups of that name in two other stacks: nobody can tell which",
        [_function(), _log(30, stack="shared"), _log(1, stack="other")],
        log_retention_days=None,
    ),
    Bounds(
        "an alarm on a metric among several",
        [_function(), _alarm(metricQueries=[{"expression": "errors / calls"}, METRIC])],
        alarm=True,
    ),
    Bounds(
        "an alarm on all functions together",
        [_function(), _alarm(namespace="AWS/Lambda", metricName="Errors")],
        alarm=True,
    ),
    Bounds(
        "an alarm on something that is no function",
        [_function(), _alarm(namespace="AWS/SQS", dimensions={"QueueName": "embed"})],
    ),
    Bounds(
        "an alarm on a function of that name in another stack, which has one",
        [
            _function(),
            _function(stack="other"),
            _alarm("other", namespace="AWS/Lambda", dimensions={"FunctionName": "embed"}),
        ],
    ),
    Bounds("an alarm whose actions are off", [_function(), _alarm(**ON_ALL, actionsEnabled=False)]),
    Bounds("an alarm without actions", [_function(), _alarm(**ON_ALL, alarmActions=[])]),
    Bounds("an alarm of unknown actions", [_function(), _alarm(**ON_ALL, alarmActions=UNKNOWN)], alarm=None),
    Bounds("an alarm of an unknown kind", [_function(), _alarm(namespace=UNKNOWN)], alarm=None),
    Bounds(
        "an alarm on a metric of its own that has a function's name",
        [_function(), _alarm(namespace="Shop", dimensions={"FunctionName": "embed"})],
    ),
    Bounds(
        "an alarm that tells nobody beside one that does",
        [_function(), _alarm(**ON_ALL, alarmActions=[]), _alarm(**ON_ALL)],
        alarm=True,
    ),
    Bounds("a budget of another stack", [_function(), _budget(stack="other")]),
    Bounds("a budget", [_function(), _budget()], budget=True),
    Bounds("a budget without a limit", [_function(), _budget(limitAmount=None)]),
    Bounds(
        "a budget that follows what was spent",
        [_function(), _budget(limitAmount=None, **ADJUSTED)],
        budget=True,
    ),
    Bounds("a budget of an unknown limit", [_function(), _budget(limitAmount=UNKNOWN)], budget=None),
    Bounds("a budget that tells nobody", [_function(), _budget(notifications=[])]),
    Bounds("a budget whose notice goes nowhere", [_function(), _budget(notifications=[{"threshold": 80}])]),
    Bounds(
        "a budget that tells nobody knows whom", [_function(), _budget(notifications=UNKNOWN)], budget=None
    ),
    Bounds(
        "one file with a function, another with what bounds all",
        [
            _in("app.yaml", FUNCTION),
            _in("ops.yaml", ALARM, _alarm(**ON_ALL)),
            _in("ops.yaml", BUDGET, _budget()),
        ],
        alarm=True,
        budget=True,
    ),
    Bounds("a file, and no budget in any", [_in("app.yaml", FUNCTION)], budget=None),
    Bounds(
        "a file, and a budget in another that tells nobody",
        [_in("app.yaml", FUNCTION), _in("ops.yaml", BUDGET, _budget(notifications=[]))],
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in BOUNDS])
def test_bounds_of_a_function(case: Bounds):
    found = next(iter(functions(case.resources))).subject.facts
    assert found.log_retention_days == case.log_retention_days
    assert found.alarm is case.alarm
    assert found.budget is case.budget


# -- functions: what calls them


@dataclass(frozen=True)
class Called:
    says: str
    callers: list[Resource]
    ties: tuple[str, ...] | None = None
    door: FrontDoor | None = None
    home: Home = Home.FUNCTION
    function: Resource | None = None


def _machine(definition: str) -> Resource:
    return _made("aws:sfn/stateMachine:StateMachine", definition=definition)


SQS = "arn:aws:sqs:us-east-1:111122223333:jobs"
CALLED = [
    Called("nothing", []),
    Called(
        "an event rule, by ARN", [_made(EVENT_TARGET, arn=f"{ARN}:embed")], ("eventbridge",), NOBODY_WAITS
    ),
    Called(
        "an event rule, by an alias",
        [_made(EVENT_TARGET, arn=f"{ARN}:embed:live")],
        ("eventbridge",),
        NOBODY_WAITS,
    ),
    Called("a rule for a function whose name begins alike", [_made(EVENT_TARGET, arn=f"{ARN}:embed-2")]),
    Called(
        "a schedule",
        [_made("aws:scheduler/schedule:Schedule", target={"arn": f"{ARN}:embed"})],
        ("eventbridge",),
        NOBODY_WAITS,
    ),
    Called(
        "a queue that is taken from",
        [_made(ESM, functionName="embed", eventSourceArn=SQS)],
        ("sqs",),
        NOBODY_WAITS,
    ),
    Called(
        "a queue, by part of an ARN",
        [_made(ESM, functionName="111122223333:function:embed", eventSourceArn=SQS)],
        ("sqs",),
        NOBODY_WAITS,
    ),
    Called(
        "a table's stream, which is no event bus",
        [_made(ESM, functionName="embed", eventSourceArn="arn:aws:dynamodb:us-east-1:1:table/t/stream/s")],
        None,
        NOBODY_WAITS,
    ),
    Called(
        "a bucket",
        [
            _made(
                "aws:s3/bucketNotification:BucketNotification",
                lambdaFunctions=[{"lambdaFunctionArn": f"{ARN}:embed"}],
            )
        ],
        None,
        NOBODY_WAITS,
    ),
    Called("a step of a workflow", [_machine(f'{{"Resource": "{ARN}:embed"}}')], ("step-functions",)),
    Called(
        "a step that names it alone",
        [_machine('{"Parameters": {"FunctionName": "embed:live"}}')],
        ("step-functions",),
    ),
    Called(
        "a workflow and an event rule",
        [_machine(f'"{ARN}:embed"'), _made(EVENT_TARGET, arn=f"{ARN}:embed")],
        ("eventbridge", "step-functions"),
    ),
    Called(
        "a route of an HTTP API",
        [_made(HTTP_ROUTE, integrationUri=f"{ARN}:embed", payloadFormatVersion="2.0")],
        None,
        FrontDoor.HTTP_API,
    ),
    Called("a route of an API that may be a WebSocket's", [_made(HTTP_ROUTE, integrationUri=f"{ARN}:embed")]),
    Called(
        "a route of an HTTP API, by its protocol",
        [
            _made(API, id="a1", protocolType="HTTP"),
            _made(HTTP_ROUTE, "route", apiId="a1", integrationUri=f"{ARN}:embed"),
        ],
        None,
        FrontDoor.HTTP_API,
    ),
    Called(
        "a route of a REST API",
        [
            _made(
                REST_ROUTE,
                uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}:embed/invocations",
            )
        ],
        None,
        FrontDoor.REST_API,
    ),
    Called(
        "a route of a REST API that streams",
        [_made(REST_ROUTE, uri=f"{ARN}:embed", responseTransferMode="STREAM")],
        None,
        FrontDoor.REST_API_STREAMED,
    ),
    Called(
        "a route and an event rule: somebody waits",
        [_made(REST_ROUTE, uri=f"{ARN}:embed"), _made(EVENT_TARGET, arn=f"{ARN}:embed")],
        ("eventbridge",),
        FrontDoor.REST_API,
    ),
    Called(
        "copies that are provisioned",
        [_made(PROVISIONED, functionName="embed", qualifier="live")],
        home=Home.RESERVED_FUNCTION,
    ),
    Called("copies of another function", [_made(PROVISIONED, functionName="other", qualifier="live")]),
    Called(
        "an event rule for a function of that name in another account",
        [_made(EVENT_TARGET, arn="arn:aws:lambda:us-east-1:999999999999:function:embed")],
        function=_function(arn=f"{ARN}:embed"),
    ),
    Called(
        "an event rule of another stack, which has a function of that name",
        [_function(stack="other"), _made(EVENT_TARGET, stack="other", arn=f"{ARN}:embed")],
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CALLED])
def test_callers_of_a_function(case: Called):
    resources = [case.function or _function(), *case.callers]
    assert next(iter(functions_tied(resources))).subject.facts.ties == case.ties
    called = next(iter(functions_called(resources))).subject.facts
    assert (called.front_door, called.home) == (case.door, case.home)


def test_a_function_that_states_its_front_door_keeps_it():
    stated = Facts(home=Home.FUNCTION, front_door=FrontDoor.REST_API).to_tags()
    resources = [_function(tags=stated), _made(EVENT_TARGET, arn=f"{ARN}:embed")]
    assert next(iter(functions_called(resources))).subject.facts.front_door is FrontDoor.REST_API


def test_copies_that_are_provisioned_overturn_what_is_said_of_the_function_alone():
    eager = Facts(cold_start_tolerance=Duration.of(100, "ms")).to_tags()
    function = _function(tags=eager, memorySize=512, timeout=3, reservedConcurrentExecutions=5)

    def said(resources: list[Resource]) -> set[Answer]:
        judged = everything(SETTINGS, resources)
        return {each.verdict.answer for each in judged if each.rule.id == "cold-start-budget"}

    assert said([function]) == {Answer.REFUSED}
    assert said([function, _made(PROVISIONED, functionName="embed")]) == {Answer.FITS}


# -- nodes


@dataclass(frozen=True)
class Nodes:
    says: str
    group: dict[str, Any]
    others: list[Resource]
    facts: dict[str, Any]


def _subnet(name: str, zone: str) -> Resource:
    return _made(SUBNET, name, id=name, availabilityZone=zone)


def _template(**props: Any) -> Resource:
    return _made(LAUNCH_TEMPLATE, id="lt-1", name="gpu", latestVersion=3, defaultVersion=2, **props)


EFA = {"networkInterfaces": [{"interfaceType": "efa"}]}
SUBNETS = [_subnet("s-a", A), _subnet("s-b", B)]
RESERVED = {"capacityReservationTarget": {"capacityReservationId": "cr-1"}}
NODES = [
    Nodes("the zones of its subnets", {"subnetIds": ["s-a", "s-b"]}, SUBNETS, {"zones": (A, B)}),
    Nodes("a subnet that is not of the set", {"subnetIds": ["s-a", "s-c"]}, SUBNETS, {"zones": None}),
    Nodes("a template by its id", {"launchTemplate": {"id": "lt-1"}}, [_template(**EFA)], {"efa": True}),
    Nodes("a template by its name", {"launchTemplate": {"name": "gpu"}}, [_template(**EFA)], {"efa": True}),
    Nodes(
        "the latest version of a template",
        {"launchTemplate": {"id": "lt-1", "version": "3"}},
        [_template(**EFA)],
        {"efa": True},
    ),
    Nodes(
        "an older version of a template, which nobody sees",
        {"launchTemplate": {"id": "lt-1", "version": "1"}},
        [_template(**EFA)],
        {"efa": None, "tenancy": None},
    ),
    Nodes(
        "the default version of a template, which is not its latest",
        {"launchTemplate": {"id": "lt-1", "version": "$Default"}},
        [_template(**EFA)],
        {"efa": None},
    ),
    Nodes("no template", {}, [_template(**EFA)], {"efa": False, "capacity_block_zone": "none"}),
    Nodes(
        "a placement group by its name",
        {"launchTemplate": {"id": "lt-1"}},
        [
            _template(placement={"groupName": "together"}),
            _made(PLACEMENT_GROUP, name="together", strategy="cluster"),
        ],
        {"placement_group": "cluster", "tenancy": Tenancy.SHARED},
    ),
    Nodes(
        "a reservation by its id",
        {"launchTemplate": {"id": "lt-1"}},
        [
            _template(capacityReservationSpecification=RESERVED),
            _made(RESERVATION, id="cr-1", availabilityZone=B),
        ],
        {"capacity_block_zone": B},
    ),
    Nodes(
        "another reservation",
        {"launchTemplate": {"id": "lt-1"}},
        [
            _template(capacityReservationSpecification=RESERVED),
            _made(RESERVATION, id="cr-2", availabilityZone=B),
        ],
        {"capacity_block_zone": None},
    ),
    Nodes(
        "a cluster by its name",
        {"clusterName": "eks"},
        [_made(CLUSTER, name="eks", enabledClusterLogTypes=["audit"])],
        {"audit_logs": True},
    ),
    Nodes("a cluster that is not of the set", {"clusterName": "eks"}, [], {"audit_logs": None}),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in NODES])
def test_what_nodes_are_with_the_rest(case: Nodes):
    related = next(iter(nodes([_made(NODE_GROUP, **case.group), *case.others])))
    assert {name: getattr(related.subject.facts, name) for name in case.facts} == case.facts


# -- where a name stands


def test_files_of_a_folder_are_one_place_and_two_folders_are_two():
    def stack(folder: str, days: int) -> list[Resource]:
        return [
            _in_file(f"{folder}/functions.json", FUNCTION, "f", name="embed"),
            _in_file(f"{folder}/logs.json", LOG_GROUP, "l", name="/aws/lambda/embed", retentionInDays=days),
        ]

    found = [
        each.subject.facts.log_retention_days for each in functions([*stack("dev", 1), *stack("prod", 30)])
    ]
    assert found == [1, 30]


def test_a_thousand_functions_with_all_that_is_theirs_are_related_by_looking_each_up_once():
    def resources(count: int) -> list[Resource]:
        found = []
        for number in range(count):
            name = f"f{number}"
            found += [
                _function(name),
                _log(name=f"/aws/lambda/{name}"),
                _alarm(**ON_ALL, dimensions={"FunctionName": name}),
                _made(EVENT_TARGET, arn=f"{ARN}:{name}"),
            ]
        return found

    looked_at = resources(1000)
    related = list(functions(looked_at))
    assert all(each.subject.facts.alarm and each.subject.facts.log_retention_days == 14 for each in related)
    assert all(each.subject.facts.ties == ("eventbridge",) for each in functions_tied(looked_at))
