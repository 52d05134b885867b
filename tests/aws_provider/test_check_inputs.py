"""Mistakes are found in preview, named where they are, with what to do where that is known."""

from collections.abc import Mapping
from typing import Any

import pytest
from provider_driver import Driver, code, environment_for, trust, urn_of

from sandbox.aws.provider.diff import DEFAULTS
from sandbox.aws.provider.naming import Proposal
from sandbox.aws.provider.provider import Provider
from sandbox.aws.provider.values import UNKNOWN, Bag

FUNCTION: Bag = {
    "role": "arn:aws:iam::000000000000:role/r",
    "code": code("x"),
    "handler": "app.handler",
    "runtime": "python3.11",
}
TABLE: Bag = {
    "attributes": [{"name": "pk", "type": "S"}],
    "hashKey": "pk",
    "billingMode": "PAY_PER_REQUEST",
}
ALARM: Bag = {"comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1}


@pytest.mark.parametrize(
    ("token", "given", "path", "says"),
    [
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "memorysize": 128},
            "memorysize",
            "did you mean memorySize?",
            id="a property that does not exist",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "loggingConfig": {"logFormat": "JSON", "group": "x"}},
            "loggingConfig.group",
            "is not a property of it",
            id="a nested property that does not exist",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "loggingConfig": {"logGroup": "x"}},
            "loggingConfig.logFormat",
            "is required but missing",
            id="a nested property that is missing",
        ),
        pytest.param(
            "aws:apigatewayv2/api:Api", {}, "protocolType", "is required but missing", id="a missing property"
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "timeout": "soon"},
            "timeout",
            "must be a whole number, is 'soon'",
            id="text for a number",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "publish": "maybe"},
            "publish",
            "must be true or false",
            id="text for a switch",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "layers": "arn"},
            "layers",
            "must be a list",
            id="text for a list",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "code": "app.py"},
            "code",
            "must be an archive",
            id="text for an archive",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "memorySize": 64},
            "memorySize",
            "must be at least 128, is 64",
            id="a number below the service's range",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "runtime": "python9"},
            "runtime",
            "must be one of",
            id="a value that is none of those allowed",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "environment": {"variables": {"1A": "x"}}},
            "environment.variables.1A",
            "must match",
            id="a key that does not match the service's pattern",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {name: value for name, value in FUNCTION.items() if name != "code"},
            "code",
            "is not set: a function needs its code",
            id="a function without code",
        ),
        pytest.param(
            "aws:lambda/function:Function",
            {**FUNCTION, "durableConfig": {"executionTimeout": 3600}},
            "durableConfig",
            "the sandbox's AWS stand-in does not handle",
            id="a property that the table leaves out",
        ),
        pytest.param(
            "aws:iam/role:Role",
            {"assumeRolePolicy": "{not json"},
            "assumeRolePolicy",
            "must be JSON",
            id="a policy that is no JSON",
        ),
        pytest.param(
            "aws:ec2/securityGroup:SecurityGroup",
            {"description": "The gateway's"},
            "description",
            "letters, digits, spaces",
            id="a group's description that EC2 does not take",
        ),
        pytest.param(
            "aws:ec2/securityGroup:SecurityGroup",
            {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "description": "it's"}]},
            "ingress[0].description",
            "letters, digits, spaces",
            id="a description that EC2 does not take, of a rule within a group",
        ),
        pytest.param(
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {
                "type": "ingress",
                "securityGroupId": "sg-1",
                "sourceSecurityGroupId": "sg-2",
                "protocol": "tcp",
                "fromPort": 80,
                "toPort": 80,
                "description": "to the gateway's port",
            },
            "description",
            "letters, digits, spaces",
            id="a rule's description that EC2 does not take",
        ),
        pytest.param(
            "aws:ec2/route:Route",
            {"routeTableId": "rtb-1", "gatewayId": "igw-1"},
            "destinationCidrBlock",
            "set one of them",
            id="none of several, one of which is needed",
        ),
        pytest.param(
            "aws:ec2/route:Route",
            {
                "routeTableId": "rtb-1",
                "destinationCidrBlock": "0.0.0.0/0",
                "gatewayId": "igw-1",
                "natGatewayId": "nat-1",
            },
            "natGatewayId",
            "cannot be set together with gatewayId",
            id="two that exclude each other",
        ),
        pytest.param(
            "aws:dynamodb/table:Table",
            {**TABLE, "hashKey": "id"},
            "attributes",
            "describes pk, which is no key",
            id="attributes and keys that do not agree",
        ),
        pytest.param(
            "aws:dynamodb/table:Table",
            {**TABLE, "globalSecondaryIndexes": [{"name": "x", "hashKey": "pk", "projectionType": "ALL"}]},
            "",
            "GlobalSecondaryIndexes[0].IndexName",
            id="what only the whole call shows to be wrong",
        ),
        pytest.param(
            "aws:cloudwatch/logGroup:LogGroup",
            {"retentionInDays": 8},
            "retentionInDays",
            "must be one of 0, 1, 3",
            id="a retention that CloudWatch does not have",
        ),
        pytest.param(
            "aws:eks/nodeGroup:NodeGroup",
            {
                "clusterName": "c",
                "nodeRoleArn": "arn",
                "subnetIds": ["subnet-1"],
                "scalingConfig": {"desiredSize": 5, "minSize": 1, "maxSize": 2},
            },
            "scalingConfig.desiredSize",
            "must be between minSize 1 and maxSize 2, is 5",
            id="a size out of its own range",
        ),
        pytest.param(
            "aws:ec2/instance:Instance",
            {"ami": "ami-1"},
            None,
            "does not know the resource type",
            id="a type that the table does not have",
        ),
    ],
)
def test_mistakes_are_named(
    offline: Driver, token: str, given: Mapping[str, Any], path: str | None, says: str
) -> None:
    if path is None:
        with pytest.raises(Exception, match=says):
            offline.failures(token, given)
        return
    failures = offline.failures(token, given)
    assert path in failures, failures
    assert says in failures[path]


