"""What an option costs: its compute, what it needs around it, and the twin that takes its tail."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

from components.catalog import Catalog
from components.placement.cost.around import around, not_counted, standing_items, twin_door
from components.placement.cost.functions import function_bill, managed_bill, on_demand
from components.placement.cost.lines import Bill, Cost, Line
from components.placement.cost.machines import nodes_bill
from components.placement.cost.market import Market
from components.placement.cost.platform import COMPUTE_ONLY, Platform
from components.placement.cost.spill import Hold, peakedness
from components.placement.options import (
    Demand,
    FunctionOption,
    ManagedInstancesOption,
    NodesOption,
    Option,
    OptionError,
)
from components.spec.units import Rate, Share


def cost(  # noqa: PLR0913 - each is a thing of its own that a price depends on
    option: Option,
    demand: Demand,
    catalog: Catalog,
    *,
    region: str,
    platform: Platform = COMPUTE_ONLY,
    utilization: Share | None = None,
    twin: FunctionOption | None = None,
    spilled: Share | None = None,
) -> Cost:
    """Dollars a month, line by line, at the demand's own rate or at that which makes `option` so busy.

    `twin` is the on-demand function that takes what the replicas cannot take at once. `spilled` is the share
    of requests that find no held copy or free replica, as measured or simulated; without it, it is reckoned
    for servers with no queue before them, which is the most that it can be.

    Service times are taken to be the same everywhere: give each option the demand as measured there.

    Raises MissingFigureError for a price that the catalog does not have, OptionError for what makes no sense.
    """
    met = demand if utilization is None else at_utilization(demand, option, utilization)
    priced = bill(option, met, catalog, region=region, platform=platform, twin=twin, spilled=spilled)
    return Cost(option, met, priced.lines(met.rate), tuple(_notes(option, met, platform, priced)))


def bill(  # noqa: PLR0913 - as for `cost`
    option: Option,
    demand: Demand,
    catalog: Catalog,
    *,
    region: str,
    platform: Platform = COMPUTE_ONLY,
    twin: FunctionOption | None = None,
    spilled: Share | None = None,
) -> Bill:
    """The same at any rate; raises MissingFigureError and OptionError."""
    market = Market(catalog, region)
    compute = _compute(option, demand, market)
    if twin is not None:
        compute = _with_twin(compute, option, demand, market, twin)
        door = tuple(twin_door(demand, market, platform))
        compute = replace(compute, items=(*compute.items, *door))
    if spilled is not None:
        compute = _as_measured(compute, spilled)
    return replace(compute, items=(*compute.items, *around(option, demand, market, platform)))


def standing(catalog: Catalog, *, region: str, platform: Platform) -> tuple[Line, ...]:
    """A month of what stands there for all workloads on nodes, whatever comes; raises MissingFigureError.

    The gateway is not among it: its pods are on nodes that are paid for as such.
    """
    return Bill(tuple(standing_items(Market(catalog, region), replace(platform, gateway=None)))).lines(
        Rate(0)
    )


def at_utilization(demand: Demand, option: Option, utilization: Share) -> Demand:
    """The demand that makes `option` so busy, with its peak as far above as it was; raises OptionError."""
    if not option.servers:
        raise OptionError(
            "utilization",
            utilization,
            "is of nothing: a function on demand holds no servers",
            "give a rate, or an option that holds some",
        )
    per_second = utilization.fraction * option.servers / demand.service_time.seconds
    return at_rate(demand, rate_of(per_second))


def at_rate(demand: Demand, rate: Rate) -> Demand:
    """The demand at another rate, with its peak as far above as it was."""
    above = Fraction(demand.peak.steps, demand.rate.steps) if demand.rate else Fraction(1)
    return replace(
        demand, rate=rate, peak=Rate(min(Rate.maximum, max(rate.steps, round(rate.steps * above))))
    )


def rate_of(per_second: float) -> Rate:
    """So many requests a second, or the most that there can be."""
    return Rate(min(Rate.maximum, round(per_second * Rate.units["/s"])))


def replicas_for(demand: Demand, *, concurrency: int, busy_at_most: Share, minimum: int = 1) -> int:
    """Replicas that the peak makes no busier than that; raises OptionError where none can be enough."""
    if not busy_at_most or concurrency < 1:
        raise OptionError("busy_at_most", busy_at_most, "leaves nothing to work with", "give more than 0%")
    return max(minimum, ceil(demand.offered_at_peak / (concurrency * busy_at_most.fraction)))


def _compute(option: Option, demand: Demand, market: Market) -> Bill:
    if isinstance(option, FunctionOption):
        return function_bill(option, demand, market)
    if isinstance(option, ManagedInstancesOption):
        return managed_bill(option, market)
    return nodes_bill(option, demand, market)


def _with_twin(own: Bill, option: Option, demand: Demand, market: Market, twin: FunctionOption) -> Bill:
    if not isinstance(option, NodesOption) or twin.provisioned:
        raise OptionError(
            "twin",
            twin.home.value,
            "takes the tail of replicas on nodes, and nothing else",
            "give an on-demand function to an option of nodes",
        )
    hold = Hold(option.servers, demand)
    tail = on_demand(twin, demand, market, of="spilled", which=" of the tail")
    return Bill((*own.items, *tail), hold.kept, hold)


def _as_measured(own: Bill, spilled: Share) -> Bill:
    if own.kept is None:
        raise OptionError(
            "spilled",
            spilled,
            "is of an option that spills nothing",
            "leave it out, or give a twin or provisioned copies",
        )
    kept = 1 - spilled.fraction
    return replace(own, kept=lambda _per_second: kept, hold=None)


def _notes(option: Option, demand: Demand, platform: Platform, priced: Bill) -> Iterator[str]:
    yield from demand.assumed
    yield from not_counted(option, demand, platform)
    if option.servers and priced.kept is None and demand.offered > option.servers:
        yield (
            f"the demand keeps {demand.offered:,.1f} servers at work and there are {option.servers:,}:"
            " it cannot be held at this price"
        )
    if priced.hold is not None and peakedness(demand) > priced.hold.servers:
        yield (
            f"requests come in bursts too strong for a formula of {priced.hold.servers:,} servers:"
            " what spills is a rough guess, and a simulation knows better"
        )
