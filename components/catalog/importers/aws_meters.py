"""Which line of an AWS price list is which figure of the catalog.

AWS names what it meters by product family, usage type (behind a prefix for the region, like `EUC1-`), group
and a few attributes. A line that fits no meter here is no figure of the catalog.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from components.catalog.unit_prices import CapacityUnitPrice, MemoryTimePrice, RequestPrice, TransferPrice
from components.spec.units import Money, Period

Line: TypeAlias = Mapping[str, str]
"""One product: `family`, `usage` (without the region's prefix), `group`, `instance` and so on."""

_PREFIX: Final = re.compile(r"^[A-Z]{2,4}[0-9]{0,2}-")


@dataclass(frozen=True, slots=True)
class Unit:
    """How AWS spells a unit, and the figure that a price of it is."""

    spellings: frozenset[str]
    figure: Callable[[Decimal], str]


HOUR: Final = Unit(frozenset({"hrs", "hours", "hour"}), lambda dollars: str(Money(dollars, Period.HOUR)))
REQUEST: Final = Unit(
    frozenset({"request", "requests", "count"}), lambda dollars: str(RequestPrice(dollars * 10**6))
)
GB_SECOND: Final = Unit(
    frozenset({"lambda-gb-second", "gb-second", "gb-seconds", "second", "seconds"}),
    lambda dollars: str(MemoryTimePrice(dollars)),
)
GB: Final = Unit(frozenset({"gb", "gigabytes"}), lambda dollars: str(TransferPrice(dollars)))
CAPACITY_UNIT: Final = Unit(
    frozenset({"lcu-hrs", "lcu-hours", "lcuusage"}), lambda dollars: str(CapacityUnitPrice(dollars))
)


@dataclass(frozen=True, slots=True)
class Meter:
    """One figure of the catalog, and what a line must say to be its price."""

    steps: tuple[str, ...]
    unit: Unit
    says: Mapping[str, str]

    def fits(self, line: Line) -> bool:
        """Whether the line is this figure's price."""
        return all(line.get(name) == value for name, value in self.says.items())


def _meters() -> Iterator[Meter]:
    function, arm = ("prices", "function"), {"amd64": "", "arm64": "-ARM"}
    for architecture, suffix in arm.items():
        held, run = ("provisioned", architecture), ("on_demand", architecture)
        yield Meter((*function, *run, "gb_second"), GB_SECOND, {"group": f"AWS-Lambda-Duration{suffix}"})
        yield Meter((*function, *run, "request"), REQUEST, {"group": f"AWS-Lambda-Requests{suffix}"})
        yield Meter((*function, *held, "request"), REQUEST, {"group": f"AWS-Lambda-Requests{suffix}"})
        yield Meter(
            (*function, *held, "held_gb_second"),
            GB_SECOND,
            {"group": f"AWS-Lambda-Provisioned-Concurrency{suffix}"},
        )
        yield Meter(
            (*function, *held, "run_gb_second"),
            GB_SECOND,
            {"group": f"AWS-Lambda-Duration-Provisioned{suffix}"},
        )
    for kind, usage in {"http_api": "ApiGatewayHttpRequest", "rest_api": "ApiGatewayRequest"}.items():
        yield Meter(("prices", "front_door", kind, "request"), REQUEST, {"usage": usage})
    for kind, family in {
        "network": "Load Balancer-Network",
        "application": "Load Balancer-Application",
    }.items():
        steps = ("prices", "load_balancer", kind)
        yield Meter((*steps, "hour"), HOUR, {"family": family, "usage": "LoadBalancerUsage"})
        yield Meter((*steps, "capacity_unit"), CAPACITY_UNIT, {"family": family, "usage": "LCUUsage"})
    network = ("prices", "network")
    yield Meter((*network, "nat", "hour"), HOUR, {"family": "NAT Gateway", "usage": "NatGateway-Hours"})
    yield Meter((*network, "nat", "data"), GB, {"family": "NAT Gateway", "usage": "NatGateway-Bytes"})
    yield Meter((*network, "cross_zone"), GB, {"usage": "DataTransfer-Regional-Bytes"})
    yield Meter((*network, "internet_out"), GB, {"usage": "DataTransfer-Out-Bytes"})
    cluster = ("prices", "cluster", "eks")
    yield Meter((*cluster, "hour"), HOUR, {"usage": "AmazonEKS-Hours:perCluster"})
    yield Meter((*cluster, "extended_surcharge"), HOUR, {"usage": "AmazonEKS-Hours:extendedSupport"})


METERS: Final = tuple(_meters())
_PLAIN_INSTANCE: Final = {
    "system": "Linux",
    "tenancy": "Shared",
    "software": "NA",
    "capacity": "Used",
    "operation": "RunInstances",
}


def meters_of(line: Line) -> Iterator[Meter]:
    """Every figure that the line is the price of."""
    bare = {**line, "usage": _PREFIX.sub("", line.get("usage", ""))}
    yield from (meter for meter in METERS if meter.fits(bare))
    instance = Meter(("prices", "instances", line.get("instance", ""), "on_demand"), HOUR, _PLAIN_INSTANCE)
    is_machine = line.get("family", "").startswith("Compute Instance")
    if is_machine and line.get("market") in {"OnDemand", ""} and instance.fits(line):
        yield instance
