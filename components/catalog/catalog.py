"""All dated facts, and how to find one: by attribute in code, by path where a person names it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import BaseModel, PrivateAttr

from components.catalog.errors import MissingFigureError, UnknownFigureError
from components.catalog.models import AcceleratorType, Fact, Guidance, InstanceType, Latency, Limits, Part
from components.catalog.prices import Capacity, Prices, Provider, Regional
from components.spec.suggestions import choose
from components.spec.units import Money

Figure: TypeAlias = Fact[Any] | Regional[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """One figure, and the way to it from the top of the catalog."""

    steps: tuple[str, ...]
    figure: Figure

    @property
    def path(self) -> str:
        """As a person names it: `prices.instances.g6.xlarge.on_demand`."""
        return ".".join(self.steps)


class Catalog(Part):
    """All dated facts."""

    limits: Limits
    latency: Latency
    guidance: Guidance
    prices: Prices
    accelerators: dict[str, AcceleratorType]
    instance_types: dict[str, InstanceType]
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: Any, /) -> None:
        """Tell every price its path, so that it can say what is missing."""
        self._places = MappingProxyType({place.path: place for place in _places(self, ())})
        for path, place in self._places.items():
            if isinstance(place.figure, Regional):
                place.figure._path = path

    @property
    def places(self) -> Mapping[str, Place]:
        """Every place for a figure, by path; a price may be known for no region yet."""
        return self._places

    def place(self, path: str) -> Place:
        """The place that `path` names; raises UnknownFigureError, which names what is close."""
        found = self._places.get(path)
        if found is None:
            raise UnknownFigureError(path, choose(path, self._places))
        return found

    def instance_price(self, instance: str, capacity: Capacity, region: str) -> Fact[Money]:
        """What an EC2 instance costs an hour, bought one way; raises MissingFigureError."""
        prices = self.prices.instances.get(instance)
        if prices is None:
            raise MissingFigureError(f"prices.instances.{instance}.{capacity.replace('-', '_')}", region, ())
        return prices.bought_as(capacity).at(region)

    def offer_price(self, provider: Provider, offer: str, region: str, *, spot: bool = False) -> Fact[Money]:
        """What a machine of another provider costs an hour; raises MissingFigureError."""
        machine = self.prices.providers[provider].offers.get(offer)
        if machine is None:
            way = "spot" if spot else "hour"
            raise MissingFigureError(f"prices.providers.{provider}.offers.{offer}.{way}", region)
        return (machine.spot if spot else machine.hour).at(region)


def _places(node: object, steps: tuple[str, ...]) -> Iterator[Place]:
    if isinstance(node, Fact | Regional):
        yield Place(steps, node)
    elif isinstance(node, Mapping):
        for name, member in node.items():
            yield from _places(member, (*steps, str(name)))
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _places(getattr(node, name), (*steps, name))
