"""The VPC: a public and a private subnet in every zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final, Literal

import pulumi
from pulumi_aws import ec2

from components.base import Component

_EVERYWHERE: Final = "0.0.0.0/0"

# 16 blocks: private subnets in the first eight, public ones in the others, each at its zone's letter.
_BLOCK_BITS: Final = 4
_NARROWEST: Final = 28

# What nodes must reach when nothing leaves the network: themselves described, images, tokens, the cluster.
_INTERFACES: Final = ("ec2", "ecr.api", "ecr.dkr", "sts", "eks", "logs")


@dataclass(frozen=True)
class NetworkArgs:
    """Where, how large, and what may leave."""

    region: str
    cidr: IPv4Network
    zones: tuple[str, ...]
    nat: Literal["none", "single", "per-zone"]


@dataclass(frozen=True)
class SubnetPlan:
    """The address blocks of one zone."""

    private: IPv4Network
    public: IPv4Network


def plan(cidr: IPv4Network, zones: tuple[str, ...]) -> dict[str, SubnetPlan]:
    """Blocks by zone. A zone's letter chooses its blocks, so that adding a zone moves no other one.

    A network too small for 16 subnets is packed in the order of the zones: there, adding one does.
    """
    if cidr.prefixlen + _BLOCK_BITS <= _NARROWEST:
        blocks = list(cidr.subnets(prefixlen_diff=_BLOCK_BITS))
        half = len(blocks) // 2
        places = {zone: (ord(zone[-1]) - ord("a")) % half for zone in zones}
    else:
        blocks = list(cidr.subnets(prefixlen_diff=(2 * len(zones) - 1).bit_length()))
        half = len(blocks) // 2
        places = {zone: place for place, zone in enumerate(sorted(zones))}
    return {zone: SubnetPlan(blocks[place], blocks[half + place]) for zone, place in places.items()}


class Network(Component):
    """A VPC for a cluster.

    Creates: the VPC; in each zone a public subnet, a private subnet and the private one's route table; an
    internet gateway and a route to it for the public ones; by choice one NAT gateway, or one a zone, each
    with its address; without any, endpoints for the services that nodes cannot do without.
    """

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        blocks = plan(args.cidr, args.zones)
        self._cidr = str(args.cidr)
        self._vpc = ec2.Vpc(
            self.child("vpc"),
            cidr_block=self._cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": name},
            opts=self.options(),
        )
        self._ways_out: list[pulumi.Resource] = []
        self._internet = ec2.InternetGateway(
            self.child("internet"), vpc_id=self._vpc.id, tags={"Name": name}, opts=self.options()
        )
        public_table = self._create_public_table()
        self._public = {
            zone: self._create_public_subnet(zone, block.public, public_table)
            for zone, block in blocks.items()
        }
        gateways = self._create_nat(args)
        tables = {zone: self._create_private_table(zone, gateways) for zone in args.zones}
        self._private = {
            zone: self._create_private_subnet(zone, block.private, tables[zone])
            for zone, block in blocks.items()
        }
        if args.nat == "none":
            self._create_endpoints(args.region, list(tables.values()))
        self.register_outputs({"vpc_id": self.vpc_id})

    @property
    def vpc_id(self) -> pulumi.Output[str]:
        return self._vpc.id

    @property
    def private_subnet_ids(self) -> dict[str, pulumi.Output[str]]:
        """By zone."""
        return {zone: subnet.id for zone, subnet in self._private.items()}

    @property
    def ways_out(self) -> list[pulumi.Resource]:
        """By which what is in the private subnets reaches what is outside them."""
        return self._ways_out

    def _create_public_table(self) -> ec2.RouteTable:
        table = ec2.RouteTable(
            self.child("public"),
            vpc_id=self._vpc.id,
            tags={"Name": self.child("public")},
            opts=self.options(),
        )
        out = ec2.Route(
            self.child("public-out"),
            route_table_id=table.id,
            destination_cidr_block=_EVERYWHERE,
            gateway_id=self._internet.id,
            opts=self.options(),
        )
        self._ways_out.append(out)
        return table

    def _create_public_subnet(self, zone: str, block: IPv4Network, table: ec2.RouteTable) -> ec2.Subnet:
        # Nothing gets a public address by being put here; load balancers and NAT gateways bring their own.
        return self._create_subnet("public", zone, block, table, {"kubernetes.io/role/elb": "1"})

    def _create_private_subnet(self, zone: str, block: IPv4Network, table: ec2.RouteTable) -> ec2.Subnet:
        return self._create_subnet("private", zone, block, table, {"kubernetes.io/role/internal-elb": "1"})

    def _create_subnet(
        self, kind: str, zone: str, block: IPv4Network, table: ec2.RouteTable, tags: Mapping[str, str]
    ) -> ec2.Subnet:
        name = self.child(f"{kind}-{zone}")
        subnet = ec2.Subnet(
            name,
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=str(block),
            tags={"Name": name, **tags},
            opts=self.options(),
        )
        joined = ec2.RouteTableAssociation(
            f"{name}-routes", subnet_id=subnet.id, route_table_id=table.id, opts=self.options()
        )
        self._ways_out.append(joined)
        return subnet

    def _create_nat(self, args: NetworkArgs) -> dict[str, ec2.NatGateway]:
        """Gateways by the zone whose traffic they take."""
        if args.nat == "none":
            return {}
        if args.nat == "single":
            only = self._create_nat_gateway(min(args.zones))
            return dict.fromkeys(args.zones, only)
        return {zone: self._create_nat_gateway(zone) for zone in args.zones}

    def _create_nat_gateway(self, zone: str) -> ec2.NatGateway:
        tags = {"Name": self.child(f"nat-{zone}")}
        address = ec2.Eip(self.child(f"nat-{zone}-address"), domain="vpc", tags=tags, opts=self.options())
        return ec2.NatGateway(
            self.child(f"nat-{zone}"),
            allocation_id=address.id,
            subnet_id=self._public[zone].id,
            tags=tags,
            # The internet gateway cannot go while an address behind it is in use.
            opts=self.options(depends_on=[self._internet]),
        )

    def _create_private_table(self, zone: str, gateways: Mapping[str, ec2.NatGateway]) -> ec2.RouteTable:
        name = self.child(f"private-{zone}-table")
        table = ec2.RouteTable(name, vpc_id=self._vpc.id, tags={"Name": name}, opts=self.options())
        if zone in gateways:
            out = ec2.Route(
                self.child(f"private-{zone}-out"),
                route_table_id=table.id,
                destination_cidr_block=_EVERYWHERE,
                nat_gateway_id=gateways[zone].id,
                opts=self.options(),
            )
            self._ways_out.append(out)
        return table

    def _create_endpoints(self, region: str, tables: list[ec2.RouteTable]) -> None:
        to_s3 = ec2.VpcEndpoint(
            self.child("to-s3"),
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            opts=self.options(),
        )
        self._ways_out.append(to_s3)
        inside = ec2.SecurityGroup(
            self.child("endpoints"),
            vpc_id=self._vpc.id,
            description="HTTPS from inside the network to the endpoints of AWS services",
            ingress=[{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": [self._cidr]}],
            opts=self.options(),
        )
        for service in _INTERFACES:
            to_service = ec2.VpcEndpoint(
                self.child(f"to-{service.replace('.', '-')}"),
                vpc_id=self._vpc.id,
                service_name=f"com.amazonaws.{region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in self._private.values()],
                security_group_ids=[inside.id],
                opts=self.options(),
            )
            self._ways_out.append(to_service)
