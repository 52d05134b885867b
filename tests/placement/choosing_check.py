"""Looks at a decision with other eyes than those that made it: rules, room, budget.

Nothing of `components.placement.choosing` or of the fleet is used here.
"""

from collections import Counter
from collections.abc import Iterator

from components.catalog import InstanceType, load
from components.placement import Placement, Placements, overrides_of, settle
from components.spec import Pool

_CATALOG = load()
_MILLI, _MIB = 1000, 2**20


def broken(placements: Placements) -> list[str]:
    """What a decision breaks, in words."""
    return [*_rules(placements), *_forms(placements), *_room(placements)]


def _rules(placements: Placements) -> Iterator[str]:
    """Hard rules, judged anew by the facts that the resources would carry."""
    settings = settle(_CATALOG, overrides_of(placements.stack.policies))
    for name, placement in placements.by_name.items():
        for setting, verdict in settings.blocking(placement.facts):
            yield f"{name} on {placement.home}: {setting.rule.id}: {verdict.reason}"


def _forms(placements: Placements) -> Iterator[str]:
    plane = placements.stack.data_plane
    pools = {pool.name for pool in plane.pools} if plane is not None else set()
    for name, placement in placements.by_name.items():
        serve = placement.workload.serve
        if placement.home.is_function:
            if serve.function is None or placement.replicas or placement.pool is not None:
                yield f"{name} is no function"
        elif serve.container is None or placement.replicas < 1 or placement.pool is None:
            yield f"{name} has no pods"
        elif placement.pool.name not in pools:
            yield f"{name} is in a pool that is not there"
        if placements.stack.topology == "dedicated" and placement.home.is_function:
            yield f"{name} is a function in a dedicated stack"
        if placements.stack.topology == "pure" and not placement.home.is_function:
            yield f"{name} is on nodes in a pure stack"


def _room(placements: Placements) -> Iterator[str]:
    plane = placements.stack.data_plane
    for pool in plane.pools if plane is not None else ():
        there = [each for each in placements.by_name.values() if each.pool and each.pool.name == pool.name]
        known = _CATALOG.instance_types.get(pool.instance or "")
        if pool.nodes.desired is None:
            yield f"{pool.name} has no number of nodes"
        elif known is not None and not _fits(pool, known, there, pool.nodes.max):
            yield f"{pool.name} cannot hold {Counter(each.workload.name for each in there)}"


def _fits(pool: Pool, known: InstanceType, there: list[Placement], nodes: int) -> bool:
    """Whether every replica finds room on so many nodes: tried by depth, the largest first."""
    zones = len(pool.zones)
    free = [_left(known) for _ in range(nodes)]
    replicas = sorted((_asked(each) for each in there for _ in range(each.replicas)), reverse=True)
    if zones > 1:  # how nodes are spread over zones is not for a decision to say
        return sum(each[0] for each in replicas) <= sum(each[0] for each in free)
    return _placed(replicas, free)


def _left(known: InstanceType) -> tuple[int, int, int]:
    """By the formula of EKS, written out once more, less a quarter of a core for the system's own pods."""
    cpu = known.vcpu * _MILLI
    cpu -= 60 + (10 if known.vcpu > 1 else 0) + 5 * max(0, min(known.vcpu, 4) - 2)
    cpu -= round(2.5 * max(0, known.vcpu - 4)) + 250
    pods = 29 if known.vcpu <= 2 else 58 if known.vcpu <= 8 else 234
    memory = known.memory.bytes - (255 + 11 * pods + 100) * _MIB
    return cpu, memory, known.accelerators.count if known.accelerators is not None else 0


def _asked(placement: Placement) -> tuple[int, int, int]:
    needs = placement.workload.needs
    gpus = needs.accelerator.count if needs.accelerator is not None else 0
    return round(float(needs.cpu) * _MILLI), needs.memory.bytes, gpus


def _placed(replicas: list[tuple[int, int, int]], free: list[tuple[int, int, int]]) -> bool:
    if not replicas:
        return True
    first, *rest = replicas
    tried = set()
    for at, node in enumerate(free):
        if node in tried or any(size > space for size, space in zip(first, node, strict=True)):
            continue
        tried.add(node)
        left = [
            *free[:at],
            tuple(space - size for size, space in zip(first, node, strict=True)),
            *free[at + 1 :],
        ]
        if _placed(rest, left):
            return True
    return False
