"""A local copy of one collection of the API, kept up to date.

List once, then watch from there; when a watch ends, go on where it ended; when the server has forgotten that
point (410 Gone), list again and work out what changed. While the server does not answer, the copy stays as it
was and one line is logged, however long that lasts.
"""

import asyncio
import logging
from collections.abc import Callable

from sandbox.node.api import GONE, ApiError, Client, Object, Unavailable, key_of

logger = logging.getLogger(__name__)
Listener = Callable[[str, Object | None, Object | None], None]
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0


class Backoff:
    """Pauses that double up to a limit, until something works again."""

    def __init__(self, first_s: float = _FIRST_PAUSE_S, longest_s: float = _LONGEST_PAUSE_S) -> None:
        """Begins with the shortest pause."""
        self._first, self._longest = first_s, longest_s
        self._next = first_s

    def reset(self) -> None:
        """It works: the next pause is the shortest again."""
        self._next = self._first

    def next(self) -> float:
        """How long to pause now, in seconds."""
        pause, self._next = self._next, min(self._next * 2, self._longest)
        return pause


class Cache:
    """One collection's objects by key, and whoever wants to know when they change."""

    def __init__(self, client: Client, collection: str) -> None:
        """Empty until `run`."""
        self.objects: dict[str, Object] = {}
        self.filled = asyncio.Event()
        self._client = client
        self._collection = collection
        self._listeners: list[Listener] = []
        self._refused = False

    def listen(self, listener: Listener) -> None:
        """Have this called with key, old and new object at every change (None: did not exist, is gone)."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Keep up to date until cancelled."""
        backoff = Backoff()
        version = ""
        while True:
            try:
                if not version:
                    version = await self._list()
                    self._client.recovered()
                self._refused = False
                backoff.reset()
                version = await self._follow(version)
            except ApiError as error:
                if error.status == GONE:
                    version = ""
                    continue
                if not self._refused:
                    logger.warning("%s cannot be watched: %s; trying again", self._collection, error)
                self._refused = True
                await asyncio.sleep(backoff.next())
            except Unavailable as error:
                self._client.outage(str(error))
                # A restarted server may not know our point in time: look at everything again.
                version = ""
                await asyncio.sleep(backoff.next())

    async def _list(self) -> str:
        answer = await self._client.get(self._collection)
        current = {key_of(item): item for item in answer["items"]}
        for key in [key for key in self.objects if key not in current]:
            self._set(key, None)
        for key, item in current.items():
            self._set(key, item)
        self.filled.set()
        version: str = answer["metadata"]["resourceVersion"]
        return version

    async def _follow(self, version: str) -> str:
        async for event in self._client.watch(self._collection, version):
            item = event["object"]
            if event["type"] == "ERROR":
                raise ApiError(item.get("code", 0), item.get("message", "the watch failed"))
            version = item["metadata"]["resourceVersion"]
            if event["type"] != "BOOKMARK":
                self._set(key_of(item), None if event["type"] == "DELETED" else item)
        return version

    def _set(self, key: str, new: Object | None) -> None:
        old = self.objects.get(key)
        if new is None:
            self.objects.pop(key, None)
        else:
            self.objects[key] = new
        if old == new:
            return
        for listener in self._listeners:
            listener(key, old, new)
