"""The plan for programs."""

from typing import Any

from components.placement.plan import Alternative, Plan, Planned, Resource, ZoneNodes
from components.spec.units import Duration

_UNITS = {Resource.CPU: "cores", Resource.MEMORY: "GiB", Resource.ACCELERATORS: "devices"}


def plan_json(made: Plan, other: Plan | None) -> dict[str, Any]:
    told = {
        "topology": made.topology,
        "region": made.region,
        "dollars_a_month": float(made.total.amount),
        "not_priced": list(made.unpriced),
        "nodes_not_counted": list(made.uncounted),
        "workloads": [workload_json(each) for each in made.workloads],
        "standing": [
            {"name": line.name, "dollars_a_month": float(line.money.amount), "how": line.how}
            for line in made.standing
        ],
        "idle": [
            {"pool": idle.pool, "nodes": idle.nodes, "dollars_a_month": float(idle.money.amount)}
            for idle in made.idle
        ],
        "fleet": [_nodes_json(nodes) for nodes in made.fleet],
        "warnings": [{"subject": each.subject, "message": each.message} for each in made.warnings],
    }
    return told if other is None else {"here": told, "there": plan_json(other, None)}


def _nodes_json(nodes: ZoneNodes) -> dict[str, Any]:
    return {
        "zone": nodes.zone,
        "pool": nodes.pool,
        "home": nodes.home,
        "instance": nodes.instance,
        "capacity": nodes.capacity,
        "nodes": nodes.nodes,
        **{
            resource: {
                "unit": _UNITS[resource],
                "has": nodes.has(resource),
                "claimed": nodes.claimed(resource),
                "share": nodes.used(resource),
            }
            for resource in Resource
        },
        "workloads": [{"name": claim.workload, "replicas": claim.replicas} for claim in nodes.claims],
        "dollars_a_month": None if nodes.price is None else float(nodes.price.amount),
        "not_priced": nodes.unpriced or None,
    }


def workload_json(each: Planned) -> dict[str, Any]:
    runner_up = each.runner_up
    return {
        "name": each.name,
        "home": each.placement.home,
        "pool": each.placement.pool.name if each.placement.pool else None,
        "zone": each.placement.zone,
        "tail": each.placement.twin.home if each.placement.twin else None,
        "reasons": list(each.placement.reasons),
        "runner_up": runner_up.home if runner_up else None,
        "break_even": each.break_even or None,
        "homes": [_alternative_json(each, alternative) for alternative in each.alternatives],
    }


def _alternative_json(each: Planned, alternative: Alternative) -> dict[str, Any]:
    candidate, price, times = alternative.candidate, alternative.cost, alternative.latency
    return {
        "home": alternative.home,
        "chosen": alternative.home is each.placement.home,
        "allowed": candidate.is_allowed,
        "unavailable": candidate.unavailable or None,
        "refused_by": list(candidate.blocking),
        "verdicts": [
            {"rule": setting.rule.id, "answer": verdict.answer, "reason": verdict.reason}
            for setting, verdict in candidate.verdicts
        ],
        "unknown": alternative.unknown or None,
        "dollars_a_month": float(price.total.amount) if price else None,
        "bill": [
            {
                "name": line.name,
                "dollars_a_month": float(line.money.amount),
                "how": line.how,
                "caveat": line.caveat,
            }
            for line in (price.lines if price else ())
        ],
        "latency": None
        if times is None
        else {
            **{name: _milliseconds(getattr(times, name)) for name in ("p50", "p95", "p99")},
            "unit": "ms",
            "quantiles": [{"share": share, "within": _milliseconds(time)} for share, time in times.quantiles],
            "method": times.method,
            "cold_start_share": times.cold_start_share.fraction,
            "note": times.note,
            "holds_budget": alternative.holds(each.budget),
            "parts": [
                {"name": part.name, "p50": _milliseconds(part.p50), "p99": _milliseconds(part.p99)}
                for part in times.parts
            ],
        },
    }


def _milliseconds(time: Duration | None) -> float | None:
    return None if time is None else time.milliseconds
