"""`halfmetal requests`: one request through every route of a deployed stack, with its latency.

The routes come from the stack's own outputs, so the command shows what a client would meet, on the sandbox
or in the cloud alike.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console
from rich.table import Table

from sandbox.engine import Engine
from sandbox.environment import variables
from sandbox.lifecycle import is_running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The longest wait for one answer: HTTP API's own limit (catalog: http-api timeout).
_TIMEOUT_SECONDS = 30.0
_SENTENCE = "Serverless where traffic is spiky, metal where it is not."


@dataclass(frozen=True)
class Route:
    """One way into the platform: what is asked, and through what it goes."""

    name: str
    method: str
    url: str
    through: str
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Answer:
    """What came back: first and second request apart, since the first may have met a cold start."""

    route: Route
    status: int | None
    first_ms: float
    second_ms: float
    detail: str

    @property
    def ok(self) -> bool:
        return self.status == httpx.codes.OK


def routes(outputs: Mapping[str, Any]) -> Iterator[Route]:
    """Every route that the stack's outputs name."""
    api = outputs["url"].rstrip("/")
    for path in ("/health", "/models"):
        yield Route(f"GET {path}", "GET", api + path, "API Gateway, control function")
    for model in outputs["models"]:
        name, url = model["name"], model["url"].rstrip("/")
        yield Route(f"GET /models/{name}", "GET", f"{api}/models/{name}", "API Gateway, control function")
        yield Route(f"POST {urlsplit(url).path}/infer", "POST", f"{url}/infer", model["path"], _infer_body())


def send(route: Route, client: httpx.Client) -> Answer:
    """Ask twice; the second answer counts, and both latencies are told."""
    first = _ask(route, client)
    second = _ask(route, client)
    response = second.response
    return Answer(
        route=route,
        status=None if response is None else response.status_code,
        first_ms=first.milliseconds,
        second_ms=second.milliseconds,
        detail=second.error if response is None else _summary(response),
    )


@dataclass(frozen=True)
class _Asked:
    response: httpx.Response | None
    milliseconds: float
    error: str


def _ask(route: Route, client: httpx.Client) -> _Asked:
    url, headers = _reachable(route.url)
    started = time.perf_counter()
    response, error = None, ""
    try:
        response = client.request(route.method, url, headers=headers, json=route.body)
    except httpx.HTTPError as failure:
        error = f"{type(failure).__name__}: {failure}"
    return _Asked(response, (time.perf_counter() - started) * 1000, error)


def _reachable(url: str) -> tuple[str, dict[str, str]]:
    """Names under .localhost are this machine (RFC 6761), but not every resolver knows."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.endswith(".localhost"):
        return url, {}
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"127.0.0.1{port}").geturl(), {"Host": parts.netloc}


def _infer_body() -> dict[str, Any]:
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [_SENTENCE]}
    return {"inputs": [tensor]}


def _summary(response: httpx.Response) -> str:
    """The answer in a few words: an embedding is told by its shape, anything else by its first characters."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:80]
    outputs = body.get("outputs") if isinstance(body, dict) else None
    if outputs:
        first = outputs[0]
        numbers = ", ".join(f"{x:.3f}" for x in first["data"][:3])
        return f"{first['name']} {first['shape']}: {numbers}, …"
    return json.dumps(body)[:80]


def answers(outputs: Mapping[str, Any]) -> list[Answer]:
    """Every route's answer, in the order of `routes`."""
    with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        return [send(route, client) for route in routes(outputs)]


def table(results: list[Answer]) -> Table:
    rows = Table(
        title="One request through every route, twice", title_justify="left", box=None, pad_edge=False
    )
    for heading in ("route", "through", "status"):
        rows.add_column(heading)
    rows.add_column("first", justify="right")
    rows.add_column("then", justify="right")
    rows.add_column("answer", overflow="ellipsis", no_wrap=True)
    for answer in results:
        rows.add_row(
            answer.route.name,
            answer.route.through,
            f"[{'green' if answer.ok else 'red'}]{answer.status or 'none'}[/]",
            f"{answer.first_ms:.0f} ms",
            f"{answer.second_ms:.0f} ms",
            answer.detail.replace("[", r"\["),
        )
    return rows


def requests(
    stack: Annotated[str, typer.Argument(help="A deployed stack.")] = "hybrid",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Send one request through every route of a deployed stack."""
    results = answers(Engine(_environment()).outputs(stack))
    if as_json:
        typer.echo(json.dumps([asdict(answer) for answer in results], indent=2))
    else:
        Console().print(table(results))
    raise typer.Exit(0 if all(answer.ok for answer in results) else 1)


def _environment() -> Mapping[str, str]:
    """The running sandbox of this clone, or else whatever cloud the shell is set up for."""
    return os.environ | variables() if is_running() else os.environ
