"""The stack files of this clone, by the name that every command takes."""

from __future__ import annotations

from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.paths import REPO

STACKS = REPO / "stacks"
_PREFIX, _SUFFIX = "Pulumi.", ".yaml"


def names() -> list[str]:
    """Every stack that has a file."""
    files = STACKS.glob(f"{_PREFIX}*{_SUFFIX}")
    return sorted(file.name.removeprefix(_PREFIX).removesuffix(_SUFFIX) for file in files)


def path_of(stack: str) -> Path:
    """Where a stack's file is, or would be."""
    return STACKS / f"{_PREFIX}{stack}{_SUFFIX}"


def file_of(stack: str) -> Path:
    """The file that a stack's name, or the path of any stack file, means."""
    is_path = "/" in stack or stack.endswith((".yaml", ".yml"))
    return Path(stack) if is_path else path_of(stack)


def existing(stack: str) -> Path:
    """A stack's file; SandboxError with the stacks that there are when it has none."""
    path = path_of(stack)
    if not path.is_file():
        raise SandboxError(
            f"there is no stack {stack!r}: {path.relative_to(REPO)} does not exist",
            f"name one of: {', '.join(names())}; or write that file",
        )
    return path
