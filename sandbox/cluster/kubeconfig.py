"""Kubeconfigs: where the API server is, how it is verified, and who the caller is."""

import base64
import json
from pathlib import Path
from typing import Any

import yaml

from sandbox.cluster.pki import ADMINISTRATOR, IDENTITIES, Pair, Pki
from sandbox.files import write_atomically
from sandbox.instance import Instance

CONTEXT = "halfmetal"

Document = dict[str, Any]


def write_all(instance: Instance) -> None:
    """One kubeconfig per client of the sandbox; the administrator's is the one that a shell gets."""
    pki = Pki(instance.paths.pki)
    for identity in IDENTITIES:
        document = _kubeconfig(instance, identity.name, pki.pair(identity.name))
        _write_unless_same(instance.paths.kubeconfig_of(identity.name), document)
    shell = _kubeconfig(instance, ADMINISTRATOR, pki.pair(ADMINISTRATOR))
    _write_unless_same(instance.paths.kubeconfig, _merged(instance.paths.kubeconfig, shell))


def write_webhook(path: Path, url: str) -> None:
    """What the API server reads to know whom it asks about bearer tokens."""
    _write_unless_same(path, _document("token-review", {"server": url}, "kube-apiserver", {}))


def _kubeconfig(instance: Instance, user: str, pair: Pair) -> Document:
    cluster = {
        "server": instance.apiserver_url,
        "certificate-authority-data": _data(instance.paths.ca_certificate),
    }
    credentials = {"client-certificate-data": _data(pair.certificate), "client-key-data": _data(pair.key)}
    return _document(CONTEXT, cluster, user, credentials)


def _document(name: str, cluster: Document, user: str, credentials: Document) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }


def _merged(path: Path, ours: Document) -> Document:
    """Our entries, with those that somebody added since, by `aws eks update-kubeconfig` for one."""
    try:
        there = yaml.safe_load(path.read_text())
        others = {
            entries: [entry for entry in there[entries] or () if entry["name"] != ours[entries][0]["name"]]
            for entries in ("clusters", "users", "contexts")
        }
    except (OSError, yaml.YAMLError, LookupError, TypeError):
        return ours
    merged = {entries: [*ours[entries], *added] for entries, added in others.items()}
    current = there.get("current-context")
    kept = current if any(context["name"] == current for context in merged["contexts"]) else CONTEXT
    return {**ours, **merged, "current-context": kept}


def _data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _write_unless_same(path: Path, document: Document) -> None:
    text = json.dumps(document, indent=2) + "\n"  # JSON is YAML
    if not path.exists() or path.read_text() != text:
        write_atomically(path, text, mode=0o600)
