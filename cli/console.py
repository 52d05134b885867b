"""Where tables go: a terminal, or a file that somebody reads later."""

from __future__ import annotations

import sys

from rich.console import Console

_FILE_WIDTH = 140


def wide_console() -> Console:
    """A terminal as wide as it is; a file or a pipe wide enough for a table."""
    terminal = sys.stdout.isatty()
    return Console(highlight=False, width=None if terminal else _FILE_WIDTH)
