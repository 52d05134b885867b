"""Where tables go: a terminal, or a file that somebody reads later. And how a fault is told."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

_FILE_WIDTH = 140


def wide_console() -> Console:
    """A terminal as wide as it is; a file or a pipe wide enough for a table."""
    terminal = sys.stdout.isatty()
    return Console(highlight=False, width=None if terminal else _FILE_WIDTH)


def tell(error: Exception) -> None:
    """A fault in its own words, to standard error."""
    from components.visible import visible

    said = "\n".join(visible(line) for line in str(error).splitlines())
    told = Text.assemble(("error:", "bold red"), " ", said)
    Console(stderr=True, highlight=False).print(told, soft_wrap=True)
