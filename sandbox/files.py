"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path


def write_atomically(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write a file by renaming a complete one over it, in a folder that is made where there is none.

    `mode` holds from the first byte on, whatever the umask. Without it, it is that of any new file.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        descriptor = os.open(
            partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode & 0o600
        )
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(text)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
