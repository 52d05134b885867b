"""A pool of nodes with GPUs on EKS."""

from typing import Final

from components.data_plane.node_pool import NodePool
from components.placement.taints import GPU_RESOURCE

# With the driver and the container toolkit in them. On the standard images of the same types no GPU is found
# (amazon-eks-ami#1817), and installing either a second time breaks both (gpu-operator#666).
_AMI_TYPES: Final = {"amd64": "AL2023_x86_64_NVIDIA", "arm64": "AL2023_ARM_64_NVIDIA"}


class GpuPool(NodePool):
    """A `NodePool` whose nodes have GPUs.

    They run an image with NVIDIA's driver, are tainted `nvidia.com/gpu`, and an autoscaler is told how many
    GPUs a node of the pool would have.
    """

    def _ami_type(self) -> str:
        return _AMI_TYPES[self._instance.architecture]

    def _resources(self) -> dict[str, str]:
        accelerators = self._instance.accelerators
        return {} if accelerators is None else {GPU_RESOURCE: str(accelerators.count)}
