"""Volumes as directories: what is written, what is kept, what is refused."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.node.podspec import ConfigError, Place
from sandbox.node.volumes import Volumes, config_map_data, secret_data

SOURCES: dict[str, dict[str, str]] = {"ns/cfg": {"a.cfg": "A\n", "b.cfg": "B\n"}}


def lookup(namespace: str, name: str) -> Mapping[str, str] | None:
    return SOURCES.get(f"{namespace}/{name}")


def volumes(tmp_path: Path, *specs: dict[str, Any]) -> Volumes:
    pod = {
        "metadata": {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "x"}},
        "spec": {"volumes": [{"name": f"v{number}", **spec} for number, spec in enumerate(specs)]},
    }
    place = Place(pod, "10.7.2.1", "10.7.0.1")
    return Volumes(tmp_path / "volumes", tmp_path / "claims", place, lookup, lookup)


def files(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("spec", "written"),
    [
        pytest.param({"configMap": {"name": "cfg"}}, {"a.cfg": "A\n", "b.cfg": "B\n"}, id="ConfigMap"),
        pytest.param(
            {"configMap": {"name": "cfg", "items": [{"key": "a.cfg", "path": "sub/x"}]}},
            {"sub/x": "A\n"},
            id="chosen keys under other names",
        ),
        pytest.param({"secret": {"secretName": "cfg"}}, {"a.cfg": "A\n", "b.cfg": "B\n"}, id="secret"),
        pytest.param({"configMap": {"name": "gone", "optional": True}}, {}, id="optional and missing"),
        pytest.param(
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
            {"labels": 'app="x"'},
            id="downward API",
        ),
        pytest.param(
            {
                "projected": {
                    "sources": [
                        {"serviceAccountToken": {"path": "token"}},
                        {"configMap": {"name": "cfg", "items": [{"key": "b.cfg", "path": "b"}]}},
                    ]
                }
            },
            {"b": "B\n"},
            id="projected, without the token",
        ),
        pytest.param({"emptyDir": {}}, {}, id="emptyDir"),
    ],
)
def test_what_a_volume_holds(tmp_path: Path, spec: dict[str, Any], written: dict[str, str]):
    volumes(tmp_path, spec).materialise()
    assert files(tmp_path / "volumes" / "v0") == written


def test_a_missing_source_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="gone not found"):
        volumes(tmp_path, {"configMap": {"name": "gone"}}).materialise()


def test_a_path_outside_its_volume_is_refused(tmp_path: Path):
    spec = {"configMap": {"name": "cfg", "items": [{"key": "a.cfg", "path": "../escape"}]}}
    with pytest.raises(ConfigError, match="outside"):
        volumes(tmp_path, spec).materialise()
    assert not (tmp_path / "volumes" / "escape").exists()


def test_a_changed_config_map_changes_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made = volumes(tmp_path, {"configMap": {"name": "cfg"}})
    made.materialise()
    monkeypatch.setitem(SOURCES, "ns/cfg", {"a.cfg": "changed\n"})
    made.materialise()
    assert files(tmp_path / "volumes" / "v0") == {"a.cfg": "changed\n"}
    assert made.config_maps() == {"cfg"}


def test_an_empty_dir_keeps_what_the_pod_wrote(tmp_path: Path):
    made = volumes(tmp_path, {"emptyDir": {}})
    made.materialise()
    (tmp_path / "volumes" / "v0" / "scratch").write_text("kept")
    made.materialise()
    assert files(tmp_path / "volumes" / "v0") == {"scratch": "kept"}


def test_a_claim_outlives_its_pod(tmp_path: Path):
    made = volumes(tmp_path, {"persistentVolumeClaim": {"claimName": "data"}})
    made.materialise()
    made.remove()
    assert (tmp_path / "claims" / "ns" / "data").is_dir()


def test_mounts_lead_to_the_volumes(tmp_path: Path):
    made = volumes(tmp_path, {"configMap": {"name": "cfg"}})
    container = {"volumeMounts": [{"name": "v0", "mountPath": "/etc/x", "subPath": "a.cfg"}]}
    (mount,) = made.mounts(container)
    assert (mount.path, mount.target) == ("/etc/x", tmp_path / "volumes" / "v0" / "a.cfg")


def test_binary_content_survives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = bytes(range(256))
    encoded = base64.b64encode(content).decode()
    assert secret_data({"data": {"k": encoded}})["k"].encode("utf-8", "surrogateescape") == content
    monkeypatch.setitem(SOURCES, "ns/cfg", dict(config_map_data({"binaryData": {"k": encoded}})))
    volumes(tmp_path, {"configMap": {"name": "cfg"}}).materialise()
    assert (tmp_path / "volumes" / "v0" / "k").read_bytes() == content


def test_nothing_is_made_outside_the_sandbox(tmp_path: Path):
    outside = tmp_path / "machine" / "models"
    volumes(tmp_path, {"hostPath": {"path": str(outside), "type": "DirectoryOrCreate"}}).materialise()

    assert not outside.exists()
