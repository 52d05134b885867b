"""What it costs a month to clear a finding, as far as the catalog tells.

A price here is a difference: more than nothing costs, less saves. It is given where all that it is made of is
known, as a bound where a part is, and as the reason where it is not known at all: an estimate that leaves out
the larger half is worse than none.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from components.catalog import (
    Architecture,
    Capacity,
    Fact,
    InstanceType,
    MemoryTimePrice,
    MissingFigureError,
)
from components.placement import Facts, Home
from components.placement.cost.lines import SECONDS_A_MONTH, a_month, caveat_of, gigabytes
from components.placement.cost.market import Market
from components.spec import Memory, Money
from policies.audit.findings import Finding
from policies.fixes import Fix
from policies.reading.bags import fetch, items
from policies.reading.functions import FUNCTION


@dataclass(frozen=True, slots=True)
class Price:
    """A difference in dollars a month."""

    dollars: Fraction | None
    """None is not known."""
    how: str
    """What it is made of, or why it is not known."""
    at_least: bool = False
    """Whether there is more to it that is not known."""
    once: str = ""
    """What is paid for once, however many need it."""

    def __str__(self) -> str:
        if self.dollars is None:
            return "price not known"
        least = "at least " if self.at_least else ""
        amount = f"${abs(float(self.dollars)):,.2f} a month"
        if round(self.dollars, 2) == 0:
            return "costs nothing"
        return f"costs {least}{amount}" if self.dollars > 0 else f"saves {least}{amount}"


def _unknown(why: str) -> Price:
    return Price(None, why)


def _free(how: str) -> Price:
    return Price(Fraction(0), how)


def price_of(finding: Finding, fixes: Sequence[Fix], market: Market) -> Price:
    """What clearing a finding costs: by these fixes, or where there is none by what the rule asks for."""
    facts = finding.judged.subject.facts
    try:
        if fixes:
            return _together([_of_fix(fix, facts, market) for fix in fixes])
        reckon = _BY_RULE.get(finding.rule.id)
        return reckon(finding, facts, market) if reckon else _unknown("it depends on what is chosen")
    except MissingFigureError as error:
        return _unknown(f"the catalog has no {error.path} for {market.region}")


def _together(prices: Iterable[Price]) -> Price:
    each = list(dict.fromkeys(prices))
    known = [price.dollars for price in each if price.dollars is not None]
    how = "; ".join(price.how for price in each)
    if not known:
        return _unknown(how)
    some_unknown = len(known) < len(each)
    at_least = some_unknown or any(price.at_least for price in each)
    return Price(
        sum(known, Fraction(0)), how, at_least, next((price.once for price in each if price.once), "")
    )


# -- fixes


def _of_fix(fix: Fix, facts: Facts, market: Market) -> Price:
    reckon = _BY_PROPERTY.get(fix.path[-1] if isinstance(fix.path[-1], str) else "")
    return reckon(fix, facts, market) if reckon else _free("the same machines, elsewhere")


def _less_memory(fix: Fix, facts: Facts, market: Market) -> Price:
    given, busy = facts.function_memory, facts.utilization
    if given is None or busy is None:
        return _unknown("less memory costs less; how much it runs is not known")
    price = _function_price(fix.resource.props, market)
    less = gigabytes(Memory.of(fix.value, "MiB")) - gigabytes(given)
    dollars = less * Fraction(price.value.amount) * SECONDS_A_MONTH * _share(busy.steps, busy.maximum)
    return Price(dollars, f"{busy} of the month at {price.value}{_behind(price)}")


def _one_replica(_: Fix, facts: Facts, market: Market) -> Price:
    if facts.accelerator_type is None:
        return _free("where the pool has room for one pod more; a node more where it has not")
    count = facts.accelerator_count or 1
    node = _cheapest(market, _Wanted(accelerator=facts.accelerator_type, count=count))
    if node is None:
        return _unknown(f"the catalog prices no node with {count} {facts.accelerator_type}")
    return Price(node.dollars, f"{node.how}, if the pool has none free")


def _same_zone(_: Fix, facts: Facts, market: Market) -> Price:
    transfer = market.here(market.prices.network.cross_zone)
    each = Fraction(transfer.value.amount) * 2
    rate = f"{transfer.value} to and from another zone"
    busy, takes, size = facts.utilization, facts.service_time, facts.state_bytes
    if busy is None or not takes or size is None:
        return _free(f"saves {rate}{_behind(transfer)}; how much is read is not known")
    requests = _share(busy.steps, busy.maximum) * SECONDS_A_MONTH * 10**9 / takes.nanoseconds
    requests *= max(1, facts.warm_replicas or 1)
    how = f"{int(requests):,} requests of {size} at {rate}{_behind(transfer)}"
    return Price(-each * gigabytes(size) * requests, how)


def _dedicated(fix: Fix, _: Facts, market: Market) -> Price:
    fee = market.here(market.prices.purchase.dedicated_region_fee)
    how = f"{fee.value} for the region while any dedicated instance runs{_behind(fee)}"
    instance = fetch(fix.resource.props, "instanceType")
    named = f"a dedicated {instance}" if isinstance(instance, str) else "the instances"
    how = f"{how}; what {named} costs more is not in the catalog"
    return Price(a_month(fee), how, at_least=True, once="dedicated instances")


def _constant(price: Price) -> Callable[[Fix, Facts, Market], Price]:
    return lambda _fix, _facts, _market: price


_BY_PROPERTY: Final[Mapping[str, Callable[[Fix, Facts, Market], Price]]] = {
    "reservedConcurrentExecutions": _constant(_free("reserved concurrency is free")),
    "timeout": _constant(_free("a timeout is free: only what runs is paid for")),
    "retentionInDays": _constant(_free("saves what older logs cost to keep; their size is not known")),
    "memorySize": _less_memory,
    "replicas": _one_replica,
    "topology.kubernetes.io/zone": _same_zone,
    "values": _same_zone,
    "tolerations": _constant(_free("the nodes are there, and paid for")),
    "tenancy": _dedicated,
    "enabledClusterLogTypes": _constant(
        _unknown("CloudWatch charges for what it takes in; how much that is is not known")
    ),
}


# -- what a rule asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What a machine must have."""

    memory: Memory | None = None
    cores: Fraction = Fraction(0)
    accelerator: str | None = None
    count: int = 0
    """Of accelerators."""
    architecture: str | None = None
    whole: bool = False
    """Whether nothing else may be on it."""
    bare_metal: bool = False

    def fits(self, instance: InstanceType) -> bool:
        """Whether one has it all."""
        has = instance.accelerators
        if not self.count and self.accelerator is None:
            has_accelerators = has is None
        else:
            has_accelerators = (
                has is not None and has.count >= self.count and self.accelerator in (None, has.type)
            )
        return (
            has_accelerators
            and instance.bare_metal is self.bare_metal
            and self.architecture in (None, instance.architecture)
            and self.cores <= instance.vcpu
            and (self.memory is None or self.memory < instance.memory)
        )

    def part(self, instance: InstanceType) -> Fraction:
        """The part of a machine that it takes, of the thing that it takes most of."""
        if self.whole:
            return Fraction(1)
        memory = (
            Fraction(self.memory.bytes, instance.memory.bytes) if self.memory is not None else Fraction(0)
        )
        has = instance.accelerators
        accelerators = Fraction(max(1, self.count), has.count) if has is not None else Fraction(0)
        return max(memory, self.cores / instance.vcpu, accelerators)


