"""SAM templates and files of the Serverless Framework: functions, defaults, and what calls them."""

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from policies.audit.sources import Gathered, Kind, SourceError, gather
from policies.reading.bags import UNKNOWN

FUNCTION = "aws:lambda/function:Function"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
HTTP = "aws:apigatewayv2/integration:Integration"
REST = "aws:apigateway/integration:Integration"
PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"


def read(folder: Path, text: str, name: str) -> Gathered:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return gather([str(folder / name)])


SAM = """\
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Timeout: 10
    MemorySize: 256
    Tags: {team: ml, stage: dev}
    Layers: [a]
Resources:
  Embed:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: embed
      MemorySize: 512
      Tags: {stage: prod}
      Layers: [b]
      AutoPublishAlias: live
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}
      CapacityProviderConfig: {Arn: arn}
      Events:
        %s
  Queue: {Type: AWS::SQS::Queue}
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: s}}
  Front: {Type: AWS::Serverless::HttpApi}
  Machines:
    Type: AWS::Serverless::CapacityProvider
    Properties: {InstanceRequirements: {AllowedTypes: [g6.xlarge]}, ScalingConfig: {MaxVCpuCount: 8}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {Name: flow, DefinitionUri: flow.json}}
"""


def test_a_function_with_its_globals(tmp_path: Path) -> None:
    found = read(tmp_path, SAM % "None: 3", "template.yaml")
    by_name = {each.name: each for each in found.resources}
    assert dict(by_name["Embed"].props) == {
        "name": "embed",
        "timeout": 10,
        "memorySize": 512,
        "tags": {"team": "ml", "stage": "prod"},
        "layers": ["a", "b"],
        "capacityProviderConfig": {
            "lambdaManagedInstancesCapacityProviderConfig": {"capacityProviderArn": "arn"}
        },
    }
    provisioned = by_name["EmbedAliaslive/1"]
    assert provisioned.resource_type == PROVISIONED
    assert provisioned.props == {
        "provisionedConcurrentExecutions": 2,
        "functionName": "embed",
        "qualifier": "live",
    }
    assert provisioned.property_dependencies == {"functionName": [by_name["Embed"]]}
    assert by_name["Front"].props["protocolType"] == "HTTP"
    assert dict(by_name["Machines"].props) == {
        "name": UNKNOWN,
        "instanceRequirements": [{"allowedInstanceTypes": ["g6.xlarge"]}],
        "capacityProviderScalingConfigs": [{"maxVcpuCount": 8}],
    }
    assert dict(by_name["Flow"].props) == {"name": "flow", "definition": UNKNOWN}
    assert found.kinds == {Kind.SAM: len(found.resources)}
    assert found.unread == ()


@dataclass(frozen=True)
class Event:
    written: str
    type: str
    names: str
    """The property that names the function."""
    also: tuple[str, str] | None = None
    """Another property, and what it refers to."""


SAM_EVENTS = [
    Event("{Type: Schedule, Properties: {Schedule: rate(1 hour)}}", TARGET, "arn"),
    Event("{Type: ScheduleV2}", "aws:scheduler/schedule:Schedule", "target"),
    Event("{Type: EventBridgeRule}", TARGET, "arn"),
    Event("{Type: CloudWatchEvent}", TARGET, "arn"),
    Event("{Type: SNS, Properties: {Topic: x}}", SUBSCRIPTION, "endpoint"),
    Event(
        "{Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}",
        MAPPING,
        "functionName",
        ("eventSourceArn", "Queue"),
    ),
    Event(
        "{Type: Kinesis, Properties: {Stream: !GetAtt Stream.Arn}}",
        MAPPING,
        "functionName",
        ("eventSourceArn", "Stream"),
    ),
    Event("{Type: S3, Properties: {Bucket: x}}", NOTIFICATION, "lambdaFunctions"),
    Event("{Type: Api}", REST, "uri"),
    Event("{Type: HttpApi, Properties: {ApiId: !Ref Front}}", HTTP, "integrationUri", ("apiId", "Front")),
]


@pytest.mark.parametrize("case", SAM_EVENTS, ids=lambda case: case.written[:24])
def test_what_calls_a_function_of_sam(case: Event, tmp_path: Path) -> None:
    found = read(tmp_path, SAM % f"Call: {case.written}", "template.yaml")
    (caller,) = (each for each in found.resources if each.resource_type == case.type)
    assert [each.name for each in caller.property_dependencies[case.names]] == ["Embed"]
    if case.also:
        assert [each.name for each in caller.property_dependencies[case.also[0]]] == [case.also[1]]


@pytest.mark.parametrize("events", ["3", "Call: 3", "Call: {Type: 3}", "Call: {Type: Unheard}", "Call: {}"])
def test_events_that_are_none(events: str, tmp_path: Path) -> None:
    assert read(tmp_path, SAM % events, "template.yaml").unread == ()


def test_a_function_without_properties(tmp_path: Path) -> None:
    (resource,) = read(
        tmp_path, "Resources: {A: {Type: AWS::Serverless::Function}}", "template.yaml"
    ).resources
    assert (resource.resource_type, dict(resource.props)) == (FUNCTION, {"name": UNKNOWN})


SERVERLESS = """\
service: models
provider:
  name: aws
  stage: prod
  timeout: 20
  logRetentionInDays: 14
  tags: {team: ml}
functions:
  embed-text:
    handler: a.b
    memorySize: ${self:custom.memory}
    reservedConcurrency: 5
    provisionedConcurrency: 2
    tags: {stage: prod}
    events:
      - %s
resources:
  Resources:
    Alarm:
      Type: AWS::CloudWatch::Alarm
      Properties:
        AlarmName: ${self:service}-alarm
        Dimensions: [{Name: FunctionName, Value: !Ref EmbedDashtextLambdaFunction}]
    Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub 'q-${AWS::Region}'}}
"""


