"""What the emulated cloud and the cluster really hold, by the types and ids under which the engine knows it.

Two lists that are made independently, by the services and by the engine, can only be equal when nothing is
orphaned, nothing was made twice and nothing is missing. What is on neither list is in `_PARTS`, with the
reason; a type in a state that is nowhere here is a difference too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from real_shell import Shell

Held = dict[str, set[str]]

# What the cluster makes by itself in every namespace, and what its controllers make of a deployment.
_OF_THE_CLUSTER = frozenset({"kube-root-ca.crt"})


class Cloud:
    """The services of one sandbox, asked directly."""

    def __init__(self, shell: Shell) -> None:
        self._session = boto3.Session(
            aws_access_key_id=shell.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=shell.env["AWS_SECRET_ACCESS_KEY"],
            region_name=shell.env["AWS_REGION"],
        )
        self._endpoint = shell.env["AWS_ENDPOINT_URL"]

    def client(self, service: str) -> Any:
        config = Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"})
        return self._session.client(service, endpoint_url=self._endpoint, config=config)

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        client = self.client(service)
        if not client.can_paginate(operation):
            yield from getattr(client, operation)(**arguments)[key]
            return
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from page.get(key) or ()

    @cached_property
    def functions(self) -> list[str]:
        return [f["FunctionName"] for f in self.pages("lambda", "list_functions", "Functions")]

    @cached_property
    def roles(self) -> list[str]:
        return [role["RoleName"] for role in self.pages("iam", "list_roles", "Roles")]

    @cached_property
    def apis(self) -> list[str]:
        return [api["ApiId"] for api in self.pages("apigatewayv2", "get_apis", "Items")]

    @cached_property
    def tables(self) -> list[str]:
        return list(self.pages("dynamodb", "list_tables", "TableNames"))

    @cached_property
    def buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self.client("s3").list_buckets()["Buckets"]]

    @cached_property
    def clusters(self) -> list[str]:
        return list(self.pages("eks", "list_clusters", "clusters"))

    @cached_property
    def load_balancers(self) -> list[str]:
        found = self.pages("elbv2", "describe_load_balancers", "LoadBalancers")
        return [balancer["LoadBalancerArn"] for balancer in found]

    def of(self, service: str, operation: str, key: str, identity: str, **arguments: Any) -> Iterator[str]:
        for item in self.pages(service, operation, key, **arguments):
            yield str(item[identity])


def _of_api(cloud: Cloud, operation: str, identity: str) -> Iterator[str]:
    for api in cloud.apis:
        yield from cloud.of("apigatewayv2", operation, "Items", identity, ApiId=api)


def _versions(cloud: Cloud) -> Iterator[str]:
    for function in cloud.functions:
        found = cloud.pages("lambda", "list_versions_by_function", "Versions", FunctionName=function)
        yield from (f"{function}:{version['Version']}" for version in found)


def _aliases(cloud: Cloud) -> Iterator[str]:
    for function in cloud.functions:
        yield from cloud.of("lambda", "list_aliases", "Aliases", "AliasArn", FunctionName=function)


def _permissions(cloud: Cloud) -> Iterator[str]:
    client = cloud.client("lambda")
    for arn in _aliases(cloud):
        name, alias = arn.split(":")[-2:]
        try:
            policy = client.get_policy(FunctionName=name, Qualifier=alias)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            continue
        yield from (statement["Sid"] for statement in json.loads(policy)["Statement"])


def _role_policies(cloud: Cloud) -> Iterator[str]:
    for role in cloud.roles:
        found = cloud.pages("iam", "list_role_policies", "PolicyNames", RoleName=role)
        yield from (f"{role}:{policy}" for policy in found)


def _attached_policies(cloud: Cloud) -> Iterator[str]:
    for role in cloud.roles:
        found = cloud.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
        yield from (f"{role}/{policy['PolicyArn']}" for policy in found)


def _table_items(cloud: Cloud) -> Iterator[str]:
    for table in cloud.tables:
        found = cloud.pages("dynamodb", "scan", "Items", TableName=table)
        yield from (f"{table}|name||{item['name']['S']}" for item in found)


def _objects(cloud: Cloud) -> Iterator[str]:
    for bucket in cloud.buckets:
        found = cloud.pages("s3", "list_objects_v2", "Contents", Bucket=bucket)
        yield from (f"{bucket}/{item['Key']}" for item in found)


def _of_cluster(cloud: Cloud, operation: str, key: str) -> Iterator[str]:
    for cluster in cloud.clusters:
        yield from (f"{cluster}:{name}" for name in cloud.pages("eks", operation, key, clusterName=cluster))


def _listeners(cloud: Cloud) -> Iterator[str]:
    for balancer in cloud.load_balancers:
        yield from cloud.of(
            "elbv2", "describe_listeners", "Listeners", "ListenerArn", LoadBalancerArn=balancer
        )


def _attached_groups(cloud: Cloud) -> Iterator[str]:
    for group in cloud.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
        yield from (f"{group['AutoScalingGroupName']}-{arn}" for arn in group.get("TargetGroupARNs") or ())


def _route_tables(cloud: Cloud, *, associations: bool) -> Iterator[str]:
    """A VPC's main table comes and goes with the VPC."""
    for table in cloud.pages("ec2", "describe_route_tables", "RouteTables"):
        own = [a for a in table["Associations"] if not a.get("Main")]
        if len(own) == len(table["Associations"]):
            found = [a["RouteTableAssociationId"] for a in own] if associations else [table["RouteTableId"]]
            yield from found


