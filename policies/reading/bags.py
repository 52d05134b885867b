"""Reads property bags of which some values are not known.

A value may be unknown because it depends on what is not created yet, because a template computes it, or
because it is a secret, which is never looked at. In a bag such a value is UNKNOWN, whatever its source (the
policy SDK's own bags are made so by `policies.pack.bags`). Every value is fetched by itself, and comes back
as the value, as ABSENT or as UNKNOWN, so that one that is unknown hides nothing beside it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Final

_MOST: Final = 2**63
"""Beyond it no property of any provider goes; a text like `1e999999999` is not worked out."""


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
        # Nearly every step is a key of a dict: an audit takes millions of them.
        value = value.get(step) if type(value) is dict else _step(value, step)
        if value is None:
            return ABSENT
    return ABSENT if value is None else value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, Lack):
        return value
    readable = isinstance(value, Sequence if isinstance(step, int) else Mapping)
    if not readable or isinstance(value, str):
        return None
    try:
        return value[step]
    except (KeyError, IndexError):
        return None


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


def texts(values: Iterable[object]) -> tuple[str, ...] | None:
    """The different texts among values, in order; None where there are none, or other things among them."""
    found = list(values)
    known = {value for value in found if isinstance(value, str)}
    return tuple(sorted(known)) if found and all(isinstance(value, str) for value in found) else None


def listed(bag: object, *path: str | int) -> list[Any]:
    """The items of a list; one UNKNOWN where the list itself is not known."""
    stated = fetch(bag, *path)
    return [UNKNOWN] if stated is UNKNOWN else list(items(stated))


def whole(value: object) -> int | None:
    """A whole number, however it arrived (`20`, `20.0`, `"20"`); None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _MOST else None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and abs(value) < _MOST and value == int(value) else None
    return _whole_text(value) if isinstance(value, str) else None


def _whole_text(text: str) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= _MOST or number != number.to_integral_value():
        return None
    return int(number)
