"""Processes that outlive the command which started them, found again and never mistaken for others.

A process number says little: it may be stale after a crash or a reboot, and by then belong to a stranger. So
every service carries a *mark* in its environment (state directory, service, a random word), and its record
keeps the mark and the moment of its creation with the number. Whatever a service spawned inherits the mark,
which is how children that outlived their parent are found. Nothing is ever signalled without that proof.
"""

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from sandbox.errors import SandboxError
from sandbox.files import write_atomically

MARK = "HALFMETAL_SERVICE"
# Creation times are computed from the clock, which may have been corrected a little since.
_SAME_MOMENT_S = 1.0
_LAST_WORDS_S = 2.0
_POLL_S = 0.02
_LOG_LIMIT = 16 * 1024 * 1024
_TAIL_BYTES = 64 * 1024


class Record(BaseModel):
    """What is kept about one started service, in `run/NAME.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    pid: int
    created: float
    """When the process was created, in seconds since the epoch."""
    mark: str
    """The value of its `HALFMETAL_SERVICE`."""
    fingerprint: str
    """Of its command line, environment and configuration: a changed one means a restart."""
    log_offset: int
    """Where in the log this process began."""
    restarts: int = 0
    """How often it was found dead and started again."""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The record, or None when there is none that can be understood."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, path: Path) -> None:
        """Keep it, whole or not at all."""
        write_atomically(path, self.model_dump_json() + "\n", mode=0o600)

    def process(self) -> psutil.Process | None:
        """The live process that this record is about; None when it died or its number is a stranger's now."""
        try:
            process = psutil.Process(self.pid)
            return process if is_alive(process) and self._is_about(process) else None
        except psutil.Error:
            return None

    def _is_about(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.AccessDenied):
            if environment := process.environ():
                return environment.get(MARK) == self.mark
        # An environment that may not be read: then the moment of its creation must do.
        return abs(process.create_time() - self.created) < _SAME_MOMENT_S


def spawn(  # noqa: PLR0913 - the parts of one process
    name: str,
    argv: Sequence[str],
    *,
    state: Path,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
) -> tuple[subprocess.Popen[bytes], str, int]:
    """Start a process in a session of its own; returns it, its mark and where in the log it begins."""
    mark = f"{state}:{name}:{secrets.token_hex(8)}"
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        offset = output.tell()
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**env, MARK: mark},
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(
                f"{name} cannot be started: {argv[0]}: {error.strerror}", "make setup && halfmetal sandbox up"
            ) from error
    return process, mark, offset


def created(pid: int) -> float:
    """When a process was created; the present if it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return time.time()


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process's descendants and whoever else is in the session that it leads."""
    try:
        descendants = process.children(recursive=True)
    except psutil.Error:
        descendants = []
    session = [other for other in psutil.process_iter() if _session(other) == process.pid]
    return list({other.pid: other for other in (*descendants, *session) if other.pid != process.pid}.values())


def orphans(state: Path, *, living: Iterable[str] = ()) -> list[psutil.Process]:
    """Processes that services of this state directory left behind: marked, but by none of the living."""
    prefix, keep = f"{state}:", set(living)
    marked = ((process, _mark(process)) for process in psutil.process_iter())
    return [process for process, mark in marked if mark.startswith(prefix) and mark not in keep]


def stop(process: psutil.Process, *, grace_s: float) -> None:
    """SIGTERM to the leader so that it can end its own children; SIGKILL after the grace; then the rest."""
    rest = family(process)
    end([process], grace_s=grace_s)
    end([*rest], grace_s=_LAST_WORDS_S)


def end(processes: Sequence[psutil.Process], *, grace_s: float) -> None:
    """Ask processes to end, and make them after the grace. Those that are gone already are no error."""
    for process in processes:
        _signal(process, signal.SIGTERM)
        # A stopped process (Ctrl-Z, a debugger) cannot act on SIGTERM before it is continued.
        _signal(process, signal.SIGCONT)
    for process in _still_alive(processes, grace_s):
        _signal(process, signal.SIGKILL)
    _still_alive(processes, _LAST_WORDS_S)


def _still_alive(processes: Sequence[psutil.Process], timeout_s: float) -> list[psutil.Process]:
    """Those that have not ended within the time. A zombie has: it only waits for its parent to look."""
    deadline = time.monotonic() + timeout_s
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still does anything, and is the one that was meant."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_own_children() -> None:
    """End what this process itself is waiting for, compilers and downloads, and none of the services."""
    children = [child for child in psutil.Process().children() if not _mark(child)]
    end(children, grace_s=_LAST_WORDS_S)


def exit_text(status: int | None) -> str:
    """An exit status in words."""
    if status is None:
        return "exit status unknown"
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def tail(log: Path, lines: int, *, offset: int = 0) -> list[str]:
    """The last lines of a log, none from before the offset."""
    try:
        with log.open("rb") as file:
            end_of_file = file.seek(0, os.SEEK_END)
            file.seek(max(offset if offset <= end_of_file else 0, end_of_file - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:] if lines else []


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)  # psutil looks at the creation time first: a reused number is spared
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise SandboxError(
            f"process {process.pid} belongs to another user and cannot be stopped",
            "run `halfmetal sandbox down` as the user who ran `up`",
        ) from error


def _mark(process: psutil.Process) -> str:
    try:
        return process.environ().get(MARK, "")
    except (psutil.Error, OSError):
        return ""


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:
        return -1
