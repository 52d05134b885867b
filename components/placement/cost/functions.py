"""What functions cost: on demand, with copies held warm, and on Managed Instances.

On demand, a function costs nothing until it runs, and then its memory for as long as it runs, metered in
whole steps. A copy held warm costs for as long as it is held, and less while it runs; what finds no such copy
runs on demand. On Managed Instances the machines are paid for, a fee on top, and the requests.
"""

import math
from fractions import Fraction

from components.placement.cost.lines import (
    SECONDS_A_MONTH,
    Bill,
    Item,
    Requests,
    by_hour,
    by_request,
    caveat_of,
    gigabytes,
)
from components.placement.cost.market import Market
from components.placement.cost.spill import Hold
from components.placement.options import Demand, FunctionOption, ManagedInstancesOption
from components.spec.units import Duration


def function_bill(option: FunctionOption, demand: Demand, market: Market) -> Bill:
    """What a function costs; raises MissingFigureError."""
    if not option.provisioned:
        return Bill(on_demand(option, demand, market))
    hold = Hold(option.provisioned, demand)
    held = _held(option, demand, market)
    past = on_demand(option, demand, market, of="spilled", which=" past the held copies")
    return Bill((*held, *past), hold.kept, hold)


def on_demand(
    option: FunctionOption,
    demand: Demand,
    market: Market,
    *,
    of: Requests = "all",
    which: str = "",
) -> tuple[Item, ...]:
    """The lines of a function on demand; raises MissingFigureError."""
    prices = market.prices.function.on_demand[option.architecture]
    memory_time, request = market.here(prices.gb_second), market.here(prices.request)
    billed = billed_duration(demand, market.metering.function.duration_step.value)
    return (
        Item(
            name=f"function time{which}",
            each=Fraction(memory_time.value.amount) * gigabytes(option.memory) * Fraction(billed),
            of=of,
            how=f"{{requests}} requests of {_time(billed)} in {option.memory} at {memory_time.value}",
            caveat=caveat_of(memory_time),
            note=memory_time.note,
        ),
        by_request(f"function requests{which}", request, of=of),
    )


def _held(option: FunctionOption, demand: Demand, market: Market) -> tuple[Item, ...]:
    prices = market.prices.function.provisioned[option.architecture]
    held, run, request = (
        market.here(prices.held_gb_second),
        market.here(prices.run_gb_second),
        market.here(prices.request),
    )
    billed = billed_duration(demand, market.metering.function.duration_step.value)
    size = gigabytes(option.memory)
    return (
        Item(
            name="held copies",
            fixed=Fraction(held.value.amount) * size * option.provisioned * SECONDS_A_MONTH,
            how=f"{option.provisioned:,} copies of {option.memory} at {held.value} all month",
            caveat=caveat_of(held),
            note=held.note,
        ),
        Item(
            name="function time on held copies",
            each=Fraction(run.value.amount) * size * Fraction(billed),
            of="kept",
            how=f"{{requests}} requests of {_time(billed)} in {option.memory} at {run.value}",
            caveat=caveat_of(run),
            note=run.note,
        ),
        by_request("function requests on held copies", request, of="kept"),
    )


def managed_bill(option: ManagedInstancesOption, market: Market) -> Bill:
    """What a function on Managed Instances costs; raises MissingFigureError."""
    price = market.instance(option.instance.name)
    terms = market.prices.function.managed_instances
    fee = market.here(terms.management_fee)
    machines = by_hour("instances", price, Fraction(option.instances), option.instance.name)
    return Bill(
        (
            machines,
            Item(
                name="management fee",
                fixed=machines.fixed * Fraction(fee.value.steps, fee.value.maximum),
                how=f"{fee.value} of the instances",
                caveat=caveat_of(price, fee),
            ),
            by_request("function requests", market.here(terms.request)),
        )
    )


def billed_duration(demand: Demand, step: Duration) -> float:
    """Seconds that are billed for one request on average: each is rounded up to whole steps.

    A time that varies ends anywhere within a step, so half of one is added on average, and a short one still
    pays a whole step: for exponential times that is exact.
    """
    actual, whole = demand.service_time.seconds, step.seconds
    if demand.service_variation == 0:
        return math.ceil(demand.service_time.nanoseconds / step.nanoseconds) * whole
    return whole / -math.expm1(-whole / actual)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms billed"
