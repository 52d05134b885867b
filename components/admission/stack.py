"""What a stack's namespace is kept to: the figures of its file, its pools as they are, its waivers."""

from components.admission.manifests import Names
from components.admission.parameters import Governed, softened
from components.catalog import for_stack
from components.catalog import load as load_catalog
from components.naming import namespace
from components.placement import Placements, overrides_of, settle
from components.spec import DataPlane, ExistingCluster


def names(data_plane: DataPlane, root: str) -> Names:
    """Names of the stack's objects; `root` is what the names of its resources begin with."""
    return Names(namespace(root, _given(data_plane)))


def governed(data_plane: DataPlane, placements: Placements) -> Governed:
    """What is judged in the stack's namespace, and by which figures."""
    stack = placements.stack
    settings = settle(for_stack(load_catalog(), stack), overrides_of(stack.policies))
    on_nodes = (each for each in placements.by_name.values() if not each.home.is_function)
    return Governed(
        settings=softened(settings) if data_plane.admission.rules == "warn" else settings,
        pools=tuple((pool, placements.pools[pool.name]) for pool in data_plane.pools),
        waivers=stack.policies.waivers,
        compliance=tuple(sorted({regime for each in on_nodes for regime in each.workload.compliance})),
        # Beside the stack's own models there may be others' things in a namespace that is theirs.
        defaults=data_plane.admission.defaults,
        reach="own" if _given(data_plane) is None else "shared",
    )


def _given(data_plane: DataPlane) -> str | None:
    cluster = data_plane.cluster
    return cluster.namespace if isinstance(cluster, ExistingCluster) else None
