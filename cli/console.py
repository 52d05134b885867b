"""Where tables go: a terminal, or a file that somebody reads later. And how a fault is told."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from sandbox.errors import SandboxError

_FILE_WIDTH = 140
_NOWHERE_TO_WRITE: Final = frozenset({errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC})


def wide_console(*, stderr: bool = False) -> Console:
    """A terminal as wide as it is; a file or a pipe wide enough for a table."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(highlight=False, stderr=stderr, width=None if terminal else _FILE_WIDTH)


def open_what_is_closed() -> None:
    """Give a process that was started without standard output one to which writing fails, as it should.

    Python has None for it, and the next file to be opened would take its number.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def flush() -> None:
    """Write what is left to standard output while a fault can be told; a broken pipe is none."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop()


def drop() -> None:
    """Let go of what standard output could not take: it would be tried again at the end of the process."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):  # no file
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.close(nowhere)


def not_written(error: Exception) -> SandboxError | None:
    """A fault of what is written to, in words; None of any other. One of a file has that file's name."""
    from sandbox.errors import SandboxError

    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _NOWHERE_TO_WRITE:
        return None
    if error.errno == errno.EBADF:
        return SandboxError("standard output is closed", "open it, or send it to /dev/null")
    said = (error.strerror or "it failed").lower()
    return SandboxError(f"the output could not be written: {said}", "make room, or send it elsewhere")


def tell(error: Exception) -> None:
    """A fault in its own words, to standard error."""
    from components.visible import visible

    said = "\n".join(visible(line) for line in str(error).splitlines())
    told = Text.assemble(("error:", "bold red"), " ", said)
    Console(stderr=True, highlight=False).print(told, soft_wrap=True)
