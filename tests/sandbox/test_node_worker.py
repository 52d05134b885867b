"""What a pod's worker tells the API server, and how long it keeps trying to."""

import asyncio
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest

from sandbox.node.api import CONFLICT, NOT_FOUND, ApiError, Client, Unavailable
from sandbox.node.cache import Backoff
from sandbox.node.children import Register
from sandbox.node.worker import Surroundings, Worker

DEADLINE_S = 60.0
POD = {
    "metadata": {"namespace": "ns", "name": "chat", "uid": "1", "generation": 1},
    # A container that nobody runs here: it is ready at once.
    "spec": {"nodeName": "node-1", "containers": [{"name": "model", "image": "vllm/vllm-openai:v0.11.0"}]},
}
STARTING = ApiError(403, 'User "halfmetal:node-agent" cannot patch resource "pods/status"')
OVERLOADED = ApiError(500, "etcdserver: request timed out")
AWAY = Unavailable("connection refused")


class Script(Client):
    """An API server that refuses as it was told to before it does what it is asked."""

    def __init__(self, *refusals: Exception) -> None:
        super().__init__("https://127.0.0.1:1", ssl.create_default_context())
        self._refusals = list(refusals)
        self.asked: list[str] = []
        self.status: dict[str, Any] = {}
        self.done = asyncio.Event()

    def _answer(self, what: str) -> None:
        self.asked.append(what)
        if self._refusals:
            raise self._refusals.pop(0)

    async def patch(self, path: str, change: dict[str, Any], *, kind: str = "") -> dict[str, Any]:
        self._answer(f"{kind and 'patch'} {path}")
        self.status = change["status"]
        self.done.set()
        return change

    async def delete(self, path: str, *, grace_s: int | None = None, uid: str | None = None) -> bool:
        self._answer(f"delete {path} of {uid} in {grace_s}")
        self.done.set()
        return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next", lambda _: 0.0)


def worker(client: Client, tmp_path: Path) -> Worker:
    around = Surroundings(
        client=client,
        state=tmp_path,
        logs=tmp_path,
        register=Register(tmp_path / "processes.json"),
        config_map=lambda *_: None,
        secret=lambda *_: None,
        env={},
        hosts=lambda _: "10.9.0.1",
    )
    return Worker(POD, "10.9.2.1", around)


@pytest.mark.parametrize(
    "refusals",
    [
        pytest.param([], id="at once"),
        pytest.param([AWAY, AWAY], id="after an outage"),
        pytest.param([STARTING, STARTING], id="after a server that has just started has read its roles"),
        pytest.param([AWAY, STARTING, OVERLOADED], id="after all of that"),
    ],
)
def test_a_status_is_told_until_it_is_taken(refusals: list[Exception], tmp_path: Path):
    async def case() -> Script:
        client = Script(*refusals)
        running = asyncio.create_task(worker(client, tmp_path).run())
        await asyncio.wait_for(client.done.wait(), DEADLINE_S)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return client

    client = asyncio.run(case())
    assert client.asked[: len(refusals) + 1] == ["patch /api/v1/namespaces/ns/pods/chat/status"] * (
        len(refusals) + 1
    )
    assert client.status["phase"] == "Running"


@pytest.mark.parametrize("refusals", [[AWAY], [STARTING, OVERLOADED]], ids=str)
def test_the_end_is_told_until_it_is_taken(refusals: list[Exception], tmp_path: Path):
    client = Script(AWAY, *refusals)  # the first is for the last status, which may be lost
    asyncio.run(asyncio.wait_for(worker(client, tmp_path).report_end(), DEADLINE_S))
    deletion = "delete /api/v1/namespaces/ns/pods/chat of 1 in 0"
    assert client.asked[1:] == [deletion] * (len(refusals) + 1)


@pytest.mark.parametrize("status", [NOT_FOUND, CONFLICT])
def test_nobody_is_told_of_a_pod_that_is_gone(status: int, tmp_path: Path):
    async def case() -> Script:
        client = Script(ApiError(status, "it is gone"))
        made = worker(client, tmp_path)
        running = asyncio.create_task(made.run())
        while not client.asked:
            await asyncio.sleep(0)
        made.changed()
        made.ask_to_stop(0)
        await asyncio.wait_for(running, DEADLINE_S)
        return client

    assert asyncio.run(case()).asked == ["patch /api/v1/namespaces/ns/pods/chat/status"]


def test_a_refusal_that_is_always_the_same_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    client = Script(AWAY, *[STARTING] * 5)
    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(worker(client, tmp_path).report_end(), DEADLINE_S))
    (line,) = caplog.messages
    assert line == f"what ns/chat reports is refused: {STARTING}; trying again"
