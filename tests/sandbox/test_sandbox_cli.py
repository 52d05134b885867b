"""`halfmetal sandbox …` as it is typed and read."""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.sandbox
from sandbox import lifecycle, recovery, shell
from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.instance import PORT_NAMES, Instance, Topology
from sandbox.lifecycle import Health
from sandbox.recovery import Recovery
from sandbox.supervisor import Outcome, State, Status

DEADLINE_S = 60.0
READY = Status("etcd", State.READY, pid=41, ports=(20001, 20002))
DEAD = Status("kube-apiserver", State.DEAD, ports=(20003,), restarts=2, last_words=("panic: no memory",))


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path))
    ports = {name: 20000 + number for number, name in enumerate(PORT_NAMES)}
    made = Instance(state=tmp_path, ports=ports, loopback_octet=77, topology=Topology.HYBRID)
    made.save()
    return made


@pytest.fixture
def found(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def services(*states: Status, up: bool = True) -> None:
        monkeypatch.setattr(lifecycle, "status", lambda: Health(instance if up else None, states))

    return services


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.sandbox.app, arguments, catch_exceptions=False)
    return result.exit_code, result.output


def test_status_of_a_sandbox_that_is_well(found: Callable[..., None]):
    found(READY)
    code, output = run("status")

    assert code == 0
    assert ["etcd", "ready", "41", "20001", "20002", "-", "0"] in [
        line.split() for line in output.splitlines()
    ]


def test_status_names_the_dead_with_the_end_of_its_log_and_the_repair(found: Callable[..., None]):
    found(READY, DEAD)
    code, output = run("status")

    assert code == 1
    assert "kube-apiserver is dead\n    panic: no memory" in output
    assert "halfmetal sandbox up" in output


def test_status_of_nothing(found: Callable[..., None]):
    found(up=False)

    assert run("status") == (1, "the sandbox is not up; start it: halfmetal sandbox up\n")
    assert json.loads(run("status", "--json")[1]) == {"topology": None, "well": False, "services": []}


