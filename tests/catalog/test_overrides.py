"""A stack's own figures: they replace the catalog's, say so, and are refused where they make no sense."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import catalog
from components.catalog import Catalog, Confidence, overridden
from components.placement import decide
from components.spec import FigureOverride, StackError, yaml_source
from components.spec import load as load_stack
from tests.spec.stack_examples import HYBRID

HERE = "us-east-1"


def _figure(value: Any, **more: Any) -> FigureOverride:
    given = {"value": value, "source": "our own agreement", "as_of": "2026-11-01", **more}
    return FigureOverride.model_validate(given)


def _with(path: str, value: Any, **more: Any) -> Catalog:
    return overridden(catalog.load(), {path: _figure(value, **more)}, HERE)


def test_a_price_of_the_stacks_own_region():
    price = _with("prices.instances.g6.xlarge.on_demand", "$0.61/h").prices.instances["g6.xlarge"].on_demand
    assert str(price.at(HERE).value) == "$0.61/h"
    assert price.at(HERE).caveat == " (as configured)"
    assert (price.at(HERE).source, price.at(HERE).as_of) == ("our own agreement", date(2026, 11, 1))
    assert str(price.at("us-west-2").value) == "$0.8048/h", "another region's price stays the catalog's"


@pytest.mark.parametrize(
    ("path", "value", "region"),
    [
        pytest.param("limits.function.timeout", "11s", "any", id="a limit"),
        pytest.param("latency.state.round_trip_cross_zone", "800us", "any", id="a time"),
        pytest.param("prices.function.on_demand.amd64.request", "$0.10/1M requests", HERE, id="a unit price"),
        pytest.param("prices.function.managed_instances.management_fee", "12%", "any", id="a share"),
        pytest.param("prices.instances.m7g.large.dedicated_host", "$0.05/h", HERE, id="one nobody knew"),
        pytest.param("prices.providers.coreweave.offers.h100x8.hour", "$30/h", "any", id="another provider"),
        pytest.param("distributions.cold_start.image", {"p50": "1s", "p99": "4s"}, "any", id="percentiles"),
        pytest.param("zones.g6.xlarge", ["use1-az1"], HERE, id="zones"),
    ],
)
def test_any_figure_can_be_the_stacks_own(path: str, value: Any, region: str):
    changed = _with(path, value).place(path).facts
    own = [fact for fact in changed if fact.confidence is Confidence.CONFIGURED]
    assert [fact.region for fact in own] == [region]
    assert str(own[0].value) in {str(value), str(tuple(value)), "p50 1s, p99 4s"}


def test_the_catalog_itself_stays_as_it_is():
    before = catalog.load().limits.function.timeout.value
    _with("limits.function.timeout", "600s")
    assert catalog.load().limits.function.timeout.value == before


@pytest.mark.parametrize(
    ("path", "value", "where", "says"),
    [
        pytest.param(
            "prices.network.croszone",
            "$0.01/GB",
            'catalog["prices.network.croszone"]',
            "cross_zone",
            id="no path",
        ),
        pytest.param(
            "prices.network",
            "$0.01/GB",
            'catalog["prices.network"]',
            "prices.network.cross_zone",
            id="no figure",
        ),
        pytest.param(
            "prices.network.cross_zone",
            "$0.01/1M requests",
            'catalog["prices.network.cross_zone"].value',
            "$0.01/GB",
            id="another unit",
        ),
        pytest.param(
            "limits.function.timeout", "10GiB", 'catalog["limits.function.timeout"].value', "s", id="no time"
        ),
        pytest.param(
            "distributions.cold_start.zip",
            {"p50": "2s", "p99": "1s"},
            'catalog["distributions.cold_start.zip"].value',
            "halfmetal catalog",
            id="falling percentiles",
        ),
        pytest.param(
            "prices.instances.g6.xlarge.spot",
            "-$1/h",
            'catalog["prices.instances.g6.xlarge.spot"].value',
            "$4.10/h",
            id="negative",
        ),
    ],
)
def test_a_figure_that_makes_no_sense_is_a_problem_with_its_remedy(
    path: str, value: Any, where: str, says: str
):
    with pytest.raises(StackError) as error:
        _with(path, value)
    (problem,) = error.value.problems
    assert problem.path == where
    assert says in problem.remedy


def test_every_wrong_figure_is_named_at_once():
    figures = {"limits.function.timeout": _figure("soon"), "limits.nothing.here": _figure("1s")}
    with pytest.raises(StackError) as error:
        overridden(catalog.load(), figures, HERE)
    assert len(error.value.problems) == 2


_VALUES = st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3) | st.just({"p50": "1s"})


@given(path=st.sampled_from(sorted(catalog.load().places)), value=_VALUES)
def test_no_value_at_any_path_is_ever_more_than_a_problem(path: str, value: Any):
    try:
        changed = _with(path, value)
    except StackError as error:
        assert all(problem.remedy for problem in error.problems)
    else:
        assert any(fact.confidence is Confidence.CONFIGURED for fact in changed.place(path).facts)


def test_a_decision_says_that_it_rests_on_a_configured_figure():
    stack = load_stack({**HYBRID, "catalog": {"limits.function.memory_on_demand": _raw("512MiB")}})
    findings = [refusal.reason for each in decide(stack).by_name.values() for refusal in each.refused]
    assert any("512 MB (as configured)" in reason for reason in findings)


def test_a_decision_with_a_figure_that_makes_no_sense_is_refused():
    stack = load_stack({**HYBRID, "catalog": {"limits.function.memory_on_demand": _raw("many")}})
    with pytest.raises(StackError, match="memory_on_demand"):
        decide(stack)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        pytest.param({"value": "$1/h", "source": "x", "as_of": "soon"}, "as_of", id="no day"),
        pytest.param({"value": "$1/h", "as_of": "2026-11-01"}, "source", id="no source"),
        pytest.param({"value": 1, "source": "x", "as_of": "2026-11-01"}, "value", id="a bare number"),
        pytest.param({"value": "$1/h", "source": "x", "as_of": "2026-11-01", "who": "me"}, "who", id="a key"),
    ],
)
def test_a_stack_file_says_what_is_wrong_with_its_figure(raw: dict[str, Any], path: str):
    with pytest.raises(StackError) as error:
        load_stack({**HYBRID, "catalog": {"prices.network.cross_zone": raw}})
    (problem,) = error.value.problems
    assert problem.path == f'catalog["prices.network.cross_zone"].{path}'
    assert problem.remedy


def _raw(value: str) -> dict[str, str]:
    return {"value": value, "source": "our own agreement", "as_of": "2026-11-01"}


def test_the_example_in_the_documentation_works():
    page = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
    block = page.partition("```yaml\n")[2].partition("```")[0]
    stack = load_stack({**HYBRID, **yaml_source.read(block).value})
    changed = catalog.for_stack(catalog.load(), stack)
    assert str(changed.instance_price("g6.xlarge", "on-demand", HERE).value) == "$0.61/h"
    assert str(changed.distributions.hop.cross_zone.at(HERE).value) == "p50 400us, p99 900us"
