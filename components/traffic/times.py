"""Times as logs write them, to whole nanoseconds.

One column of a log writes all its times alike. So how the first one is written decides for the others, and a
value of another kind or magnitude further down is an error of that line rather than a jump of 50 years.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from components.traffic.findings import BadLineError, TraceError, shown

SECOND_NS: Final = 10**9
UNITS_NS: Final = {"s": SECOND_NS, "ms": 10**6, "us": 10**3, "ns": 1}

_ISO: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,18}))?"
    r"\s?(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?"
)
_CLF: Final = re.compile(r"\[?(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]?")
_NUMBER: Final = re.compile(r"\d{1,25}(?:\.\d{0,18})?(?:[eE][+-]?\d{1,2})?")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

# Seconds since 1970 stay below 10**11 until the year 5138, and milliseconds were above it from 1973 on; so on
# by thousands. What is below 10**8 is seconds since the trace began.
_RELATIVE_BELOW: Final = 10**8
_MAGNITUDES: Final = ((10**11, "s"), (10**14, "ms"), (10**17, "us"), (10**20, "ns"))

# What 64 bits of nanoseconds can hold, with room for a difference.
_LARGEST_NS: Final = 2**62
_LEAP_SECOND: Final = 60
_SPELLINGS: Final = "write times like 2026-11-25T08:00:00.123Z, or as seconds since 1970"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def zone_of(text: str) -> timezone:
    """The zone that `Z`, `UTC`, `+02:00`, `+0200` or `+02` names; raises ValueError."""
    if text.upper() in {"Z", "UTC"}:
        return UTC
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)?", text)
    if found is None:
        raise ValueError(text)
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


@dataclass
class TimeReader:
    """Reads the times of one column, all of one kind."""

    unit: str | None = None
    """Unit of plain numbers: s, ms, us or ns; told by their size if left out."""
    zone: timezone | None = None
    """Zone of times that name none; UTC if left out, which `naive` then tells."""
    kind: str = ""
    """How the first time was written: iso, clf, epoch or relative."""
    naive: bool = False
    """Whether some time named no zone."""
    zones: set[str] = field(default_factory=set)
    """The zones that were named."""
    _seconds: dict[str, int] = field(default_factory=dict)
    _read: Callable[[str], int] | None = None

    def ns(self, text: str) -> int:
        """Nanoseconds since 1970 (or since the trace began, for relative times); raises BadLineError."""
        text = text.strip()
        if self._read is None:
            self._read = self._settle(text)
        ns = self._read(text)
        if not 0 <= ns < _LARGEST_NS:
            raise BadLineError(f"the time {shown(text)} is out of any range", _SPELLINGS)
        return ns

    def mixed(self) -> TraceError | None:
        """Why the times cannot be compared, if some name a zone and others do not."""
        if not (self.naive and self.zones) or self.zone is not None:
            return None
        return TraceError(
            f"mixed time zones: some times name one ({', '.join(sorted(self.zones))}), others name none",
            "say which zone the others are in: --zone +02:00, or --zone UTC",
        )

    def _settle(self, text: str) -> Callable[[str], int]:
        if _ISO.fullmatch(text):
            self.kind = "iso"
            return self._iso
        if _CLF.fullmatch(text):
            self.kind = "clf"
            return self._clf
        self._settle_number(text)
        return self._epoch

    def _settle_number(self, text: str) -> None:
        value = _number(text)
        self.kind = "relative" if value < _RELATIVE_BELOW else "epoch"
        if self.unit is None:
            self.unit = "s" if self.kind == "relative" else _unit_by_size(value)
        elif value * UNITS_NS[self.unit] >= _RELATIVE_BELOW * SECOND_NS:
            self.kind = "epoch"
        else:
            self.kind = "relative"

    def _iso(self, text: str) -> int:
        found = _ISO.fullmatch(text)
        if found is None:
            raise _unlike(text, "an ISO 8601 time")
        fraction, zone = found[7] or "", found[8]
        key = f"{text[:19]}{zone or ''}"
        seconds = self._seconds.get(key)
        if seconds is None:
            seconds = self._remember(key, [int(found[group]) for group in range(1, 7)], zone)
        return seconds * SECOND_NS + int(fraction[:9].ljust(9, "0"))

    def _clf(self, text: str) -> int:
        found = _CLF.fullmatch(text)
        if found is None or found[2] not in _MONTHS:
            raise _unlike(text, "a time like 25/Nov/2026:08:00:00 +0000")
        seconds = self._seconds.get(text)
        if seconds is None:
            day, month, year = int(found[1]), _MONTHS.index(found[2]) + 1, int(found[3])
            clock = [int(found[group]) for group in range(4, 7)]
            seconds = self._remember(text, [year, month, day, *clock], found[7])
        return seconds * SECOND_NS

    def _remember(self, key: str, parts: list[int], zone: str | None) -> int:
        """Seconds since 1970; kept, since the next line is most likely of the same second."""
        leap = parts[5] == _LEAP_SECOND
        if leap:
            parts[5] -= 1
        try:
            where = zone_of(zone) if zone else self.zone or UTC
            moment = datetime(*parts, tzinfo=where)  # type: ignore[misc,arg-type] # year to second
        except ValueError:
            raise BadLineError(f"the time {shown(key)} is on no calendar", _SPELLINGS) from None
        self.zones |= {_zone_name(zone)} if zone else set()
        self.naive |= zone is None
        self._seconds.clear()
        self._seconds[key] = (moment - _EPOCH) // timedelta(seconds=1) + leap
        return self._seconds[key]

    def _epoch(self, text: str) -> int:
        value = _number(text)
        unit = self.unit or "s"
        relative = value * UNITS_NS[unit] < _RELATIVE_BELOW * SECOND_NS
        if relative != (self.kind == "relative") or (not relative and value >= _too_large(unit)):
            raise BadLineError(
                f"the time {shown(text)} is in another unit than those before it",
                "give all times one unit; name it with --time-unit",
            )
        return int(value * UNITS_NS[unit])


def _number(text: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise _unlike(text, "a time")
    return Decimal(text)


def _unit_by_size(value: Decimal) -> str:
    unit = next((unit for limit, unit in _MAGNITUDES if value < limit), None)
    if unit is None:
        raise BadLineError(f"the time {value} is out of any range", _SPELLINGS)
    return unit


def _too_large(unit: str) -> int:
    return next(limit for limit, named in _MAGNITUDES if named == unit)


def _zone_name(zone: str) -> str:
    return "UTC" if zone.upper() in {"Z", "UTC"} else zone


def _unlike(text: str, what: str) -> BadLineError:
    return BadLineError(f"{shown(text)} is not {what}" if text else "the time is missing", _SPELLINGS)
