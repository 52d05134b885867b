"""EC2: networks, addresses, security groups, launch templates, placement and capacity."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.security_rules import (
    atoms,
    blocks_of,
    holds,
    permission_of_rule,
    permissions,
    protocol,
)
from sandbox.aws.provider.table.common import at_most_one, ec2_tags, every, exactly_one
from sandbox.aws.provider.table.model import (
    Autoname,
    Call,
    Do,
    Each,
    Entry,
    Find,
    Read,
    Scope,
    Template,
    Wait,
)
from sandbox.aws.provider.values import Bag

_BUSY = ("DependencyViolation",)


def _arn(kind: str) -> str:
    return f"arn:{{partition}}:ec2:{{region}}:{{account}}:{kind}/{{id}}"


def _attribute(operation: str, owner: str, prop: str, member: str) -> Call:
    """VPC and subnet attributes are changed one per call, each wrapped as `{"Value": …}`."""
    return Call(op=operation, args={owner: "{id}", member: {"Value": f"{{{prop}}}"}}, send=(), when=(prop,))


# -- VPC ---------------------------------------------------------------------------------------------


def _vpc_attribute(prop: str, member: str) -> Read:
    return Read(
        op="DescribeVpcAttribute",
        args={"VpcId": "{id}", "Attribute": prop},
        only=(),
        into={prop: f"{member}.Value"},
    )


def _of_vpc(operation: str, output: str, path: str, *filters: tuple[str, str]) -> Read:
    """What EC2 makes along with a VPC: its default group, its main route table, its default ACL."""
    wanted = [{"Name": "vpc-id", "Values": ["{id}"]}]
    wanted += [{"Name": name, "Values": [value]} for name, value in filters]
    return Read(op=operation, args={"Filters": wanted}, only=(), into={output: path})


VPC = Entry(
    token="aws:ec2/vpc:Vpc",
    service="ec2",
    id="{id}",
    create=Call(op="CreateVpc", keep={"id": "Vpc.VpcId"}),
    then=(
        _attribute("ModifyVpcAttribute", "VpcId", "enableDnsSupport", "EnableDnsSupport"),
        _attribute("ModifyVpcAttribute", "VpcId", "enableDnsHostnames", "EnableDnsHostnames"),
        _attribute(
            "ModifyVpcAttribute",
            "VpcId",
            "enableNetworkAddressUsageMetrics",
            "EnableNetworkAddressUsageMetrics",
        ),
        Call(op="ModifyVpcTenancy", args={"VpcId": "{id}"}, send=("instanceTenancy",), on="update"),
    ),
    read=(
        Read(op="DescribeVpcs", args={"VpcIds": ["{id}"]}, at="Vpcs[0]"),
        _vpc_attribute("enableDnsSupport", "EnableDnsSupport"),
        _vpc_attribute("enableDnsHostnames", "EnableDnsHostnames"),
        _vpc_attribute("enableNetworkAddressUsageMetrics", "EnableNetworkAddressUsageMetrics"),
        _of_vpc(
            "DescribeNetworkAcls", "defaultNetworkAclId", "NetworkAcls[0].NetworkAclId", ("default", "true")
        ),
        _of_vpc(
            "DescribeSecurityGroups",
            "defaultSecurityGroupId",
            "SecurityGroups[?GroupName=='default'] | [0].GroupId",
            ("group-name", "default"),
        ),
        _of_vpc(
            "DescribeRouteTables",
            "mainRouteTableId",
            "RouteTables[?Associations[?Main]] | [0].RouteTableId",
            ("association.main", "true"),
        ),
    ),
    delete=(Call(op="DeleteVpc", args={"VpcId": "{id}"}, send=(), retry=_BUSY),),
    tags=ec2_tags("vpc"),
    replace=("cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength"),
    replace_if=lambda old, new: (
        ("instanceTenancy",)
        if old.get("instanceTenancy") == "default" and new.get("instanceTenancy") == "dedicated"
        else ()
    ),
    defaults={"enableDnsSupport": True, "instanceTenancy": "default"},
    computed=(
        "cidrBlock",
        "enableDnsHostnames",
        "enableNetworkAddressUsageMetrics",
        "ipv6CidrBlock",
        "ipv6CidrBlockNetworkBorderGroup",
    ),
    write_only=("ipv4IpamPoolId", "ipv4NetmaskLength"),
    refused=(
        "assignGeneratedIpv6CidrBlock",
        "ipv6CidrBlock",
        "ipv6CidrBlockNetworkBorderGroup",
        "ipv6IpamPoolId",
        "ipv6NetmaskLength",
    ),
    derive={
        "arn": _arn("vpc"),
        "ownerId": "{account}",
        "defaultRouteTableId": "{mainRouteTableId}",
    },
    missing=("InvalidVpcID.NotFound",),
    emulator_gaps={
        "enableNetworkAddressUsageMetrics": "ModifyVpcAttribute takes it, DescribeVpcAttribute says false",
    },
    find=Find(op="DescribeVpcs", items="Vpcs", resource_id="VpcId", match={"CidrBlock": "{cidrBlock}"}),
)

SUBNET = Entry(
    token="aws:ec2/subnet:Subnet",
    service="ec2",
    id="{id}",
    create=Call(op="CreateSubnet", keep={"id": "Subnet.SubnetId"}),
    names={"arn": "SubnetArn"},
    then=(
        _attribute("ModifySubnetAttribute", "SubnetId", "mapPublicIpOnLaunch", "MapPublicIpOnLaunch"),
        _attribute(
            "ModifySubnetAttribute", "SubnetId", "assignIpv6AddressOnCreation", "AssignIpv6AddressOnCreation"
        ),
        _attribute("ModifySubnetAttribute", "SubnetId", "enableDns64", "EnableDns64"),
        _attribute(
            "ModifySubnetAttribute",
            "SubnetId",
            "enableResourceNameDnsARecordOnLaunch",
            "EnableResourceNameDnsARecordOnLaunch",
        ),
        Call(
            op="ModifySubnetAttribute",
            args={"SubnetId": "{id}"},
            send=("privateDnsHostnameTypeOnLaunch",),
        ),
    ),
    read=(
        Read(
            op="DescribeSubnets",
            args={"SubnetIds": ["{id}"]},
            at="Subnets[0]",
            into={
                "privateDnsHostnameTypeOnLaunch": "PrivateDnsNameOptionsOnLaunch.HostnameType",
                "enableResourceNameDnsARecordOnLaunch": (
                    "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord"
                ),
                "ipv6CidrBlock": "Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock",
                "ipv6CidrBlockAssociationId": "Ipv6CidrBlockAssociationSet[0].AssociationId",
            },
        ),
    ),
    delete=(Call(op="DeleteSubnet", args={"SubnetId": "{id}"}, send=(), retry=_BUSY),),
    tags=ec2_tags("subnet"),
    replace=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6Native", "outpostArn"),
    identity=("vpcId", "cidrBlock"),
    defaults={
        "mapPublicIpOnLaunch": False,
        "assignIpv6AddressOnCreation": False,
        "enableDns64": False,
        "enableResourceNameDnsARecordOnLaunch": False,
    },
    computed=("availabilityZone", "availabilityZoneId", "privateDnsHostnameTypeOnLaunch", "ipv6CidrBlock"),
    refused=("ipv4IpamPoolId", "ipv4NetmaskLength", "ipv6CidrBlock", "ipv6IpamPoolId", "ipv6NetmaskLength"),
    derive={"ownerId": "{account}", "arn": _arn("subnet")},
    missing=("InvalidSubnetID.NotFound",),
    emulator_gaps=dict.fromkeys(
        ("assignIpv6AddressOnCreation", "enableDns64"),
        "ModifySubnetAttribute takes it, DescribeSubnets says false",
    ),
    find=Find(
        op="DescribeSubnets",
        items="Subnets",
        resource_id="SubnetId",
        match={"VpcId": "{vpcId}", "CidrBlock": "{cidrBlock}"},
    ),
    rules=at_most_one("availabilityZone", "availabilityZoneId"),
)


# -- gateways, addresses -----------------------------------------------------------------------------


def _attach_gateway(scope: Scope) -> None:
    _detach_gateway(scope)
    if scope.inputs.get("vpcId"):
        scope.call("AttachInternetGateway", InternetGatewayId=scope.resource_id, VpcId=scope.inputs["vpcId"])


def _detach_gateway(scope: Scope) -> None:
    attached = scope.pages(
        "DescribeInternetGateways",
        "InternetGateways[].Attachments[].VpcId",
        InternetGatewayIds=[scope.resource_id],
    )
    for vpc in attached:
        scope.call("DetachInternetGateway", InternetGatewayId=scope.resource_id, VpcId=vpc)


INTERNET_GATEWAY = Entry(
    token="aws:ec2/internetGateway:InternetGateway",
    service="ec2",
    id="{id}",
    create=Call(op="CreateInternetGateway", send=(), keep={"id": "InternetGateway.InternetGatewayId"}),
    then=(Do(run=_attach_gateway, uses=("vpcId",)),),
    read=(
        Read(
            op="DescribeInternetGateways",
            args={"InternetGatewayIds": ["{id}"]},
            at="InternetGateways[0]",
            into={"vpcId": "Attachments[0].VpcId"},
        ),
    ),
    delete=(
        Do(run=_detach_gateway),
        Call(op="DeleteInternetGateway", args={"InternetGatewayId": "{id}"}, send=(), retry=_BUSY),
    ),
    tags=ec2_tags("internet-gateway"),
    computed=("vpcId",),
    derive={"arn": _arn("internet-gateway"), "ownerId": "{account}"},
    missing=("InvalidInternetGatewayID.NotFound",),
    find=Find(op="DescribeInternetGateways", items="InternetGateways", resource_id="InternetGatewayId"),
)

EIP = Entry(
    token="aws:ec2/eip:Eip",
    service="ec2",
    id="{id}",
    create=Call(
        op="AllocateAddress",
        send=("domain", "networkBorderGroup", "publicIpv4Pool", "address"),
        keep={"id": "AllocationId"},
    ),
    then=(
        Call(
            op="AssociateAddress",
            args={
                "AllocationId": "{id}",
                "InstanceId": "{instance}",
                "NetworkInterfaceId": "{networkInterface}",
                "PrivateIpAddress": "{associateWithPrivateIp}",
                "AllowReassociation": True,
            },
            send=(),
            unset=Call(op="DisassociateAddress", args={"AssociationId": "{associationId}"}, send=()),
        ),
    ),
    read=(
        Read(
            op="DescribeAddresses",
            args={"AllocationIds": ["{id}"]},
            at="Addresses[0]",
            into={
                "instance": "InstanceId",
                "networkInterface": "NetworkInterfaceId",
                "privateIp": "PrivateIpAddress",
            },
        ),
    ),
    delete=(
        Call(
            op="DisassociateAddress",
            args={"AssociationId": "{associationId}"},
            send=(),
            when=("associationId",),
            accept=("InvalidAssociationID.NotFound",),
        ),
        Call(op="ReleaseAddress", args={"AllocationId": "{id}"}, send=(), retry=("InvalidIPAddress.InUse",)),
    ),
    tags=ec2_tags("elastic-ip"),
    replace=("address", "domain", "networkBorderGroup", "publicIpv4Pool"),
    computed=(
        "address",
        "domain",
        "instance",
        "networkInterface",
        "networkBorderGroup",
        "publicIpv4Pool",
    ),
    write_only=("associateWithPrivateIp", "address"),
    derive={
        "arn": _arn("elastic-ip"),
        "publicDns": lambda s: _public_dns(s.state.get("publicIp"), s.region),
        "privateDns": lambda s: _private_dns(s.state.get("privateIp"), s.region),
        "allocationId": "{id}",
    },
    missing=("InvalidAllocationID.NotFound", "InvalidAllocationID"),
    find=Find(op="DescribeAddresses", items="Addresses", resource_id="AllocationId"),
    rules=at_most_one("instance", "networkInterface"),
)


def _public_dns(address: str | None, region: str) -> str | None:
    if not address:
        return None
    zone = "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"
    return f"ec2-{address.replace('.', '-')}.{zone}"


def _private_dns(address: str | None, region: str) -> str | None:
    if not address:
        return None
    zone = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{zone}"


NAT_GATEWAY = Entry(
    token="aws:ec2/natGateway:NatGateway",
    service="ec2",
    id="{id}",
    create=Call(
        op="CreateNatGateway",
        keep={"id": "NatGateway.NatGatewayId"},
        retry=("InvalidSubnetID.NotFound", "InvalidAllocationID.NotFound"),
    ),
    names={"privateIp": "PrivateIpAddress"},
    refused=(
        "availabilityMode",
        "availabilityZoneAddresses",
        "secondaryAllocationIds",
        "secondaryPrivateIpAddresses",
        "vpcId",
    ),
    read=(
        Read(
            op="DescribeNatGateways",
            args={"NatGatewayIds": ["{id}"]},
            at="NatGateways[?State!='deleted'] | [0]",
            into={
                "allocationId": "NatGatewayAddresses[0].AllocationId",
                "associationId": "NatGatewayAddresses[0].AssociationId",
                "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
                "privateIp": "NatGatewayAddresses[0].PrivateIp",
                "publicIp": "NatGatewayAddresses[0].PublicIp",
            },
        ),
    ),
    delete=(Call(op="DeleteNatGateway", args={"NatGatewayId": "{id}"}, send=()),),
    gone=600,
    ready=Wait(
        op="DescribeNatGateways",
        args={"NatGatewayIds": ["{id}"]},
        path="NatGateways[0].State",
        until=("available",),
        fail=("failed", "deleted"),
        why="NatGateways[0].FailureMessage",
    ),
    tags=ec2_tags("natgateway"),
    replace=(
        "allocationId",
        "connectivityType",
        "privateIp",
        "secondaryPrivateIpAddressCount",
        "subnetId",
    ),
    defaults={"connectivityType": "public"},
    computed=(
        "privateIp",
        "secondaryPrivateIpAddressCount",
        "secondaryPrivateIpAddresses",
        "secondaryAllocationIds",
    ),
    missing=("NatGatewayNotFound", "InvalidNatGatewayID.NotFound"),
    emulator_gaps={
        "allocationId": "NatGatewayAddresses is always empty",
        "privateIp": "NatGatewayAddresses is always empty",
    },
    find=Find(
        op="DescribeNatGateways",
        items="NatGateways[?State!='deleted' && State!='deleting']",
        resource_id="NatGatewayId",
        match={"SubnetId": "{subnetId}"},
    ),
)


# -- routing -----------------------------------------------------------------------------------------

_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_TARGETS = (
    "carrierGatewayId",
    "coreNetworkArn",
    "egressOnlyGatewayId",
    "gatewayId",
    "localGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "odbNetworkArn",
    "transitGatewayId",
    "vpcEndpointId",
    "vpcPeeringConnectionId",
)
# The route of a table's own block names its destination differently from a route of its own.
_INLINE = {
    "DestinationCidrBlock": "{item.cidrBlock}",
    "DestinationIpv6CidrBlock": "{item.ipv6CidrBlock}",
    "DestinationPrefixListId": "{item.destinationPrefixListId}",
}
_TARGET_MEMBERS = {name: name[0].upper() + name[1:] for name in _TARGETS} | {
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId"
}


def _inline_routes(table: Any) -> list[Bag]:
    routes = []
    for route in table.get("Routes", ()):
        if route.get("Origin") == "CreateRoute":
            block = {
                "cidrBlock": route.get("DestinationCidrBlock"),
                "ipv6CidrBlock": route.get("DestinationIpv6CidrBlock"),
                "destinationPrefixListId": route.get("DestinationPrefixListId"),
            }
            block |= {name: route.get(member) for name, member in _TARGET_MEMBERS.items()}
            routes.append({name: value for name, value in block.items() if value})
    return routes


def _disassociate_all(scope: Scope) -> None:
    for association in scope.pages(
        "DescribeRouteTables",
        "RouteTables[].Associations[?!Main][].RouteTableAssociationId",
        RouteTableIds=[scope.resource_id],
    ):
        scope.call("DisassociateRouteTable", AssociationId=association)


ROUTE_TABLE = Entry(
    token="aws:ec2/routeTable:RouteTable",
    service="ec2",
    id="{id}",
    create=Call(op="CreateRouteTable", send=("vpcId",), keep={"id": "RouteTable.RouteTableId"}),
    then=(
        Each(
            prop="routes",
            add=Call(
                op="CreateRoute",
                args={
                    "RouteTableId": "{id}",
                    **_INLINE,
                    **{member: f"{{item.{name}}}" for name, member in _TARGET_MEMBERS.items()},
                },
                send=(),
            ),
            remove=Call(op="DeleteRoute", args={"RouteTableId": "{id}", **_INLINE}, send=()),
        ),
    ),
    read=(
        Read(
            op="DescribeRouteTables",
            args={"RouteTableIds": ["{id}"]},
            at="RouteTables[0]",
            into={"routes": _inline_routes},
        ),
    ),
    delete=(
        Do(run=_disassociate_all),
        Call(op="DeleteRouteTable", args={"RouteTableId": "{id}"}, send=(), retry=_BUSY),
    ),
    tags=ec2_tags("route-table"),
    replace=("vpcId",),
    computed=("routes", "propagatingVgws"),
    unordered=("routes",),
    derive={"arn": _arn("route-table"), "ownerId": "{account}"},
    missing=("InvalidRouteTableID.NotFound",),
    find=Find(
        op="DescribeRouteTables",
        items="RouteTables[?!(Associations[?Main])]",
        resource_id="RouteTableId",
        match={"VpcId": "{vpcId}"},
    ),
)


def _route_id(scope: Scope) -> str:
    destination = next(str(scope.get(name)) for name in _DESTINATIONS if scope.get(name))
    return f"r-{scope.get('routeTableId')}{zlib.crc32(destination.encode())}"


_DESTINATION_ARGS = {name[0].upper() + name[1:]: f"{{{name}}}" for name in _DESTINATIONS}

ROUTE = Entry(
    token="aws:ec2/route:Route",
    service="ec2",
    id=_route_id,
    create=Call(op="CreateRoute", names={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"}),
    then=(
        Call(
            op="ReplaceRoute",
            args={"RouteTableId": "{routeTableId}", **_DESTINATION_ARGS},
            send=_TARGETS,
            names={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"},
            on="update",
        ),
    ),
    empty=dict.fromkeys(_TARGETS),
    read=(
        Read(
            op="DescribeRouteTables",
            args={"RouteTableIds": ["{routeTableId}"]},
            at=(
                "RouteTables[0].Routes[?DestinationCidrBlock=='{destinationCidrBlock}'"
                " || DestinationIpv6CidrBlock=='{destinationIpv6CidrBlock}'"
                " || DestinationPrefixListId=='{destinationPrefixListId}'] | [0]"
            ),
        ),
    ),
    delete=(Call(op="DeleteRoute", args={"RouteTableId": "{routeTableId}", **_DESTINATION_ARGS}, send=()),),
    import_id="{routeTableId}_{destinationCidrBlock}",
    replace=("routeTableId", *_DESTINATIONS),
    identity=("routeTableId", *_DESTINATIONS),
    computed=("networkInterfaceId",),
    missing=("InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"),
    exists=("RouteAlreadyExists",),
    rules=every(exactly_one(*_DESTINATIONS), exactly_one(*_TARGETS)),
)


def _association(scope: Scope) -> str | None:
    """An association's id changes when the table does: ask for the present one."""
    attached = "association.subnet-id" if scope.get("subnetId") else "association.gateway-id"
    value = scope.get("subnetId") or scope.get("gatewayId")
    member = "SubnetId" if scope.get("subnetId") else "GatewayId"
    found = scope.pages(
        "DescribeRouteTables",
        f"RouteTables[].Associations[?{member}=='{value}'][].RouteTableAssociationId",
        Filters=[{"Name": attached, "Values": [value]}],
    )
    return str(found[0]) if found else None


