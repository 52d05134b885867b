"""One series of measurements, whichever system it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from components.observed.quantities import Quantity
from components.traffic.samples import Samples


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Series:
    """Samples of one metric of one thing."""

    file: str
    metric: str
    """Empty where the answer does not name it: a query that computes something has no name."""
    labels: Mapping[str, str]
    """What tells it from other series of the metric."""
    samples: Samples
    quantity: Quantity | None
    """None where neither the metric's name nor the user says what it measures."""
    aliases: tuple[str, ...] = ()
    """What it may be called, beside the values of its labels."""

    @property
    def title(self) -> str:
        """As its own system would write it."""
        inside = ",".join(f'{key}="{value}"' for key, value in sorted(self.labels.items()))
        return f"{self.metric}{{{inside}}}"
