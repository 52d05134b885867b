"""How a measured number is told: rounded to what it is worth, with how sure it is and why."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from components.spec.units import Rate

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
DAY_S: Final = 86_400
WEEK_S: Final = 7 * DAY_S

FEW: Final = 30
"""Below this, a sample says nothing of its own error."""
LARGEST_RATIO: Final = 1_000_000.0
"""What a stack file takes for one."""

# Errors of a number that is sure, and of one that is fair.
_SURE: Final = 0.05
_FAIR: Final = 0.25
_WHOLE_PERCENT: Final = 0.01


class Sureness(StrEnum):
    """How far a number can be trusted."""

    SURE = "sure"
    FAIR = "fair"
    POOR = "poor"
    UNKNOWN = "not known"


_ORDER: Final = tuple(Sureness)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of what was measured."""

    name: str
    value: str
    sureness: Sureness
    why: str


def rate_of(per_second: float, *, up: bool = False) -> Rate:
    """A rate of three digits, in the unit that suits it; rounded up where it is to be enough."""
    units = (("/s", 0.1), ("/min", 0.1 / 60), ("/h", 0.1 / 3600), ("/day", 0.0))
    unit = next(unit for unit, least in units if per_second >= least)
    value = per_second * Rate.units["/s"] / Rate.units[unit]
    rate = Rate.of(rounded(value, up=up), unit)
    return max(rate, Rate(1))


def rounded(value: float, digits: int = 3, *, up: bool = False) -> float:
    if not value:
        return 0.0
    power = digits - 1 - math.floor(math.log10(abs(value)))
    nearest = round(value, power)
    if up and nearest < value * (1 - 1e-12):
        nearest = round(nearest + 10.0**-power, power)
    return nearest


def plain(value: float | None) -> float | int | None:
    return int(value) if value is not None and value == int(value) else value


def by_error(error: float) -> Sureness:
    return Sureness.SURE if error <= _SURE else Sureness.FAIR if error <= _FAIR else Sureness.POOR


def worse(*each: Sureness) -> Sureness:
    return max(each, key=_ORDER.index)


def percent(error: float) -> str:
    if not math.isfinite(error):
        return "of unknown error"
    return f"± {error:.0%}" if error >= _WHOLE_PERCENT else f"± {error:.1%}"


def counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count:,} {what}s"


def duration_text(seconds: float) -> str:
    """A length of time as a person says it."""
    units: Iterable[tuple[float, str]] = (
        (2 * DAY_S, "days"),
        (2 * HOUR_S, "hours"),
        (2 * MINUTE_S, "minutes"),
        (1.0, "s"),
        (1e-3, "ms"),
        (1e-6, "us"),
        (0.0, "ns"),
    )
    worth = {
        "days": DAY_S,
        "hours": HOUR_S,
        "minutes": MINUTE_S,
        "s": 1,
        "ms": 1e-3,
        "us": 1e-6,
        "ns": 1e-9,
    }
    unit = next(unit for least, unit in units if seconds >= least)
    return f"{seconds / worth[unit]:.3g} {unit}"