def _drop_association(scope: Scope) -> None:
    found = _association(scope)
    if found:
        scope.call("DisassociateRouteTable", AssociationId=found)


def _associated(answer: Any, scope: Scope) -> Any:
    wanted = (scope.get("subnetId") or scope.lookup("subnetId"), scope.get("gatewayId"))
    for table in answer.get("RouteTables", ()):
        for association in table.get("Associations", ()):
            if association.get("RouteTableAssociationId") == scope.resource_id:
                return association
            if any(wanted) and (association.get("SubnetId"), association.get("GatewayId")) == wanted:
                return association
    return None


ROUTE_TABLE_ASSOCIATION = Entry(
    token="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    id="{id}",
    create=Call(op="AssociateRouteTable", keep={"id": "AssociationId"}),
    then=(
        Call(
            op="ReplaceRouteTableAssociation",
            args={"AssociationId": _association, "RouteTableId": "{routeTableId}"},
            send=(),
            on="update",
        ),
    ),
    read=(Read(op="DescribeRouteTables", at=_associated),),
    delete=(Do(run=_drop_association),),
    import_id="{subnetId}/{routeTableId}",
    found_id="RouteTableAssociationId",
    replace=("subnetId", "gatewayId"),
    identity=("subnetId", "gatewayId"),
    missing=("InvalidAssociationID.NotFound",),
    find=Find(
        op="DescribeRouteTables",
        items="RouteTables[].Associations[]",
        resource_id="RouteTableAssociationId",
        match={"SubnetId": "{subnetId}", "GatewayId": "{gatewayId}"},
    ),
    rules=exactly_one("subnetId", "gatewayId"),
)


