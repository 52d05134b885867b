"""From a log and a stack file to what is played, with all that had to be taken from elsewhere said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import typer

from cli.traces import Target
from components.catalog import Catalog, for_stack
from components.catalog import load as load_catalog
from components.placement.bounds import bounds_of
from components.placement.latency.arrivals import REQUESTS_AT_MOST
from components.placement.options import Missing, demand_of
from components.placement.replay import Checked, Log, Replay, Size, Way, checked, replay, ways_of
from components.spec import Duration, Stack, Workload
from components.traffic import Arrivals, Finding, Profile, Trace, TraceError, profile
from components.traffic.measurement import duration_text, rounded
from components.traffic.trace import Floats

_DAY_S = 86_400
# Of which one in a hundred is a sample too small to tell its own error.
_FEW = 3_000


@dataclass(frozen=True)
class Question:
    """What is played, and what to know beside the answer."""

    stack: Stack
    workload: Workload
    """With the traffic that was measured, and the budget."""
    budget: Duration
    log: Log
    profile: Profile
    findings: tuple[Finding, ...]
    """What is to know of the log itself."""
    catalog: Catalog
    service_from: str
    """Who says what a request takes."""
    work_is_known: bool
    """Whether what each request takes comes from the log, in all its shape."""

    def answer(self, on_size: Callable[[Way, Size], None]) -> Replay:
        """Every topology, played."""
        rows = ways_of(self.stack, self.workload, self.catalog)
        return replay(rows, self.log, self.catalog, self.budget, on_size)

    def check(self, answer: Replay, on_size: Callable[[Way, Size], None]) -> Checked:
        """Whether no size that the answer passed over is cheaper and holds."""
        return checked(answer, self.catalog, on_size)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the figures rest on."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        span = duration_text(self.log.span_s)
        hours = "" if self.log.span_s >= _DAY_S else ", nights as busy as that"
        yield f"a month is taken to be these {span} over and over{hours}, at one size all the time"
        traffic = self.workload.traffic
        yield f"a request is {traffic.service_time} of work on average ({self.service_from})"
        yield "a function is taken to do the work in the time that a replica takes"
        if len(self.log.arrivals_s) < _FEW:
            last = len(self.log.arrivals_s) // 100 or "less than one"
            yield f"so few requests say little of the slowest one in a hundred: that is {last} of them"
        yield from self._throttled()

    def _throttled(self) -> Iterator[str]:
        serve = self.workload.serve.function
        if serve is None:
            return
        allowed, needed = bounds_of(self.stack, serve).reserved_concurrency, self.log.most_at_once()
        if allowed is not None and allowed < needed:
            yield (
                f"on functions alone up to {needed:,} copies work at once, and reserved_concurrency lets"
                f" {allowed:,}: it is played without that limit, so write {needed:,} or more"
            )


def question_of(
    target: Target,
    trace: Trace,
    *,
    budget: Duration | None,
    service_time: Duration | None,
    work_by: str | None = None,
) -> Question:
    """What is to be played; TraceError for a log that cannot be, BadParameter for what an option must say."""
    stack, workload = target.file.stack(), target.workload
    arrivals = _replayable(trace)
    wanted = budget or workload.latency.p99
    if wanted is None:
        raise typer.BadParameter(
            f"is needed: {workload.name} has no latency.p99 in the stack file", param_hint="--budget"
        )
    work = _work_of(arrivals, workload, service_time, work_by)
    found = profile(arrivals, service_time=work.mean)
    met = _met(workload, found, work, wanted)
    demand = demand_of(met)
    if isinstance(demand, Missing):
        raise TraceError(demand.reason, "give the work of a request: --service-time")
    return Question(
        stack=stack,
        workload=met,
        budget=wanted,
        log=Log.of(arrivals.times_s, work.seconds, demand),
        profile=found,
        findings=arrivals.findings,
        catalog=for_stack(load_catalog(), stack),
        service_from=work.said(met),
        work_is_known=work.seconds is not None,
    )


@dataclass(frozen=True)
class _Work:
    """What requests take."""

    mean: Duration | None
    """None is as the log says."""
    seconds: Floats | None
    """Of each; None is drawn."""
    source: str

    @property
    def variation(self) -> float | None:
        """Squared coefficient of variation, where each is known."""
        if self.seconds is None or not self.seconds.mean() > 0:
            return None
        return rounded(float((self.seconds / self.seconds.mean()).var()))

    def said(self, workload: Workload) -> str:
        """Where it comes from, in words."""
        variation = workload.traffic.service_variation
        spread = (
            "exponential, as nothing else is known"
            if variation is None
            else f"with a variation of {variation:g}"
        )
        return f"{self.source}; drawn, {spread}" if self.seconds is None else f"{self.source}; {spread}"


def _work_of(
    arrivals: Arrivals, workload: Workload, service_time: Duration | None, work_by: str | None
) -> _Work:
    """As an option says, else as the log does, else as the stack file does."""
    if service_time is None and work_by is None and arrivals.service_s is not None:
        return _Work(None, _filled(arrivals.service_s), "each as the log has it")
    mean = service_time or workload.traffic.service_time
    if mean is None:
        raise typer.BadParameter(
            f"is needed: neither the log nor {workload.name} in the stack file says what a request takes",
            param_hint="--service-time",
        )
    source = "as in the stack file" if service_time is None else "as given"
    if work_by is None:
        return _Work(mean, None, source)
    size = _measure(arrivals, work_by)
    return _Work(mean, mean.seconds * size / size.mean(), f"{source}, in proportion to its {work_by}")


def _measure(arrivals: Arrivals, name: str) -> Floats:
    """What the log says of each request under that name."""
    values = arrivals.measures.get(name)
    if values is None:
        known = ", ".join(sorted(arrivals.measures)) or "nothing but times"
        raise typer.BadParameter(f"the log has no {name}; it has {known}", param_hint="--work-by")
    if not np.nanmean(values) > 0:
        raise typer.BadParameter(f"{name} is zero throughout the log", param_hint="--work-by")
    return _filled(values)


def _filled(values: Floats) -> Floats:
    """With the mean where a line says nothing."""
    return np.where(np.isnan(values), np.nanmean(values), values)


def _replayable(trace: Trace) -> Arrivals:
    if not isinstance(trace, Arrivals):
        raise TraceError(
            "counts of requests in steps do not say when in a step each came",
            "replay a log of requests: the gateway's, a load balancer's, API Gateway's, or a CSV with times",
        )
    if len(trace.times_ns) > REQUESTS_AT_MOST:
        raise TraceError(
            f"{len(trace.times_ns):,} requests are more than are played, {REQUESTS_AT_MOST:,}",
            "cut the log to the hours that matter, its busiest among them",
        )
    return trace


def _met(workload: Workload, found: Profile, work: _Work, budget: Duration) -> Workload:
    """The workload with the traffic of the log."""
    before = workload.traffic
    known = (work.variation, found.service_variation, before.service_variation)
    traffic = before.model_copy(
        update={
            "rate": found.rate,
            "peak": found.peak,
            "utilization": None,
            "service_time": found.service_time,
            "burstiness": found.burstiness,
            "service_variation": next((each for each in known if each is not None), None),
            "hourly": found.hourly,
        }
    )
    latency = workload.latency.model_copy(update={"p99": budget})
    return workload.model_copy(update={"traffic": traffic, "latency": latency})
