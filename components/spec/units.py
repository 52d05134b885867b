"""Typed sizes, durations, rates, shares and money, spelled in the stack file the way people say them.

A bare number in configuration hides its unit, and `256` megabytes read as bytes is an outage. So every
quantity is text with a unit (`16GiB`, `250ms`, `20/s`, `35%`, `$500/month`). It is held exactly, compares and
adds only with its own kind, and never changes. `str()` gives the canonical spelling, which parses back to an
equal value.
"""

import abc
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Final, Self, TypeAlias, overload

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Number: TypeAlias = int | float | Decimal | Fraction

_DECIMALS: Final = 9
_DIGITS_AT_MOST: Final = 40
_BARE_AT_MOST: Final = 10**18
_NUMBER: Final = rf"[0-9]{{1,18}}(?:\.[0-9]{{1,{_DECIMALS}}})?"
_LOOSE: Final = re.compile(r"\s*([+-]?)\s*([0-9][0-9_,]*(?:\.[0-9]+)?|\.[0-9]+)\s*(\D*?)\s*")


class UnitError(ValueError):
    """A value that is no quantity of the wanted kind: `message` says why, `remedy` what to write instead."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}: {remedy}")
        self.message = message
        self.remedy = remedy


class Spelled(abc.ABC):
    """A value with a text spelling of its own, usable as the type of a pydantic field."""

    __slots__ = ()

    about: ClassVar[str]
    """What it is, for the reader of an error: `a size of memory`."""
    pattern: ClassVar[str]
    """Regular expression that every accepted spelling matches (and that editors check as one types)."""
    examples: ClassVar[tuple[str, ...]]

    @classmethod
    @abc.abstractmethod
    def parse(cls, text: str) -> Self:
        """The value that `text` spells; raises `UnitError`."""

    @classmethod
    @abc.abstractmethod
    def _spelling_of(cls, number: Number) -> str:
        """How someone who wrote the bare `number` most likely meant to spell it."""

    @classmethod
    @abc.abstractmethod
    def unit_names(cls) -> tuple[str, ...]:
        """The units that a spelling may end in."""

    @classmethod
    def _hint(cls) -> str:
        return "write it like " + " or ".join(cls.examples)

    @classmethod
    def from_config(cls, value: object) -> Self:
        """A value as it arrives from configuration; raises `UnitError`."""
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise cls._bare(value)
        raise UnitError(f"is not {cls.about}", cls._hint())

    @classmethod
    def _bare(cls, number: Number) -> UnitError:
        if isinstance(number, float) and not math.isfinite(number):
            return UnitError("is not a finite number", cls._hint())
        if number < 0:
            return UnitError("is negative", cls._hint())
        if number > _BARE_AT_MOST:
            return UnitError("is absurdly large, and its unit is missing", cls._hint())
        return UnitError("is a bare number: its unit is missing", f"write {cls._spelling_of(number)!r}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: object) -> "Spelled":
            try:
                return value if isinstance(value, cls) else cls.from_config(value)
            except UnitError as error:
                context = {"message": error.message, "remedy": error.remedy}
                raise PydanticCustomError("unit", "{message}", context) from None

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^{cls.pattern}$",
            "examples": list(cls.examples),
            "description": f"{cls.about[0].upper()}{cls.about[1:]}, like {', '.join(cls.examples)}.",
        }


@dataclass(frozen=True, order=True)
class Quantity(Spelled):
    """An exact, non-negative count of the smallest step of its kind."""

    __slots__ = ("steps",)

    steps: int

    units: ClassVar[dict[str, int]]
    """Unit as spelled → how many steps it is worth, largest first."""
    aliases: ClassVar[dict[str, str]] = {}
    """Unit as people from elsewhere spell it, in lower case → the unit that they mean."""
    bare_unit: ClassVar[str]
    """The unit most likely meant where none was written."""
    step: ClassVar[str]
    maximum: ClassVar[int]

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise UnitError("is negative", self._hint())
        if self.steps > self.maximum:
            raise UnitError(
                f"is absurdly large: the largest {self.about.removeprefix('a ')} is {self._largest()}",
                "check the unit",
            )

    @classmethod
    def of(cls, number: Number, unit: str) -> Self:
        """`number` of `unit`, rounded to the nearest step."""
        return cls(round(_exact(number) * cls.units[unit]))

    @classmethod
    def unit_names(cls) -> tuple[str, ...]:
        """The units, largest first."""
        return tuple(cls.units)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The quantity that `text` spells; raises `UnitError`."""
        if re.fullmatch(cls.pattern, text) is None:
            raise cls._unreadable(text)
        unit = max((unit for unit in cls.units if text.endswith(unit)), key=len)
        steps = Fraction(text.removesuffix(unit)) * cls.units[unit]
        if steps.denominator != 1:
            raise UnitError(f"is finer than {cls.step}", cls._hint())
        return cls(int(steps))

    @classmethod
    def _unreadable(cls, text: str) -> UnitError:
        found = _LOOSE.fullmatch(text)
        if found is None:
            return UnitError(f"is not {cls.about}", cls._hint())
        sign, digits, written = found.groups()
        if sign == "-":
            return UnitError("is negative", cls._hint())
        if len(digits) > _DIGITS_AT_MOST:
            return UnitError("is absurdly large or fine", "check the number and its unit")
        number = Fraction(digits.replace(",", "").replace("_", ""))
        return cls._misspelt(number, written) if written else cls._bare(number)

    @classmethod
    def _misspelt(cls, number: Fraction, written: str) -> UnitError:
        unit = written if written in cls.units else cls.aliases.get(written.lower().replace(" ", ""))
        if unit is None:
            return UnitError(
                f"has the unit {written!r}, which is none of {', '.join(cls.units)}", cls._hint()
            )
        try:
            meant = cls.of(number, unit).in_unit(unit)
        except UnitError as error:
            return error
        return UnitError(f"is not spelled as {cls.about}", f"write '{meant}'")

    @classmethod
    def _spelling_of(cls, number: Number) -> str:
        return f"{_plain(Fraction(number))}{cls.bare_unit}"

    @classmethod
    def _largest(cls) -> str:
        return str(cls(cls.maximum))

    def in_unit(self, unit: str) -> str:
        """The spelling in a chosen unit, rounded where the unit is too coarse."""
        return f"{_plain(Fraction(self.steps, self.units[unit]))}{unit}"

    def __str__(self) -> str:
        whole = (unit for unit, worth in self.units.items() if self.steps % worth == 0)
        return self.in_unit(next(whole) if self.steps else self.bare_unit)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        return type(self), (self.steps,)

    def __bool__(self) -> bool:
        return self.steps != 0

    def __add__(self, other: Self) -> Self:
        return type(self)(self.steps + other.steps) if type(other) is type(self) else NotImplemented

    def __radd__(self, other: int) -> Self:
        """Lets `sum()` start from its 0; no other number has a unit to add."""
        return self if other == 0 else NotImplemented

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.steps - other.steps) if type(other) is type(self) else NotImplemented

    def __mul__(self, factor: Number) -> Self:
        if not _is_number(factor):
            return NotImplemented
        return type(self)(round(_exact(factor) * self.steps))

    __rmul__ = __mul__

    @overload
    def __truediv__(self, other: Self) -> float: ...
    @overload
    def __truediv__(self, other: Number) -> Self: ...
    def __truediv__(self, other: Self | Number) -> float | Self:
        """A ratio for a quantity of the same kind, a smaller quantity for a number."""
        if isinstance(other, Quantity):
            return self.steps / other.steps if type(other) is type(self) else NotImplemented
        if not _is_number(other):
            return NotImplemented
        return type(self)(round(self.steps / _exact(other)))


