"""Prices of a unit of use, each a type of its own: what a request costs never adds to what a gigabyte costs.

A unit price meets an amount of use and becomes money over a period: a request price a rate, a memory price a
size held, a transfer price bytes at a rate. Nothing else comes out of it, so a formula with a wrong unit does
not type-check. Spelled like `$0.20/1M requests`, `$0.0000166667/GB-s`, `$0.01/GB` or `$0.006/LCU-h`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Final, Self

from components.spec.units import Memory, Money, Number, Period, Rate, Spelled, UnitError

_DECIMALS: Final = 12
_AMOUNT: Final = rf"[0-9]{{1,9}}(?:\.[0-9]{{1,{_DECIMALS}}})?"
_HOURS_A_MONTH: Final = Period.MONTH.hours
_SECONDS_AN_HOUR: Final = 3600
_BYTES_A_GB: Final = 2**30  # AWS meters memory and transfer in binary gigabytes, and writes GB


@dataclass(frozen=True, order=True)
class UnitPrice(Spelled):
    """US dollars for one unit of use. Compares with its own kind only."""

    __slots__ = ("amount",)

    amount: Decimal
    """Dollars for the unit as spelled."""

    unit: ClassVar[str]
    maximum: ClassVar[Decimal] = Decimal(1_000_000)

    def __init_subclass__(cls) -> None:
        cls.pattern = rf"\${_AMOUNT}/{re.escape(cls.unit)}"

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise UnitError("is not a finite amount", self._hint())
        if self.amount < 0:
            raise UnitError("is negative", self._hint())
        if self.amount > self.maximum:
            raise UnitError(f"is absurdly large: the largest is ${self.maximum}", "check the amount")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The price that `text` spells; raises `UnitError`."""
        if re.fullmatch(cls.pattern, text) is None:
            raise UnitError(f"is not {cls.about}", cls._hint())
        return cls(Decimal(text.removeprefix("$").removesuffix(f"/{cls.unit}")))

    @classmethod
    def unit_names(cls) -> tuple[str, ...]:
        """The one unit it is for."""
        return (f"/{cls.unit}",)

    @classmethod
    def _spelling_of(cls, number: Number) -> str:
        return f"${_digits(Decimal(str(number)))}/{cls.unit}"

    def __str__(self) -> str:
        return f"${_digits(self.amount)}/{self.unit}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[Decimal]]:
        return type(self), (self.amount,)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _money(self, units_an_hour: Fraction, period: Period) -> Money:
        exact = Fraction(self.amount) * units_an_hour * period.hours
        return Money(Decimal(exact.numerator) / Decimal(exact.denominator), period)


class RequestPrice(UnitPrice):
    """What a million requests cost."""

    __slots__ = ()

    about = "a price of requests"
    unit = "1M requests"
    examples = ("$0.20/1M requests",)

    def at(self, rate: Rate) -> Money:
        """What requests at this rate cost a month."""
        hourly = Fraction(rate.steps, Rate.units["/h"])
        return self._money(hourly / 10**6, Period.MONTH)

    @property
    def per_request(self) -> Decimal:
        """Dollars for one request."""
        return self.amount / 10**6


class MemoryTimePrice(UnitPrice):
    """What a gigabyte (2^30 bytes) of memory costs for a second."""

    __slots__ = ()

    about = "a price of memory over time"
    unit = "GB-s"
    examples = ("$0.0000166667/GB-s",)

    def holding(self, memory: Memory, busy: Number = 1) -> Money:
        """What it costs an hour, held for the share `busy` of it (above 1: in so many copies)."""
        gigabytes = Fraction(memory.bytes, _BYTES_A_GB)
        return self._money(gigabytes * Fraction(busy) * _SECONDS_AN_HOUR, Period.HOUR)


class TransferPrice(UnitPrice):
    """What a gigabyte (2^30 bytes) moved costs."""

    __slots__ = ()

    about = "a price of data transfer"
    unit = "GB"
    examples = ("$0.01/GB",)

    def at(self, size: Memory, rate: Rate) -> Money:
        """What moving `size` at this rate costs a month."""
        hourly = Fraction(rate.steps, Rate.units["/h"])
        return self._money(Fraction(size.bytes, _BYTES_A_GB) * hourly, Period.MONTH)


class CapacityUnitPrice(UnitPrice):
    """What a load balancer's capacity unit costs for an hour of use."""

    __slots__ = ()

    about = "a price of load balancer capacity"
    unit = "LCU-h"
    examples = ("$0.006/LCU-h",)

    def using(self, units: Number) -> Money:
        """What so many capacity units cost an hour, on average."""
        return self._money(Fraction(units), Period.HOUR)


def _digits(amount: Decimal) -> str:
    whole, _, part = f"{amount:f}".partition(".")
    part = part.rstrip("0")
    return f"{whole}.{part.ljust(2, '0')}" if part else whole
