"""A cache that holds whole things or nothing.

Each entry is a directory `GROUP-KEY` with the programs and a manifest that names them and their sizes. It is
made under `staging/` on the same file system and renamed into place when it is complete, so whoever dies in
the middle leaves only a staging directory. Makers of one entry exclude each other, across processes and
clones, by a lock that the kernel releases when its holder dies. A staging directory exists only while its
maker holds that lock: whoever gets the lock and finds one knows that its maker is dead, and removes it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.toolchain import space
from sandbox.toolchain.errors import Stopped, ToolchainError

MANIFEST = "manifest.json"
UNUSED_S = 30 * 24 * 3600
_POLL_S = 0.2

Build = Callable[[Path], Mapping[str, str]]


@dataclass(frozen=True)
class Entry:
    """A complete entry: where it is, each program's path, and what all of it takes on the disk."""

    directory: Path
    programs: Mapping[str, Path]
    bytes: int


class Store:
    """The entries below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._staging = root / "staging"
        self._locks = root / "locks"

    def find(self, name: str) -> Entry | None:
        """The entry, if it is there and whole. Needs no right to write."""
        entry = self._read(name)
        if entry is not None:
            with suppress(OSError):  # a read-only cache serves as well; only `prune` reads the time
                os.utime(entry.directory / MANIFEST)
        return entry

    def make(
        self, name: str, build: Build, *, stopped: threading.Event, waiting: Callable[[str], None]
    ) -> Entry:
        """The entry, made by `build` unless somebody else made it meanwhile.

        `build` fills the directory it is given and tells each program's path in it. `waiting` is told who
        holds the lock, if somebody does. Raises `Stopped` if `stopped` is set while waiting.
        """
        with self._errors(), self._lock(name, stopped, waiting):
            entry = self.find(name)
            if entry is not None:
                return entry
            self._remove_leftovers(name)
            return self._build(name, build)

    def prune(self, *, unused_s: float = UNUSED_S, keep: tuple[str, ...] = ()) -> list[str]:
        """Remove the entries that nobody used for so long, and what dead makers left; the names removed."""
        removed = []
        for name in sorted(
            {*self._names(self.root), *(part.partition(".")[0] for part in self._names(self._staging))}
        ):
            with suppress(BlockingIOError), self._errors(), self._try_lock(name):
                self._remove_leftovers(name)
                if name not in keep and self._unused_for(name) > unused_s:
                    self._discard(self.root / name)
                    removed.append(name)
        return removed

    def _build(self, name: str, build: Build) -> Entry:
        staging = self._staging / f"{name}.{os.getpid()}"
        started = time.monotonic()
        staging.mkdir(parents=True)
        try:
            programs = build(staging)
            _write_manifest(staging, programs, seconds=time.monotonic() - started)
            _flush(staging, programs)
            target = self.root / name
            if target.exists():  # not whole, or `find` had found it
                self._discard(target)
            staging.rename(target)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        entry = self._read(name)
        if entry is None:
            message = (
                f"{name} was built, but its programs are not where they were said to be: {dict(programs)}"
            )
            raise AssertionError(message)
        return entry

    def _read(self, name: str) -> Entry | None:
        directory = self.root / name
        try:
            manifest = json.loads((directory / MANIFEST).read_text())
            programs = {program: directory / part["path"] for program, part in manifest["programs"].items()}
            sizes = {program: int(part["bytes"]) for program, part in manifest["programs"].items()}
            whole = "bytes" in manifest and all(
                path.stat().st_size == sizes[program] and os.access(path, os.X_OK)
                for program, path in programs.items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # not there, or not as this program writes it: either way it has to be made
        return Entry(directory, programs, int(manifest["bytes"])) if whole else None

    def _unused_for(self, name: str) -> float:
        try:
            return time.time() - (self.root / name / MANIFEST).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _names(self, directory: Path) -> list[str]:
        if not directory.is_dir():
            return []
        return [path.name for path in directory.iterdir() if path not in (self._staging, self._locks)]

    def _remove_leftovers(self, name: str) -> None:
        for leftover in self._staging.glob(f"{name}.*"):
            shutil.rmtree(leftover, ignore_errors=True)

    def _discard(self, directory: Path) -> None:
        """Remove an entry at once: a reader sees it whole or not at all."""
        trash = self._staging / f"{directory.name}.trash.{os.getpid()}"
        trash.parent.mkdir(parents=True, exist_ok=True)
        directory.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    @contextmanager
    def _lock(self, name: str, stopped: threading.Event, waiting: Callable[[str], None]) -> Iterator[None]:
        told = False
        with self._lock_file(name) as file:
            while not _try_flock(file):
                if not told:
                    waiting(_holder(file))
                    told = True
                if stopped.wait(_POLL_S):
                    raise Stopped
            _sign(file)
            yield

    @contextmanager
    def _try_lock(self, name: str) -> Iterator[None]:
        with self._lock_file(name) as file:
            if not _try_flock(file):
                raise BlockingIOError(errno.EWOULDBLOCK, "somebody is making it")
            yield

    @contextmanager
    def _lock_file(self, name: str) -> Iterator[IO[str]]:
        self._locks.mkdir(parents=True, exist_ok=True)
        # Lock files stay: removing one that somebody waits for would let two in.
        with (self._locks / f"{name}.lock").open("a+") as file:
            yield file

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno in space.FULL:
                raise space.full(self.root) from error
            if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
                raise ToolchainError(
                    f"cannot write to the toolchain cache {self.root}: {error.strerror} ({error.filename})",
                    "make that directory writable, or set XDG_CACHE_HOME to one that is",
                ) from error
            raise


def _try_flock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(file: IO[str]) -> None:
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} in {Path.cwd()}")
    file.flush()


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "another process"


def _write_manifest(directory: Path, programs: Mapping[str, str], *, seconds: float) -> None:
    manifest = {
        "programs": {
            name: {"path": path, "bytes": (directory / path).stat().st_size}
            for name, path in programs.items()
        },
        "bytes": sum(path.lstat().st_size for path in directory.rglob("*")),
        "seconds": round(seconds, 1),
    }
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def _flush(directory: Path, programs: Mapping[str, str]) -> None:
    """Have the bytes on the disk before the name: in a power cut a rename may survive what it names."""
    for path in (*(directory / path for path in programs.values()), directory / MANIFEST):
        with path.open("rb") as file:
            os.fsync(file.fileno())
