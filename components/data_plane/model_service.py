"""One workload in a pool: its pods, and the name that the gateway finds them by."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes import apps, core, policy

from components.base import Component
from components.data_plane.going import until_gone, whole_seconds
from components.data_plane.namespace import MODEL, ROLE_LABEL
from components.data_plane.scheduling import HOST_LABEL, on_pools, spread
from components.placement import Placement
from components.placement.labels import ZONE_LABEL
from components.placement.taints import GPU_RESOURCE
from components.spec import ContainerServe, Duration, Workload

# A model server reads gigabytes of weights before it is ready: it gets half an hour for that, once.
_STARTUP: Final = {"period_seconds": 2, "failure_threshold": 900, "timeout_seconds": 2}
_READINESS: Final = {"period_seconds": 2, "failure_threshold": 2, "timeout_seconds": 2}
_STARTUP_SECONDS: Final = 1800
# Before that half hour it waits for a node and for its image, which may have gigabytes of its own.
_FETCH_SECONDS: Final = 900

# Between "this pod is going" and its end: the gateway must have seen its address go.
_DRAIN_SECONDS: Final = 5

# A container's own /dev/shm has 64 MiB, in which NCCL fails. What is written here counts as the pod's memory.
_SHARED_MEMORY: Final = {"name": "shared-memory", "empty_dir": {"medium": "Memory"}}
_SHARED_MEMORY_MOUNT: Final = {"name": "shared-memory", "mount_path": "/dev/shm"}


@dataclass(frozen=True)
class ModelServiceArgs:
    """Which workload, where."""

    placement: Placement
    namespace: pulumi.Input[str]
    patience: Duration
    """How long the gateway waits for an answer, and so a pod that is going is let finish."""


class ModelService(Component):
    """A workload's pods on the nodes of its pool.

    Creates: a Deployment; a headless Service, whose DNS name has the address of every ready pod; with more
    than one replica, a disruption budget that keeps all but one of them.

    Objects have the workload's own name, not a random one: when a deployment dies half-way, the next one
    finds what it made and goes on with that.
    """

    def __init__(self, name: str, args: ModelServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        placement, workload = args.placement, args.placement.workload
        metadata = {
            "name": workload.name,
            "namespace": args.namespace,
            "labels": _labels(workload),
            "annotations": placement.facts.to_annotations(),
        }
        apps.v1.Deployment(
            self.child("pods"),
            metadata=metadata,
            spec=_deployment(args),
            opts=self.options(
                custom_timeouts=pulumi.CustomTimeouts(
                    create=_whole_roll(args),
                    update=_whole_roll(args),
                    delete=until_gone(_grace_seconds(args)),
                )
            ),
        )
        core.v1.Service(
            self.child("address"),
            metadata=metadata,
            spec={
                "cluster_ip": "None",
                "selector": selector(workload),
                "ports": [{"name": "http", "port": port_of(workload), "target_port": "http"}],
            },
            opts=self.options(),
        )
        if placement.replicas > 1:
            policy.v1.PodDisruptionBudget(
                self.child("disruption"),
                metadata=metadata,
                spec={"max_unavailable": 1, "selector": {"match_labels": selector(workload)}},
                opts=self.options(),
            )
        self.register_outputs({})


def port_of(workload: Workload) -> int:
    """The port that its pods serve on."""
    return _container(workload).port


def ready_path_of(workload: Workload) -> str:
    """The path that a ready pod answers on."""
    return _container(workload).ready


def selector(workload: Workload) -> dict[str, str]:
    """Labels that pick the workload's pods, and no others of the namespace."""
    return {"app.kubernetes.io/name": workload.name}


def _container(workload: Workload) -> ContainerServe:
    serve = workload.serve.container
    if serve is None:
        # Placement puts nothing on nodes that has no container form.
        raise TypeError(f"workload {workload.name} has no container form")
    return serve


def _labels(workload: Workload) -> dict[str, str]:
    return {**selector(workload), ROLE_LABEL: MODEL, "app.kubernetes.io/managed-by": "halfmetal"}


