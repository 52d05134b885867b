"""What the engine sends is read the way the SDK would, but for secrets, which nobody gets to see."""

from datetime import date
from typing import Any

import grpc
import pulumi
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.deserialize import (
    SPECIAL_ARCHIVE_SIG,
    SPECIAL_ASSET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
)
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, UNKNOWN_STRING_VALUE, unknown_checking_proxy

from policies.pack import Pack
from policies.pack.bags import plain
from policies.pack.wire import UNKNOWNS, Wire, asked, bag, installed, offered
from policies.reading.bags import UNKNOWN
from tests.pack_in_process import PackInProcess, Sent, secret, struct

# The mark of an output value, which the engine sends to no pack yet.
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        pytest.param(512, 512.0, id="a number is a float"),
        pytest.param("512", "512", id="a text"),
        pytest.param(True, True, id="a flag"),
        pytest.param(None, None, id="null"),
        pytest.param(float("inf"), float("inf"), id="no number that JSON has"),
        pytest.param(UNKNOWN_NUMBER_VALUE, UNKNOWN, id="not known yet"),
        pytest.param(secret("hunter2"), UNKNOWN, id="a secret"),
        pytest.param(secret({"deep": ["hunter2"]}), UNKNOWN, id="a secret mapping"),
        pytest.param(secret(UNKNOWN_STRING_VALUE), UNKNOWN, id="a secret that is not known yet"),
        pytest.param({SPECIAL_SIG_KEY: SPECIAL_ASSET_SIG, "text": "code"}, UNKNOWN, id="an asset"),
        pytest.param({SPECIAL_SIG_KEY: SPECIAL_ARCHIVE_SIG, "path": "./dist"}, UNKNOWN, id="an archive"),
        pytest.param({SPECIAL_SIG_KEY: _OUTPUT, "value": 1}, UNKNOWN, id="a mark that means something else"),
        pytest.param(
            {"a": [1, secret("hunter2"), {"b": UNKNOWN_STRING_VALUE, "c": "x"}]},
            {"a": [1.0, UNKNOWN, {"b": UNKNOWN, "c": "x"}]},
            id="what is known beside what is not",
        ),
    ],
)
def test_a_value_is_read_as_it_was_sent(sent: object, read: object):
    found = bag(struct({"value": sent}))
    assert found == {"value": read}
    assert type(found["value"]) is type(read)


_scalars = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)
_values = st.recursive(
    _scalars | st.sampled_from(sorted(UNKNOWNS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), _values, max_size=3))
def test_it_reads_what_the_sdk_reads(props: dict[str, Any]):
    sent = struct(props)
    by_sdk = unknown_checking_proxy(deserialize_properties(json_format.MessageToDict(sent)))
    assert bag(sent) == plain(by_sdk)


def test_files_are_unknown_by_the_sdk_too():
    files = {"asset": pulumi.StringAsset("code"), "archive": pulumi.FileArchive("./dist")}
    assert plain(unknown_checking_proxy(files)) == {"asset": UNKNOWN, "archive": UNKNOWN}


def test_nothing_is_at_hand_but_while_the_policies_run():
    PackInProcess().analyze(Sent("aws:s3/bucket:Bucket", "logs", {}))
    assert asked() is None
    assert offered() is None


def test_a_server_made_within_is_asked_through_it_and_none_after():
    make = grpc.server
    with installed(Wire(Pack(date(2026, 11, 25)))):
        assert grpc.server is not make
    assert grpc.server is make


def test_a_call_that_is_not_its_business_is_passed_on():
    wire = Wire(Pack(date(2026, 11, 25)))
    handler = object()
    details = type("Details", (), {"method": "/pulumirpc.Analyzer/GetAnalyzerInfo"})
    assert wire.intercept_service(lambda _: handler, details) is handler
