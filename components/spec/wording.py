"""What to say of one validation error: what is wrong in a person's words, and what would have been right."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from components.spec import shapes
from components.spec.errors import Problem
from components.spec.places import inside
from components.spec.suggestions import choose, closest_key


@dataclass(frozen=True)
class Place:
    """Where an error is: its path, and what is wanted there."""

    path: str
    wanted: Any
    """Annotation of the value, or `None` where nothing is known at all."""
    example: object = None
    parent: type[BaseModel] | None = None
    outer: str = ""
    """Path of what it is in."""
    is_key: bool = False


def problem_of(details: ErrorDetails, place: Place, meant: str | None) -> Problem:
    """The problem behind one error; `meant` is the field that an unknown key was probably meant to be."""
    context = details.get("ctx", {})
    value = details["input"]
    if "remedy" in context:
        return Problem(place.path, value, context["message"], context["remedy"])
    if place.is_key:
        return _bad_key(place, value)
    if details["type"] == "extra_forbidden":
        return _unknown_key(details, place, meant)
    fallback = _wrong_type if details["type"].endswith("_type") or value is None else _in_its_own_words
    return _TELLERS.get(details["type"], fallback)(details, place)


def secret_problem(path: str) -> Problem:
    """The problem of a value that was encrypted."""
    return Problem(
        path,
        None,
        "is a secret: the stack object is read in the open, and its values end up in tags",
        "write it in plain text, or keep it in a secret store and name it here",
    )


def _in_its_own_words(details: ErrorDetails, place: Place) -> Problem:
    return Problem(place.path, details["input"], details["msg"], _remedy(place))


def _missing(_: ErrorDetails, place: Place) -> Problem:
    name = place.path.rpartition(".")[2]
    return Problem(place.path, None, "is missing", f"add `{name}: {_spelled(place.example)}`")


def _unknown_key(details: ErrorDetails, place: Place, meant: str | None) -> Problem:
    key = str(details["loc"][-1])
    if place.parent is None:
        return Problem(place.path, details["input"], "is an unknown key", "remove it")
    fields = shapes.fields_of(place.parent)
    twin = closest_key(key, fields)
    if meant:
        remedy = f"did you mean {meant}?"
    elif twin:
        remedy = f"remove it: {twin} is there already"
    else:
        remedy = f"remove it; known here: {', '.join(fields)}"
    return Problem(place.path, details["input"], "is an unknown key", remedy)


def _not_a_choice(details: ErrorDetails, place: Place) -> Problem:
    words = shapes.choices(place.wanted)
    return _choice_problem(place.path, details["input"], words)


def _choice_problem(path: str, value: object, words: Sequence[str]) -> Problem:
    return Problem(path, value, "is not one of the choices", choose(value, words))


def _bad_key(place: Place, value: object) -> Problem:
    words = shapes.choices(place.wanted)
    if words:
        return Problem(place.path, value, "is not one of the choices", choose(value, words))
    return Problem(
        place.path, value, "is not a text key", "write the key as text, in quotes where it is a number"
    )


def _not_text_key(details: ErrorDetails, place: Place) -> Problem:
    return Problem(place.path, details["loc"][-1], "is a key that is no text", "remove it")


def _unknown_tag(details: ErrorDetails, place: Place) -> Problem:
    words = tuple(
        word
        for model in shapes.models(place.wanted)
        for word in shapes.choices(shapes.fields_of(model)["provider"].annotation)
    )
    path = inside(place.path, "provider")
    if details["type"] == "union_tag_not_found":
        return Problem(path, None, "is missing", f"choose from {', '.join(words)}")
    return _choice_problem(path, details.get("ctx", {}).get("tag"), words)


def _out_of_range(details: ErrorDetails, place: Place) -> Problem:
    context = details.get("ctx", {})
    if "ge" in context:
        return Problem(place.path, details["input"], "is too small", f"write {context['ge']} or more")
    return Problem(place.path, details["input"], "is too large", f"write {context['le']} or less")


def _too_short(details: ErrorDetails, place: Place) -> Problem:
    least = details.get("ctx", {}).get("min_length", 1)
    return Problem(
        place.path,
        details["input"],
        "is an empty list",
        f"name at least {least}, like `{_spelled(place.example)}`",
    )


def _too_long(details: ErrorDetails, place: Place) -> Problem:
    most = details.get("ctx", {}).get("max_length")
    return Problem(place.path, details["input"], "is too long a list", f"name at most {most}")


def _wrong_type(details: ErrorDetails, place: Place) -> Problem:
    value = details["input"]
    if value is None:
        return Problem(place.path, None, "is empty", f"remove the key, or {_remedy(place)}")
    return Problem(place.path, value, f"is {_kind(value)}, where {_wanted(place)} is wanted", _remedy(place))


def _kind(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "a number"),
        (float, "a number"),
        (str, "text"),
        (Mapping, "a set of keys"),
        (list, "a list"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), f"a {type(value).__name__}")


def _wanted(place: Place) -> str:
    wanted = place.wanted
    if shapes.models(wanted) or shapes.value(wanted) is not None:
        return "a set of keys"
    if shapes.item(wanted) is not None:
        return "a list"
    words: dict[object, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return next((words[member] for member in shapes.members(wanted) if member in words), "something else")


def _remedy(place: Place) -> str:
    return f"write `{_spelled(place.example)}`" if place.example is not None else f"write {_wanted(place)}"


def _spelled(example: object) -> str:
    """An example as YAML on one line."""
    text = yaml.safe_dump(example, default_flow_style=True, sort_keys=False, width=10_000)
    return text.strip().removesuffix("...").strip()


_Teller = Callable[[ErrorDetails, Place], Problem]
_TELLERS: Final[dict[str, _Teller]] = {
    "missing": _missing,
    "invalid_key": _not_text_key,
    "literal_error": _not_a_choice,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _unknown_tag,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "too_short": _too_short,
    "too_long": _too_long,
}
