"""What nodes cost: whole ones, busy or idle, and those held for the day that some are taken back.

A node is paid for by the hour, so traffic changes nothing until it needs another. Spot nodes are cheaper and
may be taken back at short notice: to hold the same load, as many are kept in reserve as a month takes back,
and what they had begun is done again where a request takes longer than the notice.
"""

import math
from fractions import Fraction

from components.catalog import Fact
from components.placement.cost.lines import SECONDS_A_MONTH, Bill, Item, by_hour, caveat_of, combined, shown
from components.placement.cost.market import Market
from components.placement.options import Demand, NodesOption, OptionError
from components.spec.units import Duration, Money

_ELSEWHERE = ("on-demand", "spot")
"""Ways to buy a machine of a provider other than AWS."""


def nodes_bill(option: NodesOption, demand: Demand, market: Market) -> Bill:
    """What the machines cost; raises MissingFigureError, and OptionError for a way to buy that is none."""
    if option.capacity == "existing":
        return Bill(
            (Item(name="nodes", how=f"{_described(option)}: not counted, as they are there already"),)
        )
    price = node_price(option, market)
    nodes = by_hour("nodes", price, billed_nodes(option), _described(option))
    spare = (_spare(option, demand, market, nodes),) if option.capacity == "spot" else ()
    return Bill((nodes, *spare))


def billed_nodes(option: NodesOption) -> Fraction:
    """Nodes that this workload pays for: whole ones, or its part of those it shares."""
    return Fraction(option.replicas, option.per_node) if option.shared else Fraction(option.nodes)


def node_price(option: NodesOption, market: Market) -> Fact[Money]:
    """What one machine costs an hour; raises MissingFigureError and OptionError."""
    if option.capacity == "existing":
        raise OptionError("capacity", option.capacity, "has no price", "name how the machines are bought")
    if option.provider == "aws":
        return market.instance(option.machine, option.capacity)
    if option.capacity not in _ELSEWHERE:
        raise OptionError(
            "capacity", option.capacity, f"is not sold by {option.provider}", f"use {' or '.join(_ELSEWHERE)}"
        )
    return market.offer(option.provider, option.machine, spot=option.capacity == "spot")


def _spare(option: NodesOption, demand: Demand, market: Market, nodes: Item) -> Item:
    taken = market.here(market.prices.purchase.spot_interruption)
    away = Fraction(taken.value.steps, taken.value.maximum)
    again = Fraction(_begun_again(demand, market.metering.spot_notice.value))
    count = billed_nodes(option)
    spare = count * away * (1 + again)
    held = spare if option.shared else Fraction(math.ceil(spare))
    return Item(
        name="spare nodes",
        fixed=nodes.fixed / count * held,
        how=f"{shown(held)} {option.machine} more, as {taken.value} are taken back in a month",
        caveat=combined(nodes.caveat, caveat_of(taken)),
        note=taken.note,
    )


def _begun_again(demand: Demand, notice: Duration) -> float:
    """Work lost with one node taken back, as a share of a month of that node at full load.

    A request in service has on average half its time behind it; it is lost where the notice is too short for
    the rest.
    """
    service_s = demand.service_time.seconds
    lost = max(0.0, 1 - notice.seconds / service_s)
    return lost * service_s / 2 / SECONDS_A_MONTH


def _described(option: NodesOption) -> str:
    bought = "" if option.capacity == "on-demand" else f" ({option.capacity})"
    whose = "" if option.provider == "aws" else f" of {option.provider}"
    return f"{option.machine}{whose}{bought}"
