"""What there is to say of the measurements of one workload, gathered on the way."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from components.traffic.findings import Finding, Weight
from components.traffic.measurement import (
    DAY_S,
    HOUR_S,
    WEEK_S,
    Measurement,
    Sureness,
    duration_text,
)
from components.traffic.samples import MS, Samples

NOTHING_TO_DO: Final = "nothing to do"


@dataclass
class Notes:
    """Findings, and the readings with how sure each is.

    Of findings of one `kind` the first is told, and how many more there are: fifty pods that each have a gap
    are not worth fifty lines.
    """

    readings: list[Measurement] = field(default_factory=list)
    _told: dict[str, Finding] = field(default_factory=dict)
    _more: Counter[str] = field(default_factory=Counter)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What there is to say."""
        return tuple(
            replace(finding, message=f"{finding.message} (and {self._more[kind]} more like it)")
            if self._more[kind]
            else finding
            for kind, finding in self._told.items()
        )

    def warn(self, message: str, remedy: str, *, kind: str = "") -> None:
        """A number is missing, or less sure."""
        self._tell(kind or message, Finding(message, remedy))

    def note(self, message: str, remedy: str = NOTHING_TO_DO, *, kind: str = "") -> None:
        """Good to know; the numbers hold."""
        self._tell(kind or message, Finding(message, remedy, weight=Weight.NOTE))

    def _tell(self, kind: str, finding: Finding) -> None:
        if kind not in self._told:
            self._told[kind] = finding
        elif kind != finding.message:
            self._more[kind] += 1

    def read(self, name: str, value: str, sureness: Sureness, why: str) -> None:
        """A number that was measured."""
        self.readings.append(Measurement(name, value, sureness, why))


def named(metric: str) -> str:
    """A metric, which may have no name."""
    return metric or "a query without a name"


def by_time(each: Iterable[Samples]) -> tuple[Sureness, str]:
    """How sure an average is by the time that it is over, and why."""
    moments = np.unique(np.concatenate([one.moments_ms for one in each]))
    if len(moments) < 2:  # noqa: PLR2004 - a time has two ends
        return Sureness.POOR, "; over what time, the answer does not say"
    step_ms = float(np.median(np.diff(moments)))
    span_s = (float(moments[-1] - moments[0]) + step_ms) / MS
    seen_s = min(span_s, len(moments) * step_ms / MS)
    told = f" in {duration_text(span_s)}"
    if seen_s < span_s / 2:
        told += f", of which {duration_text(seen_s)} were measured"
    if seen_s < HOUR_S:
        return Sureness.POOR, f"{told}; less than an hour says little of a month"
    if seen_s < DAY_S:
        return Sureness.FAIR, f"{told}; less than a day, so its nights or its busy hours are missing"
    if seen_s < WEEK_S:
        return Sureness.FAIR, f"{told}; less than a week, so weekends may differ"
    return Sureness.SURE, told
