"""Options, demands and strategies that the tests of cost share."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from components import catalog
from components.placement.cost import Platform
from components.placement.homes import Home
from components.placement.options import Demand, FunctionOption, ManagedInstancesOption, NodesOption
from components.spec import Duration, Memory, Rate, Share

FACTS = catalog.load()
HERE = "us-east-1"
TYPES = FACTS.instance_types

EVERYTHING = Platform(
    front_door="http-api",
    balancer="network",
    cluster="eks",
    extended_support=True,
    nat_gateways=2,
    gateway=TYPES["m7g.large"],
    gateway_pods=2,
    zones=2,
    share=Share.parse("25%"),
)


def function(memory: str = "2GiB", architecture: str = "amd64", *, provisioned: int = 0) -> FunctionOption:
    home: Any = Home.RESERVED_FUNCTION if provisioned else Home.FUNCTION
    arch: Any = architecture
    return FunctionOption(home=home, memory=Memory.parse(memory), architecture=arch, provisioned=provisioned)


def nodes(instance: str = "m7g.large", replicas: int = 2, per_node: int = 2, **more: Any) -> NodesOption:
    return NodesOption(
        home=more.pop("home", Home.POOL),
        instance=TYPES[instance],
        replicas=replicas,
        per_node=per_node,
        **more,
    )


def elsewhere(provider: Any, offer: str, **more: Any) -> NodesOption:
    """A machine of a provider other than AWS: one replica on each."""
    machine = TYPES["p5.48xlarge"].model_copy(update={"name": offer})
    return NodesOption(home=Home.METAL, instance=machine, per_node=1, provider=provider, **more)


def managed(instances: int = 3, memory: str = "4GiB") -> ManagedInstancesOption:
    return ManagedInstancesOption(
        instance=TYPES["m7g.large"], instances=instances, memory=Memory.parse(memory)
    )


def demand(rate: str = "1/s", service_time: str = "1s", **more: Any) -> Demand:
    given = Rate.parse(rate)
    return Demand(
        rate=given,
        peak=more.pop("peak", given),
        service_time=Duration.parse(service_time),
        service_variation=more.pop("service_variation", 0.0),
        **more,
    )


def at(given: Demand, rate: Rate) -> Demand:
    return replace(given, rate=rate, peak=rate)


rates = st.integers(0, Rate.parse("1000/s").steps).map(Rate)
service_times = st.integers(10**5, 10**11).map(Duration)
memories = st.integers(128 * 2**20, 10 * 2**30).map(Memory)
shares = st.integers(0, Share.maximum).map(Share)
sizes = st.none() | st.integers(0, 2**21).map(Memory)
architectures = st.sampled_from(("amd64", "arm64"))

on_demand_functions = st.builds(
    FunctionOption, home=st.just(Home.FUNCTION), memory=memories, architecture=architectures
)
warm_functions = st.builds(
    FunctionOption,
    home=st.just(Home.RESERVED_FUNCTION),
    memory=memories,
    architecture=architectures,
    provisioned=st.integers(1, 50),
)
managed_functions = st.builds(
    ManagedInstancesOption,
    instance=st.just(TYPES["m7g.large"]),
    instances=st.integers(1, 20),
    memory=st.integers(2**30, 8 * 2**30).map(Memory),
    concurrency=st.integers(1, 64),
)
node_options = st.builds(
    NodesOption,
    home=st.sampled_from((Home.POOL, Home.METAL)),
    instance=st.sampled_from([TYPES[name] for name in ("m7g.large", "r7g.xlarge", "g6.xlarge")]),
    capacity=st.sampled_from(("on-demand", "spot", "capacity-block", "dedicated-host")),
    replicas=st.integers(1, 60),
    per_node=st.integers(1, 8),
    concurrency=st.integers(1, 32),
    shared=st.booleans(),
)
options = on_demand_functions | warm_functions | managed_functions | node_options
shapes = st.none() | st.sampled_from([(0.5,) * 12 + (1.5,) * 12, (24.0, *(0.0,) * 23)])


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    rate = draw(rates)
    return Demand(
        rate=rate,
        peak=rate,
        service_time=draw(service_times),
        burstiness=draw(st.sampled_from((0.0, 0.5, 1.0, 4.0, 173.0))),
        service_variation=draw(st.sampled_from((0.0, 0.5, 1.0, 4.0))),
        hourly=draw(shapes),
        request_bytes=draw(sizes),
        response_bytes=draw(sizes),
        state_reads=draw(st.integers(0, 3)),
        state_bytes=draw(sizes),
        crossing=draw(shares),
    )


platforms = st.builds(
    Platform,
    front_door=st.sampled_from((None, "http-api", "rest-api")),
    balancer=st.sampled_from((None, "network", "application")),
    cluster=st.sampled_from((None, "eks")),
    extended_support=st.booleans(),
    nat_gateways=st.integers(0, 3),
    gateway=st.sampled_from((None, TYPES["m7g.large"])),
    gateway_pods=st.integers(0, 3),
    zones=st.integers(1, 3),
    share=shares,
)
