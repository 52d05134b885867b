"""Taking the bearer token of `aws eks get-token` apart."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from sandbox.aws.emulator.eks_token import PREFIX, NotATokenError, parse

QUERY = {
    "Action": "GetCallerIdentity",
    "Version": "2011-06-15",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "AKIAEXAMPLE/20261125/us-east-1/sts/aws4_request",
    "X-Amz-Date": "20261125T101500Z",
    "X-Amz-Expires": "60",
    "X-Amz-SignedHeaders": "host;x-k8s-aws-id",
    "X-Amz-Signature": "0" * 64,
}


def token(**changes: str | None) -> str:
    query = {name: value for name, value in {**QUERY, **changes}.items() if value is not None}
    url = f"http://127.0.0.1:4566/?{urlencode(query)}"
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def test_a_token_signed_for_a_loopback_endpoint_is_understood():
    parsed = parse(token())
    assert (parsed.host, parsed.path, parsed.access_key) == ("127.0.0.1:4566", "/", "AKIAEXAMPLE")
    assert (parsed.date, parsed.region, parsed.service) == ("20261125", "us-east-1", "sts")
    assert parsed.session_token is None


@pytest.mark.parametrize(
    ("age", "current"),
    [
        pytest.param(timedelta(0), True, id="just signed"),
        pytest.param(timedelta(minutes=14), True, id="cached by the client"),
        pytest.param(timedelta(minutes=16), False, id="expired"),
        pytest.param(timedelta(minutes=-10), False, id="from the future"),
    ],
)
def test_a_token_is_good_for_fifteen_minutes(age: timedelta, *, current: bool):
    assert parse(token()).is_current(datetime(2026, 11, 25, 10, 15, tzinfo=UTC) + age) is current


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [
        pytest.param("eyJhbGciOi", "does not begin", id="a service account's token"),
        pytest.param(PREFIX + "\xff", "not a URL in base64", id="not base64"),
        pytest.param(PREFIX + "a" * 20000, "does not begin", id="absurdly long"),
        pytest.param(token(Action="AssumeRole"), "not a GetCallerIdentity", id="another request"),
        pytest.param(token(**{"X-Amz-Credential": "k/d/r/s3/aws4_request"}), "scope", id="another service"),
        pytest.param(token(**{"X-Amz-SignedHeaders": "host"}), "x-k8s-aws-id", id="no cluster signed"),
        pytest.param(token(**{"X-Amz-Date": "today"}), "date", id="no date"),
        pytest.param(token(**{"X-Amz-Signature": None}), "X-Amz-Signature", id="no signature"),
    ],
)
def test_anything_else_is_refused_with_a_reason(bearer: str, reason: str):
    with pytest.raises(NotATokenError, match=reason):
        parse(bearer)
