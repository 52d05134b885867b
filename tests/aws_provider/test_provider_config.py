"""The provider talks to this machine or to nobody."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.aws.provider.config import Config, failures, is_loopback, plain, resolve
from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.services import Services
from sandbox.aws.provider.values import Secret

HERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_REGION": "us-east-1"}


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://127.9.8.7", True),
        ("http://localhost:4566", True),
        ("http://abc.execute-api.localhost:4566", True),
        ("http://[::1]:4566", True),
        ("https://s3.amazonaws.com", False),
        ("http://10.0.0.1:4566", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://user@example.com:pw@127.0.0.1@example.com/", False),
        ("http://0.0.0.0:4566", False),
        ("http://2130706433:4566", False),
        ("ftp://127.0.0.1", False),
        ("127.0.0.1:4566", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_that_looks_like_it(url: str, *, here: bool) -> None:
    assert is_loopback(url) is here


@pytest.mark.parametrize(
    ("given", "environment", "path", "says"),
    [
        pytest.param(
            {}, {"AWS_REGION": "us-east-1"}, "endpoints", "never talks to the real AWS", id="no endpoint"
        ),
        pytest.param(
            {},
            {**HERE, "AWS_ENDPOINT_URL": "https://aws.example.com"},
            "AWS_ENDPOINT_URL",
            "is not a loopback address",
            id="the environment points elsewhere",
        ),
        pytest.param(
            {},
            {**HERE, "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com"},
            "AWS_ENDPOINT_URL_S3",
            "is not a loopback address",
            id="one service's variable points elsewhere",
        ),
        pytest.param(
            {"endpoints": '[{"lambda": "http://127.0.0.1:1", "s3": "http://192.168.0.1"}]'},
            HERE,
            "endpoints",
            "endpoints.s3 is http://192.168.0.1",
            id="one of the configured endpoints is elsewhere",
        ),
        pytest.param({}, {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "region", "is not set", id="no region"),
        pytest.param({"regoin": "x"}, HERE, "regoin", "did you mean region?", id="a misspelt option"),
        pytest.param(
            {"maxRetries": '"often"'}, HERE, "maxRetries", "must be a whole number", id="a wrong type"
        ),
        pytest.param(
            {"defaultTags": '{"tag": {"a": "b"}}'}, HERE, "defaultTags.tag", "did you mean tags?", id="nested"
        ),
    ],
)
def test_wrong_configuration_is_named(
    given: Mapping[str, Any], environment: Mapping[str, str], path: str, says: str
) -> None:
    found = {failure.path: failure.reason for failure in failures(plain(dict(given)), environment)}
    assert path in found, found
    assert says in found[path]
    with pytest.raises(ProviderError, match=f"aws:{path.split('.', maxsplit=1)[0]}"):
        resolve(plain(dict(given)), environment)


def test_the_remedy_is_a_command() -> None:
    with pytest.raises(ProviderError, match=r"halfmetal sandbox env"):
        resolve({}, {"AWS_REGION": "us-east-1"})


def test_everything_that_the_sdk_has_is_accepted() -> None:
    given = {
        "accessKey": Secret("key"),
        "secretKey": Secret("secret"),
        "profile": "someone",
        "region": "eu-west-1",
        "s3UsePathStyle": "true",
        "skipCredentialsValidation": "true",
        "skipMetadataApiCheck": "true",
        "skipRegionValidation": "true",
        "skipRequestingAccountId": "true",
        "endpoints": json.dumps([{"logs": "http://127.0.0.1:1", "elbv2": "http://127.0.0.1:2"}]),
        "defaultTags": json.dumps({"tags": {"a": "b"}}),
        "ignoreTags": json.dumps({"keys": ["x"], "keyPrefixes": ["auto:"]}),
        "maxRetries": "2",
    }
    config = resolve(plain(given), HERE)
    assert (config.access_key, config.secret_key, config.region) == ("key", "secret", "eu-west-1")
    assert config.endpoint_of("logs") == "http://127.0.0.1:1"
    assert config.endpoint_of("elbv2") == "http://127.0.0.1:2"
    assert config.endpoint_of("ec2") == HERE["AWS_ENDPOINT_URL"]
    assert config.default_tags == {"a": "b"}
    assert config.ignored_tags == {"x"}
    assert config.max_attempts == 3


def test_a_services_own_variable_wins_over_the_general_one() -> None:
    config = resolve({}, {**HERE, "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000"})
    assert config.endpoint_of("dynamodb") == "http://127.0.0.1:8000"


def test_a_service_without_an_endpoint_is_refused_rather_than_sent_to_aws() -> None:
    config = Config("us-east-1", endpoints={"s3": "http://127.0.0.1:1"})
    with pytest.raises(ProviderError, match="no endpoint is configured for the AWS service iam"):
        Services(config).client("iam", "us-east-1")


def test_an_emulator_that_is_down_is_named_in_one_line() -> None:
    access = Services(Config("us-east-1", endpoint="http://127.0.0.1:9", max_attempts=1))
    with pytest.raises(ProviderError, match=r"sts:GetCallerIdentity: the AWS emulator at .* does not answer"):
        assert access.account


@pytest.fixture
def throttling() -> Iterator[tuple[str, list[int]]]:
    """A service that has had enough twice, then answers; and what it answered."""
    answered: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            tired = len(answered) < 2
            body = b'{"__type": "ThrottlingException"}' if tired else b'{"TableNames": ["t"]}'
            answered.append(400 if tired else 200)
            self.send_response(answered[-1])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", answered
    server.shutdown()
    server.server_close()


def test_a_service_that_throttles_is_asked_again(
    throttling: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answered = throttling
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    access = Services(Config("us-east-1", endpoint=url))
    assert access.call("dynamodb", "us-east-1", "ListTables", {})["TableNames"] == ["t"]
    assert answered == [400, 400, 200]
