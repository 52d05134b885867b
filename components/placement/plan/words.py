"""A plan's figures in words, the same in every form that it is shown in."""

from components.placement.options import FunctionOption, ManagedInstancesOption, NodesOption, Option
from components.placement.plan.fleet import Resource, ZoneNodes
from components.placement.plan.model import Alternative, Planned
from components.spec.units import Duration, Money, Period

UNKNOWN = "-"
_DIGITS = 100


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
    return UNKNOWN if alternative.cost is None else amount(alternative.cost.total)


def p99(alternative: Alternative) -> str:
    """What 99 of 100 requests are answered within at a home."""
    return UNKNOWN if alternative.latency is None else length(alternative.latency.p99)


def length(time: Duration | None) -> str:
    """A time to three digits, which is more than a model of a queue knows; None is a queue without end."""
    if time is None:
        return "endless"
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if time.seconds * factor >= 1:
            return f"{counted(time.seconds * factor)} {unit}"
    return f"{counted(time.seconds * 1e6)} us"


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
            return f"{_things(option.replicas, 'replica')} on {option.nodes:,} {option.instance.name}"
        case ManagedInstancesOption():
            return f"Managed Instances on {option.instances:,} {option.instance.name}"
        case FunctionOption(provisioned=0):
            return f"a function of {option.memory}"
        case FunctionOption():
            return f"{_things(option.provisioned, 'warm copy', 'warm copies')} of {option.memory}"


def counted(number: float) -> str:
    """A number to three digits, or to the whole where it has more."""
    return f"{number:,.0f}" if abs(number) >= _DIGITS else f"{number:.3g}"


def _things(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
