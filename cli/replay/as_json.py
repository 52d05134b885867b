"""The answer for programs. Times are in milliseconds, shares of requests between 0 and 1."""

from typing import Any

from cli.replay.question import Question
from cli.replay.tables import mark
from components.placement.replay import SPOCK, Checked, Expected, Gain, Replay, Row, Trial
from components.spec.units import Duration


def replay_json(asked: Question, answer: Replay) -> dict[str, Any]:
    return {
        "workload": asked.workload.name,
        "region": asked.stack.region,
        "requests": len(answer.log.arrivals_s),
        "span_s": answer.log.span_s,
        "traffic": asked.profile.block(),
        "budget_ms": answer.budget.milliseconds,
        "choice": None if answer.choice is None else answer.choice.side,
        "rows": [_row(row, answer) for row in answer.rows],
        "twin": None if answer.gain is None else _gain(answer.gain),
        "notes": list(asked.notes),
        "findings": [finding.as_json() for finding in asked.findings],
    }


def checked_json(proof: Checked) -> dict[str, Any]:
    return {"exhaustive": {"sizes_played": proof.sizes, "not_the_cheapest": list(proof.wrong)}}


def _row(row: Row, answer: Replay) -> dict[str, Any]:
    return {
        "topology": row.side.topology,
        "way": row.side,
        "verdict": mark(row, answer),
        "why_not": row.why_not or None,
        "sizes_played": row.sizes,
        **({} if row.trial is None else _trial(row.trial)),
        "model": None if row.expected is None else _expected(row.expected),
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "size": {"count": trial.size.count, "queue": trial.size.queue, "said": str(trial)},
        "dollars_a_month": float(trial.total.amount),
        "bill": [
            {"name": line.name, "dollars_a_month": float(line.money.amount), "how": line.how}
            for line in trial.cost.lines
        ],
        **{f"{name}_ms": _milliseconds(getattr(trial.seen, name)) for name in ("p50", "p95", "p99")},
        "holds_budget": trial.holds,
        "over_budget": trial.over.fraction,
        "on_demand": trial.on_demand.fraction,
        "cold_starts": trial.seen.cold_start_share.fraction,
    }


def _expected(expected: Expected) -> dict[str, Any]:
    times = expected.latency
    return {
        "dollars_a_month": float(expected.cost.total.amount),
        "p99_ms": None if times is None else _milliseconds(times.p99),
        "method": None if times is None else times.method,
        "note": None if times is None else times.note,
    }


def _gain(gain: Gain) -> dict[str, Any]:
    return {
        "is_used": gain.is_used,
        "less_cost_at_the_same_promise": gain.less_cost,
        "fewer_misses_for_the_same_money": gain.fewer_misses,
        "same_money": None if gain.same_money is None else _trial(gain.same_money),
        "anchor": {
            "source": SPOCK.source,
            "less_cost_up_to": SPOCK.less_cost,
            "fewer_misses_up_to": SPOCK.fewer_misses,
        },
    }


def _milliseconds(time: Duration | None) -> float | None:
    return None if time is None else time.milliseconds
