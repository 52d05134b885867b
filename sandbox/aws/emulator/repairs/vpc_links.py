"""VPC links of HTTP APIs: the resource, and where a request through one goes.

AWS: a VPC link is a resource with a life of its own; an HTTP_PROXY integration whose connection type is
VPC_LINK names a listener of a load balancer, and requests go to the targets of the listener's default action.
ministack: has no VPC links, forgets an integration's `connectionId` and `tlsConfig`, and takes the listener's
ARN for a URL.

A node port is open on every node. The sandbox opens them all on one address (`HALFMETAL_NODE_ADDRESS`), so a
target group of instances is that address and the group's port; one without targets has nobody to send to.
"""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import AccountRegionScopedDict, get_region, new_uuid
from ministack.services import alb, apigateway

from sandbox.aws.emulator.settings import SETTINGS

Response = tuple[int, dict[str, Any], Any]
_STATE_KEY = "halfmetal_vpc_links"
_INTEGRATION_FIELDS = ("connectionId", "tlsConfig")
_links = AccountRegionScopedDict()  # id -> link


class NoTargetError(LookupError):
    """A VPC link that leads nowhere; the message says where it ends."""


def apply() -> None:
    """Add the resource to the control plane, keep it with the rest, and remember integrations' links."""
    apigateway.handle_request = _handling_links(apigateway.handle_request)
    apigateway._create_integration = _remembering(apigateway._create_integration, integration_at=None)
    apigateway._update_integration = _remembering(apigateway._update_integration, integration_at=1)
    apigateway.get_state = _with_links(apigateway.get_state)
    apigateway.load_persisted_state = _restoring_links(apigateway.load_persisted_state)


def target(listener_arn: str) -> str:
    """Where requests to this listener go now, as `address:port`. Raises NoTargetError."""
    listener = alb._listeners.get(listener_arn)
    if listener is None:
        raise NoTargetError(f"no listener {listener_arn}")
    group_arn = next((a["TargetGroupArn"] for a in listener["DefaultActions"] if "TargetGroupArn" in a), None)
    group = alb._tgs.get(group_arn) if group_arn else None
    if group is None:
        raise NoTargetError(f"the default action of {listener_arn} forwards to no target group")
    registered = alb._targets.get(group_arn, [])
    if not registered:
        raise NoTargetError(f"target group {group['TargetGroupName']} has no targets")
    if group.get("TargetType") == "ip":
        first = registered[0]
        return f"{loopback(first['Id'])}:{first.get('Port') or group['Port']}"
    return f"{SETTINGS.node_address}:{registered[0].get('Port') or group['Port']}"


def loopback(address: str) -> str:
    """The address on this machine of one in the cluster: 10.N.x.y is 127.N.x.y."""
    return "127." + address.removeprefix("10.") if address.startswith("10.") else address


def _handling_links(handler: Callable[..., Any]) -> Callable[..., Any]:
    async def handle(method: str, path: str, *rest: Any) -> Response:
        _headers, body, query = rest
        parts = [part for part in path.split("/") if part]
        if parts[:2] == ["v2", "vpclinks"]:
            return _links_request(method, parts[2] if len(parts) > 2 else "", _json(body))  # noqa: PLR2004 - /v2/vpclinks/ID
        if parts[:2] == ["v2", "tags"] and (link := _link_of_arn(unquote("/".join(parts[2:])))):
            return _tags_request(method, link, _json(body), query.get("tagKeys", []))
        response: Response = await handler(method, path, *rest)
        return response

    return handle


def _links_request(method: str, link_id: str, data: dict[str, Any]) -> Response:
    if not link_id:
        if method == "POST":
            return _create(data)
        return _answer({"items": list(_links.values())})
    link = _links.get(link_id)
    if link is None:
        return _refuse("NotFoundException", f"Unable to find VPC link by id {link_id}", 404)
    if method == "DELETE":
        _links.pop(link_id)
        return _answer({}, 202)
    if method == "PATCH" and "name" in data:
        link["name"] = data["name"]
    return _answer(link)


def _create(data: dict[str, Any]) -> Response:
    missing = [name for name in ("name", "subnetIds") if not data.get(name)]
    if missing:
        return _refuse("BadRequestException", f"{missing[0]} is required", 400)
    link = {
        "vpcLinkId": new_uuid().replace("-", "")[:10],
        "name": data["name"],
        "subnetIds": data["subnetIds"],
        "securityGroupIds": data.get("securityGroupIds", []),
        "tags": data.get("tags", {}),
        "createdDate": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "vpcLinkStatus": "AVAILABLE",
        "vpcLinkStatusMessage": "VPC link is ready to route traffic",
        "vpcLinkVersion": "V2",
    }
    _links[link["vpcLinkId"]] = link
    return _answer(link, 201)


def _link_of_arn(arn: str) -> dict[str, Any] | None:
    head, found, link_id = arn.partition("::/vpclinks/")
    link: dict[str, Any] | None = _links.get(link_id) if found and head.endswith(get_region()) else None
    return link


def _tags_request(method: str, link: dict[str, Any], data: dict[str, Any], keys: list[str]) -> Response:
    if method == "POST":
        link["tags"] = {**link["tags"], **data.get("tags", {})}
        return _answer({}, 201)
    if method == "DELETE":
        link["tags"] = {name: value for name, value in link["tags"].items() if name not in keys}
        return _answer({}, 204)
    return _answer({"tags": link["tags"]})


def _remembering(store: Callable[..., Response], *, integration_at: int | None) -> Callable[..., Response]:
    """Keep the fields of an integration that the emulator drops; the connection must exist."""

    def handle(api_id: str, *arguments: Any) -> Response:
        data = arguments[-1]
        if data.get("connectionType") == "VPC_LINK" and data.get("connectionId") not in _links:
            return _refuse("BadRequestException", f"Invalid VPC link ID {data.get('connectionId')}", 400)
        status, headers, body = store(api_id, *arguments)
        answer = json.loads(body)
        if "integrationId" not in answer:
            return status, headers, body
        integration_id = answer["integrationId"] if integration_at is None else arguments[integration_at - 1]
        integration = apigateway._integrations.get(api_id, {})[integration_id]
        integration.update({name: data[name] for name in _INTEGRATION_FIELDS if data.get(name)})
        return _answer(integration, status)

    return handle


def _with_links(state: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
    return lambda: {**state(), _STATE_KEY: copy.deepcopy(_links)}


def _restoring_links(restore: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def load(data: dict[str, Any]) -> None:
        _links.update(data.pop(_STATE_KEY, {}))
        restore(data)

    return load


def _json(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _answer(data: dict[str, Any], status: int = 200) -> Response:
    response: Response = apigateway._apigw_response(data, status)
    return response


def _refuse(code: str, message: str, status: int) -> Response:
    response: Response = apigateway._apigw_error(code, message, status)
    return response
