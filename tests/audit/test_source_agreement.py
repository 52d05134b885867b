"""One infrastructure, written for each tool: whatever it is read from, the rules say the same of it.

The function is too large, and is bounded in part: it has a log group, an alarm and a budget, but no reserved
concurrency. A rule and a queue call it. The nodes have EFA and a placement group, in two zones.
"""

import json
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from components.catalog import load
from components.placement import settle
from policies.audit.sources import gather
from policies.judging import everything

FUNCTION = "aws:lambda/function:Function"
URN = "urn:pulumi:prod::inference"
ARN = "arn:aws:lambda:us-east-1:1:function:embed"
TOPIC = "arn:aws:sns:us-east-1:1:alarms"


def _pulumi() -> dict[str, Any]:
    def state(token: str, name: str, outputs: dict[str, Any]) -> dict[str, Any]:
        return {
            "urn": f"{URN}::{token}::{name}",
            "type": token,
            "custom": True,
            "id": outputs.pop("id", name),
            "inputs": {},
            "outputs": outputs,
        }

    group, template = "aws:ec2/placementGroup:PlacementGroup", "aws:ec2/launchTemplate:LaunchTemplate"
    subnet, cluster = "aws:ec2/subnet:Subnet", "aws:eks/cluster:Cluster"
    nodes = {
        "nodeGroupName": "gpu",
        "clusterName": "prod",
        "subnetIds": ["subnet-a", "subnet-b"],
        "launchTemplate": {"id": "lt-1", "version": "1"},
    }
    return {
        "version": 3,
        "deployment": {
            "manifest": {},
            "resources": [
                state(
                    FUNCTION, "embed", {"name": "embed", "memorySize": 20480, "timeout": 60, "kmsKeyArn": ""}
                ),
                state(
                    "aws:cloudwatch/logGroup:LogGroup",
                    "logs",
                    {"name": "/aws/lambda/embed", "retentionInDays": 7},
                ),
                state(
                    "aws:cloudwatch/metricAlarm:MetricAlarm",
                    "alarm",
                    {
                        "namespace": "AWS/Lambda",
                        "dimensions": {"FunctionName": "embed"},
                        "alarmActions": [TOPIC],
                    },
                ),
                state(
                    "aws:budgets/budget:Budget",
                    "budget",
                    {"limitAmount": "9", "notifications": [{"subscriberSnsTopicArns": [TOPIC]}]},
                ),
                state("aws:cloudwatch/eventTarget:EventTarget", "daily", {"arn": ARN, "rule": "daily"}),
                state(
                    "aws:lambda/eventSourceMapping:EventSourceMapping",
                    "jobs",
                    {"functionName": "embed", "eventSourceArn": "arn:aws:sqs:us-east-1:1:jobs"},
                ),
                state(subnet, "a", {"id": "subnet-a", "availabilityZone": "us-east-1a"}),
                state(subnet, "b", {"id": "subnet-b", "availabilityZone": "us-east-1b"}),
                state(cluster, "prod", {"name": "prod", "enabledClusterLogTypes": ["audit"]}),
                state(group, "together", {"name": "together", "strategy": "cluster"}),
                state(
                    template,
                    "template",
                    {
                        "id": "lt-1",
                        "latestVersion": 1,
                        "networkInterfaces": [{"interfaceType": "efa"}],
                        "placement": {"groupName": "together", "tenancy": ""},
                    },
                ),
                state("aws:eks/nodeGroup:NodeGroup", "gpu", nodes),
            ],
        },
    }


