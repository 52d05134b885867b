"""What an article of 2024 says of the cost of serverless, beside what comes out with today's prices.

The article gives one figure for all workloads. What a workload is bound by makes most of the difference: a
function buys memory and gets cores with it, so work that needs cores gets them at the price of their memory,
and work that needs memory pays for cores that it does not use. So each claim is reckoned for both kinds, with
the compute alone: no front door, no cluster, machines that are packed full.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from components.catalog import Architecture, Catalog
from components.placement.cost.crossings import break_even
from components.placement.cost.lines import dollars
from components.placement.cost.pricing import at_utilization, cost
from components.placement.homes import Home
from components.placement.options import Demand, FunctionOption, NodesOption
from components.spec.units import Duration, Memory, Rate, Share

ARTICLE: Final = '"Why AI Workloads Are Fleeing Serverless for Bare Metal", 2024-01-15'

_FULL: Final = Share.parse("100%")
_SHORT: Final = Duration.parse("1s")
_LONG: Final = Duration.parse("60s")
_ANY_RATE: Final = Rate.parse("1/min")
_LARGE: Final = Memory.parse("8GiB")

Unit: TypeAlias = Literal["times", "% busy"]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The figure of one workload."""

    workload: str
    value: float
    how: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, and what is reckoned for it."""

    says: str
    low: float
    high: float
    unit: Unit
    reckoned: tuple[Reckoned, ...]
    why: str
    """Where the difference comes from."""

    @property
    def agrees(self) -> bool:
        """Whether every workload comes out as claimed."""
        return all(self.low <= each.value <= self.high for each in self.reckoned)

    @property
    def verdict(self) -> str:
        """Where the figures differ, in words."""
        groups = {
            "as claimed": [each for each in self.reckoned if self.low <= each.value <= self.high],
            "less": [each for each in self.reckoned if each.value < self.low],
            "more": [each for each in self.reckoned if each.value > self.high],
        }
        parts = [f"{word} for {self._listed(group)}" for word, group in groups.items() if group]
        return f"{'holds' if self.agrees else 'differs'}: {'; '.join(parts)}. {self.why}"

    def _listed(self, group: list[Reckoned]) -> str:
        return ", ".join(f"{each.workload} ({each.value:.3g} {self.unit})" for each in group)


@dataclass(frozen=True, slots=True)
class _Case:
    """One workload as a function, and on nodes that it fills."""

    name: str
    function: FunctionOption
    nodes: NodesOption


def claims(catalog: Catalog, *, region: str = "us-east-1") -> tuple[Claim, ...]:
    """The article's claims beside what is reckoned today; raises MissingFigureError."""
    cases = tuple(_cases(catalog))
    return (
        Claim(
            "inference around the clock costs 3 to 5 times as much on functions",
            3,
            5,
            "times",
            tuple(_premium(case, _SHORT, catalog, region) for case in cases),
            "A function buys its cores with memory, so what the work is bound by decides; the article does"
            " not say what it has in mind.",
        ),
        Claim(
            "functions lose above 20 to 30 % utilisation",
            20,
            30,
            "% busy",
            tuple(_crossing(case, catalog, region) for case in cases),
            "It is the same ratio from the other side: one over how many times dearer a function is that"
            " runs without pause.",
        ),
        Claim(
            "functions that run for more than 30 s cost 2.7 times as much as containers",
            2.65,
            2.75,
            "times",
            tuple(_premium(case, _LONG, catalog, region) for case in cases),
            "But for the fee on each request, how long it takes changes nothing; how busy the container is"
            " changes everything, and these are never idle.",
        ),
    )


def _cases(catalog: Catalog) -> Iterator[_Case]:
    core = catalog.metering.function.memory_of_a_core.value
    yield _Case("work bound by cores on x86", _function(core, "amd64"), _nodes("m7g.large", 2, catalog))
    yield _Case("work bound by cores on Arm", _function(core, "arm64"), _nodes("m7g.large", 2, catalog))
    for instance in ("m7g.large", "r7g.large"):
        fit = catalog.instance_types[instance].memory.bytes // _LARGE.bytes
        name = f"work bound by memory against {instance}"
        yield _Case(name, _function(_LARGE, "amd64"), _nodes(instance, fit, catalog))


def _function(memory: Memory, architecture: Architecture) -> FunctionOption:
    return FunctionOption(home=Home.FUNCTION, memory=memory, architecture=architecture)


def _nodes(instance: str, per_node: int, catalog: Catalog) -> NodesOption:
    machine = catalog.instance_types[instance]
    return NodesOption(home=Home.POOL, instance=machine, replicas=per_node, per_node=per_node)


def _demand(service_time: Duration) -> Demand:
    return Demand(rate=_ANY_RATE, peak=_ANY_RATE, service_time=service_time, service_variation=0)


def _premium(case: _Case, service_time: Duration, catalog: Catalog, region: str) -> Reckoned:
    """How many times what a full machine costs the function costs for the same work."""
    busy = at_utilization(_demand(service_time), case.nodes, _FULL)
    function = cost(case.function, busy, catalog, region=region).total
    nodes = cost(case.nodes, busy, catalog, region=region).total
    return Reckoned(
        case.name,
        function / nodes,
        f"{dollars(function)} against {dollars(nodes)} a month: {case.nodes.servers} of"
        f" {case.function.memory} at work without pause on requests of {service_time}, or a full"
        f" {case.nodes.machine}",
    )


def _crossing(case: _Case, catalog: Catalog, region: str) -> Reckoned:
    found = break_even(case.function, case.nodes, _demand(_SHORT), catalog, region=region)
    if found.utilization is not None:
        busy = found.utilization.fraction
    else:
        busy = 1.0 if found.cheaper_above is case.function else 0.0
    return Reckoned(case.name, busy * 100, found.answer)
