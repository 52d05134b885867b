"""Times in every spelling that logs use, to the nanosecond, and what is none."""

from datetime import timedelta, timezone

import pytest

from components.traffic.findings import BadLineError
from components.traffic.times import TimeReader, zone_of

# 2023-11-16 18:17:03 UTC
AT = 1_700_158_623 * 10**9


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        pytest.param("2023-11-16 18:17:03.9799600", AT + 979_960_000, id="seven digits, a space, no zone"),
        pytest.param("2023-11-16T18:17:03Z", AT, id="whole seconds, Z"),
        pytest.param("2023-11-16T18:17:03.5Z", AT + 500_000_000, id="one digit"),
        pytest.param("2023-11-16T18:17:03,123456789Z", AT + 123_456_789, id="nine digits after a comma"),
        pytest.param("2023-11-16T18:17:03.1234567891Z", AT + 123_456_789, id="finer than a nanosecond"),
        pytest.param("2023-11-16T20:17:03+02:00", AT, id="east of Greenwich"),
        pytest.param("2023-11-16 13:17:03 -0500", AT, id="west of it, no colon"),
        pytest.param("2023-11-16T20:17:03+02", AT, id="hours only"),
        pytest.param("2023/11/16 18:17:03 UTC", AT, id="slashes, UTC in words"),
        pytest.param("16/Nov/2023:18:17:03 +0000", AT, id="common log"),
        pytest.param("[16/Nov/2023:13:17:03 -0500]", AT, id="common log in brackets"),
        pytest.param("1700158623", AT, id="seconds"),
        pytest.param("1700158623.97996", AT + 979_960_000, id="seconds with a fraction"),
        pytest.param("1.700158623e9", AT, id="seconds as a float is printed"),
        pytest.param("1700158623979", AT + 979_000_000, id="milliseconds"),
        pytest.param("1700158623979960", AT + 979_960_000, id="microseconds"),
        pytest.param("1700158623979960123", AT + 979_960_123, id="nanoseconds"),
        pytest.param("0.25", 250_000_000, id="since the trace began"),
        pytest.param("2016-12-31T23:59:60Z", 1_483_228_800 * 10**9, id="a leap second"),
    ],
)
def test_spellings(text: str, ns: int):
    assert TimeReader().ns(text) == ns


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "nan", "inf", "-1", "yesterday", "99:99", "1e30", "2023-11-16", "2023-13-16T00:00:00Z"),
        *("2023-02-30T00:00:00Z", "16/Foo/2023:18:17:03 +0000", "2023-11-16T25:00:00Z"),
        "2023-11-16T18:17:03+99:99",
    ],
)
def test_what_is_no_time(text: str):
    with pytest.raises(BadLineError):
        TimeReader().ns(text)


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        pytest.param("1700158623", "1700158623979", "another unit", id="milliseconds among seconds"),
        pytest.param("1700158623979", "12", "another unit", id="a small number among milliseconds"),
        pytest.param("0.25", "1700158623", "another unit", id="a date among times since the start"),
        pytest.param("2023-11-16T18:17:03Z", "1700158623", "ISO 8601", id="a number among ISO times"),
        pytest.param(
            "16/Nov/2023:18:17:03 +0000", "2023-11-16T18:17:03Z", "is not a time", id="ISO in a CLF"
        ),
    ],
)
def test_one_column_writes_alike(first: str, then: str, said: str):
    reader = TimeReader()
    reader.ns(first)
    with pytest.raises(BadLineError, match=said):
        reader.ns(then)


def test_a_unit_that_was_named():
    assert TimeReader(unit="ms").ns("250") == 250_000_000
    assert TimeReader(unit="ms").ns("1700158623979") == AT + 979_000_000
    with pytest.raises(BadLineError, match="out of any range"):
        TimeReader(unit="s").ns("99999999999")


def test_a_zone_for_times_without_one():
    assert TimeReader(zone=timezone(timedelta(hours=2))).ns("2023-11-16 20:17:03") == AT


def test_some_with_a_zone_and_some_without():
    reader = TimeReader()
    reader.ns("2023-11-16T18:17:03Z")
    assert reader.mixed() is None
    reader.ns("2023-11-16T18:17:04")
    mixed = reader.mixed()
    assert mixed is not None
    assert "mixed time zones" in mixed.what
    assert "--zone" in mixed.remedy


@pytest.mark.parametrize("text", ["", "Europe/Berlin", "+2", "02:00", "+25:00"])
def test_what_is_no_zone(text: str):
    with pytest.raises(ValueError, match=r".*"):
        zone_of(text)
