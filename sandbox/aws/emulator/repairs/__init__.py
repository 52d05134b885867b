"""The repairs, and the emulator with all of them in place."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ministack import app as ministack_app

from sandbox.aws.emulator.repairs import (
    api_routes,
    autoscaling_targets,
    eks_cluster,
    eks_network,
    eks_node_groups,
    function_logs,
    http_proxy,
    lambda_workers,
    node_group_feed,
    persistence,
    token_review,
    vpc_links,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_REPAIRS = (
    api_routes,
    vpc_links,
    http_proxy,
    autoscaling_targets,
    eks_cluster,
    eks_network,
    eks_node_groups,
    lambda_workers,
    function_logs,
)


def application() -> Application:
    """The emulator's ASGI application, repaired."""
    for repair in _REPAIRS:
        repair.apply()
    repaired: Application = ministack_app.app
    return persistence.saving(node_group_feed.serving(token_review.answering(repaired)))
