"""A pool of nodes on EKS."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import autoscaling, ec2, eks

from components.base import Component
from components.catalog import InstanceType
from components.data_plane.eks_cluster import EksCluster
from components.data_plane.scheduling import labels
from components.naming import apart
from components.placement import Facts, Tenancy
from components.placement.taints import taints
from components.spec import Pool

# Room for the images of model servers, which take tens of gigabytes.
_DISK_GIB: Final = 100
_ROOT_DEVICE: Final = "/dev/xvda"

# The node itself and no pod: one more hop would hand the node's role to every model server.
_METADATA_HOPS: Final = 1

_AMI_TYPES: Final = {"amd64": "AL2023_x86_64_STANDARD", "arm64": "AL2023_ARM_64_STANDARD"}
_CAPACITY_TYPES: Final = {"on-demand": "ON_DEMAND", "spot": "SPOT", "capacity-block": "CAPACITY_BLOCK"}
_EFFECTS: Final = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}
_TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template"

# nodeadm merges this part of the user data with the one that EKS adds for its own image. Whole cores go to
# the pods that ask for them, and cores and devices of a pod are of one NUMA node, or it is not admitted.
_PINNED_NODE: Final = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  kubelet:
    config:
      cpuManagerPolicy: static
      topologyManagerPolicy: single-numa-node
--//--
"""


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """Which nodes, and where."""

    pool: Pool
    instance: InstanceType
    """What the catalog knows of the pool's instance type."""
    facts: Facts
    cluster: EksCluster
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    """Private subnets, by zone."""
    tags: Mapping[str, str]
    """Whose they are: instances and volumes get none of the provider's tags."""
    after: Sequence[pulumi.Resource] = ()
    """The routes out of the subnets: nodes need them from the first to the last minute."""


