"""Reads property bags of which some values are not known yet.

At preview a value that depends on something not created yet is unknown, and the policy SDK raises as soon as
it is touched, which ends the whole policy. So every value is fetched by itself, and comes back as the value,
as ABSENT or as UNKNOWN. Bags are Mappings and Sequences but neither dict nor list, their `.get` and `.items`
raise too, and every number is a float.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

from pulumi_policy.proxy import UnknownValueError


class Lack(Enum):
    """Why a property has no value."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Lack.ABSENT
UNKNOWN: Final = Lack.UNKNOWN


def fetch(bag: object, *path: str | int) -> Any:
    """The value at a path of keys and indices; ABSENT where there is none, UNKNOWN where it is not known."""
    value = bag
    for step in path:
        if isinstance(value, Lack):
            return value
        value = _step(value, step)
    return ABSENT if value is None else value


def _step(value: Any, step: str | int) -> Any:
    readable = isinstance(value, Sequence if isinstance(step, int) else Mapping) and not isinstance(
        value, str
    )
    if not readable:
        return ABSENT
    try:
        found = value[step]
    except UnknownValueError:
        return UNKNOWN
    except (KeyError, IndexError):
        return ABSENT
    return ABSENT if found is None else found


def entries(bag: object, *path: str | int) -> Iterator[tuple[str, Any]]:
    """Each key and value of a mapping, UNKNOWN for a value that is not known; nothing for no mapping."""
    mapping = fetch(bag, *path)
    if isinstance(mapping, Mapping):
        for key in mapping:
            yield str(key), fetch(mapping, key)


def items(bag: object, *path: str | int) -> Iterator[Any]:
    """Each item of a list, those that are not known as UNKNOWN; nothing for no list."""
    sequence = fetch(bag, *path)
    if isinstance(sequence, Sequence) and not isinstance(sequence, str):
        for index in range(len(sequence)):
            yield fetch(sequence, index)


def whole(value: object) -> int | None:
    """A whole number, however it arrived (`20`, `20.0`, `"20"`); None for anything else."""
    if isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, int | float):
        return int(value) if value == int(value) else None
    if isinstance(value, str):
        try:
            number = Decimal(value)
        except InvalidOperation:
            return None
        return int(number) if number.is_finite() and number == number.to_integral_value() else None
    return None
