"""Times as percentiles: they rise, say only what is known, and agree with the figures that rules go by."""

import pytest
from pydantic import ValidationError

from components import catalog
from components.catalog import Distribution
from components.spec import Duration

HERE = "us-east-1"


def test_what_is_known_comes_lowest_first():
    times = Distribution.model_validate({"p99": "1s", "p10": "200ms"})
    assert times.quantiles == ((0.10, Duration.parse("200ms")), (0.99, Duration.parse("1s")))
    assert str(times) == "p10 200ms, p99 1s"


@pytest.mark.parametrize(
    "percentiles",
    [
        pytest.param({"p50": "1s"}, id="one point"),
        pytest.param({"p50": "1s", "p99": "900ms"}, id="falling"),
        pytest.param({"p50": "1s", "p42": "2s"}, id="a percentile nobody uses"),
        pytest.param({"p50": 1, "p99": 2}, id="no unit"),
    ],
)
def test_what_is_no_distribution(percentiles: dict[str, object]):
    with pytest.raises(ValidationError):
        Distribution.model_validate(percentiles)


def test_every_time_that_a_request_is_composed_of_is_known():
    missing = [
        path
        for path, place in catalog.load().places.items()
        if path.startswith("distributions.") and not place.facts
    ]
    assert missing == []


def test_the_rules_and_the_latency_model_go_by_the_same_cold_start():
    facts = catalog.load()
    by_rule, by_model = facts.latency.cold_start, facts.distributions.cold_start
    assert by_rule.p95.value == by_model.zip.at(HERE).value.p95
    assert by_rule.p95_large_package.value == by_model.zip_large.at(HERE).value.p95


def test_crossing_zones_takes_no_longer_than_the_rules_reckon_with():
    facts = catalog.load()
    hop, state = facts.distributions.hop, facts.latency.state
    assert hop.cross_zone.at(HERE).value.p99 == state.round_trip_cross_zone.value
    assert hop.same_zone.at(HERE).value.p99 == state.round_trip_same_zone.value
