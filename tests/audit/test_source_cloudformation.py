"""CloudFormation templates: what intrinsic functions stand for, Pulumi's names, and how resources relate."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from policies.audit.sources import Gathered, Kind, gather
from policies.reading.bags import ABSENT, UNKNOWN, fetch

FUNCTION = "aws:lambda/function:Function"


def read(folder: Path, text: str, name: str = "stack.yaml") -> Gathered:
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return gather([str(folder / name)])


def resources(folder: Path, body: str, rest: str = "") -> dict[str, Any]:
    found = read(folder, f"{dedent(rest)}\nResources:\n{indent(dedent(body), '  ')}")
    assert found.unread == ()
    return {each.name: each for each in found.resources}


@dataclass(frozen=True)
class Intrinsic:
    written: str
    value: object
    from_: tuple[str, ...] = ()
    rest: str = ""


PARAMETERS = """\
Parameters:
  Memory: {Type: Number, Default: 512}
  Stage: {Type: String, Default: prod}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  NoDefault: {Type: String}
  Secret: {Type: String, Default: hidden, NoEcho: true}
  QuotedSecret: {Type: String, Default: hidden, NoEcho: 'TRUE'}
  LookedUp: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /hidden}
Mappings:
  Sizes: {prod: {memory: 2048}, dev: {memory: 128}}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [{Condition: IsProd}]
  Open: !Equals [!Ref NoDefault, x]
  Settled: !Or [!Condition Open, !Condition IsProd]
  Both: !And [!Condition Open, !Condition IsProd]
  Neither: !And [!Condition Open, !Condition IsDev]
  Circle: !Not [!Condition Circle]
