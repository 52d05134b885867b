"""How much work requests bring, and how busy it keeps replicas."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.spec.units import Duration, Share
from components.traffic.findings import Finding, Weight
from components.traffic.flow import Flow
from components.traffic.measurement import (
    FEW,
    LARGEST_RATIO,
    Measurement,
    Sureness,
    by_error,
    counted,
    percent,
    rounded,
    worse,
)
from components.traffic.trace import SECOND_NS, Arrivals, Floats, Trace

_OVERLOADED: Final = 1


@dataclass(frozen=True, slots=True)
class Work:
    """What one request takes; None where that is not known."""

    seconds: float | None
    variation: float | None
    """cv² of the durations."""
    sureness: Sureness
    why: str
    findings: tuple[Finding, ...] = ()

    @property
    def typed(self) -> Duration | None:
        """What one request takes, to three digits."""
        return None if self.seconds is None else _service_time(self.seconds)

    def measurements(self) -> tuple[Measurement, ...]:
        """How sure that is."""
        shown = "-" if self.typed is None else str(self.typed)
        taken = Measurement("service time", shown, self.sureness, self.why)
        if self.variation is None:
            return (taken,)
        value = f"{self.variation:g}"
        return (
            taken,
            Measurement("service variation", value, self.sureness, "cv² of the durations in the log"),
        )


def work_of(trace: Trace, given: Duration | None) -> Work:
    """The work of a request: as given, else as the log's durations say."""
    logged = trace.service_s if isinstance(trace, Arrivals) else None
    known = logged[~np.isnan(logged)] if logged is not None else np.empty(0)
    if given is not None:
        return Work(given.seconds, _work_variation(known), Sureness.SURE, "given, not measured")
    if not len(known):
        return Work(None, None, Sureness.UNKNOWN, "the log tells no durations; give it with --service-time")
    mean = float(known.mean())
    if not mean or mean > Duration(Duration.maximum).seconds:
        said = "all zero" if not mean else "longer than ten years"
        finding = Finding(f"the durations are {said}", "name their unit: --duration-unit us")
        return Work(None, None, Sureness.UNKNOWN, f"the durations are {said}", (finding,))
    variation = _work_variation(known)
    error = math.sqrt((variation or 0.0) / len(known))
    sureness = worse(by_error(error), Sureness.FAIR if len(known) >= FEW else Sureness.POOR)
    why = f"mean of {len(known):,} durations, {percent(error)}; waiting inside the server is in it"
    return Work(mean, variation, sureness, why)


def _work_variation(seconds: Floats) -> float | None:
    if len(seconds) < FEW or not seconds.mean() > 0:
        return None
    return rounded(min(float((seconds / seconds.mean()).var()), LARGEST_RATIO))


def _service_time(seconds: float) -> Duration:
    return max(Duration(1), Duration(round(rounded(seconds * SECOND_NS))))


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the work keeps the replicas."""

    utilization: Share | None
    """None where it is not known, or more than they can do."""
    erlang: float | None
    """Requests at work on average."""
    measurement: Measurement
    findings: tuple[Finding, ...] = ()


def load_of(flow: Flow, work: Work, slots: int, concurrency: int) -> Load:
    """The load of `slots`, which replicas of `concurrency` have together."""
    if work.seconds is None:
        unknown = Measurement("utilization", "-", Sureness.UNKNOWN, "the service time is not known")
        return Load(None, None, unknown)
    erlang, at_peak = flow.rate * work.seconds, flow.peak * work.seconds
    busy = erlang / slots
    sureness = worse(flow.measurements[0].sureness, work.sureness)
    replicas = counted(slots // concurrency, "replica")
    why = f"{rounded(erlang):g} requests at work on average, {replicas} of {counted(concurrency, 'slot')}"
    if busy > _OVERLOADED:
        shown = f"{busy:.0%}"
        measurement = Measurement("utilization", shown, sureness, f"{why}: overloaded, so left out")
        return Load(None, erlang, measurement, (_overload(erlang, at_peak, slots, concurrency),))
    share = Share(max(1, round(rounded(busy) * Share.maximum)))
    notes = (_overload(erlang, at_peak, slots, concurrency),) if at_peak > slots else ()
    return Load(share, erlang, Measurement("utilization", str(share), sureness, why), notes)


def _overload(erlang: float, at_peak: float, slots: int, concurrency: int) -> Finding:
    """What is too much, and how many replicas would hold it: strictly more slots than work."""
    average, peak = (math.floor(load / concurrency) + 1 for load in (erlang, at_peak))
    always = erlang > slots
    when = "" if always else " in the busiest minute"
    return Finding(
        f"{counted(slots // concurrency, 'replica')} of {counted(concurrency, 'slot')} cannot hold "
        f"{rounded(erlang if always else at_peak):g} requests at work{when}: "
        f"{counted(average, 'replica')} would hold the average, {peak} the peak",
        f"say how many there are: --replicas {average}; or --concurrency, where one takes several at once"
        if always
        else f"run {counted(peak, 'replica')} in that minute, or let requests wait",
        weight=Weight.WARNING if always else Weight.NOTE,
    )
