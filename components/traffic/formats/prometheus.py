"""The answer of Prometheus to a range query for a rate: requests a second, step by step.

Series are added up: a query that was not summed answers with one for each pod or path. A running total (the
counter itself, without `rate()`) is told apart by never going down, and refused: its values are no rates.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from components.traffic.findings import Finding, TraceError, Weight, shown
from components.traffic.samples import MS, Samples, added_up, is_running_total
from components.traffic.trace import SECOND_NS, Counts

NAME: Final = "prometheus"
_QUERY: Final = "ask /api/v1/query_range for sum(rate(METRIC[1m])) with step=60"
_COUNTER_POINTS: Final = 10


def looks_like_one(head: str) -> bool:
    """Whether a document begins like an answer of Prometheus."""
    start = head.lstrip()[:4096]
    return start.startswith("{") and (
        '"resultType"' in start or ('"status"' in start and ('"data"' in start or '"errorType"' in start))
    )


def counts_of(name: str, text: str) -> Counts:
    """The requests of each step; raises TraceError."""
    try:
        answer = json.loads(text, object_hook=compacted)
    except (ValueError, RecursionError):
        raise TraceError(
            f"{name}: begins like an answer of Prometheus, and is cut off or no JSON", "fetch it again"
        ) from None
    series = result_of(name, answer, ("matrix",))
    return summed(name, [one["values"] for one in series if is_series(one)], len(series))


def result_of(name: str, answer: Any, kinds: Sequence[str], query: str = _QUERY) -> Sequence[Any]:
    """The series of an answer whose result is of one of `kinds`; raises TraceError where it has none."""
    if isinstance(answer, Mapping) and answer.get("status") == "error":
        raise TraceError(f"{name}: Prometheus answered: {shown(str(answer.get('error')))}", query)
    data = answer.get("data", answer) if isinstance(answer, Mapping) else None
    kind = data.get("resultType") if isinstance(data, Mapping) else None
    result = data.get("result") if isinstance(data, Mapping) else None
    if kind not in kinds or not isinstance(result, list):
        said = shown(kind) if isinstance(kind, str) else "of no kind"
        wanted = "range query" if kinds == ("matrix",) else "query for series"
        raise TraceError(f"{name}: is the answer to no {wanted} (its result is {said})", query)
    if not result:
        raise TraceError(f"{name}: the query matched no series", query)
    return result


def is_series(one: Any) -> bool:
    """Whether it is a series that `compacted` knew."""
    return isinstance(one, Mapping) and isinstance(one.get("values"), Samples)


def compacted(mapping: dict[str, Any]) -> dict[str, Any]:
    """A JSON object as it is read, with what a series holds as arrays: an answer of millions is no burden."""
    if isinstance(values := mapping.get("values"), list):
        mapping["values"] = samples_of(values)
    return mapping


def samples_of(points: Sequence[Any]) -> Samples:
    """The samples of a series: pairs of seconds since 1970 and a number as text."""
    try:
        moments = [float(moment) * MS for moment, _ in points]
        values = [float(value) for _, value in points]
    except (TypeError, ValueError, OverflowError):
        read = [_point(point) for point in points]
        moments, values = [moment for moment, _ in read], [value for _, value in read]
    return Samples.of(moments, values, points)


def _point(point: Any) -> tuple[float, float]:
    try:
        moment, value = point
        return float(moment) * MS, float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0, float("nan")


def summed(name: str, series: Sequence[Samples], number: int) -> Counts:
    """The requests of each step of rates, over all of `number` series; raises TraceError."""
    total = added_up(series)
    if not len(total):
        raise TraceError(f"{name}: none of its {number} series has a value", _QUERY)
    if is_running_total(series, _COUNTER_POINTS):
        raise TraceError(
            f"{name}: its values only ever rise, by whole numbers: that is a running total, no rate", _QUERY
        )
    moments = total.moments_ms
    if len(moments) < 2:  # noqa: PLR2004 - a step has two ends
        raise TraceError(f"{name}: has values at one time only, so the step is not known", _QUERY)
    step = int(np.min(np.diff(moments)))
    return Counts(
        ends_ns=moments * (SECOND_NS // MS),
        rates=total.values,
        step_s=step / MS,
        format=NAME,
        findings=tuple(_findings(series, number, total, step)),
    )


def _findings(series: Sequence[Samples], number: int, total: Samples, step: int) -> list[Finding]:
    moments = total.moments_ms
    found = [
        Finding(
            f"arrivals are known as counts of {step / MS:g} s: burstiness is their index of dispersion, "
            "and what happens within a step is not known (a rate over more than a step is smoother than "
            "the traffic)",
            "profile a request log as well to know it",
            weight=Weight.NOTE,
        )
    ]
    if number > 1:
        found.append(Finding(f"{number} series were added up", "select one in the query", weight=Weight.NOTE))
    steps = (moments[-1] - moments[0]) // step + 1
    if steps > len(moments):
        found.append(
            Finding(f"{steps - len(moments)} of {steps} steps have no sample", "they count as not measured")
        )
    if unusable := sum(one.unusable for one in series):
        at, first = next((at, one.first_unusable) for at, one in enumerate(series) if one.unusable)
        found.append(
            Finding(
                f"{unusable} samples are no rate (NaN, infinite or negative) and left out; first in "
                f"series {at + 1}: {shown(first)}",
                "look at the query: rate() gives none where a series has a single sample",
            )
        )
    return found
