"""The in-cluster front door of the data route."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pulumi
from pulumi_kubernetes import apps, core, policy

from components.base import Component
from components.data_plane.going import until_gone
from components.data_plane.haproxy import HEALTH, Tail, Upstream, longest_seconds, memory_mib, render
from components.data_plane.namespace import GATEWAY, ROLE_LABEL
from components.data_plane.scheduling import HOST_LABEL, on_pools, spread
from components.placement.labels import ZONE_LABEL
from components.placement.taints import hosts_of_gateway
from components.spec import Duration, Memory, Pool

_NAME: Final = "gateway"
_CONFIG_FOLDER: Final = "/usr/local/etc/haproxy"
_CONFIG_FILE: Final = "haproxy.cfg"

# The user that the image makes for HAProxy.
_USER: Final = 99

# With the API version that the server would fill in: applied once more without it, by an update that knows
# nothing of the first, it would be a conflict.
_POD_IP: Final = {"api_version": "v1", "field_path": "status.podIP"}

_DRAIN_SECONDS: Final = 10
# HAProxy ends by itself when its last request has; what it needs for that comes on top.
_END_SECONDS: Final = 5

# A configuration that does not start is told after this, not after the ten minutes that are the default.
_DEADLINE_SECONDS: Final = 240

# For the smallest; the kernel's own buffers for connections count as the pod's memory too.
_LEAST_MEMORY_MIB: Final = 256

_WAIT_FOR: Final = "pulumi.com/waitFor"

_SELECTOR: Final = {"app.kubernetes.io/name": "halfmetal-gateway"}
_LABELS: Final = {**_SELECTOR, ROLE_LABEL: GATEWAY, "app.kubernetes.io/managed-by": "halfmetal"}


@dataclass(frozen=True)
class TailArgs:
    """Where the function twins of workloads are reached."""

    url: pulumi.Input[str]
    """An API that has each of them under the path that it has behind the gateway."""
    payload: Memory
    """The most that a function takes as one request."""
    after: Sequence[pulumi.Resource] = ()
    """The API's routes: without them it knows no function."""


@dataclass(frozen=True)
class GatewayArgs:
    """Where it listens, how it is reached, and what is behind it."""

    namespace: pulumi.Input[str]
    image: str
    port: int
    replicas: int
    exposure: Literal["vpc-link", "load-balancer"]
    node_port: int
    """For `vpc-link`: the port of every node that a load balancer is pointed at."""
    patience: Duration
    """How long a pod may take to answer a request."""
    upstreams: tuple[Upstream, ...]
    pools: tuple[Pool, ...]
    """All pools of the cluster; `hosts_of_gateway` says which of them it runs on."""
    tail: TailArgs | None = None
    """None where no workload has a function twin."""


class Gateway(Component):
    """HAProxy, configured for the workloads in pools.

    Creates: a ConfigMap that is never changed but replaced, its name holding its content's hash; a Deployment
    that names it, so that a change of configuration rolls like any other and a bad one stops at the first
    pod; a Service, of type NodePort or LoadBalancer; with more than one replica, a disruption budget.
    """

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._port = args.port
        text = _configuration(args)
        digest = text.apply(lambda known: hashlib.sha256(known.encode()).hexdigest()[:10])
        config = core.v1.ConfigMap(
            self.child("config"),
            metadata={
                "name": pulumi.Output.concat(_NAME, "-", digest),
                "namespace": args.namespace,
                "labels": _LABELS,
            },
            immutable=True,
            data={_CONFIG_FILE: text},
            opts=self.options(depends_on=list(args.tail.after) if args.tail is not None else []),
        )
        metadata = {"name": _NAME, "namespace": args.namespace, "labels": _LABELS}
        self._deployment = apps.v1.Deployment(
            self.child("pods"),
            metadata=metadata,
            spec=_deployment(args, config.metadata.apply(lambda made: str(made.name)), digest),
            opts=self.options(custom_timeouts=pulumi.CustomTimeouts(delete=until_gone(_grace_seconds(args)))),
        )
        self._service = core.v1.Service(
            self.child("address"),
            metadata=metadata | {"annotations": {_WAIT_FOR: _when_addressed(args)}},
            spec=_service(args),
            opts=self.options(),
        )
        if args.replicas > 1:
            policy.v1.PodDisruptionBudget(
                self.child("disruption"),
                metadata=metadata,
                spec={"max_unavailable": 1, "selector": {"match_labels": _SELECTOR}},
                opts=self.options(),
            )
        self.register_outputs({})

    @property
    def service(self) -> core.v1.Service:
        return self._service

    @property
    def load_balancer_url(self) -> pulumi.Output[str]:
        """Where it is reached from outside, if it is exposed by a load balancer."""
        return self._service.status.apply(lambda status: f"http://{_address(status)}:{self._port}")


