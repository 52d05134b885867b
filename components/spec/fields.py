"""Field types that several models share, each with its own message and remedy.

A field says what it accepts once, in a form that serves three readers: the validator, the JSON Schema an
editor reads, and the person who got it wrong.
"""

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from components.spec.errors import shown_value
from components.spec.units import Quantity

NAME_AT_MOST: Final = 40
"""Longest name of a workload, pool or store: leaves room for stack name and random suffix in what AWS and
Kubernetes allow (64 characters for a function, 63 for a label, a Service or a node group)."""

NOTE_AT_MOST: Final = 500
"""Longest note that somebody writes beside a value."""

QuantityT = TypeVar("QuantityT", bound=Quantity)


class Model(BaseModel):
    """Base of every part of the stack file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=False)


def mistake(message: str, remedy: str) -> PydanticCustomError:
    """A validation error that carries its own remedy."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "remedy": remedy})


@dataclass(frozen=True)
class Matching:
    """Text of a given shape."""

    pattern: str
    what: str
    remedy: str
    at_most: int = 255

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.at_most}

    def _check(self, text: str) -> str:
        if len(text) > self.at_most:
            raise mistake(f"is longer than {self.at_most} characters", f"shorten it: {self.remedy}")
        if re.fullmatch(self.pattern, text) is None:
            raise mistake(f"is not {self.what}", self.remedy)
        return text


def at_least(minimum: QuantityT) -> AfterValidator:
    """Refuses a quantity below `minimum`."""

    def check(value: QuantityT) -> QuantityT:
        if value < minimum:
            raise mistake(f"is below the least possible, {minimum}", f"write {minimum} or more")
        return value

    return AfterValidator(check)


def at_most(maximum: QuantityT) -> AfterValidator:
    """Refuses a quantity above `maximum`."""

    def check(value: QuantityT) -> QuantityT:
        if value > maximum:
            raise mistake(f"is above the most possible, {maximum}", f"write {maximum} or less")
        return value

    return AfterValidator(check)


def whole(step: QuantityT) -> AfterValidator:
    """Refuses a quantity that is no multiple of `step`."""

    def check(value: QuantityT) -> QuantityT:
        if value.steps % step.steps:
            nearest = type(value)(math.ceil(value / step) * step.steps)
            raise mistake(f"is not a multiple of {step}", f"write {nearest}")
        return value

    return AfterValidator(check)


def _not_zero(value: QuantityT) -> QuantityT:
    if not value:
        raise mistake("is zero", "write what is expected, or leave the key out if it is not known")
    return value


Positive: Final = AfterValidator(_not_zero)


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise mistake(f"names {', '.join(twice)} more than once", "name each once")
    return values


Distinct: Final = AfterValidator(_distinct)


def _text_for_number(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise mistake("is a number, where text is wanted", f'put it in quotes: "{shown_value(value)}"')
    return value


Quoted: Final = BeforeValidator(_text_for_number)
"""Text that YAML reads as a number where its quotes were forgotten."""


def _cores(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,7}m", value):
        return _cores_in_range(int(value.removesuffix("m")) / 1000)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mistake("is not a number of CPU cores", "write 2, 0.5 or 500m")
    return _cores_in_range(value)


def _cores_in_range(value: float) -> float:
    if not _LEAST_CORES <= value <= _MOST_CORES:
        raise mistake("is no possible number of CPU cores", f"write a number from 1m to {_MOST_CORES}")
    return value


_LEAST_CORES: Final = 0.001
_MOST_CORES: Final = 1024


def _ratio(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise mistake("is not a number", "write a plain number, like 1 or 0.25")
    if not 0 <= value <= _LARGEST_RATIO:  # NaN is in no range
        raise mistake("is no possible ratio", f"write a number from 0 to {_LARGEST_RATIO}")
    return value


_LARGEST_RATIO: Final = 1_000_000


def _day(value: object) -> object:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> date:
    raise mistake("is not a day", "write it like 2026-11-25")


Text = Annotated[str, Strict()]
Sentence = Annotated[Text, Field(min_length=1, max_length=NOTE_AT_MOST)]
Day = Annotated[
    date,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "format": "date"}),
]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
Cores = Annotated[
    float,
    BeforeValidator(_cores),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _MOST_CORES},
                {"type": "string", "pattern": "^[0-9]{1,7}m$"},
            ],
            "examples": [2, 0.5, "500m"],
        }
    ),
]
Ratio = Annotated[
    float,
    BeforeValidator(_ratio),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": _LARGEST_RATIO}),
]
"""How many times something is something else: a number without a unit, since it has none."""
Name = Annotated[
    str,
    Matching(
        r"[a-z](?:[a-z0-9-]*[a-z0-9])?",
        "a DNS label",
        "use lower-case letters, digits and '-', starting with a letter and not ending in '-'",
        at_most=NAME_AT_MOST,
    ),
]
Region = Annotated[
    str,
    Matching(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "an AWS region", "write it like us-east-1"),
]
Zone = Annotated[
    str,
    Matching(
        r"[a-z]{2,4}(?:-[a-z0-9]+)+-[0-9]{1,2}[a-z]",
        "an availability zone",
        "write it like us-east-1a: a region and a letter",
    ),
]
Zones = Annotated[tuple[Zone, ...], Distinct]
Port = Annotated[Count, Field(ge=1, le=65535)]
