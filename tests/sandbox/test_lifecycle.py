"""`up` and `down` around fake services: twice at once, interrupted, on ports and directories of others."""

import contextlib
import json
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import fake_services
import pytest

from sandbox import instance as instances
from sandbox import lifecycle, processes
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.paths import StatePaths
from sandbox.processes import Record
from sandbox.progress import Progress
from sandbox.toolchain import Toolchain

DEADLINE_S = 60.0
SLEEP = shutil.which("sleep") or "sleep"
# Forked, not started anew: the imports would be most of what these tests take.
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Sandbox:
    """One sandbox in a temporary directory, driven from here or from other processes."""

    home: Path

    @property
    def state(self) -> Path:
        return self.home / "state"

    def release(self) -> None:
        (self.home / "release").touch()

    def instance(self) -> Instance:
        return Instance.load(self.state)

    def record(self, name: str) -> Record | None:
        return Record.read(StatePaths(self.state).run / f"{name}.json")

    def pid(self, name: str) -> int | None:
        record = self.record(name)
        process = record.process() if record else None
        return process.pid if process else None

    def start(self, command: str) -> "Command":
        return Command(command, self.home / f"{secrets.token_hex(4)}.log")


class Command:
    """A `halfmetal sandbox up` or `down` in a process and a session of its own."""

    def __init__(self, command: str, log: Path) -> None:
        self.log = log
        self._process = FORK.Process(target=self._run, args=(command,))
        self._process.start()

    def _run(self, command: str) -> None:
        os.setsid()
        sys.stderr = self.log.open("w", buffering=1)
        {"up": up, "down": down}[command](Progress())

    def signal(self, number: int) -> None:
        os.kill(self._process.pid or 0, number)

    def wait(self) -> int | None:
        self._process.join(DEADLINE_S)
        code = self._process.exitcode
        if code is None:
            self._process.kill()
        return code


def up(progress: Progress | None = None) -> None:
    lifecycle.up("pure", progress or Progress.silent())


def down(progress: Progress | None = None) -> list[str]:
    return lifecycle.down(progress or Progress.silent())


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path)
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(made.state))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(lifecycle, "services", fake_services.services)
    monkeypatch.setattr(lifecycle, "ensure", lambda *_: Toolchain({}))
    yield made
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(made.state))
    with contextlib.suppress(SandboxError):
        down()


def test_down_leaves_no_process_and_no_file_outside_the_cache(sandbox: Sandbox):
    sandbox.release()
    up()
    pids = [sandbox.pid("emulator"), sandbox.pid("etcd")]

    assert sorted(down()) == ["emulator", "etcd"]

    assert not sandbox.state.exists()
    assert all(pid and not _runs(pid) for pid in pids)
    assert [path.name for path in (sandbox.home / "cache").rglob("*.*")] == ["register.lock"]
    assert down() == []


def test_status_tells_what_is_dead_and_whether_anything_is_up(sandbox: Sandbox):
    before = lifecycle.status()
    sandbox.release()
    up()
    ready = lifecycle.status()
    os.kill(sandbox.pid("etcd") or 0, signal.SIGKILL)
    until(lambda: sandbox.pid("etcd") is None)
    dead = lifecycle.status()

    assert (before.instance, before.well, ready.well, dead.well) == (None, False, True, False)
    assert {s.name: s.state for s in dead.services} == {"emulator": "ready", "etcd": "dead"}


def test_two_ups_at_once_take_turns_and_start_everything_once(sandbox: Sandbox):
    first = sandbox.start("up")
    until(lambda: sandbox.pid("emulator"))
    second = sandbox.start("up")
    until(lambda: second.log.exists() and "waiting for it to end" in second.log.read_text())
    pid = sandbox.pid("emulator")
    sandbox.release()

    assert (first.wait(), second.wait()) == (0, 0)
    assert sandbox.pid("emulator") == pid


def test_an_up_that_waits_for_a_down_starts_afresh(sandbox: Sandbox):
    sandbox.release()
    up()
    before = sandbox.pid("etcd")
    with instances.locked(lifecycle._lock_path(sandbox.state)):
        commands = [sandbox.start("down"), sandbox.start("up"), sandbox.start("up")]
        for command in commands:
            until(lambda command=command: command.log.exists() and "waiting" in command.log.read_text())

    assert [command.wait() for command in commands] == [0, 0, 0]
    assert before
    assert not _runs(before) or sandbox.pid("etcd") in (before, None)
    # In whatever order they had their turns: what runs is on record, and nothing else runs.
    alive = {p.pid for p in processes.orphans(sandbox.state)}
    assert alive == {p for p in (sandbox.pid("emulator"), sandbox.pid("etcd")) if p}


@pytest.mark.parametrize(
    ("interruption", "next_command"),
    [(signal.SIGINT, "up"), (signal.SIGTERM, "down"), (signal.SIGKILL, "up"), (signal.SIGKILL, "down")],
    ids=lambda value: getattr(value, "name", value),
)
def test_after_an_interrupted_up_the_next_command_works(
    interruption: signal.Signals, next_command: str, sandbox: Sandbox
):
    interrupted = sandbox.start("up")
    until(lambda: sandbox.pid("emulator"))
    pid = sandbox.pid("emulator")
    interrupted.signal(interruption)
    assert interrupted.wait() not in (None, 0)
    assert sandbox.pid("emulator") == pid, "what was started stays, on record"

    sandbox.release()
    if next_command == "up":
        up()
        assert sandbox.pid("emulator") == pid
    else:
        down()
        assert not sandbox.state.exists()
        assert pid
        assert not _runs(pid)


