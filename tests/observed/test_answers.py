"""Answers as they are fetched: a week of a function, of a GPU, of the gateway; and what each of them says."""

from pathlib import Path

import pytest
from metrics import hybrid

from components.observed import Named, measure, read

ANSWERS = Path(__file__).parent / "answers"


@pytest.mark.parametrize(
    ("file", "maps", "workload", "readings"),
    [
        pytest.param(
            "lambda-get-metric-data.json",
            {},
            "index",
            {"rate": ("30/s", "sure"), "peak": ("51/s", "fair"), "service time": ("96300us", "sure")},
            id="invocations and durations of a function",
        ),
        pytest.param(
            "lambda-get-metric-statistics.json",
            {"lambda-get-metric-statistics": "index"},
            "index",
            {"utilization": ("42%", "fair")},
            id="provisioned concurrency, a day of it, in no order",
        ),
        pytest.param(
            "gpu.json", {}, "chat", {"utilization": ("52%", "sure")}, id="a GPU, of a pod that is exported"
        ),
        pytest.param(
            "gateway.json",
            {},
            "embed",
            {"rate": ("5.98/min", "sure"), "peak": ("0.17/s", "fair")},
            id="two gateways, one of them started anew",
        ),
        pytest.param(
            "ratio=cpu-avg-over-7d.json",
            {},
            "embed",
            {"utilization": ("1.4%", "poor")},
            id="an average over a week that does not say so",
        ),
    ],
)
def test_what_an_answer_says(
    file: str, maps: dict[str, str], workload: str, readings: dict[str, tuple[str, str]]
):
    kind, _, name = file.rpartition("=")
    named = Named.parse(f"{kind}={ANSWERS / name}" if kind else str(ANSWERS / name))
    found = measure(hybrid(), read([named]), maps).by_workload
    told = {each.name: (each.value, str(each.sureness)) for each in found[workload].readings}
    assert told == readings
    assert all(each.is_empty for other, each in found.items() if other != workload)
