"""Quantities: what spells one, what does not and why, and the arithmetic between them."""

import copy
import operator
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.spec import Duration, Memory, Money, Period, Rate, Share, UnitError
from components.spec.units import Quantity, Spelled

KINDS = (Memory, Duration, Rate, Share, Money)
QUANTITIES = (Memory, Duration, Rate, Share)


@pytest.mark.parametrize(
    ("kind", "text", "measure", "value", "canonical"),
    [
        pytest.param(Memory, "16GiB", "bytes", 16 * 2**30, "16GiB", id="gibibytes"),
        pytest.param(Memory, "2048MiB", "mib", 2048, "2GiB", id="mebibytes that make whole gibibytes"),
        pytest.param(Memory, "1.5GiB", "mib", 1536, "1536MiB", id="a fraction of a gibibyte"),
        pytest.param(Memory, "16GB", "bytes", 16 * 10**9, "16GB", id="decimal gigabytes"),
        pytest.param(Memory, "10MB", "mib", 10, "10MB", id="decimal megabytes, mebibytes rounded up"),
        pytest.param(Memory, "0B", "bytes", 0, "0MiB", id="nothing"),
        pytest.param(Duration, "250ms", "seconds", 0.25, "250ms", id="milliseconds"),
        pytest.param(Duration, "50us", "nanoseconds", 50_000, "50us", id="microseconds"),
        pytest.param(Duration, "14d", "days", 14, "14d", id="days"),
        pytest.param(Duration, "24h", "days", 1, "1d", id="hours that make a day"),
        pytest.param(Duration, "0.5s", "milliseconds", 500, "500ms", id="a fraction of a second"),
        pytest.param(Rate, "20/s", "per_second", 20, "20/s", id="by the second"),
        pytest.param(Rate, "1200/min", "per_second", 20, "20/s", id="by the minute"),
        pytest.param(Rate, "5/h", "per_second", 5 / 3600, "5/h", id="by the hour"),
        pytest.param(Rate, "7/day", "per_second", 7 / 86400, "7/day", id="by the day"),
        pytest.param(Share, "35%", "fraction", 0.35, "35%", id="percent"),
        pytest.param(Share, "0.1%", "fraction", 0.001, "0.1%", id="a fraction of a percent"),
        pytest.param(Share, "100%", "fraction", 1, "100%", id="all of it"),
        pytest.param(Money, "$500/month", "amount", Decimal(500), "$500/month", id="dollars a month"),
        pytest.param(Money, "$4.1/h", "amount", Decimal("4.1"), "$4.10/h", id="cents are two digits"),
        pytest.param(Money, "$0.8048/h", "amount", Decimal("0.8048"), "$0.8048/h", id="finer than cents"),
    ],
)
def test_spelling(kind: type[Spelled], text: str, measure: str, value: object, canonical: str) -> None:
    parsed = kind.parse(text)
    assert getattr(parsed, measure) == value
    assert str(parsed) == canonical
    assert kind.parse(canonical) == parsed


