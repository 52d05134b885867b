"""Is there room? Asked before the first byte is written, because a full disk is found out so late.

Several things may share a file system, so needs are added up for each file system, not for each directory.
"""

from __future__ import annotations

import errno
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from sandbox.progress import size
from sandbox.toolchain.errors import ToolchainError

FULL = (errno.ENOSPC, errno.EDQUOT)
MARGIN = 256_000_000


@dataclass(frozen=True)
class Need:
    """So many bytes, in that directory (which need not exist yet), for something that has a name."""

    directory: Path
    bytes: int
    what: str
    variable: str = "XDG_CACHE_HOME"


def free_bytes(directory: Path) -> int:
    """What an ordinary user may still write there."""
    return shutil.disk_usage(_existing(directory)).free


def shortage(needs: Iterable[Need], free: Callable[[Path], int] = free_bytes) -> ToolchainError | None:
    """The error to raise if the needs do not fit, or None."""
    by_device: defaultdict[int, list[Need]] = defaultdict(list)
    for need in needs:
        by_device[_existing(need.directory).stat().st_dev].append(need)
    for together in by_device.values():
        largest = max(together, key=lambda need: need.bytes)
        wanted, there = sum(need.bytes for need in together) + MARGIN, free(largest.directory)
        if wanted > there:
            return _error(together, wanted, there)
    return None


def full(directory: Path) -> ToolchainError:
    """The error for a disk that filled up while it was being written."""
    return ToolchainError(
        f"no space left on the disk of {directory} ({size(free_bytes(directory))} free)",
        "free some space, or set XDG_CACHE_HOME to a directory on a larger disk, and run the same command "
        "again: what is finished is kept",
    )


def _error(needs: list[Need], wanted: int, there: int) -> ToolchainError:
    directories = ", ".join(sorted({str(need.directory) for need in needs}))
    variables = " and ".join(sorted({need.variable for need in needs}, reverse=True))
    parts = "\n".join(f"    {size(need.bytes):>8}  {need.what} in {need.directory}" for need in needs)
    return ToolchainError(
        f"no room for the toolchain in {directories}: {size(wanted)} needed, {size(there)} free",
        f"free some space, or set {variables} to a directory on a larger disk",
        detail=parts,
    )


def _existing(directory: Path) -> Path:
    return next(parent for parent in (directory, *directory.parents) if parent.exists())