class NodePool(Component):
    """A managed node group in the pool's zones.

    Creates: a placement group if the pool asks for one; with EFA, a security group whose members reach each
    other; a launch template; the node group; for each label, taint and resource of its nodes a tag on the
    scaling group, by which an autoscaler knows what a node would be like before there is any.

    Nodes of a metal pool share their hardware with no other account. Those of a pinned pool give whole cores
    to the pods that ask for them.

    Tags, sizes, labels, taints, the Kubernetes version and the launch template change in place. A change of
    zones, instance type or capacity makes a new node group beside the old one, which then goes.
    """

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._pool = args.pool
        self._instance = args.instance
        self._tags = args.facts.to_tags()
        template = self._create_template(args)
        self._group = self._create_group(args, template)
        self._create_template_tags()
        self.register_outputs({"node_group_name": self._group.node_group_name})

    @property
    def node_group(self) -> eks.NodeGroup:
        """The group: what runs on its nodes depends on it."""
        return self._group

    @property
    def scaling_group_name(self) -> pulumi.Output[str]:
        """Name of the Auto Scaling group that EKS keeps for it."""
        return self._group.resources.apply(_first_group)

    def _ami_type(self) -> str:
        return _AMI_TYPES[self._instance.architecture]

    def _resources(self) -> dict[str, str]:
        """What a node has beyond CPU and memory, as the autoscaler must be told it."""
        return {}

    def _create_template(self, args: NodePoolArgs) -> ec2.LaunchTemplate:
        block, key = args.pool.capacity_block, args.pool.encryption_key
        return ec2.LaunchTemplate(
            self.child("template"),
            # A capacity block wants the instance type beside it; the node group names it otherwise.
            instance_type=self._instance.name if block else None,
            instance_market_options={"market_type": "capacity-block"} if block else None,
            capacity_reservation_specification=_reservation(block.id) if block else None,
            placement=self._placement(args),
            vpc_security_group_ids=None if args.pool.efa else args.cluster.node_security_group_ids,
            network_interfaces=self._interfaces(args),
            block_device_mappings=[
                {
                    "device_name": _ROOT_DEVICE,
                    "ebs": {
                        "volume_size": _DISK_GIB,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        **({"kms_key_id": key} if key else {}),
                        "delete_on_termination": "true",
                    },
                }
            ],
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": _METADATA_HOPS,
            },
            tag_specifications=[
                {"resource_type": kind, "tags": {"Name": self.name, **args.tags, **self._tags}}
                for kind in ("instance", "volume")
            ],
            user_data=b64encode(_PINNED_NODE.encode()).decode() if args.pool.pinned else None,
            update_default_version=True,
            tags=self._tags,
            opts=self.options(),
        )

    def _placement(self, args: NodePoolArgs) -> Any:
        tenancy = {"tenancy": "dedicated"} if args.facts.tenancy is Tenancy.DEDICATED else {}
        if args.pool.placement_group is None:
            return tenancy or None
        group = ec2.PlacementGroup(
            self.child("together"),
            strategy=args.pool.placement_group,
            tags=self._tags,
            opts=self.options(),
        )
        return {"group_name": group.name, **tenancy}

    def _interfaces(self, args: NodePoolArgs) -> Any:
        """With EFA, the node's network interface; it then has to name the security groups itself."""
        if not args.pool.efa:
            return None
        # EFA traffic bypasses the operating system, and is let through only within one security group.
        among = ec2.SecurityGroup(
            self.child("efa"),
            vpc_id=args.vpc_id,
            description="Everything between the nodes of one pool, for EFA",
            ingress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "self": True}],
            egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "self": True}],
            opts=self.options(),
        )
        return [
            {
                "device_index": 0,
                "interface_type": "efa",
                "delete_on_termination": "true",
                "security_groups": [*args.cluster.node_security_group_ids, among.id],
            }
        ]

    def _create_group(self, args: NodePoolArgs, template: ec2.LaunchTemplate) -> eks.NodeGroup:
        nodes = args.pool.nodes
        autoscaled = nodes.min < nodes.max
        return eks.NodeGroup(
            self.child("nodes"),
            cluster_name=args.cluster.cluster_name,
            node_role_arn=args.cluster.node_role_arn,
            subnet_ids=[args.subnet_ids[zone] for zone in sorted(args.pool.zones)],
            ami_type=self._ami_type(),
            # Nodes follow the cluster. Left out, they would stay at the version that they were made with.
            version=args.cluster.version,
            capacity_type=_CAPACITY_TYPES[args.pool.capacity],
            instance_types=None if args.pool.capacity_block else [self._instance.name],
            # A number, never `$Latest`: that differs from what AWS answers at every preview (pulumi-eks#980).
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            scaling_config={"min_size": nodes.min, "desired_size": nodes.desired, "max_size": nodes.max},
            update_config={"max_unavailable": 1},
            labels=labels(args.pool),
            taints=[
                {"key": taint.key, "value": taint.value, "effect": _EFFECTS[taint.effect]}
                for taint in taints(args.pool)
            ],
            tags=self._tags,
            opts=self.options(
                depends_on=[*args.cluster.node_policies, *args.after],
                # Between min and max an autoscaler decides; `desired` is for the start.
                ignore_changes=["scalingConfig.desiredSize"] if autoscaled else None,
            ),
        )

    def _create_template_tags(self) -> None:
        known = {f"label/{key}": value for key, value in labels(self._pool).items()}
        known |= {f"taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in taints(self._pool)}
        known |= {f"resources/{key}": value for key, value in self._resources().items()}
        for key, value in sorted(known.items()):
            autoscaling.Tag(
                self.child(f"template-{_name_of(key)}"),
                autoscaling_group_name=self.scaling_group_name,
                tag={"key": f"{_TEMPLATE}/{key}", "value": value, "propagate_at_launch": False},
                opts=self.options(),
            )


def _name_of(key: str) -> str:
    """What the tag of a label or taint is called: `a.b/c` and `a.b-c` are two."""
    words = key.replace("/", "-")
    return apart(words, key) if "-" in key else words


def _first_group(resources: Any) -> str:
    return str(resources[0].autoscaling_groups[0].name)


def _reservation(block: str) -> Any:
    return {"capacity_reservation_target": {"capacity_reservation_id": block}}
