"""What an option costs: each line by hand for a few, and what must hold for all of them."""

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from cost_cases import (
    EVERYTHING,
    FACTS,
    HERE,
    at,
    demand,
    demands,
    elsewhere,
    function,
    managed,
    node_options,
    nodes,
    on_demand_functions,
    options,
    platforms,
    rates,
    shares,
)
from hypothesis import given
from hypothesis import strategies as st

from components.catalog import CatalogError, MissingFigureError
from components.placement.cost import (
    COMPUTE_ONLY,
    Cost,
    Platform,
    at_rate,
    at_utilization,
    break_even,
    cost,
    platform_of,
    replicas_for,
)
from components.placement.cost.platform import GATEWAY_CORES
from components.placement.options import Demand, FunctionOption, NodesOption, Option, OptionError
from components.spec import Duration, Memory, Money, Rate, Share, load
from tests.spec.stack_examples import DEDICATED, HYBRID, PURE

ROOT = Path(__file__).parents[2]
A_SECOND_ALL_MONTH = 730 * 3600


def priced(option: Option, given: Demand, platform: Platform = COMPUTE_ONLY, **more: Any) -> Cost:
    return cost(option, given, FACTS, region=HERE, platform=platform, **more)


def amount(money: Money) -> float:
    assert money.period == "month"
    return float(money.amount)


def lines(found: Cost) -> dict[str, float]:
    return {line.name: round(amount(line.money), 2) for line in found.lines}


def spot(instance: str) -> float:
    """What it costs an hour on the spot market, which moves."""
    return float(FACTS.instance_price(instance, "spot", HERE).value.amount)


# -- line by line


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        pytest.param(
            function("1GiB"),
            demand("1/s", "1s"),
            {
                "function time": 0.0000166667 * A_SECOND_ALL_MONTH,
                "function requests": 0.20 * A_SECOND_ALL_MONTH / 1e6,
            },
            id="a function on demand, always at work",
        ),
        pytest.param(
            function("1GiB", "arm64"),
            demand("0/s", "1s"),
            {"function time": 0, "function requests": 0},
            id="a function on demand, idle",
        ),
        pytest.param(
            nodes("m7g.large", replicas=3, per_node=2),
            demand("0/s"),
            {"nodes": 2 * 0.0816 * 730},
            id="whole nodes, idle",
        ),
        pytest.param(
            nodes("m7g.large", replicas=3, per_node=2, shared=True),
            demand("0/s"),
            {"nodes": 1.5 * 0.0816 * 730},
            id="a part of shared nodes",
        ),
        pytest.param(
            nodes("g6.xlarge", replicas=2, per_node=1, capacity="spot"),
            demand("0/s"),
            {"nodes": 2 * spot("g6.xlarge") * 730, "spare nodes": spot("g6.xlarge") * 730},
            id="spot nodes, and one for the day that one is taken back",
        ),
        pytest.param(
            managed(3),
            demand("10/s", "100ms"),
            {
                "instances": 3 * 0.0816 * 730,
                "management fee": 3 * 0.0816 * 730 * 0.15,
                "function requests": 10 * 0.20 * A_SECOND_ALL_MONTH / 1e6,
            },
            id="Managed Instances: machines, fee, requests",
        ),
        pytest.param(
            elsewhere("coreweave", "h100x8", replicas=1),
            demand("1/s"),
            {"nodes": 49.24 * 730},
            id="CoreWeave",
        ),
        pytest.param(
            elsewhere("coreweave", "h100x8", replicas=1, capacity="spot"),
            demand("1/s"),
            {"nodes": 19.71 * 730, "spare nodes": 19.71 * 730},
            id="CoreWeave spot",
        ),
    ],
)
def test_the_compute(option: Option, given: Demand, expected: dict[str, float]):
    assert lines(priced(option, given)) == {name: round(value, 2) for name, value in expected.items()}


