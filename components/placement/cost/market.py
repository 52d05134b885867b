"""Where prices are looked up: the catalog, and the region that one buys in."""

from dataclasses import dataclass
from typing import TypeVar

from components.catalog import Capacity, Catalog, Fact, Provider, Regional
from components.catalog.metering import Metering
from components.catalog.prices import Prices
from components.spec.units import Money

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Market:
    """A catalog as seen from one region. What it has no figure for raises MissingFigureError."""

    catalog: Catalog
    region: str

    @property
    def prices(self) -> Prices:
        """All prices, of all regions."""
        return self.catalog.prices

    @property
    def metering(self) -> Metering:
        """How use is counted."""
        return self.catalog.metering

    def here(self, figure: Regional[T]) -> Fact[T]:
        """A figure in this region."""
        return figure.at(self.region)

    def instance(self, name: str, capacity: Capacity = "on-demand") -> Fact[Money]:
        """An EC2 instance by the hour."""
        return self.catalog.instance_price(name, capacity, self.region)

    def offer(self, provider: Provider, name: str, *, spot: bool) -> Fact[Money]:
        """A machine of another provider by the hour."""
        return self.catalog.offer_price(provider, name, self.region, spot=spot)
