"""Names of AWS stay within what AWS takes, with the longest that a stack file may have."""

from typing import Any

import pytest
import yaml
from recording import Recording, bundle_of_likely_size, deploy

from components.control_plane.bundle import REPO
from components.spec import load
from components.spec.fields import NAME_AT_MOST

# What the engine adds to a name that AWS makes: a dash and seven characters.
SUFFIX = 8

# Of each type that has a name of AWS: the property, and its longest (botocore's model, or AWS's words there).
LIMITS = {
    "aws:apigatewayv2/api:Api": ("name", 128),
    "aws:apigatewayv2/vpcLink:VpcLink": ("name", 128),
    "aws:budgets/budget:Budget": ("name", 100),
    "aws:cloudwatch/logGroup:LogGroup": ("name", 512),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("name", 255),
    "aws:dynamodb/table:Table": ("name", 255),
    "aws:ec2/launchTemplate:LaunchTemplate": ("name", 128),
    "aws:ec2/placementGroup:PlacementGroup": ("name", 255),
    "aws:ec2/securityGroup:SecurityGroup": ("name", 255),
    "aws:eks/cluster:Cluster": ("name", 100),
    "aws:eks/nodeGroup:NodeGroup": ("nodeGroupName", 63),
    "aws:iam/role:Role": ("name", 64),
    "aws:iam/rolePolicy:RolePolicy": ("name", 128),
    "aws:lambda/function:Function": ("name", 64),
    "aws:lb/loadBalancer:LoadBalancer": ("name", 32),
    "aws:lb/targetGroup:TargetGroup": ("name", 32),
    "aws:s3/bucket:Bucket": ("bucket", 63),
    "aws:sns/topic:Topic": ("name", 256),
}
_TAG_KEY, _TAG_VALUE = 128, 256


def _long(kind: str) -> str:
    return f"{kind}-".ljust(NAME_AT_MOST, "x")


def _with_long_names(topology: str) -> dict[str, Any]:
    """The example with names, labels and taints that have all the characters that the spec lets them have."""
    text = (REPO / "stacks" / f"Pulumi.{topology}.yaml").read_text(encoding="utf-8")
    stack: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    plane = stack.get("data_plane", {})
    key = f"example.com/{'k' * 51}"
    for pool in plane.get("pools", ()):
        pool["name"] = _long(pool["name"])
        pool["labels"] = {key: "v" * 63}
        if "accelerator" in pool and plane["cluster"]["provider"] == "eks":
            pool |= {"taints": [{"key": key, "value": "v" * 63}], "placement_group": "cluster", "efa": False}
    for workload in stack["workloads"]:
        workload["name"] = _long(workload["name"])
        if "pool" in workload.get("placement", {}):
            workload["placement"]["pool"] = _long(workload["placement"]["pool"])
    return stack


@pytest.fixture(scope="module", params=["pure", "hybrid", "dedicated"])
def longest(request: pytest.FixtureRequest) -> Recording:
    stack = load(_with_long_names(request.param))
    return deploy(stack, bundle_of_likely_size, "a-stack-name-" * 7)


def test_names_are_within_what_aws_takes(longest: Recording) -> None:
    too_long = [
        (made.type, name)
        for kind, (prop, most) in LIMITS.items()
        for made in longest.of(kind)
        if len(name := made.inputs.get(prop) or f"{made.name}{'x' * SUFFIX}") > most
    ]
    assert too_long == []


def test_every_type_with_a_name_of_its_own_is_looked_at(longest: Recording) -> None:
    named = {made.type for made in longest.of("aws:.*") if made.inputs.get("name")}
    assert named <= LIMITS.keys() | {"aws:apigatewayv2/stage:Stage", "aws:lambda/alias:Alias"}


def test_tags_are_within_what_aws_takes(longest: Recording) -> None:
    pairs = [pair for made in longest.of("aws:.*") for pair in (made.inputs.get("tags") or {}).items()]
    pairs += [
        (tag["key"], tag["value"])
        for made in longest.of("aws:autoscaling/tag:Tag")
        for tag in [made.inputs["tag"]]
    ]
    assert [(key, value) for key, value in pairs if len(key) > _TAG_KEY or len(value) > _TAG_VALUE] == []


def test_names_in_the_cluster_are_within_what_kubernetes_takes(longest: Recording) -> None:
    for made in longest.of("kubernetes:.*"):
        metadata = made.inputs["metadata"]
        assert len(metadata["name"]) <= 63, made.name
        assert all(len(value) <= 63 for value in (metadata.get("labels") or {}).values()), made.name
