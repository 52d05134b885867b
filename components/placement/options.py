"""One way to run a workload, concrete enough to price and to time, and the demand that it is to meet.

A home is a kind of place; an option is one place of that kind with its numbers filled in: a function of so
much memory, so many replicas on so many machines of one type. Cost and latency are functions of an option, a
demand and the catalog. An option has `servers`: requests that it holds at once, paid for whether or not they
come. A demand offers rate times service time erlangs: requests in service on average, if none ever had to
wait. Offered load over servers is utilisation.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from components.catalog import Architecture, Capacity, InstanceType, Provider
from components.placement.homes import Home
from components.spec import Problem, Workload
from components.spec.units import Duration, Memory, Rate, Share
from components.spec.workload import HOURS_A_DAY

NONE_AT_ALL: Final = Share(0)

POISSON: Final = 1.0
"""Burstiness of requests that come by chance."""

EXPONENTIAL: Final = 1.0
"""Variation of service times of which nothing but the mean is known."""

_MEAN_WITHIN: Final = 1e-6


class OptionError(ValueError):
    """An option or a demand that cannot be: `where` names the value, `remedy` says what to give instead."""

    def __init__(self, where: str, value: object, message: str, remedy: str) -> None:
        super().__init__(f"{where} {value} {message}: {remedy}")
        self.where = where
        self.value = value
        self.message = message
        self.remedy = remedy

    def problem(self, subject: str = "") -> Problem:
        """The same as a problem of a stack file."""
        return Problem(self.where, self.value, self.message, self.remedy, subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOption:
    """AWS Lambda: on demand, or with copies held warm by provisioned concurrency."""

    home: Literal[Home.FUNCTION, Home.RESERVED_FUNCTION]
    memory: Memory
    architecture: Architecture
    provisioned: int = 0
    """Copies held warm; 0 is on demand."""
    package: Memory | None = None
    """Size of the code, which a cold start loads. None is not known."""

    def __post_init__(self) -> None:
        _at_least("memory", self.memory.bytes, 1)
        _at_least("provisioned", self.provisioned, 0)
        if (self.home is Home.RESERVED_FUNCTION) != (self.provisioned > 0):
            raise OptionError(
                "provisioned",
                self.provisioned,
                f"is not how many copies {self.home.described} holds warm",
                "hold 1 or more for a reserved function, and none on demand",
            )

    @property
    def concurrency(self) -> int:
        """Requests that one copy takes at once: AWS Lambda gives each request a copy of its own."""
        return 1

    @property
    def servers(self) -> int:
        """Requests at once that are paid for, come or not."""
        return self.provisioned


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedInstancesOption:
    """Lambda Managed Instances: functions on EC2 instances of one's own account."""

    home: Literal[Home.RESERVED_FUNCTION] = Home.RESERVED_FUNCTION
    instance: InstanceType
    instances: int
    memory: Memory
    """Of one execution environment."""
    concurrency: int = 1
    """Requests that one environment takes at once."""

    def __post_init__(self) -> None:
        _at_least("instances", self.instances, 1)
        _at_least("memory", self.memory.bytes, 1)
        _at_least("concurrency", self.concurrency, 1)
        if self.memory > self.instance.memory:
            raise OptionError(
                "memory",
                self.memory,
                f"is more than a {self.instance.name} has, {self.instance.memory}",
                "take a larger instance type or less memory",
            )

    @property
    def environments(self) -> int:
        """Execution environments that the memory of all instances holds."""
        return self.instances * (self.instance.memory.bytes // self.memory.bytes)

    @property
    def servers(self) -> int:
        """Requests at once that are paid for, come or not."""
        return self.environments * self.concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesOption:
    """Replicas on Kubernetes nodes: a shared pool, or metal."""

    home: Literal[Home.POOL, Home.METAL]
    instance: InstanceType | None
    """The machine. Of a provider other than AWS its name is that of the provider's offer. None where it is
    there already and nobody said what it is."""
    capacity: Capacity | Literal["existing"] = "on-demand"
    """How the machines are bought; `existing` ones are there, and what they cost is not counted."""
    zone: str | None = None
    """The one zone that they stand in; None where there are several."""
    replicas: int
    per_node: int
    """Replicas that fit one node."""
    concurrency: int = 1
    """Requests that one replica takes at once."""
    provider: Provider | Literal["aws"] = "aws"
    shared: bool = False
    """Whether other workloads use, and pay for, what this one leaves of its nodes."""

    def __post_init__(self) -> None:
        _at_least("replicas", self.replicas, 1)
        _at_least("per_node", self.per_node, 1)
        _at_least("concurrency", self.concurrency, 1)
        if self.instance is None and self.capacity != "existing":
            raise OptionError("instance", None, "is not known", "name the type of a machine that is bought")

    @property
    def machine(self) -> str:
        """The machine by name."""
        return "node of a type that is not known" if self.instance is None else self.instance.name

    @property
    def nodes(self) -> int:
        """Whole nodes that hold the replicas."""
        return -(-self.replicas // self.per_node)

    @property
    def servers(self) -> int:
        """Requests at once that are paid for, come or not."""
        return self.replicas * self.concurrency


Option: TypeAlias = FunctionOption | ManagedInstancesOption | NodesOption


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The requests that a workload is to answer."""

    rate: Rate
    """Over the whole day, on average."""
    peak: Rate
    """In the busiest minute."""
    service_time: Duration
    """Work of one request on an idle, warm replica, on average."""
    burstiness: float = POISSON
    """Squared coefficient of variation of the times between requests."""
    service_variation: float = EXPONENTIAL
    """Squared coefficient of variation of the service time."""
    hourly: tuple[float, ...] | None = None
    """Shape of the day: 24 weights with a mean of 1. None is the same rate all day."""
    request_bytes: Memory | None = None
    response_bytes: Memory | None = None
    state_reads: int = 0
    """Reads of shared state that one request waits for, one after another."""
    state_bytes: Memory | None = None
    """What all of them bring. None is not known."""
    crossing: Share = NONE_AT_ALL
    """Share of the reads that go to another zone."""
    assumed: tuple[str, ...] = ()
    """What was put in the place of a fact that is not known, in words."""

    def __post_init__(self) -> None:
        _at_least("service_time", self.service_time.nanoseconds, 1)
        _at_least("state_reads", self.state_reads, 0)
        for name in ("burstiness", "service_variation"):
            _ratio(name, getattr(self, name))
        if self.peak < self.rate:
            raise OptionError(
                "peak", self.peak, f"is below the rate, {self.rate}", "give the busiest minute's rate"
            )
        if self.hourly is not None:
            _shape(self.hourly)

    @property
    def offered(self) -> float:
        """Requests in service on average, in erlangs, if none had to wait."""
        return self.rate.per_second * self.service_time.seconds

    @property
    def offered_at_peak(self) -> float:
        """The same in the busiest minute."""
        return self.peak.per_second * self.service_time.seconds

    def utilization(self, option: Option) -> float:
        """Offered load over what `option` holds: above 1 is more than it takes; infinite if it holds none."""
        return self.offered / option.servers if option.servers else math.inf


@dataclass(frozen=True, slots=True)
class Missing:
    """Facts that are not known and without which there is no demand to speak of."""

    facts: tuple[str, ...]
    """As they are written in the stack file: `traffic.rate`."""

    @property
    def reason(self) -> str:
        """As a sentence."""
        return f"{' and '.join(self.facts)} {'is' if len(self.facts) == 1 else 'are'} not known"


def demand_of(workload: Workload) -> Demand | Missing:
    """The demand on a workload, or what is missing to know it.

    Without a peak it is the busiest hour of the day's shape; requests come by chance and service times are
    exponential where nothing is said. Whatever was put in place so is named in `assumed`.
    """
    traffic, state = workload.traffic, workload.state
    if traffic.rate is None or traffic.service_time is None:
        needed = {"traffic.rate": traffic.rate, "traffic.service_time": traffic.service_time}
        return Missing(tuple(name for name, value in needed.items() if value is None))
    return Demand(
        rate=traffic.rate,
        peak=_busiest_hour(traffic.rate, traffic.hourly) if traffic.peak is None else traffic.peak,
        service_time=traffic.service_time,
        burstiness=POISSON if traffic.burstiness is None else traffic.burstiness,
        service_variation=EXPONENTIAL if traffic.service_variation is None else traffic.service_variation,
        hourly=traffic.hourly,
        state_reads=len(state.reads),
        state_bytes=state.bytes,
        assumed=tuple(_assumed(workload)),
    )


def _busiest_hour(rate: Rate, hourly: tuple[float, ...] | None) -> Rate:
    if hourly is None:
        return rate
    return Rate(min(Rate.maximum, max(rate.steps, round(rate.steps * max(hourly)))))


def _assumed(workload: Workload) -> Iterator[str]:
    traffic = workload.traffic
    if traffic.peak is None:
        busiest = "busiest hour" if traffic.hourly is not None else "average"
        yield f"traffic.peak is not known: taken as the {busiest}"
    if traffic.burstiness is None:
        yield "traffic.burstiness is not known: taken as 1, requests that come by chance"
    if traffic.service_variation is None:
        yield "traffic.service_variation is not known: taken as 1, exponential service times"


def _at_least(where: str, value: int, least: int) -> None:
    if value < least:
        raise OptionError(where, value, "is too small", f"give {least} or more")


def _ratio(where: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise OptionError(where, value, "is no squared coefficient of variation", "give 0 or more")


def _shape(hourly: tuple[float, ...]) -> None:
    if len(hourly) != HOURS_A_DAY or not all(math.isfinite(weight) and weight >= 0 for weight in hourly):
        raise OptionError(
            "hourly", hourly, "is no shape of a day", f"give {HOURS_A_DAY} weights, none below 0"
        )
    if abs(math.fsum(hourly) / HOURS_A_DAY - 1) > _MEAN_WITHIN:
        raise OptionError("hourly", hourly, "has not a mean of 1", "divide the weights by their mean")
