"""Routes of the control function: health, the models, one model with its placement and reasons.

Errors are problem documents (RFC 9457), so that a client reads one shape whatever went wrong.
"""

import json
import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from control import registry

logger = Logger(service="halfmetal-control")
app = APIGatewayHttpResolver()


@app.get("/health")
def health() -> dict[str, Any]:
    """Whether this function answers; it says nothing of the models, which have probes of their own."""
    return {"status": "ok", "stack": os.environ.get("STACK", ""), "topology": os.environ.get("TOPOLOGY", "")}


@app.get("/models")
def models() -> dict[str, Any]:
    return {"models": registry.models()}


@app.get("/models/<name>")
def model(name: str) -> dict[str, Any] | Response[str]:
    found = registry.model(name)
    return (
        _problem(404, "Not Found", f"no model is named {name!r}; GET /models lists them")
        if found is None
        else found
    )


@app.not_found
def not_found(_: NotFoundError) -> Response[str]:
    path = app.current_event.path
    return _problem(404, "Not Found", f"nothing is at {path}; try /health, /models or /models/NAME")


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # it has no types in Powertools
def failed(error: Exception) -> Response[str]:
    # The caller learns that it failed and how to find it in the log; what failed is for the log alone.
    logger.exception("request failed", exc_info=error)
    return _problem(
        500, "Internal Server Error", f"request {app.current_event.request_context.request_id} failed"
    )


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Lambda's entry point (payload format 2.0)."""
    return app.resolve(event, context)


def _problem(status: int, title: str, detail: str) -> Response[str]:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Response(status_code=status, content_type="application/problem+json", body=json.dumps(body))
