"""Numbers of a property bag as the amounts that facts are made of."""

from collections.abc import Callable

from components.spec import Duration, Memory, UnitError
from policies.reading.bags import ABSENT, UNKNOWN, whole


def megabytes(value: object, absent: Memory) -> object:
    """A size that is given in MiB, or UNKNOWN."""
    return _quantity(value, absent, lambda number: Memory.of(number, "MiB"))


def seconds(value: object, absent: Duration) -> object:
    """A time that is given in seconds, or UNKNOWN."""
    return _quantity(value, absent, lambda number: Duration.of(number, "s"))


def _quantity(value: object, absent: object, convert: Callable[[int], object]) -> object:
    found = counted(value, None)
    if value is ABSENT:
        return absent
    if not isinstance(found, int):
        return UNKNOWN
    try:
        return convert(found)
    except UnitError:  # negative, or beyond anything that exists: the provider's own check says so
        return UNKNOWN


def counted(value: object, absent: int | None) -> object:
    """A count, or UNKNOWN."""
    if value is ABSENT:
        return absent
    number = whole(value)
    return UNKNOWN if number is None else number
