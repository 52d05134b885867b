"""What goes wrong in the middle, and what is left of it: nothing orphaned, nothing twice, nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from inventory import Held, differences, held
from real_shell import HALFMETAL, Finished, Sandbox, request, running, succeeded, wait_for

pytestmark = pytest.mark.e2e

# The longest that a command may go on after something it needs has died.
GIVES_UP_S = 60


@dataclass
class Place:
    """A sandbox of one group of tests, what it held when it was empty, and where its temporary files go."""

    sandbox: Sandbox
    temporary: Path
    cluster: bool
    empty: Held

    @property
    def services(self) -> dict[str, Any]:
        return self.sandbox.services()

    def up(self, stack: str) -> dict[str, Any]:
        """Deploy, to the end."""
        done = succeeded(self.sandbox.outside.run(HALFMETAL, "up", stack, "--json"))
        report: dict[str, Any] = json.loads(done.stdout)
        assert all(answer["ok"] for answer in report["requests"])
        return report

    def stands(self, stack: str) -> None:
        """Deploy it, unless a test before has done so."""
        if not self.resources(stack):
            self.up(stack)

    def is_gone(self, stack: str) -> None:
        """Destroy what a test before has deployed."""
        if self.resources(stack):
            self.sandbox.shell.ok(*destroy_of(stack))

    def assert_whole(self, stack: str) -> None:
        """The services hold what the engine knows and nothing else, and there is nothing left to do."""
        state = self.sandbox.exported(stack)
        assert not state["deployment"].get("pending_operations")
        assert differences([state], self.held(), self.empty) == []
        self.sandbox.shell.ok(
            "pulumi", "preview", "-s", stack, "--expect-no-changes", "--diff", "--non-interactive"
        )

    def assert_empty(self) -> None:
        """Nothing is left of any stack."""
        assert differences([], self.held(), self.empty) == []

    def held(self) -> Held:
        return held(self.sandbox.shell, cluster=self.cluster)

    def resources(self, stack: str) -> int:
        """Resources in the state that the engine has written so far; none before its first checkpoint."""
        for path in (self.sandbox.state / "backend").glob(f".pulumi/stacks/*/{stack}.json"):
            latest = json.loads(path.read_bytes())["checkpoint"]["latest"] or {}
            return len(latest.get("resources") or ())
        return 0


def destroy_of(stack: str) -> tuple[str, ...]:
    return ("pulumi", "destroy", "-s", stack, "--yes", "--skip-preview", "--non-interactive")


@contextlib.contextmanager
def place(tmp: Path, topology: str) -> Iterator[Place]:
    temporary = tmp / "tmp"
    temporary.mkdir()
    cluster = topology != "pure"
    with running(tmp / "state", topology, {"TMPDIR": str(temporary)}) as sandbox:
        yield Place(sandbox, temporary, cluster, held(sandbox.shell, cluster=cluster))


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("pure"), "pure") as made:
        yield made


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("hybrid"), "hybrid") as made:
        yield made


# -- an update killed ----------------------------------------------------------------------------------


def everyone(update: subprocess.Popen[str]) -> None:
    """Command, engine, program and providers, all at once: a power cut."""
    os.killpg(update.pid, signal.SIGKILL)


def the_engine_alone(update: subprocess.Popen[str]) -> None:
    """Its providers are in the middle of a call, and live for a moment more."""
    engines = [
        each for each in psutil.Process(update.pid).children(recursive=True) if each.name() == "pulumi"
    ]
    assert engines
    for engine in engines:
        engine.kill()


Kill = Callable[[subprocess.Popen[str]], None]


@dataclass(frozen=True)
class Killed:
    """When an update is killed, by how many resources it has put into the engine's state, and how."""

    after: int
    kill: Kill


# The first resources of a state are the providers and components, which no service hears of.
def test_pure_killed_again_and_again_completes_in_the_end(pure: Place):
    for killed in (Killed(14, everyone), Killed(6, the_engine_alone), Killed(4, everyone)):
        _kill_up(pure, "pure", killed)
    pure.up("pure")
    pure.assert_whole("pure")


def test_hybrid_killed_again_and_again_completes_in_the_end(hybrid: Place):
    for killed in (Killed(50, the_engine_alone), Killed(40, everyone)):
        _kill_up(hybrid, "hybrid", killed)
    hybrid.up("hybrid")
    hybrid.assert_whole("hybrid")


def test_a_destroy_killed_is_completed_by_the_next(hybrid: Place):
    hybrid.stands("hybrid")
    before = hybrid.resources("hybrid")
    process = hybrid.sandbox.shell.start(*destroy_of("hybrid"))
    _wait(hybrid, process, "hybrid", lambda count: count <= before - 30)
    everyone(process)
    process.communicate()
    hybrid.sandbox.outside.ok(HALFMETAL, "sandbox", "recover", "hybrid")
    hybrid.sandbox.shell.ok(*destroy_of("hybrid"))
    hybrid.assert_empty()