class Memory(Quantity):
    """A size of memory or data, in whole bytes."""

    __slots__ = ()

    about = "a size of memory"
    units: ClassVar[dict[str, int]] = {
        "PiB": 2**50,
        "TiB": 2**40,
        "TB": 10**12,
        "GiB": 2**30,
        "GB": 10**9,
        "MiB": 2**20,
        "MB": 10**6,
        "KiB": 2**10,
        "kB": 10**3,
        "B": 1,
    }
    aliases: ClassVar[dict[str, str]] = {
        **{f"{letter}i": f"{letter.upper()}iB" for letter in "kmgtp"},
        **{f"{letter}ib": f"{letter.upper()}iB" for letter in "kmgtp"},
        **{letter: f"{letter.upper()}iB" for letter in "kmgtp"},
        "kb": "kB",
        "mb": "MB",
        "gb": "GB",
        "tb": "TB",
        "byte": "B",
        "bytes": "B",
    }
    bare_unit = "MiB"
    step = "one byte"
    maximum = 2**50
    pattern = rf"{_NUMBER}(?:[KMGTP]iB|[kMGT]B|B)"
    examples = ("16GiB", "512MiB")

    @property
    def bytes(self) -> int:
        """Bytes."""
        return self.steps

    @property
    def mib(self) -> int:
        """Whole mebibytes, rounded up: what fits the size and no more."""
        return -(-self.steps // 2**20)

    @property
    def gib(self) -> float:
        """Gibibytes (2^30 bytes)."""
        return self.steps / 2**30


class Duration(Quantity):
    """A length of time, in whole nanoseconds."""

    __slots__ = ()

    about = "a duration"
    units: ClassVar[dict[str, int]] = {
        "d": 86_400 * 10**9,
        "h": 3_600 * 10**9,
        "m": 60 * 10**9,
        "s": 10**9,
        "ms": 10**6,
        "us": 10**3,
        "ns": 1,
    }
    aliases: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("day", "days"), "d"),
        **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
        **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
        **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
        **dict.fromkeys(("msec", "msecs", "millis", "millisecond", "milliseconds"), "ms"),
        **dict.fromkeys(("\u00b5s", "\u03bcs", "usec", "micros", "microsecond", "microseconds"), "us"),
        **dict.fromkeys(("nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
        **{unit: unit for unit in ("d", "h", "m", "s", "ms", "us", "ns")},
    }
    bare_unit = "s"
    step = "one nanosecond"
    maximum = 3_660 * 86_400 * 10**9
    pattern = rf"{_NUMBER}(?:d|h|m|s|ms|us|ns)"
    examples = ("250ms", "10s", "14d")

    @property
    def nanoseconds(self) -> int:
        """Nanoseconds."""
        return self.steps

    @property
    def milliseconds(self) -> float:
        """Milliseconds."""
        return self.steps / 10**6

    @property
    def seconds(self) -> float:
        """Seconds."""
        return self.steps / 10**9

    @property
    def days(self) -> float:
        """Days of 24 hours."""
        return self.steps / (86_400 * 10**9)


class Rate(Quantity):
    """How often something happens, in billionths a day: exact by the second, minute, hour and day."""

    __slots__ = ()

    about = "a rate"
    units: ClassVar[dict[str, int]] = {
        "/s": 86_400 * 10**9,
        "/min": 1_440 * 10**9,
        "/h": 24 * 10**9,
        "/day": 10**9,
    }
    aliases: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("/sec", "/second", "rps", "qps", "req/s", "reqs/s", "requests/s", "r/s"), "/s"),
        **dict.fromkeys(("/m", "/minute", "rpm", "req/min", "requests/min"), "/min"),
        **dict.fromkeys(("/hr", "/hour", "req/h", "requests/h"), "/h"),
        **dict.fromkeys(("/d", "/days", "req/day", "requests/day"), "/day"),
        **{unit: unit for unit in ("/s", "/min", "/h", "/day")},
    }
    bare_unit = "/s"
    step = "a billionth a day"
    maximum = 10**9 * 86_400 * 10**9
    pattern = rf"{_NUMBER}(?:/s|/min|/h|/day)"
    examples = ("20/s", "1200/min", "5/h")

    @property
    def per_second(self) -> float:
        """Times a second."""
        return self.steps / self.units["/s"]

    def __str__(self) -> str:
        finite = (unit for unit, worth in self.units.items() if _terminates(Fraction(self.steps, worth)))
        return self.in_unit(next(finite))