def _security_groups(cloud: Cloud) -> Iterator[str]:
    """Without what comes with a VPC or a cluster, and goes with it."""
    for group in cloud.pages("ec2", "describe_security_groups", "SecurityGroups"):
        if group["GroupName"] != "default" and not group["GroupName"].startswith("eks-cluster-sg-"):
            yield group["GroupId"]


def _budgets(cloud: Cloud) -> Iterator[str]:
    account = cloud.client("sts").get_caller_identity()["Account"]
    for budget in cloud.pages("budgets", "describe_budgets", "Budgets", AccountId=account):
        yield f"{account}:{budget['BudgetName']}"


_CLOUD: Mapping[str, Callable[[Cloud], Iterable[str]]] = {
    "aws:lambda/function:Function": lambda cloud: cloud.functions,
    "aws:lambda/alias:Alias": _aliases,
    "aws:lambda/permission:Permission": _permissions,
    "aws:iam/role:Role": lambda cloud: cloud.roles,
    "aws:iam/rolePolicy:RolePolicy": _role_policies,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _attached_policies,
    "aws:cloudwatch/logGroup:LogGroup": lambda cloud: cloud.of(
        "logs", "describe_log_groups", "logGroups", "logGroupName"
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda cloud: cloud.of(
        "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"
    ),
    "aws:apigatewayv2/api:Api": lambda cloud: cloud.apis,
    "aws:apigatewayv2/integration:Integration": lambda cloud: _of_api(
        cloud, "get_integrations", "IntegrationId"
    ),
    "aws:apigatewayv2/route:Route": lambda cloud: _of_api(cloud, "get_routes", "RouteId"),
    "aws:apigatewayv2/stage:Stage": lambda cloud: _of_api(cloud, "get_stages", "StageName"),
    "aws:apigatewayv2/vpcLink:VpcLink": lambda cloud: cloud.of(
        "apigatewayv2", "get_vpc_links", "Items", "VpcLinkId"
    ),
    "aws:dynamodb/table:Table": lambda cloud: cloud.tables,
    "aws:dynamodb/tableItem:TableItem": _table_items,
    "aws:s3/bucket:Bucket": lambda cloud: cloud.buckets,
    "aws:s3/bucketObjectv2:BucketObjectv2": _objects,
    "aws:sns/topic:Topic": lambda cloud: cloud.of("sns", "list_topics", "Topics", "TopicArn"),
    "aws:sns/topicSubscription:TopicSubscription": lambda cloud: cloud.of(
        "sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"
    ),
    "aws:ec2/vpc:Vpc": lambda cloud: cloud.of("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "aws:ec2/subnet:Subnet": lambda cloud: cloud.of("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "aws:ec2/internetGateway:InternetGateway": lambda cloud: cloud.of(
        "ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/natGateway:NatGateway": lambda cloud: (
        gateway["NatGatewayId"]
        for gateway in cloud.pages("ec2", "describe_nat_gateways", "NatGateways")
        if gateway["State"] != "deleted"  # AWS shows it for an hour more
    ),
    "aws:ec2/eip:Eip": lambda cloud: cloud.of("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/routeTable:RouteTable": lambda cloud: _route_tables(cloud, associations=False),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": lambda cloud: _route_tables(
        cloud, associations=True
    ),
    "aws:ec2/securityGroup:SecurityGroup": _security_groups,
    "aws:ec2/launchTemplate:LaunchTemplate": lambda cloud: cloud.of(
        "ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"
    ),
    "aws:eks/cluster:Cluster": lambda cloud: cloud.clusters,
    "aws:eks/nodeGroup:NodeGroup": lambda cloud: _of_cluster(cloud, "list_nodegroups", "nodegroups"),
    "aws:eks/accessEntry:AccessEntry": lambda cloud: _of_cluster(
        cloud, "list_access_entries", "accessEntries"
    ),
    "aws:lb/loadBalancer:LoadBalancer": lambda cloud: cloud.load_balancers,
    "aws:lb/targetGroup:TargetGroup": lambda cloud: cloud.of(
        "elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"
    ),
    "aws:lb/listener:Listener": _listeners,
    "aws:autoscaling/attachment:Attachment": _attached_groups,
    "aws:budgets/budget:Budget": _budgets,
}
_CLUSTER = {
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": (
        "validatingadmissionpolicies.admissionregistration.k8s.io"
    ),
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": (
        "validatingadmissionpolicybindings.admissionregistration.k8s.io"
    ),
    "kubernetes:core/v1:Namespace": "namespaces",
    "kubernetes:core/v1:ConfigMap": "configmaps",
    "kubernetes:core/v1:Service": "services",
    "kubernetes:core/v1:Secret": "secrets",
    "kubernetes:apps/v1:Deployment": "deployments.apps",
    "kubernetes:apps/v1:DaemonSet": "daemonsets.apps",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": "networkpolicies.networking.k8s.io",
    "kubernetes:policy/v1:PodDisruptionBudget": "poddisruptionbudgets.policy",
}
# Parts of something listed: a service keeps them with it, refuses a second one alike, and drops them with it.
_PARTS = frozenset(
    {
        "aws:autoscaling/tag:Tag",
        "aws:ec2/route:Route",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    }
)
# Of the engine's own making: nothing stands behind them.
_OF_THE_ENGINE = ("pulumi:", "random:")
# Published with the function, and not a resource of its own.
_VERSIONS = "versions of functions"


def held(shell: Shell, *, cluster: bool) -> Held:
    """What the services say they hold."""
    cloud = Cloud(shell)
    found = {kind: set(listed(cloud)) for kind, listed in _CLOUD.items()}
    found[_VERSIONS] = set(_versions(cloud))
    if cluster:
        listed = shell.json("kubectl", "get", ",".join(_CLUSTER.values()), "-A", "-o", "json")["items"]
        found |= {kind: set() for kind in _CLUSTER}
        for item in listed:
            found[_type_of(item)].add(_id_of(item["metadata"]))
    return found


def known(states: Iterable[Mapping[str, Any]]) -> Held:
    """What exported states say there is, of the kinds that `held` lists."""
    found: Held = {kind: set() for kind in (*_CLOUD, *_CLUSTER, _VERSIONS)}
    for resource in (each for state in states for each in state["deployment"].get("resources") or ()):
        if resource["type"] in found:
            found[resource["type"]].add(resource["id"])
        if resource["type"] == "aws:lambda/function:Function":
            version = resource["outputs"]["version"]
            found[_VERSIONS] |= {f"{resource['id']}:{version}", f"{resource['id']}:$LATEST"}
    return found


def differences(states: Iterable[Mapping[str, Any]], now: Held, before: Held) -> list[str]:
    """Orphans, doubles and losses, one a line: what services and engine do not agree on."""
    states = list(states)
    expected = known(states)
    lines = [f"not looked for: {kind}" for kind in sorted(_unlisted(states))]
    for kind, found in now.items():
        new = found - before.get(kind, set())
        lines += [f"orphaned: {kind} {name}" for name in sorted(new - expected[kind])]
        lines += [f"missing: {kind} {name}" for name in sorted(expected[kind] - new)]
    return lines


def _unlisted(states: Iterable[Mapping[str, Any]]) -> set[str]:
    """Types of resources that a service has made and nobody asks it for."""
    return {
        resource["type"]
        for state in states
        for resource in state["deployment"].get("resources") or ()
        if resource.get("custom")
        and not resource.get("external")
        and not resource["type"].startswith(_OF_THE_ENGINE)
    }.difference(_CLOUD, _CLUSTER, _PARTS)


def _type_of(item: Mapping[str, Any]) -> str:
    version = str(item["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{item['kind']}"


def _id_of(metadata: Mapping[str, Any]) -> str:
    name = str(metadata["name"])
    if name in _OF_THE_CLUSTER:
        return name
    return f"{metadata['namespace']}/{name}" if "namespace" in metadata else name