TERRAFORM: dict[str, dict[str, Any]] = {
    "aws_lambda_function.embed": {
        "function_name": "embed",
        "memory_size": 20480,
        "timeout": 60,
        "kms_key_arn": "",
    },
    "aws_cloudwatch_log_group.logs": {"name": "/aws/lambda/embed", "retention_in_days": 7},
    "aws_cloudwatch_metric_alarm.alarm": {
        "alarm_name": "errors",
        "namespace": "AWS/Lambda",
        "dimensions": {"FunctionName": "embed"},
        "alarm_actions": [TOPIC],
    },
    "aws_budgets_budget.budget": {
        "limit_amount": "9",
        "notification": [{"subscriber_email_addresses": [], "subscriber_sns_topic_arns": [TOPIC]}],
    },
    "aws_cloudwatch_event_target.daily": {"arn": ARN, "rule": "daily"},
    "aws_lambda_event_source_mapping.jobs": {
        "function_name": "embed",
        "event_source_arn": "arn:aws:sqs:us-east-1:1:jobs",
    },
    "aws_subnet.a": {"id": "subnet-a", "availability_zone": "us-east-1a"},
    "aws_subnet.b": {"id": "subnet-b", "availability_zone": "us-east-1b"},
    "aws_eks_cluster.prod": {"id": "prod", "name": "prod", "enabled_cluster_log_types": ["audit"]},
    "aws_placement_group.together": {"id": "together", "name": "together", "strategy": "cluster"},
    "aws_launch_template.template": {
        "id": "lt-1",
        "latest_version": 1,
        "network_interfaces": [{"interface_type": "efa"}],
        "placement": [{"group_name": "together", "tenancy": ""}],
        "capacity_reservation_specification": [],
        "instance_market_options": [],
    },
    "aws_eks_node_group.gpu": {
        "node_group_name": "gpu",
        "cluster_name": "prod",
        "subnet_ids": ["subnet-a", "subnet-b"],
        "launch_template": [{"id": "lt-1", "version": "1"}],
    },
}


def _terraform_state() -> dict[str, Any]:
    resources = []
    for address, attributes in TERRAFORM.items():
        kind, _, name = address.partition(".")
        instance = {"attributes": attributes}
        resources.append({"mode": "managed", "type": kind, "name": name, "instances": [instance]})
    return {"version": 4, "lineage": "x", "resources": resources}


COMPUTED: dict[str, dict[str, tuple[Any, Any, str]]] = {
    "aws_cloudwatch_event_target.daily": {"arn": (True, "", "aws_lambda_function.embed.arn")},
    "aws_lambda_event_source_mapping.jobs": {"event_source_arn": (True, "", "aws_sqs_queue.jobs.arn")},
    "aws_eks_node_group.gpu": {
        "subnet_ids": (True, "", "aws_subnet.a.id aws_subnet.b.id"),
        "launch_template": ([{"id": True, "version": True}], [{}], "aws_launch_template.template.id"),
    },
    "aws_subnet.a": {"id": (True, "", "")},
    "aws_subnet.b": {"id": (True, "", "")},
    "aws_eks_cluster.prod": {"id": (True, "", "")},
    "aws_placement_group.together": {"id": (True, "", "")},
    "aws_launch_template.template": {"id": (True, "", ""), "latest_version": (True, "", "")},
    "aws_sqs_queue.jobs": {"arn": (True, "", "")},
}
"""Of a plan: the flags of what applying will tell, what is planned in its place, and what it refers to."""


def _terraform_plan() -> dict[str, Any]:
    planned, changes, configured = [], [], []
    for address, attributes in (TERRAFORM | {"aws_sqs_queue.jobs": {}}).items():
        kind = address.partition(".")[0]
        computed = COMPUTED.get(address, {})
        values = {key: value for key, value in attributes.items() if key not in computed}
        values |= {key: left for key, (_, left, _) in computed.items() if left}
        planned.append({"address": address, "mode": "managed", "type": kind, "values": values})
        unknown = {key: flags for key, (flags, _, _) in computed.items()}
        changes.append({"address": address, "change": {"after_unknown": unknown}})
        expressions = {
            key: {"references": refers.split()} for key, (_, _, refers) in computed.items() if refers
        }
        configured.append({"address": address, "type": kind, "expressions": expressions})
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configured}},
    }


