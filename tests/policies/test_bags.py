"""Property bags as the policy SDK hands them over: unknowns raise, numbers are floats."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY, deserialize_properties
from pulumi_policy.proxy import (
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
    unknown_checking_proxy,
)

from policies.pack.bags import plain
from policies.reading.bags import ABSENT, UNKNOWN, entries, fetch, items, whole


def _bag(props: dict[str, Any]) -> Any:
    return plain(unknown_checking_proxy(deserialize_properties(props)))


BAG = _bag(
    {
        "size": 512.0,
        "none": None,
        "later": UNKNOWN_NUMBER_VALUE,
        "hidden": {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": 7.0},
        "tags": {"known": "yes", "later": UNKNOWN_STRING_VALUE},
        "list": ["a", UNKNOWN_STRING_VALUE, {"deep": [1.0, UNKNOWN_OBJECT_VALUE]}],
        "all-later": UNKNOWN_ARRAY_VALUE,
    }
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(["size"], 512.0, id="a number"),
        pytest.param(["none"], ABSENT, id="null is absent"),
        pytest.param(["never"], ABSENT, id="no such key"),
        pytest.param(["later"], UNKNOWN, id="a value not known yet"),
        pytest.param(["later", "inside"], UNKNOWN, id="within a value not known yet"),
        pytest.param(["hidden"], 7.0, id="a secret"),
        pytest.param(["tags", "known"], "yes", id="a key beside an unknown one"),
        pytest.param(["tags", "later"], UNKNOWN, id="an unknown key beside a known one"),
        pytest.param(["list", 0], "a", id="an item"),
        pytest.param(["list", 1], UNKNOWN, id="an item not known yet"),
        pytest.param(["list", 2, "deep", 0], 1.0, id="deep within"),
        pytest.param(["list", 2, "deep", 1, "deeper"], UNKNOWN, id="within an unknown item"),
        pytest.param(["list", 9], ABSENT, id="past the end"),
        pytest.param(["list", "key"], ABSENT, id="a key of a list"),
        pytest.param(["tags", 0], ABSENT, id="an index of a mapping"),
        pytest.param(["size", "key"], ABSENT, id="a key of a number"),
        pytest.param(["tags", "known", 0], ABSENT, id="a text is no list"),
    ],
)
def test_a_value_is_fetched_by_itself(path: list[str | int], value: object):
    assert fetch(BAG, *path) == value


def test_a_mapping_and_a_list_are_walked_past_what_is_not_known():
    assert dict(entries(BAG, "tags")) == {"known": "yes", "later": UNKNOWN}
    walked = list(items(BAG, "list"))
    assert walked[:2] == ["a", UNKNOWN]
    assert list(items(BAG, "all-later")) == []
    assert list(entries(BAG, "size")) == []
    assert list(items(BAG, "tags")) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [
        pytest.param(20.0, 20, id="a float, as the engine sends it"),
        pytest.param(20, 20, id="an int"),
        pytest.param("20", 20, id="a text, as Kubernetes writes quantities"),
        pytest.param("1e1", 10, id="an exponent"),
        pytest.param(0.5, None, id="no whole number"),
        pytest.param("500m", None, id="a unit"),
        pytest.param(True, None, id="a flag"),
        pytest.param(float("nan"), None, id="no number at all"),
        pytest.param(float("inf"), None, id="without end"),
        pytest.param("inf", None, id="without end, as text"),
        pytest.param(ABSENT, None, id="absent"),
        pytest.param(UNKNOWN, None, id="unknown"),
    ],
)
def test_a_whole_number_however_it_arrives(value: object, number: int | None):
    assert whole(value) == number


scalars = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
bags = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(bags, st.lists(st.text(max_size=3) | st.integers(-4, 4), max_size=4))
def test_no_path_through_any_bag_raises(bag: Any, path: list[str | int]):
    proxied = _bag({"root": bag})
    fetch(proxied, "root", *path)
    list(entries(proxied, "root"))
    list(items(proxied, "root"))