def _kill_up(place: Place, stack: str, killed: Killed) -> None:
    before = place.resources(stack)
    process = place.sandbox.outside.start(HALFMETAL, "up", stack)
    _wait(place, process, stack, lambda count: count >= before + killed.after)
    killed.kill(process)
    output, _ = process.communicate(timeout=GIVES_UP_S)
    if killed.kill is everyone:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 1
        assert "Traceback" not in output
        assert f"pulumi up -s {stack} failed" in output


def _wait(place: Place, process: subprocess.Popen[str], stack: str, reached: Callable[[int], bool]) -> None:
    """Until the state has come to where it shall be."""

    def there() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return reached(place.resources(stack))

    wait_for(there, f"the update of {stack} has come far enough", 240)


# -- a service gone ------------------------------------------------------------------------------------


def test_api_server_killed_during_an_update(hybrid: Place):
    """An error in a line that names it, soon; and the next `up` heals and completes."""
    hybrid.is_gone("hybrid")
    process = hybrid.sandbox.outside.start(HALFMETAL, "up", "hybrid", "--json")
    _wait(hybrid, process, "hybrid", lambda count: count >= 100)
    os.kill(hybrid.services["kube-apiserver"]["pid"], signal.SIGKILL)
    output, _ = process.communicate(timeout=GIVES_UP_S)
    assert process.returncode == 1
    assert "Traceback" not in output
    (error,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert "kube-apiserver is dead" in error
    assert "halfmetal up hybrid" in output.partition(error)[2]
    hybrid.up("hybrid")
    hybrid.assert_whole("hybrid")


def test_everything_killed_at_once_comes_back_as_it_was(hybrid: Place):
    hybrid.stands("hybrid")
    before = _ids(hybrid)
    _kill_services(hybrid)
    report = hybrid.up("hybrid")
    assert set(report["changes"]) == {"same"}
    assert _ids(hybrid) == before
    hybrid.assert_whole("hybrid")


def test_down_after_everything_was_killed_leaves_nothing(hybrid: Place):
    _kill_services(hybrid)
    _assert_down_leaves_nothing(hybrid)


def _ids(place: Place) -> dict[str, str]:
    resources = place.sandbox.exported("hybrid")["deployment"]["resources"]
    return {each["urn"]: each.get("id", "") for each in resources}


def _kill_services(place: Place) -> None:
    for service in place.services.values():
        # One that cannot do without another may have ended with it.
        with contextlib.suppress(ProcessLookupError):
            os.kill(service["pid"], signal.SIGKILL)
    wait_for(lambda: not any(each["pid"] for each in place.services.values()), "all services are dead")


# -- neighbours ----------------------------------------------------------------------------------------


def test_two_sandboxes_serve_side_by_side(pure: Place, sandbox: Sandbox):
    pure.stands("pure")
    ours = sandbox.deploy("pure").outputs
    theirs = json.loads(pure.sandbox.shell.ok("pulumi", "stack", "output", "--json", "-s", "pure"))
    assert ours["url"] != theirs["url"]
    assert ours["registry_table"] != theirs["registry_table"]
    for outputs in (ours, theirs):
        (model,) = outputs["models"]
        answer = request("GET", f"{model['url']}/ready")
        assert (answer.status_code, answer.json()) == (200, {"name": "embed", "ready": True})


def test_a_stranger_on_a_port_that_a_stack_remembers(pure: Place):
    """It is told which port, who has it and what to do; when it is free again, everything is as it was."""
    pure.stands("pure")
    port = pure.sandbox.instance["ports"]["emulator"]
    _kill_services(pure)
    with socket.create_server(("127.0.0.1", port)):
        refused = pure.sandbox.outside.run(HALFMETAL, "up", "pure")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    error = next(line for line in refused.stderr.splitlines() if line.startswith("error: "))
    assert str(port) in error
    assert f"process {os.getpid()} " in error
    assert "remedy: " in refused.stderr.partition(error)[2]
    assert set(pure.up("pure")["changes"]) == {"same"}
    pure.assert_whole("pure")


def test_down_in_the_middle_of_an_update_that_was_killed_leaves_nothing(pure: Place, sandbox: Sandbox):
    pure.is_gone("pure")
    _kill_up(pure, "pure", Killed(20, everyone))
    assert pure.sandbox.processes()
    _assert_down_leaves_nothing(pure)
    (model,) = sandbox.deploy("pure").outputs["models"]
    assert request("GET", f"{model['url']}/ready").status_code == 200  # the neighbour


def _assert_down_leaves_nothing(place: Place) -> None:
    """No process, no port, no file; and there is nothing left to do for a second one."""
    state, ports = place.sandbox.state, set(place.sandbox.instance["ports"].values())
    octet = f"127.{place.sandbox.instance['loopback_octet']}."
    succeeded(place.sandbox.outside.run(HALFMETAL, "down"))
    assert not state.exists()
    assert list(place.temporary.iterdir()) == []
    assert place.sandbox.processes() == []
    served = [each.laddr for each in psutil.net_connections("inet") if each.status in _SERVING]
    assert [each for each in served if each.port in ports or each.ip.startswith(octet)] == []
    again: Finished = place.sandbox.outside.run(HALFMETAL, "down")
    assert succeeded(again)
    assert not state.exists()


# UDP sockets have no status.
_SERVING = {psutil.CONN_LISTEN, psutil.CONN_NONE}