@pytest.mark.parametrize(
    ("kind", "value", "message", "remedy"),
    [
        pytest.param(Memory, 256, "bare number", "256MiB", id="bare memory"),
        pytest.param(Memory, "256", "bare number", "256MiB", id="bare memory in quotes"),
        pytest.param(Duration, 10, "bare number", "10s", id="bare duration"),
        pytest.param(Duration, 0.25, "bare number", "0.25s", id="bare fraction"),
        pytest.param(Rate, 20, "bare number", "20/s", id="bare rate"),
        pytest.param(Share, 35, "bare number", "35%", id="bare percent"),
        pytest.param(Share, 0.35, "bare number", "35%", id="share as a fraction"),
        pytest.param(Money, 500, "bare number", "$500/month", id="bare money"),
        pytest.param(Money, "$500", "no period", "$500/month", id="money without period"),
        pytest.param(Money, "$1,000/month", "not spelled", "$1000/month", id="thousands separator"),
        pytest.param(Money, "500 USD per month", "not spelled", "$500/month", id="money in words"),
        pytest.param(Money, "$5/fortnight", "'fortnight'", "$500/month", id="unknown period"),
        pytest.param(Memory, "16Gi", "not spelled", "16GiB", id="Kubernetes spelling"),
        pytest.param(Memory, "512M", "not spelled", "512MiB", id="Docker spelling"),
        pytest.param(Memory, "16 GiB", "not spelled", "16GiB", id="space before the unit"),
        pytest.param(Memory, "16gb", "not spelled", "16GB", id="lower case"),
        pytest.param(Memory, "16Gb/s", "'Gb/s'", "16GiB", id="unknown unit"),
        pytest.param(Duration, "10 seconds", "not spelled", "10s", id="unit in words"),
        pytest.param(Duration, "50\u00b5s", "not spelled", "50us", id="micro sign"),
        pytest.param(Duration, "1w", "'w'", "10s", id="weeks"),
        pytest.param(Duration, "1h30m", "is not a duration", "10s", id="two units"),
        pytest.param(Duration, "1.5ns", "finer than", "250ms", id="finer than the step"),
        pytest.param(Rate, "20rps", "not spelled", "20/s", id="rps"),
        pytest.param(Rate, "20 req/s", "not spelled", "20/s", id="req/s"),
        pytest.param(Share, "35 %", "not spelled", "35%", id="space before percent"),
        pytest.param(Share, "135%", "absurdly large", "unit", id="more than all of it"),
        pytest.param(Memory, "-1GiB", "negative", "16GiB", id="negative memory"),
        pytest.param(Duration, -1, "negative", "10s", id="negative bare number"),
        pytest.param(Money, "$-5/month", "negative", "$500/month", id="negative money"),
        pytest.param(Money, "-$5/month", "negative", "$500/month", id="negative money, sign first"),
        pytest.param(Memory, "2PiB", "absurdly large", "unit", id="more memory than there is"),
        pytest.param(Duration, "999999d", "absurdly large", "unit", id="centuries"),
        pytest.param(Rate, "999999999999/s", "absurdly large", "unit", id="absurd rate"),
        pytest.param(Money, "$9999999999/h", "absurdly large", "amount", id="absurd money"),
        pytest.param(Duration, float("nan"), "not a finite", "10s", id="not a number"),
        pytest.param(Duration, float("inf"), "not a finite", "10s", id="infinite"),
        pytest.param(Duration, "nan", "is not a duration", "10s", id="not a number as text"),
        pytest.param(Duration, "1e3s", "is not a duration", "10s", id="exponent"),
        pytest.param(Memory, "9" * 5000 + "GiB", "absurdly large", "unit", id="thousands of digits"),
        pytest.param(Memory, "", "is not a size", "16GiB", id="empty"),
        pytest.param(Memory, True, "is not a size", "16GiB", id="true"),
        pytest.param(Memory, None, "is not a size", "16GiB", id="nothing"),
        pytest.param(Memory, ["16GiB"], "is not a size", "16GiB", id="a list"),
        pytest.param(Memory, "16GiB\n", "not spelled", "16GiB", id="line break"),
        pytest.param(Memory, "\u0661\u0666GiB", "is not a size", "16GiB", id="digits of another script"),
    ],
)
def test_refusal(kind: type[Spelled], value: object, message: str, remedy: str) -> None:
    with pytest.raises(UnitError) as caught:
        kind.from_config(value)
    assert message in caught.value.message
    assert remedy in caught.value.remedy


def quantities(kind: type[Quantity]) -> st.SearchStrategy[Quantity]:
    return st.integers(0, kind.maximum).map(kind)


def moneys() -> st.SearchStrategy[Money]:
    amounts = st.decimals(0, 10**9, allow_nan=False, allow_infinity=False, places=9)
    return st.builds(Money, amounts, st.sampled_from(Period))


anything = st.one_of(*(quantities(kind) for kind in QUANTITIES), moneys())


@given(anything)
def test_canonical_spelling_parses_back(value: Spelled) -> None:
    again = type(value).parse(str(value))
    assert again == value
    assert str(again) == str(value)
    assert hash(again) == hash(value)
    assert re.fullmatch(value.pattern, str(value))


@given(
    st.sampled_from(KINDS), st.text(max_size=30) | st.from_regex(r"[$+-]?\s?[0-9.,_]{1,20}\s?[A-Za-z/%]{0,8}")
)
def test_any_text_is_a_quantity_or_a_unit_error(kind: type[Spelled], text: str) -> None:
    try:
        assert re.fullmatch(kind.pattern, text) or not kind.parse(text)
    except UnitError as error:
        assert error.message
        assert error.remedy


