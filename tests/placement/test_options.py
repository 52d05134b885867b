"""Options and demands: what they hold and offer, what cannot be, and what stands in for missing facts."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import catalog
from components.placement.homes import Home
from components.placement.options import (
    Demand,
    FunctionOption,
    ManagedInstancesOption,
    Missing,
    NodesOption,
    Option,
    OptionError,
    demand_of,
)
from components.spec import Duration, Memory, Needs, Rate, Serve, Traffic, Workload

TYPES = catalog.load().instance_types
GIB = Memory.parse("1GiB")


def a_function(home: Home = Home.FUNCTION, memory: Memory = GIB, provisioned: int = 0) -> FunctionOption:
    return FunctionOption(home=home, memory=memory, architecture="arm64", provisioned=provisioned)


def nodes(replicas: int = 3, per_node: int = 2, concurrency: int = 4) -> NodesOption:
    return NodesOption(
        home=Home.POOL,
        instance=TYPES["m7g.large"],
        replicas=replicas,
        per_node=per_node,
        concurrency=concurrency,
    )


def managed(memory: str = "3GiB", instances: int = 2, concurrency: int = 8) -> ManagedInstancesOption:
    return ManagedInstancesOption(
        instance=TYPES["m7g.large"],
        instances=instances,
        memory=Memory.parse(memory),
        concurrency=concurrency,
    )


def demand(rate: str = "10/s", peak: str = "40/s", service_time: str = "250ms", **more: object) -> Demand:
    return Demand(
        rate=Rate.parse(rate), peak=Rate.parse(peak), service_time=Duration.parse(service_time), **more
    )


def workload(**traffic: object) -> Workload:
    return Workload(
        name="embed",
        serve=Serve.model_validate({"container": {"image": "halfmetal/embedder:0.1.0"}}),
        needs=Needs.model_validate({"cpu": 1, "memory": "1GiB"}),
        traffic=Traffic.model_validate(traffic),
    )


@pytest.mark.parametrize(
    ("option", "servers"),
    [
        pytest.param(a_function(), 0, id="an on-demand function holds nothing"),
        pytest.param(a_function(Home.RESERVED_FUNCTION, provisioned=7), 7, id="copies held warm"),
        pytest.param(nodes(), 12, id="replicas and what each takes at once"),
        pytest.param(managed(), 2 * 2 * 8, id="whole environments in each instance's 8 GiB"),
    ],
)
def test_what_an_option_holds_at_once(option: Option, servers: int):
    assert option.servers == servers


def test_nodes_are_whole():
    assert [nodes(replicas=count, per_node=2).nodes for count in (1, 2, 3, 4, 5)] == [1, 1, 2, 2, 3]


def test_offered_load_over_servers_is_utilisation():
    given = demand()
    assert given.offered == pytest.approx(2.5)
    assert given.offered_at_peak == pytest.approx(10)
    assert given.utilization(nodes(replicas=5, concurrency=1)) == pytest.approx(0.5)
    assert given.utilization(a_function()) == float("inf")


@pytest.mark.parametrize(
    ("make", "where"),
    [
        pytest.param(lambda: a_function(provisioned=1), "provisioned", id="on demand and held"),
        pytest.param(lambda: a_function(Home.RESERVED_FUNCTION), "provisioned", id="reserved, none held"),
        pytest.param(lambda: a_function(memory=Memory(0)), "memory", id="no memory"),
        pytest.param(lambda: nodes(replicas=0), "replicas", id="no replica"),
        pytest.param(lambda: nodes(per_node=0), "per_node", id="no replica fits"),
        pytest.param(lambda: nodes(concurrency=-1), "concurrency", id="negative concurrency"),
        pytest.param(lambda: managed(memory="9GiB"), "memory", id="an environment larger than its instance"),
        pytest.param(lambda: managed(instances=0), "instances", id="no instance"),
        pytest.param(lambda: demand(peak="9/s"), "peak", id="peak below the rate"),
        pytest.param(lambda: demand(service_time="0s"), "service_time", id="no work at all"),
        pytest.param(lambda: demand(burstiness=float("nan")), "burstiness", id="no number"),
        pytest.param(lambda: demand(service_variation=-0.1), "service_variation", id="negative variation"),
        pytest.param(lambda: demand(hourly=(1.0,) * 23), "hourly", id="a day of 23 hours"),
        pytest.param(lambda: demand(hourly=(2.0,) * 24), "hourly", id="weights whose mean is not 1"),
        pytest.param(lambda: demand(hourly=(float("inf"),) * 24), "hourly", id="endless weights"),
        pytest.param(lambda: demand(state_reads=-1), "state_reads", id="negative reads"),
    ],
)
def test_what_cannot_be_says_where_and_what_to_give_instead(make: Callable[[], object], where: str):
    with pytest.raises(OptionError) as error:
        make()
    assert error.value.where == where
    assert error.value.remedy
    assert error.value.problem("embed").subject == "embed"


def test_a_demand_takes_what_the_workload_says():
    found = demand_of(
        workload(rate="20/s", peak="60/s", service_time="25ms", burstiness=3, service_variation=0.2)
    )
    assert isinstance(found, Demand)
    assert (found.peak, found.burstiness, found.service_variation) == (Rate.parse("60/s"), 3, 0.2)
    assert found.assumed == ()


def test_what_is_put_in_place_of_a_missing_fact_is_named():
    found = demand_of(workload(rate="20/s", service_time="25ms", hourly=[1.0] * 12 + [3.0] * 12))
    assert isinstance(found, Demand)
    assert found.peak == Rate.parse("30/s")
    assert [said.partition(" ")[0] for said in found.assumed] == [
        "traffic.peak",
        "traffic.burstiness",
        "traffic.service_variation",
    ]


@pytest.mark.parametrize(
    ("traffic", "reason"),
    [
        pytest.param({"rate": "1/s"}, "traffic.service_time is not known", id="no service time"),
        pytest.param({}, "traffic.rate and traffic.service_time are not known", id="nothing"),
    ],
)
def test_without_rate_and_service_time_there_is_no_demand(traffic: dict[str, object], reason: str):
    found = demand_of(workload(**traffic))
    assert isinstance(found, Missing)
    assert found.reason == reason


@given(
    rate=st.integers(1, Rate.maximum).map(Rate),
    service_time=st.integers(1, Duration.maximum).map(Duration),
    hourly=st.none() | st.lists(st.integers(0, 1000), min_size=24, max_size=24).filter(any),
)
def test_every_workload_with_rate_and_service_time_has_a_demand(
    rate: Rate, service_time: Duration, hourly: list[int] | None
):
    found = demand_of(workload(rate=rate, service_time=service_time, hourly=hourly))
    assert isinstance(found, Demand)
    assert found.peak >= found.rate
