"""The supervisor against small real processes that die, hang, refuse to go and leave children behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from sandbox import ports
from sandbox.errors import SandboxError
from sandbox.paths import StatePaths
from sandbox.processes import MARK, is_alive
from sandbox.progress import Progress
from sandbox.supervisor import Service, State, Supervisor, Task

# For what is certain to come, however busy the machine is.
DEADLINE_S = 60.0
PYTHON = (sys.executable, "-I", "-S", "-c")
SERVE = """
import signal, socket, sys, time
signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[2], "a").write(sys.argv[3] + "\\n"), sys.exit(0)))
print("serving", flush=True)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""
DIE = "import sys; print('no such table'); sys.exit(3)"
HANG = "import time; print('thinking', flush=True); time.sleep(600)"
IGNORE_SIGTERM = """
import signal, socket, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""
WITH_RUNAWAY_CHILD = """
import socket, subprocess, sys
subprocess.Popen(["sleep", "600"], start_new_session=True)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""

WithServices = Callable[..., Supervisor]

given_out: set[int] = set()


def listens(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        return False

    return ready


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths(tmp_path / "state")


@pytest.fixture
def supervised(paths: StatePaths) -> Iterator[WithServices]:
    paths.run.mkdir(parents=True)
    made: list[Supervisor] = []

    def make(services: Sequence[Service], tasks: Sequence[Task] = ()) -> Supervisor:
        made.append(Supervisor(paths, services, tasks))
        return made[-1]

    yield make
    Supervisor(paths, [replace(s, grace_s=0.2) for m in made for s in m._services.values()]).down(silent())
    assert not [p for p in psutil.process_iter() if mark_of(p).startswith(f"{paths.root}:") and is_alive(p)]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def silent() -> Progress:
    return Progress.silent()


def mark_of(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return process.environ().get(MARK, "")
    return ""


def server(name: str, tmp_path: Path, *, needs: tuple[str, ...] = (), script: str = SERVE) -> Service:
    # Two services of a test must not share one: the first is not listening yet when the second is described.
    port = ports.choose([name], seed=f"{tmp_path}{name}", avoid=given_out)[name]
    given_out.add(port)
    command = [*PYTHON, script, str(port), str(tmp_path / "stopped"), name]
    return Service(name, lambda: command, listens(port), needs=needs, ports=(port,), grace_s=DEADLINE_S)


def command(name: str, script: str, *, deadline_s: float = DEADLINE_S) -> Service:
    return Service(name, lambda: [*PYTHON, script], lambda: False, deadline_s=deadline_s, grace_s=1)


def pid(supervisor: Supervisor, name: str) -> int:
    process = supervisor.running(name)
    assert process, f"{name} does not run"
    return process.pid


def change_record(paths: StatePaths, supervisor: Supervisor, **changes: object) -> None:
    record = supervisor.record("store")
    assert record
    record.model_copy(update=changes).write(paths.run / "store.json")


def test_everything_is_ready_after_up_and_a_second_up_changes_nothing(
    tmp_path: Path, supervised: WithServices
):
    supervisor = supervised([server("store", tmp_path), server("api", tmp_path, needs=("store",))])

    first = supervisor.up(silent())
    pids = {name: pid(supervisor, name) for name in ("store", "api")}
    second = supervisor.up(silent())

    assert sorted(first.started) == ["api", "store"]
    assert (second.started, second.repaired, sorted(second.kept)) == ([], [], ["api", "store"])
    assert pids == {name: pid(supervisor, name) for name in ("store", "api")}
    assert [s.state for s in supervisor.status()] == [State.READY, State.READY]


def test_steps_that_need_nothing_of_each_other_run_at_once(supervised: WithServices):
    met = threading.Barrier(2, timeout=DEADLINE_S)
    tasks = [Task(name, lambda _: (met.wait(), None)[1]) for name in ("one", "two")]

    supervised([], tasks).up(silent())


def test_a_step_begins_only_when_what_it_needs_is_ready(tmp_path: Path, supervised: WithServices):
    store = server("store", tmp_path)
    seen: list[bool] = []
    task = Task("ask", lambda _: seen.append(store.ready()), needs=("store",))

    supervised([store], [task]).up(silent())

    assert seen == [True]


def test_a_service_that_dies_later_is_named_and_alone_started_again(tmp_path: Path, supervised: WithServices):
    supervisor = supervised([server("store", tmp_path), server("api", tmp_path, needs=("store",))])
    supervisor.up(silent())
    store, api = pid(supervisor, "store"), pid(supervisor, "api")
    os.kill(store, signal.SIGKILL)
    until(lambda: supervisor.running("store") is None)

    dead = {s.name: s for s in supervisor.status()}["store"]
    outcome = supervisor.up(silent())

    assert (dead.state, dead.pid, dead.last_words) == (State.DEAD, None, ("serving",))
    assert (outcome.repaired, outcome.started, outcome.kept) == (["store"], [], ["api"])
    assert pid(supervisor, "api") == api
    assert {s.name: s.restarts for s in supervisor.status()} == {"store": 1, "api": 0}


def test_a_service_that_hangs_later_is_not_ready_and_started_again(
    tmp_path: Path, paths: StatePaths, supervised: WithServices, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sandbox.supervisor._ADOPTED_DEADLINE_S", 0.2)
    service = server("store", tmp_path)
    hung: list[int] = []
    supervisor = supervised([replace(service, ready=lambda: service.ready() and record_pid() not in hung)])

    def record_pid() -> int | None:
        record = supervisor.record("store")
        return record.pid if record else None

    supervisor.up(silent())
    hung.append(pid(supervisor, "store"))
    # It was made long ago, so that the time it may take to start is over.
    change_record(paths, supervisor, created=1.0)
    state = supervisor.status()[0].state
    outcome = supervisor.up(silent())

    assert state is State.NOT_READY
    assert outcome.started == ["store"]
    assert pid(supervisor, "store") not in hung


def test_death_at_the_start_is_told_with_exit_status_and_the_end_of_the_log(supervised: WithServices):
    with pytest.raises(SandboxError) as caught:
        supervised([command("store", DIE)]).up(silent())

    assert caught.value.what == "store died while starting (exit status 3)"
    assert "halfmetal sandbox logs store" in caught.value.remedy
    assert "no such table" in caught.value.detail


def test_one_that_never_gets_ready_is_ended_at_its_deadline(supervised: WithServices):
    hangs = command("store", HANG, deadline_s=0.3)

    def ready() -> bool:
        until(lambda: "thinking" in supervisor.log("store").read_text())
        return False

    supervisor = supervised([replace(hangs, ready=ready)])

    with pytest.raises(SandboxError, match=r"store was not ready after 0\.3 s") as caught:
        supervisor.up(silent())

    assert "thinking" in caught.value.detail
    assert supervisor.running("store") is None


def test_a_program_that_is_not_there_is_an_error_with_its_path(supervised: WithServices):
    absent = Service("store", lambda: ["/nonexistent/store"], lambda: False)

    with pytest.raises(SandboxError, match="store cannot be started: /nonexistent/store"):
        supervised([absent]).up(silent())


def test_a_fault_gives_the_rest_up_at_once_and_keeps_what_is_ready(tmp_path: Path, supervised: WithServices):
    good = server("good", tmp_path)
    bad = replace(command("bad", DIE), needs=("good",))
    slow = replace(command("slow", HANG), needs=("good",))
    after = command("after", HANG)
    supervisor = supervised([good, bad, slow, replace(after, needs=("slow",))])

    with pytest.raises(SandboxError) as caught:
        supervisor.up(silent())

    # Nobody waited for the slow one: at its deadline it would have been a fault as well, and ended.
    assert caught.value.what == "bad died while starting (exit status 3)"
    assert supervisor.running("slow")
    assert supervisor.running("good")
    assert supervisor.record("after") is None


def test_every_fault_of_the_same_moment_is_told(supervised: WithServices):
    met = threading.Barrier(2, timeout=DEADLINE_S)

    def fail(name: str) -> Callable[[Callable[[], None]], None]:
        def run(_: Callable[[], None]) -> None:
            met.wait()
            raise SandboxError(f"{name} failed", "mend it")

        return run

    with pytest.raises(SandboxError) as caught:
        supervised([], [Task("one", fail("one")), Task("two", fail("two"))]).up(silent())

    assert {"one failed", "two failed"} == set(caught.value.what.split("; "))


def test_a_waiting_task_is_cancelled_and_its_end_is_no_fault_of_its_own(supervised: WithServices):
    cancelled = threading.Event()

    def wait(_: Callable[[], None]) -> None:
        assert cancelled.wait(DEADLINE_S)
        raise SandboxError("compiler ended by a signal", "")

    build = Task("build", wait, cancel=cancelled.set)

    with pytest.raises(SandboxError) as caught:
        supervised([command("bad", DIE)], [build]).up(silent())

    assert caught.value.what == "bad died while starting (exit status 3)"


@pytest.mark.parametrize("change", ["command", "environment", "configuration"])
def test_a_changed_definition_restarts_just_that_service(
    change: str, tmp_path: Path, supervised: WithServices
):
    config = tmp_path / "config"
    config.write_text("a")
    store = replace(server("store", tmp_path), files=(config,))
    other = server("other", tmp_path)
    supervisor = supervised([store, other])
    supervisor.up(silent())
    before, kept = pid(supervisor, "store"), pid(supervisor, "other")

    if change == "command":
        changed = [*store.command(), "--new"]
        store = replace(store, command=lambda: changed)
    elif change == "environment":
        store = replace(store, env={"NEW": "1"})
    else:
        config.write_text("b")
    outcome = supervised([store, other]).up(silent())

    assert outcome.started == ["store"]
    assert pid(supervisor, "store") != before
    assert pid(supervisor, "other") == kept


def test_a_service_sees_its_own_environment_and_none_of_the_callers(
    tmp_path: Path, supervised: WithServices, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    supervisor = supervised([replace(server("store", tmp_path), env={"GREETING": "hello"})])
    supervisor.up(silent())

    environment = psutil.Process(pid(supervisor, "store")).environ()

    assert {"GREETING", MARK} <= environment.keys()
    assert "HTTPS_PROXY" not in environment


class TestOtherPeoplesProcesses:
    """Records that no longer tell the truth, and ports that somebody else has."""

    def test_a_stale_record_is_a_dead_service(self, tmp_path: Path, supervised: WithServices):
        supervisor = supervised([server("store", tmp_path)])
        supervisor.up(silent())
        os.kill(pid(supervisor, "store"), signal.SIGKILL)
        until(lambda: supervisor.running("store") is None)

        assert supervisor.status()[0].state is State.DEAD
        assert supervisor.down(silent()) == []
        assert supervisor.status()[0].state is State.STOPPED

    def test_a_reused_number_is_not_ours_and_is_spared(
        self,
        tmp_path: Path,
        paths: StatePaths,
        supervised: WithServices,
        stranger: subprocess.Popen[bytes],
    ):
        supervisor = supervised([server("store", tmp_path)])
        supervisor.up(silent())
        ours = psutil.Process(pid(supervisor, "store"))
        change_record(paths, supervisor, pid=stranger.pid)

        assert supervisor.status()[0].state is State.DEAD
        supervisor.down(silent())

        assert stranger.poll() is None
        until(lambda: not is_alive(ours))

    def test_a_corrected_clock_does_not_make_ours_a_stranger(
        self, tmp_path: Path, paths: StatePaths, supervised: WithServices
    ):
        supervisor = supervised([server("store", tmp_path)])
        supervisor.up(silent())
        before = pid(supervisor, "store")
        change_record(paths, supervisor, created=1.0)

        assert supervisor.up(silent()).kept == ["store"]
        assert pid(supervisor, "store") == before

    def test_a_record_that_cannot_be_read_is_as_none_and_its_process_is_ended(
        self, tmp_path: Path, paths: StatePaths, supervised: WithServices
    ):
        supervisor = supervised([server("store", tmp_path)])
        supervisor.up(silent())
        lost = psutil.Process(pid(supervisor, "store"))
        (paths.run / "store.json").write_text('{"name": "st')

        supervisor.up(silent())

        assert not is_alive(lost)
        assert supervisor.status()[0].state is State.READY

    def test_a_taken_port_is_named_with_who_has_it(self, tmp_path: Path, supervised: WithServices):
        service = server("store", tmp_path)
        with socket.create_server(("127.0.0.1", service.ports[0])), pytest.raises(SandboxError) as caught:
            supervised([service]).up(silent())

        assert f"port {service.ports[0]}, which store needs, is taken by process {os.getpid()}" in str(
            caught.value
        )
        assert "halfmetal sandbox down" in caught.value.remedy

    def test_an_answer_from_a_stranger_is_not_readiness(self, supervised: WithServices):
        def ready() -> bool:
            # It may take a moment to die, and until then the stranger's answer looks like its own.
            until(lambda: supervisor.running("store") is None)
            return True

        supervisor = supervised([replace(command("store", DIE), ready=ready)])

        with pytest.raises(SandboxError, match="store died while starting"):
            supervisor.up(silent())


class TestDown:
    """Stopping, whatever state things are in."""

    def test_dependents_stop_before_what_they_need(self, tmp_path: Path, supervised: WithServices):
        services = [
            server("store", tmp_path),
            server("api", tmp_path, needs=("access",)),
            server("agent", tmp_path, needs=("api",)),
        ]
        supervisor = supervised(services, [Task("access", lambda _: None, needs=("store",))])
        supervisor.up(silent())

        supervisor.down(silent())

        assert (tmp_path / "stopped").read_text().split() == ["agent", "api", "store"]

    def test_one_that_ignores_sigterm_is_killed_after_its_grace(
        self, tmp_path: Path, supervised: WithServices
    ):
        supervisor = supervised([replace(server("store", tmp_path, script=IGNORE_SIGTERM), grace_s=0.2)])
        supervisor.up(silent())
        process = psutil.Process(pid(supervisor, "store"))

        assert supervisor.down(silent()) == ["store"]
        assert not is_alive(process)

    def test_a_stopped_process_is_ended_too(self, tmp_path: Path, supervised: WithServices):
        supervisor = supervised([server("store", tmp_path)])
        supervisor.up(silent())
        os.kill(pid(supervisor, "store"), signal.SIGSTOP)

        supervisor.down(silent())

        assert (tmp_path / "stopped").read_text() == "store\n"

    def test_services_that_are_no_longer_defined_are_stopped(self, tmp_path: Path, supervised: WithServices):
        supervised([server("store", tmp_path)]).up(silent())

        assert supervised([]).down(silent()) == ["store"]

    def test_nothing_to_stop(self, supervised: WithServices):
        assert supervised([]).down(silent()) == []


class TestChildren:
    """What a service leaves behind when it does not end its children itself."""

    def children(self, supervisor: Supervisor) -> list[psutil.Process]:
        return psutil.Process(pid(supervisor, "store")).children()

    def test_they_end_with_it(self, tmp_path: Path, supervised: WithServices):
        supervisor = supervised([server("store", tmp_path, script=WITH_RUNAWAY_CHILD)])
        supervisor.up(silent())
        children = self.children(supervisor)

        supervisor.down(silent())

        assert children
        assert not any(is_alive(child) for child in children)

    @pytest.mark.parametrize("next_command", ["up", "down"])
    def test_they_end_at_the_next_command_when_it_was_killed(
        self, next_command: str, tmp_path: Path, supervised: WithServices
    ):
        supervisor = supervised([server("store", tmp_path, script=WITH_RUNAWAY_CHILD)])
        supervisor.up(silent())
        children = self.children(supervisor)
        os.kill(pid(supervisor, "store"), signal.SIGKILL)
        until(lambda: supervisor.running("store") is None)

        getattr(supervisor, next_command)(silent())

        assert children
        assert not any(is_alive(child) for child in children)
