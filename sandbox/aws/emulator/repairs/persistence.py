"""State reaches the disk soon after it changes, not only when the emulator is asked to stop.

AWS: what a call created is there from then on.
ministack: writes its state at a graceful shutdown only; a crash forgets everything that a stack says it
has.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ministack import app
from ministack.core import persistence

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_QUIET_S = 1.0
logger = logging.getLogger("persistence")
Application = Callable[..., Awaitable[None]]


def saving(application: Application) -> Application:
    """The application, which saves its state once no call has changed it for a second."""
    saver = _Saver()
    # One line per service and change would bury everything else in the log.
    logger.setLevel(logging.WARNING)

    async def handle(
        scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        await application(scope, receive, send)
        if scope["type"] == "http" and scope["method"] not in _READS and not _is_data(scope):
            saver.changed()

    return handle


def _is_data(scope: MutableMapping[str, Any]) -> bool:
    """Requests through an API and token reviews change nothing of the emulator's own worth a write each."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return scope["path"].startswith("/_halfmetal/") or any(".execute-api." in host for host in hosts)


class _Saver:
    """Writes everything a second after a change, and every second while changes go on."""

    def __init__(self) -> None:
        self._changed = False
        self._task: asyncio.Task[None] | None = None

    def changed(self) -> None:
        self._changed = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._save())

    async def _save(self) -> None:
        while self._changed:
            self._changed = False
            await asyncio.sleep(_QUIET_S)
            # States are copied here, on the loop that changes them, and written elsewhere.
            states = {name: _copied(state) for name, state in app._build_persistence_save_dict().items()}
            await asyncio.to_thread(persistence.save_all, {name: _constant(s) for name, s in states.items()})


def _copied(state: Callable[[], Any]) -> Any:
    try:
        return state()
    except RuntimeError as reason:
        # Some services change their state in threads; the next change, or the shutdown, saves this one.
        logger.warning("not saved this time: %s", reason)
        return None


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value
