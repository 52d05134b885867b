"""The Kubernetes side as a topology composes it, in the order in which it has to be taken down.

Each depends on the next: models and gateway on the namespace, the namespace on the nodes and on what keeps it
to the rules, the nodes on the cluster and the routes out of the network. So at destroy, pods end while there
are nodes to end them, a load balancer goes while its controller runs, and access to the cluster goes last.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from components.admission.stack import governed, names
from components.catalog import for_stack
from components.catalog import load as load_catalog
from components.data_plane.admission import Admission, AdmissionArgs
from components.data_plane.cluster import Cluster
from components.data_plane.device_plugin import DevicePlugin, DevicePluginArgs
from components.data_plane.eks_cluster import EksCluster, EksClusterArgs
from components.data_plane.existing_cluster import ExistingCluster, ExistingClusterArgs
from components.data_plane.gateway import Gateway, GatewayArgs, TailArgs
from components.data_plane.gateway_link import GatewayLink, GatewayLinkArgs
from components.data_plane.gpu_pool import GpuPool
from components.data_plane.haproxy import Twin, Upstream
from components.data_plane.model_service import ModelService, ModelServiceArgs, port_of, ready_path_of
from components.data_plane.namespace import Namespace, NamespaceArgs
from components.data_plane.network import Network, NetworkArgs
from components.data_plane.node_pool import NodePool, NodePoolArgs
from components.naming import part
from components.placement import Placement, instance_of
from components.placement.bounds import bounds_of
from components.placement.subjects import concurrency_of, replicas_of
from components.placement.taints import hosts_of_gateway
from components.placement.twins import queued_before_twin
from components.spec import DataPlane as DataPlaneSpec
from components.spec import EksCluster as EksSpec
from components.spec import ExistingCluster as ExistingSpec
from components.spec import Pool, Stack, Workload
from components.topology.common import Topology, TopologyArgs


@dataclass(frozen=True)
class _Ground:
    """A cluster to deploy to. What a cluster made by others has no say in is None."""

    cluster: Cluster
    eks: EksCluster | None = None
    network: Network | None = None
    nodes: dict[str, NodePool] = field(default_factory=dict)


class DataPlane:
    """Everything of a stack that runs in, or makes, its cluster. Its parts are children of the topology."""

    def __init__(
        self, owner: Topology, args: TopologyArgs, spec: DataPlaneSpec, tail: TailArgs | None = None
    ) -> None:
        """`tail` is where function twins are reached; None where no workload has one."""
        self._owner = owner
        self._tail = tail
        self._args = args
        self._spec = spec
        self._patience = for_stack(load_catalog(), args.stack).limits.front_door.gateway.value
        self._ground = self._create_ground()
        self._namespace_name = names(spec, owner.name).namespace
        self._kept = self._create_admission()
        self._namespace = self._create_namespace()
        on_nodes = [
            placement for placement in args.placements.by_name.values() if not placement.home.is_function
        ]
        self._create_device_plugin()
        for placement in on_nodes:
            self._create_model(placement)
        self.gateway = self._create_gateway(on_nodes)

    @property
    def is_linked(self) -> bool:
        """Whether the gateway is reached by a VPC link, and not at an address of its own."""
        return self._exposure == "vpc-link"

    @property
    def _exposure(self) -> Literal["vpc-link", "load-balancer"]:
        exposure = self._spec.gateway.exposure
        if exposure is None:  # a decision leaves nothing open
            raise TypeError("how the gateway is reached has not been decided")
        return exposure

    @property
    def outputs(self) -> dict[str, Any]:
        """Its part of the stack's outputs."""
        return {
            "gateway_url": None if self.is_linked else self.gateway.load_balancer_url,
            "kubeconfig_context": self._ground.cluster.context,
            "kubeconfig": None if self._ground.eks is None else self._ground.eks.kubeconfig,
            "namespace": self._namespace.namespace,
        }

    def create_link(self) -> GatewayLink:
        """The way from API Gateway to the gateway inside AWS."""
        eks, network = self._ground.eks, self._ground.network
        if eks is None or network is None:  # the stack file's model refuses such a stack
            raise TypeError("a VPC link needs a cluster in the stack's own VPC")
        hosts = hosts_of_gateway(self._spec.pools)
        zones = sorted({zone for pool in hosts for zone in pool.zones})
        return GatewayLink(
            self._owner.child("link"),
            GatewayLinkArgs(
                vpc_id=network.vpc_id,
                subnet_ids={zone: network.private_subnet_ids[zone] for zone in zones},
                nodes={pool.name: self._ground.nodes[pool.name] for pool in hosts},
                open_ports_id=eks.open_ports_id,
                node_port=self._spec.gateway.node_port,
                after=[self.gateway.service],
            ),
            self._owner.options(),
        )

    def _in_cluster(self) -> pulumi.ResourceOptions:
        return self._owner.options(providers=[self._ground.cluster.provider])

    def _create_ground(self) -> _Ground:
        match self._spec.cluster:
            case ExistingSpec(context=context):
                name = self._owner.child("cluster")
                return _Ground(ExistingCluster(name, ExistingClusterArgs(context), self._owner.options()))
            case EksSpec(version=version):
                return self._create_eks(version)

    def _create_eks(self, version: str) -> _Ground:
        stack = self._args.stack
        network = Network(
            self._owner.child("network"),
            NetworkArgs(stack.region, stack.network.cidr, stack.zones, stack.network.nat),
            self._owner.options(),
        )
        cluster = EksCluster(
            self._owner.child("cluster"),
            EksClusterArgs(
                cluster_name=f"halfmetal-{self._owner.name}",
                region=stack.region,
                version=version,
                vpc_id=network.vpc_id,
                subnet_ids=network.private_subnet_ids,
                log_retention=stack.control_plane.guardrails.log_retention,
            ),
            self._owner.options(),
        )
        nodes = {pool.name: self._create_pool(pool, cluster, network) for pool in self._spec.pools}
        return _Ground(cluster, cluster, network, nodes)

    def _create_pool(self, pool: Pool, cluster: EksCluster, network: Network) -> NodePool:
        instance = instance_of(pool, load_catalog())
        if instance is None:  # placement refuses such a stack
            raise TypeError(f"pool {pool.name} is of no instance type that the catalog knows")
        kind = NodePool if instance.accelerators is None else GpuPool
        return kind(
            self._owner.child(f"pool-{part(pool.name)}"),
            NodePoolArgs(
                pool=pool,
                instance=instance,
                facts=self._args.placements.pools[pool.name],
                cluster=cluster,
                vpc_id=network.vpc_id,
                subnet_ids=network.private_subnet_ids,
                tags=self._args.tags,
                after=network.ways_out,
            ),
            self._owner.options(),
        )

    def _create_namespace(self) -> Namespace:
        cluster = self._spec.cluster
        theirs = isinstance(cluster, ExistingSpec) and cluster.namespace is not None
        return Namespace(
            self._owner.child("namespace"),
            NamespaceArgs(
                name=self._namespace_name,
                stack=self._owner.name,
                gateway_port=self._spec.gateway.port,
                made=not theirs,
                after=[*(pool.node_group for pool in self._ground.nodes.values()), *self._kept],
            ),
            self._in_cluster(),
        )

    def _create_admission(self) -> list[pulumi.Resource]:
        """What keeps the namespace to the rules: it needs no node, and is there before the first pod."""
        if self._spec.admission.rules == "disabled":
            return []
        args = AdmissionArgs(names(self._spec, self._owner.name), governed(self._spec, self._args.placements))
        return Admission(self._owner.child("admission"), args, self._in_cluster()).bindings

    def _create_device_plugin(self) -> None:
        """For nodes that are made here. Who runs a cluster of GPUs has long chosen what shows them."""
        pools = tuple(pool for pool in self._spec.pools if pool.accelerator is not None)
        if self._ground.eks is not None and pools:
            after = [self._ground.nodes[pool.name].node_group for pool in pools]
            DevicePlugin(
                self._owner.child("device-plugin"), DevicePluginArgs(pools, after), self._in_cluster()
            )

    def _create_model(self, placement: Placement) -> None:
        ModelService(
            self._owner.child(f"model-{placement.workload.name}"),
            ModelServiceArgs(placement, self._namespace.namespace, self._patience),
            self._in_cluster(),
        )

    def _create_gateway(self, on_nodes: list[Placement]) -> Gateway:
        spec = self._spec.gateway
        return Gateway(
            self._owner.child("gateway"),
            GatewayArgs(
                namespace=self._namespace.namespace,
                image=spec.image,
                port=spec.port,
                replicas=spec.replicas,
                exposure=self._exposure,
                node_port=spec.node_port,
                patience=self._patience,
                upstreams=tuple(
                    upstream(self._args.stack, placement, self._namespace_name) for placement in on_nodes
                ),
                pools=self._spec.pools,
                tail=self._tail,
            ),
            self._in_cluster(),
        )