def test_a_stranger_on_a_port_that_nothing_remembers_is_evaded(sandbox: Sandbox):
    sandbox.release()
    up()
    port = sandbox.instance().ports["etcd_client"]
    os.kill(sandbox.pid("etcd") or 0, signal.SIGKILL)
    until(lambda: sandbox.pid("etcd") is None)

    with socket.create_server(("127.0.0.1", port)):
        up()

    assert sandbox.instance().ports["etcd_client"] != port
    assert lifecycle.status().well


@pytest.mark.parametrize("deployed", [False, True], ids=["nothing deployed", "a stack deployed"])
def test_a_stranger_on_the_emulators_port_is_evaded_unless_a_stack_remembers_it(
    sandbox: Sandbox, *, deployed: bool
):
    sandbox.release()
    up()
    port = sandbox.instance().ports["emulator"]
    os.kill(sandbox.pid("emulator") or 0, signal.SIGKILL)
    until(lambda: sandbox.pid("emulator") is None)
    if deployed:
        stack = StatePaths(sandbox.state).backend / ".pulumi" / "stacks" / "halfmetal" / "hybrid.json"
        stack.parent.mkdir(parents=True)
        stack.write_text("{}")

    with socket.create_server(("127.0.0.1", port)):
        if deployed:
            with pytest.raises(
                SandboxError, match=rf"port {port}, which emulator needs, is taken by process"
            ):
                up()
        else:
            up()

    assert (sandbox.instance().ports["emulator"] == port) is deployed


def test_a_directory_with_somebodys_files_is_neither_used_nor_removed(sandbox: Sandbox):
    sandbox.state.mkdir()
    (sandbox.state / "thesis.txt").write_text("years of work")

    with pytest.raises(SandboxError, match="is not empty and holds no sandbox"):
        up()
    with pytest.raises(SandboxError, match="so nothing there is removed"):
        down()

    assert (sandbox.state / "thesis.txt").read_text() == "years of work"


def test_down_ends_engines_at_work_on_this_sandbox_and_nothing_else_of_its_shells(sandbox: Sandbox):
    sandbox.release()
    up()
    ours, theirs = sandbox.state / "pulumi", sandbox.home / "elsewhere" / "pulumi"
    engine, editor, other = (
        subprocess.Popen([name, "60"], executable=SLEEP, env={"PULUMI_HOME": str(home)})
        for name, home in (("pulumi", ours), ("vi", ours), ("pulumi", theirs))
    )
    try:
        down()

        assert engine.wait(DEADLINE_S) == -signal.SIGTERM
        assert (editor.poll(), other.poll()) == (None, None)
    finally:
        for process in (engine, editor, other):
            process.kill()
            process.wait()


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param(lambda paths: paths.instance.write_text("{"), id="instance cannot be read"),
        pytest.param(lambda paths: (paths.run / "etcd.json").unlink(), id="a record is missing"),
        pytest.param(lambda paths: (paths.run / "etcd.json").write_text("{"), id="a record cannot be read"),
        pytest.param(lambda paths: (paths.logs / "etcd.log").unlink(), id="a log is missing"),
    ],
)
def test_down_needs_nothing_to_be_whole(loss: Callable[[StatePaths], object], sandbox: Sandbox):
    sandbox.release()
    up()
    pids = [sandbox.pid("emulator"), sandbox.pid("etcd")]
    loss(StatePaths(sandbox.state))

    down()

    assert not sandbox.state.exists()
    assert all(pid and not _runs(pid) for pid in pids)


def test_an_instance_that_cannot_be_read_is_told_with_the_way_out(sandbox: Sandbox):
    sandbox.release()
    up()
    StatePaths(sandbox.state).instance.write_text(json.dumps({"state": str(sandbox.state)}))

    with pytest.raises(SandboxError) as caught:
        up()

    assert "instance.json cannot be read" in caught.value.what
    assert "halfmetal sandbox down" in caught.value.remedy


def test_a_copied_clone_is_told_apart_and_its_down_spares_the_original(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    sandbox.release()
    up()
    copy = sandbox.home / "copy"
    shutil.copytree(sandbox.state, copy)
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(copy))

    with pytest.raises(SandboxError, match="copied or moved here"):
        up()
    down()

    assert not copy.exists()
    assert sandbox.pid("emulator")
    assert sandbox.pid("etcd")


def test_a_state_directory_that_was_removed_under_running_services_is_no_obstacle(sandbox: Sandbox):
    sandbox.release()
    up()
    lost = sandbox.pid("etcd")
    shutil.rmtree(sandbox.state)
    up()

    assert lost
    assert not _runs(lost)
    assert lifecycle.status().well


def test_a_state_directory_that_cannot_be_written_is_an_error_with_its_path(sandbox: Sandbox):
    (sandbox.home / "file").touch()
    blocked = sandbox.home / "file" / "state"

    with pytest.MonkeyPatch.context() as patch, pytest.raises(SandboxError, match=str(blocked.parent)):
        patch.setenv("HALFMETAL_STATE_DIR", str(blocked))
        up()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_disk_that_is_full_is_told_though_the_system_names_no_file():
    refused = pytest.raises(SandboxError, match="no space left on device")
    with refused as told, lifecycle._told_of_disk(), Path("/dev/full").open("w") as full:
        full.write("more")
    assert "the disk has room" in told.value.remedy
