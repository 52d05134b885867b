"""Code packages: assets and archives as Pulumi passes them, packed into one zip.

The same content makes the same zip, whenever and wherever it is packed: entries are in order and carry no
time of their own. A file that is a zip already is taken as it is.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.values import Archive, Asset

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o644
_PROGRAM_MODE = 0o755
_SKIPPED = frozenset({"__pycache__"})


def zipped(archive: Archive) -> bytes:
    """The archive as the bytes of a zip."""
    path = _local_path(archive) if archive.kind in ("path", "uri") else None
    if path is not None and path.is_file() and zipfile.is_zipfile(path):
        return path.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content, mode in sorted(_files(archive, "")):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            package.writestr(entry, content)
    return buffer.getvalue()


def content_of(asset: Asset) -> bytes:
    """The bytes of one asset."""
    if asset.kind == "text":
        return asset.value.encode()
    return _existing(_local_path(asset)).read_bytes()


def _files(archive: Archive, below: str) -> Iterator[tuple[str, bytes, int]]:
    if archive.kind == "assets":
        yield from _members(archive.value, below)
        return
    path = _existing(_local_path(archive))
    if path.is_dir():
        yield from _tree(path, below)
    else:
        yield from _unpacked(path, below)


def _members(members: Mapping[str, Asset | Archive], below: str) -> Iterator[tuple[str, bytes, int]]:
    for name, member in members.items():
        if isinstance(member, Archive):
            yield from _files(member, f"{below}{name}/")
        else:
            mode = _mode(_local_path(member)) if member.kind == "path" else _FILE_MODE
            yield f"{below}{name}", content_of(member), mode


def _tree(root: Path, below: str) -> Iterator[tuple[str, bytes, int]]:
    for path in root.rglob("*"):
        relative = path.relative_to(root)
        if path.is_file() and not _SKIPPED & set(relative.parts):
            yield f"{below}{relative.as_posix()}", path.read_bytes(), _mode(path)


def _unpacked(path: Path, below: str) -> Iterator[tuple[str, bytes, int]]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            for entry in package.infolist():
                if not entry.is_dir():
                    yield (
                        f"{below}{entry.filename}",
                        package.read(entry),
                        entry.external_attr >> 16 or _FILE_MODE,
                    )
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as package:
            for member in package:
                content = package.extractfile(member)
                if content is not None:
                    yield f"{below}{member.name.removeprefix('./')}", content.read(), member.mode
    else:
        raise ProviderError(f"{path} is neither a zip nor a tar archive nor a directory")


def _mode(path: Path) -> int:
    return _PROGRAM_MODE if path.stat().st_mode & 0o100 else _FILE_MODE


def _local_path(item: Asset | Archive) -> Path:
    if item.kind == "path":
        return Path(str(item.value))
    parts = urlsplit(str(item.value))
    if parts.scheme != "file":
        raise ProviderError(
            f"{item.value} is not on this machine: the sandbox fetches nothing from the network, "
            "so use a FileAsset or FileArchive"
        )
    return Path(unquote(parts.path))


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ProviderError(f"{path} does not exist (looked for from {Path.cwd()})")
    return path
