"""What an HTTP_PROXY integration receives for a request that matched its route."""

import pytest

from sandbox.aws.emulator.integration_request import (
    Target,
    forwarded_headers,
    private_url,
    public_url,
    query_string,
    returned_headers,
)

PROXY = "http://127.7.0.1:30080/v2/models/embed/{proxy}"


@pytest.mark.parametrize(
    ("uri", "target", "url"),
    [
        pytest.param(
            PROXY,
            Target("/v2/models/embed/infer", route_key="ANY /v2/{proxy+}", parameters={"proxy": "infer"}),
            "http://127.7.0.1:30080/v2/models/embed/infer",
            id="a greedy variable is filled in, the path is not appended",
        ),
        pytest.param(
            "https://a.example/{model}/x",
            Target("/m/1", route_key="GET /m/{model}", parameters={"model": "a b"}, query="q=%20"),
            "https://a.example/a%20b/x?q=%20",
            id="values are escaped, the query is passed as it came",
        ),
        pytest.param(
            "https://a.example/{proxy}",
            Target("/m/1%252F", route_key="GET /m/{proxy+}", parameters={"proxy": "1%252F"}),
            "https://a.example/1%252F",
            id="an escape that the route kept is not escaped again",
        ),
        pytest.param(
            "https://a.example/{other}",
            Target("/m", route_key="GET /m", parameters={}),
            "https://a.example/{other}",
            id="a variable that the route does not have stays",
        ),
        pytest.param(
            "https://a.example/base",
            Target("/m/1", route_key="GET /m/{id}", parameters={"id": "1"}),
            "https://a.example/base",
            id="a URI without variables is the whole target",
        ),
        pytest.param(
            "https://a.example/base/",
            Target("/m/1"),
            "https://a.example/base/m/1",
            id="the $default route passes every path on",
        ),
        pytest.param(
            "https://a.example/base?k=1",
            Target("/new", route_key="GET /m", query="q=2", overwritten=True),
            "https://a.example/new?k=1&q=2",
            id="an overwritten path replaces the URI's, queries are joined",
        ),
    ],
)
def test_public_url(uri: str, target: Target, url: str):
    assert public_url(uri, target) == url


@pytest.mark.parametrize(
    ("target", "url"),
    [
        pytest.param(Target("/v2/health/ready"), "http://127.7.0.1:30080/v2/health/ready", id="whole path"),
        pytest.param(Target("/a", stage="prod"), "http://127.7.0.1:30080/prod/a", id="a named stage is part"),
        pytest.param(
            Target("/b", stage="prod", overwritten=True), "http://127.7.0.1:30080/b", id="unless overwritten"
        ),
    ],
)
def test_private_url(target: Target, url: str):
    assert private_url("127.7.0.1:30080", target) == url


@pytest.mark.parametrize(
    ("mapped", "raw", "sent"),
    [
        pytest.param({"a": ["1"]}, "a=%31", "a=%31", id="untouched: byte for byte"),
        pytest.param({"a": ["1"], "b": ["x y"]}, "a=%31", "a=1&b=x+y", id="changed by mapping: written anew"),
    ],
)
def test_query_string(mapped: dict[str, list[str]], raw: str, sent: str):
    assert query_string(mapped, {"a": ["1"]}, raw) == sent


def test_hop_by_hop_request_headers_stay_behind():
    headers = {
        "host": "api.example",
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
        "content-length": "3",
        "accept": "*/*",
    }
    sent = forwarded_headers(headers, host="api.example", client="127.0.0.1")
    assert sent == {"accept": "*/*", "forwarded": "by=api.example;for=127.0.0.1;host=api.example;proto=http"}


def test_a_forwarded_header_is_extended():
    sent = forwarded_headers({"forwarded": "for=10.0.0.9"}, host="h", client="127.0.0.1", keep_host=True)
    assert sent["forwarded"] == "for=10.0.0.9, by=h;for=127.0.0.1;host=h;proto=http"
    assert sent["host"] == "h"


def test_response_headers_keep_every_cookie_and_join_the_rest():
    items = [
        ("Set-Cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("Vary", "accept"),
        ("vary", "origin"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "9"),
        ("Content-Type", "application/json"),
    ]
    assert returned_headers(items) == {
        "Set-Cookie": ["a=1", "b=2"],
        "Vary": "accept, origin",
        "Content-Type": "application/json",
    }
