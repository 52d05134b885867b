"""How long one request takes, on average over requests."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from components.observed.choosing import of_one_metric
from components.observed.notes import Notes, by_time, named
from components.observed.quantities import Quantity
from components.observed.series import Series
from components.spec import Duration
from components.traffic.measurement import rounded
from components.traffic.samples import MS, added_up
from components.traffic.trace import SECOND_NS, Floats, Nanoseconds

_LONGEST_S: Final = Duration(Duration.maximum).seconds


def service_time_of(series: Sequence[Series], counts: Sequence[Series], notes: Notes) -> Duration | None:
    """The mean of `series`, weighed by the requests that `counts` has of the same times."""
    if not series:
        return None
    metric, chosen = of_one_metric(series, "how long a request takes", notes)
    per_second = MS if chosen[0].quantity is Quantity.MILLISECONDS else 1
    moments = np.concatenate([one.samples.moments_ms for one in chosen])
    values = np.concatenate([one.samples.values for one in chosen])
    weights = _weights(moments, counts)
    seconds = float(np.average(values, weights=weights)) / per_second
    if not 0 < seconds < _LONGEST_S:
        said = "nothing" if not seconds else "longer than ten years"
        notes.warn(f"{named(metric)} says that a request takes {said}: left out", "look at its unit")
        return None
    time = max(Duration(1), Duration(round(rounded(seconds * SECOND_NS))))
    sureness, why = by_time([one.samples for one in chosen])
    number = f"{len(values):,} {'value' if len(values) == 1 else 'values'}"
    weighed = "weighed by requests" if weights is not None else "each as much as the others"
    notes.read("service time", str(time), sureness, f"mean of {named(metric)}, {number}, {weighed}{why}")
    return time


def _weights(moments: Nanoseconds, counts: Sequence[Series]) -> Floats | None:
    """Requests behind each average, where they were counted at all of its times."""
    requests = added_up(one.samples for one in counts if one.quantity is Quantity.REQUESTS)
    if not len(requests):
        return None
    at = np.minimum(np.searchsorted(requests.moments_ms, moments), len(requests) - 1)
    if (requests.moments_ms[at] != moments).any():
        return None
    weights = requests.values[at]
    return weights if weights.any() else None
