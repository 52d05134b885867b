"""Processes that end when the agent does, however it ends.

The kernel sends a child SIGKILL when the thread that started it is gone; the agent starts all of them from
its one thread. What the kernel does not promise (a grandchild, which gets no signal) is made up for at the
next start: every process is on record by number and creation time, and what is still there is ended first.
"""

import ctypes
import json
import os
import signal
from pathlib import Path

import psutil

from sandbox.files import write_atomically

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None, use_errno=True)
_SAME_MOMENT_S = 0.1
_LAST_WORDS_S = 2.0


def die_with_parent() -> None:
    """Run in a child before its program: SIGKILL when the parent's thread ends."""
    parent = os.getppid()
    _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        # It ended between fork and prctl: nobody will send the signal.
        os._exit(1)


class Register:
    """The processes that run now, in a file."""

    def __init__(self, path: Path) -> None:
        """Reads nothing yet."""
        self._path = path
        self._created: dict[int, float] = {}

    def add(self, pid: int) -> None:
        """Put a process on record."""
        try:
            self._created[pid] = psutil.Process(pid).create_time()
        except psutil.Error:
            return
        self._save()

    def discard(self, pid: int) -> None:
        """It has ended."""
        if self._created.pop(pid, None) is not None:
            self._save()

    def end_leftovers(self) -> list[int]:
        """End the processes of an agent before us that are still there; their numbers."""
        try:
            recorded = {
                int(pid): float(created) for pid, created in json.loads(self._path.read_bytes()).items()
            }
        except (OSError, ValueError, AttributeError):
            recorded = {}
        left = [process for pid, created in recorded.items() if (process := _same(pid, created))]
        for process in left:
            kill_group(process.pid)
        psutil.wait_procs(left, timeout=_LAST_WORDS_S)
        self._save()
        return [process.pid for process in left]

    def _save(self) -> None:
        write_atomically(self._path, json.dumps(self._created) + "\n")


def kill_group(pid: int) -> None:
    """SIGKILL to a process and to whatever it started in its own session."""
    signal_group(pid, signal.SIGKILL)


def signal_group(pid: int, number: int) -> None:
    """A signal to a whole session that we started; nothing happens if it is gone."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _same(pid: int, created: float) -> psutil.Process | None:
    """The process, if it is the recorded one and not a later one with its number."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process if alive and abs(process.create_time() - created) < _SAME_MOMENT_S else None
    except psutil.Error:
        return None
