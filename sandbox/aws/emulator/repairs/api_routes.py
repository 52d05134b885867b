"""On an API's own host, every path belongs to the API.

AWS: `https://API_ID.execute-api.REGION.amazonaws.com/ANY/PATH` reaches that API and nothing else.
ministack: looks at paths first, so `GET /health` on an API's host is answered by its own health check, and
paths such as `/v2/…/tags/list` or `/_ministack/reset` by other services.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app

Response = tuple[int, dict[str, Any], Any]


def apply() -> None:
    """Let a request that names an API by its host pass everything that goes by path."""
    app._handle_pre_body_request = _unless_api_host(app._handle_pre_body_request, headers_at=2)
    app._handle_post_body_shortcuts = _unless_api_host(app._handle_post_body_shortcuts, headers_at=2)
    app._handle_special_data_plane_request = _api_host_first(app._handle_special_data_plane_request)


def _names_api(headers: dict[str, str]) -> bool:
    return app._EXECUTE_API_RE.match(headers.get("host", "")) is not None


def _unless_api_host(
    handler: Callable[..., Awaitable[Response | None]], *, headers_at: int
) -> Callable[..., Awaitable[Response | None]]:
    async def handle(*arguments: Any) -> Response | None:
        return None if _names_api(arguments[headers_at]) else await handler(*arguments)

    return handle


def _api_host_first(
    handler: Callable[..., Awaitable[Response | None]],
) -> Callable[..., Awaitable[Response | None]]:
    async def handle(method: str, path: str, headers: dict[str, str], *rest: Any, **more: Any) -> Any:
        if not _names_api(headers):
            return await handler(method, path, headers, *rest, **more)
        body, query, request_id = rest
        response = await app._handle_execute_api_request(
            headers["host"],
            path,
            method,
            headers,
            body,
            query,
            raw_path=more.get("raw_path"),
            raw_query_string=more.get("raw_query_string"),
        )
        return app._with_data_plane_headers(response, request_id, wildcard_cors=False)

    return handle
