"""How a time is written that a model came to."""

from components.spec.units import Duration

_DIGITS = 100


def length(time: Duration | None) -> str:
    """A time to three digits, which is more than a model of a queue knows; None is a queue without end."""
    if time is None:
        return "endless"
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if time.seconds * factor >= 1:
            return f"{counted(time.seconds * factor)} {unit}"
    return f"{counted(time.seconds * 1e6)} us"


def counted(number: float) -> str:
    """A number to three digits, or to the whole where it has more."""
    return f"{number:,.0f}" if abs(number) >= _DIGITS else f"{number:.3g}"
