"""A live Kubernetes cluster: the objects of the kinds that the rules read, a page at a time.

Nothing is written, and nothing else is listed: no Secrets, no events. Of an object that another one has made
only the other is taken, since it is what a person would change.

Imported only where there is one to read: the library that asks it takes longer to load than an audit.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException
from urllib3.exceptions import HTTPError
from yaml import YAMLError

from policies.audit.sources import kubernetes
from policies.audit.sources.documents import Document, Found
from policies.audit.sources.files import UnreadableError, decoded
from policies.audit.sources.json_text import load
from policies.audit.sources.model import CLUSTER, Limits, SourceError
from policies.reading import pod_relations
from policies.reading.bags import fetch, items
from policies.reading.subjects import READS

_PAGE: Final = 500
_TO_CONNECT: Final = 10
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _GONE = 401, 403, 404, 410
_MAKES: Final = frozenset({"Revision"})
"""Not read, but made by what is and making what is: a Knative service's revisions have deployments."""
_TRY: Final = "see what it tells kubectl: kubectl --context {} get pods"
_CORE: Final = {
    "Namespace": "namespaces",
    "Pod": "pods",
    "ReplicationController": "replicationcontrollers",
}
_CONTEXTS: Final = "kubectl config get-contexts lists the contexts there are"


def read(source: str, limits: Limits) -> Found:
    """Every object of a cluster that is read. Raises SourceError if the cluster cannot be reached."""
    api, context = _client(source)
    cluster = _Cluster(api, f"{CLUSTER}{context}", limits)
    try:
        yield from cluster.objects()
    except ApiException as error:
        if error.status == _UNAUTHORIZED:
            raise SourceError(
                source, "the cluster does not accept the credentials", _TRY.format(context)
            ) from error
        raise SourceError(
            source,
            f"the cluster answers {error.status} {error.reason}",
            _TRY.format(context),
        ) from error
    except UnreadableError as error:
        raise SourceError(source, f"the cluster's answer {error.why}", _TRY.format(context)) from error
    except HTTPError as error:
        raise SourceError(
            source, f"the cluster does not answer: {_cause(error)}", f"kubectl --context {context} version"
        ) from error
    finally:
        api.close()


def _cause(error: Exception) -> str:
    """What is at the bottom of an error of the connection."""
    return str(getattr(error, "reason", None) or error)[:300]


def _client(source: str) -> tuple[client.ApiClient, str]:
    """A client of the cluster of a context, and the context's name."""
    asked = source.removeprefix(CLUSTER)
    configuration = client.Configuration()
    configuration.retries = False
    try:
        # The library reads the variable when it is imported, which may be long before.
        file = os.environ.get("KUBECONFIG")
        _, active = config.list_kube_config_contexts(file)
        name = asked or active["name"]
        config.load_kube_config(file, name, configuration, persist_config=False)
    except (ConfigException, OSError, YAMLError, LookupError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:300]
        raise SourceError(source, f"the kubeconfig does not lead to a cluster: {why}", _CONTEXTS) from error
    return client.ApiClient(configuration), str(name)


def read_kinds() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """The kinds that the rules read: of each, the groups and versions it is read in, the first one first."""
    types = (name for name in (*pod_relations.READS, *READS) if name.startswith("kubernetes:"))
    kinds: dict[str, tuple[tuple[str, str], ...]] = {}
    for each in dict.fromkeys(types):
        _, api_version, kind = each.split(":")
        group, _, version = api_version.partition("/")
        kinds[kind] = (*kinds.get(kind, ()), ("" if group == "core" else group, version))
    return kinds


