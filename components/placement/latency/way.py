"""The way of a request: what it passes before and after its work, whatever the load.

A function is reached through the front door. Nodes are reached through API Gateway and a VPC link (or, at
another provider, over the internet), or by a load balancer where no API Gateway stands before them; then
through the gateway in the cluster and one more hop, which crosses zones as often as gateway and replica are
in different ones. State is read on the way too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from components.catalog import Catalog, Distribution, Regional
from components.placement.latency.times import Times, constant, fitted, repeated, sometimes
from components.placement.options import Demand, FunctionOption, NodesOption, Option, OptionError
from components.spec.units import Memory

FrontDoor: TypeAlias = Literal["http-api", "rest-api"]
Store: TypeAlias = Literal["local_cache", "cache", "database", "weights_store"]

_TEN_MEGABYTES: Final = Memory.parse("10MB")
_ANY_ZONE: Final = "no zone is promised to a function: reads that cross zones are left out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands around an option. The default is the shortest way there is."""

    region: str = "us-east-1"
    front_door: FrontDoor | None = None
    """The API Gateway before it; None is a load balancer before nodes, and nothing before a function."""
    zones: int = 1
    """Zones that gateway and replicas are spread over."""
    store: Store = "cache"
    """Kind of store that reads of state go to."""

    def __post_init__(self) -> None:
        if self.zones < 1:
            raise OptionError("zones", self.zones, "is too few", "give 1 or more")


SHORTEST: Final = Around()


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of the way."""

    name: str
    times: Times
    caveat: str = ""


def way(option: Option, demand: Demand, catalog: Catalog, around: Around) -> tuple[Leg, ...]:
    """All legs; raises MissingFigureError where the catalog does not know one in that region."""
    return (*approach(option, catalog, around), *state(option, demand, catalog, around))


def approach(option: Option, catalog: Catalog, around: Around) -> tuple[Leg, ...]:
    """The legs to where the work is done."""
    return tuple(_Way(catalog, around).approach(option))


def state(option: Option, demand: Demand, catalog: Catalog, around: Around) -> tuple[Leg, ...]:
    """The legs from there to shared state."""
    return tuple(_Way(catalog, around).state(option, demand))


def cold_start(option: FunctionOption, catalog: Catalog, region: str) -> Leg:
    """What a request waits for that meets no warm copy, by the size of the package."""
    kinds, limits = catalog.distributions.cold_start, catalog.limits.function
    unknown = ""
    if option.package is None:
        kind, unknown = kinds.zip, "the size of the package is not known: taken as small"
    elif option.package <= limits.package_direct.value:
        kind = kinds.zip
    elif option.package <= limits.package_unzipped.value:
        kind = kinds.zip_large
    else:
        kind = kinds.image
    leg = _leg("cold start", kind, region)
    return Leg(leg.name, leg.times, "; ".join(filter(None, (leg.caveat, unknown))))


@dataclass(frozen=True, slots=True)
class _Way:
    catalog: Catalog
    around: Around

    def approach(self, option: Option) -> Iterator[Leg]:
        yield from self._front_door()
        if isinstance(option, NodesOption):
            yield from self._to_a_replica(option)
        else:
            yield self._leg("function", self.catalog.distributions.function.invoke)

    def _front_door(self) -> Iterator[Leg]:
        doors = self.catalog.distributions.front_door
        if self.around.front_door is not None:
            rest = self.around.front_door == "rest-api"
            yield self._leg("front door", doors.rest_api if rest else doors.http_api)

    def _to_a_replica(self, option: NodesOption) -> Iterator[Leg]:
        hops = self.catalog.distributions.hop
        if self.around.front_door is None:
            yield self._leg("load balancer", self.catalog.distributions.front_door.load_balancer)
        elif option.provider == "aws":
            yield self._leg("VPC link", hops.vpc_link)
        else:
            yield self._leg("to the other provider", hops.other_provider)
        yield self._leg("gateway", hops.gateway)
        yield self._hop(0 if option.zone is not None else 1 - 1 / self.around.zones)

    def _hop(self, crossing: float) -> Leg:
        hops = self.catalog.distributions.hop
        here = self._leg("hop to a replica", hops.same_zone)
        if not crossing:
            return here
        there = self._leg("zone crossing", hops.cross_zone)
        return Leg(here.name, sometimes(crossing, there.times, here.times), there.caveat or here.caveat)

    def state(self, option: Option, demand: Demand) -> Iterator[Leg]:
        if not demand.state_reads:
            return
        reads = self._leg("state reads", getattr(self.catalog.distributions.state_read, self.around.store))
        unsure = "" if isinstance(option, NodesOption) or demand.crossing else _ANY_ZONE
        caveat = "; ".join(filter(None, (reads.caveat, unsure)))
        yield Leg(reads.name, repeated(reads.times, demand.state_reads), caveat)
        crossing = demand.crossing.fraction if self.around.store != "local_cache" else 0.0
        if crossing:
            hop = self._leg("zone crossing of state", self.catalog.distributions.hop.cross_zone)
            yield Leg(hop.name, repeated(sometimes(crossing, hop.times), demand.state_reads), hop.caveat)
        if demand.state_bytes is not None and self.around.store != "local_cache":
            pace = self.catalog.latency.state.ten_megabytes_cross_zone
            seconds = pace.value.seconds * (demand.state_bytes / _TEN_MEGABYTES)
            yield Leg("bytes of state", constant(seconds), f"at the pace between zones{pace.caveat}")

    def _leg(self, name: str, figure: Regional[Distribution]) -> Leg:
        return _leg(name, figure, self.around.region)


def _leg(name: str, figure: Regional[Distribution], region: str) -> Leg:
    fact = figure.at(region)
    return Leg(name, fitted(fact.value), fact.caveat.strip(" ()"))