def test_held_copies_cost_idle_and_less_when_at_work_and_the_rest_runs_on_demand():
    found = priced(function("1GiB", provisioned=2), demand("1/s", "1s"), spilled=Share.parse("25%"))
    assert lines(found) == {
        "held copies": round(2 * 0.0000041667 * A_SECOND_ALL_MONTH, 2),
        "function time on held copies": round(0.75 * 0.0000097222 * A_SECOND_ALL_MONTH, 2),
        "function requests on held copies": round(0.75 * 0.2 * A_SECOND_ALL_MONTH / 1e6, 2),
        "function time past the held copies": round(0.25 * 0.0000166667 * A_SECOND_ALL_MONTH, 2),
        "function requests past the held copies": round(0.25 * 0.2 * A_SECOND_ALL_MONTH / 1e6, 2),
    }


def test_what_stands_around_nodes_is_shared_and_what_requests_pay_is_not():
    given = demand(
        "100/s",
        "10ms",
        request_bytes=Memory.parse("600KiB"),
        response_bytes=Memory.parse("1MiB"),
        state_reads=2,
        state_bytes=Memory.parse("1MiB"),
        crossing=Share.parse("50%"),
    )
    month = 100 * A_SECOND_ALL_MONTH
    moved_gib = (600 / 1024 + 1) / 1024
    assert lines(priced(nodes(), given, EVERYTHING)) == {
        "nodes": 59.57,
        "front door (HTTP API)": round(2 * month / 1e6, 2),
        "data to the internet": round(month / 1024 * 0.09, 2),
        "state across zones": round(month / 1024 * 0.01 * 2 * 0.5, 2),
        "requests across zones": round(month * moved_gib * 0.01 * 2 * 0.5, 2),
        "load balancer capacity": round(month * moved_gib * 0.006, 2),
        "cluster": round(0.25 * 0.10 * 730, 2),
        "extended support": round(0.25 * 0.50 * 730, 2),
        "load balancer": round(0.25 * 0.0225 * 730, 2),
        "NAT": round(0.25 * 2 * 0.045 * 730, 2),
        "gateway": round(0.25 * 0.2 / 2 * 0.0816 * 730, 2),
    }


@pytest.mark.parametrize(
    ("balancer", "given", "units"),
    [
        pytest.param("network", demand("800/s", "1ms"), 1, id="new connections through a network one"),
        pytest.param(
            "application", demand("25/s", "1ms"), 1, id="new connections through an application one"
        ),
        pytest.param("network", demand("100/s", "2000s"), 2, id="connections that last"),
        pytest.param(
            "network",
            demand("2/h", "1ms", response_bytes=Memory.parse("3GiB")),
            6,
            id="bytes",
        ),
    ],
)
def test_a_load_balancer_bills_what_is_used_most(balancer: Any, given: Demand, units: int):
    found = priced(nodes(), given, Platform(balancer=balancer)).of("load balancer capacity")
    price = {"network": 0.006, "application": 0.008}[balancer]
    assert amount(found) == pytest.approx(units * price * 730)


def test_functions_pay_for_no_cluster():
    names = {line.name for line in priced(function(), demand(), EVERYTHING).lines}
    assert names == {"function time", "function requests", "front door (HTTP API)"}


def test_a_machine_elsewhere_pays_for_no_cluster_of_aws_and_says_so():
    found = priced(elsewhere("coreweave", "h100x8", replicas=1), demand(), EVERYTHING)
    assert {line.name for line in found.lines} == {"nodes", "front door (HTTP API)"}
    assert any("coreweave" in note for note in found.notes)


@pytest.mark.parametrize(
    ("service_time", "variation", "billed_ms"),
    [
        pytest.param("25ms", 0.0, 25, id="whole steps"),
        pytest.param("25001us", 0.0, 26, id="rounded up"),
        pytest.param("25ms", 1.0, 25.5, id="half a step more on average"),
        pytest.param("1us", 1.0, 1, id="never less than a step"),
    ],
)
def test_the_time_of_a_request_is_billed_in_whole_steps(
    service_time: str, variation: float, billed_ms: float
):
    given = demand("1000/s", service_time, service_variation=variation)
    time = amount(priced(function("1GiB"), given).of("function time"))
    assert time == pytest.approx(billed_ms * 0.0000166667 * A_SECOND_ALL_MONTH, rel=2e-4)


