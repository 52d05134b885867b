"""The answer of Prometheus to a range query for a rate: requests a second, step by step.

Series are added up: a query that was not summed answers with one for each pod or path. A running total (the
counter itself, without `rate()`) is told apart by never going down, and refused: its values are no rates.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from components.traffic.findings import Finding, TraceError, Weight, shown
from components.traffic.trace import SECOND_NS, Counts

NAME: Final = "prometheus"
_QUERY: Final = "ask /api/v1/query_range for sum(rate(METRIC[1m])) with step=60"
_COUNTER_POINTS: Final = 10
_LATEST_S: Final = 2**32
_MS: Final = 1000


def looks_like_one(head: str) -> bool:
    """Whether a document begins like an answer of Prometheus."""
    start = head.lstrip()[:4096]
    return start.startswith("{") and (
        '"resultType"' in start or ('"status"' in start and ('"data"' in start or '"errorType"' in start))
    )


def counts_of(name: str, text: str) -> Counts:
    """The requests of each step; raises TraceError."""
    series = _series(name, text)
    tally = _Tally(defaultdict(float))
    for at, one in enumerate(series):
        tally.add(at, one)
    if not tally.rates:
        raise TraceError(f"{name}: none of its {len(series)} series has a value", _QUERY)
    if tally.never_down and tally.longest >= _COUNTER_POINTS:
        raise TraceError(
            f"{name}: its values only ever rise, by whole numbers: that is a running total, no rate", _QUERY
        )
    return _counts(name, tally, len(series))


@dataclass
class _Tally:
    rates: defaultdict[int, float]
    """Millisecond since 1970 → requests a second, over all series."""
    unusable: int = 0
    first_unusable: str = ""
    longest: int = 0
    never_down: bool = True

    def add(self, at: int, one: Any) -> None:
        """Take in one series."""
        before, first, points = -math.inf, None, 0
        for moment, value, said in _points(one):
            if not 0 <= value < math.inf:
                self.unusable += 1
                self.first_unusable = self.first_unusable or f"series {at + 1}: {said}"
                continue
            self.rates[moment] += value
            self.never_down = self.never_down and value >= before and value == int(value)
            before, points = value, points + 1
            first = value if first is None else first
        if points:
            self.longest = max(self.longest, points)
            # A rate that stays the same never goes down either.
            self.never_down = self.never_down and before != first


def _series(name: str, text: str) -> Sequence[Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise TraceError(
            f"{name}: begins like an answer of Prometheus, and is cut off or no JSON", "fetch it again"
        ) from None
    if isinstance(answer, dict) and answer.get("status") == "error":
        raise TraceError(f"{name}: Prometheus answered: {shown(str(answer.get('error')))}", _QUERY)
    data = answer.get("data", answer) if isinstance(answer, dict) else None
    kind = data.get("resultType") if isinstance(data, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if kind != "matrix" or not isinstance(result, list):
        raise TraceError(f"{name}: is the answer to no range query (its result is a {kind})", _QUERY)
    if not result:
        raise TraceError(f"{name}: the query matched no series", _QUERY)
    return result


def _points(series: Any) -> Iterator[tuple[int, float, str]]:
    """Millisecond, value (NaN where it is none) and the point as it is written."""
    values = series.get("values") if isinstance(series, Mapping) else None
    for point in values if isinstance(values, list) else ():
        said = shown(json.dumps(point))
        try:
            moment, value = point
            at = float(moment)
            yield (round(at * _MS), float(value), said) if 0 <= at < _LATEST_S else (0, math.nan, said)
        except (TypeError, ValueError):
            yield 0, math.nan, said


def _counts(name: str, tally: _Tally, series: int) -> Counts:
    moments = np.array(sorted(tally.rates), dtype=np.int64)
    if len(moments) < 2:  # noqa: PLR2004 - a step has two ends
        raise TraceError(f"{name}: has values at one time only, so the step is not known", _QUERY)
    step = int(np.min(np.diff(moments)))
    found = [
        Finding(
            f"arrivals are known as counts of {step / _MS:g} s: burstiness is their index of dispersion, "
            "and what happens within a step is not known (a rate over more than a step is smoother than "
            "the traffic)",
            "profile a request log as well to know it",
            weight=Weight.NOTE,
        )
    ]
    if series > 1:
        found.append(Finding(f"{series} series were added up", "select one in the query", weight=Weight.NOTE))
    steps = (moments[-1] - moments[0]) // step + 1
    if steps > len(moments):
        found.append(
            Finding(f"{steps - len(moments)} of {steps} steps have no sample", "they count as not measured")
        )
    if tally.unusable:
        found.append(
            Finding(
                f"{tally.unusable} samples are no rate (NaN, infinite or negative) and left out; first in "
                f"{tally.first_unusable}",
                "look at the query: rate() gives none where a series has a single sample",
            )
        )
    return Counts(
        ends_ns=moments * (SECOND_NS // _MS),
        rates=np.array([tally.rates[int(moment)] for moment in moments]),
        step_s=step / _MS,
        format=NAME,
        findings=tuple(found),
    )
