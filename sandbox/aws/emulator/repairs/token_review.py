"""Who an EKS bearer token belongs to: the webhook that the API server asks.

AWS: an EKS cluster's API server takes the token of `aws eks get-token`, verifies the presigned STS request in
it, looks for an access entry of that principal, and lets the entry's groups and access policies decide.
ministack: has such a webhook per cluster for a k3s of its own; it refuses a token that was signed for the
emulator's endpoint (which is where `aws` sends STS requests here), and without IAM enforcement it makes every
caller an administrator.

`POST /_halfmetal/token-review` serves every EKS cluster of the emulator, as one API server stands behind them
all: a token is good when its signature fits one of them. An access policy becomes a group,
`eks-access-policy:NAME` for the whole cluster or `eks-access-policy:NAME:NAMESPACE`; the cluster's RBAC binds
the groups (see `sandbox/cluster/access.yaml`). No entry, no access.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from ministack.core import sigv4
from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential
from ministack.core.responses import request_scope
from ministack.services import eks

from sandbox.aws.emulator import eks_token
from sandbox.aws.emulator.eks_token import EksToken, NotATokenError

PATH = "/_halfmetal/token-review"
GROUP_PREFIX = "eks-access-policy:"
_EMPTY_PAYLOAD = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_LARGEST_REVIEW = 64 * 1024
Scope = MutableMapping[str, Any]
Application = Callable[..., Awaitable[None]]


def answering(application: Application) -> Application:
    """The application, with the webhook in front of it."""

    async def handle(scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await application(scope, receive, send)
            return
        body = json.dumps(review(await _body(receive))).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return handle


def review(body: bytes) -> dict[str, Any]:
    """The answer to a TokenReview; anything that is not a good token is simply not authenticated."""
    try:
        asked = json.loads(body)
        status = _status(asked["spec"]["token"], datetime.now(UTC))
    except (ValueError, KeyError, TypeError) as reason:
        asked, status = {}, _refused(str(reason))
    version = asked.get("apiVersion", "authentication.k8s.io/v1")
    return {"apiVersion": version, "kind": "TokenReview", "status": status}


def _status(bearer: str, now: datetime) -> dict[str, Any]:
    token = eks_token.parse(bearer)
    if not token.is_current(now):
        raise NotATokenError("it has expired")
    for (account, region, name), _cluster in eks._clusters.all_items():
        with request_scope(account, region):
            credential = _credential(token, name, account)
            if credential is not None:
                return _user(name, account, region, credential)
    return _refused("its signature fits no cluster of this account")


def _refused(reason: str) -> dict[str, Any]:
    return {"authenticated": False, "error": reason}


def _credential(token: EksToken, cluster: str, account: str) -> Any:
    """Whose key signed the token for this cluster; None when the signature does not fit."""
    credential = resolve_credential(token.access_key, account, token.session_token)
    if isinstance(credential, CredentialResolutionError):
        return None
    request = sigv4.build_canonical_request(
        "GET",
        token.path,
        {"host": token.host, eks_token.CLUSTER_HEADER: cluster},
        token.query,
        token.signed_headers,
        payload_hash=_EMPTY_PAYLOAD,
    )
    amz_date = token.query["X-Amz-Date"][0]
    to_sign = sigv4.build_string_to_sign(amz_date, token.date, token.region, token.service, request)
    expected = sigv4.calculate_signature(
        credential.secret_access_key, token.date, token.region, token.service, to_sign
    )
    return credential if sigv4.signatures_match(expected, token.signature) else None


def _user(cluster: str, account: str, region: str, credential: Any) -> dict[str, Any]:
    entry = eks._access_entry_for_principal(cluster, account, region, credential.principal_arn)
    if entry is None:
        return _refused(f"{credential.principal_arn} has no access entry in {cluster}")
    policies = _policy_groups(cluster, account, region, entry["principalArn"])
    groups = [*entry.get("kubernetesGroups", []), *policies]
    return {
        "authenticated": True,
        "user": {
            "username": entry.get("username") or credential.principal_arn,
            "uid": f"aws-iam-authenticator:{account}:{credential.principal_id}",
            "groups": ["system:authenticated", *groups],
        },
    }


def _policy_groups(cluster: str, account: str, region: str, principal: str) -> list[str]:
    groups = []
    for owner, policy_arn, association in eks._access_policy_associations(cluster, account, region):
        if owner != principal:
            continue
        group = GROUP_PREFIX + eks._access_policy_name(policy_arn)
        scope = association.get("accessScope", {})
        namespaces = scope.get("namespaces", []) if scope.get("type") == "namespace" else [None]
        groups += [f"{group}:{namespace}" if namespace else group for namespace in namespaces]
    return groups


async def _body(receive: Callable[..., Any]) -> bytes:
    body = b""
    while len(body) <= _LARGEST_REVIEW:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body