@given(st.data(), st.sampled_from(QUANTITIES))
def test_order_and_sum_are_those_of_the_steps(data: st.DataObject, kind: type[Quantity]) -> None:
    half = st.integers(0, kind.maximum // 2)
    less, more = sorted([data.draw(half), data.draw(half)])
    assert kind(less) <= kind(more)
    assert kind(less) + kind(more) == kind(less + more)
    assert kind(more) - kind(less) == kind(more - less)
    assert sum([kind(less), kind(more)]) == kind(less + more)
    assert kind(less) * 2 == 2 * kind(less) == kind(less) + kind(less)
    if less:
        assert kind(more) / kind(less) == more / less
    assert bool(kind(less)) is (less != 0)


@given(moneys(), st.sampled_from(Period))
def test_conversion_of_money_there_and_back(money: Money, period: Period) -> None:
    tolerance = Decimal(8760) / 10**9
    converted = money.amount * period.hours / money.period.hours
    # Rounded up on the way, an amount at the very limit is over it.
    if max(converted, money.amount) + tolerance > Money.maximum:
        return
    back = money.to(period).to(money.period)
    assert abs(back.amount - money.amount) <= tolerance


def test_money_by_the_hour_and_by_the_month() -> None:
    hourly = Money.parse("$4.10/h")
    assert str(hourly.to("month")) == "$2993/month"
    assert hourly.to(Period.MONTH) + Money.parse("$7/month") == Money.parse("$3000/month")
    assert Money.parse("$10/h") / Money.parse("$4/h") == 2.5
    assert Money.parse("$10/h") / 4 == Money.parse("$2.50/h")


@pytest.mark.parametrize(
    "mix",
    [
        pytest.param(
            lambda: Money.parse("$1/h") + Money.parse("$1/month"), id="money over two periods added"
        ),
        pytest.param(
            lambda: Money.parse("$1/h") < Money.parse("$1/month"), id="money over two periods compared"
        ),
        pytest.param(
            lambda: Money.parse("$1/h") / Money.parse("$1/month"), id="money over two periods divided"
        ),
        pytest.param(lambda: Memory.parse("1GiB") + Duration.parse("1s"), id="memory and time"),  # type: ignore[operator]
        pytest.param(lambda: Memory.parse("1GiB") < Duration.parse("1s"), id="memory against time"),  # type: ignore[operator]
        pytest.param(lambda: Memory.parse("1GiB") + 5, id="memory and a bare number"),  # type: ignore[operator]
        pytest.param(lambda: 5 + Memory.parse("1GiB"), id="a bare number and memory"),  # type: ignore[operator]
        pytest.param(lambda: Memory.parse("1GiB") * Memory.parse("1GiB"), id="memory squared"),  # type: ignore[operator]
        pytest.param(lambda: Memory.parse("1GiB") * True, id="memory and a flag"),
        pytest.param(lambda: Money.parse("$1/h") + 5, id="money and a bare number"),  # type: ignore[operator]
    ],
)
def test_what_does_not_mix(mix: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        mix()


@pytest.mark.parametrize(
    "overreach",
    [
        pytest.param(lambda: Memory.parse("1GiB") - Memory.parse("2GiB"), id="less than nothing"),
        pytest.param(lambda: Memory.parse("1PiB") * 2, id="more than there is"),
        pytest.param(lambda: Memory.parse("1GiB") * float("nan"), id="times no number"),
        pytest.param(lambda: Memory.parse("1GiB") * float("inf"), id="times infinity"),
        pytest.param(lambda: Memory.parse("1GiB") * -1, id="times minus one"),
        pytest.param(lambda: Money(Decimal("nan"), Period.HOUR), id="money of no number"),
    ],
)
def test_arithmetic_stays_in_range(overreach: Callable[[], object]) -> None:
    with pytest.raises(UnitError):
        overreach()


@pytest.mark.parametrize("value", [kind.parse(kind.examples[0]) for kind in KINDS], ids=str)
def test_never_changes(value: Spelled) -> None:
    for name in ("steps", "amount", "anything"):
        with pytest.raises((FrozenInstanceError, AttributeError, TypeError)):
            setattr(value, name, 1)
    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value
    assert eval(repr(value), {}, {type(value).__name__: type(value).parse}) == value


def test_equal_amounts_of_two_kinds_differ() -> None:
    assert Memory(1) != Duration(1)
    assert operator.eq(Money.parse("$730/month"), Money.parse("$1/h")) is False
