"""From values to places in a chart, and the round values to mark there."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_TOPS: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_IN_A_DECADE: Final = (1, 2, 5)
_FEW_DECADES: Final = 1.7
_MANY_DECADES: Final = 6.5


@dataclass(frozen=True, slots=True)
class Linear:
    """Even steps."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, at_most: int) -> tuple[float, ...]:
        """Round values from end to end, as many as there is room for."""
        rough = (self.high - self.low) / at_most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(each * power for each in _STEPS if each * power >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(number * step for number in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Log:
    """Even factors, over whole decades or parts of one."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> tuple[float, ...]:
        """Powers of ten; with what is between where they are few, without some where they are many."""
        decades = math.log10(self.high / self.low)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        factors = _IN_A_DECADE if decades < _FEW_DECADES else (1,)
        every = 2 if decades > _MANY_DECADES else 1
        values = (factor * 10.0**power for power in range(first, last + 1, every) for factor in factors)
        return tuple(
            value for value in values if self.low <= value * (1 + 1e-9) and value <= self.high * (1 + 1e-9)
        )


def ceiling(value: float) -> float:
    """The next round number up."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _TOPS if step * power >= value * (1 - 1e-9))


def apart(places: Sequence[float], gap: float, lowest: float, highest: float) -> tuple[float, ...]:
    """Places for labels near those given, none nearer to another than `gap`, within bounds if they fit."""
    order = sorted(range(len(places)), key=lambda index: (places[index], index))
    found = [0.0] * len(places)
    last = lowest - gap
    for index in order:
        last = found[index] = max(places[index], last + gap)
    last = highest + gap
    for index in reversed(order):
        last = found[index] = min(found[index], last - gap)
    return tuple(found)
