"""What is live: a cluster that answers over HTTP as an API server does, and a program in pulumi's place."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from policies.audit.sources import Kind, Limits, SourceError, gather

pytestmark = pytest.mark.slow  # the client of Kubernetes takes a second to import

POD = "kubernetes:core/v1:Pod"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def _kinds(**plurals: str) -> dict[str, Any]:
    resources = [{"kind": kind, "name": plural} for kind, plural in plurals.items()]
    # A subresource is of the same kind as what it is of.
    return {"kind": "APIResourceList", "resources": [*resources, {"kind": "Pod", "name": "pods/status"}]}


def _listed(
    kind: str, *names: str, token: str = "", api_version: str = "v1", **metadata: Any
) -> dict[str, Any]:
    objects = [
        {"metadata": {"name": name, "namespace": "a", "managedFields": [{}], **metadata}} for name in names
    ]
    return {
        "kind": f"{kind}List",
        "apiVersion": api_version,
        "metadata": {"continue": token},
        "items": objects,
    }


Answer = tuple[int, Any]


@dataclass
class Cluster:
    """Answers by path, and by path and page."""

    port: int
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            page = query.get("continue", [""])[0]
            told.asked.append(f"{self.command} {url.path} {query.get('limit', [''])[0]}")
            status, value = told.answers.get(f"{url.path}@{page}" if page else url.path, (404, {}))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Cluster(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def write(port: int) -> None:
        named = {"cluster": {"server": f"http://127.0.0.1:{port}"}}
        config = {
            "clusters": [{"name": "c", **named}],
            "users": [{"name": "u", "user": {"token": "hidden"}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "prod",
        }
        (tmp_path / "config").write_text(json.dumps(config), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))

    return write


@dataclass(frozen=True)
class Case:
    says: str
    answers: Mapping[str, Answer]
    found: list[tuple[str, str]]
    unread: tuple[str, ...] = ()


CORE = {"Namespace": "namespaces", "Pod": "pods", "ReplicationController": "replicationcontrollers"}
EMPTY: dict[str, Answer] = {f"/api/v1/{plural}": (200, _listed(kind)) for kind, plural in CORE.items()}
MADE = {"ownerReferences": [{"kind": "ReplicaSet", "controller": True}]}
HELD = {"ownerReferences": [{"kind": "Node", "controller": True}, {"kind": "Job", "controller": False}]}
CASES = [
    Case("objects", {**EMPTY, "/api/v1/pods": (200, _listed("Pod", "x"))}, [(POD, "a/x")]),
    Case(
        "pages",
        {
            **EMPTY,
            "/api/v1/pods": (200, _listed("Pod", "x", token="2")),
            "/api/v1/pods@2": (200, _listed("Pod", "y")),
        },
        [(POD, "a/x"), (POD, "a/y")],
    ),
    Case("what another object has made", {**EMPTY, "/api/v1/pods": (200, _listed("Pod", "x", **MADE))}, []),
    Case(
        "what it only belongs to",
        {**EMPTY, "/api/v1/pods": (200, _listed("Pod", "x", **HELD))},
        [(POD, "a/x")],
    ),
    Case(
        "the version that the cluster has",
        {
            **EMPTY,
            "/apis/kueue.x-k8s.io/v1beta2": (200, _kinds(LocalQueue="localqueues")),
            "/apis/kueue.x-k8s.io/v1beta2/localqueues": (
                200,
                _listed("LocalQueue", "q", api_version="kueue.x-k8s.io/v1beta2"),
            ),
        },
        [("kubernetes:kueue.x-k8s.io/v1beta2:LocalQueue", "a/q")],
    ),
    Case(
        "one of two versions",
        {
            **EMPTY,
            **{
                f"/apis/apps/{version}": (200, _kinds(Deployment="deployments"))
                for version in ("v1", "v1beta1")
            },
            **{
                f"/apis/apps/{version}/deployments": (
                    200,
                    _listed("Deployment", "d", api_version=f"apps/{version}"),
                )
                for version in ("v1", "v1beta1")
            },
        },
        [(DEPLOYMENT, "a/d")],
    ),
    Case("an empty cluster", EMPTY, []),
    Case(
        "what one may not list",
        {
            **EMPTY,
            "/api/v1/namespaces": (403, {"message": "no"}),
            "/api/v1/pods": (200, _listed("Pod", "x")),
        },
        [(POD, "a/x")],
        ("kubectl auth can-i list namespaces",),
    ),
    Case(
        "a list that expires",
        {
            **EMPTY,
            "/api/v1/pods": (200, _listed("Pod", "x", token="2")),
            "/api/v1/pods@2": (410, {}),
        },
        [(POD, "a/x")],
        ("audit it again",),
    ),
    Case("no list", {**EMPTY, "/api/v1/pods": (200, {"kind": 3})}, [], ("audit it again",)),
    Case("no JSON", {**EMPTY, "/api/v1/pods": (200, b"<html>")}, [], ("write the file again",)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_a_cluster(case: Case, cluster: Cluster, kubeconfig: Callable[[int], None]) -> None:
    kubeconfig(cluster.port)
    cluster.answers.update(case.answers)
    found = gather(["cluster:"])
    assert [(each.resource_type, each.name) for each in found.resources] == case.found
    assert all(remedy in each.remedy for remedy, each in zip(case.unread, found.unread, strict=True))
    assert found.kinds.get(Kind.CLUSTER, 0) == len(case.found)
    assert all(each.startswith("GET") for each in cluster.asked)
    assert not any("secrets" in each for each in cluster.asked)
    for each in found.resources:
        assert (each.urn.partition("#")[0], str(each.location)) == ("cluster:prod", "cluster:prod")
        assert "managedFields" not in each.props["metadata"]


def test_lists_are_asked_for_in_pages(cluster: Cluster, kubeconfig: Callable[[int], None]) -> None:
    kubeconfig(cluster.port)
    cluster.answers.update(EMPTY)
    cluster.answers["/api/v1/pods"] = 200, _listed("Pod", "x")
    gather(["cluster:prod"])
    assert "GET /api/v1/pods 500" in cluster.asked


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/api/v1/namespaces", (401, {}), "does not accept the credentials"),
        ("/api/v1/namespaces", (500, {}), "answers 500"),
        ("/apis/apps/v1", (403, {}), "answers 403"),
        ("/apis/apps/v1", (200, b"no"), "not JSON"),
    ],
)
def test_a_cluster_that_refuses(
    path: str, answer: Answer, why: str, cluster: Cluster, kubeconfig: Callable[[int], None]
) -> None:
    kubeconfig(cluster.port)
    cluster.answers.update(EMPTY)
    cluster.answers[path] = answer
    with pytest.raises(SourceError, match=why) as caught:
        gather(["cluster:"])
    assert "hidden" not in str(caught.value)


def test_a_cluster_that_is_not_there(kubeconfig: Callable[[int], None]) -> None:
    kubeconfig(9)
    with pytest.raises(SourceError, match="does not answer") as caught:
        gather(["cluster:"])
    assert "kubectl --context prod version" in caught.value.remedy


def test_a_context_that_is_not_there(kubeconfig: Callable[[int], None]) -> None:
    kubeconfig(9)
    with pytest.raises(SourceError, match="staging") as caught:
        gather(["cluster:staging"])
    assert "get-contexts" in caught.value.remedy


@pytest.mark.parametrize("text", [None, "", "{}", "a: [", "3", '{"contexts": 3}', '{"contexts": []}'])
def test_a_kubeconfig_that_is_none(text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    if text is not None:
        (tmp_path / "config").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="kubeconfig"):
        gather(["cluster:"])


# -- stacks


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of pulumi; its last argument is the file to write."""

    def put(script: str) -> None:
        program = tmp_path / "bin" / "pulumi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\nfor file; do :; done\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=":")

    return put