@dataclass(frozen=True, slots=True)
class _Node:
    """A machine, or the part of one that is needed, and what that costs."""

    name: str
    part: Fraction
    price: Fact[Money]

    @property
    def dollars(self) -> Fraction:
        """A month of it."""
        return a_month(self.price) * self.part

    @property
    def how(self) -> str:
        """The reckoning in words."""
        part = "1" if self.part == 1 else f"{float(self.part):.0%} of a"
        return f"{part} {self.name} at {self.price.value}{_behind(self.price)}"


def _to_pool(finding: Finding, facts: Facts, market: Market) -> Price:
    return _to_nodes(finding, facts, market, "on-demand")


def _to_metal(finding: Finding, facts: Facts, market: Market) -> Price:
    return _to_nodes(finding, facts, market, "on-demand", bare_metal=True)


def _to_dedicated(finding: Finding, facts: Facts, market: Market) -> Price:
    return _to_nodes(finding, facts, market, "dedicated-host")


def _to_nodes(
    finding: Finding, facts: Facts, market: Market, capacity: Capacity, *, bare_metal: bool = False
) -> Price:
    """Nodes all month, less what the function costs: of a shared pool the part that it takes."""
    if facts.home is None or not facts.home.is_function or finding.resource.resource_type != FUNCTION:
        return _unknown("it depends on the machines that are chosen")
    needed = facts.memory or facts.function_memory
    wanted = _Wanted(
        memory=needed,
        cores=Fraction(0) if facts.accelerator_count else _cores(facts, market),
        accelerator=facts.accelerator_type,
        count=facts.accelerator_count or 0,
        architecture=None if facts.accelerator_count else _architecture(finding.resource.props),
        whole=bare_metal or capacity == "dedicated-host",
        bare_metal=bare_metal,
    )
    node = _cheapest(market, wanted, capacity)
    if node is None:
        return _unknown("the catalog prices no machine that has what is needed")
    today = _function_cost(finding, facts, market)
    if today is None:
        return Price(node.dollars, f"{node.how}, less what the function costs, which is not known")
    return Price(node.dollars - today.dollars, f"{node.how}, less {today.how}")


