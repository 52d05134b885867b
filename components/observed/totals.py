"""Running totals: what they grow by a second."""

import numpy as np

from components.observed.notes import Notes
from components.observed.series import Series
from components.traffic.findings import shown
from components.traffic.samples import MS, Samples


def growth(one: Series, notes: Notes) -> Samples:
    """What a running total grows by a second, at the end of each step; where it falls, it began anew."""
    moments, totals = one.samples.moments_ms, one.samples.values
    if len(totals) < 2:  # noqa: PLR2004 - it takes two to grow
        notes.warn(
            f"{shown(one.title)} is a running total, of which one value says nothing",
            "ask for a range of it, or for its rate: --observed KIND=FILE says what that is",
            kind=f"single {one.metric}",
        )
        return Samples(np.empty(0, np.int64), np.empty(0))
    grown = np.diff(totals)
    fell = grown < 0
    if times := int(np.count_nonzero(fell)):
        notes.note(
            f"{shown(one.title)} fell back {'once' if times == 1 else f'{times} times'}: what it counts was"
            " started anew there, and counts from zero",
            kind=f"anew {one.metric}",
        )
    return Samples(moments[1:], np.where(fell, totals[1:], grown) * MS / np.diff(moments))
