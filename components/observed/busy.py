"""How busy one replica is: the share of the time that its busiest resource is at work."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from components.observed.notes import Notes, by_time, named
from components.observed.quantities import Quantity
from components.observed.series import Series
from components.observed.totals import growth
from components.spec import Share, Workload
from components.traffic.findings import shown
from components.traffic.measurement import rounded
from components.traffic.samples import Samples

_PODS: Final = ("exported_pod", "pod", "pod_name")
_OF_CPU: Final = frozenset({Quantity.CORES, Quantity.CORE_SECONDS_TOTAL})
_LEAST: Final = Share.parse("0.01%")
_ALWAYS: Final = 1.0


def utilization_of(workload: Workload, series: Sequence[Series], notes: Notes) -> Share | None:
    """The mean over all replicas and all of the time, of the metric that says most."""
    by_metric: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        by_metric[one.metric].append(one)
    told = [
        (busy, metric, shares)
        for metric, each in sorted(by_metric.items())
        if (shares := _shares(workload, each, notes))
        if (busy := _mean(workload, metric, each, shares, notes)) is not None
    ]
    if not told:
        return None
    busy, metric, shares = max(told, key=lambda each: each[0])
    if workload.needs.accelerator is not None and not any(_is_of_gpu(name) for _, name, _ in told):
        notes.warn(
            "its accelerator was not measured, and may be busier than what was",
            "ask for DCGM_FI_DEV_GPU_UTIL too",
        )
    share = max(_LEAST, Share(round(rounded(busy) * Share.maximum)))
    sureness, why = by_time(shares)
    notes.read("utilization", str(share), sureness, f"mean of {named(metric)}, {_counted(shares)}{why}")
    return share


def _shares(workload: Workload, series: Sequence[Series], notes: Notes) -> list[Samples]:
    return [shares for one in series if len(shares := _share(workload, one, notes))]


def _share(workload: Workload, one: Series, notes: Notes) -> Samples:
    """A series as shares of one replica; without samples where it cannot be."""
    told = one.samples
    if one.quantity is Quantity.RATIO:
        return told
    if one.quantity is Quantity.PERCENT:
        return Samples(told.moments_ms, told.values / 100)
    if not any(label in one.labels for label in _PODS):
        notes.warn(
            f"{shown(one.title)} does not say which pod it is of, so that what one replica uses is not known",
            "keep the pod: sum by (pod) (…)",
            kind="no pod",
        )
        return Samples(told.moments_ms[:0], told.values[:0])
    cores = growth(one, notes) if one.quantity is Quantity.CORE_SECONDS_TOTAL else told
    return Samples(cores.moments_ms, cores.values / float(workload.needs.cpu))


def _mean(
    workload: Workload, metric: str, series: Sequence[Series], shares: Sequence[Samples], notes: Notes
) -> float | None:
    busy = float(np.concatenate([one.values for one in shares]).mean())
    if busy <= _ALWAYS:
        return busy
    if {one.quantity for one in series} <= _OF_CPU:
        uses = rounded(busy * float(workload.needs.cpu), 2)
        notes.warn(
            f"a replica uses {uses:g} CPUs, more than the {workload.needs.cpu:g} that it asks for: taken as"
            " busy all the time",
            f"ask for what it uses: needs.cpu {uses:g}",
        )
        return _ALWAYS
    notes.warn(
        f"{named(metric)} says that a replica is busy {busy:,.0%} of the time, which nothing is: left out",
        "say in which unit it is (--observed ratio=FILE, percent=FILE), and ask for the average of replicas,"
        " not their sum",
    )
    return None


def _is_of_gpu(metric: str) -> bool:
    return "gpu" in metric.lower() or metric.startswith("DCGM_")


def _counted(each: Sequence[Samples]) -> str:
    values = sum(map(len, each))
    series = f" of {len(each)} series" if len(each) > 1 else ""
    return f"{values:,} {'value' if values == 1 else 'values'}{series}"
