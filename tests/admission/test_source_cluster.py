"""A live cluster as a source of an audit, told by a real API server."""

import pytest
from api_server import ApiServer, Manifest

from policies.audit.sources import Kind, SourceError, gather

pytestmark = pytest.mark.engine


def _pod_template(name: str) -> Manifest:
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "server", "image": "example.com/server"}]},
    }


def _deployment(name: str) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "audited"},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": _pod_template(name)},
    }


def _replica_set(api: ApiServer, name: str, of: str) -> Manifest:
    owner = api.get(_deployment(of)).object
    made_by = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": of,
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "audited", "ownerReferences": [made_by]},
        "spec": {"selector": {"matchLabels": {"app": name}}, "template": _pod_template(name)},
    }


def test_a_live_cluster(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "audited"}}
    api.keep(namespace, *(_deployment(f"chat-{number}") for number in range(3)))
    api.keep(_replica_set(api, "chat-0-abc", of="chat-0"))
    monkeypatch.setattr("policies.audit.sources.live_cluster._PAGE", 2)

    found = gather(["cluster:halfmetal"])

    in_namespace = {(each.resource_type, each.name) for each in found.resources if "audited" in each.name}
    assert in_namespace == {
        ("kubernetes:core/v1:Namespace", "audited"),
        *(("kubernetes:apps/v1:Deployment", f"audited/chat-{number}") for number in range(3)),
    }
    assert found.unread == ()
    assert found.kinds == {Kind.CLUSTER: len(found.resources)}


def test_a_context_that_the_kubeconfig_has_not(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig))
    with pytest.raises(SourceError, match="staging"):
        gather(["cluster:staging"])


def test_what_one_may_not_list_is_told(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig.with_name("node-agent.yaml")))
    found = gather(["cluster:"])
    assert found.resources == ()  # nobody gave it a role here
    assert "kubectl auth can-i list pods --all-namespaces" in {each.remedy for each in found.unread}