def test_a_twin_is_called_through_an_api_that_only_the_tail_pays_for():
    platform = Platform(twin_door="http-api")
    found = priced(nodes(), demand("1/s"), platform=platform, twin=function(), spilled=Share.parse("10%"))
    requests = 0.1 * 730 * 3600
    assert amount(found.of("HTTP API before the twin")) == pytest.approx(requests * 1e-6, rel=1e-3)
    assert not priced(nodes(), demand("1/s"), platform=platform).of("HTTP API before the twin")


def test_a_twin_takes_the_tail_and_no_more():
    warm = nodes(replicas=4, per_node=2)
    given = demand("3/s", "1s")
    with_twin = priced(warm, given, twin=function("1GiB"))
    tail = amount(with_twin.of("function time of the tail"))
    assert amount(with_twin.total) == pytest.approx(
        amount(priced(warm, given).total) + tail + amount(with_twin.of("function requests of the tail"))
    )
    assert 0 < tail < 0.25 * amount(priced(function("1GiB"), given).of("function time"))
    assert amount(
        priced(warm, given, twin=function("1GiB"), spilled=Share(0)).of("function time of the tail")
    ) == pytest.approx(0)


def test_bursts_send_more_to_the_tail():
    def tail(burstiness: float) -> float:
        found = priced(nodes(replicas=4), demand("3/s", "1s", burstiness=burstiness), twin=function())
        return amount(found.of("function time of the tail"))

    assert tail(0.1) < tail(1) < tail(10) < tail(100)


def test_spot_work_that_outlasts_the_notice_is_done_again():
    def spare(service_time: str) -> float:
        option = nodes(replicas=90, per_node=1, capacity="spot", shared=True)
        return amount(priced(option, demand("1/h", service_time)).of("spare nodes"))

    assert spare("2m") == pytest.approx(90 * 0.1 * spot("m7g.large") * 730, rel=1e-6)
    assert spare("12h") > spare("2m")


# -- what a table shows


def test_rows_are_a_table_that_ends_with_the_total():
    found = priced(nodes("m7g.large", capacity="spot"), demand("0/s"), replace(EVERYTHING, zones=1))
    assert found.rows[0] == (
        "nodes",
        f"${spot('m7g.large') * 730:,.2f}",
        f"1 m7g.large (spot) at ${spot('m7g.large'):.7g}/h for 730 hours (assumed)",
    )
    assert found.rows[-1] == ("total", f"${amount(found.total):,.2f}", "(assumed)")


def test_an_assumed_figure_is_said_behind_every_line_that_rests_on_it():
    found = priced(nodes(capacity="spot"), demand("1/s"), EVERYTHING)
    assert {line.name for line in found.lines if line.caveat} == {"nodes", "spare nodes"}
    assert found.caveats == ("assumed",)


def test_a_payload_that_is_metered_several_times_says_what_was_taken_to_count():
    large = demand(request_bytes=Memory.parse("100KiB"), response_bytes=Memory.parse("1MiB"))
    line = priced(function(), large, Platform(front_door="http-api")).lines[2]
    assert amount(line.money) == pytest.approx(2 * A_SECOND_ALL_MONTH / 1e6)
    assert line.how == (
        "2,628,000 requests metered 2 times at $1/1M requests:"
        " 512KiB each, of the larger of request and response"
    )
    assert line.caveat == "assumed"


def test_what_a_source_adds_to_its_price_stays_with_the_line():
    door = FACTS.prices.front_door.http_api.request.at(HERE)
    assert door.note
    assert door.note in {line.note for line in priced(function(), demand(), EVERYTHING).lines}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        pytest.param(
            priced(nodes(replicas=1), demand("9/s", "1s")), "cannot be held", id="too much for them"
        ),
        pytest.param(
            priced(function(provisioned=2), demand("1/s", "1s", burstiness=173)), "simulation", id="bursts"
        ),
        pytest.param(
            priced(function(), demand(state_reads=1, crossing=Share.parse("1%"))), "state.bytes", id="state"
        ),
        pytest.param(priced(function(), demand(), EVERYTHING), "meter", id="request size"),
        pytest.param(priced(function(), demand()), "responses", id="response size"),
        pytest.param(priced(function(), demand(assumed=("no peak",))), "no peak", id="assumed facts"),
    ],
)
def test_what_makes_a_figure_doubtful_is_said(found: Cost, said: str):
    assert any(said in note for note in found.notes)


