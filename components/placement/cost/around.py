"""What requests cost on their way, and the share of what stands there for all of them.

The front door is paid for by the request, bytes that leave a zone or the cloud by the gigabyte; cluster, load
balancer, gateway and NAT by the hour, whether or not anything comes, and only by what runs on nodes.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final

from components.placement.cost.lines import (
    Item,
    Requests,
    by_hour,
    by_request,
    by_transfer,
    caveat_of,
    combined,
    gigabytes,
)
from components.placement.cost.market import Market
from components.placement.cost.platform import ALL, GATEWAY_CORES, Platform
from components.placement.options import Demand, NodesOption, Option
from components.spec.units import Memory, Share

_BOTH_SIDES: Final = Fraction(2)
"""A byte between zones is paid for where it leaves and where it arrives."""
_SECONDS_AN_HOUR: Final = 3600
_ASSUMED: Final = "assumed"


def around(option: Option, demand: Demand, market: Market, platform: Platform) -> tuple[Item, ...]:
    """The lines beside the compute; raises MissingFigureError."""
    nodes = option if isinstance(option, NodesOption) else None
    on_aws = nodes is None or nodes.provider == "aws"
    lines = [*_front_door(demand, market, platform)]
    if on_aws or platform.front_door is not None:
        lines += _internet(demand, market)
    if on_aws:
        lines += _state(demand, market)
    if on_aws and nodes is not None:
        lines += _way_in(demand, market, platform)
        lines += _standing(market, platform)
    return tuple(lines)


def not_counted(option: Option, demand: Demand, platform: Platform) -> Iterator[str]:
    """What the lines leave out for want of a fact, in words."""
    if isinstance(option, NodesOption) and option.provider != "aws":
        yield f"cluster, load balancer and network of {option.provider} are not counted: they have no price"
    if platform.front_door == "http-api" and demand.request_bytes is None:
        yield "the size of requests is not known: the front door is taken to meter each of them once"
    if demand.response_bytes is None:
        yield "the size of responses is not known: bytes that leave the cloud are not counted"
    if demand.state_reads and demand.crossing and demand.state_bytes is None:
        yield "state.bytes is not known: what reads across zones cost is not counted"


def _front_door(demand: Demand, market: Market, platform: Platform) -> Iterator[Item]:
    if platform.front_door is None:
        return
    doors = market.prices.front_door
    if platform.front_door == "rest-api":
        yield by_request("front door (REST API)", market.here(doors.rest_api.request))
        return
    yield _http_api("front door (HTTP API)", demand, market)


def twin_door(demand: Demand, market: Market, platform: Platform) -> Iterator[Item]:
    """What requests pass on their way from the gateway to a function twin; raises MissingFigureError."""
    if platform.twin_door is not None:
        yield _http_api("HTTP API before the twin", demand, market, of="spilled")


def _http_api(name: str, demand: Demand, market: Market, of: Requests = "all") -> Item:
    step = market.metering.front_door.http_api_step.value
    largest = max(_bytes(demand.request_bytes), _bytes(demand.response_bytes), 1)
    times = -(-largest // step.bytes)
    item = by_request(name, market.here(market.prices.front_door.http_api.request), of=of, times=times)
    if times == 1:
        return item
    # The pages do not say whether requests, responses or both are measured.
    why = f"{item.how}: {step} each, of the larger of request and response"
    return replace(item, how=why, caveat=combined(item.caveat, _ASSUMED))


def _internet(demand: Demand, market: Market) -> Iterator[Item]:
    if demand.response_bytes:
        price = market.here(market.prices.network.internet_out)
        yield by_transfer("data to the internet", price, demand.response_bytes, Fraction(1), "of answers")


def _state(demand: Demand, market: Market) -> Iterator[Item]:
    if demand.state_reads and demand.state_bytes and demand.crossing:
        price = market.here(market.prices.network.cross_zone)
        part = Fraction(demand.crossing.steps, Share.maximum)
        what = f"of state, {demand.crossing} of it from another zone, paid on both sides"
        yield by_transfer("state across zones", price, demand.state_bytes, part * _BOTH_SIDES, what)


def _way_in(demand: Demand, market: Market, platform: Platform) -> Iterator[Item]:
    """From the load balancer over the gateway to a pod, as the request pays for it."""
    moved = Memory(min(Memory.maximum, _bytes(demand.request_bytes) + _bytes(demand.response_bytes)))
    if moved and platform.crossing:
        price = market.here(market.prices.network.cross_zone)
        what = f"to and from a pod, {float(platform.crossing):.0%} of it in another zone, paid on both sides"
        yield by_transfer("requests across zones", price, moved, platform.crossing * _BOTH_SIDES, what)
    if platform.balancer is None:
        return
    prices = market.prices.load_balancer
    balancer = prices.network if platform.balancer == "network" else prices.application
    unit = market.here(balancer.capacity_unit)
    yield Item(
        name="load balancer capacity",
        each=Fraction(unit.value.amount) * _capacity_units(demand, market, platform, moved),
        how=f"{{requests}} requests, a connection each, at {unit.value}",
        caveat=caveat_of(unit),
        note=unit.note,
    )


def _capacity_units(demand: Demand, market: Market, platform: Platform, moved: Memory) -> Fraction:
    """Hours of a capacity unit that one request uses, by the dimension that it uses most.

    Each dimension grows with the rate alike, so the one that counts is the same at every rate.
    """
    meters = market.metering.load_balancer
    meter = meters.network if platform.balancer == "network" else meters.application
    of_a_second = max(
        1 / Fraction(meter.new_connections.value.per_second),
        Fraction(demand.service_time.seconds) / meter.active_connections.value,
        gigabytes(moved) * _SECONDS_AN_HOUR / gigabytes(meter.data_an_hour.value),
    )
    return of_a_second / _SECONDS_AN_HOUR


def _standing(market: Market, platform: Platform) -> Iterator[Item]:
    """What is there once for all workloads, and this one's share of it."""
    if not platform.share:
        return
    for item in standing_items(market, platform):
        how = item.how if platform.share == ALL else f"{platform.share.fraction:.3g} of {item.how}"
        yield replace(item, fixed=item.fixed * Fraction(platform.share.steps, Share.maximum), how=how)


def standing_items(market: Market, platform: Platform) -> Iterator[Item]:
    """All of it; raises MissingFigureError."""
    prices = market.prices
    if platform.cluster == "eks":
        eks = prices.cluster.eks
        yield by_hour("cluster", market.here(eks.hour), Fraction(1), "EKS control plane")
        if platform.extended_support:
            surcharge = market.here(eks.extended_surcharge)
            yield by_hour("extended support", surcharge, Fraction(1), "surcharge of an old version")
    if platform.balancer is not None:
        kinds = prices.load_balancer
        balancer = kinds.network if platform.balancer == "network" else kinds.application
        yield by_hour(
            "load balancer", market.here(balancer.hour), Fraction(1), f"{platform.balancer} load balancer"
        )
    if platform.nat_gateways:
        nat = market.here(prices.network.nat.hour)
        yield by_hour("NAT", nat, Fraction(platform.nat_gateways), "NAT gateways")
    if platform.gateway is not None and platform.gateway_pods:
        machine = platform.gateway
        part = GATEWAY_CORES * platform.gateway_pods / machine.vcpu
        price = market.instance(machine.name)
        yield by_hour("gateway", price, part, f"{machine.name} for {platform.gateway_pods} gateway pods")


def _bytes(size: Memory | None) -> int:
    return 0 if size is None else size.bytes