class _Cluster:
    """One cluster being read."""

    def __init__(self, api: client.ApiClient, file: str, limits: Limits) -> None:
        self._objects = client.CustomObjectsApi(api)
        self._core = client.CoreV1Api(api)
        self._file = file
        self._limits = limits
        self._kinds = read_kinds()
        self._served: dict[tuple[str, str], Mapping[str, str]] = {}

    def objects(self) -> Found:
        """The objects of every kind that is read and that the cluster has."""
        for kind, versions in self._kinds.items():
            for group, version in versions:
                plural = self._plurals(group, version).get(kind)
                if plural is not None:
                    yield from self._listed(kind, group, version, plural)
                    break

    def _plurals(self, group: str, version: str) -> Mapping[str, str]:
        """How the paths of a version of an API call its kinds; none if the cluster does not have it."""
        if (group, version) not in self._served:
            self._served[group, version] = dict(self._resources(group, version))
        return self._served[group, version]

    def _resources(self, group: str, version: str) -> Iterator[tuple[str, str]]:
        if not group:
            yield from _CORE.items()
            return
        try:
            response = self._objects.get_api_resources(group, version, **self._raw())
            for each in items(self._value(response), "resources"):
                kind, plural = fetch(each, "kind"), fetch(each, "name")
                if isinstance(kind, str) and isinstance(plural, str) and "/" not in plural:
                    yield kind, plural
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise

    def _listed(self, kind: str, group: str, version: str, plural: str) -> Found:
        document = Document(self._file, None)
        try:
            yield from self._pages(group, version, plural)
        except ApiException as error:
            if error.status not in (_FORBIDDEN, _GONE):
                raise
            if error.status == _FORBIDDEN:
                yield document.unread(
                    f"does not let you list {plural}", f"kubectl auth can-i list {plural} --all-namespaces"
                )
            else:
                yield document.unread(f"changed while its {plural} were listed", "audit it again")
        except UnreadableError as error:
            yield document.unread(f"lists {kind} objects that cannot be read: {error.why}", error.remedy)

    def _pages(self, group: str, version: str, plural: str) -> Found:
        token: str | None = None
        while True:
            value = self._value(self._page(group, version, plural, token))
            document = Document(self._file, value)
            if kubernetes.is_one(value):
                listed = {**value, "items": self._first_hand(value)}
                yield from kubernetes.read(replace(document, value=listed))
            else:
                yield document.unread(f"answers with no list of {plural}", "audit it again")
            found = fetch(value, "metadata", "continue")
            token = found if isinstance(found, str) and found else None
            if token is None:
                return

    def _page(self, group: str, version: str, plural: str, token: str | None) -> Any:
        paged = {"limit": _PAGE, **({"_continue": token} if token else {}), **self._raw()}
        if group:
            return self._objects.list_cluster_custom_object(group, version, plural, **paged)
        lists = {
            "namespaces": self._core.list_namespace,
            "pods": self._core.list_pod_for_all_namespaces,
            "replicationcontrollers": self._core.list_replication_controller_for_all_namespaces,
        }
        return lists[plural](**paged)

    def _raw(self) -> dict[str, Any]:
        return {"_preload_content": False, "_request_timeout": (_TO_CONNECT, self._limits.seconds)}

    def _value(self, response: Any) -> Any:
        try:
            content = response.read(self._limits.file_bytes + 1)
        finally:
            response.release_conn()
        if len(content) > self._limits.file_bytes:
            raise UnreadableError("is larger than a file may be", "raise --max-file-size")
        return load(decoded(content))

    def _first_hand(self, value: Mapping[str, Any]) -> list[Any]:
        """The objects of a list that no other object that is read has made, without who set which field."""
        return [_lighter(each) for each in items(value, "items") if not self._is_made(each)]

    def _is_made(self, item: Any) -> bool:
        return any(
            fetch(owner, "controller") is True and (kind in self._kinds or kind in _MAKES)
            for owner in items(item, "metadata", "ownerReferences")
            for kind in [fetch(owner, "kind")]
        )


def _lighter(item: Any) -> Any:
    metadata = fetch(item, "metadata")
    if not isinstance(metadata, dict):
        return item
    return {**item, "metadata": {key: each for key, each in metadata.items() if key != "managedFields"}}
