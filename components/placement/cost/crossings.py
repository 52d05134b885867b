"""How busy a machine must be before it is the cheaper way.

Two options meet the same demand at every rate; where their bills cross is the break-even. A bill without
held copies is a straight line in the rate, and two lines cross where arithmetic says. With held copies it is
a curve: what they save is bounded, and how soon it is reached depends on how requests come. Then the span of
rates is cut where the difference of the bills may turn, and each piece at whose ends the sign differs
brackets one root.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from scipy.optimize import minimize_scalar

from components.catalog import Catalog
from components.placement.cost.lines import Bill, to_money
from components.placement.cost.platform import COMPUTE_ONLY, Platform
from components.placement.cost.pricing import rate_of
from components.placement.cost.span import (
    FASTEST,
    Contender,
    Curve,
    Span,
    bound_of,
    contender,
    reference_of,
    root,
    span_of,
)
from components.placement.options import Demand, ManagedInstancesOption, NodesOption, Option
from components.spec.units import Money, Rate, Share

_NEAR: Final = 1e-6
"""How near the turn of a curve is looked for, as a part of the piece: past a crossing any point will do."""
_SAME: Final = 1e-12

Method: TypeAlias = Literal["closed form", "bracketed root"]


@dataclass(frozen=True, slots=True)
class Crossing:
    """A rate at which both cost the same."""

    rate: Rate
    utilization: Share | None
    """Of the option that bounds the rates; None where neither holds servers."""
    money: Money


@dataclass(frozen=True, slots=True)
class Point:
    """What both cost at one rate."""

    rate: Rate
    utilization: Share | None
    first: Money
    second: Money


@dataclass(frozen=True)
class BreakEven:
    """Which of two options is cheaper, and from where on."""

    first: Contender
    second: Contender
    reference: Contender | None
    """Whose utilisation is meant; None where neither holds servers."""
    top: float
    """Requests a second at which the reference is full."""
    crossings: tuple[Crossing, ...]
    cheaper: tuple[Option | None, ...]
    """The cheaper option before, between and after the crossings; None where both cost the same."""
    method: Method

    @property
    def utilization(self) -> Share | None:
        """The first crossing; None where one option is cheaper throughout."""
        return self.crossings[0].utilization if self.crossings else None

    @property
    def cheaper_below(self) -> Option | None:
        """The cheaper option with little traffic; None where both cost the same."""
        return self.cheaper[0]

    @property
    def cheaper_above(self) -> Option | None:
        """The cheaper option with all that the reference takes; None where both cost the same."""
        return self.cheaper[-1]

    @property
    def answer(self) -> str:
        """Which is cheaper, and from where on, in words."""
        names = [_named(option) for option in self.cheaper]
        if not self.crossings:
            return f"{names[0]} at any utilisation"
        turns = (
            f"from {_place(crossing)} {name}"
            for crossing, name in zip(self.crossings, names[1:], strict=True)
        )
        return ", ".join((f"{names[0]} at first", *turns))

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        """Both costs over the whole span, evenly by utilisation, with every crossing: points for a chart."""
        span = Span(self.reference, self.top)
        crossed = [crossing.rate.per_second for crossing in self.crossings]
        return tuple(self._point(span, per_second) for per_second in span.rates(crossed))

    def _point(self, span: Span, per_second: float) -> Point:
        return Point(
            rate_of(per_second),
            span.utilization(per_second),
            to_money("cost", self.first.bill.dollars(per_second)),
            to_money("cost", self.second.bill.dollars(per_second)),
        )


def break_even(  # noqa: PLR0913 - as for `cost`, twice
    first: Option,
    second: Option,
    demand: Demand,
    catalog: Catalog,
    *,
    region: str,
    platform: Platform = COMPUTE_ONLY,
    second_platform: Platform | None = None,
) -> BreakEven:
    """Where the bills of two options cross, for a demand that changes in nothing but its rate.

    `second_platform` is for a second option that has other things around it.

    Raises MissingFigureError for a price that the catalog does not have, OptionError for what makes no sense.
    """
    around = (platform, platform if second_platform is None else second_platform)
    return compared(
        *(
            contender(option, demand, catalog, region=region, platform=beside)
            for option, beside in zip((first, second), around, strict=True)
        )
    )


def compared(first: Contender, second: Contender) -> BreakEven:
    """The same for two that are priced already, with a twin perhaps."""
    reference = reference_of((first, second))
    bound = bound_of(reference)
    crossings, method = crossings_of(first, second, bound)
    span = span_of(reference, bound, crossings, first.demand)
    return BreakEven(
        first=first,
        second=second,
        reference=reference,
        top=span.top,
        crossings=tuple(crossing_at(span, first, each) for each in crossings),
        cheaper=tuple(
            _cheaper(first, second, (low + high) / 2) for low, high in pairwise((0.0, *crossings, span.top))
        ),
        method=method,
    )


def crossing_at(span: Span, either: Contender, per_second: float) -> Crossing:
    """The crossing at that rate, at which either costs the same."""
    money = to_money("cost", either.bill.dollars(per_second))
    return Crossing(rate_of(per_second), span.utilization(per_second), money)


def _knees(first: Contender, second: Contender) -> Iterator[float]:
    """Rates at which held copies would be full if requests came in turn: there the bills bend most."""
    for each in (first, second):
        if each.bill.hold is not None:
            yield each.option.servers / each.demand.service_time.seconds


def crossings_of(first: Contender, second: Contender, top: float | None) -> tuple[tuple[float, ...], Method]:
    """Every rate up to `top` at which two cost the same, and how they were found."""
    if first.bill.hold is None and second.bill.hold is None:
        return tuple(_of_lines(first.bill, second.bill, FASTEST if top is None else top)), "closed form"

    def difference(per_second: float) -> float:
        return first.bill.dollars(per_second) - second.bill.dollars(per_second)

    end = FASTEST if top is None else top
    ends = sorted({0.0, end, *(knee for knee in _knees(first, second) if 0 < knee < end)})
    return tuple(_roots(difference, tuple(_cut(difference, ends)))), "bracketed root"


def _of_lines(first: Bill, second: Bill, top: float) -> Iterator[float]:
    """Where two straight lines cross, if it is within the span."""
    fixed = first.dollars(0) - second.dollars(0)
    slope = (first.dollars(1) - first.dollars(0)) - (second.dollars(1) - second.dollars(0))
    if slope and 0 < (crossing := -fixed / slope) < top:
        yield crossing


def _cut(difference: Curve, ends: list[float]) -> Iterator[float]:
    """The ends of pieces, and between them the lowest and the highest point of each: where it may turn."""
    yield ends[0]
    for low, high in pairwise(ends):
        yield from sorted(
            (_lowest(difference, low, high), _lowest(lambda rate: -difference(rate), low, high))
        )
        yield high


def _lowest(curve: Curve, low: float, high: float) -> float:
    found = minimize_scalar(
        curve, bounds=(low, high), method="bounded", options={"xatol": (high - low) * _NEAR}
    )
    return float(found.x)


def _roots(difference: Curve, points: tuple[float, ...]) -> Iterator[float]:
    """One root for each change of sign from point to point."""
    signed = [point for point in points if difference(point)]
    for low, high in pairwise(signed):
        if (difference(low) < 0) is not (difference(high) < 0):
            yield root(difference, low, high)


def _cheaper(first: Contender, second: Contender, per_second: float) -> Option | None:
    costs = first.bill.dollars(per_second), second.bill.dollars(per_second)
    if math.isclose(*costs, rel_tol=_SAME):
        return None
    return first.option if costs[0] < costs[1] else second.option


def _place(crossing: Crossing) -> str:
    if crossing.utilization is None:
        return f"{crossing.rate.per_second:,.3g} requests a second"
    return f"{crossing.utilization.fraction:.1%} busy"


def _named(option: Option | None) -> str:
    if option is None:
        return "both cost the same"
    if isinstance(option, NodesOption):
        return f"{option.nodes:,} {option.machine} cheaper"
    if isinstance(option, ManagedInstancesOption):
        return f"Managed Instances on {option.instances:,} {option.instance.name} cheaper"
    kind = (
        f"{option.provisioned:,} warm {'copy' if option.provisioned == 1 else 'copies'}"
        if option.provisioned
        else "a function on demand"
    )
    return f"{kind} of {option.memory} ({option.architecture}) cheaper"
