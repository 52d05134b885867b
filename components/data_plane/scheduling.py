"""How pods and pools find each other: labels and taints of a pool's nodes, and what a pod says to get there.

Both sides are derived from the same pool, so that a taint can never be added to nodes without the tolerations
of everything that must run on them.
"""

from collections.abc import Iterable
from typing import Any, Final

from components.placement.labels import POOL_LABEL, ZONE_LABEL
from components.placement.taints import taints
from components.spec import Pool

HOST_LABEL: Final = "kubernetes.io/hostname"


def labels(pool: Pool) -> dict[str, str]:
    """Labels of the pool's nodes."""
    return {**pool.labels, POOL_LABEL: pool.name}


def tolerations(pools: Iterable[Pool]) -> list[dict[str, str]]:
    """What a pod tolerates that may run on any of the pools: the union of their taints, in a stable order."""
    union = {taint for pool in pools for taint in taints(pool)}
    return [
        {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
        for taint in sorted(union, key=lambda taint: (taint.key, taint.value, taint.effect))
    ]


def on_pools(pools: Iterable[Pool], zone: str | None = None) -> dict[str, Any]:
    """The part of a pod's spec that holds it to some pools, and to one zone."""
    chosen = tuple(pools)
    wanted: list[dict[str, Any]] = []
    placed: dict[str, Any] = {"tolerations": tolerations(chosen)}
    if len(chosen) == 1:
        placed["node_selector"] = {POOL_LABEL: chosen[0].name}
    else:
        wanted.append(_among(POOL_LABEL, sorted(pool.name for pool in chosen)))
    if zone is not None:
        wanted.append(_among(ZONE_LABEL, [zone]))
    if wanted:
        terms = {"node_selector_terms": [{"match_expressions": wanted}]}
        placed["affinity"] = {"node_affinity": {"required_during_scheduling_ignored_during_execution": terms}}
    return placed


def spread(labels_of_pod: dict[str, str], by: str) -> dict[str, Any]:
    """Spreads pods over nodes or zones as far as it can, and never refuses one for it."""
    return {
        "topology_key": by,
        "max_skew": 1,
        "when_unsatisfiable": "ScheduleAnyway",
        "label_selector": {"match_labels": labels_of_pod},
    }


def _among(key: str, values: list[str]) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": values}
