"""A cache of the API: what it does when watches end, forget, or fail."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.node import cache as module
from sandbox.node.api import GONE, ApiError, Client, Unavailable
from sandbox.node.cache import Backoff, Cache

Step = dict[str, Any] | Exception | list[dict[str, Any]]


def pod(name: str, version: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "ns", "resourceVersion": str(version)}}


def event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": item}


class Script(Client):
    """An API server whose every answer is written down beforehand."""

    def __init__(self, *steps: Step) -> None:
        super().__init__("https://127.0.0.1:1", ssl.create_default_context())
        self._steps = list(steps)
        self.asked: list[str] = []
        self.finished = asyncio.Event()

    async def _next(self) -> Step:
        if not self._steps:
            self.finished.set()
            await asyncio.Event().wait()
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(f"list {path}")
        items = await self._next()
        return {"items": items, "metadata": {"resourceVersion": "10"}}

    async def watch(self, collection: str, version: str) -> AsyncIterator[dict[str, Any]]:
        self.asked.append(f"watch {collection} from {version}")
        events = await self._next()
        assert isinstance(events, list)
        for each in events:
            yield each


def follow(*steps: Step) -> tuple[Script, Cache, list[str]]:
    """Run a cache through a script; what it knows at the end, and what its listeners were told."""
    changes: list[str] = []

    def told(key: str, old: Any, new: Any) -> None:
        changes.append(f"{'+' if old is None else '-' if new is None else '~'}{key}")

    async def case() -> tuple[Script, Cache]:
        client = Script(*steps)
        cache = Cache(client, "/pods")
        cache.listen(told)
        running = asyncio.create_task(cache.run())
        await asyncio.wait_for(client.finished.wait(), 60)
        running.cancel()
        return client, cache

    return *asyncio.run(case()), changes


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(Backoff, "next", lambda _: 0.0)


def test_events_change_the_copy():
    _, cache, changes = follow(
        [pod("a")],
        [event("ADDED", pod("b", 11)), event("MODIFIED", pod("a", 12)), event("DELETED", pod("b", 13))],
    )
    assert list(cache.objects) == ["ns/a"]
    assert changes == ["+ns/a", "+ns/b", "~ns/a", "-ns/b"]


def test_a_watch_that_ends_goes_on_where_it_ended():
    client, _, _ = follow([pod("a")], [event("BOOKMARK", pod("", 25))], [])
    assert client.asked[:3] == ["list /pods", "watch /pods from 10", "watch /pods from 25"]


@pytest.mark.parametrize(
    "forgotten",
    [
        pytest.param([event("ERROR", {"code": GONE, "message": "too old"})], id="during the watch"),
        pytest.param(ApiError(GONE, "too old"), id="at its beginning"),
    ],
)
def test_a_forgotten_point_means_looking_again(forgotten: Step):
    client, cache, changes = follow([pod("a"), pod("b")], forgotten, [pod("b"), pod("c")])
    assert client.asked.count("list /pods") == 2
    assert sorted(cache.objects) == ["ns/b", "ns/c"]
    assert changes == ["+ns/a", "+ns/b", "-ns/a", "+ns/c"]


def test_an_outage_is_one_line_and_leaves_the_copy(caplog: pytest.LogCaptureFixture):
    down = Unavailable("connection refused")
    with caplog.at_level(logging.INFO):
        _, cache, changes = follow([pod("a")], down, down, down, down, [pod("a")])
    assert list(cache.objects) == ["ns/a"]
    assert changes == ["+ns/a"]
    assert [record.message for record in caplog.records] == [
        "the API server does not answer: connection refused; trying again until it does",
        "the API server answers again",
    ]


def test_pauses_double_up_to_a_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    backoff = Backoff(1, 5)
    assert [backoff.next() for _ in range(4)] == [1, 2, 4, 5]
    backoff.reset()
    assert backoff.next() == 1
