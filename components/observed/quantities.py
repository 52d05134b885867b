"""What a series measures, and in which unit: told by the metric's name, or by whoever names the file.

A value of 0.7 may be 70 % busy or 0.7 %, and nothing in the value says which. So a unit is never guessed from
the values: a metric whose name tells it is known below, any other must be declared (`percent=FILE`).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Quantity(StrEnum):
    """What the values of a series are."""

    RATIO = "ratio"
    """Share that is busy, 0 to 1."""
    PERCENT = "percent"
    """Share that is busy, 0 to 100."""
    RATE = "rate"
    """Requests a second."""
    CORES = "cores"
    """CPU cores in use."""
    SECONDS = "seconds"
    """What one request takes."""
    MILLISECONDS = "milliseconds"
    """What one request takes."""
    REQUESTS = "requests in each period"
    REQUESTS_TOTAL = "a running total of requests"
    CORE_SECONDS_TOTAL = "a running total of CPU seconds"


DECLARED: Final = (
    Quantity.RATIO,
    Quantity.PERCENT,
    Quantity.RATE,
    Quantity.CORES,
    Quantity.SECONDS,
    Quantity.MILLISECONDS,
)
"""What a file may be declared to hold."""

PREFERRED: Final = ("Invocations", "Duration")
"""Metrics to take where others tell the same: they are of the work alone."""

SHARES: Final = (Quantity.RATIO, Quantity.PERCENT, Quantity.CORES, Quantity.CORE_SECONDS_TOTAL)
RATES: Final = (Quantity.RATE, Quantity.REQUESTS, Quantity.REQUESTS_TOTAL)
TIMES: Final = (Quantity.SECONDS, Quantity.MILLISECONDS)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a metric measures, and the CloudWatch statistic of it that says so."""

    quantity: Quantity
    statistic: str = "Average"


OF_FUNCTIONS: Final = {
    # AWS Lambda Developer Guide, "Types of metrics for Lambda functions" and "Monitoring concurrency". The
    # last is published with the unit Percent and holds a ratio: .5 is half of what is provisioned.
    "Invocations": Meaning(Quantity.REQUESTS, "Sum"),
    "Duration": Meaning(Quantity.MILLISECONDS),
    "ProvisionedConcurrencyUtilization": Meaning(Quantity.RATIO),
}

CLOUDWATCH: Final = OF_FUNCTIONS | {
    # API Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs": of each route, where the stage
    # has detailed metrics, which halfmetal's has. What the way to a pod takes is in the second.
    "Count": Meaning(Quantity.REQUESTS, "Sum"),
    "IntegrationLatency": Meaning(Quantity.MILLISECONDS),
}

_PROMETHEUS: Final = {
    # NVIDIA's dcgm-exporter, default-counters.csv: the first in percent, the second a ratio.
    "DCGM_FI_DEV_GPU_UTIL": Quantity.PERCENT,
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Quantity.RATIO,
    # cAdvisor.
    "container_cpu_usage_seconds_total": Quantity.CORE_SECONDS_TOTAL,
    # HAProxy's own exporter.
    "haproxy_backend_http_requests_total": Quantity.REQUESTS_TOTAL,
    "haproxy_backend_response_time_average_seconds": Quantity.SECONDS,
}

# Metrics and recording rules that carry their unit, as Prometheus's naming practices ask for. That of memory
# or of a disk is no share of the day that a replica is busy.
_BUSY: Final = re.compile(r"util|busy|cpu|gpu", re.IGNORECASE)
_NOT_BUSY: Final = re.compile(r"mem|disk|volume|fs_|filesystem|error|network", re.IGNORECASE)
_SUFFIXES: Final = (
    (re.compile(r"[_:]ratio$"), Quantity.RATIO),
    (re.compile(r"[_:]percent$"), Quantity.PERCENT),
)
_REQUESTS_TOTAL: Final = re.compile(r"requests_total$")
_REQUESTS_RATE: Final = re.compile(r"requests:rate\d+[smhdw]$")


def of_prometheus(metric: str) -> Quantity | None:
    """What a metric's name says it measures."""
    if metric in _PROMETHEUS:
        return _PROMETHEUS[metric]
    if _REQUESTS_TOTAL.search(metric):
        return Quantity.REQUESTS_TOTAL
    if _REQUESTS_RATE.search(metric):
        return Quantity.RATE
    if not _BUSY.search(metric) or _NOT_BUSY.search(metric):
        return None
    return next((quantity for suffix, quantity in _SUFFIXES if suffix.search(metric)), None)


def of_cloudwatch(metric: str, unit: str) -> Meaning | None:
    """What a metric measures by its name, or by its name and unit where the answer has one."""
    if metric in CLOUDWATCH:
        return CLOUDWATCH[metric]
    if unit == "Percent" and _BUSY.search(metric) and not _NOT_BUSY.search(metric):
        return Meaning(Quantity.PERCENT)
    return None


_UNIT: Final = {
    Quantity.REQUESTS: Quantity.RATE,
    Quantity.REQUESTS_TOTAL: Quantity.RATE,
    Quantity.CORE_SECONDS_TOTAL: Quantity.CORES,
}


def contradict(known: Quantity, declared: Quantity) -> bool:
    """Whether a file is declared to hold what a metric of known unit is not."""
    return known is not declared and _UNIT.get(known) is not declared
