"""Property values on the wire and off it: nothing is lost, secrets least of all."""

from typing import Any

import pytest
from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws.provider.values import (
    UNKNOWN,
    Archive,
    Asset,
    Reference,
    Secret,
    conceal,
    decode,
    encode,
    has_unknown,
    reveal,
    secret_paths,
)

scalars = st.one_of(
    st.booleans(), st.integers(-(2**53) + 1, 2**53 - 1), st.text(), st.just(UNKNOWN), st.floats(0.1, 0.9)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(min_size=1), inner, max_size=3),
        st.builds(Secret, inner),
    ),
    max_leaves=12,
)
bags = st.dictionaries(st.text(min_size=1), values, max_size=4)


@given(bags)
def test_what_is_sent_is_what_arrives(bag: dict[str, Any]) -> None:
    assert decode(encode(bag)) == bag


@given(bags)
def test_secrets_are_found_and_hidden_again(bag: dict[str, Any]) -> None:
    plain, paths = reveal(bag), list(secret_paths(bag))
    assert not list(secret_paths(plain))
    hidden = conceal(plain, paths)
    assert reveal(hidden) == plain
    assert {path[0] for path in paths} == {path[0] for path in secret_paths(hidden)}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(Asset("path", "/tmp/a.txt", "abc"), id="a file"),
        pytest.param(Asset("text", "", "abc"), id="an empty text"),
        pytest.param(Archive("path", "./src", "abc"), id="a directory"),
        pytest.param(Archive("assets", {"a": Asset("text", "x", "1")}, "abc"), id="several files"),
        pytest.param(Reference("urn:pulumi:a::b::c::d", "vpc-1", "7.0.0"), id="a resource"),
    ],
)
def test_things_that_are_no_plain_values_come_through(value: Any) -> None:
    assert decode(encode({"it": value})) == {"it": value}


def test_what_the_engine_kept_of_an_archive_is_its_hash() -> None:
    kept = encode({"code": Archive("assets", {}, "abc")})
    del kept.fields["code"].struct_value.fields["assets"]
    assert decode(kept)["code"] == Archive("assets", {"a": Asset("text", "x")}, "abc")


def test_a_resource_reference_stands_for_its_id() -> None:
    assert reveal(Reference("urn", "vpc-1")) == "vpc-1"
    assert reveal(Reference("urn", None)) is UNKNOWN


def test_outputs_are_their_values() -> None:
    struct = struct_pb2.Struct()
    struct.update(
        {
            "a": {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", "value": "x"},
            "b": {"4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4"},
        }
    )
    assert decode(struct) == {"a": "x", "b": UNKNOWN}


def test_whole_numbers_are_whole() -> None:
    assert decode(encode({"n": 3.0})) == {"n": 3}
    assert isinstance(decode(encode({"n": 3.0}))["n"], int)


def test_a_secret_in_a_list_makes_the_list_secret() -> None:
    bag = {"list": ["a", Secret("b")], "map": {"x": Secret(1), "y": 2}}
    assert set(secret_paths(bag)) == {("list",), ("map", "x")}
    hidden = conceal({"list": ["b", "a", "c"], "map": {"x": 1, "y": 2}}, secret_paths(bag))
    assert hidden == {"list": Secret(["b", "a", "c"]), "map": {"x": Secret(1), "y": 2}}


def test_unknown_is_noticed_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": None}]})
