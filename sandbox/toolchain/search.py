"""Programs that this machine has, as opposed to those that a sandbox has put on PATH.

A shell of a sandbox finds the sandbox's programs first. Taking them for the machine's own would make a
sandbox depend on itself, or on another clone's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

# A directory in which one of these leads into our cache is a sandbox's, whichever clone's it is.
_TELLTALES = ("pulumi", "kubectl", "haproxy")


def outside(ours: Sequence[Path], extra: Sequence[Path | str] = ()) -> list[str]:
    """The directories of PATH, then `extra`, without those that belong to a sandbox.

    `ours` are the directories that hold our own programs: the state of this clone and the user's cache.
    """
    directories = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, extra)]
    return [directory for directory in directories if directory and not _is_ours(Path(directory), ours)]


def which(program: str, directories: Sequence[str]) -> Path | None:
    """Where a program is in these directories."""
    found = shutil.which(program, path=os.pathsep.join(directories))
    return Path(found) if found else None


def _is_ours(directory: Path, ours: Sequence[Path]) -> bool:
    places = (directory, *(directory / name for name in _TELLTALES))
    return any(place.resolve().is_relative_to(home) for place in places for home in ours)