NODES = """
  A: {Type: AWS::EC2::Subnet, Properties: {AvailabilityZone: us-east-1a}}
  B: {Type: AWS::EC2::Subnet, Properties: {AvailabilityZone: us-east-1b}}
  Cluster:
    Type: AWS::EKS::Cluster
    Properties: {Name: prod, Logging: {ClusterLogging: {EnabledTypes: [{Type: audit}]}}}
  Together: {Type: AWS::EC2::PlacementGroup, Properties: {Strategy: cluster}}
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        NetworkInterfaces: [{InterfaceType: efa}]
        Placement: {GroupName: !Ref Together}
  gpu:
    Type: AWS::EKS::Nodegroup
    Properties:
      ClusterName: !Ref Cluster
      Subnets: [!Ref A, !Ref B]
      LaunchTemplate: {Id: !Ref Template, Version: !GetAtt Template.LatestVersionNumber}
"""
BOUNDS = """
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {Dimensions: [{Name: FunctionName, Value: !Ref embed}]}
  Budget: {Type: AWS::Budgets::Budget, Properties: {Budget: {BudgetType: COST}}}
  Jobs: {Type: AWS::SQS::Queue}
"""
LOGS = """
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub '/aws/lambda/${embed}', RetentionInDays: 7}
"""
CLOUDFORMATION = f"""
Resources:
  embed: {{Type: AWS::Lambda::Function, Properties: {{MemorySize: 20480, Timeout: 60}}}}
  Daily: {{Type: AWS::Events::Rule, Properties: {{Targets: [{{Id: embed, Arn: !GetAtt embed.Arn}}]}}}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref embed, EventSourceArn: !GetAtt Jobs.Arn}}
{LOGS}{BOUNDS}{NODES}
"""
SAM = f"""
Transform: AWS::Serverless-2016-10-31
Globals: {{Function: {{Timeout: 60}}}}
Resources:
  embed:
    Type: AWS::Serverless::Function
    Properties:
      MemorySize: 20480
      Events:
        Daily: {{Type: Schedule, Properties: {{Schedule: rate(1 day)}}}}
        Jobs: {{Type: SQS, Properties: {{Queue: !GetAtt Jobs.Arn}}}}
{LOGS}{BOUNDS}{NODES}
"""
SERVERLESS = """
service: models
provider: {name: aws, timeout: 60, logRetentionInDays: 7}
functions:
  embed:
    memorySize: 20480
    events:
      - schedule: rate(1 day)
      - sqs: {arn: !GetAtt Jobs.Arn}
resources:
  Resources:
""" + indent((BOUNDS + NODES).replace("!Ref embed", "!Ref EmbedLambdaFunction"), "  ")

SOURCES = {
    "pulumi.json": json.dumps(_pulumi()),
    "terraform.tfstate": json.dumps(_terraform_state()),
    "plan.json": json.dumps(_terraform_plan()),
    "template.yaml": CLOUDFORMATION,
    "sam.yaml": SAM,
    "serverless.yaml": SERVERLESS,
}
SAID = {
    ("memory-over-function-limit", "function", "refused"),
    ("runaway-function", "function", "refused"),
    ("vendor-lock-in", "function", "refused"),
    ("zone-capacity", "nodes", "refused"),
}


def _said(folder: Path, name: str) -> set[tuple[str, str, str]]:
    (folder / name).write_text(SOURCES[name], encoding="utf-8")
    found = gather([str(folder / name)])
    assert found.unread == ()
    kinds = {FUNCTION: "function", "aws:eks/nodeGroup:NodeGroup": "nodes"}
    return {
        (judged.rule.id, kinds[judged.resource.resource_type], judged.verdict.answer.value)
        for judged in everything(settle(load(), {}), found.resources)
        if judged.resource.resource_type in kinds
        and (judged.refused or judged.advised_against or judged.open)
    }


@pytest.mark.parametrize("name", SOURCES)
def test_the_rules_say_the_same(name: str, tmp_path: Path) -> None:
    assert _said(tmp_path, name) == SAID
