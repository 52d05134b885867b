"""One figure in every region that it is known for.

What nobody has looked up is not in the catalog, and asking for it is an error that says what to add: no other
region's figure and no zero stands in for it.
"""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin

from pydantic import PrivateAttr, RootModel, model_validator

from components.catalog.errors import MissingFigureError
from components.catalog.models import ANYWHERE, Fact, Part

T = TypeVar("T")


class Regional(RootModel[dict[str, Fact[T]]], Generic[T]):
    """One figure by region."""

    root: dict[str, Fact[T]] = {}
    _path: str = PrivateAttr(default="")

    @property
    def path(self) -> str:
        """Where it stands in the catalog: `prices.network.cross_zone`."""
        return self._path

    @property
    def regions(self) -> Mapping[str, Fact[T]]:
        """The figure by region; `any` is all of them."""
        return self.root

    def known(self, region: str) -> Fact[T] | None:
        """The figure in a region, or None."""
        return self.root.get(region) or self.root.get(ANYWHERE)

    def at(self, region: str) -> Fact[T]:
        """The figure in a region; raises MissingFigureError, which says how to add it."""
        fact = self.known(region)
        if fact is None:
            raise MissingFigureError(self.path, region, tuple(self.root))
        return fact

    @classmethod
    def fact_of(cls, entry: Mapping[str, Any]) -> Fact[T]:
        """A fact of this figure's kind; raises pydantic's ValidationError for a value that is none."""
        kind: type[Fact[T]] = get_args(cls.model_fields["root"].annotation)[1]
        return kind.model_validate(entry)


class Group(Part):
    """Figures that go together: each of them is there, if only to say that it is not known."""

    @model_validator(mode="before")
    @classmethod
    def _unknown(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        needed = {name: field.annotation for name, field in cls.model_fields.items() if field.is_required()}
        return {**data, **{name: _every_key(kind, data.get(name, {})) for name, kind in needed.items()}}


def _every_key(annotation: Any, given: Any) -> Any:
    """`given`, with nothing under each key of a closed set that it leaves out."""
    key = get_args(annotation)[0] if get_origin(annotation) is dict else None
    if get_origin(key) is not Literal or not isinstance(given, Mapping):
        return given
    return {**{name: {} for name in get_args(key)}, **given}
