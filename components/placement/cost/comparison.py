"""What one option costs beside several others, over rates that none of them is too small for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from components.placement.cost.crossings import Crossing, crossing_at, crossings_of
from components.placement.cost.lines import to_money
from components.placement.cost.pricing import rate_of
from components.placement.cost.span import Contender, Span, bound_of, reference_of, span_of
from components.spec.units import Money, Rate, Share


@dataclass(frozen=True, slots=True)
class Level:
    """What each of several options costs at one rate."""

    rate: Rate
    utilization: Share | None
    money: tuple[Money, ...]


@dataclass(frozen=True)
class Comparison:
    """What several options cost over the same rates."""

    contenders: tuple[Contender, ...]
    span: Span
    crossings: tuple[tuple[Crossing, ...], ...]
    """Where the first costs the same as each of the others, in their order."""

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """All costs over the whole span, evenly by utilisation, with every crossing: points for a chart."""
        crossed = (each.rate.per_second for crossings in self.crossings for each in crossings)
        return tuple(self._level(per_second) for per_second in self.span.rates(crossed))

    def up_to(self, top: float) -> "Comparison":
        """The part of it up to so many requests a second."""
        met = (
            tuple(each for each in crossings if each.rate.per_second <= top) for crossings in self.crossings
        )
        return replace(self, span=replace(self.span, top=top), crossings=tuple(met))

    def _level(self, per_second: float) -> Level:
        return Level(
            rate_of(per_second),
            self.span.utilization(per_second),
            tuple(to_money("cost", each.bill.dollars(per_second)) for each in self.contenders),
        )


def compare(first: Contender, others: Sequence[Contender]) -> Comparison:
    """One beside several, for a chart: over rates that none of them is too small for."""
    reference = reference_of((first, *others))
    bound = bound_of(reference)
    met = [crossings_of(first, other, bound)[0] for other in others]
    span = span_of(reference, bound, (each for crossings in met for each in crossings), first.demand)
    return Comparison(
        contenders=(first, *others),
        span=span,
        crossings=tuple(tuple(crossing_at(span, first, each) for each in crossings) for crossings in met),
    )
