"""A plan puts each decision beside the bill and the percentiles of every home."""

import json
import random
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components.placement import Home, decide
from components.placement.options import NodesOption
from components.placement.plan import Plan, Planned, plan
from components.placement.plan.summary import lines, summary
from components.spec import Stack, load, load_file
from components.spec.units import Money, Period

STACKS = Path(__file__).resolve().parents[2] / "stacks"
NAMES = ("dedicated", "hybrid", "pure")


@cache
def example(name: str) -> Plan:
    return plan(load_file(STACKS / f"Pulumi.{name}.yaml"))


def hybrid(**changes: Any) -> Stack:
    """The hybrid example with one workload changed: `embed`, which may run on nodes and as a function."""
    raw = deepcopy(_raw("hybrid"))
    (embed,) = [each for each in raw["workloads"] if each["name"] == "embed"]
    (index,) = [each for each in raw["workloads"] if each["name"] == "index"]
    embed["serve"]["function"] = index["serve"]["function"]
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = embed
        for part in parents:
            place = place.setdefault(part, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return load(raw)


@cache
def _raw(name: str) -> dict[str, Any]:
    text = (STACKS / f"Pulumi.{name}.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    return found


def embed_of(made: Plan) -> Planned:
    return next(each for each in made.workloads if each.name == "embed")


@pytest.mark.parametrize("name", NAMES)
def test_the_homes_are_those_that_were_decided(name: str):
    decided = decide(load_file(STACKS / f"Pulumi.{name}.yaml"))
    assert {each.name: each.placement.home for each in example(name).workloads} == {
        each: placement.home for each, placement in decided.by_name.items()
    }
    for each in example(name).workloads:
        assert [alternative.home for alternative in each.alternatives] == list(Home)


@pytest.mark.parametrize("name", NAMES)
def test_the_total_is_what_is_shown(name: str):
    made = example(name)
    shown = [each.chosen.cost.total for each in made.workloads if each.chosen.cost is not None]
    parts = [*shown, *(line.money for line in made.standing), *(idle.money for idle in made.idle)]
    assert made.total == sum(parts, Money(Decimal(0), Period.MONTH))


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_price_or_time_says_why(name: str):
    for each in example(name).workloads:
        for alternative in each.alternatives:
            if alternative.cost is None or alternative.latency is None:
                assert alternative.unknown
            else:
                assert not alternative.unknown


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        pytest.param({"rate": None, "peak": None}, "traffic.rate is not known", id="no rate"),
        pytest.param({"service_time": None}, "traffic.service_time is not known", id="no service time"),
    ],
)
def test_a_workload_of_which_too_little_is_known(changes: dict[str, Any], unknown: str):
    made = plan(hybrid(**{f"traffic__{name}": value for name, value in changes.items()}))
    assert embed_of(made).chosen.unknown == unknown
    assert made.unpriced == ("embed",)
    assert any(each.subject == "embed" and each.message == unknown for each in made.warnings)


def test_a_region_without_prices_is_named_with_the_remedy():
    raw = deepcopy(_raw("pure"))
    raw |= {"region": "ap-south-2", "zones": ["ap-south-2a", "ap-south-2b"]}
    unknown = embed_of(plan(load(raw))).chosen.unknown
    assert "ap-south-2" in unknown


@pytest.mark.parametrize(
    ("changes", "others"),
    [
        pytest.param({}, {Home.FUNCTION, Home.RESERVED_FUNCTION}, id="homes that are allowed"),
        pytest.param(
            {"placement": {"home": "function"}}, {Home.RESERVED_FUNCTION, Home.POOL}, id="not its own"
        ),
        pytest.param({"latency__p99": "30ms"}, set(), id="none holds the budget"),
        pytest.param({"traffic__utilization": "80%"}, set(), id="the rules allow none"),
    ],
)
def test_the_runner_up_is_the_cheapest_of_the_others(changes: dict[str, Any], others: set[Home]):
    embed = embed_of(plan(hybrid(**changes)))
    prices = {each.home: each.cost.total for each in embed.alternatives if each.cost and each.home in others}
    assert prices.keys() == others
    assert (embed.runner_up.home if embed.runner_up else None) == min(
        prices, key=lambda home: prices[home], default=None
    )
    assert bool(embed.break_even) == bool(others)


def test_the_home_beside_every_other_that_may_be_had():
    embed = embed_of(plan(hybrid()))
    comparison = embed.comparison
    assert comparison is not None
    assert [each.option.home for each in comparison.contenders] == [
        Home.POOL,
        Home.FUNCTION,
        Home.RESERVED_FUNCTION,
    ]
    # At today's rate the curves are at what the bills say.
    for each in comparison.contenders:
        (cost,) = [one.cost for one in embed.alternatives if one.cost and one.home is each.option.home]
        assert each.bill.dollars(cost.demand.rate.per_second) == pytest.approx(float(cost.total.amount))
    assert embed.runner_up is not None
    assert embed.runner_up.home is Home.FUNCTION
    (crossing,) = comparison.crossings[0]
    assert crossing.utilization is not None
    assert f"from {crossing.utilization.fraction:.1%} busy 1 m7g.large cheaper" in embed.break_even


def test_a_budget_that_is_not_held_is_a_warning():
    warned = [each.message for each in plan(hybrid(latency__p99="30ms")).warnings if each.subject == "embed"]
    assert any("is over its budget of 30ms" in message for message in warned)


@pytest.mark.parametrize(
    ("stated", "concurrency"),
    [pytest.param(16, 16, id="as stated"), pytest.param(None, 8, id="as the gateway lets in by itself")],
)
def test_a_pod_takes_as_many_requests_as_the_gateway_gives_it(stated: int | None, concurrency: int):
    option = embed_of(plan(hybrid(placement__max_concurrency=stated))).chosen.option
    assert isinstance(option, NodesOption)
    assert option.concurrency == concurrency


def test_nodes_that_nobody_claims_are_in_the_total():
    (idle,) = example("hybrid").idle
    assert (idle.pool, idle.nodes) == ("cpu-a", pytest.approx(2 - 2 / 3))


@given(st.randoms(use_true_random=False))
def test_the_order_of_workloads_does_not_matter(chance: random.Random):
    raw = deepcopy(_raw("hybrid"))
    chance.shuffle(raw["workloads"])
    made = plan(load(raw))
    assert made.total == example("hybrid").total
    assert [each.name for each in made.workloads] == [each.name for each in example("hybrid").workloads]


def test_what_a_preview_prints():
    told = list(lines(example("hybrid")))
    assert [line.partition(":")[0] for line in told] == ["chat", "embed", "index", "hybrid"]
    assert "pool gpu-a/us-east-1a" in told[0]
    assert "a month, p99 " in told[0]
    assert told[1].count("tail") == 1
    assert told[2].endswith("; the stack file places it on an on-demand function")
    assert "a month by the catalog" in told[3]
    assert list(lines(example("dedicated")))[-1].endswith("and nodes that exist already")


@pytest.mark.parametrize("name", NAMES)
def test_what_a_stack_keeps_of_its_plan(name: str):
    made = example(name)
    kept = summary(made)
    assert json.loads(json.dumps(kept)) == kept
    assert kept["topology"] == name
    assert kept["dollars_a_month"] == pytest.approx(float(made.total.amount), abs=0.01)
    assert {each: kept["workloads"][each]["home"] for each in kept["workloads"]} == {
        each.name: each.placement.home.value for each in made.workloads
    }
