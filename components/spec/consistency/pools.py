"""Checks on one pool of nodes."""

from typing import Final

from components.spec.consistency.saying import At, ItemCheck, Problems, outside
from components.spec.consistency.whole import in_region
from components.spec.data_plane import Pool
from components.spec.stack import Stack

_GPU_TAINT: Final = ("nvidia.com/gpu", "NoSchedule")
# What EKS takes as the key of a label or taint of a node group.
_KEY_ON_EKS: Final = 63
_OWN_LABELS: Final = ("halfmetal.dev/", "kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")


def _provider(stack: Stack) -> str:
    return stack.data_plane.cluster.provider if stack.data_plane is not None else ""


def _zones(stack: Stack, pool: Pool, at: At) -> Problems:
    yield from outside(stack, pool.zones, at)


def _instance_on_eks(stack: Stack, pool: Pool, at: At) -> Problems:
    if _provider(stack) == "eks" and pool.instance is None:
        yield at(
            "instance",
            None,
            "is missing: EKS makes the nodes, so it must know of what type",
            "add an EC2 instance type, like `instance: g6.xlarge`",
        )


def _kind_on_existing(stack: Stack, pool: Pool, at: At) -> Problems:
    if _provider(stack) == "existing" and pool.kind == "managed":
        yield at(
            "kind",
            "managed",
            "is a node group that halfmetal makes, and it makes no node of an existing cluster",
            f"write `kind: metal` and label the nodes halfmetal.dev/pool={pool.name}",
        )


def _capacity_of_provider(stack: Stack, pool: Pool, at: At) -> Problems:
    provider = _provider(stack)
    if provider == "eks" and pool.capacity == "existing":
        yield at(
            "capacity",
            "existing",
            "has no nodes on EKS, where halfmetal makes them",
            "write on-demand or spot",
        )
    if provider == "existing" and pool.kind == "metal" and pool.capacity != "existing":
        yield at(
            "capacity",
            pool.capacity,
            "cannot be had on an existing cluster, whose nodes are there already",
            "write `capacity: existing`",
        )


def _block(_: Stack, pool: Pool, at: At) -> Problems:
    if pool.capacity == "capacity-block" and pool.capacity_block is None:
        yield at(
            "capacity_block",
            None,
            "is missing, and capacity: capacity-block uses it",
            "add `capacity_block: {id: cr-…, zone: …}`, or write `capacity: on-demand`",
        )
    if pool.capacity_block is not None and pool.capacity != "capacity-block":
        yield at(
            "capacity",
            pool.capacity,
            "leaves the capacity block that was bought unused",
            "write `capacity: capacity-block`, or remove capacity_block",
        )


def _block_of_region(stack: Stack, pool: Pool, at: At) -> Problems:
    if pool.capacity_block is not None and not in_region(pool.capacity_block.zone, stack.region):
        yield at(
            "capacity_block.zone",
            pool.capacity_block.zone,
            f"is not a zone of {stack.region}",
            f"use a block bought in {stack.region}",
        )


def _efa_in_one_zone(_: Stack, pool: Pool, at: At) -> Problems:
    if pool.efa and len(pool.zones) != 1:
        yield at(
            "efa",
            pool.efa,
            f"needs its nodes in exactly one zone, and the pool has {len(pool.zones)}",
            f"write `zones: [{pool.zones[0]}]`, or a pool for each zone",
        )


def _nodes_in_order(_: Stack, pool: Pool, at: At) -> Problems:
    nodes = pool.nodes
    said = {"min": nodes.min, "desired": nodes.desired, "max": nodes.max}
    inner = [count for count in said.values() if count is not None]
    if inner != sorted(inner):
        yield at(
            "nodes",
            {key: count for key, count in said.items() if count is not None},
            "is not in order",
            "make min ≤ desired ≤ max" if nodes.desired is not None else "make min ≤ max",
        )
    elif nodes.max == 0:
        yield at("nodes.max", 0, "lets the pool have no node at all", "write 1 or more, or remove the pool")


