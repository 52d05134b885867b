"""A bill that knows how it depends on traffic: lines, each so much a month and so much for a request.

Every price of a cloud is one of these two, with one exception: where copies are held, what a request costs
depends on whether it finds one. So a line says which requests it is for, and the bill knows how many of each
kind come at any rate. Its arithmetic is exact until a line becomes money.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from components.catalog import Fact, RequestPrice, TransferPrice
from components.placement.cost.spill import Hold
from components.placement.options import Demand, Option, OptionError
from components.spec.units import Memory, Money, Period, Rate, UnitError

SECONDS_A_MONTH: Final = Period.MONTH.hours * 3600

_BYTES_A_GB: Final = 2**30  # AWS meters memory and transfer in binary gigabytes, and writes GB
_MILLION: Final = 10**6
_A_DOLLAR: Final = Money.parse("$1/month")
_NOTHING: Final = Money.parse("$0/month")

Requests: TypeAlias = Literal["all", "kept", "spilled"]
"""Which requests a line is for: all, those that find a held copy, or those that find none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a bill, before the rate is known."""

    name: str
    fixed: Fraction = Fraction(0)
    """Dollars a month, whatever comes."""
    each: Fraction = Fraction(0)
    """Dollars for one request."""
    of: Requests = "all"
    how: str
    """The reckoning in words. `{requests}` stands for their number in a month."""
    caveat: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: what is paid for, a month of it, and how that was reckoned."""

    name: str
    money: Money
    how: str
    caveat: str = ""
    """What the figure rests on where it is not sourced: `assumed`, `as configured`."""
    note: str = ""
    """What the price's source adds: that it is the first tier's, or goes up and down."""


@dataclass(frozen=True)
class Cost:
    """What an option costs a month at one demand."""

    option: Option
    demand: Demand
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    """What is not in the figures, or makes them doubtful."""

    @cached_property
    def total(self) -> Money:
        """All lines together."""
        return sum((line.money for line in self.lines), _NOTHING)

    @property
    def caveats(self) -> tuple[str, ...]:
        """What the total rests on where it is not sourced, each once."""
        return tuple(dict.fromkeys(line.caveat for line in self.lines if line.caveat))

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """A table: name, dollars a month and reckoning of each line, and of all together."""
        lines = ((line.name, dollars(line.money), f"{line.how}{_behind(line.caveat)}") for line in self.lines)
        return (*lines, ("total", dollars(self.total), _behind(", ".join(self.caveats)).strip()))

    def of(self, name: str) -> Money:
        """The lines of one name; nothing where there is none."""
        return sum((line.money for line in self.lines if line.name == name), _NOTHING)


@dataclass(frozen=True, slots=True)
class Bill:
    """What an option costs a month at any rate."""

    items: tuple[Item, ...]
    kept: Callable[[float], float] | None = None
    """Share of requests that find a held copy, of how many a second come. None: none are held."""
    hold: Hold | None = None
    """What `kept` is the formula of, where it is one."""

    @property
    def fixed(self) -> Fraction:
        """Dollars a month with no request at all."""
        return sum((item.fixed for item in self.items), Fraction(0))

    @property
    def each(self) -> Fraction:
        """Dollars for one request, if it finds no held copy."""
        return sum((item.each for item in self.items if item.of != "kept"), Fraction(0))

    @property
    def saved(self) -> Fraction:
        """Dollars that a request costs less where it finds a held copy."""
        kept = sum((item.each for item in self.items if item.of == "kept"), Fraction(0))
        return sum((item.each for item in self.items if item.of == "spilled"), Fraction(0)) - kept

    def dollars(self, per_second: float) -> float:
        """A month at so many requests a second."""
        kept = 0.0 if self.kept is None else self.kept(per_second)
        each = float(self.each) - float(self.saved) * kept
        return float(self.fixed) + each * per_second * SECONDS_A_MONTH

    def lines(self, rate: Rate) -> tuple[Line, ...]:
        """The lines at one rate; raises OptionError where one is more money than can be."""
        requests = Fraction(rate.steps, Rate.units["/s"]) * SECONDS_A_MONTH
        share = Fraction(0) if self.kept is None else Fraction(self.kept(rate.per_second))
        counts: dict[Requests, Fraction] = {
            "all": requests,
            "kept": requests * share,
            "spilled": requests * (1 - share),
        }
        return tuple(_line(item, counts[item.of]) for item in self.items)


def caveat_of(*facts: Fact[Any]) -> str:
    """What figures rest on where they are not sourced, each once."""
    return ", ".join(dict.fromkeys(fact.caveat.strip(" ()") for fact in facts if fact.caveat))


def combined(*caveats: str) -> str:
    """Several caveats as one."""
    return ", ".join(dict.fromkeys(part for caveat in caveats for part in caveat.split(", ") if part))


def a_month(price: Fact[Money]) -> Fraction:
    """Dollars a month of what is paid for by the hour."""
    hourly = price.value.to(Period.HOUR)
    return Fraction(hourly.amount) * Period.MONTH.hours


def gigabytes(size: Memory) -> Fraction:
    """A size as bills have it."""
    return Fraction(size.bytes, _BYTES_A_GB)


def by_hour(name: str, price: Fact[Money], count: Fraction, what: str) -> Item:
    """A line for so many of a thing that is paid for by the hour."""
    return Item(
        name=name,
        fixed=a_month(price) * count,
        how=f"{shown(count)} {what} at {price.value} for {Period.MONTH.hours} hours",
        caveat=caveat_of(price),
        note=price.note,
    )


def by_request(name: str, price: Fact[RequestPrice], *, of: Requests = "all", times: int = 1) -> Item:
    """A line for requests, each of them metered `times`."""
    metered = f" metered {times} times" if times > 1 else ""
    return Item(
        name=name,
        each=Fraction(price.value.amount) / _MILLION * times,
        of=of,
        how=f"{{requests}} requests{metered} at {price.value}",
        caveat=caveat_of(price),
        note=price.note,
    )


def by_transfer(name: str, price: Fact[TransferPrice], size: Memory, times: Fraction, what: str) -> Item:
    """A line for bytes that each request moves, paid for `times`."""
    return Item(
        name=name,
        each=Fraction(price.value.amount) * gigabytes(size) * times,
        how=f"{{requests}} requests, {size} {what}, at {price.value}",
        caveat=caveat_of(price),
        note=price.note,
    )


def dollars(money: Money) -> str:
    """Money a month to the cent, as a table has it."""
    return f"${money.to(Period.MONTH).amount:,.2f}"


def shown(count: Fraction) -> str:
    """A number of things, with two decimals where it is not whole."""
    return f"{int(count):,}" if count.denominator == 1 else f"{float(count):,.2f}"


def _line(item: Item, requests: Fraction) -> Line:
    dollars = item.fixed + item.each * requests
    how = item.how.replace("{requests}", f"{round(requests):,}")
    return Line(item.name, to_money(item.name, dollars), how, item.caveat, item.note)


def to_money(what: str, dollars: Fraction | float) -> Money:
    """Dollars a month as money; raises OptionError where they are more than money can be."""
    try:
        return _A_DOLLAR * dollars
    except UnitError as error:
        raise OptionError(what, f"${float(dollars):,.0f}/month", error.message, error.remedy) from None


def _behind(caveat: str) -> str:
    return f" ({caveat})" if caveat else ""