def _deployment(args: ModelServiceArgs) -> dict[str, Any]:
    placement, workload = args.placement, args.placement.workload
    return {
        "replicas": placement.replicas,
        "selector": {"match_labels": selector(workload)},
        "strategy": {"type": "RollingUpdate", "rolling_update": _rolling(workload)},
        "progress_deadline_seconds": _progress_seconds(args),
        "template": {
            # Without the facts: another latency budget is no reason to load a model anew.
            "metadata": {"labels": _labels(workload)},
            "spec": _pod(args),
        },
    }


def _grace_seconds(args: ModelServiceArgs) -> int:
    """As long as the gateway would wait for the last request that it sent."""
    return _DRAIN_SECONDS + whole_seconds(args.patience)


def _progress_seconds(args: ModelServiceArgs) -> int:
    """How long one pod may take to be ready: it may have to wait for the GPU of one that is still going."""
    return _grace_seconds(args) + _FETCH_SECONDS + _STARTUP_SECONDS


def _whole_roll(args: ModelServiceArgs) -> str:
    """How long the engine waits: Kubernetes gives up on each pod that gets no further, one by one."""
    return f"{_progress_seconds(args) * args.placement.replicas}s"


def _rolling(workload: Workload) -> dict[str, int]:
    """One at a time: a new pod first, except where it would wait for a GPU that the old one holds."""
    spare = workload.needs.accelerator is None
    return {"max_surge": 1, "max_unavailable": 0} if spare else {"max_surge": 0, "max_unavailable": 1}


def _pod(args: ModelServiceArgs) -> dict[str, Any]:
    placement = args.placement
    workload, pool = placement.workload, placement.pool
    keys = [HOST_LABEL] if placement.zone is not None else [HOST_LABEL, ZONE_LABEL]
    return {
        **on_pools([pool] if pool is not None else [], placement.zone),
        "topology_spread_constraints": [spread(selector(workload), key) for key in keys],
        "automount_service_account_token": False,
        "enable_service_links": False,
        "termination_grace_period_seconds": _grace_seconds(args),
        "security_context": {"seccomp_profile": {"type": "RuntimeDefault"}},
        "containers": [_serving(placement)],
        **({"volumes": [_SHARED_MEMORY]} if _spans_gpus(workload) else {}),
    }


def _serving(placement: Placement) -> dict[str, Any]:
    workload = placement.workload
    serve = _container(workload)
    probe = {"http_get": {"path": serve.ready, "port": "http"}}
    env = {"MODEL_NAME": workload.name, **serve.env}
    return {
        "name": "model",
        "image": serve.image,
        **({"args": list(serve.args)} if serve.args else {}),
        "env": [{"name": key, "value": value} for key, value in sorted(env.items())],
        "ports": [{"name": "http", "container_port": serve.port}],
        "resources": _resources(placement),
        "startup_probe": {**probe, **_STARTUP},
        "readiness_probe": {**probe, **_READINESS},
        "lifecycle": {"pre_stop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
        "security_context": {"allow_privilege_escalation": False, "capabilities": {"drop": ["ALL"]}},
        **({"volume_mounts": [_SHARED_MEMORY_MOUNT]} if _spans_gpus(workload) else {}),
    }


def _spans_gpus(workload: Workload) -> bool:
    """Whether one replica has several GPUs, and so several processes that pass tensors to each other."""
    accelerator = workload.needs.accelerator
    return accelerator is not None and accelerator.count > 1


def _resources(placement: Placement) -> dict[str, Any]:
    """What it asks for; memory and GPUs are limits too.

    A limit on CPU would only lengthen the tail; on pinned nodes it is what cores are given for.
    """
    needs = placement.workload.needs
    cpu = {"cpu": f"{round(needs.cpu * 1000)}m"}
    memory = f"{needs.memory.mib}Mi"
    gpus = {GPU_RESOURCE: str(needs.accelerator.count)} if needs.accelerator is not None else {}
    return {
        "requests": {**cpu, "memory": memory, **gpus},
        "limits": {**(cpu if placement.facts.pinned else {}), "memory": memory, **gpus},
    }
