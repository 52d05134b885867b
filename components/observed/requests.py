"""How many requests come: on average, in the busiest minute, and by the hour of the day."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from components.observed.choosing import of_one_metric
from components.observed.notes import Notes, by_time, named
from components.observed.quantities import Quantity
from components.observed.series import Series
from components.observed.totals import growth
from components.spec import Rate
from components.traffic.findings import TraceError
from components.traffic.flow import flow_of
from components.traffic.formats.prometheus import summed
from components.traffic.measurement import MINUTE_S, Sureness, counted, duration_text, rate_of, worse
from components.traffic.samples import MS, Samples, added_up
from components.traffic.trace import SECOND_NS, Counts

# Four years by the minute.
_STEPS_AT_MOST: Final = 2_000_000
_ALIKE: Final = 10


@dataclass(frozen=True, slots=True)
class Requests:
    """How requests come. None is what was not measured; no rate at all is no request in the whole time."""

    rate: Rate | None = None
    peak: Rate | None = None
    hourly: tuple[float, ...] | None = None
    by_minute: bool = False
    """Whether `peak` is of a minute; else it is the average of a longer step, and the minute's is more."""


def requests_of(series: Sequence[Series], notes: Notes) -> Requests | None:
    """The requests that series count; None where they do not say."""
    if not series:
        return None
    metric, chosen = of_one_metric(series, "how many requests come", notes)
    if any(one.quantity is Quantity.REQUESTS for one in chosen):
        return _of_periods(metric, added_up(one.samples for one in chosen), notes)
    totals = [one.quantity is Quantity.REQUESTS_TOTAL for one in chosen]
    rates = [growth(one, notes) if total else one.samples for one, total in zip(chosen, totals, strict=True)]
    return _of_rates(metric, rates, notes)


def _of_rates(metric: str, rates: Sequence[Samples], notes: Notes) -> Requests | None:
    total = added_up(rates)
    if not len(total):
        return None
    if not total.values.any():
        return _none_came(total, notes)
    if len(total) > 1:
        try:
            return _told(metric, summed(named(metric), rates, len(rates)), notes)
        except TraceError as error:
            notes.warn(error.what, error.remedy)
            return None
    rate = rate_of(float(total.values[0]))
    notes.read(
        "rate", str(rate), Sureness.POOR, f"one value of {named(metric)}; over what time, it does not say"
    )
    return Requests(rate)


def _of_periods(metric: str, total: Samples, notes: Notes) -> Requests | None:
    """Requests in each period; where none came, CloudWatch has no point at all."""
    if not total.values.any():
        return _none_came(total, notes)
    if len(total) == 1:
        notes.warn(
            f"{named(metric)} has one point, and the answer does not say how long its period is",
            "ask for a longer time, or a shorter period",
        )
        return None
    if len(total) >= _ALIKE and (total.values == 1).all():
        notes.warn(
            f"{named(metric)} is 1 in every period, which is what its Average always is",
            "ask for the statistic Sum, if that is not what it was",
        )
    step = int(np.gcd.reduce(np.diff(total.moments_ms)))
    first, last = int(total.moments_ms[0]), int(total.moments_ms[-1])
    steps = (last - first) // step + 1
    if steps > _STEPS_AT_MOST:
        notes.warn(
            f"{named(metric)} has points every {duration_text(step / MS)} over"
            f" {duration_text((last - first) / MS)}: left out",
            "give it one answer, of one period",
        )
        return None
    rates = np.zeros(steps)
    rates[(total.moments_ms - first) // step] = total.values * MS / step
    ends = first + step * np.arange(1, steps + 1, dtype=np.int64)
    return _told(metric, Counts(ends_ns=ends * (SECOND_NS // MS), rates=rates, step_s=step / MS), notes)


def _none_came(total: Samples, notes: Notes) -> Requests:
    sureness, why = by_time([total])
    notes.read("rate", "none", sureness, f"no request came{why}")
    return Requests()


def _told(metric: str, trace: Counts, notes: Notes) -> Requests | None:
    try:
        flow = flow_of(trace)
    except TraceError as error:
        notes.warn(error.what, error.remedy)
        return None
    by_minute = trace.step_s <= MINUTE_S
    rate, peak = (next(each for each in flow.measurements if each.name == name) for name in ("rate", "peak"))
    notes.read("rate", rate.value, rate.sureness, f"{named(metric)}, {rate.why}")
    sureness = peak.sureness if by_minute else worse(peak.sureness, Sureness.FAIR)
    notes.read("peak", peak.value, sureness, f"{named(metric)}, {peak.why}")
    if not by_minute:
        notes.note(
            f"requests were counted by {duration_text(trace.step_s)}, and the busiest minute is busier than"
            " the average of so long a time",
            "ask for a period of a minute",
        )
    gaps = (
        round(int(trace.ends_ns[-1] - trace.ends_ns[0]) / (trace.step_s * SECOND_NS)) + 1 - len(trace.ends_ns)
    )
    if gaps > 0:
        notes.note(f"{counted(gaps, 'step')} without a count", "they count as not measured")
    return Requests(rate_of(flow.rate), flow.peak_rate(), flow.hourly, by_minute)
