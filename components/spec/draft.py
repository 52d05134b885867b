"""What can be known of a stack file that is partly wrong.

A wrong value must not hide a mistake elsewhere, and must not cause a follow-up finding either. So what is
wrong becomes `UNKNOWN`, a value that raises `Undecided` as soon as anybody asks it anything. A check that
runs into it stops without a verdict, and every check that does not need it runs as usual.
"""

import functools
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from components.spec import shapes
from components.spec.places import inside

ModelT = TypeVar("ModelT", bound=BaseModel)


class Undecided(Exception):  # noqa: N818 - no error: the answer to a question about an unknown value
    """The answer depends on a value that is not known."""


class _Unknown:
    """Stands where a value is wrong or missing."""

    def _undecided(self, *_: object) -> NoReturn:
        raise Undecided

    __getattr__ = __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = __hash__ = __int__ = _undecided
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __add__ = __mul__ = __truediv__ = _undecided
    __str__ = __format__ = _undecided

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Any = _Unknown()


def draft(model: type[ModelT], raw: Mapping[str, object], suspects: frozenset[str]) -> ModelT:
    """`raw` as a `model`: `UNKNOWN` where it is not valid, and at the paths in `suspects`."""
    return _model(model, raw, "", suspects)


def _model(model: type[ModelT], raw: Mapping[str, object], path: str, suspects: frozenset[str]) -> ModelT:
    values: dict[str, Any] = {}
    for name, field in shapes.fields_of(model).items():
        here = inside(path, name)
        if here in suspects:
            values[name] = UNKNOWN
        elif name in raw:
            values[name] = _field(model, name, raw[name], here, suspects)
        else:
            values[name] = UNKNOWN if field.is_required() else _default(model, name, values)
    return model.model_construct(**values)


def _default(model: type[BaseModel], name: str, values: dict[str, Any]) -> Any:
    try:
        return shapes.fields_of(model)[name].get_default(call_default_factory=True, validated_data=values)
    except Undecided:
        return UNKNOWN


def _field(model: type[BaseModel], name: str, raw: object, path: str, suspects: frozenset[str]) -> Any:
    try:
        return _adapter(model, name).validate_python(raw)
    except ValidationError:
        annotation = shapes.fields_of(model)[name].annotation
        item = shapes.item(annotation)
        if item is not None and shapes.models(item) and isinstance(raw, list):
            return tuple(_item(item, each, inside(path, at), suspects) for at, each in enumerate(raw))
        return _inner(annotation, raw, path, suspects)


def _item(model: type[BaseModel], raw: object, path: str, suspects: frozenset[str]) -> Any:
    try:
        return model.model_validate(raw)
    except ValidationError:
        return _inner(model, raw, path, suspects)


def _inner(annotation: Any, raw: object, path: str, suspects: frozenset[str]) -> Any:
    model = shapes.tagged(annotation, raw)
    return _model(model, raw, path, suspects) if model and isinstance(raw, Mapping) else UNKNOWN


@functools.cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(shapes.fields_of(model)[name].rebuild_annotation())
