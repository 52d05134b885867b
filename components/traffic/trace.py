"""What a trace says of requests: the moment of each, or how many came in each step."""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.traffic.findings import Finding

SECOND_NS: Final = 10**9

Floats: TypeAlias = NDArray[np.float64]
Nanoseconds: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Arrivals:
    """The moment of every request, in order."""

    times_ns: Nanoseconds
    """Since 1970; since the trace began where `absolute` is false. Never decreasing."""
    service_s: Floats | None = None
    """What each took, in seconds; NaN where its line does not say."""
    measures: dict[str, Floats] = field(default_factory=dict)
    """What else a line says of its request, by name (request_bytes, response_bytes, prompt_tokens,
    generated_tokens); NaN where a line does not say."""
    absolute: bool = True
    resolution_ns: int = 1
    """How finely the log tells time, where its writer is known to be coarser than what it writes."""
    format: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def times_s(self) -> Floats:
        """Seconds since the first request: what a simulation replays."""
        return (self.times_ns - self.times_ns[0]) / SECOND_NS if len(self.times_ns) else np.empty(0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Counts:
    """How many requests came in each step; when within the step is not known."""

    ends_ns: Nanoseconds
    """End of each step, since 1970. Increasing; steps without a sample are left out."""
    rates: Floats
    """Requests a second in each step."""
    step_s: float
    format: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def middles_ns(self) -> Nanoseconds:
        """Middle of each step, which is in the hour that the step is of."""
        return self.ends_ns - round(self.step_s * SECOND_NS / 2)

    @property
    def counts(self) -> Floats:
        """Requests in each step."""
        return self.rates * self.step_s


Trace: TypeAlias = Arrivals | Counts
