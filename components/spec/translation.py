"""From pydantic's errors to problems that a person can act on: one for each mistake, each with its remedy.

Pydantic reports places as tuples with its own detours in them, one error per failed check, and in words for
programmers. Walking the models along with each place finds the field that was meant, and with it what would
have been right there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.spec import shapes
from components.spec.errors import Problem
from components.spec.places import encloses, inside
from components.spec.suggestions import closest_key
from components.spec.wording import Place, problem_of, secret_problem

_KEY_ITSELF: Final = "[key]"


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
    problems = {path: secret_problem(path) for path in secrets}
    for details, place in found:
        if any(encloses(secret, place.path) for secret in secrets) or _is_echo(details):
            continue
        if details["type"] == "missing" and place.path in suspects:
            continue
        problem = problem_of(details, place, _meant_field(place, raw, details))
        problems.setdefault(problem.path, problem)
    return Reading(tuple(problems.values()), suspects | frozenset(secrets))


def _suspects(found: Sequence[tuple[ErrorDetails, Place]], raw: object) -> Iterator[str]:
    for details, place in found:
        meant = _meant_field(place, raw, details)
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


def _meant_field(place: Place, raw: object, details: ErrorDetails) -> str | None:
    """The absent field that an unknown key was probably meant to be: here, or one level down."""
    if place.parent is None or details["type"] != "extra_forbidden":
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
