"""From series to what was measured of each workload: how busy, how many requests, how long one takes.

Averages are over the whole time that was measured, since that is what a bill is for. A reading is as sure as
its time is long: what was seen for an hour knows no night, and what was seen for a day no weekend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from components.observed.busy import utilization_of
from components.observed.choosing import of_one_deployment, usable, without_twin
from components.observed.matching import Matcher
from components.observed.notes import Notes
from components.observed.quantities import RATES, SHARES, TIMES
from components.observed.reading import Measurements
from components.observed.requests import Requests, requests_of
from components.observed.series import Series
from components.observed.work import service_time_of
from components.spec import Duration, Share, Stack, Workload
from components.traffic.findings import Finding, TraceError
from components.traffic.measurement import Measurement, Sureness, worse
from components.traffic.samples import MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one workload. None is what was not."""

    workload: str
    utilization: Share | None
    """Share of the time that one replica was busy."""
    requests: Requests | None
    service_time: Duration | None
    start: datetime | None
    end: datetime | None
    readings: tuple[Measurement, ...]
    findings: tuple[Finding, ...]

    @property
    def is_idle(self) -> bool:
        """Whether requests were counted, and there were none."""
        return self.requests is not None and self.requests.rate is None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of it."""
        return self.utilization is None and self.requests is None and self.service_time is None

    @property
    def sureness(self) -> Sureness:
        """That of the least sure reading."""
        return worse(*(reading.sureness for reading in self.readings)) if self.readings else Sureness.UNKNOWN


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was measured of a stack."""

    by_workload: Mapping[str, Measured]
    """Of every workload of the stack, by name."""
    findings: tuple[Finding, ...]
    """Of the files, and of series that are of no workload."""


def measure(stack: Stack, measurements: Measurements, maps: Mapping[str, str] | None = None) -> Observed:
    """What was measured of each workload; raises TraceError where no series is of any."""
    matcher = Matcher.of(stack, maps or {})
    series: dict[str, list[Series]] = {workload.name: [] for workload in stack.workloads}
    strangers = []
    for each in measurements.series:
        workload = matcher.workload_of(each)
        if workload is None:
            strangers.append(each)
        else:
            series[workload].append(each)
    matched = sum(map(len, series.values()))
    findings = (*measurements.findings, *matcher.findings(strangers, matched))
    if not matched:
        raise TraceError(
            "no series is of a workload of the stack",
            "keep a label that names the workload (workload, proxy, pod, FunctionName), or say which it is:"
            " --map SERIES=WORKLOAD",
            detail="\n".join(f"  {finding.message}" for finding in findings),
        )
    return Observed({each.name: _measured(each, series[each.name]) for each in stack.workloads}, findings)


def _measured(workload: Workload, series: Sequence[Series]) -> Measured:
    notes = Notes()
    kept = without_twin(workload, usable(series, notes), notes)
    shares, counts, times = (
        of_one_deployment([one for one in kept if one.quantity in kind], notes)
        for kind in (SHARES, RATES, TIMES)
    )
    used = [one.samples.moments_ms for each in (shares, counts, times) for one in each]
    return Measured(
        workload=workload.name,
        utilization=utilization_of(workload, shares, notes),
        requests=requests_of(counts, notes),
        service_time=service_time_of(times, counts, notes),
        start=_moment(min(int(each[0]) for each in used)) if used else None,
        end=_moment(max(int(each[-1]) for each in used)) if used else None,
        readings=tuple(notes.readings),
        findings=notes.findings,
    )


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / MS, UTC)