def test_all_mistakes_are_told_at_once(offline: Driver) -> None:
    failures = offline.failures("aws:lambda/function:Function", {"tiemout": 3, "publish": 7, "layers": "x"})
    assert set(failures) == {"tiemout", "publish", "layers", "role"}


def test_what_is_not_known_yet_is_passed_over(offline: Driver) -> None:
    given = {**FUNCTION, "role": UNKNOWN, "timeout": UNKNOWN, "environment": {"variables": UNKNOWN}}
    assert offline.failures("aws:lambda/function:Function", given) == {}
    assert (
        offline.failures(
            "aws:ec2/route:Route",
            {"routeTableId": UNKNOWN, "destinationCidrBlock": UNKNOWN, "gatewayId": UNKNOWN},
        )
        == {}
    )


def test_defaults_are_filled_in_and_marked(offline: Driver) -> None:
    inputs = offline.inputs("aws:lambda/function:Function", FUNCTION)
    assert (inputs["memorySize"], inputs["timeout"]) == (128, 3)
    assert {"memorySize", "timeout", "name"} <= set(inputs[DEFAULTS])
    assert "handler" not in inputs[DEFAULTS]


def test_a_policy_may_be_an_object(offline: Driver) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    inputs = offline.inputs("aws:iam/rolePolicy:RolePolicy", {"role": "r", "policy": document})
    assert inputs["policy"].startswith('{"Version"')


# -- names -------------------------------------------------------------------------------------------


def test_a_name_is_made_from_the_resource_and_the_seed(offline: Driver) -> None:
    check = offline.provider.check
    urn, given = urn_of("aws:iam/role:Role", "worker"), {"assumeRolePolicy": trust("ec2.amazonaws.com")}
    first, _ = check(urn, given, {}, b"one")
    again, _ = check(urn, given, {}, b"one")
    other, _ = check(urn, given, {}, b"two")
    assert first["name"] == again["name"] != other["name"]
    assert first["name"].startswith("worker-")


def test_a_made_up_name_stays(offline: Driver) -> None:
    token, given = "aws:iam/role:Role", {"assumeRolePolicy": trust("ec2.amazonaws.com")}
    olds = offline.inputs(token, given)
    assert offline.inputs(token, {**given, "description": "x"}, olds)["name"] == olds["name"]


