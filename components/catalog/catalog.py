"""All dated facts, and how to find one: by attribute in code, by path where a person names it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, PrivateAttr

from components.catalog.distributions import Distributions
from components.catalog.errors import MissingFigureError, UnknownFigureError
from components.catalog.metering import Metering
from components.catalog.models import (
    ANYWHERE,
    AcceleratorType,
    Confidence,
    Fact,
    Guidance,
    InstanceType,
    Latency,
    Limits,
    Part,
)
from components.catalog.prices import Capacity, Prices, Provider
from components.catalog.regional import Regional
from components.spec.suggestions import choose
from components.spec.units import Money, Share

Figure: TypeAlias = Fact[Any] | Regional[Any]
_ON_DEMAND: Final = "on-demand"


@dataclass(frozen=True, slots=True)
class Place:
    """One figure, and the way to it from the top of the catalog."""

    steps: tuple[str, ...]
    figure: Figure

    @property
    def path(self) -> str:
        """As a person names it: `prices.instances.g6.xlarge.on_demand`."""
        return ".".join(self.steps)

    @property
    def facts(self) -> tuple[Fact[Any], ...]:
        """What is known: one fact, or one for each region."""
        if isinstance(self.figure, Regional):
            return tuple(self.figure.regions.values())
        return (self.figure,)


class Catalog(Part):
    """All dated facts."""

    limits: Limits
    latency: Latency
    guidance: Guidance
    distributions: Distributions
    metering: Metering
    prices: Prices
    accelerators: dict[str, AcceleratorType]
    instance_types: dict[str, InstanceType]
    zones: dict[str, Regional[tuple[str, ...]]]
    """Ids of the zones that have an instance type; what is not known may be anywhere in the region."""
    _places: Mapping[str, Place] = PrivateAttr(default_factory=dict)

    def model_post_init(self, _context: Any, /) -> None:
        """Tell every figure its path, so that it can say what is missing."""
        self._places = MappingProxyType({place.path: place for place in _places(self, ())})
        for path, place in self._places.items():
            if isinstance(place.figure, Regional):
                place.figure._path = path

    @property
    def places(self) -> Mapping[str, Place]:
        """Every place for a figure, by path; one may be known for no region yet."""
        return self._places

    @property
    def regions(self) -> tuple[str, ...]:
        """The AWS regions that some price is known in."""
        known = {
            region
            for place in self._places.values()
            if place.steps[0] == "prices" and place.steps[1] != "providers"
            if isinstance(place.figure, Regional)
            for region in place.figure.regions
        }
        return tuple(sorted(known - {ANYWHERE}))

    def place(self, path: str) -> Place:
        """The place that `path` names; raises UnknownFigureError, which names what is close."""
        found = self._places.get(path)
        if found is None:
            raise UnknownFigureError(path, choose(path, self._nearest(path)))
        return found

    def _nearest(self, path: str) -> list[str]:
        """The paths that share the most steps with `path`: what was meant is among them."""
        group = path
        while group and not any(known.startswith(f"{group}.") for known in self._places):
            group = group.rpartition(".")[0]
        return [known for known in self._places if not group or known.startswith(f"{group}.")]

    def unpriced(self, region: str) -> tuple[str, ...]:
        """The AWS prices that are not known in a region, leaving out what can be reckoned from another."""
        return tuple(
            path
            for path, place in self._places.items()
            if place.steps[0] == "prices"
            and place.steps[1] != "providers"
            and isinstance(place.figure, Regional)
            and place.figure.known(region) is None
            and (place.steps[1] != "instances" or place.steps[-1] == "on_demand")
        )

    def instance_price(self, instance: str, capacity: Capacity, region: str) -> Fact[Money]:
        """What an EC2 instance costs an hour, bought in some way; raises MissingFigureError.

        Where that way has no price of its own, one is reckoned from the on-demand price and is `assumed`.
        """
        prices = self.prices.instances.get(instance)
        if prices is None:
            raise MissingFigureError(f"prices.instances.{instance}.{capacity.replace('-', '_')}", region)
        own = prices.bought_as(capacity)
        if capacity == _ON_DEMAND or own.known(region) is not None:
            return own.at(region)
        base = prices.on_demand.known(region)
        change = self._change(capacity).known(region)
        return own.at(region) if base is None or change is None else _reckoned(base, change, capacity)

    def _change(self, capacity: Capacity) -> Regional[Share]:
        ways: dict[Capacity, Regional[Share]] = {
            "spot": self.prices.purchase.spot_discount,
            "capacity-block": self.prices.purchase.capacity_block_discount,
            "dedicated-host": self.prices.purchase.dedicated_host_premium,
        }
        return ways[capacity]

    def offer_price(self, provider: Provider, offer: str, region: str, *, spot: bool = False) -> Fact[Money]:
        """What a machine of another provider costs an hour; raises MissingFigureError."""
        machine = self.prices.providers[provider].offers.get(offer)
        if machine is None:
            way = "spot" if spot else "hour"
            raise MissingFigureError(f"prices.providers.{provider}.offers.{offer}.{way}", region)
        return (machine.spot if spot else machine.hour).at(region)


def _reckoned(base: Fact[Money], change: Fact[Share], capacity: Capacity) -> Fact[Money]:
    part = Decimal(change.value.steps) / change.value.maximum
    more = capacity == "dedicated-host"
    how = f"{change.value} {'more' if more else 'less'} than {base.value} on demand"
    return Fact[Money](
        value=base.value * (1 + part if more else 1 - part),
        source=f"reckoned: {how}",
        as_of=min(base.as_of, change.as_of),
        region=base.region,
        confidence=Confidence.ASSUMED,
        note=change.note,
    )


def _places(node: object, steps: tuple[str, ...]) -> Iterator[Place]:
    if isinstance(node, Fact | Regional):
        yield Place(steps, node)
    elif isinstance(node, Mapping):
        for name, member in node.items():
            yield from _places(member, (*steps, str(name)))
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _places(getattr(node, name), (*steps, name))
