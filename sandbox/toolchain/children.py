"""Child processes that never outlive their purpose.

Compilers and downloads run for minutes, in several threads. Each child leads a process group of its own, so
that one signal reaches everything it started, and stopping means: ask the group to end, then make it. Where
`setpriv` exists (any Linux with util-linux) the kernel also ends the child when this process is killed in a
way that leaves it no chance to do so itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from sandbox.toolchain.errors import Stopped

TAIL_LINES = 40
_GRACE_S = 5.0


class CommandFailedError(Exception):
    """A child ended with an error, could not be started, or took too long."""

    def __init__(self, argv: Sequence[str], reason: str, tail: Sequence[str]) -> None:
        """`reason` is for a person, `tail` the last lines that the command wrote."""
        super().__init__(f"{Path(argv[0]).name} {reason}")
        self.argv = tuple(argv)
        self.reason = reason
        self.tail = tuple(tail)

    @property
    def text(self) -> str:
        """The end of the output as one text."""
        return "\n".join(self.tail)


class Children:
    """The children of one task, all of which `stop` ends; afterwards none can be started."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._prefix = _dies_with_parent()

    def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] | None = None,
        timeout_s: float | None = None,
    ) -> str:
        """Run a command to its end; its output, standard error included.

        `on_line` hears every line as it comes. Raises `CommandFailedError`, or `Stopped` after `stop`.
        """
        process = self._start(argv, cwd, env)
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _end(process)

        timer = threading.Timer(timeout_s, expire) if timeout_s else None
        if timer:
            timer.start()
        try:
            lines = self._read(process, on_line)
            code = process.wait()
        finally:
            if timer:
                timer.cancel()
            if process.poll() is None:
                _end(process)
            with self._lock:
                self._running.discard(process)
        self.check()
        if code:
            reason = f"took longer than {timeout_s:g} s" if expired.is_set() else _ending(code)
            raise CommandFailedError(argv, reason, deque(lines, TAIL_LINES))
        return "\n".join(lines)

    def check(self) -> None:
        """Raise `Stopped` if `stop` was called."""
        if self.stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """End all children, and let nobody start another."""
        self.stopped.set()
        with self._lock:
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        for process in running:
            _end(process)

    def _start(
        self, argv: Sequence[str], cwd: Path | None, env: Mapping[str, str] | None
    ) -> subprocess.Popen[str]:
        with self._lock:
            self.check()
            try:
                process = subprocess.Popen(
                    [*self._prefix, *argv],
                    cwd=cwd,
                    env=None if env is None else dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise CommandFailedError(argv, f"cannot be started: {error.strerror}", ()) from error
            self._running.add(process)
        return process

    def _read(self, process: subprocess.Popen[str], on_line: Callable[[str], None] | None) -> list[str]:
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line.rstrip("\n"))
            if on_line:
                on_line(lines[-1])
        return lines


@cache
def _dies_with_parent() -> tuple[str, ...]:
    """What to put before a command so that the kernel ends it with us, where that can be had."""
    # TERM, not KILL: go removes its work directory when it is asked to end.
    prefix = ("setpriv", "--pdeathsig", "TERM", "--")
    if shutil.which(prefix[0]) is None:
        return ()
    probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)  # busybox's lacks the option
    return prefix if probe.returncode == 0 else ()


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"failed with exit code {code}"


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it ended between the question and the signal
            os.killpg(process.pid, number)


def _end(process: subprocess.Popen[str]) -> None:
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