class Share(Quantity):
    """A part of a whole between 0 % and 100 %."""

    __slots__ = ()

    about = "a share"
    units: ClassVar[dict[str, int]] = {"%": 10**_DECIMALS}
    aliases: ClassVar[dict[str, str]] = dict.fromkeys(("%", "percent", "per cent", "percents", "pct"), "%")
    bare_unit = "%"
    step = "a billionth of a percent"
    maximum = 100 * 10**_DECIMALS
    pattern = rf"{_NUMBER}%"
    examples = ("35%",)

    @property
    def fraction(self) -> float:
        """The share as a number between 0 and 1."""
        return self.steps / self.maximum

    def __float__(self) -> float:
        return self.fraction

    @classmethod
    def _spelling_of(cls, number: Number) -> str:
        percent = Fraction(number) * 100 if number <= 1 else Fraction(number)
        return f"{_plain(min(percent, Fraction(100)))}%"

    def __str__(self) -> str:
        return self.in_unit("%")


class Period(StrEnum):
    """What an amount of money is for. A month is 730 hours and a year 12 months, as cloud bills reckon."""

    HOUR = "h"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"

    @property
    def hours(self) -> int:
        """Hours in one period."""
        return {"h": 1, "day": 24, "month": 730, "year": 8760}[self.value]


