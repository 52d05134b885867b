"""Whatever in whatever place of a bag: nothing breaks, and what is not known accuses nobody."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import related_examples
from hypothesis import given
from hypothesis import strategies as st
from reading_examples import EXAMPLES

from components.catalog import load as load_catalog
from components.placement import Answer, Facts, Home, StateRead, Tenancy, settle
from components.spec import Duration, Memory, Share
from policies.judging import everything
from policies.reading.bags import UNKNOWN
from policies.reading.subjects import READS
from policies.resources import Resource

SETTINGS = settle(load_catalog(), {})
TYPES = sorted({id(reads): kind for kind, reads in READS.items()}.values())
PLACED = Facts(
    workload="chat",
    home=Home.METAL,
    memory=Memory.of(1, "GiB"),
    accelerator_count=1,
    accelerator_type="L4",
    utilization=Share.parse("30%"),
    latency_p99=Duration.of(1, "ms"),
    service_time=Duration.of(20, "s"),
    cold_start_tolerance=Duration.of(100, "ms"),
    jitter=Duration.of(20, "us"),
    pinned=True,
    twin=True,
    warm_replicas=1,
    state=(StateRead("features", ("us-east-1a",)),),
    local_cache=True,
    compliance=("pci-dss",),
    tenancy=Tenancy.DEDICATED,
    audit_logs=True,
    own_keys=True,
    managed_cluster=False,
    operations_team=False,
    ties=("sqs",),
)

leaves = st.one_of(
    st.just(UNKNOWN),
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(),
    st.sampled_from(["", "0", "FARGATE", "[", "[1]", "us-east-1a", "embed", "1e9999", "g6.xlarge", "Always"]),
)
wrong = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "spec", "limits", "key"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def _places(bag: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a bag."""
    inner = bag.items() if isinstance(bag, dict) else enumerate(bag) if isinstance(bag, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from _places(value, (*path, key))


def _with(bag: Any, path: tuple[Any, ...], value: object) -> Any:
    copy = deepcopy(bag)
    place = copy
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copy


@st.composite
def spoiled(draw: st.DrawFn, bag: dict[str, Any]) -> dict[str, Any]:
    """A bag with other values in some places."""
    for _ in range(draw(st.integers(0, 3))):
        places = list(_places(bag))
        bag = _with(bag, draw(st.sampled_from(places)), draw(wrong))
    return bag


def _placed(bag: dict[str, Any]) -> dict[str, Any]:
    """The example, carrying facts that most rules have something against."""
    if "metadata" in bag:
        metadata = {**bag["metadata"], "annotations": PLACED.to_annotations()}
        return {**bag, "metadata": metadata}
    if "annotations" in bag:
        return {**bag, "annotations": PLACED.to_annotations()}
    if isinstance(bag.get("tags"), list):
        return {**bag, "tags": [{"key": key, "value": value} for key, value in PLACED.to_tags().items()]}
    return {**bag, "tags": PLACED.to_tags()}


Answers = dict[tuple[str, str], Answer]


def _answers(resources: list[Resource]) -> Answers:
    return {
        (judged.rule.id, judged.resource.urn): judged.verdict.answer
        for judged in everything(SETTINGS, resources)
        if judged.verdict.answer is not Answer.REFUSED or not judged.verdict.soft
    }


def _newly_refused(before: Answers, after: Answers) -> set[tuple[str, str]]:
    return {
        each
        for each, answer in after.items()
        if answer is Answer.REFUSED and before.get(each, Answer.FITS) is not Answer.REFUSED
    }


def _one_resource(resource_type: str, data: st.DataObject) -> None:
    def said(bag: dict[str, Any]) -> Answers:
        return _answers([Resource(resource_type, "it", "urn:it", bag)])

    bag = _placed(EXAMPLES[resource_type])
    said(data.draw(spoiled(bag)))
    hidden = _with(bag, data.draw(st.sampled_from(list(_places(bag)))), UNKNOWN)
    assert _newly_refused(said(bag), said(hidden)) == set()


def _set_of_resources(says: str, data: st.DataObject) -> None:
    resources = [
        replace(one, props=_placed(dict(one.props))) if place == 0 else one
        for place, one in enumerate(related_examples.SETS[says])
    ]
    place = data.draw(st.sampled_from([at for at, one in enumerate(resources) if one.props]))

    def said(bag: Any) -> Answers:
        instead = replace(resources[place], props=bag)
        return _answers([*resources[:place], instead, *resources[place + 1 :]])

    bag = dict(resources[place].props)
    said(data.draw(spoiled(bag)))
    hidden = _with(bag, data.draw(st.sampled_from(list(_places(bag)))), UNKNOWN)
    assert _newly_refused(said(bag), said(hidden)) == set()


@given(st.sampled_from(TYPES), st.data())
def test_no_bag_of_one_resource_breaks_anything(resource_type: str, data: st.DataObject):
    _one_resource(resource_type, data)


@given(st.sampled_from(sorted(related_examples.SETS)), st.data())
def test_no_set_of_resources_breaks_anything(says: str, data: st.DataObject):
    _set_of_resources(says, data)


@pytest.mark.slow
@given(data=st.data())
@pytest.mark.parametrize("resource_type", TYPES)
def test_no_bag_of_this_type_breaks_anything(resource_type: str, data: st.DataObject):
    _one_resource(resource_type, data)


@pytest.mark.slow
@given(data=st.data())
@pytest.mark.parametrize("says", related_examples.SETS)
def test_no_such_set_breaks_anything(says: str, data: st.DataObject):
    _set_of_resources(says, data)
