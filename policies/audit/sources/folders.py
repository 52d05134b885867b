"""A folder walked: its files that may be sources, and what in it would have to be run first.

No link is followed out of the folder. History, and what was downloaded into it, is left out.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policies.audit.sources.files import shown
from policies.audit.sources.model import Limits, SourceError, Unread
from policies.audit.sources.programs import in_folder
from policies.resources import Location

SUFFIXES: Final = (".yaml", ".yml", ".json", ".tfstate", ".template")
LEFT_OUT: Final = frozenset({".git", "node_modules", ".terraform", ".venv"})


def walk(folder: Path, limits: Limits) -> Iterator[Path | Unread]:
    """The files of a folder and those within it, in the order of their names.

    Raises SourceError where there are more than the limit.
    """
    root = folder.resolve()
    found = 0
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        here = Path(parent)
        hidden = LEFT_OUT
        programs = list(in_folder(here, sorted(names)))
        for program, file in programs:
            hidden = hidden.union(program.hides)
            yield Unread(
                Location(shown(file)),
                f"{program.called} is not readable without running it",
                program.remedy.format(folder=shown(here)),
            )
        folders[:] = sorted(name for name in folders if name not in hidden)
        known = {file.name for _, file in programs}
        for name in sorted(names):
            path = here / name
            if name in known or not name.endswith(SUFFIXES) or not _stays_within(path, root):
                continue
            found += 1
            if found > limits.files:
                raise SourceError(
                    shown(folder), f"holds more than {limits.files:,} files", "name the folders to be audited"
                )
            yield path
    for error in refused:
        yield Unread(
            Location(shown(Path(os.fsdecode(error.filename)))),
            f"cannot be opened: {(error.strerror or 'unknown error').lower()}",
            "check its permissions",
        )


def _stays_within(path: Path, root: Path) -> bool:
    """Whether a path is a regular file, and if it is a link, one of the folder."""
    try:
        return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root))
    except (OSError, RuntimeError):  # a loop of links
        return False
