"""A pod's volumes as directories on this machine, kept up to date as kubelet keeps them.

ConfigMaps, secrets and the downward API become files; an emptyDir is a directory that goes with the pod; a
claim's directory stays. What needs more than files (tokens, CSI drivers, images) is an empty directory.
"""

import base64
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sandbox.node.api import Object
from sandbox.node.podspec import ConfigError, Lookup, Mount, Place, resource

Files = dict[str, bytes]


class Volumes:
    """The volumes of one pod below one directory."""

    def __init__(self, root: Path, claims: Path, place: Place, config_map: Lookup, secret: Lookup) -> None:
        """Makes nothing yet; `claims` is where the directories of claims are, pods come and go."""
        self._root = root
        self._claims = claims
        self._place = place
        self._config_map = config_map
        self._secret = secret

    def materialise(self) -> None:
        """Write every volume as it ought to be now. Raises ConfigError when a source is missing."""
        for volume in self._place.pod["spec"].get("volumes", []):
            directory = self._directory(volume)
            if "hostPath" in volume:
                continue  # the machine's own: nothing is made outside the sandbox
            directory.mkdir(parents=True, exist_ok=True)
            files = self._files(volume)
            if files is not None:
                _write(directory, files)

    def mounts(self, container: Object) -> list[Mount]:
        """Where a container's mounts are."""
        volumes = {volume["name"]: volume for volume in self._place.pod["spec"].get("volumes", [])}
        return [
            Mount(mount["mountPath"], self._directory(volumes[mount["name"]]) / mount.get("subPath", ""))
            for mount in container.get("volumeMounts", [])
            if mount["name"] in volumes
        ]

    def config_maps(self) -> set[str]:
        """Names of the ConfigMaps that end up as files."""
        return {
            source["configMap"]["name"]
            for volume in self._place.pod["spec"].get("volumes", [])
            for source in _sources(volume)
            if "configMap" in source
        }

    def remove(self) -> None:
        """Remove what goes with the pod."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _directory(self, volume: Object) -> Path:
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if claim := volume.get("persistentVolumeClaim"):
            return self._claims / str(self._place.pod["metadata"]["namespace"]) / str(claim["claimName"])
        return self._root / str(volume["name"])

    def _files(self, volume: Object) -> Files | None:
        """The files that a volume consists of; None for one whose content is the pod's own."""
        sources = list(_sources(volume))
        if not sources:
            return None
        files: Files = {}
        for source in sources:
            files |= self._of_source(source)
        return files

    def _of_source(self, source: Object) -> Files:
        if "configMap" in source:
            return self._selected(source["configMap"], self._config_map, source["configMap"]["name"])
        if "secret" in source:
            secret = source["secret"]
            return self._selected(secret, self._secret, secret.get("secretName") or secret["name"])
        pod, field = self._place.pod, self._place.field
        return dict(_downward(item, pod, field) for item in source["downwardAPI"].get("items", []))

    def _selected(self, source: Object, lookup: Lookup, name: str) -> Files:
        data = lookup(self._place.pod["metadata"]["namespace"], name)
        if data is None:
            if source.get("optional"):
                return {}
            raise ConfigError(f"{name} not found")
        wanted = source.get("items") or [{"key": key, "path": key} for key in data]
        missing = [item["key"] for item in wanted if item["key"] not in data]
        if missing and not source.get("optional"):
            raise ConfigError(f"{name} has no key {missing[0]}")
        return {item["path"]: _bytes(data[item["key"]]) for item in wanted if item["key"] in data}


def _sources(volume: Object) -> Iterator[Object]:
    """The parts of a volume that are made of objects of the API."""
    parts = volume["projected"].get("sources", []) if "projected" in volume else [volume]
    return (part for part in parts if {"configMap", "secret", "downwardAPI"} & {*part})


def _downward(item: Object, pod: Object, field: Callable[[str], str]) -> tuple[str, bytes]:
    if "fieldRef" in item:
        return str(item["path"]), field(item["fieldRef"]["fieldPath"]).encode()
    reference = item["resourceFieldRef"]
    container = next(c for c in pod["spec"]["containers"] if c["name"] == reference["containerName"])
    return str(item["path"]), resource(container, reference).encode()


def config_map_data(item: Object) -> Mapping[str, str]:
    """A ConfigMap's keys; binary ones as text that `_bytes` turns back."""
    binary = {key: _text(base64.b64decode(value)) for key, value in item.get("binaryData", {}).items()}
    return {**binary, **item.get("data", {})}


def secret_data(item: Object) -> Mapping[str, str]:
    """A Secret's keys, decoded."""
    return {key: _text(base64.b64decode(value)) for key, value in item.get("data", {}).items()}


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def _write(directory: Path, files: Files) -> None:
    """Make the directory hold exactly these files; each changes at once, and only if it differs."""
    for name, content in files.items():
        path = directory / name
        if not path.is_relative_to(directory) or ".." in Path(name).parts:
            raise ConfigError(f"{name} is outside its volume")
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.new")
            partial.write_bytes(content)
            partial.replace(path)
    for parent, _, names in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            if str(path.relative_to(directory)) not in files:
                path.unlink()