@dataclass(frozen=True)
class Money(Spelled):
    """US dollars over a period. Amounts over different periods do not mix: convert with `to` first."""

    __slots__ = ("amount", "period")

    amount: Decimal
    period: Period

    about = "an amount of money over a period"
    maximum: ClassVar[Decimal] = Decimal(10**9)
    pattern = rf"\${_NUMBER}/(?:h|day|month|year)"
    examples = ("$500/month", "$4.10/h")
    _periods: ClassVar[dict[str, Period]] = {
        **dict.fromkeys(("h", "hr", "hour"), Period.HOUR),
        **dict.fromkeys(("d", "day"), Period.DAY),
        **dict.fromkeys(("mo", "mon", "month"), Period.MONTH),
        **dict.fromkeys(("y", "yr", "year"), Period.YEAR),
    }

    def __post_init__(self) -> None:
        if not self.amount.is_finite():
            raise UnitError("is not a finite amount", self._hint())
        if self.amount < 0:
            raise UnitError("is negative", self._hint())
        if self.amount > self.maximum:
            raise UnitError(f"is absurdly large: the largest amount is ${self.maximum}", "check the amount")
        object.__setattr__(self, "amount", _to_nanodollar(self.amount))

    @classmethod
    def unit_names(cls) -> tuple[str, ...]:
        """The periods."""
        return tuple(f"/{period}" for period in Period)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The amount that `text` spells; raises `UnitError`."""
        if re.fullmatch(cls.pattern, text) is None:
            raise cls._unreadable(text)
        amount, _, period = text.removeprefix("$").partition("/")
        return cls(Decimal(amount), Period(period))

    @classmethod
    def _unreadable(cls, text: str) -> UnitError:
        loose = re.fullmatch(
            r"\s*(-?)\s*(?:\$|USD|US\$)?\s*(-?)([0-9][0-9_,]*(?:\.[0-9]+)?)\s*(?:\$|USD|dollars)?"
            r"\s*(?:(?:/|per|a)\s*([a-z]+))?\s*",
            text,
            re.IGNORECASE,
        )
        if loose is None:
            return UnitError(f"is not {cls.about}", cls._hint())
        minus, inner_minus, digits, written = loose.groups()
        if minus or inner_minus:
            return UnitError("is negative", cls._hint())
        period = cls._periods.get((written or "month").lower())
        if period is None:
            return UnitError(f"has the period {written!r}, which is none of h, day, month, year", cls._hint())
        if len(digits) > _DIGITS_AT_MOST:
            return UnitError("is absurdly large or fine", "check the amount")
        try:
            meant = cls(Decimal(digits.replace(",", "").replace("_", "")), period)
        except UnitError as error:
            return error
        missing = "has no period" if written is None else f"is not spelled as {cls.about}"
        return UnitError(missing, f"write '{meant}'")

    @classmethod
    def _spelling_of(cls, number: Number) -> str:
        return f"${_plain(Fraction(number))}/month"

    def to(self, period: Period | str) -> Self:
        """The same spending over another period."""
        wanted = Period(period)
        return type(self)(self.amount * wanted.hours / self.period.hours, wanted)

    def __str__(self) -> str:
        digits = f"{self.amount:f}"
        whole, _, cents = digits.partition(".")
        cents = cents.rstrip("0")
        return f"${whole}{'.' + cents.ljust(2, '0') if cents else ''}/{self.period}"

    def __repr__(self) -> str:
        return f"Money({str(self)!r})"

    def __reduce__(self) -> tuple[type[Self], tuple[Decimal, Period]]:
        return type(self), (self.amount, self.period)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _other(self, other: "Money") -> Decimal:
        if other.period is not self.period:
            raise TypeError(f"money a {self.period} and money a {other.period} do not mix: convert with to()")
        return other.amount

    def __add__(self, other: "Money") -> Self:
        if not isinstance(other, Money):
            return NotImplemented
        return type(self)(self.amount + self._other(other), self.period)

    def __radd__(self, other: int) -> Self:
        """Lets `sum()` start from its 0; no other number has a period."""
        return self if other == 0 else NotImplemented

    def __sub__(self, other: "Money") -> Self:
        if not isinstance(other, Money):
            return NotImplemented
        return type(self)(self.amount - self._other(other), self.period)

    def __mul__(self, factor: Number) -> Self:
        if not _is_number(factor):
            return NotImplemented
        return type(self)(_decimal(_exact(factor) * Fraction(self.amount)), self.period)

    __rmul__ = __mul__

    @overload
    def __truediv__(self, other: "Money") -> float: ...
    @overload
    def __truediv__(self, other: Number) -> Self: ...
    def __truediv__(self, other: "Money | Number") -> float | Self:
        """A ratio for money over the same period, a smaller amount for a number."""
        if isinstance(other, Money):
            return float(self.amount / self._other(other))
        if not _is_number(other):
            return NotImplemented
        return type(self)(_decimal(Fraction(self.amount) / _exact(other)), self.period)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._other(other) if isinstance(other, Money) else NotImplemented

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._other(other) if isinstance(other, Money) else NotImplemented

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._other(other) if isinstance(other, Money) else NotImplemented

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._other(other) if isinstance(other, Money) else NotImplemented


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal | Fraction) and not isinstance(value, bool)


def _exact(number: Number) -> Fraction:
    try:
        return Fraction(number)
    except (ValueError, OverflowError):
        raise UnitError("is not a finite number", "check the factor") from None


def _terminates(value: Fraction) -> bool:
    """Whether `value` has no more decimals than a spelling may have."""
    return (value * 10**_DECIMALS).denominator == 1


def _plain(value: Fraction) -> str:
    """Decimal digits without exponent or trailing zeros."""
    digits = f"{_decimal(value):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _decimal(value: Fraction) -> Decimal:
    return Decimal(round(value * 10**_DECIMALS)).scaleb(-_DECIMALS)


def _to_nanodollar(amount: Decimal) -> Decimal:
    return _decimal(Fraction(amount))
