"""A small client of the API server, for the few calls that `up` makes.

The full client library takes most of a second to import, on every command. Five kinds of object and two verbs
need none of it.
"""

import functools
import http.client
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from sandbox.cluster.pki import Pair
from sandbox.errors import SandboxError

FIELD_MANAGER = "halfmetal-sandbox"
_TIMEOUT_S = 10.0
_COLLECTIONS = {
    ("v1", "Namespace"): "/api/v1/namespaces",
    ("v1", "Node"): "/api/v1/nodes",
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
    ): "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
_OK = range(200, 300)

Object = Mapping[str, Any]


class ApiServer:
    """One API server as one identity sees it. Every call verifies its certificate."""

    def __init__(self, url: str, authority: Path, identity: Pair | None) -> None:
        """Reads no file and opens no connection yet; without an identity the caller is nobody."""
        self._address = urlsplit(url)
        self._authority = authority
        self._identity = identity

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._authority))
        if self._identity:
            context.load_cert_chain(self._identity.certificate, self._identity.key)
        return context

    def get(self, path: str, *, timeout_s: float = _TIMEOUT_S) -> tuple[int, bytes]:
        """Status and body of a path; OSError when nobody answers, or not with the right certificate."""
        return self._request("GET", path, timeout_s=timeout_s)

    def answers(self, path: str) -> bool:
        """Whether a path is served with success now."""
        try:
            return self.get(path, timeout_s=1.0)[0] in _OK
        except (OSError, http.client.HTTPException):
            return False

    def list(self, api_version: str, kind: str, *, selector: str = "") -> list[dict[str, Any]]:
        """All objects of a kind with these labels."""
        path = _COLLECTIONS[api_version, kind] + (f"?labelSelector={quote(selector)}" if selector else "")
        items: list[dict[str, Any]] = self._json("GET", path)["items"]
        return items

    def apply(self, manifest: Object, *, subresource: str = "") -> dict[str, Any]:
        """Create the object or change it to what the manifest says, by server-side apply."""
        collection = _COLLECTIONS[manifest["apiVersion"], manifest["kind"]]
        path = f"{collection}/{quote(manifest['metadata']['name'])}{subresource}"
        return self._json("PATCH", f"{path}?fieldManager={FIELD_MANAGER}&force=true", body=manifest)

    def _json(self, method: str, path: str, *, body: Object | None = None) -> dict[str, Any]:
        try:
            status, answer = self._request(method, path, body=body)
        except (OSError, http.client.HTTPException) as error:
            raise SandboxError(f"the API server does not answer: {error}", "halfmetal sandbox up") from error
        if status not in _OK:
            raise SandboxError(
                f"the API server refused {method} {path.partition('?')[0]}: {_message(answer)}",
                "halfmetal sandbox logs kube-apiserver",
            )
        document: dict[str, Any] = json.loads(answer)
        return document

    def _request(
        self, method: str, path: str, *, body: Object | None = None, timeout_s: float = _TIMEOUT_S
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self._address.hostname or "", self._address.port, timeout=timeout_s, context=self._tls
        )
        try:
            payload = json.dumps(body) if body is not None else None
            headers = {"Content-Type": "application/apply-patch+yaml"} if payload else {}
            connection.request(method, path, body=payload, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode(errors="replace")