def _cores(facts: Facts, market: Market) -> Fraction:
    """Cores that a function of its memory has."""
    given = facts.function_memory
    whole = market.metering.function.memory_of_a_core.value
    return Fraction(given.bytes, whole.bytes) if given is not None else Fraction(0)


@dataclass(frozen=True, slots=True)
class _Today:
    dollars: Fraction
    how: str


def _function_cost(finding: Finding, facts: Facts, market: Market) -> _Today | None:
    """The time a function on demand runs in a month; None where it is not known how much."""
    busy, given = facts.utilization, facts.function_memory
    if busy is None or given is None or facts.home is not Home.FUNCTION:
        return None
    price = _function_price(finding.resource.props, market)
    seconds = _share(busy.steps, busy.maximum) * SECONDS_A_MONTH
    dollars = gigabytes(given) * Fraction(price.value.amount) * seconds
    how = f"{given} for {busy} of the month at {price.value}{_behind(price)}"
    return _Today(dollars, f"${float(dollars):,.2f} of the function ({how}, its requests not counted)")


def _managed(_finding: Finding, _facts: Facts, market: Market) -> Price:
    price = market.here(market.prices.cluster.eks.hour)
    how = f"an EKS control plane at {price.value}{_behind(price)}"
    return Price(a_month(price), how, once="control plane")


_BY_RULE: Final[Mapping[str, Callable[[Finding, Facts, Market], Price]]] = {
    "accelerator-needs-metal": _to_pool,
    "memory-over-function-limit": _to_pool,
    "sustained-utilization": _to_pool,
    "long-execution": _to_pool,
    "cold-start-budget": _to_pool,
    "local-state": _to_pool,
    "jitter-budget": _to_metal,
    "compliance-isolation": _to_dedicated,
    "unattended-cluster": _managed,
}


# -- figures


def _cheapest(market: Market, wanted: _Wanted, capacity: Capacity = "on-demand") -> _Node | None:
    """The machine that has it all and costs least; None where the catalog prices none."""
    found = []
    for instance in market.catalog.instance_types.values():
        if not wanted.fits(instance):
            continue
        try:
            price = market.instance(instance.name, capacity)
        except MissingFigureError:
            continue
        found.append(_Node(instance.name, wanted.part(instance), price))
    return min(found, key=lambda node: (node.dollars, node.name), default=None)


def _function_price(props: Mapping[str, object], market: Market) -> Fact[MemoryTimePrice]:
    return market.here(market.prices.function.on_demand[_architecture(props)].gb_second)


def _architecture(props: Mapping[str, object]) -> Architecture:
    """Of a function, which is Intel's unless it says so."""
    return "arm64" if "arm64" in list(items(props, "architectures")) else "amd64"


def _share(steps: int, of: int) -> Fraction:
    return Fraction(steps, of)


def _behind(fact: Fact[Any]) -> str:
    caveat = caveat_of(fact)
    return f" ({caveat})" if caveat else ""
