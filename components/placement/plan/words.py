"""A plan's figures in words, the same in every form that it is shown in."""

from components.placement.choosing.alternatives import Alternative
from components.placement.latency import length
from components.placement.options import FunctionOption, ManagedInstancesOption, NodesOption, Option
from components.placement.plan.fleet import Resource, ZoneNodes
from components.placement.plan.model import Planned
from components.spec.units import Money, Period

UNKNOWN = "-"


def where(each: Planned) -> str:
    """The home, with pool and zone where it has them, and what takes its tail."""
    placement = each.placement
    place = "/".join(part for part in (placement.pool and placement.pool.name, placement.zone) if part)
    tail = "" if placement.twin is None else f", tail: {placement.twin.home}"
    return f"{placement.home} {place}".strip() + tail


def amount(money: Money) -> str:
    """Dollars a month, to the cent."""
    return f"${money.to(Period.MONTH).amount:,.2f}"


def price(alternative: Alternative) -> str:
    """What a home costs a month."""
    if alternative.cost is None:
        return UNKNOWN
    option = alternative.cost.option
    uncounted = isinstance(option, NodesOption) and option.capacity == "existing"
    return amount(alternative.cost.total) + (" + nodes" if uncounted else "")


def p99(alternative: Alternative) -> str:
    """What 99 of 100 requests are answered within at a home."""
    return UNKNOWN if alternative.latency is None else length(alternative.latency.p99)


def runner_up(each: Planned) -> str:
    """The next best home and its price."""
    other = each.runner_up
    return "none" if other is None else f"{other.home}, {price(other)}"


def machines(nodes: ZoneNodes) -> str:
    """How many of what, and how they are had."""
    kind = nodes.instance or ("node" if nodes.nodes == 1 else "nodes")
    return f"{nodes.nodes:,} {kind}, {nodes.capacity}"


def asked(nodes: ZoneNodes, resource: Resource) -> str:
    """What is asked for of a resource, and of how much: `1.5 of 4`, memory in GiB."""
    has, claimed = nodes.has(resource), nodes.claimed(resource)
    if has is None:
        return f"{claimed:,.4g}" if claimed else UNKNOWN
    return f"{claimed:,.4g} of {has:,.4g}" if has or claimed else UNKNOWN


def described(option: Option) -> str:
    """What an option is, as a thing that may be busy: `2 replicas on 1 m7g.large`."""
    match option:
        case NodesOption():
            return f"{_things(option.replicas, 'replica')} on {option.nodes:,} {option.machine}"
        case ManagedInstancesOption():
            return f"Managed Instances on {option.instances:,} {option.instance.name}"
        case FunctionOption(provisioned=0):
            return f"a function of {option.memory}"
        case FunctionOption():
            return f"{_things(option.provisioned, 'warm copy', 'warm copies')} of {option.memory}"


def _things(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