def test_status_for_programs(found: Callable[..., None]):
    found(READY, DEAD)
    code, output = run("status", "--json")
    told = json.loads(output)

    assert code == 1
    assert (told["topology"], told["well"]) == ("hybrid", False)
    assert told["services"][1] == {
        "name": "kube-apiserver",
        "state": "dead",
        "pid": None,
        "ports": [20003],
        "since": None,
        "restarts": 2,
        "last_words": ["panic: no memory"],
    }


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(started=["etcd", "emulator"]), "started: emulator, etcd\n"),
        (Outcome(repaired=["etcd"], kept=["emulator"]), "started again: etcd\n"),
        (
            Outcome(repaired=["emulator"]),
            "started again: emulator\n"
            "emulator may have lost what it made last: pulumi refresh before the next update\n",
        ),
        (Outcome(kept=["emulator"]), "everything runs already\n"),
    ],
)
def test_up_says_what_it_did(outcome: Outcome, said: str, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    monkeypatch.setattr(lifecycle, "up", lambda topology, _: (asked.append(topology), outcome)[1])

    assert run("up", "--topology", "pure") == (0, said)
    assert asked == ["pure"]


def test_up_and_down_for_programs(monkeypatch: pytest.MonkeyPatch):
    outcome = Outcome(started=["etcd", "emulator"], kept=["kwok"])
    monkeypatch.setattr(lifecycle, "up", lambda *_: outcome)
    monkeypatch.setattr(lifecycle, "down", lambda _: ["etcd", "emulator"])

    assert json.loads(run("up", "--json")[1]) == {
        "started": ["emulator", "etcd"],
        "repaired": [],
        "kept": ["kwok"],
    }
    assert json.loads(run("down", "--json")[1]) == {"stopped": ["emulator", "etcd"]}


class TestRecover:
    """Stacks whose update was killed, from a shell."""

    @pytest.fixture(autouse=True)
    def deployed(self, instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
        def recover(stack: str, engine: Engine) -> Recovery:
            assert engine.env["PULUMI_HOME"] == str(instance.paths.pulumi_home)
            return (
                Recovery(locks=("process 41",), forgotten=("urn:a", "urn:b"))
                if stack == "pure"
                else Recovery()
            )

        monkeypatch.setattr(recovery, "recover", recover)
        monkeypatch.setattr(Engine, "stacks", lambda _: ["hybrid", "pure"])

    def test_every_stack(self):
        assert run("recover") == (
            0,
            "hybrid: nothing to repair\n"
            "pure: removed the lock of process 41; forgot what was pending: urn:a, urn:b\n",
        )

    def test_one_stack(self):
        assert run("recover", "hybrid") == (0, "hybrid: nothing to repair\n")

    def test_for_programs(self):
        told = json.loads(run("recover", "pure", "--json")[1])

        assert told == {
            "pure": {
                "locks": ["process 41"],
                "orphans": [],
                "restored": [],
                "forgotten": ["urn:a", "urn:b"],
                "deleted": [],
                "refreshed": [],
            }
        }

    def test_an_unknown_stack_is_answered_with_the_known(self):
        with pytest.raises(SandboxError, match="no stack 'metal'") as caught:
            run("recover", "metal")

        assert "hybrid, pure" in caught.value.remedy


def test_up_knows_only_the_topologies():
    code, output = run("up", "--topology", "cloudy")

    assert code == 2
    assert "pure" in output


class TestLogs:
    """The ends of logs, and what is added to them."""

    @pytest.fixture
    def log(self, instance: Instance) -> Path:
        instance.paths.logs.mkdir()
        path = instance.paths.logs / "etcd.log"
        path.write_text("one\ntwo\nthree\n")
        return path

    @pytest.fixture
    def followed(self, log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        """What `logs -f` shows of whatever the test writes, until the test ends."""
        shown: list[str] = []
        ended = threading.Event()

        reader = cli.sandbox._LogReader(log, "")
        monkeypatch.setattr(
            reader, "_print", lambda lines: shown.extend(line.decode().strip() for line in lines)
        )

        def follow() -> None:
            reader.show_last(1)
            while not ended.wait(0.01):
                reader.show_new()

        thread = threading.Thread(target=follow)
        thread.start()
        yield shown
        ended.set()
        thread.join()

    @pytest.mark.usefixtures("log")
    def test_the_last_lines(self):
        assert run("logs", "etcd", "-n", "2") == (0, "two\nthree\n")

    def test_all_services_are_told_apart(self, log: Path):
        (log.parent / "emulator.log").write_text("hello\n")

        assert run("logs", "-n", "1") == (0, "emulator: hello\netcd: three\n")

    def test_containers_have_logs_too(self, log: Path):
        (log.parent / "pods").mkdir()
        (log.parent / "pods" / "embed-0.log").write_text("hello\n")

        assert run("logs", "pods/embed-0") == (0, "hello\n")

    @pytest.mark.usefixtures("log")
    def test_an_unknown_service_is_answered_with_the_known(self):
        with pytest.raises(SandboxError) as caught:
            run("logs", "etdc")

        assert "etcd" in caught.value.remedy

    def test_following_shows_whole_lines_once_and_survives_a_new_log(self, log: Path, followed: list[str]):
        self.until(lambda: followed == ["three"])
        with log.open("a") as file:
            file.write("four\nfi")
            file.flush()
            self.until(lambda: followed == ["three", "four"])
            file.write("ve\n")
        self.until(lambda: followed == ["three", "four", "five"])
        log.write_text("new\n")
        self.until(lambda: followed == ["three", "four", "five", "new"])

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline
            threading.Event().wait(0.01)


def test_env_for_shells_and_programs(instance: Instance):
    posix, fish, as_json = run("env")[1], run("env", "--shell", "fish")[1], run("env", "--json")[1]

    assert f"export KUBECONFIG={instance.state}/kubeconfig\n" in posix
    assert f"set -gx KUBECONFIG {instance.state}/kubeconfig;\n" in fish
    assert json.loads(as_json)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:20006"
    assert "export PULUMI_CONFIG_PASSPHRASE=''\n" in posix


def test_no_program_of_a_shell_keeps_anything_outside_the_state(instance: Instance):
    values = json.loads(run("env", "--json")[1])
    places = {
        name: values[name].removeprefix("file://") for name in ("KUBECONFIG", "KUBECACHEDIR", "PULUMI_HOME")
    }

    assert all(Path(place).is_relative_to(instance.state) for place in places.values())


def test_a_shell_finds_the_command_that_every_remedy_names(instance: Instance):
    shell.install(instance, {})
    found = instance.paths.bin / "halfmetal"

    assert subprocess.run([found, "--help"], check=True, capture_output=True, text=True).stdout
