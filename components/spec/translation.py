"""From pydantic's errors to problems that a person can act on: one for each mistake, each with its remedy.

Pydantic reports places as tuples with its own detours in them, one error per failed check, and in words for
programmers. Walking the models along with each place finds the field that was meant, and with it what would
have been right there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.spec import shapes
from components.spec.errors import Problem
from components.spec.places import encloses, inside
from components.spec.suggestions import choose, closest_key

_KEY_ITSELF: Final = "[key]"


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


@dataclass(frozen=True)
class Reading:
    """What validation said of a stack file."""

    problems: tuple[Problem, ...]
    suspects: frozenset[str]
    """Paths of fields that are probably there, but under a misspelt key."""


def translate(error: ValidationError, root: type[BaseModel], raw: object) -> Reading:
    """The problems behind `error`, found while reading `raw` as a `root`."""
    found = [(details, _place(root, details["loc"])) for details in error.errors(include_url=False)]
    secrets = tuple(_secrets(raw, "", set()))
    suspects = frozenset(_suspects(found, raw))
    problems = {path: _secret_problem(path) for path in secrets}
    for details, place in found:
        if any(encloses(secret, place.path) for secret in secrets) or _is_echo(details):
            continue
        if details["type"] == "missing" and place.path in suspects:
            continue
        problem = _problem(details, place, raw)
        problems.setdefault(problem.path, problem)
    return Reading(tuple(problems.values()), suspects | frozenset(secrets))


def _suspects(found: Sequence[tuple[ErrorDetails, Place]], raw: object) -> Iterator[str]:
    for details, place in found:
        meant = _meant_field(place, raw, details) if details["type"] == "extra_forbidden" else None
        if meant is None:
            continue
        around = _around(raw, details["loc"][:-1])
        absent = meant.partition(".")[0] not in around
        for name in {meant, meant.partition(".")[0]} if absent else {meant}:
            yield f"{place.outer}.{name}" if place.outer else name


def _is_echo(details: ErrorDetails) -> bool:
    """Whether an error only repeats that something else is wrong."""
    if details["type"] == "default_factory_not_called":
        return True
    long_enough = details.get("ctx", {}).get("min_length", 0)
    return details["type"] == "too_short" and len(details["input"]) >= long_enough


def _place(root: type[BaseModel], loc: Sequence[int | str]) -> Place:
    place = Place("", root)
    for part in loc:
        place = _step(place, part)
    return place


def _step(place: Place, part: int | str) -> Place:
    if part == _KEY_ITSELF:
        return Place(place.path, shapes.key(place.parent) if place.parent else None, is_key=True)
    if isinstance(part, int) and (item := shapes.item(place.wanted)) is not None:
        return Place(inside(place.path, part), item)
    if (value := shapes.value(place.wanted)) is not None:
        return Place(inside(place.path, str(part)), value, parent=place.wanted)
    candidates = shapes.models(place.wanted)
    if len(candidates) > 1:
        return Place(place.path, _tagged_by(candidates, part), place.example, place.parent)
    return _field(candidates[0] if candidates else None, place.path, part)


def _tagged_by(candidates: tuple[type[BaseModel], ...], tag: int | str) -> type[BaseModel] | None:
    return next(
        (
            candidate
            for candidate in candidates
            for field in shapes.fields_of(candidate).values()
            if shapes.choices(field.annotation) == (tag,)
        ),
        None,
    )


def _field(model: type[BaseModel] | None, outer: str, name: int | str) -> Place:
    field = shapes.fields_of(model).get(str(name)) if model else None
    path = inside(outer, str(name))
    if field is None:
        return Place(path, None, parent=model, outer=outer)
    return Place(path, field.annotation, field.examples[0] if field.examples else None, model, outer)


def _secrets(raw: object, path: str, seen: set[int]) -> Iterator[str]:
    """Paths of encrypted values, as `pulumi config set --secret` writes them."""
    if not isinstance(raw, Mapping | list) or id(raw) in seen:
        return
    seen.add(id(raw))
    if isinstance(raw, Mapping) and len(raw) == 1 and isinstance(raw.get("secure"), str):
        yield path
        return
    for part, inner in raw.items() if isinstance(raw, Mapping) else enumerate(raw):
        yield from _secrets(inner, inside(path, part), seen)


def _secret_problem(path: str) -> Problem:
    return Problem(
        path,
        None,
        "is a secret: the stack object is read in the open, and its values end up in tags",
        "write it in plain text, or keep it in a secret store and name it here",
    )


def _problem(details: ErrorDetails, place: Place, raw: object) -> Problem:
    context = details.get("ctx", {})
    value = details["input"]
    if "remedy" in context:
        return Problem(place.path, value, context["message"], context["remedy"])
    if place.is_key:
        return _bad_key(place, value)
    teller = _TELLERS.get(details["type"])
    if teller is not None:
        return teller(details, place, raw)
    if details["type"].endswith("_type") or value is None:
        return _wrong_type(details, place, raw)
    return Problem(place.path, value, details["msg"], _remedy(place))


def _missing(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del details, raw
    name = place.path.rpartition(".")[2]
    return Problem(place.path, None, "is missing", f"add `{name}: {_spelled(place.example)}`")


def _unknown_key(details: ErrorDetails, place: Place, raw: object) -> Problem:
    key = str(details["loc"][-1])
    if place.parent is None:
        return Problem(place.path, details["input"], "is an unknown key", "remove it")
    fields = shapes.fields_of(place.parent)
    twin = closest_key(key, fields)
    meant = _meant_field(place, raw, details)
    if meant:
        remedy = f"did you mean {meant}?"
    elif twin:
        remedy = f"remove it: {twin} is there already"
    else:
        remedy = f"remove it; known here: {', '.join(fields)}"
    return Problem(place.path, details["input"], "is an unknown key", remedy)


def _meant_field(place: Place, raw: object, details: ErrorDetails) -> str | None:
    """The absent field that an unknown key was probably meant to be: here, or one level down."""
    if place.parent is None:
        return None
    around = _around(raw, details["loc"][:-1])
    key = str(details["loc"][-1])
    fields = shapes.fields_of(place.parent)
    here = closest_key(key, [name for name in fields if name not in around])
    return here or (None if closest_key(key, fields) else _one_level_down(fields, key, around))


def _one_level_down(fields: shapes.Fields, key: str, around: Mapping[Any, Any]) -> str | None:
    for name, field in fields.items():
        inner = around.get(name, {})
        known = any(key in shapes.fields_of(model) for model in shapes.models(field.annotation))
        if known and isinstance(inner, Mapping) and key not in inner:
            return f"{name}.{key}"
    return None


def _around(raw: Any, loc: Sequence[int | str]) -> Mapping[Any, Any]:
    """The mapping that a key stands in."""
    for part in loc:
        if isinstance(raw, Mapping):
            raw = raw.get(part, raw)  # what is no key is the tag of a union
        elif isinstance(part, int):
            raw = raw[part]
    return raw if isinstance(raw, Mapping) else {}


def _not_a_choice(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
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


def _not_text_key(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
    return Problem(place.path, details["loc"][-1], "is a key that is no text", "remove it")


def _unknown_tag(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
    words = tuple(
        word
        for model in shapes.models(place.wanted)
        for word in shapes.choices(shapes.fields_of(model)["provider"].annotation)
    )
    path = inside(place.path, "provider")
    if details["type"] == "union_tag_not_found":
        return Problem(path, None, "is missing", f"choose from {', '.join(words)}")
    return _choice_problem(path, details.get("ctx", {}).get("tag"), words)


def _out_of_range(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
    context = details.get("ctx", {})
    if "ge" in context:
        return Problem(place.path, details["input"], "is too small", f"write {context['ge']} or more")
    return Problem(place.path, details["input"], "is too large", f"write {context['le']} or less")


def _too_short(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
    least = details.get("ctx", {}).get("min_length", 1)
    return Problem(
        place.path,
        details["input"],
        "is an empty list",
        f"name at least {least}, like `{_spelled(place.example)}`",
    )


def _too_long(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
    most = details.get("ctx", {}).get("max_length")
    return Problem(place.path, details["input"], "is too long a list", f"name at most {most}")


def _wrong_type(details: ErrorDetails, place: Place, raw: object) -> Problem:
    del raw
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


_Teller = Callable[[ErrorDetails, Place, object], Problem]
_TELLERS: Final[dict[str, _Teller]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "invalid_key": _not_text_key,
    "literal_error": _not_a_choice,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _unknown_tag,
    "greater_than_equal": _out_of_range,
    "less_than_equal": _out_of_range,
    "too_short": _too_short,
    "too_long": _too_long,
}