# -- what is wrong


@pytest.mark.parametrize(
    ("option", "region", "path"),
    [
        pytest.param(function(), "xx-nowhere-1", "prices.function.on_demand.amd64.gb_second", id="function"),
        pytest.param(
            nodes("p5.48xlarge", capacity="on-demand"),
            "eu-west-1",
            "prices.instances.p5.48xlarge.on_demand",
            id="instance",
        ),
        pytest.param(
            elsewhere("coreweave", "h900", replicas=1),
            HERE,
            "prices.providers.coreweave.offers.h900.hour",
            id="offer",
        ),
    ],
)
def test_a_missing_price_names_its_path_and_what_to_do(option: Option, region: str, path: str):
    with pytest.raises(MissingFigureError) as error:
        cost(option, demand(), FACTS, region=region)
    assert error.value.path == path
    assert "catalog" in error.value.remedy


@pytest.mark.parametrize(
    ("make", "where"),
    [
        pytest.param(
            lambda: priced(function(), demand(), utilization=Share.parse("10%")),
            "utilization",
            id="of nothing",
        ),
        pytest.param(lambda: priced(function(), demand(), twin=function()), "twin", id="twin of a function"),
        pytest.param(lambda: priced(nodes(), demand(), twin=function(provisioned=1)), "twin", id="warm twin"),
        pytest.param(
            lambda: priced(nodes(), demand(), spilled=Share.parse("1%")), "spilled", id="spills nowhere"
        ),
        pytest.param(
            lambda: priced(
                elsewhere("vultr", "vbm-4c-32gb", replicas=1, capacity="dedicated-host"), demand()
            ),
            "capacity",
            id="a host of another provider",
        ),
        pytest.param(
            lambda: priced(function("10GiB"), demand("1000000000/s", "900s")), "function time", id="too much"
        ),
        pytest.param(lambda: Platform(zones=0), "zones", id="no zone"),
        pytest.param(
            lambda: replicas_for(demand(), concurrency=1, busy_at_most=Share(0)),
            "busy_at_most",
            id="never busy",
        ),
    ],
)
def test_what_makes_no_sense_says_where_and_what_to_do(make: Any, where: str):
    with pytest.raises(OptionError) as error:
        make()
    assert error.value.where == where
    assert error.value.remedy


# -- demand and size


def test_utilisation_sets_the_rate_and_keeps_the_peak_as_far_above():
    moved = at_utilization(demand("1/s", "500ms", peak=Rate.parse("3/s")), nodes(), Share.parse("50%"))
    assert (moved.rate, moved.peak) == (Rate.parse("2/s"), Rate.parse("6/s"))
    assert at_rate(demand("0/s"), Rate.parse("1/s")).peak == Rate.parse("1/s")


@pytest.mark.parametrize(
    ("peak", "replicas"),
    [
        pytest.param("1/s", 2, id="the minimum"),
        pytest.param("100/s", 7, id="the peak, 70 % busy, five at once"),
    ],
)
def test_replicas_that_the_peak_makes_no_busier_than_wanted(peak: str, replicas: int):
    given = demand("1/s", "250ms", peak=Rate.parse(peak))
    found = replicas_for(given, concurrency=5, busy_at_most=Share.parse("72%"), minimum=2)
    assert found == replicas


def test_what_stands_around_the_workloads_of_a_stack():
    hybrid = platform_of(load(HYBRID), FACTS)
    assert (hybrid.front_door, hybrid.cluster, hybrid.balancer) == ("http-api", "eks", "network")
    assert hybrid.gateway_pods == 2
    assert platform_of(load(HYBRID), FACTS, among=4).share == Share.parse("25%")
    assert platform_of(load(DEDICATED), FACTS).front_door is None
    assert platform_of(load(PURE), FACTS).cluster is None


