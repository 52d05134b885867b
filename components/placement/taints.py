"""What is kept off a pool's nodes, and so what may be put on them."""

from collections.abc import Iterable
from typing import Final

from components.spec import Pool, Taint

GPU_RESOURCE: Final = "nvidia.com/gpu"

GPU_TAINT: Final = Taint(key=GPU_RESOURCE, value="present", effect="NoSchedule")
"""Keeps what needs no GPU off nodes that are paid for theirs."""


def taints(pool: Pool) -> tuple[Taint, ...]:
    """Taints of the pool's nodes.

    There is no taint for nodes that are just starting: a pod that does not tolerate it makes the autoscaler
    start a second node for it (karpenter-provider-aws#1459).
    """
    own = [taint for taint in pool.taints if taint != GPU_TAINT]
    return tuple([GPU_TAINT, *own] if pool.accelerator is not None else own)


def hosts_of_gateway(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """The pools that gateway pods run on: those that nothing is kept off, or all when there is none."""
    everything = tuple(pools)
    return tuple(pool for pool in everything if not taints(pool)) or everything
