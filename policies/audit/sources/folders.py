"""A folder walked: its files that may be sources, and what in it would have to be run first.

No link is followed out of the folder; one that leads out of it is told. History, and what was downloaded into
it, is left out.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Final

from policies.audit.sources.files import shown
from policies.audit.sources.kustomize import FILES, patches
from policies.audit.sources.model import Limits, SourceError, Unread
from policies.audit.sources.programs import Program, in_folder
from policies.resources import Location

SUFFIXES: Final = (".yaml", ".yml", ".json", ".tfstate", ".template")
LEFT_OUT: Final = frozenset({".aws-sam", ".git", ".serverless", ".terraform", ".venv", "node_modules"})
"""Folders of history, of what was downloaded, and of what was built from files that are read themselves."""
_LEFT_OUT_OF: Final = {".pulumi": frozenset({"backups", "history", "locks"})}
"""What a backend keeps of states that were."""


@dataclass(frozen=True, slots=True)
class LinkOut:
    """A link that leads out of its folder, to what nobody looked at there."""

    path: Path
    target: Path

    @property
    def unread(self) -> Unread:
        """What is told of it."""
        remedy = f"name what it leads to: halfmetal audit {quote(shown(self.target))}"
        return Unread(
            Location(shown(self.path)), "is a link out of its folder, which is not followed", remedy
        )


def walk(folder: Path, limits: Limits) -> Iterator[Path | LinkOut | Unread]:
    """The files of a folder and those within it, in the order of their names.

    Raises SourceError where there are more than the limit.
    """
    root = folder.resolve()
    refused: list[OSError] = []
    parts: set[Path] = set()
    found = 0
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        here = Path(parent)
        names.sort()
        programs = list(in_folder(here, names))
        hidden = LEFT_OUT.union(_LEFT_OUT_OF.get(here.name, ()), *(each.hides for each, _ in programs))
        for program, file in programs:
            if program.rendered not in folders:
                yield unread(program, file)
        folders[:] = sorted(name for name in folders if name not in hidden)
        yield from _leading_out(here, folders, root)
        yield from _leading_out(here, [name for name in names if name.endswith(SUFFIXES)], root)
        known = {file.name for _, file in programs}
        parts |= {each for _, file in programs if file.name in FILES for each in patches(file, limits)}
        for name in names:
            path = here / name
            if name in known or not name.endswith(SUFFIXES) or not _stays_within(path, root):
                continue
            if parts and path.resolve() in parts:
                continue
            found += 1
            if found > limits.files:
                raise SourceError(
                    shown(folder), f"holds more than {limits.files:,} files", "name the folders to be audited"
                )
            yield path
    for error in refused:
        why = f"cannot be opened: {(error.strerror or 'unknown error').lower()}"
        yield Unread(Location(shown(Path(os.fsdecode(error.filename)))), why, "check its permissions")


def unread(program: Program, file: Path) -> Unread:
    """A file that is the source of a program."""
    return Unread(
        Location(shown(file)),
        f"{program.called} is not readable without running it",
        program.remedy.format(folder=quote(shown(file.parent))),
    )


def _leading_out(here: Path, names: Iterable[str], root: Path) -> Iterator[LinkOut]:
    """The links among these that lead to a file or a folder elsewhere."""
    for path in (here / name for name in names):
        try:
            target = path.resolve() if path.is_symlink() else root
            if not target.is_relative_to(root) and (target.is_dir() or target.is_file()):
                yield LinkOut(path, target)
        except (OSError, RuntimeError):  # a loop of links, which leads nowhere
            continue


def _stays_within(path: Path, root: Path) -> bool:
    """Whether a path is a regular file, and if it is a link, one of the folder."""
    try:
        return path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root))
    except (OSError, RuntimeError):  # a loop of links
        return False
