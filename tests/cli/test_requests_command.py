"""`halfmetal requests`: which routes there are, what counts as an answer, how it is shown."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

import cli.requests
import cli.routes
from cli.routes import Answer, Route, pretended_workloads, routes, send
from cli.stacks import existing
from components.spec import load_file
from sandbox.errors import SandboxError

API = "http://api1.execute-api.localhost:20006"
OUTPUTS: dict[str, Any] = {
    "url": f"{API}/",
    "models": [
        {
            "name": "embed",
            "home": "pool",
            "url": f"{API}/v2/models/embed",
            "path": "API Gateway, gateway, pod",
        },
        {
            "name": "rank",
            "home": "metal",
            "url": "http://127.9.1.1:8080/v2/models/rank",
            "path": "gateway, pod",
        },
    ],
}
ROUTE = Route("GET /models", "GET", f"{API}/models", "API Gateway, control function")
PRETENDED = Route("POST …/infer", "POST", f"{API}/v2/models/rank/infer", "gateway, pod", {}, pretended=True)

Handler = Callable[[httpx.Request], httpx.Response]


def test_every_route_of_the_outputs():
    found = [(route.name, route.method, route.url) for route in routes(OUTPUTS)]

    assert found == [
        ("GET /health", "GET", f"{API}/health"),
        ("GET /models", "GET", f"{API}/models"),
        ("GET /models/embed", "GET", f"{API}/models/embed"),
        ("POST /v2/models/embed/infer", "POST", f"{API}/v2/models/embed/infer"),
        ("GET /models/rank", "GET", f"{API}/models/rank"),
        ("POST /v2/models/rank/infer", "POST", "http://127.9.1.1:8080/v2/models/rank/infer"),
    ]


def test_only_the_data_route_of_a_pretended_workload_has_no_model_behind_it():
    pretended = [route.name for route in routes(OUTPUTS, {"rank"}) if route.pretended]

    assert pretended == ["POST /v2/models/rank/infer"]


def test_the_example_stacks_pretend_what_the_node_agent_has_no_program_for():
    pretended = {name: pretended_workloads(load_file(existing(name))) for name in ("pure", "hybrid")}

    assert pretended["pure"] == frozenset()
    assert "embed" not in pretended["hybrid"]
    assert pretended["hybrid"]


@pytest.mark.parametrize(
    ("route", "status", "expected"),
    [
        pytest.param(ROUTE, 200, "ok", id="answered"),
        pytest.param(ROUTE, 503, "failed", id="a model that should be there is not"),
        pytest.param(ROUTE, 404, "failed", id="no such route"),
        pytest.param(PRETENDED, 503, "ok", id="pretended: rightly nobody there"),
        pytest.param(PRETENDED, 200, "failed", id="pretended: nobody can have answered that"),
        pytest.param(PRETENDED, 403, "failed", id="pretended: refused before the gateway"),
    ],
)
def test_what_counts_as_answered(route: Route, status: int, expected: str):
    answer = ask(route, lambda _: httpx.Response(status, text="said"))

    assert (answer.status, answer.detail) == (status, "said")
    assert answer.ok == (expected == "ok")


def test_the_second_answer_counts():
    told = iter([httpx.Response(500, text="cold"), httpx.Response(200, text="warm")])

    assert ask(ROUTE, lambda _: next(told)).detail == "warm"


@pytest.mark.parametrize(
    ("route", "patience_s", "asked"),
    [
        pytest.param(ROUTE, 60.0, 4, id="asked again until it is there, and once more"),
        pytest.param(ROUTE, 0.0, 2, id="no patience: asked twice"),
        pytest.param(PRETENDED, 60.0, 2, id="pretended: nobody will ever be there"),
    ],
)
def test_a_model_that_is_not_there_yet(
    route: Route, patience_s: float, asked: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cli.routes, "_ASK_AGAIN_SECONDS", 0.0)
    told = [httpx.Response(503), httpx.Response(503), *[httpx.Response(200)] * 2]
    heard: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        return told[len(heard) - 1]

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        send(route, client, patience_s)
    assert len(heard) == asked


def test_nobody_there_is_an_answer_too():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    answer = ask(ROUTE, refuse)

    assert (answer.status, answer.ok) == (None, False)
    assert answer.detail == "ConnectError: connection refused"


def test_a_name_under_localhost_is_asked_on_loopback():
    asked: list[httpx.Request] = []
    ask(ROUTE, lambda request: (asked.append(request), httpx.Response(200))[1])

    assert str(asked[0].url) == "http://127.0.0.1:20006/models"
    assert asked[0].headers["Host"] == "api1.execute-api.localhost:20006"


def test_any_other_name_is_asked_as_it_is():
    asked: list[httpx.Request] = []
    route = Route("GET /health", "GET", "https://api1.execute-api.us-east-1.amazonaws.com/health", "")
    ask(route, lambda request: (asked.append(request), httpx.Response(200))[1])

    assert str(asked[0].url) == route.url


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(
            {"outputs": [{"name": "embedding", "shape": [1, 384], "data": [0.1, 0.25, -1, 9]}]},
            "embedding [1, 384]: 0.100, 0.250, -1.000, …",
            id="a tensor by its shape",
        ),
        pytest.param(
            {"models": [{"name": "embed", "home": "pool"}, {"name": "spiky", "home": "function"}]},
            "embed (pool), spiky (function)",
            id="models by their homes",
        ),
        pytest.param(
            {"name": "embed", "home": "pool", "reasons": ["asked for", "fits"]},
            "pool: asked for",
            id="a model by the reason of its home",
        ),
        pytest.param({"status": "ok"}, '{"status": "ok"}', id="anything else as it is"),
        pytest.param(
            {"outputs": [{"name": "text", "shape": [1], "data": ["Hello."]}]},
            '{"outputs": [{"name": "text", "shape": [1], "data": ["Hello."]}]}',
            id="a tensor of text as it is",
        ),
        pytest.param({"models": ["embed"]}, '{"models": ["embed"]}', id="models of another shape"),
    ],
)
def test_an_answer_in_a_few_words(body: dict[str, Any], shown: str):
    assert ask(ROUTE, lambda _: httpx.Response(200, json=body)).detail == shown


def ask(route: Route, handler: Handler) -> Answer:
    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        return send(route, client)


class Platform:
    """A deployed stack as the command meets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.status = 200
        transport = httpx.MockTransport(lambda _: httpx.Response(self.status, json={"status": "ok"}))
        real = httpx.Client
        monkeypatch.setattr(httpx, "Client", lambda **options: real(**options, transport=transport))
        monkeypatch.setattr(cli.requests, "is_running", lambda: False)
        monkeypatch.setattr(cli.requests.Engine, "outputs", lambda _, stack: self.outputs(stack))

    def outputs(self, stack: str) -> dict[str, Any]:
        if stack != "hybrid":
            raise SandboxError(f"stack {stack!r} is not deployed", "name one of those here: hybrid")
        return OUTPUTS


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    return Platform(monkeypatch)


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(cli.requests.requests)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return result.exit_code, result.output


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_the_exit_code_says_whether_all_answered(status: int, code: int, platform: Platform):
    platform.status = status

    assert run("hybrid")[0] == code


@pytest.mark.usefixtures("platform")
def test_a_line_for_each_route():
    lines = [line.split() for line in run("hybrid")[1].splitlines()]

    assert [line[:2] for line in lines if line[:1] in (["GET"], ["POST"])] == [
        route.name.split() for route in routes(OUTPUTS)
    ]


@pytest.mark.usefixtures("platform")
def test_for_programs():
    told = json.loads(run("hybrid", "--json")[1])

    assert [entry["route"] for entry in told] == [route.name for route in routes(OUTPUTS)]
    assert told[0].keys() == {
        *("route", "url", "through", "pretended", "ok"),
        *("status", "first_ms", "second_ms", "answer"),
    }
    assert (told[0]["ok"], told[0]["status"], told[0]["answer"]) == (True, 200, '{"status": "ok"}')


@pytest.mark.usefixtures("platform")
def test_a_stack_that_is_not_deployed():
    with pytest.raises(SandboxError, match="'metal' is not deployed"):
        run("metal")
