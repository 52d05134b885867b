"""The processes this host has started.

Each child leads a process group of its own: the SIGINT that the engine sends to the host's group at the end
of every command then reaches the host alone, which ends its children without a KeyboardInterrupt traceback.
In return the host must see to it that none of them outlives it.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from sandbox.language_host.errors import HostError

GRACE_SECONDS = 1.0
"""How long a child may take to end by itself before it is killed."""

Output = IO[bytes] | int | None


class Children:
    """Starts child processes, and ends them one by one or all together. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def start(  # noqa: PLR0913 - the parameters are those of a process
        self,
        argv: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: Output = subprocess.DEVNULL,
        stdout: Output = None,
        stderr: Output = None,
    ) -> subprocess.Popen[bytes]:
        """Starts a process.

        Raises:
            HostError: it cannot be started, or the host is shutting down.
        """
        with self._lock:
            if self._closed:
                raise HostError("the language host is shutting down")
            try:
                child = subprocess.Popen(
                    argv, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, process_group=0
                )
            except OSError as error:
                raise HostError(f"cannot run {argv[0]}: {error.strerror}") from error
            self._running = {running for running in self._running if running.poll() is None} | {child}
            return child

    def stop(self, child: subprocess.Popen[bytes]) -> None:
        """Ends a child and whatever it started: asks, and after a moment insists."""
        _signal(child, signal.SIGTERM)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(child, signal.SIGKILL)
            child.wait()

    def stop_all(self) -> None:
        """Ends every child and starts no more."""
        with self._lock:
            self._closed = True
            running = [child for child in self._running if child.poll() is None]
        for child in running:
            _signal(child, signal.SIGTERM)
        for child in running:
            self.stop(child)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if child.poll() is None:
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.killpg(child.pid, number)
