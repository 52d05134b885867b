"""A child's output, piece by piece as it comes."""

import queue
import subprocess
import threading
from collections.abc import Iterator
from enum import Enum, auto
from typing import IO

_CHUNK = 64 * 1024


class Source(Enum):
    STDOUT = auto()
    STDERR = auto()


def read(child: subprocess.Popen[bytes]) -> Iterator[tuple[Source, bytes]]:
    """Yields what the child writes to its two pipes until it has closed both."""
    assert child.stdout is not None
    assert child.stderr is not None
    pieces: queue.SimpleQueue[tuple[Source, bytes]] = queue.SimpleQueue()
    open_pipes = {Source.STDOUT: child.stdout, Source.STDERR: child.stderr}
    for source, pipe in open_pipes.items():
        threading.Thread(target=_pump, args=(source, pipe, pieces), daemon=True).start()
    still_open = set(open_pipes)
    while still_open:
        source, piece = pieces.get()
        if piece:
            yield source, piece
        else:
            still_open.remove(source)


def _pump(source: Source, pipe: IO[bytes], pieces: "queue.SimpleQueue[tuple[Source, bytes]]") -> None:
    with pipe:
        while piece := pipe.read1(_CHUNK):  # type: ignore[attr-defined]  # Popen's pipes are buffered readers
            pieces.put((source, piece))
    pieces.put((source, b""))
