"""Warm workers of functions die with the emulator, however it dies.

AWS: execution environments are the service's own business.
ministack: starts a process per environment and stops it when asked to; when the emulator is killed, a worker
that is in the middle of a request, or that started something itself, lives on.

The kernel sends the signal asked for here when the *thread* that started the worker ends, and the emulator
starts workers from short-lived threads. So one thread that lives as long as the process starts them all.
"""

import concurrent.futures
import ctypes
import signal
import subprocess
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_libc = ctypes.CDLL(None, use_errno=True)
_spawner = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


def apply() -> None:
    """Start every worker from the one thread, with the signal set."""
    for module in (lambda_runtime, lambda_svc):
        module.subprocess = _Subprocess()


class _Subprocess:
    """The `subprocess` module, except that a process started here does not outlive the emulator."""

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def Popen(self, *arguments: Any, **options: Any) -> Any:  # noqa: N802 - it stands in for subprocess.Popen
        options.setdefault("preexec_fn", _die_with_parent)
        return _spawner.submit(subprocess.Popen, *arguments, **options).result()


def _die_with_parent() -> None:
    _libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
