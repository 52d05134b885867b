"""A plan in a few lines: what a preview prints, and what a stack keeps of it among its outputs."""

from collections.abc import Iterator
from typing import Any

from components.placement.plan.model import Plan, Planned
from components.placement.plan.words import amount, p99, price, runner_up, where


def lines(plan: Plan) -> Iterator[str]:
    """One for each workload, and the total."""
    for each in plan.workloads:
        yield f"{each.name}: {', '.join(_figures(each))}; {each.placement.reasons[0]}"
    without = " and nodes that exist already" if plan.uncounted else ""
    yield f"{plan.topology}: {amount(plan.total)} a month by the catalog{without}"


def _figures(each: Planned) -> Iterator[str]:
    yield where(each)
    if each.chosen.cost is not None:
        yield f"{price(each.chosen)} a month"
    if each.chosen.latency is not None:
        yield f"p99 {p99(each.chosen)}"
    if each.runner_up is not None:
        yield f"next {runner_up(each)}"


def summary(plan: Plan) -> dict[str, Any]:
    """The same for programs: dollars a month and milliseconds, None where they are not known."""
    return {
        "topology": plan.topology,
        "dollars_a_month": float(round(plan.total.amount, 2)),
        "workloads": {each.name: _summed(each) for each in plan.workloads},
    }


def _summed(each: Planned) -> dict[str, Any]:
    placement, chosen, other = each.placement, each.chosen, each.runner_up
    latency = chosen.latency
    return {
        "home": placement.home.value,
        "pool": placement.pool.name if placement.pool is not None else None,
        "zone": placement.zone,
        "replicas": placement.replicas,
        "twin": placement.twin is not None,
        "why": placement.reasons[0],
        "dollars_a_month": float(round(chosen.cost.total.amount, 2)) if chosen.cost is not None else None,
        "p99_ms": round(latency.p99.milliseconds, 1) if latency is not None and latency.p99 else None,
        "runner_up": None if other is None else other.home.value,
    }