def _configuration(args: GatewayArgs) -> pulumi.Output[str]:
    """Its text, known as soon as it is known where the function twins are."""
    tail = args.tail
    if tail is None:
        return pulumi.Output.from_input(render(args.upstreams, args.port, args.patience))
    return pulumi.Output.from_input(tail.url).apply(
        lambda url: render(args.upstreams, args.port, args.patience, Tail(url, tail.payload))
    )


def _address(status: Any) -> str:
    first = status.load_balancer.ingress[0]
    return str(first.hostname or first.ip)


def _when_addressed(args: GatewayArgs) -> str:
    """What the Service is waited for: its address. That pods are ready is the Deployment's to say.

    Left to itself the Kubernetes provider lets ten seconds pass after pods have become ready.
    """
    address = ".status.loadBalancer.ingress[0]" if args.exposure == "load-balancer" else ".spec.clusterIP"
    return f"jsonpath={{{address}}}"


def _service(args: GatewayArgs) -> dict[str, Any]:
    port: dict[str, Any] = {"name": "http", "port": args.port, "target_port": "http"}
    if args.exposure == "load-balancer":
        return {"type": "LoadBalancer", "selector": _SELECTOR, "ports": [port]}
    # Any node takes the request, not only those with a gateway pod: while pods move, none is lost.
    return {"type": "NodePort", "selector": _SELECTOR, "ports": [port | {"node_port": args.node_port}]}


def _deployment(args: GatewayArgs, config: pulumi.Output[str], digest: pulumi.Output[str]) -> dict[str, Any]:
    return {
        "replicas": args.replicas,
        "progress_deadline_seconds": _DEADLINE_SECONDS,
        "selector": {"match_labels": _SELECTOR},
        "strategy": {"type": "RollingUpdate", "rolling_update": {"max_surge": 1, "max_unavailable": 0}},
        "template": {
            "metadata": {"labels": _LABELS, "annotations": {"halfmetal.dev/config": digest}},
            "spec": {
                **on_pools(hosts_of_gateway(args.pools)),
                "topology_spread_constraints": [spread(_SELECTOR, key) for key in (HOST_LABEL, ZONE_LABEL)],
                "automount_service_account_token": False,
                "enable_service_links": False,
                "termination_grace_period_seconds": _grace_seconds(args),
                "security_context": {
                    "run_as_non_root": True,
                    "run_as_user": _USER,
                    "run_as_group": _USER,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(args)],
                "volumes": [{"name": "config", "config_map": {"name": config}}],
            },
        },
    }


def _grace_seconds(args: GatewayArgs) -> int:
    """Long enough for the slowest request that came before load balancers had seen it go."""
    return _DRAIN_SECONDS + longest_seconds(args.patience) + _END_SECONDS


def _container(args: GatewayArgs) -> dict[str, Any]:
    probe = {"http_get": {"path": HEALTH, "port": "http"}}
    # Half of it is what pods and queues can hold; the rest is for connections beyond that.
    memory = max(_LEAST_MEMORY_MIB, memory_mib(args.upstreams))
    return {
        "name": "haproxy",
        "image": args.image,
        "command": ["haproxy"],
        "args": ["-W", "-db", "-f", f"{_CONFIG_FOLDER}/{_CONFIG_FILE}"],
        "env": [{"name": "POD_IP", "value_from": {"field_ref": _POD_IP}}],
        "ports": [{"name": "http", "container_port": args.port}],
        "resources": {
            "requests": {"cpu": "100m", "memory": f"{memory // 2}Mi"},
            "limits": {"memory": f"{memory}Mi"},
        },
        "readiness_probe": {**probe, "period_seconds": 2, "failure_threshold": 2},
        "liveness_probe": {**probe, "period_seconds": 10, "failure_threshold": 6},
        # Until load balancers have seen it go, it keeps taking requests.
        "lifecycle": {"pre_stop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": [{"name": "config", "mount_path": _CONFIG_FOLDER, "read_only": True}],
    }
