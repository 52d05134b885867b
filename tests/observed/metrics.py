"""Small answers of CloudWatch and Prometheus, and stacks to judge by them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from components.observed import Measured, Named, Observed, measure, read
from components.spec import Stack, load

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
STACK = Path(__file__).with_name("Pulumi.observed.yaml")
FUNCTION = "hybrid-fn-index-function-0a1b2c3"
POD = "embed-7d9f8c6b5d-x2x4z"
GPU_POD = "chat-5f6b7c8d9-abcde"
HOUR, DAY, WEEK = 3_600, 86_400, 604_800


def result(
    label: str, values: Sequence[float], *, identifier: str = "m1", step: int = 60, **more: Any
) -> Any:
    """One of the MetricDataResults, the latest first as CloudWatch has them."""
    times = [(MONDAY + timedelta(seconds=step * at)).isoformat() for at in range(len(values))]
    return {
        "Id": identifier,
        "Label": label,
        "Timestamps": times[::-1],
        "Values": list(values)[::-1],
        "StatusCode": "Complete",
    } | more


def data(*results: Any, **more: Any) -> str:
    """The output of get-metric-data."""
    return json.dumps({"MetricDataResults": list(results), "Messages": []} | more)


def statistics(label: str, points: Iterable[Mapping[str, Any]], *, step: int = 60) -> str:
    """The output of get-metric-statistics, whose points come in no order."""
    timed = [
        {"Timestamp": (MONDAY + timedelta(seconds=step * at)).isoformat(), **point}
        for at, point in enumerate(points)
    ]
    return json.dumps({"Label": label, "Datapoints": timed[1::2] + timed[::2]})


def series(metric: Mapping[str, str], values: Sequence[Any], *, step: int = 60) -> Any:
    """One series of a matrix."""
    start = int(MONDAY.timestamp())
    return {"metric": metric, "values": [[start + step * at, str(value)] for at, value in enumerate(values)]}


def matrix(*each: Any, **more: Any) -> str:
    """The answer to a range query."""
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(each)}} | more)


def vector(*each: tuple[Mapping[str, str], Any]) -> str:
    """The answer to an instant query."""
    at = MONDAY.timestamp()
    found = [{"metric": metric, "value": [at, str(value)]} for metric, value in each]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": found}})


@cache
def _raw() -> dict[str, Any]:
    text = STACK.read_text()
    found: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    return found


def hybrid(**workloads: Mapping[str, Any]) -> Stack:
    """The hybrid example with keys of its workloads changed: a path with dots → value, None to remove."""
    raw = deepcopy(_raw())
    for each in raw["workloads"]:
        for path, value in workloads.get(each["name"], {}).items():
            *parents, last = path.split(".")
            place = each
            for part in parents:
                place = place.setdefault(part, {})
            if value is None:
                place.pop(last, None)
            else:
                place[last] = value
    return load(raw)


def observed(folder: Path, *documents: str, stack: Stack | None = None, **maps: str) -> Observed:
    """What documents say of a stack; one that is declared is written `percent=…`."""
    named = []
    for at, document in enumerate(documents):
        kind = document.partition("=")[0] if not document.startswith("{") else ""
        file = folder / f"metrics-{at}.json"
        file.write_text(document.removeprefix(f"{kind}=") if kind else document)
        named.append(Named.parse(f"{kind}={file}" if kind else str(file)))
    return measure(stack or hybrid(), read(named), maps)


def of(name: str, found: Observed) -> Measured:
    return found.by_workload[name]


def said(found: Observed | Measured) -> str:
    return "\n".join(str(finding) for finding in found.findings)
