"""The catalog as one stack has it: figures of its own in the place of the catalog's.

Whoever writes a figure into a stack file answers for it, so it needs a source and a day as every other, and
whatever uses it says that it was configured. A path that leads nowhere or a value of another unit is a
problem with its remedy, found before anything is decided by it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from components.catalog.catalog import Catalog, Place
from components.catalog.errors import UnknownFigureError
from components.catalog.models import ANYWHERE, Confidence, Fact
from components.catalog.regional import Regional
from components.spec import FigureOverride, Problem, Stack, StackError
from components.spec.places import inside

_SECTION: Final = "catalog"


def for_stack(catalog: Catalog, stack: Stack) -> Catalog:
    """The catalog with the figures that the stack puts in the place of its own.

    Raises StackError, naming each figure that there is none of, or whose value is none of its kind.
    """
    return overridden(catalog, stack.catalog, stack.region)


def overridden(catalog: Catalog, figures: Mapping[str, FigureOverride], region: str) -> Catalog:
    """The catalog with `figures`, by path, in the place of its own; see `for_stack`."""
    problems: list[Problem] = []
    for path, figure in figures.items():
        try:
            place = catalog.place(path)
            catalog = _replaced(catalog, place.steps, _fact(place, figure, region))
        except UnknownFigureError as error:
            problems.append(
                Problem(inside(_SECTION, path), None, "is no figure of the catalog", error.remedy)
            )
        except ValidationError as error:
            problems.extend(_problems(path, figure, error))
    if problems:
        raise StackError(problems)
    return catalog if not figures else _again(catalog)


def _fact(place: Place, figure: FigureOverride, region: str) -> Fact[Any] | Regional[Any]:
    """The figure at a place with the override in it, validated as that figure is."""
    old = place.figure
    where = figure.region or (ANYWHERE if ANYWHERE in _regions(old) else region)
    entry = {
        "value": figure.value,
        "source": figure.source,
        "as_of": figure.as_of,
        "region": where,
        "confidence": Confidence.CONFIGURED,
        "note": figure.note,
    }
    if isinstance(old, Fact):
        return type(old).model_validate(entry)
    return type(old)({**old.regions, where: old.fact_of(entry)})


def _regions(figure: Fact[Any] | Regional[Any]) -> frozenset[str]:
    return frozenset({figure.region} if isinstance(figure, Fact) else figure.regions)


def _replaced(node: Any, steps: tuple[str, ...], figure: object) -> Any:
    """`node` with another figure at the end of `steps`; what is beside the way is shared."""
    if not steps:
        return figure
    here, *rest = steps
    if isinstance(node, Mapping):
        return {**node, here: _replaced(node[here], tuple(rest), figure)}
    model: BaseModel = node
    return model.model_copy(update={here: _replaced(getattr(model, here), tuple(rest), figure)})


def _again(catalog: Catalog) -> Catalog:
    """A catalog of the same parts, which finds its figures anew."""
    return Catalog(**{name: getattr(catalog, name) for name in Catalog.model_fields})


def _problems(path: str, figure: FigureOverride, error: ValidationError) -> Iterator[Problem]:
    for each in error.errors(include_url=False):
        known = each.get("ctx", {})
        yield Problem(
            f"{inside(_SECTION, path)}.value",
            figure.value,
            known.get("message") or _lower(each["msg"]),
            known.get("remedy", "write it as `halfmetal catalog` shows it"),
        )


def _lower(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:]