class OnCluster(Topology):
    """Base of the topologies that have a data plane."""

    _data_plane: DataPlane

    def _create_data_plane(self, tail: TailArgs | None = None) -> DataPlane:
        spec = self._stack.data_plane
        if spec is None:  # the stack file's model refuses such a stack
            raise TypeError(f"a {self.topology} stack has a data plane")
        self._data_plane = DataPlane(self, self._args, spec, tail)
        return self._data_plane

    def _data_plane_outputs(self) -> dict[str, Any]:
        return self._data_plane.outputs


def upstream(stack: Stack, placement: Placement, namespace: str) -> Upstream:
    """A workload in a pool as the gateway sees it."""
    workload = placement.workload
    return Upstream(
        workload=workload.name,
        host=f"{workload.name}.{namespace}.svc.cluster.local",
        port=port_of(workload),
        replicas=placement.replicas,
        max_concurrency=concurrency_of(workload),
        ready=ready_path_of(workload),
        twin=_twin(stack, workload) if placement.twin is not None else None,
    )


def _twin(stack: Stack, workload: Workload) -> Twin:
    """A pod of the gateway has its part of the copies that may run, so that Lambda turns nobody away.

    Where nothing bounds them, the function is let take as much as the pods do.
    """
    copies = bounds_of(stack, workload.serve.function).reserved_concurrency
    if copies is None:
        copies = replicas_of(workload) * concurrency_of(workload)
    gateways = stack.data_plane.gateway.replicas if stack.data_plane is not None else 1
    return Twin(queue=queued_before_twin(workload), copies=max(1, copies // gateways))
