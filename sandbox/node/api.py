"""A small asynchronous client of the Kubernetes API.

The official client takes a second to import and has no watches for asyncio; the agent needs five verbs on
plain objects. The server's certificate is always verified.
"""

import base64
import json
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml

logger = logging.getLogger(__name__)
Object = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
_TIMEOUT = httpx.Timeout(10.0)
# The server ends a watch after this long, so that one on a connection that died silently ends as well.
_WATCH_S = 600
NOT_FOUND, CONFLICT, GONE = 404, 409, 410

PODS = "/api/v1/pods"
NODES = "/api/v1/nodes"
SERVICES = "/api/v1/services"
CONFIG_MAPS = "/api/v1/configmaps"
SECRETS = "/api/v1/secrets"
ENDPOINT_SLICES = "/apis/discovery.k8s.io/v1/endpointslices"


class ApiError(Exception):
    """The API server refused; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status for those who can do something about it."""
        super().__init__(f"{message} ({status})")
        self.status = status


class Unavailable(Exception):  # noqa: N818 - a state of the server, not a mistake
    """The API server does not answer now."""


def key_of(item: Object) -> str:
    """`namespace/name`, or the name of what has no namespace."""
    metadata = item["metadata"]
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def path_of(item: Object, collection: str) -> str:
    """Where one object of a collection is: `/api/v1/pods` becomes `/api/v1/namespaces/NS/pods/NAME`."""
    return named(collection, item["metadata"].get("namespace"), item["metadata"]["name"])


def named(collection: str, namespace: str | None, name: str) -> str:
    """The path of one object by its name."""
    prefix, _, plural = collection.rpartition("/")
    return f"{prefix}/namespaces/{namespace}/{plural}/{name}" if namespace else f"{collection}/{name}"


class Client:
    """One identity's view of one API server."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        """Opens no connection yet."""
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=30)
        self._answers = True
        self._http = httpx.AsyncClient(
            base_url=url, verify=tls, timeout=_TIMEOUT, limits=limits, trust_env=False
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def outage(self, reason: str) -> None:
        """Note that the server does not answer: one line in the log, however often it is noted."""
        if self._answers:
            logger.warning("the API server does not answer: %s; trying again until it does", reason)
        self._answers = False

    def recovered(self) -> None:
        """Note that it does."""
        if not self._answers:
            logger.info("the API server answers again")
        self._answers = True

    async def get(self, path: str) -> Object:
        """One object, or a list."""
        return await self._request("GET", path)

    async def create(self, collection: str, item: Object) -> Object:
        """Create an object of a collection that has no namespaces."""
        return await self._request("POST", collection, item)

    async def patch(self, path: str, change: Object, *, kind: str = MERGE) -> Object:
        """Change parts of an object."""
        return await self._request("PATCH", path, change, content_type=kind)

    async def delete(self, path: str, *, grace_s: int | None = None, uid: str | None = None) -> bool:
        """Ask for an object to go; whether it was there (and was the one that is meant)."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if grace_s is not None:
            options["gracePeriodSeconds"] = grace_s
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            await self._request("DELETE", path, options)
        except ApiError as error:
            if error.status in {NOT_FOUND, CONFLICT}:
                return False
            raise
        return True

    async def watch(self, collection: str, version: str) -> AsyncIterator[Object]:
        """Events since a version, until the server ends the watch."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_S),
        }
        timeout = httpx.Timeout(10.0, read=_WATCH_S + 30)
        try:
            async with self._http.stream("GET", collection, params=query, timeout=timeout) as response:
                if response.is_error:
                    raise _refusal(response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    if line:
                        yield json.loads(line)
        except httpx.HTTPError as error:
            raise Unavailable(str(error) or type(error).__name__) from error

    async def _request(
        self, method: str, path: str, body: Object | None = None, *, content_type: str = "application/json"
    ) -> Object:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if content else {}
        try:
            response = await self._http.request(method, path, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(str(error) or type(error).__name__) from error
        if response.is_error:
            raise _refusal(response.status_code, response.content)
        answer: Object = response.json()
        return answer


def _refusal(status: int, body: bytes) -> ApiError:
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode(errors="replace")
    return ApiError(status, message)


def connect(kubeconfig: Path, scratch: Path) -> Client:
    """The client that a kubeconfig describes. `scratch` is where its key is put for the TLS library."""
    document = yaml.safe_load(kubeconfig.read_text())
    context = _entry(document["contexts"], document["current-context"])["context"]
    cluster = _entry(document["clusters"], context["cluster"])["cluster"]
    user = _entry(document["users"], context["user"])["user"]
    authority = _content(cluster, "certificate-authority")
    tls = ssl.create_default_context(cadata=authority.decode())
    identity = scratch / "identity.pem"
    identity.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    identity.touch(mode=0o600)
    identity.write_bytes(_content(user, "client-certificate") + b"\n" + _content(user, "client-key"))
    tls.load_cert_chain(identity)
    return Client(cluster["server"], tls)


def _entry(entries: list[Object], name: str) -> Object:
    return next(entry for entry in entries if entry["name"] == name)


def _content(entry: Mapping[str, str], name: str) -> bytes:
    """What a kubeconfig holds in itself (`NAME-data`) or in a file (`NAME`)."""
    inline = entry.get(f"{name}-data")
    return base64.b64decode(inline) if inline else Path(entry[name]).read_bytes()