# -- security groups ---------------------------------------------------------------------------------


def _each_rule(prop: str) -> Each:
    direction = prop.capitalize()
    members: dict[str, Template] = {
        "GroupId": "{id}",
        "IpPermissions": lambda s: permissions(s.lookup("item"), s),
    }
    return Each(
        prop=prop,
        add=Call(op=f"AuthorizeSecurityGroup{direction}", args=members, send=()),
        remove=Call(op=f"RevokeSecurityGroup{direction}", args=members, send=()),
    )


def _revoke_default_egress(scope: Scope) -> None:
    """EC2 opens a new group to everything outside; a group managed here has the rules that are written."""
    rules = scope.pages(
        "DescribeSecurityGroups", "SecurityGroups[].IpPermissionsEgress[]", GroupIds=[scope.resource_id]
    )
    if rules:
        scope.call("RevokeSecurityGroupEgress", GroupId=scope.resource_id, IpPermissions=rules)


def _revoke_all(scope: Scope) -> None:
    if not scope.get("revokeRulesOnDelete"):
        return
    for direction, member in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        rules = scope.pages(
            "DescribeSecurityGroups", f"SecurityGroups[].{member}[]", GroupIds=[scope.resource_id]
        )
        if rules:
            scope.call(f"RevokeSecurityGroup{direction}", GroupId=scope.resource_id, IpPermissions=rules)


