"""Prices: found by what is paid for and where, or an error that says what is missing and how to add it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import catalog
from components.catalog import (
    CapacityUnitPrice,
    CatalogError,
    MemoryTimePrice,
    MissingFigureError,
    RequestPrice,
    TransferPrice,
    UnitPrice,
)
from components.spec import Memory, Money, Rate, UnitError

HERE = "us-east-1"


def test_provisioned_concurrency_beats_on_demand_above_sixty_percent_busy():
    function = catalog.load().prices.function
    on_demand = function.on_demand["amd64"].gb_second.at(HERE).value.amount
    held = function.provisioned["amd64"].held_gb_second.at(HERE).value.amount
    run = function.provisioned["amd64"].run_gb_second.at(HERE).value.amount
    assert float(held / (on_demand - run)) == pytest.approx(0.60, abs=0.001)


def test_a_core_of_lambda_for_an_hour():
    price = catalog.load().prices.function.on_demand["amd64"].gb_second.at(HERE).value
    assert float(price.holding(Memory.parse("1769MiB")).amount) == pytest.approx(0.1037, abs=1e-4)


@pytest.mark.parametrize(
    ("money", "expected"),
    [
        pytest.param(
            RequestPrice.parse("$0.20/1M requests").at(Rate.parse("1/s")), "$0.5256/month", id="requests"
        ),
        pytest.param(
            MemoryTimePrice.parse("$0.00001/GB-s").holding(Memory.parse("2GiB"), 0.5),
            "$0.036/h",
            id="half busy",
        ),
        pytest.param(
            TransferPrice.parse("$0.01/GB").at(Memory.parse("1GiB"), Rate.parse("1/h")),
            "$7.30/month",
            id="a gigabyte an hour",
        ),
        pytest.param(CapacityUnitPrice.parse("$0.006/LCU-h").using(2), "$0.012/h", id="two capacity units"),
    ],
)
def test_a_unit_price_and_an_amount_of_use_are_money(money: Money, expected: str):
    assert money == Money.parse(expected)


_KINDS = [RequestPrice, MemoryTimePrice, TransferPrice, CapacityUnitPrice]


@pytest.mark.parametrize("kind", _KINDS)
@given(amount=st.decimals(0, 1_000, places=12))
def test_the_spelling_parses_back(kind: type[UnitPrice], amount: Decimal):
    price = kind(amount)
    assert kind.parse(str(price)) == price


@pytest.mark.parametrize("kind", _KINDS)
@given(text=st.text(max_size=40) | st.integers() | st.floats() | st.none())
def test_what_is_no_price_says_how_to_write_one(kind: type[UnitPrice], text: object):
    with pytest.raises(UnitError) as error:
        kind.from_config(text)
    assert error.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("$0.01", id="no unit"),
        pytest.param("$-0.01/GB", id="negative"),
        pytest.param("$0.01/1M requests", id="another unit"),
        pytest.param("$99999999/GB", id="absurd"),
    ],
)
def test_a_transfer_price_that_is_none(text: str):
    with pytest.raises(UnitError):
        TransferPrice.parse(text)


def test_prices_of_different_units_do_not_compare():
    with pytest.raises(TypeError):
        _ = TransferPrice.parse("$0.01/GB") < RequestPrice.parse("$0.20/1M requests")


@pytest.mark.parametrize(
    ("instance", "capacity", "region", "named"),
    [
        pytest.param("m7g.large", "on-demand", "xx-nowhere-1", "known for us-east-1", id="another region"),
        pytest.param("x9.huge", "on-demand", HERE, "prices.instances.x9.huge.on_demand", id="no such type"),
        pytest.param("m7g.large", "spot", "xx-nowhere-1", "m7g.large.spot", id="nothing to reckon it from"),
    ],
)
def test_a_price_that_is_not_there_is_named_with_what_to_do(
    instance: str, capacity: catalog.Capacity, region: str, named: str
):
    with pytest.raises(MissingFigureError) as error:
        catalog.load().instance_price(instance, capacity, region)
    assert named in str(error.value)
    assert region in str(error.value)
    problem = error.value.problem("data_plane.pools[0].instance", "gpu-a")
    assert (problem.subject, problem.remedy) == ("gpu-a", error.value.remedy)


@pytest.mark.parametrize(
    ("instance", "capacity", "expected", "caveat"),
    [
        pytest.param("g6.xlarge", "on-demand", "$0.8048/h", "", id="on demand"),
        pytest.param("g6.xlarge", "spot", "$0.4102/h", "", id="spot, with a price of its own"),
        pytest.param("g4dn.xlarge", "spot", "$0.26826/h", " (assumed)", id="spot, reckoned"),
        pytest.param("p5.48xlarge", "capacity-block", "$55.04/h", " (assumed)", id="capacity block"),
        pytest.param("m7g.large", "dedicated-host", "$0.08976/h", " (assumed)", id="dedicated host"),
    ],
)
def test_an_instance_by_the_way_it_is_bought(
    instance: str, capacity: catalog.Capacity, expected: str, caveat: str
):
    fact = catalog.load().instance_price(instance, capacity, HERE)
    assert (str(fact.value), fact.caveat) == (expected, caveat)


def test_prices_of_other_providers():
    facts = catalog.load()
    assert facts.offer_price("coreweave", "h100x8", "us-east-04a").value == Money.parse("$49.24/h")
    assert facts.offer_price("coreweave", "h100x8", "us-east-04a", spot=True).value == Money.parse("$19.71/h")
    with pytest.raises(CatalogError, match="gh200"):
        facts.offer_price("coreweave", "gh200", "us-east-04a", spot=True)
    with pytest.raises(CatalogError, match="h900"):
        facts.offer_price("vultr", "h900", "ewr")


def test_what_is_billed_by_the_month_is_held_by_the_hour():
    month = catalog.load().offer_price("vultr", "vbm-4c-32gb", "ewr").value.to("month")
    assert float(month.amount) == pytest.approx(120)


def test_each_instance_type_is_priced_and_each_priced_one_described():
    facts = catalog.load()
    assert set(facts.prices.instances) == set(facts.instance_types)
    assert [
        name for name, price in facts.prices.instances.items() if price.on_demand.known(HERE) is None
    ] == []
