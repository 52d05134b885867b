"""The ways into a deployed stack, and what each of them answers.

The routes come from the stack's own outputs, so they are what a client would meet, on the sandbox or in the
cloud alike. In the sandbox a workload whose container is pretended has nobody to answer for it: the gateway's
503 is then the right answer, and is told apart from a failure.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sandbox.node.images import find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import httpx

    from components.spec import Stack

# The longest wait for one answer: HTTP API's own limit (catalog: http-api timeout).
_TIMEOUT_SECONDS = 30.0
_ASK_AGAIN_SECONDS = 0.2
_SENTENCE = "Serverless where traffic is spiky, metal where it is not."


@dataclass(frozen=True)
class Route:
    """One way into the platform: what is asked, and through what it goes."""

    name: str
    method: str
    url: str
    through: str
    body: Mapping[str, Any] | None = None
    pretended: bool = False
    """Whether its pods are KWOK's, so that no model stands behind it."""


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
        """Answered, or rightly refused for want of a model."""
        expected = HTTPStatus.SERVICE_UNAVAILABLE if self.route.pretended else HTTPStatus.OK
        return self.status == expected

    def as_json(self) -> dict[str, Any]:
        return {
            "route": self.route.name,
            "url": self.route.url,
            "through": self.route.through,
            "pretended": self.route.pretended,
            "ok": self.ok,
            "status": self.status,
            "first_ms": round(self.first_ms, 1),
            "second_ms": round(self.second_ms, 1),
            "answer": self.detail,
        }


def routes(outputs: Mapping[str, Any], pretended: Collection[str] = ()) -> Iterator[Route]:
    """Every route that the stack's outputs name."""
    api = outputs["url"].rstrip("/")
    for path in ("/health", "/models"):
        yield Route(f"GET {path}", "GET", api + path, "API Gateway, control function")
    for model in outputs["models"]:
        name, url = model["name"], model["url"].rstrip("/")
        yield Route(f"GET /models/{name}", "GET", f"{api}/models/{name}", "API Gateway, control function")
        yield Route(
            name=f"POST {urlsplit(url).path}/infer",
            method="POST",
            url=f"{url}/infer",
            through=model["path"],
            body=_infer_body(),
            pretended=name in pretended,
        )


def pretended_workloads(stack: Stack) -> frozenset[str]:
    """Workloads that the sandbox's node agent has no program for, if they run in pods at all."""
    return frozenset(
        workload.name
        for workload in stack.workloads
        if workload.serve.container is not None
        and find(workload.serve.container.image) is None
        # With no pod that answers, everything is tail.
        and workload.placement.twin is None
    )


def send(route: Route, client: httpx.Client, patience_s: float = 0.0) -> Answer:
    """Ask twice; the second answer counts, and both latencies are told.

    For `patience_s` seconds a model that is not there yet is asked again: right after an update the gateway
    has a moment to go until it has found the new pods.
    """
    first = _ask(route, client)
    deadline = time.monotonic() + patience_s
    while not route.pretended and _is_not_there(first) and time.monotonic() < deadline:
        time.sleep(_ASK_AGAIN_SECONDS)
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


def _is_not_there(asked: _Asked) -> bool:
    return asked.response is not None and asked.response.status_code == HTTPStatus.SERVICE_UNAVAILABLE


@dataclass(frozen=True)
class _Asked:
    response: httpx.Response | None
    milliseconds: float
    error: str


def _ask(route: Route, client: httpx.Client) -> _Asked:
    import httpx

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
    match body:
        case {"outputs": [{"name": name, "shape": shape, "data": [int() | float() as first, *more]}, *_]}:
            numbers = ", ".join(f"{x:.3f}" for x in [first, *more[:2]])
            return f"{name} {shape}: {numbers}, …"
        case {"models": [{"name": _, "home": _}, *_] as models}:
            return ", ".join(f"{model['name']} ({model['home']})" for model in models)
        case {"name": _, "home": home, "reasons": [reason, *_]}:
            return f"{home}: {reason}"
        case _:
            return json.dumps(body)[:80]


def answers(
    outputs: Mapping[str, Any], pretended: Collection[str] = (), patience_s: float = 0.0
) -> list[Answer]:
    """Every route's answer, in the order of `routes`; see `send` for `patience_s`."""
    import httpx

    with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
        return [send(route, client, patience_s) for route in routes(outputs, pretended)]
