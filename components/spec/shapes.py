"""What a model's annotations say of the shape of its values, to walk models and raw data together."""

import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Fields = Mapping[str, FieldInfo]


def fields_of(model: type[BaseModel]) -> Fields:
    """The fields of a model by name."""
    return model.model_fields


def members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation without `None` and without metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return members(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return tuple(
            member for arg in get_args(annotation) if arg is not type(None) for member in members(arg)
        )
    return (annotation,)


def models(annotation: Any) -> tuple[type[BaseModel], ...]:
    """The models among the alternatives."""
    return tuple(m for m in members(annotation) if isinstance(m, type) and issubclass(m, BaseModel))


def item(annotation: Any) -> Any | None:
    """What the items of a list are, or `None` if it is no list."""
    lists = [member for member in members(annotation) if get_origin(member) is tuple]
    return get_args(lists[0])[0] if lists else None


def value(annotation: Any) -> Any | None:
    """What the values of a free mapping are, or `None` if it is none."""
    mappings = [member for member in members(annotation) if get_origin(member) is dict]
    return get_args(mappings[0])[1] if mappings else None


def key(annotation: Any) -> Any | None:
    """What the keys of a free mapping are, or `None` if it is none."""
    mappings = [member for member in members(annotation) if get_origin(member) is dict]
    return get_args(mappings[0])[0] if mappings else None


def choices(annotation: Any) -> tuple[str, ...]:
    """The words to choose from, or none if it is no choice."""
    return tuple(str(arg) for m in members(annotation) if get_origin(m) is Literal for arg in get_args(m))


def tagged(annotation: Any, raw: object) -> type[BaseModel] | None:
    """The model that `raw` is written for: by its discriminating key where there are several."""
    candidates = models(annotation)
    if len(candidates) == 1:
        return candidates[0]
    for candidate in candidates:
        for name, field in fields_of(candidate).items():
            words = choices(field.annotation)
            if len(words) == 1 and isinstance(raw, Mapping) and raw.get(name) == words[0]:
                return candidate
    return None
