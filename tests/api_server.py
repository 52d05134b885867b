"""A Kubernetes API server with nothing behind it but etcd: enough to be told what it lets in.

Nothing that a test applies is kept unless it asks for that: a dry run goes through admission like anything
else. Several hundred cases take seconds.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from sandbox import instance as instances
from sandbox.cluster import kubeconfig
from sandbox.cluster.pki import BOOTSTRAP, Pki
from sandbox.instance import Topology
from sandbox.progress import Progress
from sandbox.services import services
from sandbox.supervisor import Service, Supervisor
from sandbox.toolchain import ensure

DEADLINE_S: Final = 60.0

Manifest = dict[str, Any]

_COLLECTIONS: Final = {
    "ConfigMap": "api/v1/namespaces/{namespace}/configmaps",
    "CronJob": "apis/batch/v1/namespaces/{namespace}/cronjobs",
    "DaemonSet": "apis/apps/v1/namespaces/{namespace}/daemonsets",
    "Deployment": "apis/apps/v1/namespaces/{namespace}/deployments",
    "Job": "apis/batch/v1/namespaces/{namespace}/jobs",
    "MutatingAdmissionPolicy": "apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
    "Namespace": "api/v1/namespaces",
    "Pod": "api/v1/namespaces/{namespace}/pods",
    "ReplicaSet": "apis/apps/v1/namespaces/{namespace}/replicasets",
    "ReplicationController": "api/v1/namespaces/{namespace}/replicationcontrollers",
    "ServiceAccount": "api/v1/namespaces/{namespace}/serviceaccounts",
    "StatefulSet": "apis/apps/v1/namespaces/{namespace}/statefulsets",
    "ValidatingAdmissionPolicy": "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": (
        "apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
    ),
}


@dataclass(frozen=True)
class Answer:
    """What the API server says of a manifest."""

    status: int
    message: str
    warnings: tuple[str, ...]
    object: Mapping[str, Any]

    @property
    def admitted(self) -> bool:
        return self.status < 400

    def warned_of(self, rule: str) -> str:
        """The warnings in which a rule is named, as one text."""
        return "; ".join(warning for warning in self.warnings if f"{rule}: " in warning)


class ApiServer:
    """Its administrator's view of it."""

    def __init__(
        self, client: httpx.Client, kubeconfig: Path, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._client = client
        self._headers = list(headers)
        self.kubeconfig: Final = kubeconfig

    def acting_as(self, user: str, *groups: str) -> "ApiServer":
        """What somebody else is told by the same server."""
        return ApiServer(
            self._client,
            self.kubeconfig,
            [("Impersonate-User", user), *(("Impersonate-Group", g) for g in groups)],
        )

    def apply(self, manifest: Manifest, *, keep: bool = False) -> Answer:
        """Create an object; without `keep` only as if."""
        return self._send("POST", _collection(manifest), manifest, keep=keep)

    def update(self, manifest: Manifest, *, keep: bool = False) -> Answer:
        """Replace an object by another of its name."""
        path = f"{_collection(manifest)}/{manifest['metadata']['name']}"
        return self._send("PUT", path, manifest, keep=keep)

    def patch(
        self, manifest: Manifest, change: Manifest, *, keep: bool = False, subresource: str = ""
    ) -> Answer:
        """Change an object, by a merge patch."""
        path = f"{_collection(manifest)}/{manifest['metadata']['name']}{subresource}"
        return self._send("PATCH", path, change, keep=keep, as_type="application/merge-patch+json")

    def remove(self, manifest: Manifest) -> Answer:
        path = f"{_collection(manifest)}/{manifest['metadata']['name']}"
        return self._send("DELETE", path, None, keep=True)

    def get(self, manifest: Manifest) -> Answer:
        path = f"{_collection(manifest)}/{manifest['metadata']['name']}"
        return self._send("GET", path, None, keep=True)

    def keep(self, *manifests: Manifest) -> None:
        """Create objects, or replace those that are there already."""
        for manifest in manifests:
            answer = self.apply(manifest, keep=True)
            if answer.status == httpx.codes.CONFLICT:
                answer = self.patch(manifest, manifest, keep=True)
            assert answer.admitted, f"{manifest['kind']} {manifest['metadata']['name']}: {answer.message}"

    def _send(
        self,
        method: str,
        path: str,
        body: Manifest | None,
        *,
        keep: bool,
        as_type: str = "application/json",
    ) -> Answer:
        response = self._client.request(
            method,
            f"/{path}",
            params={} if keep else {"dryRun": "All"},
            content=None if body is None else json.dumps(body),
            headers=[("Content-Type", as_type), *self._headers],
        )
        found = response.json()
        return Answer(
            response.status_code,
            str(found.get("message", "")),
            tuple(map(_warning, response.headers.get_list("warning"))),
            found,
        )


def _collection(manifest: Manifest) -> str:
    namespace = manifest["metadata"].get("namespace", "default")
    return _COLLECTIONS[manifest["kind"]].format(namespace=namespace)


def _warning(header: str) -> str:
    """The text of `299 - "text"`."""
    return header.partition('"')[2].rpartition('"')[0].replace('\\"', '"')


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail by its name."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {DEADLINE_S} s"
        threading.Event().wait(0.05)


def _with_flags(service: Service, flags: tuple[str, ...]) -> list[str]:
    words = [str(word) for word in service.command()]
    return [*words, *flags] if service.name == "kube-apiserver" else words


@contextmanager
def running(state: Path, *flags: str) -> Iterator[ApiServer]:
    """An API server of one's own, with such flags, in a directory that does not exist yet."""
    programs = ensure(["cluster"], Progress())
    instance = instances.ensure(Topology.HYBRID, state)
    Pki(instance.paths.pki).ensure()
    kubeconfig.write_all(instance)
    kubeconfig.write_webhook(instance.paths.cluster / "token-review.yaml", "http://127.0.0.1:9")
    started = [
        replace(
            service,
            needs=tuple(need for need in service.needs if need == "etcd"),
            command=partial(_with_flags, service, flags),
        )
        for service in services(instance, programs.path)
        if service.name in ("etcd", "kube-apiserver")
    ]
    supervisor = Supervisor(instance.paths, started)
    try:
        supervisor.up(Progress())
        pair = Pki(instance.paths.pki).pair(BOOTSTRAP)
        tls = ssl.create_default_context(cafile=str(instance.paths.ca_certificate))
        tls.load_cert_chain(pair.certificate, pair.key)
        with httpx.Client(base_url=instance.apiserver_url, verify=tls, timeout=DEADLINE_S) as client:
            yield ApiServer(client, instance.paths.kubeconfig_of(BOOTSTRAP))
    finally:
        supervisor.down(Progress())
        instances.forget(state)