def test_a_name_that_was_given_and_dropped_is_made_up_anew(offline: Driver) -> None:
    token, given = "aws:iam/role:Role", {"assumeRolePolicy": trust("ec2.amazonaws.com")}
    olds = offline.inputs(token, {**given, "name": "mine"})
    assert offline.inputs(token, given, olds)["name"] != "mine"


def test_a_prefix_begins_the_name(offline: Driver) -> None:
    given = {"assumeRolePolicy": trust("ec2.amazonaws.com"), "namePrefix": "team-"}
    name = offline.inputs("aws:iam/role:Role", given)["name"]
    assert name.startswith("team-")
    assert "-" not in name.removeprefix("team-")


@pytest.mark.parametrize(
    ("token", "given", "longest"),
    [
        pytest.param("aws:lb/loadBalancer:LoadBalancer", {}, 32, id="load balancer"),
        pytest.param("aws:iam/role:Role", {"assumeRolePolicy": trust("ec2.amazonaws.com")}, 64, id="role"),
        pytest.param("aws:s3/bucket:Bucket", {}, 63, id="bucket, in lower case"),
    ],
)
def test_names_keep_within_the_services_limits(offline: Driver, token: str, given: Bag, longest: int) -> None:
    inputs, failures = offline.provider.check(urn_of(token, "Some-" * 20), given, {}, b"seed")
    name = inputs.get("name", inputs.get("bucket"))
    assert not failures
    assert len(name) == longest
    assert not token.startswith("aws:s3") or name == name.lower()


@pytest.mark.parametrize(
    ("proposal", "name", "failing"),
    [
        pytest.param(Proposal("proposed"), "proposed", [], id="a proposal is taken"),
        pytest.param(Proposal("exact", enforced=True), "exact", [], id="an order is obeyed"),
        pytest.param(Proposal(disabled=True), UNKNOWN, ["bucket"], id="names are to be given"),
    ],
)
def test_the_engines_naming_rules_count(
    offline: Driver, proposal: Proposal, name: Any, failing: list[str]
) -> None:
    inputs, failures = offline.provider.check(urn_of("aws:s3/bucket:Bucket"), {}, {}, b"s", proposal)
    assert [failure.path for failure in failures] == failing
    assert failing or inputs["bucket"] == name


# -- tags, preview -----------------------------------------------------------------------------------


def with_default_tags(tmp_path: Any) -> Driver:
    provider = Provider(tmp_path, environment=environment_for("http://127.0.0.1:9"))
    provider.configure({"defaultTags": '{"tags": {"project": "halfmetal", "team": "platform"}}'})
    return Driver(provider)


def test_default_tags_are_merged_and_the_resources_own_win(tmp_path: Any) -> None:
    driver = with_default_tags(tmp_path)
    inputs = driver.inputs("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16", "tags": {"team": "search"}})
    assert inputs["tags"] == {"project": "halfmetal", "team": "search"}
    preview = driver.provider.preview_create(urn_of("aws:ec2/vpc:Vpc"), inputs)
    assert preview["tagsAll"] == inputs["tags"]


def test_default_tags_stay_off_types_without_tags(tmp_path: Any) -> None:
    inputs = with_default_tags(tmp_path).inputs(
        "aws:iam/rolePolicy:RolePolicy", {"role": "r", "policy": "{}"}
    )
    assert "tags" not in inputs


def test_preview_knows_what_it_can_and_nothing_else(offline: Driver) -> None:
    inputs = offline.inputs(
        "aws:eks/cluster:Cluster", {"roleArn": "arn:aws:iam::1:role/r", "vpcConfig": {"subnetIds": [UNKNOWN]}}
    )
    state = offline.provider.preview_create(urn_of("aws:eks/cluster:Cluster"), inputs)
    assert state["endpoint"] is state["version"] is state["arn"] is UNKNOWN
    assert state["vpcConfig"]["clusterSecurityGroupId"] is UNKNOWN
    assert state["region"] == "us-east-1"
    assert "enabledClusterLogTypes" not in state
    assert DEFAULTS not in state
