"""How long things take, as percentiles: a request is composed of them.

Only percentiles that a source gives are here. Who needs another interpolates, and says so.
"""

from fractions import Fraction
from typing import Self

from pydantic import model_validator

from components.catalog.models import Part
from components.catalog.regional import Group, Regional
from components.spec.units import Duration


class Distribution(Part):
    """A time as percentiles: at least two of them, none below a lower one."""

    p10: Duration | None = None
    p50: Duration | None = None
    p90: Duration | None = None
    p95: Duration | None = None
    p99: Duration | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        times = [time for _, time in self.quantiles]
        if len(times) < 2:  # noqa: PLR2004 - one point is no distribution
            raise ValueError("must have at least two of p10, p50, p90, p95 and p99")
        if times != sorted(times):
            raise ValueError("must not have a percentile below a lower one")
        return self

    @property
    def quantiles(self) -> tuple[tuple[float, Duration], ...]:
        """What is known, lowest first: (share of cases, time that they stay within)."""
        named = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple((float(Fraction(int(name[1:]), 100)), time) for name, time in named if time is not None)

    def __str__(self) -> str:
        named = ((name, getattr(self, name)) for name in type(self).model_fields)
        return ", ".join(f"{name} {time}" for name, time in named if time is not None)


Times = Regional[Distribution]


class FrontDoorTimes(Group):
    """What a front door adds to a request and its answer, when warm."""

    http_api: Times
    rest_api: Times
    load_balancer: Times


class HopTimes(Group):
    """One round trip between two machines, or through something on the way."""

    same_zone: Times
    cross_zone: Times
    vpc_link: Times
    gateway: Times
    other_provider: Times


class FunctionTimes(Group):
    """AWS Lambda."""

    invoke: Times
    """What Lambda adds to a request that meets a warm copy."""


class ColdStartTimes(Group):
    """The extra wait of a request that meets no warm copy, by what the function is shipped as."""

    zip: Times
    """Within what can be sent to Lambda directly (`limits.function.package_direct`)."""
    zip_large: Times
    """Larger, up to `limits.function.package_unzipped`."""
    image: Times
    """A container image with a model and its runtime in it."""


class StateReadTimes(Group):
    """One small read of shared state; the bytes of a large one come on top."""

    local_cache: Times
    cache: Times
    database: Times
    weights_store: Times


class Distributions(Group):
    """All times that are known as percentiles."""

    front_door: FrontDoorTimes
    hop: HopTimes
    function: FunctionTimes
    cold_start: ColdStartTimes
    state_read: StateReadTimes
