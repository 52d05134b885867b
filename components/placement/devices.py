"""What pods ask for by name: the extended resources that stand for accelerators and network adapters."""

from typing import Final

ACCELERATORS: Final = (
    "nvidia.com/gpu",
    "nvidia.com/gpu.shared",
    "amd.com/gpu",
    "gpu.intel.com/i915",
    "gpu.intel.com/xe",
    "google.com/tpu",
    "habana.ai/gaudi",
    "aws.amazon.com/neuron",
    "aws.amazon.com/neuroncore",
    "aws.amazon.com/neurondevice",
)
ACCELERATOR_SLICES: Final = "nvidia.com/mig-"
"""How the names of slices of an accelerator begin."""
EFA: Final = "vpc.amazonaws.com/efa"
