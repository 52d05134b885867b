"""EKS clusters: where their API server is, how it is verified, what they were made with, and updates of them.

AWS: a cluster has an endpoint and the certificate of the authority that signed it; DescribeCluster tells all
that CreateCluster was told, or what it took instead; UpdateClusterConfig and UpdateClusterVersion change it
and return an update that DescribeUpdate follows; tags change with TagResource.
ministack: counts a port up for every cluster ever made, reports no authority without a container engine,
forgets the settings below, has no updates, and keeps reporting the tags that a cluster was made with.

All EKS clusters of a sandbox are the one API server that it runs.
"""

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import eks

from sandbox.aws.emulator.settings import SETTINGS

Response = tuple[int, dict[str, Any], Any]
_VPC_CONFIG = (
    "endpointPublicAccess",
    "endpointPrivateAccess",
    "publicAccessCidrs",
    "subnetIds",
    "securityGroupIds",
)
_SETTINGS = ("upgradePolicy", "zonalShiftConfig", "deletionProtection")
# What a cluster has when nobody says otherwise (EKS API reference, CreateCluster).
_DEFAULTS = {"upgradePolicy": {"supportType": "EXTENDED"}, "deletionProtection": False}
_UPDATE = re.compile(r"/clusters/([A-Za-z0-9_-]+)/(updates|update-config)(?:/([0-9a-f-]+))?")
_updates: dict[str, dict[str, Any]] = {}


def apply() -> None:
    """Pin the endpoint, add the authority, keep the settings, and route the calls about updates."""
    eks._cluster_endpoint = lambda _port: SETTINGS.eks_endpoint
    eks._sanitize = _with_authority(eks._sanitize)
    eks._create_cluster = _with_settings(eks._create_cluster)
    eks._handle_request_sync = _handling_updates(eks._handle_request_sync)


def finished_update(kind: str) -> Response:
    """An update that is already done, as every change of the emulator is, and that can be described."""
    update = {
        "id": new_uuid(),
        "status": "Successful",
        "type": kind,
        "params": [],
        "createdAt": time.time(),
        "errors": [],
    }
    _updates[str(update["id"])] = update
    response: Response = eks._json_resp(200, {"update": update})
    return response


def _with_authority(sanitize: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def handle(cluster: dict[str, Any]) -> dict[str, Any]:
        shown = sanitize(cluster)
        # Read every time: the sandbox may have made new keys since the cluster was created.
        if SETTINGS.eks_authority and SETTINGS.eks_authority.exists():
            data = base64.b64encode(SETTINGS.eks_authority.read_bytes()).decode()
            shown["certificateAuthority"] = {"data": data}
        shown["tags"] = dict(eks._tags.get(shown["arn"], {}))
        return shown

    return handle


def _with_settings(create: Callable[..., Response]) -> Callable[..., Response]:
    def handle(body: dict[str, Any], creator_arn: str | None = None) -> Response:
        before = body.get("name") in eks._clusters
        response = create(body, creator_arn)
        cluster = eks._clusters.get(body.get("name", ""))
        # Only where this call has made it: a refusal leaves the cluster of that name as it is.
        if cluster is None or before:
            return response
        cluster.update(_DEFAULTS | {name: body[name] for name in _SETTINGS if name in body})
        described: Response = eks._json_resp(200, {"cluster": eks._sanitize(cluster)})
        return described

    return handle


def _handling_updates(handler: Callable[..., Response]) -> Callable[..., Response]:
    def handle(method: str, path: str, *rest: Any) -> Response:
        match = _UPDATE.fullmatch(path)
        if match is None:
            return handler(method, path, *rest)
        _headers, body, _query = rest
        name, kind, update_id = match.groups()
        cluster = eks._clusters.get(name)
        if cluster is None:
            return _refuse(f"No cluster found for name: {name}.")
        if method == "POST":
            return _change(cluster, kind, json.loads(body or b"{}"))
        return _describe(update_id)

    return handle


def _change(cluster: dict[str, Any], kind: str, wanted: dict[str, Any]) -> Response:
    if kind == "updates":
        cluster["version"] = wanted.get("version", cluster["version"])
        return finished_update("VersionUpdate")
    vpc = wanted.get("resourcesVpcConfig", {})
    cluster["resourcesVpcConfig"].update({name: vpc[name] for name in _VPC_CONFIG if name in vpc})
    for name in ("logging", *_SETTINGS):
        if name in wanted:
            cluster[name] = wanted[name]
    cluster["accessConfig"] = {**cluster.get("accessConfig", {}), **wanted.get("accessConfig", {})}
    return finished_update("EndpointAccessUpdate" if vpc else "LoggingUpdate")


def _describe(update_id: str | None) -> Response:
    if update_id is None:
        listing: Response = eks._json_resp(200, {"updateIds": list(_updates)})
        return listing
    if update_id not in _updates:
        return _refuse(f"No update found for id: {update_id}.")
    response: Response = eks._json_resp(200, {"update": _updates[update_id]})
    return response


def _refuse(message: str) -> Response:
    response: Response = eks._error(404, "ResourceNotFoundException", message)
    return response