"""
INTRINSICS = [
    Intrinsic("512", 512),
    Intrinsic("!Ref Memory", 512),
    Intrinsic("{Ref: Memory}", 512),
    Intrinsic("!Ref Zones", ["a", "b"]),
    Intrinsic("!Ref NoDefault", UNKNOWN),
    Intrinsic("!Ref Secret", UNKNOWN),
    Intrinsic("!Ref QuotedSecret", UNKNOWN),
    Intrinsic("!Ref LookedUp", UNKNOWN),
    Intrinsic("!Ref Nowhere", UNKNOWN),
    Intrinsic("!Ref AWS::Region", UNKNOWN),
    Intrinsic("!Ref AWS::NoValue", ABSENT),
    Intrinsic("!Ref Named", "embed", ("Named",)),
    Intrinsic("!Ref Unnamed", UNKNOWN, ("Unnamed",)),
    Intrinsic("!GetAtt Named.Arn", UNKNOWN, ("Named",)),
    Intrinsic("{Fn::GetAtt: [Named, Arn]}", UNKNOWN, ("Named",)),
    Intrinsic("{Fn::GetAtt: Named.Arn}", UNKNOWN, ("Named",)),
    Intrinsic("!Sub '/${Stage}/${Memory}/${!Literal}'", "/prod/512/${Literal}"),
    Intrinsic("!Sub ['${a}-${Stage}', {a: !Ref Memory}]", "512-prod"),
    Intrinsic("!Sub '${Named}'", "embed", ("Named",)),
    Intrinsic("!Sub '${Named.Arn}/x'", UNKNOWN, ("Named",)),
    Intrinsic("!Sub 'x-${AWS::Region}'", UNKNOWN),
    Intrinsic("!Sub 'x-${Secret}'", UNKNOWN),
    Intrinsic(
        "!Sub 'arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:embed'",
        "arn:aws:lambda:::function:embed",
    ),
    Intrinsic("!Join ['-', [a, !Ref Stage]]", "a-prod"),
    Intrinsic("!Join ['-', [a, !Ref NoDefault]]", UNKNOWN),
    Intrinsic("!Join ['-', !Ref Zones]", "a-b"),
    Intrinsic("!Select [1, !Ref Zones]", "b"),
    Intrinsic("!Select [7, !Ref Zones]", UNKNOWN),
    Intrinsic("!Select [0, !GetAZs '']", UNKNOWN),
    Intrinsic("!Split [',', 'a,b']", ["a", "b"]),
    Intrinsic("!Split ['', 'a,b']", UNKNOWN),
    Intrinsic("!FindInMap [Sizes, !Ref Stage, memory]", 2048),
    Intrinsic("!FindInMap [Sizes, !Ref AWS::Region, memory]", UNKNOWN),
    Intrinsic("!FindInMap [Sizes, prod, nothing]", UNKNOWN),
    Intrinsic("!If [IsProd, 1, 2]", 1),
    Intrinsic("!If [IsDev, 1, 2]", 2),
    Intrinsic("!If [IsDev, 1, !Ref AWS::NoValue]", ABSENT),
    Intrinsic("!If [Open, !Ref Named, 2]", UNKNOWN, ("Named",)),
    Intrinsic("!If [Settled, 1, 2]", 1),
    Intrinsic("!If [Both, 1, 2]", UNKNOWN),
    Intrinsic("!If [Neither, 1, 2]", 2),
    Intrinsic("!If [Circle, 1, 2]", UNKNOWN),
    Intrinsic("!If [Nowhere, 1, 2]", UNKNOWN),
    Intrinsic("!If [IsProd]", UNKNOWN),
    Intrinsic("!ImportValue x", UNKNOWN),
    Intrinsic("!Sub []", UNKNOWN),
    Intrinsic("!Base64 hidden", UNKNOWN),
    Intrinsic("!Unheard of", UNKNOWN),
    Intrinsic("'{{resolve:secretsmanager:hidden}}'", UNKNOWN),
    Intrinsic("!Sub '{{resolve:ssm:hidden}}${Stage}'", UNKNOWN),
    Intrinsic("[!Ref Memory, !Ref AWS::NoValue]", [512]),
]


@pytest.mark.parametrize("case", INTRINSICS, ids=lambda case: case.written)
def test_intrinsic_functions(case: Intrinsic, tmp_path: Path) -> None:
    found = resources(
        tmp_path,
        f"""\
        Embed: {{Type: 'AWS::Lambda::Function', Properties: {{MemorySize: {case.written}}}}}
        Named: {{Type: 'AWS::Lambda::Function', Properties: {{FunctionName: embed}}}}
        Unnamed: {{Type: 'AWS::Lambda::Function'}}
        """,
        PARAMETERS,
    )
    assert fetch(found["Embed"].props, "memorySize") == case.value
    related = found["Embed"].property_dependencies.get("memorySize", [])
    assert tuple(each.name for each in related) == case.from_
    assert found["Embed"].dependencies == related


@dataclass(frozen=True)
class Translated:
    says: str
    body: str
    name: str
    type: str
    props: dict[str, Any]
    related: dict[str, list[str]] = field(default_factory=dict)


TRANSLATED = [
    Translated(
        "a function",
        """\
        X:
          Type: AWS::Lambda::Function
          Properties:
            FunctionName: embed
            MemorySize: "512"
            ReservedConcurrentExecutions: 10
            Tags: [{Key: Owner, Value: me}, {Key: halfmetal.dev/home, Value: function}]
            LoggingConfig: {LogGroup: !Ref Group}
            Environment: {Variables: {MODEL_NAME: x}}
            CapacityProviderConfig: {LambdaManagedInstancesCapacityProviderConfig: {CapacityProviderArn: x}}
        Group: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /models, RetentionInDays: 7}}
        """,
        "X",
        FUNCTION,
        {
            "name": "embed",
            "memorySize": "512",
            "reservedConcurrentExecutions": 10,
            "tags": {"Owner": "me", "halfmetal.dev/home": "function"},
            "loggingConfig": {"logGroup": "/models"},
            "environment": {"variables": {"MODEL_NAME": "x"}},
            "capacityProviderConfig": {
                "lambdaManagedInstancesCapacityProviderConfig": {"capacityProviderArn": "x"}
            },
        },
        {"loggingConfig": ["Group"]},
    ),
    Translated(
        "an alarm",
        """\
        X:
          Type: AWS::CloudWatch::Alarm
          Properties:
            Dimensions: [{Name: FunctionName, Value: !Ref F}]
            Metrics:
              - Id: m
                MetricStat:
                  Stat: Sum
                  Metric: {MetricName: Errors, Dimensions: [{Name: FunctionName, Value: embed}]}
        F: {Type: AWS::Lambda::Function, Properties: {FunctionName: embed}}
        """,
        "X",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": UNKNOWN,
            "dimensions": {"FunctionName": "embed"},
            "metricQueries": [
                {
                    "id": "m",
                    "metric": {
                        "stat": "Sum",
                        "metricName": "Errors",
                        "dimensions": {"FunctionName": "embed"},
                    },
                }
            ],
        },
        {"dimensions": ["F"]},
    ),
    Translated(
        "a budget",
        """\
        X:
          Type: AWS::Budgets::Budget
          Properties:
            Budget: {BudgetType: COST, BudgetName: all, BudgetLimit: {Amount: 9, Unit: USD}}
            NotificationsWithSubscribers: [{Subscribers: [{SubscriptionType: EMAIL, Address: a@b.c}]}]
        """,
        "X",
        "aws:budgets/budget:Budget",
        {
            "budgetType": "COST",
            "name": "all",
            "limitAmount": {"amount": 9, "unit": "USD"},
            "notifications": [{"subscribers": [{"subscriptionType": "EMAIL", "address": "a@b.c"}]}],
        },
    ),
    Translated(
        "a launch template",
        """\
        X:
          Type: AWS::EC2::LaunchTemplate
          Properties:
            LaunchTemplateData:
              Placement: {Tenancy: dedicated, GroupName: !Ref Together}
              NetworkInterfaces: [{InterfaceType: efa, DeviceIndex: 0}]
              BlockDeviceMappings: [{Ebs: {KmsKeyId: key}}]
              CapacityReservationSpecification:
                CapacityReservationTarget: {CapacityReservationId: !Ref Held}
        Together: {Type: AWS::EC2::PlacementGroup, Properties: {Strategy: cluster}}
        Held: {Type: AWS::EC2::CapacityReservation, Properties: {AvailabilityZone: us-east-1a}}
        """,
        "X",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "name": UNKNOWN,
            "placement": {"tenancy": "dedicated", "groupName": UNKNOWN},
            "networkInterfaces": [{"interfaceType": "efa", "deviceIndex": 0}],
            "blockDeviceMappings": [{"ebs": {"kmsKeyId": "key"}}],
            "capacityReservationSpecification": {
                "capacityReservationTarget": {"capacityReservationId": UNKNOWN}
            },
        },
        {"placement": ["Together"], "capacityReservationSpecification": ["Held"]},
    ),
    Translated(
        "a node group",
        """\
        X:
          Type: AWS::EKS::Nodegroup
          Properties:
            ClusterName: !Ref Cluster
            Subnets: [!Ref A, subnet-1]
            LaunchTemplate: {Id: !Ref Template, Version: "1"}
            Taints: [{Key: nvidia.com/gpu, Effect: NO_SCHEDULE}]
            Labels: {Team: ml}
            Tags: {Team: ml}
        Cluster: {Type: AWS::EKS::Cluster, Properties: {Name: prod}}
        A: {Type: AWS::EC2::Subnet, Properties: {AvailabilityZone: us-east-1a}}
        Template: {Type: AWS::EC2::LaunchTemplate}
        """,
        "X",
        "aws:eks/nodeGroup:NodeGroup",
        {
            "nodeGroupName": UNKNOWN,
            "clusterName": "prod",
            "subnetIds": [UNKNOWN, "subnet-1"],
            "launchTemplate": {"id": UNKNOWN, "version": "1"},
            "taints": [{"key": "nvidia.com/gpu", "effect": "NO_SCHEDULE"}],
            "labels": {"Team": "ml"},
            "tags": {"Team": "ml"},
        },
        {"clusterName": ["Cluster"], "subnetIds": ["A"], "launchTemplate": ["Template"]},
    ),
    Translated(
        "a cluster's logs",
        """\
        X:
          Type: AWS::EKS::Cluster
          Properties:
            Name: prod
            Logging: {ClusterLogging: {EnabledTypes: [{Type: api}, {Type: audit}]}}
        """,
        "X",
        "aws:eks/cluster:Cluster",
        {
            "name": "prod",
            "enabledClusterLogTypes": ["api", "audit"],
            "logging": {"clusterLogging": {"enabledTypes": [{"type": "api"}, {"type": "audit"}]}},
        },
    ),
    Translated(
        "a group of machines",
        """\
        X:
          Type: AWS::AutoScaling::AutoScalingGroup
          Properties:
            VPCZoneIdentifier: [!Ref A]
            LaunchTemplate: {LaunchTemplateId: !Ref T, Version: "1"}
            MixedInstancesPolicy:
              LaunchTemplate: {LaunchTemplateSpecification: {LaunchTemplateId: !Ref T}}
            Tags: [{Key: a, Value: b, PropagateAtLaunch: true}]
        A: {Type: AWS::EC2::Subnet}
        T: {Type: AWS::EC2::LaunchTemplate}
        """,
        "X",
        "aws:autoscaling/group:Group",
        {
            "name": UNKNOWN,
            "vpcZoneIdentifiers": [UNKNOWN],
            "launchTemplate": {"id": UNKNOWN, "version": "1"},
            "mixedInstancesPolicy": {
                "launchTemplate": {"launchTemplateSpecification": {"launchTemplateId": UNKNOWN}}
            },
            "tags": [{"key": "a", "value": "b", "propagateAtLaunch": True}],
        },
        {"vpcZoneIdentifiers": ["A"], "launchTemplate": ["T"], "mixedInstancesPolicy": ["T"]},
    ),
    Translated(
        "the target of a rule",
        """\
        X:
          Type: AWS::Events::Rule
          Properties: {Name: daily, Targets: [{Id: embed, Arn: !GetAtt F.Arn}]}
        F: {Type: AWS::Lambda::Function}
        """,
        "X/embed",
        "aws:cloudwatch/eventTarget:EventTarget",
        {"arn": UNKNOWN, "targetId": "embed", "rule": "daily"},
        {"arn": ["F"]},
    ),
    Translated(
        "copies of an alias that are kept warm",
        """\
        X:
          Type: AWS::Lambda::Alias
          Properties:
            FunctionName: !Ref F
            Name: live
            ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 2}
        F: {Type: AWS::Lambda::Function}
        """,
        "X/1",
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        {"provisionedConcurrentExecutions": 2, "functionName": UNKNOWN, "qualifier": "live"},
        {"functionName": ["F"]},
    ),
    Translated(
        "a bucket that tells a function",
        """\
        X:
          Type: AWS::S3::Bucket
          Properties:
            NotificationConfiguration:
              LambdaConfigurations: [{Event: 's3:ObjectCreated:*', Function: !GetAtt F.Arn}]
        F: {Type: AWS::Lambda::Function}
        """,
        "X/1",
        "aws:s3/bucketNotification:BucketNotification",
        {"lambdaFunctions": [{"event": "s3:ObjectCreated:*", "lambdaFunctionArn": UNKNOWN}]},
        {"lambdaFunctions": ["F"]},
    ),
    Translated(
        "a workflow written out",
        """\
        X:
          Type: AWS::StepFunctions::StateMachine
          Properties:
            Definition: {StartAt: A, States: {A: {Resource: 'arn:aws:lambda:us-east-1:1:function:embed'}}}
            DefinitionSubstitutions: {Arn: !GetAtt F.Arn}
        F: {Type: AWS::Lambda::Function}
        """,
        "X",
        "aws:sfn/stateMachine:StateMachine",
        {
            "name": UNKNOWN,
            "definition": json.dumps(
                {"StartAt": "A", "States": {"A": {"Resource": "arn:aws:lambda:us-east-1:1:function:embed"}}}
            ),
        },
        {"definition": ["F"]},
    ),
    Translated(
        "containers",
        """\
        X:
          Type: AWS::ECS::TaskDefinition
          Properties:
            Family: chat
            ContainerDefinitions: [{Name: a, ResourceRequirements: [{Type: GPU, Value: "1"}]}]
        """,
        "X",
        "aws:ecs/taskDefinition:TaskDefinition",
        {
            "family": "chat",
            "containerDefinitions": json.dumps(
                [{"name": "a", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]
            ),
        },
    ),
    Translated(
        "containers with gaps",
        """\
        X:
          Type: AWS::ECS::TaskDefinition
          Properties: {Family: chat, ContainerDefinitions: [{Name: a, Image: !ImportValue x, Memory: 512}]}
        """,
        "X",
        "aws:ecs/taskDefinition:TaskDefinition",
        {"family": "chat", "containerDefinitions": [{"name": "a", "image": UNKNOWN, "memory": 512}]},
    ),
    Translated(
        "a variant of an endpoint",
        """\
        X:
          Type: AWS::SageMaker::EndpointConfig
          Properties:
            ProductionVariants: [{ModelName: m, ServerlessConfig: {MemorySizeInMB: 2048, MaxConcurrency: 5}}]
        """,
        "X",
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        {
            "name": UNKNOWN,
            "productionVariants": [
                {"modelName": "m", "serverlessConfig": {"memorySizeInMb": 2048, "maxConcurrency": 5}}
            ],
        },
    ),
    Translated(
        "another type", "X: {Type: 'AWS::IAM::Role', Properties: {RoleName: a}}", "X", "AWS::IAM::Role", {}
    ),
]


@pytest.mark.parametrize("case", TRANSLATED, ids=lambda case: case.says)
def test_translation(case: Translated, tmp_path: Path) -> None:
    found = resources(tmp_path, case.body)[case.name]
    assert (found.resource_type, dict(found.props)) == (case.type, case.props)
    related = {name: [each.name for each in of] for name, of in found.property_dependencies.items()}
    assert related == case.related


@dataclass(frozen=True)
class Entries:
    says: str
    body: str
    names: list[str]
    unread: int = 0


ENTRIES = [
    Entries("a resource that is not created", "X: {Type: A::B::C, Condition: IsDev}", []),
    Entries("a resource that may be created", "X: {Type: A::B::C, Condition: Open}", ["X"]),
    Entries("no type", "X: {Properties: {}}\nY: {Type: A::B::C}", ["Y"], 1),
    Entries("no resource", "X: 3\nY: {Type: A::B::C}", ["Y"], 1),
    Entries("no properties", "X: {Type: A::B::C, Properties: []}", ["X"], 1),
    Entries(
        "computed properties", "X: {Type: 'AWS::Lambda::Function', Properties: {Fn::Transform: {}}}", ["X"]
    ),
    Entries("a loop", "Fn::ForEach::X: [A, [b], {}]\nY: {Type: A::B::C}", ["Y"], 1),
    Entries("an include", "Fn::Transform: {Name: AWS::Include}\nY: {Type: A::B::C}", ["Y"], 1),
]


@pytest.mark.parametrize("case", ENTRIES, ids=lambda case: case.says)
def test_entries(case: Entries, tmp_path: Path) -> None:
    found = read(tmp_path, f"{PARAMETERS}\nResources:\n{indent(case.body, '  ')}\n")
    assert [each.name for each in found.resources] == case.names
    assert len(found.unread) == case.unread
    assert found.kinds == ({Kind.CLOUDFORMATION: len(case.names)} if case.names else {})


def test_what_a_resource_waits_for(tmp_path: Path) -> None:
    found = resources(
        tmp_path,
        """\
        A: {Type: AWS::Lambda::Function, DependsOn: B}
        B: {Type: AWS::Logs::LogGroup, DependsOn: [A, Nowhere, 3, B]}
        """,
    )
    assert (found["A"].dependencies, found["B"].dependencies) == ([found["B"]], [found["A"]])


PLACED = [
    ("stack.yaml", "Resources:\n  A:\n    Type: A::B::C\n", (2, 3)),
    ("stack.json", '{"Resources": {\n  "A": {"Type": "A::B::C"}}}', (2, 3)),
    ("stack.template", '{"Resources":\n\t{"A": {"Type": "A::B::C"}}}', (2, 3)),
    ("stack.template", "Resources: {A: {Type: A::B::C}}", (1, 13)),
]


@pytest.mark.parametrize(("name", "text", "place"), PLACED)
def test_places(name: str, text: str, place: tuple[int, int], tmp_path: Path) -> None:
    (resource,) = read(tmp_path, text, name).resources
    assert resource.location is not None
    assert (resource.location.line, resource.location.column) == place
    assert resource.urn == f"{tmp_path / name}#A"


def test_a_text_that_doubles_with_every_level_is_not_worked_out(tmp_path: Path) -> None:
    text = '"x"'
    for _ in range(60):
        text = f"!Sub ['${{a}}${{a}}', {{a: {text}}}]"
    found = resources(tmp_path, f"X: {{Type: AWS::Lambda::Function, Properties: {{FunctionName: {text}}}}}")
    assert found["X"].props["name"] is UNKNOWN
