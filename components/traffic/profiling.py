"""From arrivals to the `traffic` block of a workload, and how much each of its numbers can be trusted.

A number from a log looks as exact whether it comes from a week or from a minute. So each carries how sure it
is and why: its standard error, what the trace is too short, too small or too coarse for, and what was taken
from elsewhere. What cannot be measured is left out of the block, where it means "not known".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from components.spec.units import Duration, Rate, Share
from components.traffic.findings import Finding
from components.traffic.flow import flow_of
from components.traffic.measurement import Measurement, plain, rate_of, rounded
from components.traffic.trace import Arrivals, Trace
from components.traffic.work import load_of, work_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a trace says of a workload's traffic. `None` is what it does not say."""

    format: str
    """Kind of log that it comes from."""
    requests: int
    span_s: float
    start: datetime | None
    """None for a trace that tells times from its own beginning only."""
    rate: Rate
    peak: Rate
    burstiness: float | None
    """cv² of the times between arrivals; index of dispersion where those are too coarse."""
    utilization: Share | None
    """Of one replica; None where the work is not known, or more than the replicas can do."""
    offered_load: float | None
    """Requests being worked on at once on average, in Erlang: rate times service time."""
    service_time: Duration | None
    service_variation: float | None
    hourly: tuple[float, ...] | None
    """24 weights from 00:00 UTC, of mean 1."""
    dispersion: Mapping[int, float]
    """Index of dispersion of the counts in windows, by their length in seconds."""
    means: Mapping[str, float]
    """Mean bytes and tokens of a request, where the log tells them."""
    measurements: tuple[Measurement, ...]
    findings: tuple[Finding, ...]

    def block(self) -> dict[str, object]:
        """The `traffic` block as plain values, without what is not known."""
        values: dict[str, object | None] = {
            "rate": str(self.rate),
            "peak": str(self.peak),
            "utilization": None if self.utilization is None else str(self.utilization),
            "service_time": None if self.service_time is None else str(self.service_time),
            "burstiness": plain(self.burstiness),
            "service_variation": plain(self.service_variation),
            "hourly": None if self.hourly is None else [plain(weight) for weight in self.hourly],
        }
        return {key: value for key, value in values.items() if value is not None}

    def to_yaml(self) -> str:
        """The `traffic` block of a stack file, ready to paste."""
        return "traffic:\n" + "".join(f"  {key}: {spelled(value)}\n" for key, value in self.block().items())

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "format": self.format,
            "requests": self.requests,
            "span_s": self.span_s,
            "start": self.start.isoformat() if self.start else None,
            "traffic": self.block(),
            "offered_load": self.offered_load,
            "dispersion": {f"{window}s": value for window, value in self.dispersion.items()},
            "means": dict(self.means),
            "measurements": [
                {"name": each.name, "value": each.value, "sureness": str(each.sureness), "why": each.why}
                for each in self.measurements
            ],
            "findings": [finding.as_json() for finding in self.findings],
        }


def spelled(value: object) -> str:
    """A value of the block as YAML on one line."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)


def profile(
    trace: Trace, *, service_time: Duration | None = None, replicas: int = 1, concurrency: int = 1
) -> Profile:
    """What the trace says of the traffic; raises TraceError where it is too little to say anything.

    `service_time` stands in for durations that the log does not tell, and before those that it does.
    Utilization is of `replicas`, each of which takes `concurrency` requests at once.
    """
    flow = flow_of(trace)
    work = work_of(trace, service_time)
    load = load_of(flow, work, replicas * concurrency, concurrency)
    return Profile(
        format=trace.format,
        requests=flow.requests,
        span_s=flow.span_s,
        start=flow.start,
        rate=rate_of(flow.rate),
        peak=flow.peak_rate(),
        burstiness=flow.burstiness,
        utilization=load.utilization,
        offered_load=load.erlang,
        service_time=work.typed,
        service_variation=work.variation,
        hourly=flow.hourly,
        dispersion=flow.dispersion,
        means=_means(trace),
        measurements=(*flow.measurements, *work.measurements(), load.measurement),
        findings=(*trace.findings, *flow.findings, *work.findings, *load.findings),
    )


def _means(trace: Trace) -> dict[str, float]:
    measures = trace.measures if isinstance(trace, Arrivals) else {}
    return {name: rounded(float(np.nanmean(values))) for name, values in measures.items()}