def _counted_where_they_exist(stack: Stack, pool: Pool, at: At) -> Problems:
    if _provider(stack) == "existing" and pool.nodes.desired is None:
        yield at(
            "nodes.desired",
            None,
            "is missing: the nodes are there already, and nobody but you knows how many",
            f"write how many nodes are labelled halfmetal.dev/pool={pool.name}",
        )


def _pinned_on_metal(_: Stack, pool: Pool, at: At) -> Problems:
    if pool.pinned and pool.kind != "metal":
        yield at(
            "pinned",
            pool.pinned,
            "is for metal: in a shared pool others' pods take the cores that a pinned one leaves",
            "write `kind: metal`, or remove it",
        )


def _key_of_own_nodes(stack: Stack, pool: Pool, at: At) -> Problems:
    key = pool.encryption_key
    if key is None:
        return
    if _provider(stack) == "existing":
        yield at(
            "encryption_key",
            key,
            "is for disks that halfmetal makes, and it makes no node of an existing cluster",
            "remove it, and write `own_keys: true` in the cluster if its disks are encrypted so",
        )
    elif f":{stack.region}:" not in key:
        yield at(
            "encryption_key",
            key,
            f"is not a key of {stack.region}, and a disk is encrypted with one of its own region",
            f"name a key of {stack.region}",
        )


def _labels_of_others(_: Stack, pool: Pool, at: At) -> Problems:
    for key in pool.labels:
        prefix = key.partition("/")[0] + "/"
        if any(prefix == own or prefix.endswith(f".{own}") for own in _OWN_LABELS):
            yield at(
                f'labels["{key}"]',
                pool.labels[key],
                f"is a label that {prefix[:-1]} sets itself",
                "remove it",
            )


def _taints_apart(_: Stack, pool: Pool, at: At) -> Problems:
    """A node has one taint of a key and effect; the value does not tell two apart."""
    taken = {_GPU_TAINT: "GPU nodes have without being told"} if pool.accelerator is not None else {}
    for index, taint in enumerate(pool.taints):
        same = (taint.key, taint.effect)
        if same in taken:
            yield at(
                f"taints[{index}]",
                f"{taint.key}:{taint.effect}",
                f"is one that {taken[same]}",
                "remove it, or give it another key",
            )
        taken.setdefault(same, f"taints[{index}] is")


def _taints_told(stack: Stack, pool: Pool, at: At) -> Problems:
    """An autoscaler is told of taints by tags, and of one key there is one tag."""
    if _provider(stack) != "eks":
        return
    told = {_GPU_TAINT[0]: _GPU_TAINT[1]} if pool.accelerator is not None else {}
    for index, taint in enumerate(pool.taints):
        if told.setdefault(taint.key, taint.effect) != taint.effect:
            yield at(
                f"taints[{index}]",
                f"{taint.key}:{taint.effect}",
                f"is a second effect of a key, beside {told[taint.key]}, and an autoscaler hears of one only",
                "give it another key, or remove one of the two",
            )


def _within_eks(stack: Stack, pool: Pool, at: At) -> Problems:
    """EKS takes less than Kubernetes does as labels and taints of a node group."""
    if _provider(stack) != "eks":
        return
    keys = [(f'labels["{key}"]', key) for key in pool.labels]
    keys += [(f"taints[{index}].key", taint.key) for index, taint in enumerate(pool.taints)]
    for where, key in keys:
        if len(key) > _KEY_ON_EKS:
            yield at(
                where,
                key,
                f"has {len(key)} characters, prefix included, and EKS takes {_KEY_ON_EKS}",
                "shorten the key",
            )
    for key, value in pool.labels.items():
        if not value:
            yield at(
                f'labels["{key}"]',
                value,
                "has no value, and EKS takes no such label",
                'write one, like "true"',
            )


CHECKS: Final[tuple[ItemCheck[Pool], ...]] = (
    _zones,
    _instance_on_eks,
    _kind_on_existing,
    _capacity_of_provider,
    _block,
    _block_of_region,
    _efa_in_one_zone,
    _nodes_in_order,
    _counted_where_they_exist,
    _pinned_on_metal,
    _key_of_own_nodes,
    _labels_of_others,
    _taints_apart,
    _taints_told,
    _within_eks,
)
