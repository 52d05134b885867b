"""The way from API Gateway to the gateway in the cluster, inside AWS and past every function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_aws import apigatewayv2, autoscaling, ec2, lb

from components.base import Component
from components.data_plane.haproxy import HEALTH
from components.data_plane.node_pool import NodePool

_PORT: Final = 80
_ANY: Final = {"protocol": "-1", "from_port": 0, "to_port": 0}


@dataclass(frozen=True)
class GatewayLinkArgs:
    """What is linked."""

    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    """Private subnets of the zones that have gateway pods, by zone."""
    nodes: Mapping[str, NodePool]
    """The pools that gateway pods run on, by name."""
    open_ports_id: pulumi.Input[str]
    node_port: int
    after: Sequence[pulumi.Resource] = ()
    """The gateway's Service: what opens the port on the nodes."""


class GatewayLink(Component):
    """A VPC link to the gateway's port on the nodes.

    Creates: an internal network load balancer with a target group, a listener, and an attachment of every
    scaling group that hosts the gateway; a VPC link; a security group for each of the two, and a rule of the
    nodes' open ports, so that the link reaches the load balancer, the load balancer the nodes' one port, and
    nobody else either.
    """

    def __init__(self, name: str, args: GatewayLinkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        entering, balancing = self._create_security_groups(args)
        balancer = lb.LoadBalancer(
            self.child("nlb"),
            load_balancer_type="network",
            internal=True,
            security_groups=[balancing.id],
            subnets=list(args.subnet_ids.values()),
            # Gateway pods need not be in every zone that a request may enter by.
            enable_cross_zone_load_balancing=True,
            opts=self.options(),
        )
        group = self._create_target_group(args)
        self._listener = lb.Listener(
            self.child("listener"),
            load_balancer_arn=balancer.arn,
            port=_PORT,
            protocol="TCP",
            default_actions=[{"type": "forward", "target_group_arn": group.arn}],
            opts=self.options(),
        )
        for pool, nodes in sorted(args.nodes.items()):
            autoscaling.Attachment(
                self.child(f"to-{pool}"),
                autoscaling_group_name=nodes.scaling_group_name,
                lb_target_group_arn=group.arn,
                opts=self.options(depends_on=list(args.after)),
            )
        self._link = apigatewayv2.VpcLink(
            self.child("vpc-link"),
            security_group_ids=[entering.id],
            subnet_ids=list(args.subnet_ids.values()),
            opts=self.options(),
        )
        self.register_outputs({"vpc_link_id": self.vpc_link_id, "listener_arn": self.listener_arn})

    @property
    def vpc_link_id(self) -> pulumi.Output[str]:
        return self._link.id

    @property
    def listener_arn(self) -> pulumi.Output[str]:
        return self._listener.arn

    def _create_security_groups(self, args: GatewayLinkArgs) -> tuple[ec2.SecurityGroup, ec2.SecurityGroup]:
        entering = ec2.SecurityGroup(
            self.child("entering"),
            vpc_id=args.vpc_id,
            description="What the VPC link sends from",
            egress=[{**_ANY, "cidr_blocks": ["0.0.0.0/0"]}],
            opts=self.options(),
        )
        balancing = ec2.SecurityGroup(
            self.child("balancing"),
            vpc_id=args.vpc_id,
            description="The load balancer before the gateway",
            ingress=[
                {"protocol": "tcp", "from_port": _PORT, "to_port": _PORT, "security_groups": [entering.id]}
            ],
            egress=[{**_ANY, "cidr_blocks": ["0.0.0.0/0"]}],
            opts=self.options(),
        )
        ec2.SecurityGroupRule(
            self.child("to-nodes"),
            type="ingress",
            description="The load balancer to the port of the gateway on the nodes",
            security_group_id=args.open_ports_id,
            source_security_group_id=balancing.id,
            protocol="tcp",
            from_port=args.node_port,
            to_port=args.node_port,
            opts=self.options(),
        )
        return entering, balancing

    def _create_target_group(self, args: GatewayLinkArgs) -> lb.TargetGroup:
        return lb.TargetGroup(
            self.child("tg"),
            vpc_id=args.vpc_id,
            target_type="instance",
            protocol="TCP",
            port=args.node_port,
            health_check={
                "enabled": True,
                "protocol": "HTTP",
                "path": HEALTH,
                "port": "traffic-port",
                "matcher": "200",
                "interval": 10,
                "healthy_threshold": 2,
                "unhealthy_threshold": 2,
            },
            deregistration_delay=60,
            opts=self.options(),
        )
