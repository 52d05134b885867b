"""Drives the provider as the engine does: check, then diff or create, then what follows from it."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from sandbox.aws.provider.diff import Diff
from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.provider import Known, Provider
from sandbox.aws.provider.values import Archive, Asset, Bag

PROJECT = "urn:pulumi:dev::proj"
REGION = "us-east-1"


def environment_for(url: str) -> dict[str, str]:
    """What the sandbox's shell would say."""
    return {"AWS_ENDPOINT_URL": url, "AWS_REGION": REGION}


def urn_of(token: str, name: str = "x") -> str:
    return f"{PROJECT}::{token}::{name}"


def code(answer: str) -> Archive:
    """A function's package, hashed as the engine does."""
    text = f"def handler(event, context):\n    return {answer!r}\n"
    return Archive("assets", {"app.py": Asset("text", text)}, sha256(text.encode()).hexdigest())


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def permit(*actions: str, resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class RefusedInputsError(Exception):
    """Check found something wrong."""

    def __init__(self, failures: list[Failure]) -> None:
        super().__init__("; ".join(f"{failure.path} {failure.reason}" for failure in failures))
        self.failures = failures


@dataclass(frozen=True)
class Driver:
    """One stack's view of the provider."""

    provider: Provider

    def inputs(self, token: str, given: Mapping[str, Any], olds: Bag | None = None, name: str = "x") -> Bag:
        """Checked inputs; raises what is wrong with them."""
        inputs, failures = self.provider.check(urn_of(token, name), dict(given), olds or {}, os.urandom(8))
        if failures:
            raise RefusedInputsError(failures)
        return inputs

    def failures(self, token: str, given: Mapping[str, Any]) -> dict[str, str]:
        """What check has against inputs, by property."""
        _, failures = self.provider.check(urn_of(token), dict(given), {}, b"seed")
        return {failure.path: failure.reason for failure in failures}

    def create(self, token: str, given: Mapping[str, Any], name: str = "x") -> Known:
        return self.provider.create(urn_of(token, name), self.inputs(token, given, name=name))

    def read(self, token: str, known: Known, name: str = "x") -> Known:
        return self.provider.read(urn_of(token, name), known)

    def diff(self, token: str, known: Known, inputs: Bag, name: str = "x") -> Diff:
        return self.provider.diff(urn_of(token, name), known, inputs)

    def update(self, token: str, known: Known, inputs: Bag, name: str = "x") -> Known:
        state = self.provider.update(urn_of(token, name), known, inputs)
        return Known(known.resource_id, inputs, state)

    def delete(self, token: str, known: Known, name: str = "x") -> None:
        self.provider.delete(urn_of(token, name), known)


@dataclass
class World:
    """What a type needs around it: each thing is made once and shared."""

    driver: Driver
    _made: dict[tuple[str, str], Known] = field(default_factory=dict)

    def make(self, token: str, name: str, given: Callable[[], Mapping[str, Any]]) -> Known:
        if (token, name) not in self._made:
            self._made[token, name] = self.driver.create(token, given(), name)
        return self._made[token, name]

    def vpc(self) -> str:
        return self.make("aws:ec2/vpc:Vpc", "vpc", lambda: {"cidrBlock": "10.0.0.0/16"}).resource_id

    def subnet(self, zone: str = "a") -> str:
        number = ord(zone) - ord("a")
        return self.make(
            "aws:ec2/subnet:Subnet",
            f"subnet-{zone}",
            lambda: {
                "vpcId": self.vpc(),
                "cidrBlock": f"10.0.{number}.0/24",
                "availabilityZone": f"us-east-1{zone}",
            },
        ).resource_id

    def gateway(self) -> str:
        token = "aws:ec2/internetGateway:InternetGateway"
        return self.make(token, "gateway", lambda: {"vpcId": self.vpc()}).resource_id

    def route_table(self, name: str = "routes") -> str:
        return self.make("aws:ec2/routeTable:RouteTable", name, lambda: {"vpcId": self.vpc()}).resource_id

    def address(self) -> str:
        return self.make("aws:ec2/eip:Eip", "address", lambda: {"domain": "vpc"}).resource_id

    def nat(self) -> str:
        return self.make(
            "aws:ec2/natGateway:NatGateway",
            "nat",
            lambda: {"subnetId": self.subnet(), "allocationId": self.address()},
        ).resource_id

    def group(self, name: str = "group") -> str:
        token = "aws:ec2/securityGroup:SecurityGroup"
        return self.make(token, name, lambda: {"vpcId": self.vpc()}).resource_id

    def template(self, name: str = "template") -> str:
        token = "aws:ec2/launchTemplate:LaunchTemplate"
        return self.make(token, name, lambda: {"instanceType": "m7g.large"}).resource_id

    def role(self, service: str = "lambda.amazonaws.com", name: str = "role") -> Known:
        return self.make("aws:iam/role:Role", name, lambda: {"assumeRolePolicy": trust(service)})

    @cached_property
    def role_arn(self) -> str:
        return str(self.role().state["arn"])

    def cluster_role(self) -> str:
        return str(self.role("eks.amazonaws.com", "cluster-role").state["arn"])

    def function(self) -> str:
        return self.make(
            "aws:lambda/function:Function",
            "function",
            lambda: {
                "role": self.role_arn,
                "code": code("hello"),
                "handler": "app.handler",
                "runtime": "python3.11",
                "publish": True,
            },
        ).resource_id

    def alias(self) -> str:
        self.make(
            "aws:lambda/alias:Alias",
            "alias",
            lambda: {"functionName": self.function(), "functionVersion": "1", "name": "live"},
        )
        return "live"

    def api(self) -> str:
        return self.make("aws:apigatewayv2/api:Api", "api", lambda: {"protocolType": "HTTP"}).resource_id

    def integration(self) -> str:
        return self.make(
            "aws:apigatewayv2/integration:Integration",
            "integration",
            lambda: {
                "apiId": self.api(),
                "integrationType": "AWS_PROXY",
                "integrationUri": f"arn:aws:lambda:us-east-1:000000000000:function:{self.function()}",
            },
        ).resource_id

    def stage(self) -> str:
        return self.make(
            "aws:apigatewayv2/stage:Stage", "stage", lambda: {"apiId": self.api(), "name": "$default"}
        ).resource_id

    def table(self) -> str:
        return self.make(
            "aws:dynamodb/table:Table",
            "table",
            lambda: {
                "attributes": [{"name": "pk", "type": "S"}],
                "hashKey": "pk",
                "billingMode": "PAY_PER_REQUEST",
            },
        ).resource_id

    def bucket(self, name: str = "bucket") -> str:
        return self.make("aws:s3/bucket:Bucket", name, lambda: {"forceDestroy": True}).resource_id

    def balancer(self, kind: str = "network") -> str:
        return self.make(
            "aws:lb/loadBalancer:LoadBalancer",
            kind,
            lambda: {
                "loadBalancerType": kind,
                "internal": True,
                "subnets": [self.subnet("a"), self.subnet("b")],
            },
        ).resource_id

    def target_group(self, name: str = "targets", kind: str = "ip") -> str:
        return self.make(
            "aws:lb/targetGroup:TargetGroup",
            name,
            lambda: {"port": 30080, "protocol": "TCP", "vpcId": self.vpc(), "targetType": kind},
        ).resource_id

    def cluster(self) -> str:
        return self.make(
            "aws:eks/cluster:Cluster",
            "cluster",
            lambda: {
                "roleArn": self.cluster_role(),
                "version": "1.34",
                "vpcConfig": {"subnetIds": [self.subnet("a"), self.subnet("b")]},
                "accessConfig": {"authenticationMode": "API"},
            },
        ).resource_id

    def access_entry(self) -> str:
        arn = str(self.role("ec2.amazonaws.com", "admin").state["arn"])
        self.make(
            "aws:eks/accessEntry:AccessEntry",
            "entry",
            lambda: {"clusterName": self.cluster(), "principalArn": arn},
        )
        return arn

    def scaling_group(self) -> str:
        made = self.make(
            "aws:eks/nodeGroup:NodeGroup",
            "nodes",
            lambda: {
                "clusterName": self.cluster(),
                "nodeRoleArn": self.cluster_role(),
                "subnetIds": [self.subnet()],
                "scalingConfig": {"desiredSize": 1, "minSize": 1, "maxSize": 2},
            },
        )
        return str(made.state["resources"][0]["autoscalingGroups"][0]["name"])

    def topic(self) -> str:
        return self.make("aws:sns/topic:Topic", "topic", dict).resource_id

    def queue(self, name: str = "queue") -> str:
        return str(self.make("aws:sqs/queue:Queue", name, dict).state["arn"])

    def key(self, name: str = "key") -> str:
        return str(self.make("aws:kms/key:Key", name, dict).state["arn"])

    def secret(self) -> str:
        return self.make("aws:secretsmanager/secret:Secret", "secret", dict).resource_id

    def cache_subnets(self) -> str:
        return self.make(
            "aws:elasticache/subnetGroup:SubnetGroup", "cache", lambda: {"subnetIds": [self.subnet()]}
        ).resource_id
