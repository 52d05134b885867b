"""From a plain mapping to a `Stack`, or to every problem in it at once."""

from collections.abc import Mapping

from pydantic import ValidationError

from components.spec.errors import Problem, StackError
from components.spec.stack import Stack


def load(mapping: Mapping[str, object]) -> Stack:
    """The validated stack; raises `StackError` with every problem found."""
    try:
        return Stack.model_validate(mapping)
    except ValidationError as error:
        raise StackError(
            Problem(
                ".".join(str(part) for part in found["loc"]),
                found.get("input"),
                found["msg"],
                found.get("ctx", {}).get("remedy", ""),
            )
            for found in error.errors()
        ) from None