# botocore's model has this in words alone: the letters of a description, of a group or of a rule in it.
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{0,255}")


def _description_failures(inputs: Bag) -> Iterable[Failure]:
    yield from _description_failure("description", inputs.get("description"))
    for direction in ("ingress", "egress"):
        blocks = inputs.get(direction)
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict):
                yield from _description_failure(f"{direction}[{index}].description", block.get("description"))


def _description_failure(where: str, text: Any) -> Iterable[Failure]:
    if isinstance(text, str) and not _DESCRIPTION.fullmatch(text):
        yield Failure(
            where, f"must be 255 letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$* at most; is {text!r}"
        )


SECURITY_GROUP = Entry(
    token="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    id="{id}",
    create=Call(op="CreateSecurityGroup", send=("name", "description", "vpcId"), keep={"id": "GroupId"}),
    names={"name": "GroupName"},
    then=(
        Do(run=_revoke_default_egress, on="create", always=True),
        _each_rule("ingress"),
        _each_rule("egress"),
    ),
    read=(
        Read(
            op="DescribeSecurityGroups",
            args={"GroupIds": ["{id}"]},
            at="SecurityGroups[0]",
            into={
                "ingress": lambda group: blocks_of(group.get("IpPermissions", ()), group["GroupId"]),
                "egress": lambda group: blocks_of(group.get("IpPermissionsEgress", ()), group["GroupId"]),
            },
        ),
    ),
    delete=(
        Do(run=_revoke_all, uses=("revokeRulesOnDelete",)),
        Call(op="DeleteSecurityGroup", args={"GroupId": "{id}"}, send=(), retry=_BUSY),
    ),
    tags=ec2_tags("security-group"),
    replace=("description", "name", "namePrefix", "vpcId"),
    identity=("name", "vpcId"),
    defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
    computed=("ingress", "egress", "vpcId"),
    unordered=("ingress", "egress"),
    normalise={"ingress": atoms, "egress": atoms},
    local=("revokeRulesOnDelete", "namePrefix"),
    autoname=Autoname(prefix_prop="namePrefix"),
    derive={"arn": _arn("security-group"), "ownerId": "{account}"},
    missing=("InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    exists=("InvalidGroup.Duplicate",),
    rules=_description_failures,
    find=Find(
        op="DescribeSecurityGroups",
        items="SecurityGroups",
        resource_id="GroupId",
        match={"GroupName": "{name}", "VpcId": "{vpcId}"},
    ),
)


def _rule_id(scope: Scope) -> str:
    body = json.dumps(permission_of_rule(scope), sort_keys=True) + str(scope.get("type"))
    return f"sgrule-{zlib.crc32((str(scope.get('securityGroupId')) + body).encode())}"


def _on_rule(verb: str) -> Do:
    """Rules go into and out of a group by what they say; the direction picks the operation."""

    def run(scope: Scope) -> None:
        scope.call(
            f"{verb}{str(scope.get('type')).capitalize()}",
            GroupId=scope.get("securityGroupId"),
            IpPermissions=[permission_of_rule(scope)],
        )

    return Do(run=run, uses=("description",), on="update")


def _rule_operation(scope: Scope) -> list[Bag]:
    return [permission_of_rule(scope)]


def _rule_there(answer: Any, scope: Scope) -> Any:
    member = "IpPermissions" if scope.get("type") == "ingress" else "IpPermissionsEgress"
    for group in answer.get("SecurityGroups", ()):
        if holds(group.get(member, ()), permission_of_rule(scope)):
            return {"GroupId": group["GroupId"]}
    return None


SECURITY_GROUP_RULE = Entry(
    token="aws:ec2/securityGroupRule:SecurityGroupRule",
    service="ec2",
    id=_rule_id,
    create=Call(
        op="AuthorizeSecurityGroupIngress",
        op_for={"egress": "AuthorizeSecurityGroupEgress"},
        op_by="type",
        args={"GroupId": "{securityGroupId}", "IpPermissions": _rule_operation},
        send=(),
        uses=("protocol", "description"),
    ),
    then=(_on_rule("UpdateSecurityGroupRuleDescriptions"),),
    emulator_gaps={"description": "UpdateSecurityGroupRuleDescriptions is not implemented"},
    read=(
        Read(
            op="DescribeSecurityGroups",
            args={"GroupIds": ["{securityGroupId}"]},
            at=_rule_there,
            only=(),
            into={"securityGroupId": "GroupId"},
        ),
    ),
    delete=(_on_rule("RevokeSecurityGroup"),),
    import_id="",
    replace=(
        "cidrBlocks",
        "fromPort",
        "ipv6CidrBlocks",
        "prefixListIds",
        "protocol",
        "securityGroupId",
        "self",
        "sourceSecurityGroupId",
        "toPort",
        "type",
    ),
    unordered=("cidrBlocks", "ipv6CidrBlocks", "prefixListIds"),
    computed=("sourceSecurityGroupId",),
    normalise={"protocol": protocol},
    missing=("InvalidGroup.NotFound",),
    exists=("InvalidPermission.Duplicate",),
    rules=_description_failures,
    delete_before_replace=True,
)


# -- launch templates --------------------------------------------------------------------------------

_DATA = (
    "blockDeviceMappings",
    "capacityReservationSpecification",
    "cpuOptions",
    "creditSpecification",
    "disableApiStop",
    "disableApiTermination",
    "ebsOptimized",
    "enclaveOptions",
    "hibernationOptions",
    "iamInstanceProfile",
    "imageId",
    "instanceInitiatedShutdownBehavior",
    "instanceMarketOptions",
    "instanceRequirements",
    "instanceType",
    "kernelId",
    "keyName",
    "licenseSpecifications",
    "maintenanceOptions",
    "metadataOptions",
    "monitoring",
    "networkInterfaces",
    "placement",
    "privateDnsNameOptions",
    "ramDiskId",
    "tagSpecifications",
    "userData",
)
_DATA_NAMES = {name: f"LaunchTemplateData.{name[0].upper()}{name[1:]}" for name in _DATA} | {
    "securityGroupNames": "LaunchTemplateData.SecurityGroups",
    "vpcSecurityGroupIds": "LaunchTemplateData.SecurityGroupIds",
}
_DATA_PROPERTIES = tuple(_DATA_NAMES)
_UNKEPT_DATA = (
    "capacityReservationSpecification",
    "cpuOptions",
    "instanceInitiatedShutdownBehavior",
    "instanceMarketOptions",
    "placement",
)


def _set_default_version(scope: Scope) -> None:
    wanted = scope.inputs.get("defaultVersion")
    if scope.inputs.get("updateDefaultVersion"):
        wanted = scope.pages(
            "DescribeLaunchTemplates",
            "LaunchTemplates[].LatestVersionNumber",
            LaunchTemplateIds=[scope.resource_id],
        )[0]
    if wanted:
        scope.call("ModifyLaunchTemplate", LaunchTemplateId=scope.resource_id, DefaultVersion=str(wanted))


def _whole_data(scope: Scope) -> Bag | None:
    """A launch template may be empty, but the member may not be absent."""
    return None if any(scope.inputs.get(name) for name in _DATA_PROPERTIES) else {}


def _template_failures(inputs: Bag) -> Iterable[Failure]:
    placement = inputs.get("placement")
    if isinstance(placement, dict) and placement.get("groupName") and placement.get("groupId"):
        yield Failure("placement.groupId", "cannot be set together with placement.groupName")


LAUNCH_TEMPLATE = Entry(
    token="aws:ec2/launchTemplate:LaunchTemplate",
    service="ec2",
    id="{id}",
    create=Call(
        op="CreateLaunchTemplate",
        args={
            "LaunchTemplateName": "{name}",
            "VersionDescription": "{description}",
            "LaunchTemplateData": _whole_data,
        },
        send=_DATA_PROPERTIES,
        keep={"id": "LaunchTemplate.LaunchTemplateId"},
    ),
    names={
        **_DATA_NAMES,
        "networkInterfaces.securityGroups": "Groups",
        "networkInterfaces.ipv4AddressCount": "SecondaryPrivateIpAddressCount",
        "latestVersion": "LatestVersionNumber",
        "defaultVersion": "DefaultVersionNumber",
        "name": "LaunchTemplateName",
    },
    then=(
        Call(
            op="CreateLaunchTemplateVersion",
            args={
                "LaunchTemplateId": "{id}",
                "VersionDescription": "{description}",
                "LaunchTemplateData": _whole_data,
            },
            send=_DATA_PROPERTIES,
            on="update",
        ),
        Do(
            run=_set_default_version,
            uses=("defaultVersion", "updateDefaultVersion", "description", *_DATA_PROPERTIES),
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeLaunchTemplates",
            args={"LaunchTemplateIds": ["{id}"]},
            at="LaunchTemplates[0]",
            only=("name", "latestVersion", "defaultVersion"),
        ),
        Read(
            op="DescribeLaunchTemplateVersions",
            args={"LaunchTemplateId": "{id}", "Versions": ["$Latest"]},
            at="LaunchTemplateVersions[0].LaunchTemplateData",
            only=_DATA_PROPERTIES,
            into={"description": "$.LaunchTemplateVersions[0].VersionDescription"},
        ),
    ),
    delete=(Call(op="DeleteLaunchTemplate", args={"LaunchTemplateId": "{id}"}, send=()),),
    tags=ec2_tags("launch-template"),
    replace=("name", "namePrefix"),
    identity=("name",),
    computed=("defaultVersion",),
    local=("updateDefaultVersion", "namePrefix"),
    unordered=("vpcSecurityGroupIds", "securityGroupNames", "tagSpecifications"),
    autoname=Autoname(longest=128, prefix_prop="namePrefix"),
    empty=dict.fromkeys(_DATA_PROPERTIES),
    volatile={
        "latestVersion": (*_DATA_PROPERTIES, "description"),
        "defaultVersion": (*_DATA_PROPERTIES, "updateDefaultVersion"),
    },
    derive={"arn": _arn("launch-template")},
    missing=(
        "InvalidLaunchTemplateId.NotFound",
        "InvalidLaunchTemplateId.NotFoundException",
        "InvalidLaunchTemplateName.NotFoundException",
    ),
    emulator_gaps={
        **dict.fromkeys(_UNKEPT_DATA, "taken, and left out of DescribeLaunchTemplateVersions"),
        "networkInterfaces": "interfaceType and networkCardIndex are taken and not shown",
        "tags": "CreateTags is taken, and DescribeLaunchTemplates shows the tags of the create for ever",
    },
    exists=("InvalidLaunchTemplateName.AlreadyExistsException",),
    find=Find(
        op="DescribeLaunchTemplates",
        items="LaunchTemplates",
        resource_id="LaunchTemplateId",
        match={"LaunchTemplateName": "{name}"},
    ),
    rules=_template_failures,
)


# -- VPC endpoint ------------------------------------------------------------------------------------


def _endpoint_change(scope: Scope) -> None:
    """What an endpoint is attached to changes by additions and removals."""
    members: Bag = {}
    for name, add, remove in (
        ("routeTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
        ("subnetIds", "AddSubnetIds", "RemoveSubnetIds"),
        ("securityGroupIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"),
    ):
        old, new = set(scope.state.get(name) or ()), set(scope.inputs.get(name) or ())
        members |= {add: sorted(new - old) or None, remove: sorted(old - new) or None}
    changed = scope.lookup("changed")
    if "policy" in changed:
        policy = scope.inputs.get("policy")
        members |= {"PolicyDocument": policy} if policy else {"ResetPolicy": True}
    if "privateDnsEnabled" in changed:
        members["PrivateDnsEnabled"] = bool(scope.inputs.get("privateDnsEnabled"))
    if "ipAddressType" in changed:
        members["IpAddressType"] = scope.inputs.get("ipAddressType")
    scope.call("ModifyVpcEndpoint", VpcEndpointId=scope.resource_id, **members)


_ENDPOINT_CHANGES = (
    "ipAddressType",
    "policy",
    "privateDnsEnabled",
    "routeTableIds",
    "securityGroupIds",
    "subnetIds",
)

VPC_ENDPOINT = Entry(
    token="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    id="{id}",
    create=Call(
        op="CreateVpcEndpoint",
        args={"PolicyDocument": "{policy}"},
        keep={"id": "VpcEndpoint.VpcEndpointId"},
    ),
    names={"routeTableIds": "RouteTableIds", "securityGroupIds": "SecurityGroupIds"},
    then=(Do(run=_endpoint_change, uses=_ENDPOINT_CHANGES, on="update"),),
    read=(
        Read(
            op="DescribeVpcEndpoints",
            args={"VpcEndpointIds": ["{id}"]},
            at="VpcEndpoints[?State!='deleted'] | [0]",
            into={"policy": "PolicyDocument", "securityGroupIds": "Groups[].GroupId"},
        ),
    ),
    delete=(Call(op="DeleteVpcEndpoints", args={"VpcEndpointIds": ["{id}"]}, send=()),),
    gone=600,
    ready=Wait(
        op="DescribeVpcEndpoints",
        args={"VpcEndpointIds": ["{id}"]},
        path="VpcEndpoints[0].State",
        until=("available", "pendingAcceptance"),
        fail=("failed", "rejected", "expired"),
        why="VpcEndpoints[0].LastError.Message",
    ),
    tags=ec2_tags("vpc-endpoint"),
    replace=(
        "resourceConfigurationArn",
        "serviceName",
        "serviceNetworkArn",
        "serviceRegion",
        "vpcEndpointType",
        "vpcId",
    ),
    refused=("dnsOptions", "subnetConfigurations"),
    defaults={"vpcEndpointType": "Gateway"},
    computed=(
        "dnsOptions",
        "ipAddressType",
        "policy",
        "routeTableIds",
        "securityGroupIds",
        "serviceRegion",
        "subnetConfigurations",
        "subnetIds",
    ),
    policies=("policy",),
    unordered=("routeTableIds", "securityGroupIds", "subnetIds"),
    derive={"arn": _arn("vpc-endpoint"), "ownerId": "{account}"},
    missing=("InvalidVpcEndpointId.NotFound",),
    emulator_gaps={
        "policy": "taken, and not shown by DescribeVpcEndpoints",
        "privateDnsEnabled": "taken, and not shown by DescribeVpcEndpoints",
        "securityGroupIds": "taken, and not shown by DescribeVpcEndpoints",
    },
    find=Find(
        op="DescribeVpcEndpoints",
        items="VpcEndpoints[?State!='deleted' && State!='deleting']",
        resource_id="VpcEndpointId",
        match={"VpcId": "{vpcId}", "ServiceName": "{serviceName}"},
    ),
    rules=exactly_one("resourceConfigurationArn", "serviceName", "serviceNetworkArn"),
)


# -- placement, capacity -----------------------------------------------------------------------------

PLACEMENT_GROUP = Entry(
    token="aws:ec2/placementGroup:PlacementGroup",
    service="ec2",
    id="{name}",
    create=Call(op="CreatePlacementGroup", keep={"placementGroupId": "PlacementGroup.GroupId"}),
    names={"name": "GroupName", "placementGroupId": "GroupId", "arn": "GroupArn"},
    read=(Read(op="DescribePlacementGroups", args={"GroupNames": ["{id}"]}, at="PlacementGroups[0]"),),
    delete=(
        Call(
            op="DeletePlacementGroup",
            args={"GroupName": "{id}"},
            send=(),
            retry=("InvalidPlacementGroup.InUse",),
        ),
    ),
    tags=ec2_tags("placement-group", owner="{placementGroupId}"),
    replace=("name", "partitionCount", "spreadLevel", "strategy"),
    identity=("name",),
    computed=("partitionCount", "spreadLevel"),
    autoname=Autoname(),
    derive={"arn": "arn:{partition}:ec2:{region}:{account}:placement-group/{name}"},
    missing=("InvalidPlacementGroup.Unknown",),
    exists=("InvalidPlacementGroup.Duplicate",),
)

CAPACITY_RESERVATION = Entry(
    token="aws:ec2/capacityReservation:CapacityReservation",
    service="ec2",
    id="{id}",
    create=Call(op="CreateCapacityReservation", keep={"id": "CapacityReservation.CapacityReservationId"}),
    names={"arn": "CapacityReservationArn", "instanceCount": "InstanceCount"},
    then=(
        Call(
            op="ModifyCapacityReservation",
            args={"CapacityReservationId": "{id}"},
            send=("instanceCount", "endDate", "endDateType"),
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeCapacityReservations",
            args={"CapacityReservationIds": ["{id}"]},
            at="CapacityReservations[?State!='cancelled' && State!='expired'] | [0]",
            into={"instanceCount": "TotalInstanceCount"},
        ),
    ),
    delete=(Call(op="CancelCapacityReservation", args={"CapacityReservationId": "{id}"}, send=()),),
    ready=Wait(
        op="DescribeCapacityReservations",
        args={"CapacityReservationIds": ["{id}"]},
        path="CapacityReservations[0].State",
        until=("active",),
        fail=("failed", "cancelled", "expired"),
    ),
    tags=ec2_tags("capacity-reservation"),
    replace=(
        "availabilityZone",
        "ebsOptimized",
        "ephemeralStorage",
        "instanceMatchCriteria",
        "instancePlatform",
        "instanceType",
        "tenancy",
    ),
    defaults={
        "ebsOptimized": False,
        "endDateType": "unlimited",
        "ephemeralStorage": False,
        "instanceMatchCriteria": "open",
        "tenancy": "default",
    },
    refused=("outpostArn", "placementGroupArn"),
    derive={"ownerId": "{account}"},
    emulator_gaps={"*": "CreateCapacityReservation is not implemented: only what exists can be referred to"},
    missing=("InvalidCapacityReservationId.NotFound",),
    find=Find(
        op="DescribeCapacityReservations",
        items="CapacityReservations[?State!='cancelled']",
        resource_id="CapacityReservationId",
        match={"InstanceType": "{instanceType}", "AvailabilityZone": "{availabilityZone}"},
    ),
)

ENTRIES = (
    VPC,
    SUBNET,
    INTERNET_GATEWAY,
    EIP,
    NAT_GATEWAY,
    ROUTE_TABLE,
    ROUTE,
    ROUTE_TABLE_ASSOCIATION,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    LAUNCH_TEMPLATE,
    VPC_ENDPOINT,
    PLACEMENT_GROUP,
    CAPACITY_RESERVATION,
)
