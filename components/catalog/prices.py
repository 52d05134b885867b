"""What things cost, by the thing that is paid for and the region it is bought in.

A price that nobody has looked up is not in the catalog, and asking for it is an error that says what to add:
no other region's price and no zero stands in for it. Machines are priced an hour; what is billed by the month
is held as the hour it comes to (a month is 730 of them).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, Literal, TypeAlias, TypeVar, get_args, get_origin

from pydantic import AfterValidator, Field, PrivateAttr, RootModel, model_validator

from components.catalog.errors import MissingFigureError
from components.catalog.models import ANYWHERE, Fact, Part
from components.catalog.unit_prices import CapacityUnitPrice, MemoryTimePrice, RequestPrice, TransferPrice
from components.spec.units import Memory, Money, Period, Share

T = TypeVar("T")

Architecture: TypeAlias = Literal["amd64", "arm64"]
Capacity: TypeAlias = Literal["on-demand", "spot", "capacity-block", "dedicated-host"]
Provider: TypeAlias = Literal["coreweave", "lambda-labs", "vultr", "gcp"]


class Regional(RootModel[dict[str, Fact[T]]], Generic[T]):
    """One figure in every region that it is known for."""

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


def _hourly(money: Money) -> Money:
    return money.to(Period.HOUR)


Hourly: TypeAlias = Regional[Annotated[Money, AfterValidator(_hourly)]]


class _Group(Part):
    """Prices of things that go together: each of them is there, if only to say that it is not known."""

    @model_validator(mode="before")
    @classmethod
    def _unknown(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        needed = {name: field for name, field in cls.model_fields.items() if field.is_required()}
        return {
            **data,
            **{name: _all_keys(field.annotation, data.get(name, {})) for name, field in needed.items()},
        }


def _all_keys(annotation: Any, given: Any) -> Any:
    """`given`, with nothing under each key of a closed set that it leaves out."""
    key = get_args(annotation)[0] if get_origin(annotation) is dict else None
    if get_origin(key) is not Literal or not isinstance(given, Mapping):
        return given
    return {**{name: {} for name in get_args(key)}, **given}


class OnDemandFunction(_Group):
    """AWS Lambda, paid for while it runs."""

    gb_second: Regional[MemoryTimePrice]
    request: Regional[RequestPrice]


class ProvisionedFunction(_Group):
    """AWS Lambda with provisioned concurrency: paid for while held, and less than on demand while it runs."""

    held_gb_second: Regional[MemoryTimePrice]
    run_gb_second: Regional[MemoryTimePrice]
    request: Regional[RequestPrice]


class ManagedInstances(_Group):
    """AWS Lambda on instances of one's own account."""

    management_fee: Regional[Share] = Field(description="On top of the instance's on-demand price.")
    request: Regional[RequestPrice]


class FunctionPrices(_Group):
    """AWS Lambda."""

    on_demand: dict[Architecture, OnDemandFunction]
    provisioned: dict[Architecture, ProvisionedFunction]
    managed_instances: ManagedInstances


class ApiPrices(_Group):
    """One kind of API Gateway."""

    request: Regional[RequestPrice]


class FrontDoorPrices(_Group):
    """API Gateway. HTTP API meters a request in 512 KB steps."""

    http_api: ApiPrices
    rest_api: ApiPrices


class NatPrices(_Group):
    """A NAT gateway."""

    hour: Hourly
    data: Regional[TransferPrice]


class NetworkPrices(_Group):
    """Moving data."""

    cross_zone: Regional[TransferPrice] = Field(
        description="Paid by each side: a byte that crosses is paid for twice."
    )
    internet_out: Regional[TransferPrice] = Field(description="The first 10 TB a month.")
    nat: NatPrices


class BalancerPrices(_Group):
    """One kind of load balancer."""

    hour: Hourly
    capacity_unit: Regional[CapacityUnitPrice]


class LoadBalancerPrices(_Group):
    """Elastic Load Balancing."""

    network: BalancerPrices
    application: BalancerPrices


class EksPrices(_Group):
    """One EKS control plane."""

    hour: Hourly
    extended_hour: Hourly = Field(
        description="In place of `hour`, once the version's standard support is over."
    )


class ClusterPrices(_Group):
    """Kubernetes control planes."""

    eks: EksPrices


class InstancePrices(_Group):
    """One EC2 instance type, Linux, shared tenancy unless said."""

    on_demand: Hourly
    spot: Hourly
    capacity_block: Hourly = Field(description="Upfront, for the whole of the block.")
    dedicated_host: Hourly = Field(description="One instance's share of a host that is full of its type.")

    def bought_as(self, capacity: Capacity) -> Hourly:
        """The price of one way to buy it."""
        by_capacity: dict[Capacity, Hourly] = {
            "on-demand": self.on_demand,
            "spot": self.spot,
            "capacity-block": self.capacity_block,
            "dedicated-host": self.dedicated_host,
        }
        return by_capacity[capacity]


class DedicatedPrices(_Group):
    """What dedicated tenancy costs beside the machines."""

    instance_region_fee: Hourly = Field(
        description="An hour in which at least one Dedicated Instance runs in the region.",
    )


class Offer(_Group):
    """One machine that a provider other than AWS rents out."""

    accelerator: str | None = None
    count: int = Field(default=0, ge=0, description="Accelerators of one machine.")
    vcpu: int | None = Field(default=None, ge=1)
    memory: Memory | None = None
    hour: Hourly
    spot: Hourly


OFFER_PRICES: Final = frozenset({"hour", "spot"})
"""Fields of an offer that are prices; the others say what it is."""


class ProviderPrices(_Group):
    """One provider other than AWS."""

    offers: dict[str, Offer]


class Prices(_Group):
    """All prices."""

    function: FunctionPrices
    front_door: FrontDoorPrices
    network: NetworkPrices
    load_balancer: LoadBalancerPrices
    cluster: ClusterPrices
    dedicated: DedicatedPrices
    instances: dict[str, InstancePrices]
    providers: dict[Provider, ProviderPrices]
