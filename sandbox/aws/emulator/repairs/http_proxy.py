"""HTTP_PROXY integrations of HTTP APIs.

AWS: fills the route's path parameters into the integration URI (`https://host/{proxy}`), or sends the
request's own path to the load balancer behind a VPC link; passes methods, headers, query strings and bodies
both ways as they are, redirects included; answers 503 when the integration cannot be reached and 504 when it
takes longer than the integration's timeout.
ministack: appends the request's path to the URI, follows redirects, drops every response header but the
content type, opens a connection per request, and answers 502 with the exception's text.

What is behind an integration may call another API of the emulator, as the gateway does for the tail. So each
request waits on a thread of its own: those of a pool may all be taken by requests that wait for one.
"""

import contextvars
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3
from ministack.core.concurrency import run_reentrant
from ministack.core.responses import get_request_client_ip
from ministack.services import apigateway

from sandbox.aws.emulator.integration_request import (
    Target,
    forwarded_headers,
    private_url,
    public_url,
    query_string,
    returned_headers,
)
from sandbox.aws.emulator.repairs import vpc_links
from sandbox.aws.emulator.settings import LOOPBACK

Response = tuple[int, dict[str, Any], Any]
_POOLS, _CONNECTIONS = 32, 64
_CONNECT_S = 3.0
_DEFAULT_TIMEOUT_MS = 30_000
logger = logging.getLogger("http-proxy")


@dataclass
class _Request:
    """What the emulator knows of a request and does not pass on to the integration."""

    stage: str
    raw_query: str | None
    path: str = ""
    query: dict[str, list[str]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    route_key: str = "$default"


_current: contextvars.ContextVar[_Request] = contextvars.ContextVar("request")
# Connections are kept and used again: a handshake per request would be most of a warm request's latency.
_pool = urllib3.PoolManager(num_pools=_POOLS, maxsize=_CONNECTIONS, retries=False)


def apply() -> None:
    """Take over the call of the integration, and note on the way there what it needs to know."""
    apigateway._handle_execute_in_scope = _noting_request(apigateway._handle_execute_in_scope)
    apigateway._apply_request_parameter_mappings = _noting_parameters(
        apigateway._apply_request_parameter_mappings
    )
    apigateway._invoke_http_proxy = _invoke


def _noting_request(execute: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(api_id: str, stage: str, *arguments: Any) -> Response:
        _current.set(_Request(stage=stage, raw_query=arguments[-1]))
        response: Response = await execute(api_id, stage, *arguments)
        return response

    return handle


def _noting_parameters(mapping: Callable[..., Any]) -> Callable[..., Any]:
    def handle(integration: dict[str, Any], **known: Any) -> Any:
        request = _current.get()
        request.path = known["request_path"]
        request.query = {
            name: value if isinstance(value, list) else [str(value)]
            for name, value in known["request_query"].items()
        }
        request.parameters = known["path_params"]
        request.route_key = known["context_vars"]["routeKey"]
        # `$request.path` is what AWS calls it; the emulator looks for it among the context's variables.
        known["context_vars"] = {**known["context_vars"], "request.path": known["request_path"]}
        return mapping(integration, **known)

    return handle


async def _invoke(integration: dict[str, Any], path: str, *rest: Any) -> Response:
    method, headers, body, query = rest
    private = integration.get("connectionType") == "VPC_LINK"
    uri, target = integration.get("integrationUri", ""), _target(path, query)
    try:
        url = private_url(vpc_links.target(uri), target) if private else public_url(uri, target)
    except vpc_links.NoTargetError as reason:
        logger.warning("%s %s: %s", method, path, reason)
        return _gateway_error(503, "Service Unavailable")
    host = headers.get("host", LOOPBACK)
    sent = forwarded_headers(headers, host=host, client=get_request_client_ip(), keep_host=private)
    # A method on the integration itself is what it is called with; ANY keeps the client's.
    verb = integration.get("integrationMethod") or "ANY"
    timeout = (integration.get("timeoutInMillis") or _DEFAULT_TIMEOUT_MS) / 1000
    called = method if verb == "ANY" else verb
    response: Response = await run_reentrant(_send, called, url, sent, body, timeout)
    return response


def _target(path: str, query: dict[str, list[str]]) -> Target:
    request = _current.get()
    return Target(
        path=path,
        query=query_string(query, request.query, request.raw_query),
        stage=request.stage,
        route_key=request.route_key,
        parameters=request.parameters,
        overwritten=path != request.path,
    )


def _send(method: str, url: str, headers: dict[str, str], body: bytes, timeout_s: float) -> Response:
    timeout = urllib3.Timeout(connect=min(_CONNECT_S, timeout_s), read=timeout_s)
    try:
        response = _pool.request(
            method,
            url,
            headers=headers,
            body=body or None,
            timeout=timeout,
            redirect=False,
            decode_content=False,
        )
    except urllib3.exceptions.ConnectTimeoutError:
        return _gateway_error(503, "Service Unavailable")
    except urllib3.exceptions.TimeoutError:
        return _gateway_error(504, "Gateway Timeout")
    except (urllib3.exceptions.HTTPError, ValueError) as reason:
        logger.warning("%s %s: %s", method, url, reason)
        return _gateway_error(503, "Service Unavailable")
    return response.status, returned_headers(response.headers.items()), response.data


def _gateway_error(status: int, message: str) -> Response:
    return status, {"Content-Type": "application/json"}, json.dumps({"message": message}).encode()