def test_a_gateway_pod_asks_for_the_cores_that_are_priced():
    source = (ROOT / "components/data_plane/gateway.py").read_text(encoding="utf-8")
    assert f'"requests": {{"cpu": "{GATEWAY_CORES * 1000}m"' in source


# -- for all of them


@given(option=options, given=demands(), platform=platforms)
def test_lines_are_money_a_month_and_add_up_to_the_total(option: Option, given: Demand, platform: Platform):
    found = priced(option, given, platform)
    assert {line.money.period for line in found.lines} == {"month"}
    assert found.total.amount == sum((line.money.amount for line in found.lines), Decimal(0))
    assert all(line.how and "{" not in line.how for line in found.lines)


@given(option=options, given=demands(), platform=platforms, other=rates)
def test_more_requests_never_cost_less(option: Option, given: Demand, platform: Platform, other: Rate):
    fewer, more = sorted((given.rate, other))
    low, high = (amount(priced(option, at(given, rate), platform).total) for rate in (fewer, more))
    assert low <= high * (1 + 1e-9) + 1e-9


@given(option=node_options, given=demands(), twin=st.none() | on_demand_functions, other=rates)
def test_with_a_twin_too(option: NodesOption, given: Demand, twin: FunctionOption | None, other: Rate):
    fewer, more = sorted((given.rate, other))
    low, high = (amount(priced(option, at(given, rate), twin=twin).total) for rate in (fewer, more))
    assert low <= high * (1 + 1e-9) + 1e-9


@given(option=options, given=demands(), platform=platforms)
def test_idle_is_paid_for_where_something_is_held(option: Option, given: Demand, platform: Platform):
    found = priced(option, at(given, Rate(0)), platform)
    if option.servers:
        assert found.total
    else:
        assert not found.total


@given(option=on_demand_functions, given=demands())
def test_a_larger_function_never_costs_less(option: FunctionOption, given: Demand):
    larger = replace(option, memory=option.memory * 2)
    assert priced(option, given).total <= priced(larger, given).total


@given(option=options, given=demands(), share=shares)
def test_a_share_of_what_stands_around_is_that_share(option: Option, given: Demand, share: Share):
    alone, around = (replace(EVERYTHING, share=each) for each in (Share.parse("100%"), share))
    compute, whole, part = (
        amount(priced(option, at(given, Rate(0)), each).total) for each in (COMPUTE_ONLY, alone, around)
    )
    assert part - compute == pytest.approx((whole - compute) * share.fraction, abs=1e-6)


any_demands = st.builds(
    lambda rate, **more: Demand(rate=rate, peak=rate, **more),
    rate=st.integers(0, Rate.maximum).map(Rate),
    service_time=st.integers(1, Duration.maximum).map(Duration),
    burstiness=st.floats(0, 1e6),
    service_variation=st.floats(0, 1e6),
)


@given(
    option=options,
    given=any_demands,
    region=st.sampled_from((HERE, "us-west-2", "xx-nowhere-1")),
    platform=platforms,
    utilization=st.none() | shares,
)
def test_nothing_but_errors_of_the_project(
    option: Option, given: Demand, region: str, platform: Platform, utilization: Share | None
):
    try:
        found = cost(option, given, FACTS, region=region, platform=platform, utilization=utilization)
    except (OptionError, CatalogError) as error:
        assert str(error)
    else:
        assert math.isfinite(amount(found.total))


@given(first=options, second=options, given=any_demands)
def test_nor_in_a_comparison(first: Option, second: Option, given: Demand):
    try:
        found = break_even(first, second, given, FACTS, region=HERE)
        assert found.answer
        assert found.curve
    except OptionError as error:
        assert error.remedy


@given(first=demands(), second=demands())
def test_money_of_different_periods_does_not_mix(first: Demand, second: Demand):
    month = priced(nodes(), first).total
    with pytest.raises(TypeError):
        _ = month + priced(nodes(), second).total.to("h")


def test_fractions_of_a_node_are_exact():
    assert Fraction(priced(nodes(replicas=1, per_node=2, shared=True), demand()).total.amount) == Fraction(
        "29.784"
    )
