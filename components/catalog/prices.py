"""What things cost, by the thing that is paid for and the region it is bought in.

Machines are priced an hour; what is billed by the month is held as the hour it comes to (a month is 730).
"""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from components.catalog.regional import Group, Regional
from components.catalog.unit_prices import CapacityUnitPrice, MemoryTimePrice, RequestPrice, TransferPrice
from components.spec.units import Memory, Money, Period, Share

Architecture: TypeAlias = Literal["amd64", "arm64"]
Capacity: TypeAlias = Literal["on-demand", "spot", "capacity-block", "dedicated-host"]
Provider: TypeAlias = Literal["coreweave", "lambda-labs", "vultr", "gcp"]


def _hourly(money: Money) -> Money:
    return money.to(Period.HOUR)


Hourly: TypeAlias = Regional[Annotated[Money, AfterValidator(_hourly)]]


class OnDemandFunction(Group):
    """AWS Lambda, paid for while it runs."""

    gb_second: Regional[MemoryTimePrice]
    request: Regional[RequestPrice]


class ProvisionedFunction(Group):
    """AWS Lambda with provisioned concurrency: paid for while held, and less than on demand while it runs."""

    held_gb_second: Regional[MemoryTimePrice]
    run_gb_second: Regional[MemoryTimePrice]
    request: Regional[RequestPrice]


class ManagedInstances(Group):
    """AWS Lambda on instances of one's own account."""

    management_fee: Regional[Share] = Field(description="On top of the instance's on-demand price.")
    request: Regional[RequestPrice]


class FunctionPrices(Group):
    """AWS Lambda."""

    on_demand: dict[Architecture, OnDemandFunction]
    provisioned: dict[Architecture, ProvisionedFunction]
    managed_instances: ManagedInstances


class ApiPrices(Group):
    """One kind of API Gateway."""

    request: Regional[RequestPrice]


class FrontDoorPrices(Group):
    """API Gateway. HTTP API meters a request in 512 KB steps."""

    http_api: ApiPrices
    rest_api: ApiPrices


class NatPrices(Group):
    """A NAT gateway."""

    hour: Hourly
    data: Regional[TransferPrice]


class NetworkPrices(Group):
    """Moving data."""

    cross_zone: Regional[TransferPrice] = Field(
        description="Paid by each side: a byte that crosses is paid for twice."
    )
    internet_out: Regional[TransferPrice] = Field(description="The first 10 TB a month.")
    nat: NatPrices


class BalancerPrices(Group):
    """One kind of load balancer."""

    hour: Hourly
    capacity_unit: Regional[CapacityUnitPrice]


class LoadBalancerPrices(Group):
    """Elastic Load Balancing."""

    network: BalancerPrices
    application: BalancerPrices


class EksPrices(Group):
    """One EKS control plane."""

    hour: Hourly
    extended_surcharge: Hourly = Field(
        description="On top of `hour`, once the version's standard support is over."
    )


class ClusterPrices(Group):
    """Kubernetes control planes."""

    eks: EksPrices


class InstancePrices(Group):
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


class PurchasePrices(Group):
    """What holds for every EC2 instance bought in some way, where no price of the type itself is known."""

    spot_discount: Regional[Share] = Field(description="Off the on-demand price.")
    spot_interruption: Regional[Share] = Field(description="Spot instances taken back, of 100 in a month.")
    capacity_block_discount: Regional[Share] = Field(description="Off the on-demand price.")
    dedicated_host_premium: Regional[Share] = Field(description="On the on-demand price.")
    dedicated_region_fee: Hourly = Field(
        description="An hour in which at least one Dedicated Instance runs in the region."
    )


class Offer(Group):
    """One machine that a provider other than AWS rents out."""

    accelerator: str | None = None
    count: int = Field(default=0, ge=0, description="Accelerators of one machine.")
    accelerator_memory: Memory | None = Field(default=None, description="Of one accelerator, as sold.")
    vcpu: int | None = Field(default=None, ge=1)
    memory: Memory | None = None
    hour: Hourly
    spot: Hourly


OFFER_PRICES: Final = frozenset({"hour", "spot"})
"""Fields of an offer that are prices; the others say what it is."""


class ProviderPrices(Group):
    """One provider other than AWS."""

    offers: dict[str, Offer]


class Prices(Group):
    """All prices."""

    function: FunctionPrices
    front_door: FrontDoorPrices
    network: NetworkPrices
    load_balancer: LoadBalancerPrices
    cluster: ClusterPrices
    purchase: PurchasePrices
    instances: dict[str, InstancePrices]
    providers: dict[Provider, ProviderPrices]
