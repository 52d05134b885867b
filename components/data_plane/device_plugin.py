"""What makes a node's GPUs known to Kubernetes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes import apps

from components.base import Component
from components.data_plane.scheduling import on_pools
from components.spec import Pool

_NAME: Final = "nvidia-device-plugin"
_IMAGE: Final = "nvcr.io/nvidia/k8s-device-plugin:v0.17.4"
_NAMESPACE: Final = "kube-system"
_SOCKETS: Final = "/var/lib/kubelet/device-plugins"


@dataclass(frozen=True)
class DevicePluginArgs:
    """Where GPUs are."""

    pools: tuple[Pool, ...]
    """The pools with GPUs: at least one."""
    after: Sequence[pulumi.Resource] = ()
    """Their nodes."""


class DevicePlugin(Component):
    """NVIDIA's device plugin on every node of the GPU pools.

    Creates: a DaemonSet in kube-system. It tolerates the union of the pools' taints: one taint that it does
    not know would leave a pool without a single GPU (eksctl#5277).
    """

    def __init__(self, name: str, args: DevicePluginArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        labels = {"app.kubernetes.io/name": _NAME}
        apps.v1.DaemonSet(
            self.child("daemons"),
            metadata={"name": _NAME, "namespace": _NAMESPACE, "labels": labels},
            spec={
                "selector": {"match_labels": labels},
                "template": {"metadata": {"labels": labels}, "spec": _pod(args.pools)},
            },
            opts=self.options(depends_on=list(args.after)),
        )
        self.register_outputs({})


def _pod(pools: tuple[Pool, ...]) -> dict[str, object]:
    return {
        **on_pools(pools),
        "priority_class_name": "system-node-critical",
        "automount_service_account_token": False,
        "containers": [
            {
                "name": _NAME,
                "image": _IMAGE,
                "env": [{"name": "FAIL_ON_INIT_ERROR", "value": "false"}],
                "security_context": {
                    "allow_privilege_escalation": False,
                    "capabilities": {"drop": ["ALL"]},
                },
                "resources": {
                    "requests": {"cpu": "10m", "memory": "64Mi"},
                    "limits": {"memory": "128Mi"},
                },
                "volume_mounts": [{"name": "sockets", "mount_path": _SOCKETS}],
            }
        ],
        "volumes": [{"name": "sockets", "host_path": {"path": _SOCKETS}}],
    }
