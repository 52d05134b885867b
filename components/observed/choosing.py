"""Which series of a workload count: each once, of one deployment, by one metric."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from components.observed.matching import is_of_function, origin_of
from components.observed.notes import Notes, named
from components.observed.quantities import DECLARED, PREFERRED
from components.observed.series import Series
from components.spec import Workload
from components.spec.workload import FUNCTION_HOMES
from components.traffic.findings import shown
from components.traffic.measurement import counted
from components.traffic.samples import Samples

_ORIGINS_SHOWN = 3


def usable(series: Sequence[Series], notes: Notes) -> list[Series]:
    """The series that say something, each once."""
    return [one for one in _merged(series, notes) if _is_usable(one, notes)]


def _merged(series: Sequence[Series], notes: Notes) -> Iterator[Series]:
    """What two files or pages have of the same series is put together."""
    same: dict[tuple[object, ...], list[Series]] = defaultdict(list)
    for one in series:
        same[one.metric, one.quantity, tuple(sorted(one.labels.items())), one.aliases].append(one)
    for group in same.values():
        if len(group) == 1:
            yield group[0]
        elif (joined := _joined(group, notes)) is not None:
            yield joined


def _joined(group: Sequence[Series], notes: Notes) -> Series | None:
    first = group[0]
    moments = np.concatenate([one.samples.moments_ms for one in group])
    values = np.concatenate([one.samples.values for one in group])
    each, at, which = np.unique(moments, return_index=True, return_inverse=True)
    if (values[at][which] != values).any():
        notes.warn(
            f"series {shown(first.title)} is there {len(group)} times, with different values for the same"
            " time: left out",
            "give each series once; where they are of different workloads, say which: --map FILE=WORKLOAD",
            kind="contradiction",
        )
        return None
    if len(each) < len(moments):
        notes.note(
            f"series {shown(first.title)} is there {len(group)} times: taken once",
            "give it once",
            kind="twice",
        )
    unusable = sum(one.samples.unusable for one in group)
    told = next((one.samples.first_unusable for one in group if one.samples.unusable), "")
    return replace(first, samples=Samples(each, values[at], unusable, told))


def _is_usable(one: Series, notes: Notes) -> bool:
    if one.quantity is None:
        _say_unknown(one, notes)
        return False
    samples = one.samples
    if samples.unusable:
        notes.warn(
            f"{counted(samples.unusable, 'sample')} of {shown(one.title)} left out, being NaN, infinite,"
            f" negative, at no time or twice at one; the first is {shown(samples.first_unusable)}",
            "look at the query; a division by zero gives NaN",
            kind=f"unusable {one.metric}",
        )
    if not len(samples):
        notes.warn(
            f"series {shown(one.title)} of {one.file} has no values",
            "ask for a time in which it was measured, and for a name that there is",
            kind=f"empty {one.metric}",
        )
    return bool(len(samples))


def _say_unknown(one: Series, notes: Notes) -> None:
    remedy = f"--observed KIND={one.file}, where KIND is one of {', '.join(DECLARED)}"
    if one.metric:
        notes.note(
            f"{shown(one.metric)} of {one.file} is not used: its name does not say that it is how busy, how"
            " many requests or how long one takes, and in which unit",
            f"if it is one of these, say which: {remedy}",
        )
    else:
        notes.warn(
            f"series {shown(one.title)} of {one.file} does not say what it measures: left out",
            f"say what: {remedy}",
            kind=f"unknown {one.file}",
        )


def without_twin(workload: Workload, series: Sequence[Series], notes: Notes) -> list[Series]:
    """The series that are not of a function twin, which sees the tail only and works at its own pace."""
    placement = workload.placement
    if placement.twin is None or placement.home in FUNCTION_HOMES:
        return list(series)
    kept = [one for one in series if not is_of_function(one)]
    if len(kept) < len(series):
        notes.note(
            "what was measured of its function is not used: that is its twin, which takes what pods cannot",
            "ask for what its pods do, and for the requests that come to the gateway or the front door",
        )
    return kept


def of_one_deployment(series: Sequence[Series], notes: Notes) -> Sequence[Series]:
    """The series, or none where they are of two deployments, which have bills of their own."""
    origins = sorted({origin_of(one) for one in series} - {""})
    if len(origins) < 2:  # noqa: PLR2004 - one is what is wanted
        return series
    notes.warn(
        f"series are of {len(origins)} deployments"
        f" ({', '.join(shown(origin) for origin in origins[:_ORIGINS_SHOWN])}): left out",
        "ask for one of them: one namespace, one function",
    )
    return ()


def of_one_metric(series: Sequence[Series], what: str, notes: Notes) -> tuple[str, Sequence[Series]]:
    """The series of one metric: of the work alone, else the finest. What is counted twice is not added."""
    by_metric: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        by_metric[one.metric].append(one)
    samples = {metric: sum(len(one.samples) for one in each) for metric, each in by_metric.items()}
    chosen = max(by_metric, key=lambda metric: (metric in PREFERRED, samples[metric], metric))
    for metric in sorted(by_metric.keys() - {chosen}):
        notes.note(f"{what} is told by {named(metric)} too: {named(chosen)} is taken", "ask for one of them")
    return chosen, by_metric[chosen]
