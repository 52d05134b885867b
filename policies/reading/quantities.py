"""Numbers of a property bag as the amounts that facts are made of."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from components.spec import Duration, Memory, UnitError
from policies.reading.bags import ABSENT, UNKNOWN, whole


def megabytes(value: object, absent: Memory) -> object:
    """A size that is given in MiB, or UNKNOWN."""
    return _quantity(value, absent, lambda number: Memory.of(number, "MiB"))


def seconds(value: object, absent: Duration) -> object:
    """A time that is given in seconds, or UNKNOWN."""
    return _quantity(value, absent, lambda number: Duration.of(number, "s"))


def _quantity(value: object, absent: object, convert: Callable[[int], object]) -> object:
    if value is ABSENT:
        return absent
    number = whole(value)
    if number is None:
        return UNKNOWN
    try:
        return convert(number)
    except UnitError:  # negative, or beyond anything that exists: the provider's own check says so
        return UNKNOWN


def counted(value: object, absent: int | None) -> object:
    """A count, or UNKNOWN."""
    if value is ABSENT:
        return absent
    number = whole(value)
    return UNKNOWN if number is None else number


def bytes_of(value: object, absent: Memory) -> object:
    """A size as Kubernetes writes it (`512Mi`, `2G`, `1024`), or UNKNOWN."""
    if value is ABSENT:
        return absent
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int) else None
    if found is None or isinstance(value, bool):
        return UNKNOWN
    unit = _UNITS.get(found["unit"])
    try:
        return UNKNOWN if unit is None else Memory.parse(f"{found['number']}{unit}")
    except UnitError:
        return UNKNOWN


def amount_of(value: object) -> Fraction | None:
    """A quantity of Kubernetes (`1500m`, `1Gi`, `1e3`, `2`) as a number; None where it is none."""
    found = _AMOUNT.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if found is None or isinstance(value, bool):
        return None
    exponent = found["exponent"]
    scale = Fraction(10) ** int(exponent) if exponent else _SUFFIXES[found["suffix"] or ""]
    return Fraction(found["number"]) * scale


_AMOUNT: Final = re.compile(
    r"(?P<number>[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
)
_SUFFIXES: Final = {
    **{name: Fraction(1000) ** power for power, name in enumerate(("n", "u", "m", "", *"kMGTPE"), start=-3)},
    **{f"{name}i": Fraction(1024) ** power for power, name in enumerate("KMGTPE", start=1)},
}

_QUANTITY: Final = re.compile(r"(?P<number>[0-9]{1,18}(?:\.[0-9]{1,9})?)(?P<unit>[A-Za-z]{0,2})")
_UNITS: Final = {
    "": "B", "Ki": "KiB", "Mi": "MiB", "Gi": "GiB", "Ti": "TiB", "k": "kB", "M": "MB", "G": "GB", "T": "TB",
}  # fmt: skip
