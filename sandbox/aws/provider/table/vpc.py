"""VPC: security group rules that are resources of their own, one source each."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.security_rules import protocol
from sandbox.aws.provider.table.common import ec2_tags, exactly_one, pairs
from sandbox.aws.provider.table.model import Call, Entry, Find, Read, Scope, Tags
from sandbox.aws.provider.values import Bag

_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
_UNTAGGED = ec2_tags("security-group-rule")


def _permission(scope: Scope) -> list[Bag]:
    """The one rule, in the form that authorising takes."""
    described = {"Description": scope.inputs["description"]} if scope.inputs.get("description") else {}
    sources = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    rule: Bag = {"IpProtocol": protocol(scope.inputs["ipProtocol"])}
    for name, member in (("fromPort", "FromPort"), ("toPort", "ToPort")):
        if scope.inputs.get(name) is not None:
            rule[member] = scope.inputs[name]
    for name, (member, key) in sources.items():
        if scope.inputs.get(name):
            rule[member] = [{key: scope.inputs[name], **described}]
    return [rule]


def _modified(scope: Scope) -> list[Bag]:
    rule = {
        "IpProtocol": protocol(scope.inputs["ipProtocol"]),
        "FromPort": scope.inputs.get("fromPort"),
        "ToPort": scope.inputs.get("toPort"),
        "CidrIpv4": scope.inputs.get("cidrIpv4"),
        "CidrIpv6": scope.inputs.get("cidrIpv6"),
        "PrefixListId": scope.inputs.get("prefixListId"),
        "ReferencedGroupId": scope.inputs.get("referencedSecurityGroupId"),
        "Description": scope.inputs.get("description"),
    }
    kept = {name: value for name, value in rule.items() if value is not None}
    return [{"SecurityGroupRuleId": scope.resource_id, "SecurityGroupRule": kept}]


def _port(member: str) -> Any:
    """A rule for every protocol has no ports; EC2 writes -1."""
    return lambda rule: None if rule.get("IpProtocol") == "-1" else rule.get(member)


def _rule(direction: str) -> Entry:
    name = f"SecurityGroup{direction}Rule"
    return Entry(
        token=f"aws:vpc/securityGroup{direction}Rule:{name}",
        service="ec2",
        id="{id}",
        create=Call(
            op=f"AuthorizeSecurityGroup{direction}",
            args={"GroupId": "{securityGroupId}", "IpPermissions": _permission},
            send=(),
            uses=(*_SOURCES, "description", "fromPort", "ipProtocol", "toPort"),
            keep={"id": "SecurityGroupRules[0].SecurityGroupRuleId"},
        ),
        then=(
            Call(
                op="ModifySecurityGroupRules",
                args={"GroupId": "{securityGroupId}", "SecurityGroupRules": _modified},
                send=(),
                uses=(*_SOURCES, "description", "fromPort", "ipProtocol", "toPort"),
                on="update",
            ),
        ),
        read=(
            Read(
                op="DescribeSecurityGroupRules",
                args={"SecurityGroupRuleIds": ["{id}"]},
                at="SecurityGroupRules[0]",
                only=(
                    "cidrIpv4",
                    "cidrIpv6",
                    "description",
                    "ipProtocol",
                    "prefixListId",
                    "securityGroupRuleId",
                ),
                into={
                    "fromPort": _port("FromPort"),
                    "toPort": _port("ToPort"),
                    "securityGroupId": "GroupId",
                    "referencedSecurityGroupId": "ReferencedGroupInfo.GroupId",
                },
            ),
        ),
        delete=(
            Call(
                op=f"RevokeSecurityGroup{direction}",
                args={"GroupId": "{securityGroupId}", "SecurityGroupRuleIds": ["{id}"]},
                send=(),
            ),
        ),
        tags=Tags(
            create=lambda tags: {
                "TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": pairs(tags)}]
            },
            read="Tags",
            change=_UNTAGGED.change,
            remove=_UNTAGGED.remove,
            style="Key",
            remove_pairs=True,
        ),
        replace=("securityGroupId",),
        emulator_gaps={
            "referencedSecurityGroupId": "ModifySecurityGroupRules keeps the source it was made with"
        },
        normalise={"ipProtocol": protocol},
        derive={
            "arn": "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}",
            "securityGroupRuleId": "{id}",
        },
        missing=("InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"),
        exists=("InvalidPermission.Duplicate",),
        find=Find(
            op="DescribeSecurityGroupRules",
            args={"Filters": [{"Name": "group-id", "Values": ["{securityGroupId}"]}]},
            items=f"SecurityGroupRules[?IsEgress==`{'true' if direction == 'Egress' else 'false'}`]",
            resource_id="SecurityGroupRuleId",
            match={
                "CidrIpv4": "{cidrIpv4}",
                "CidrIpv6": "{cidrIpv6}",
                "FromPort": "{fromPort}",
                "ToPort": "{toPort}",
                "ReferencedGroupInfo.GroupId": "{referencedSecurityGroupId}",
            },
        ),
        rules=exactly_one(*_SOURCES),
    )


ENTRIES = (_rule("Ingress"), _rule("Egress"))