def test_a_function_of_the_serverless_framework(tmp_path: Path) -> None:
    found = read(tmp_path, SERVERLESS % "x: 1", "serverless.yml")
    by_name = {each.name: each for each in found.resources}
    function = by_name["EmbedDashtextLambdaFunction"]
    assert dict(function.props) == {
        "name": "models-prod-embed-text",
        "memorySize": UNKNOWN,
        "timeout": 20,
        "reservedConcurrentExecutions": 5,
        "tags": {"team": "ml", "stage": "prod"},
    }
    assert function.location is not None
    assert function.location.line == 9
    group = by_name["EmbedDashtextLogGroup"]
    assert dict(group.props) == {"name": "/aws/lambda/models-prod-embed-text", "retentionInDays": 14}
    assert group.property_dependencies == {"name": [function]}
    alarm = by_name["Alarm"]
    assert dict(alarm.props) == {"name": UNKNOWN, "dimensions": {"FunctionName": "models-prod-embed-text"}}
    assert alarm.location is not None
    assert alarm.location.line == 19
    provisioned = by_name["EmbedDashtextProvConcLambdaAlias/1"]
    assert provisioned.property_dependencies == {"functionName": [function]}
    assert found.kinds == {Kind.SERVERLESS: len(found.resources)}
    assert found.unread == ()


SERVERLESS_EVENTS = [
    Event("schedule: rate(1 hour)", TARGET, "arn"),
    Event("eventBridge: {pattern: {}}", TARGET, "arn"),
    Event("sns: arn:aws:sns:us-east-1:1:x", SUBSCRIPTION, "endpoint"),
    Event("sqs: {arn: !GetAtt Queue.Arn}", MAPPING, "functionName", ("eventSourceArn", "Queue")),
    Event("stream: arn:aws:kinesis:us-east-1:1:stream/x", MAPPING, "functionName"),
    Event("s3: bucket", NOTIFICATION, "lambdaFunctions"),
    Event("http: GET /x", REST, "uri"),
    Event("httpApi: '*'", HTTP, "integrationUri"),
    Event("httpApi", HTTP, "integrationUri"),
]


@pytest.mark.parametrize("case", SERVERLESS_EVENTS, ids=lambda case: case.written)
def test_what_calls_a_function_of_the_serverless_framework(case: Event, tmp_path: Path) -> None:
    found = read(tmp_path, SERVERLESS % case.written, "serverless.yml")
    (caller,) = (each for each in found.resources if each.resource_type == case.type)
    assert [each.name for each in caller.property_dependencies[case.names]] == ["EmbedDashtextLambdaFunction"]
    if case.also:
        assert [each.name for each in caller.property_dependencies[case.also[0]]] == [case.also[1]]


@dataclass(frozen=True)
class Written:
    says: str
    text: str
    names: list[str]
    unread: int = 0


WRITTEN = [
    Written(
        "defaults", "service: s\nprovider: aws\nfunctions: {a: {disableLogs: true}}", ["ALambdaFunction"]
    ),
    Written(
        "a list of functions",
        "service: s\nprovider: aws\nfunctions: [{a: {disableLogs: true}}, '${file(x)}', 3]",
        ["ALambdaFunction"],
        2,
    ),
    Written("computed functions", "service: s\nprovider: aws\nfunctions: ${file(functions.yml)}", [], 1),
    Written("a computed function", "service: s\nprovider: aws\nfunctions: {a: '${file(a.yml)}'}", [], 1),
    Written(
        "sections of resources",
        "service: s\nprovider: aws\nresources: [{Resources: {X: {Type: A::B::C}}}, '${file(x)}']",
        ["X"],
        1,
    ),
    Written("another cloud", "service: s\nprovider: {name: google}\nfunctions: {a: {}}", [], 1),
    Written("a computed cloud", "service: s\nprovider: {name: '${opt:cloud}'}", [], 1),
]


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: case.says)
def test_files_of_the_serverless_framework(case: Written, tmp_path: Path) -> None:
    found = read(tmp_path, case.text, "serverless.yml")
    assert [each.name for each in found.resources] == case.names
    assert len(found.unread) == case.unread
    assert all("serverless package" in each.remedy for each in found.unread)


def test_the_frameworks_own_defaults(tmp_path: Path) -> None:
    text = "service: {name: s}\nprovider: aws\nfunctions: {a: {}}"
    function, group = read(tmp_path, text, "serverless.yml").resources
    assert dict(function.props) == {"name": "s-dev-a", "memorySize": 1024, "timeout": 6}
    assert "retentionInDays" not in group.props


@pytest.mark.parametrize("stage", ["${opt:stage}", "{}", "3"])
def test_a_name_that_is_computed(stage: str, tmp_path: Path) -> None:
    text = f"service: s\nprovider: {{name: aws, stage: '{stage}'}}\nfunctions: {{a: {{}}}}"
    function, _ = read(tmp_path, text.replace("'{}'", "{}").replace("'3'", "3"), "serverless.yml").resources
    assert function.props["name"] is UNKNOWN


OTHERS: list[tuple[str, Any]] = [
    ("docker-compose.yml", "services: {web: {image: nginx}}"),
    ("ci.yml", "on: push\njobs: {}"),
    ("values.json", '{"a": 1}'),
]


@pytest.mark.parametrize(("name", "text"), OTHERS)
def test_a_file_of_something_else_is_an_error_when_it_is_named(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing that is read") as caught:
        read(tmp_path, text, name)
    assert "CloudFormation" in caught.value.remedy