STATE = json.dumps(
    {
        "version": 3,
        "deployment": {
            "resources": [{"urn": "urn:pulumi:prod::p::a:b:C::x", "type": "a:b:C", "custom": True}],
        },
    }
)


def test_a_stack(pulumi: Callable[[str], None], tmp_path: Path) -> None:
    pulumi(f"echo \"$*\" > {tmp_path / 'said'}\nprintf '%s' '{STATE}' > \"$file\"")
    found = gather(["stack:prod"])
    (resource,) = found.resources
    assert (resource.name, str(resource.location)) == ("x", "stack:prod")
    assert (found.kinds, found.files) == ({Kind.PULUMI: 1}, 1)
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert said.startswith("stack export --non-interactive --stack prod --file ")
    assert "--show-secrets" not in said


@dataclass(frozen=True)
class Refused:
    says: str
    script: str
    why: str
    name: str = "prod"


REFUSED = [
    Refused("no such stack", "echo noise >&2\necho 'error: no stack named' >&2; exit 255", "no stack named"),
    Refused("no reason", "exit 3", "does not say why"),
    Refused("no answer", "exec sleep 30", "did not answer"),
    Refused("no file", "exit 0", "cannot be opened"),
    Refused("no JSON", 'echo nothing > "$file"', "not JSON"),
    Refused("no name", "exit 0", "names no stack", name=""),
    Refused("an option for a name", "exit 0", "names no stack", name="--show-secrets"),
    Refused("a name that is none", "exit 0", "does not start", name="a\0b"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.says)
def test_a_stack_that_is_not_told(case: Refused, pulumi: Callable[[str], None]) -> None:
    pulumi(case.script)
    with pytest.raises(SourceError, match=case.why):
        gather([f"stack:{case.name}"], Limits(seconds=1))


def test_no_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no pulumi on the PATH") as caught:
        gather(["stack:prod"])
    assert "pulumi stack export" in caught.value.remedy
