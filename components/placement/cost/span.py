"""The rates at which options are compared.

Rates are told as utilisation of the option that bounds them: of the nodes that can take no more, or else of
the copies that are held. The span ends where those are full.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from scipy.optimize import brentq

from components.catalog import Catalog
from components.placement.cost.lines import Bill
from components.placement.cost.platform import COMPUTE_ONLY, Platform
from components.placement.cost.pricing import bill
from components.placement.options import Demand, Option
from components.spec.units import Rate, Share

FASTEST: Final = Rate(Rate.maximum).per_second
_FULL: Final = 0.99
"""How busy held copies are where the span ends: full they never are, since the rest spills."""
_POINTS: Final = 41
_CLOSE: Final = 1e-15
_CLOSEST: Final = 1e-14

Curve: TypeAlias = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Contender:
    """One of those that are compared: an option and its bill."""

    option: Option
    bill: Bill
    demand: Demand

    @property
    def fullest(self) -> float:
        """Requests a second at which it can take no more; endless where the rest runs elsewhere."""
        if not self.option.servers or self.bill.kept is not None:
            return float("inf")
        return self.option.servers / self.demand.service_time.seconds

    def utilization(self, per_second: float) -> float | None:
        """Share of its servers at work; None where it holds none."""
        if self.bill.hold is not None:
            return self.bill.hold.busy(per_second)
        if not self.option.servers:
            return None
        return per_second * self.demand.service_time.seconds / self.option.servers


@dataclass(frozen=True, slots=True)
class Span:
    """The rates at which options are compared, told as utilisation of the one that bounds them."""

    reference: Contender | None
    """Whose utilisation is meant; None where none holds servers."""
    top: float
    """Requests a second at which the reference is full."""

    def utilization(self, per_second: float) -> Share | None:
        """How busy the reference is at that rate."""
        utilization = None if self.reference is None else self.reference.utilization(per_second)
        return None if utilization is None else Share(round(min(1.0, utilization) * Share.maximum))

    def rates(self, also: Iterable[float] = ()) -> list[float]:
        """Requests a second over the whole span, evenly by utilisation, and those others."""
        return sorted({*(self._rate_at(step / (_POINTS - 1)) for step in range(_POINTS)), *also})

    def _rate_at(self, part: float) -> float:
        hold = None if self.reference is None else self.reference.bill.hold
        if hold is None or part in (0, 1):
            return part * self.top
        return root(_busier(hold.busy, part * hold.busy(self.top)), 0.0, self.top)


def contender(
    option: Option,
    demand: Demand,
    catalog: Catalog,
    *,
    region: str,
    platform: Platform = COMPUTE_ONLY,
) -> Contender:
    """An option with its bill; raises MissingFigureError and OptionError."""
    return Contender(option, bill(option, demand, catalog, region=region, platform=platform), demand)


def span_of(
    reference: Contender | None, bound: float | None, crossings: Iterable[float], demand: Demand
) -> Span:
    """Where nothing bounds the rates, twice as far as the last crossing, or else as the demand."""
    return Span(reference, bound or 2 * max(crossings, default=demand.rate.per_second))


def reference_of(contenders: Iterable[Contender]) -> Contender | None:
    """The one that bounds the rates: what is full first, or else what holds the most copies."""
    among = tuple(contenders)
    bounded = [each for each in among if each.fullest < FASTEST]
    if bounded:
        return min(bounded, key=lambda each: each.fullest)
    holding = [each for each in among if each.bill.hold is not None]
    return max(holding, key=lambda each: each.option.servers, default=None)


def bound_of(reference: Contender | None) -> float | None:
    """Requests a second at which the reference is full; None where nothing is ever full."""
    if reference is None:
        return None
    hold = reference.bill.hold
    return reference.fullest if hold is None else _rising(_busier(hold.busy, _FULL * hold.full))


def root(curve: Curve, low: float, high: float) -> float:
    """Where a curve is zero between two points at which its sign differs."""
    return float(brentq(curve, low, high, xtol=high * _CLOSE, rtol=_CLOSEST))


def _rising(curve: Curve) -> float:
    """The root of a curve that starts below zero and rises: brackets it by doubling, as far as rates go."""
    high = 1.0
    while curve(high) < 0:
        high *= 2
        if high > FASTEST:
            return FASTEST
    return root(curve, 0.0, high)


def _busier(busy: Curve, share: float) -> Curve:
    return lambda per_second: busy(per_second) - share
