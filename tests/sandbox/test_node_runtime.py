"""The life of a container, with real processes that do next to nothing."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest

from sandbox.node import runtime
from sandbox.node.children import Register
from sandbox.node.podspec import ConfigError
from sandbox.node.runtime import Container, Launch
from sandbox.processes import is_alive

DEADLINE_S = 60.0
IGNORES_TERM = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
SLEEPS = "import time; print('up', flush=True); time.sleep(600)"


class OnePod:
    """The pod that a container belongs to; remembers every state that it was told of."""

    def __init__(self, code: str, *, policy: str = "Always", broken: int = 0) -> None:
        self.name = "ns/p"
        self.address = "127.0.0.1"
        self.restart_policy = policy
        self._code = code
        self._broken = broken
        self._news = asyncio.Event()

    def prepare(self, container: dict[str, Any]) -> Launch:
        if self._broken:
            self._broken -= 1
            raise ConfigError("not found")
        env = {"PATH": os.environ["PATH"], **container.get("environment", {})}
        return Launch([sys.executable, "-c", self._code], env, Path("/"))

    def changed(self) -> None:
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


def container(tmp_path: Path, pod: OnePod, **spec: Any) -> Container:
    register = Register(tmp_path / "processes.json")
    return Container({"name": "c", "image": "i", **spec}, pod, tmp_path / "c.log", register)


def run(case: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(case, 3 * DEADLINE_S))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(runtime, "_CONFIG_RETRY_S", 0.05)


@pytest.mark.parametrize(
    ("policy", "code", "ends"),
    [
        pytest.param("Never", 0, True, id="Never: done"),
        pytest.param("Never", 3, True, id="Never: failed"),
        pytest.param("OnFailure", 0, True, id="OnFailure: done"),
        pytest.param("OnFailure", 3, False, id="OnFailure: again"),
        pytest.param("Always", 0, False, id="Always: again"),
    ],
)
def test_restart_policy(tmp_path: Path, policy: str, code: int, *, ends: bool):
    async def case() -> None:
        pod = OnePod(f"raise SystemExit({code})", policy=policy)
        one = container(tmp_path, pod)
        running = asyncio.create_task(one.run())
        if ends:
            await running
            assert one.state.terminated is not None
            assert one.state.terminated["exitCode"] == code
            assert one.state.restarts == 0
            return
        await pod.until(lambda: one.state.restarts >= 2 and one.state.waiting == "CrashLoopBackOff")
        assert one.state.last is not None
        assert one.state.last["exitCode"] == code
        await one.stop(0)
        await running

    run(case())


def test_output_goes_to_the_log(tmp_path: Path):
    async def case() -> None:
        await container(tmp_path, OnePod("print('hello')", policy="Never")).run()

    run(case())
    assert (tmp_path / "c.log").read_text() == "hello\n"


@pytest.mark.parametrize(
    ("code", "grace", "signalled"),
    [
        pytest.param(SLEEPS, DEADLINE_S, signal.SIGTERM, id="ends when asked to"),
        pytest.param(IGNORES_TERM, 0.2, signal.SIGKILL, id="is killed when the grace is over"),
    ],
)
def test_stop(tmp_path: Path, code: str, grace: float, signalled: signal.Signals):
    async def case() -> None:
        pod = OnePod(code)
        one = container(tmp_path, pod)
        running = asyncio.create_task(one.run())
        await _said_up(tmp_path)
        await one.stop(grace)
        await running
        assert one.state.terminated is not None
        assert one.state.terminated["signal"] == signalled
        assert one.state.terminated["exitCode"] == 128 + signalled
        assert one.state.restarts == 0

    run(case())


@pytest.mark.parametrize(
    "hook",
    [
        pytest.param({"httpGet": {"port": "nowhere"}}, id="a port that it does not declare"),
        pytest.param({"exec": {"command": ["/no/such/program"]}}, id="a command that is not there"),
    ],
)
def test_a_hook_that_cannot_run_keeps_no_container_alive(tmp_path: Path, hook: dict[str, Any]):
    async def case() -> None:
        one = container(tmp_path, OnePod(SLEEPS), lifecycle={"preStop": hook})
        running = asyncio.create_task(one.run())
        await _said_up(tmp_path)
        await one.stop(DEADLINE_S)
        await running
        assert one.state.terminated is not None
        assert one.state.terminated["signal"] == signal.SIGTERM

    run(case())


async def _said_up(tmp_path: Path) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while "up" not in (tmp_path / "c.log").read_text() if (tmp_path / "c.log").exists() else True:
            await asyncio.sleep(0.02)


def test_a_stop_in_the_middle_of_a_start_leaves_nothing_behind(tmp_path: Path):
    async def case() -> None:
        one = container(tmp_path, OnePod(SLEEPS))
        running = asyncio.create_task(one.run())
        # One step of the loop: the process is about to be made.
        await asyncio.sleep(0)
        await one.stop(0)
        await running

    run(case())
    assert not Register(tmp_path / "processes.json").end_leftovers()


def test_a_missing_configuration_is_waited_for(tmp_path: Path):
    async def case() -> None:
        pod = OnePod("", policy="Never", broken=2)
        one = container(tmp_path, pod)
        running = asyncio.create_task(one.run())
        await pod.until(lambda: one.state.waiting == "CreateContainerConfigError")
        assert one.state.message == "not found"
        await running
        assert one.state.terminated is not None
        assert one.state.restarts == 0

    run(case())


def test_readiness_decides(tmp_path: Path):
    ready = tmp_path / "ready"
    check = f"import pathlib, sys; sys.exit(not pathlib.Path({str(ready)!r}).exists())"
    probe = {"exec": {"command": [sys.executable, "-c", check]}, "periodSeconds": 0.05, "failureThreshold": 1}

    async def case() -> None:
        pod = OnePod(SLEEPS)
        one = container(tmp_path, pod, readinessProbe={**probe, "timeoutSeconds": DEADLINE_S})
        running = asyncio.create_task(one.run())
        await pod.until(lambda: one.state.running)
        assert not one.state.ready
        ready.touch()
        await pod.until(lambda: one.state.ready)
        ready.unlink()
        await pod.until(lambda: not one.state.ready)
        assert one.state.restarts == 0
        await one.stop(0)
        await running

    run(case())


@pytest.mark.parametrize("kind", ["livenessProbe", "startupProbe"])
def test_a_failing_probe_restarts(tmp_path: Path, kind: str):
    probe = {"tcpSocket": {"port": 1}, "periodSeconds": 0.02, "failureThreshold": 2}

    async def case() -> None:
        pod = OnePod(SLEEPS)
        one = container(tmp_path, pod, **{kind: probe})
        running = asyncio.create_task(one.run())
        await pod.until(lambda: one.state.restarts >= 1)
        await one.stop(0)
        await running

    run(case())


def test_a_process_ends_with_an_agent_that_is_killed(tmp_path: Path):
    agent = subprocess.Popen([sys.executable, "-c", AGENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert agent.stdout is not None
    child = psutil.Process(int(agent.stdout.readline()))
    agent.kill()
    agent.wait()
    deadline = time.monotonic() + DEADLINE_S
    while is_alive(child):
        assert time.monotonic() < deadline, "the process outlived its agent"
        time.sleep(0.02)


AGENT = """
import asyncio, sys
from pathlib import Path
from sandbox.node.children import Register
from sandbox.node.runtime import Container, Launch

class Pod:
    name, address, restart_policy = "ns/p", "127.0.0.1", "Always"
    def prepare(self, container):
        return Launch([sys.executable, "-c", "import time; time.sleep(600)"], {}, Path("/"))
    def changed(self):
        if one.state.running:
            print(one._process.pid, flush=True)

root = Path(sys.argv[1])
one = Container({"name": "c", "image": "i"}, Pod(), root / "log", Register(root / "processes.json"))
asyncio.run(one.run())
"""


def test_what_an_agent_left_behind_is_ended_and_strangers_are_not(tmp_path: Path):
    left, stranger = (
        subprocess.Popen([sys.executable, "-c", SLEEPS], stdout=subprocess.DEVNULL, start_new_session=True)
        for _ in range(2)
    )
    created = psutil.Process(left.pid).create_time()
    (tmp_path / "processes.json").write_text(f'{{"{left.pid}": {created}, "{stranger.pid}": 1.5}}')
    try:
        assert Register(tmp_path / "processes.json").end_leftovers() == [left.pid]
        assert not psutil.pid_exists(left.pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
