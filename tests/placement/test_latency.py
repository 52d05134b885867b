"""How long a request takes on each option: its parts, what the answer says of itself, what never happens."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from latency_case import CATALOG, bursts, demand, drifting, function, nodes, seconds

from components.catalog import CatalogError, MissingFigureError
from components.placement.latency import Around, Latency, Requests, Scenario, at_peak, latency, simulate
from components.placement.options import Demand, ManagedInstancesOption, Option, OptionError
from components.spec import Duration, Memory, Rate, Share, UnitError

BEHIND_AN_API = Around(front_door="http-api", zones=2)


def part(found: Latency, name: str) -> float:
    return next(seconds(each.p99) for each in found.parts if each.name == name)


def names(found: Latency) -> list[str]:
    return [each.name for each in found.parts]


# -- the parts


@pytest.mark.parametrize(
    ("option", "around", "passed"),
    [
        pytest.param(
            function(), BEHIND_AN_API, ["front door", "function", "cold start", "work"], id="function"
        ),
        pytest.param(function(), Around(), ["function", "cold start", "work"], id="function called directly"),
        pytest.param(
            nodes(),
            BEHIND_AN_API,
            ["front door", "VPC link", "gateway", "hop to a replica", "queue", "work"],
            id="pool behind API Gateway",
        ),
        pytest.param(
            nodes(),
            Around(),
            ["load balancer", "gateway", "hop to a replica", "queue", "work"],
            id="pool behind a load balancer",
        ),
        pytest.param(
            nodes(provider="coreweave"),
            BEHIND_AN_API,
            ["front door", "to the other provider", "gateway", "hop to a replica", "queue", "work"],
            id="another provider",
        ),
        pytest.param(
            ManagedInstancesOption(
                instance=CATALOG.instance_types["m7g.large"], instances=1, memory=Memory.parse("2GiB")
            ),
            Around(front_door="rest-api"),
            ["front door", "function", "queue", "work"],
            id="Managed Instances",
        ),
    ],
)
def test_what_a_request_passes(option: Option, around: Around, passed: list[str]):
    assert names(latency(option, demand(), CATALOG, around)) == passed


def test_state_is_read_on_the_way():
    reads = demand(state_reads=2, state_bytes=Memory.parse("1MB"), crossing=Share.parse("50%"))
    found = latency(nodes(), reads, CATALOG)
    assert {"state reads", "zone crossing of state", "bytes of state"} <= set(names(found))
    assert part(found, "bytes of state") == pytest.approx(0.005)
    assert "local" not in names(found)
    in_memory = latency(nodes(), reads, CATALOG, Around(store="local_cache"))
    assert part(in_memory, "state reads") < part(found, "state reads") / 5
    assert "zone crossing of state" not in names(in_memory)


def test_one_zone_is_not_crossed():
    apart, together = nodes(), nodes(zone="us-east-1a")
    hops = [
        part(latency(option, demand(), CATALOG, BEHIND_AN_API), "hop to a replica")
        for option in (apart, together)
    ]
    assert hops[0] > 3 * hops[1]


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        pytest.param("10MiB", "100MiB", id="more than is sent directly"),
        pytest.param("100MiB", "2GiB", id="an image"),
    ],
)
def test_a_larger_package_starts_more_slowly(smaller: str, larger: str):
    rare = demand(0.0001)
    starts = [part(latency(function(size), rare, CATALOG), "cold start") for size in (smaller, larger)]
    assert starts[0] < starts[1]


def test_what_is_assumed_is_said_beside_the_part_that_rests_on_it():
    found = latency(
        function(package=None), replace(demand(), assumed=("traffic.peak is not known",)), CATALOG
    )
    said = {each.name: each.caveat for each in found.parts}
    assert said["function"] == "assumed"
    assert "package is not known" in said["cold start"]
    assert "traffic.peak" in said["work"]


# -- queue and cold starts


def test_chance_is_answered_by_formula_and_bursts_by_simulation():
    assert latency(nodes(), demand(), CATALOG).method == "formula"
    uneven = latency(nodes(), demand(burstiness=173), CATALOG)
    assert uneven.method == "simulation"
    assert "burstiness 173" in uneven.note
    assert seconds(uneven.p99) > 5 * seconds(latency(nodes(), demand(), CATALOG).p99)


def test_a_request_log_is_replayed():
    found = latency(nodes(), demand(), CATALOG, requests=Requests(arrivals_s=bursts(3000)))
    assert found.method == "simulation"
    assert "3,000 requests" in found.note


@pytest.mark.parametrize("burstiness", [1, 20])
def test_overload_is_an_answer_in_words(burstiness: float):
    found = latency(nodes(2), demand(90, burstiness=burstiness), CATALOG)
    assert found.overloaded
    assert (found.p50, found.p99) == (None, None)
    assert "2.25 requests at work at once would be needed and 2 are possible" in found.note
    assert part(found, "work") > 0


def test_an_hour_in_overload_is_endless_for_those_who_come_in_it():
    day = (0.8,) * 21 + (2.4,) * 3
    found = latency(nodes(2), demand(40, hourly=day), CATALOG)
    assert found.p50 is not None
    assert found.overloaded
    assert "in the busiest hour" in found.note


def test_a_day_is_slower_at_its_tail_than_its_average():
    day = (0.4,) * 12 + (1.6,) * 12
    flat, shaped = latency(nodes(2), demand(45), CATALOG), latency(nodes(2), demand(45, hourly=day), CATALOG)
    assert seconds(shaped.p99) > 1.2 * seconds(flat.p99)


def test_what_the_percentiles_leave_out_is_said():
    close = latency(nodes(2), demand(76), CATALOG)
    assert "Close to saturation, 95.0% busy" in close.note
    peaked = latency(nodes(2), demand(20, peak=Rate.parse("90/s")), CATALOG)
    assert "In the busiest minute (90/s) it is 112% busy" in peaked.note
    assert latency(nodes(2), at_peak(demand(20, peak=Rate.parse("90/s"))), CATALOG).overloaded
    assert latency(nodes(2), demand(20, peak=Rate.parse("60/s")), CATALOG).note == ""


def test_no_zone_is_promised_to_a_function():
    said = {each.name: each.caveat for each in latency(function(), demand(state_reads=1), CATALOG).parts}
    assert "no zone is promised" in said["state reads"]


def test_a_simulation_knows_its_own_error():
    """Within a factor of two of how far seeds lie apart."""
    asked = demand(60, burstiness=20)
    found = [
        latency(nodes(4), asked, CATALOG, requests=Requests(seed=seed, count=10_000)) for seed in range(12)
    ]
    tails = np.array([seconds(each.p99) for each in found])
    spread = tails.std(ddof=1) / tails.mean()
    said = np.mean([float(re.search(r"percentile is (\d+)%", each.note)[1]) / 100 for each in found])
    assert 0.5 < said / spread < 2


@pytest.mark.parametrize("burstiness", [1, 30])
def test_a_function_that_is_seldom_wanted_starts_cold(burstiness: float):
    seldom, often = (
        latency(function(), demand(rate, burstiness=burstiness), CATALOG) for rate in (1e-5, 5.0)
    )
    assert seldom.cold_start_share.fraction > 10 * often.cold_start_share.fraction
    assert seconds(seldom.p99) > seconds(often.p99)


def test_copies_held_warm_take_the_cold_starts_away():
    on_demand, held = (
        latency(function(provisioned=count), demand(0.0005, "2s"), CATALOG) for count in (0, 3)
    )
    assert on_demand.cold_start_share.fraction > 0.5
    assert held.cold_start_share.fraction < 0.001


def test_a_figure_that_the_catalog_lacks_is_named():
    bare = CATALOG.model_copy(
        update={
            "distributions": CATALOG.distributions.model_copy(
                update={
                    "front_door": type(CATALOG.distributions.front_door).model_validate({}),
                }
            )
        }
    )
    with pytest.raises(MissingFigureError, match="eu-west-1"):
        latency(nodes(), demand(), bare, Around(region="eu-west-1"))


# -- replayed logs


@pytest.mark.parametrize("option", [nodes(3), function()], ids=["pool", "function"])
@pytest.mark.parametrize("log", [bursts, drifting])
def test_percentiles_of_a_log_are_those_of_its_requests_one_by_one(log: object, option: Option):
    """Composed from distributions on one side, each request on its own clock on the other."""
    requests = Requests(arrivals_s=log(2000))
    wanted = demand(service_time="200ms")
    composed = latency(option, wanted, CATALOG, BEHIND_AN_API, requests)
    played = simulate(option, wanted, CATALOG, BEHIND_AN_API, Scenario(requests=requests, engine="events"))
    assert seconds(composed.p50) == pytest.approx(seconds(played.p50), rel=0.10)
    assert seconds(composed.p99) == pytest.approx(seconds(played.p99), rel=0.15)


def test_the_made_logs_are_as_uneven_as_they_are_said_to_be():
    variations = [np.diff(log(20_000)).var() / np.diff(log(20_000)).mean() ** 2 for log in (bursts, drifting)]
    assert variations[0] > 100
    assert 1.05 < variations[1] < 1.4


# -- what never happens

RATES = st.integers(1, 10**6).map(lambda thousandths: thousandths / 1000)
BURSTINESS = st.sampled_from([1.0, 1.2, 0.3, 8.0, 173.0])
VARIATION = st.sampled_from([1.0, 0.5, 0.0, 3.0])


def small(seed: int = 0) -> Requests:
    return Requests(seed=seed, count=2000)


@given(rate=RATES, burstiness=BURSTINESS, variation=VARIATION, servers=st.integers(1, 40))
def test_more_replicas_are_never_slower_and_more_load_never_faster(
    rate: float, burstiness: float, variation: float, servers: int
):
    one = demand(rate, burstiness=burstiness, service_variation=variation)
    more = replace(one, rate=one.rate * 1.3, peak=one.peak * 1.3)
    base, larger, busier = (
        latency(nodes(count), given_demand, CATALOG, requests=small())
        for count, given_demand in ((servers, one), (servers + 1, one), (servers, more))
    )
    for share in ("p50", "p95", "p99"):
        assert seconds(getattr(larger, share)) <= seconds(getattr(base, share)) + 1e-9
        assert seconds(getattr(busier, share)) >= seconds(getattr(base, share)) - 1e-9


@given(rate=RATES, burstiness=BURSTINESS, of=st.sampled_from([nodes(4), function(), function(provisioned=2)]))
def test_percentiles_rise_and_the_same_seed_gives_the_same_answer(rate: float, burstiness: float, of: Option):
    asked = (of, demand(rate, burstiness=burstiness), CATALOG, Around(), small(7))
    found = latency(*asked)
    assert seconds(found.p50) <= seconds(found.p95) <= seconds(found.p99)
    assert found == latency(*asked)


def of_any_size(rate: Rate, **more: object) -> Demand:
    return Demand(rate=rate, peak=rate, **more)


@given(
    asked=st.builds(
        of_any_size,
        rate=st.integers(0, Rate.maximum).map(Rate),
        service_time=st.integers(1, Duration.maximum).map(Duration),
        burstiness=st.just(1.0) | st.floats(0, allow_infinity=False),
        service_variation=st.just(1.0) | st.floats(0, allow_infinity=False),
        hourly=st.none() | st.just((24.0,) + (0.0,) * 23),
        state_reads=st.integers(0, 10**6),
        state_bytes=st.none() | st.integers(0, Memory.maximum).map(Memory),
    ),
    of=st.sampled_from([nodes(1), nodes(10**6), function(), function(provisioned=10**5)]),
)
def test_nothing_that_can_be_asked_ends_in_a_traceback(asked: Demand, of: Option):
    for ask in (latency, simulate):
        requests = small()
        try:
            found = ask(
                of, asked, CATALOG, BEHIND_AN_API, requests if ask is latency else Scenario(requests=requests)
            )
        except (OptionError, CatalogError, UnitError):
            continue
        assert seconds(found.p50) <= seconds(found.p95) <= seconds(found.p99)
