"""A cluster on Amazon EKS, and access to it that leaves no token behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi_aws import cloudwatch, ec2, eks, iam

from components.base import Component
from components.spec import Duration

_ADMIN: Final = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_CLUSTER_POLICIES: Final = {"cluster": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}
_NODE_POLICIES: Final = {
    "node": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    "network": "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
    "images": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
}


@dataclass(frozen=True)
class EksClusterArgs:
    """What the cluster is."""

    cluster_name: str
    region: str
    version: str
    vpc_id: pulumi.Input[str]
    subnet_ids: Mapping[str, pulumi.Input[str]]
    """Of its network interfaces, by zone: two zones at least."""
    log_retention: Duration | None
    """None keeps the log for ever."""


class EksCluster(Component):
    """An EKS cluster without nodes; `NodePool` adds them.

    Creates: a role for the cluster and one for its nodes; a log group with retention for the control plane;
    the cluster, whose access is decided by access entries alone; an entry that makes whoever deploys its
    administrator; a security group for what nodes let in from outside; a Kubernetes provider.

    The kubeconfig asks `aws eks get-token` for a token at every use, so none is stored and none runs out. The
    provider is replaced only with the cluster, and depends on the access entry: what is in the cluster is
    gone before the right to remove it is.
    """

    def __init__(self, name: str, args: EksClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        role, attached = self._create_role("role", "eks.amazonaws.com", _CLUSTER_POLICIES)
        log = cloudwatch.LogGroup(
            self.child("log"),
            # The name that EKS writes to: made first, or EKS makes it and keeps it for ever.
            name=f"/aws/eks/{args.cluster_name}/cluster",
            retention_in_days=None if args.log_retention is None else int(args.log_retention.days),
            opts=self.options(),
        )
        self._cluster = eks.Cluster(
            self.child("eks"),
            name=args.cluster_name,
            role_arn=role.arn,
            version=args.version,
            access_config={
                "authentication_mode": "API",
                # The entry below says the same where it can be seen, and goes in the right order.
                "bootstrap_cluster_creator_admin_permissions": False,
            },
            vpc_config={
                "subnet_ids": list(args.subnet_ids.values()),
                "endpoint_private_access": True,
                "endpoint_public_access": True,
            },
            enabled_cluster_log_types=["api", "audit", "authenticator"],
            # Past its standard support a version costs $0.60 an hour, not $0.10 (EKS pricing, 2026-11-25). So
            # then AWS upgrades the cluster, and the stack file must name the new version.
            upgrade_policy={"support_type": "STANDARD"},
            opts=self.options(depends_on=[*attached, log]),
        )
        self._node_role, self._node_policies = self._create_role("nodes", "ec2.amazonaws.com", _NODE_POLICIES)
        self._open_ports = ec2.SecurityGroup(
            self.child("open-ports"),
            vpc_id=args.vpc_id,
            description="What nodes let in from outside the cluster; whoever sends it adds its rule",
            opts=self.options(),
        )
        access = self._create_access()
        self._kubeconfig = pulumi.Output.all(
            self._cluster.name, self._cluster.endpoint, self._cluster.certificate_authority.data
        ).apply(
            lambda known: json.dumps(kubeconfig(known[0], known[1], known[2], args.region), sort_keys=True)
        )
        self._access = kubernetes.Provider(
            self.child("access"),
            kubeconfig=self._kubeconfig,
            cluster_identifier=self._cluster.arn,
            # Replaced, the figures that a namespace is kept to would be gone for a moment.
            enable_config_map_mutable=True,
            opts=self.options(depends_on=access),
        )
        self.register_outputs({"cluster_name": self.cluster_name, "kubeconfig": self._kubeconfig})

    @property
    def provider(self) -> kubernetes.Provider:
        return self._access

    @property
    def context(self) -> pulumi.Output[str]:
        """Its ARN, which is what `aws eks update-kubeconfig` names the context."""
        return self._cluster.arn

    @property
    def cluster_name(self) -> pulumi.Output[str]:
        return self._cluster.name

    @property
    def version(self) -> pulumi.Output[str]:
        """The Kubernetes version of its control plane, once it has it."""
        return self._cluster.version

    @property
    def kubeconfig(self) -> pulumi.Output[str]:
        """As JSON. It holds no secret."""
        return self._kubeconfig

    @property
    def open_ports_id(self) -> pulumi.Output[str]:
        """The security group of nodes that rules are added to. EKS's own is EKS's to change."""
        return self._open_ports.id

    @property
    def node_security_group_ids(self) -> list[pulumi.Input[str]]:
        """The groups that every node is in: the one that EKS makes for the cluster, and `open_ports_id`."""
        return [self._cluster.vpc_config.cluster_security_group_id, self._open_ports.id]

    @property
    def node_role_arn(self) -> pulumi.Output[str]:
        return self._node_role.arn

    @property
    def node_policies(self) -> list[iam.RolePolicyAttachment]:
        """What nodes need for as long as they run."""
        return self._node_policies

    def _create_role(
        self, suffix: str, service: str, policies: Mapping[str, str]
    ) -> tuple[iam.Role, list[iam.RolePolicyAttachment]]:
        statement = {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole"],
            "Principal": {"Service": service},
        }
        role = iam.Role(
            self.child(suffix),
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=self.options(),
        )
        attached = [
            iam.RolePolicyAttachment(
                self.child(f"{suffix}-{key}"), role=role.name, policy_arn=arn, opts=self.options()
            )
            for key, arn in policies.items()
        ]
        return role, attached

    def _create_access(self) -> list[pulumi.Resource]:
        principal = self._deployer()
        entry = eks.AccessEntry(
            self.child("deployer"),
            cluster_name=self._cluster.name,
            principal_arn=principal,
            type="STANDARD",
            opts=self.options(),
        )
        admin = eks.AccessPolicyAssociation(
            self.child("deployer-admin"),
            cluster_name=self._cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=_ADMIN,
            access_scope={"type": "cluster"},
            opts=self.options(),
        )
        return [entry, admin]

    def _deployer(self) -> pulumi.Output[str]:
        """Who deploys: the user, or the role behind the session."""
        options = pulumi.InvokeOutputOptions(parent=self)
        caller = aws.get_caller_identity_output(opts=options).arn

        def issuer(arn: str) -> pulumi.Output[str]:
            if ":assumed-role/" not in arn:
                return pulumi.Output.from_input(arn)
            # A session's ARN lacks the path of its role, so only IAM can say which role it is.
            return iam.get_session_context_output(arn=arn, opts=options).issuer_arn

        return caller.apply(issuer)


def kubeconfig(cluster: str, endpoint: str, certificate_authority: str, region: str) -> dict[str, Any]:
    """A kubeconfig that asks AWS for a token whenever one is needed."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": cluster,
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "clusters": [
            {
                "name": cluster,
                "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority},
            }
        ],
        "users": [
            {
                "name": cluster,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "aws",
                        "args": [
                            *("eks", "get-token", "--cluster-name", cluster),
                            *("--region", region, "--output", "json"),
                        ],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }
