"""Prometheus's answers to instant and range queries, for series of any metric.

The shape is that of the HTTP API: `{"status": "success", "data": {"resultType": "matrix" | "vector",
"result": [{"metric": {label: value}, "values": [[seconds, "number"], …]}, …]}}`, with one `value` in a
vector. An answer does not hold its query, and whatever computes (`rate`, `sum by`) drops the metric's name.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.observed.quantities import Quantity, contradict, of_prometheus
from components.observed.series import Series
from components.traffic.findings import Finding, TraceError, Weight, shown
from components.traffic.formats import prometheus
from components.traffic.samples import Samples

_QUERY: Final = "ask /api/v1/query_range for what each replica or workload does, with step=60"
_NAME: Final = "__name__"
# cAdvisor counts a pod once as a whole (no container) and once for what only holds its network.
_CPU: Final = "container_cpu_usage_seconds_total"
_PAUSE: Final = "POD"


def compacted(mapping: dict[str, Any]) -> dict[str, Any]:
    """A JSON object as it is read, with its samples as arrays."""
    if isinstance(value := mapping.get("value"), list) and isinstance(mapping.get("metric"), Mapping):
        mapping["values"] = [value]
    return prometheus.compacted(mapping)


def is_one(document: Any) -> bool:
    """Whether a document is an answer of Prometheus."""
    if not isinstance(document, Mapping):
        return False
    data = document.get("data", document)
    return "errorType" in document or (isinstance(data, Mapping) and "resultType" in data)


def series_of(
    file: str, document: Mapping[str, Any], declared: Quantity | None
) -> tuple[list[Series], list[Finding]]:
    """The series of an answer; raises TraceError where there are none."""
    result = prometheus.result_of(file, document, ("matrix", "vector"), _QUERY)
    found = [one for one in result if prometheus.is_series(one)]
    findings = list(_warnings(file, document))
    if len(found) < len(result):
        findings.append(
            Finding(
                f"{file}: {len(result) - len(found)} of {len(result)} series have no values (native"
                " histograms among them): left out",
                "ask for a number: histogram_avg() or histogram_quantile() make one of a histogram",
            )
        )
    series = [_series(file, one, declared) for one in found]
    kept = [one for one in series if not _is_counted_elsewhere(one)]
    return kept, findings


def _series(file: str, one: Mapping[str, Any], declared: Quantity | None) -> Series:
    labels = one.get("metric")
    told = (
        {key: value for key, value in labels.items() if isinstance(value, str)}
        if isinstance(labels, Mapping)
        else {}
    )
    metric = told.pop(_NAME, "")
    known = of_prometheus(metric)
    if known is not None and declared is not None and contradict(known, declared):
        raise TraceError(
            f"{file}: {shown(metric)} is {known}, not {declared}", f"name the file without {declared}="
        )
    samples: Samples = one["values"]
    return Series(file=file, metric=metric, labels=told, samples=samples, quantity=known or declared)


def _is_counted_elsewhere(series: Series) -> bool:
    return (
        series.metric == _CPU and series.labels.get("container", "") in ("", _PAUSE) and "id" in series.labels
    )


def _warnings(file: str, document: Mapping[str, Any]) -> list[Finding]:
    warnings = document.get("warnings")
    return [
        Finding(f"{file}: Prometheus warns: {shown(str(each))}", "look at the query", weight=Weight.NOTE)
        for each in (warnings if isinstance(warnings, list) else ())
    ]
