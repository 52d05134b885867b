"""Whether a pool's nodes are what the pool says they are.

The instance type decides what a node is: its architecture, its GPUs, and so the image that it starts with. A
pool that says otherwise would get nodes without a driver, or pods that wait for GPUs no node has.
"""

from collections.abc import Iterable, Iterator

from components.catalog import Accelerators, Catalog, InstanceType
from components.spec import Needs, Pool, Problem, Stack


def instance_of(pool: Pool, catalog: Catalog) -> InstanceType | None:
    """What the catalog knows of the pool's instance type; None where it, or the type, is not known."""
    return None if pool.instance is None else catalog.instance_types.get(pool.instance)


def has_room(pool: Pool, needs: Needs, catalog: Catalog) -> bool:
    """Whether one replica can be on one node. A node whose type is not known may have the room.

    A pod never gets all of a node: what the kubelet and the system keep of it is more than nothing, and how
    much depends on the node's image and settings. So only what is certain is refused, a need for all or more.
    """
    known = instance_of(pool, catalog)
    return known is None or (needs.cpu < known.vcpu and needs.memory < known.memory)


def rooms(pools: Iterable[Pool], catalog: Catalog) -> str:
    """What a node of each type has, in words."""
    types = {known.name: known for pool in pools if (known := instance_of(pool, catalog)) is not None}
    return ", ".join(f"a {name} has {known.vcpu} and {known.memory}" for name, known in sorted(types.items()))


def problems(stack: Stack, catalog: Catalog) -> Iterator[Problem]:
    """Pools whose instance type is not known where it must be, or has not the GPUs that the pool names."""
    if stack.data_plane is None:
        return
    made_here = stack.data_plane.cluster.provider == "eks"
    for index, pool in enumerate(stack.data_plane.pools):
        path, known = f"data_plane.pools[{index}]", instance_of(pool, catalog)
        if known is not None:
            yield from _misnamed(pool, known, catalog, path)
        elif made_here:
            yield Problem(
                f"{path}.instance",
                pool.instance,
                "is no instance type that the catalog knows, so its architecture is not known",
                "use another, or add it to components/catalog/data/instance_types.yaml",
                pool.name,
            )


def _misnamed(pool: Pool, known: InstanceType, catalog: Catalog, path: str) -> Iterator[Problem]:
    said, has = pool.accelerator, known.accelerators
    if said is None and has is not None:
        yield Problem(
            f"{path}.accelerator",
            None,
            f"is missing, and a {pool.instance} has {_named(has)}: without it, nodes get no GPU driver",
            f"add `accelerator: {{type: {has.type}, count: {has.count}}}`, or use a type without GPUs",
            pool.name,
        )
    if said is None:
        return
    if has is None or (said.type, said.count) != (has.type, has.count):
        yield Problem(
            f"{path}.accelerator",
            f"{said.count} {said.type}",
            f"is not what a {pool.instance} has, {'no GPU' if has is None else _named(has)}",
            "name what it has, or another instance type",
            pool.name,
        )
    elif said.memory is not None and said.memory > (most := catalog.accelerators[has.type].sold_as):
        yield Problem(
            f"{path}.accelerator.memory",
            str(said.memory),
            f"is more than one {has.type} has, {most}",
            f"write {most} or less",
            pool.name,
        )


def _named(accelerators: Accelerators) -> str:
    return f"{accelerators.count} {accelerators.type}"
