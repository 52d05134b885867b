"""A killed update, run again, completes: nothing orphaned, nothing made twice."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import Engine
from sandbox.errors import SandboxError
from sandbox.plugins import install_engine
from sandbox.recovery import Lock, Recovery, recover, restore, settled

DEADLINE_S = 60.0
MakeProject = Callable[..., Any]
FindProcesses = Callable[[Path], list[str]]

# A cloud of files and a provider of the things in it. `hold` names the operation that is to hang, once it has
# done its work at the service and before the engine hears of it. Like the AWS provider, it knows what it
# made.
PROGRAM = """
    import pathlib, time, pulumi
    from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

    HERE = str(pathlib.Path(__file__).parent)

    def hang(what):
        here = pathlib.Path(HERE)
        (here / "begun").write_text(what)
        while (here / "hold").exists() and (here / "hold").read_text() == what:
            time.sleep(0.02)

    class Things(ResourceProvider):
        def create(self, props):
            thing = pathlib.Path(HERE) / "cloud" / props["name"]
            if not thing.exists():
                with (pathlib.Path(HERE) / "made").open("a") as made:
                    made.write(props["name"] + " ")
            thing.write_text(props["size"])
            hang("create")
            return CreateResult(id_=props["name"], outs=props)

        def diff(self, id_, olds, news):
            return DiffResult(changes=olds["size"] != news["size"])

        def update(self, id_, olds, news):
            (pathlib.Path(HERE) / "cloud" / id_).write_text(news["size"])
            hang("update")
            return UpdateResult(outs=news)

        def read(self, id_, props):
            thing = pathlib.Path(HERE) / "cloud" / id_
            if not thing.exists():
                return ReadResult("", {})
            return ReadResult(id_, {**props, "size": thing.read_text()})

        def delete(self, id_, props):
            (pathlib.Path(HERE) / "cloud" / id_).unlink(missing_ok=True)
            hang("delete")

    class Thing(Resource):
        def __init__(self, name, size):
            super().__init__(Things(), name, {"name": name, "size": size})

    for line in (pathlib.Path(HERE) / "wanted").read_text().split():
        Thing(*line.split("="))
"""


@dataclass(frozen=True)
class Killed:
    """What stood, what was wanted and hung, what is wanted after; and what must stand then."""

    before: str
    during: str
    hangs: str
    after: str
    made: str
    found: Mapping[str, str]


KILLED = {
    "while creating": Killed("", "a=1", "create", "a=1", "a ", {"a": "1"}),
    "while updating, and the change is taken back": Killed("a=1", "a=2", "update", "a=1", "a ", {"a": "1"}),
    "while deleting, and it is wanted again": Killed(
        "a=1 b=1", "b=1", "delete", "a=1 b=1", "a b a ", {"a": "1", "b": "1"}
    ),
}


@pytest.mark.engine
@pytest.mark.parametrize("case", KILLED.values(), ids=KILLED)
def test_an_update_killed(case: Killed, project: MakeProject, processes: FindProcesses, tmp_path: Path):
    made = project({"__main__.py": PROGRAM, "wanted": case.before, "cloud/.keep": "", "made": ""})
    engine = _engine(made, tmp_path / "bin")
    if case.before:
        assert made.up("--parallel", "1").status == 0
    made.write({"wanted": case.during, "hold": case.hangs})
    _kill_when_begun(made, case.hangs)
    (made.directory / "hold").unlink()
    done = recover("test", engine)
    assert done.locks
    made.write({"wanted": case.after})
    ended = made.up()
    assert ended.status == 0, ended.output
    assert "pending operation" not in ended.output
    cloud = made.directory / "cloud"
    assert {thing.name: thing.read_text() for thing in cloud.iterdir() if thing.name != ".keep"} == case.found
    assert sorted((made.directory / "made").read_text().split()) == sorted(case.made.split())
    unchanged = made.run("preview", "--stack", "test", "--expect-no-changes")
    assert unchanged.status == 0, unchanged.output
    assert recover("test", engine) == Recovery()
    _until(lambda: not processes(made.directory), "nothing of it runs any more")


@pytest.mark.engine
def test_an_update_at_work_is_not_disturbed(project: MakeProject, tmp_path: Path):
    made = project({"__main__.py": PROGRAM, "wanted": "a=1", "hold": "create", "cloud/.keep": "", "made": ""})
    engine = _engine(made, tmp_path / "bin")
    with _update(made, "create") as update:
        with pytest.raises(SandboxError, match=rf"being updated by process {update.pid} of"):
            recover("test", engine)
        (made.directory / "hold").unlink()
        assert update.wait(DEADLINE_S) == 0


@dataclass(frozen=True)
class Taker:
    """Who took a lock, and whether it is held by it still."""

    pid: int
    host: str
    taken: str
    held: bool


NOW, LONG_AGO = "2100-01-01T00:00:00.123456789Z", "2001-01-01T00:00:00Z"
HERE = socket.gethostname()


@pytest.mark.parametrize(
    "taker",
    [
        pytest.param(Taker(os.getpid(), HERE, NOW, held=True), id="a process that lives"),
        pytest.param(Taker(2**22 + 1, HERE, NOW, held=False), id="a process that is no more"),
        pytest.param(
            Taker(os.getpid(), HERE, LONG_AGO, held=False), id="its number, reused by a later process"
        ),
        pytest.param(Taker(2**22 + 1, "elsewhere", NOW, held=True), id="another machine: unknowable"),
    ],
)
def test_a_lock_is_held_while_the_process_that_took_it_lives(taker: Taker, tmp_path: Path):
    content = {"pid": taker.pid, "username": "u", "hostname": taker.host, "timestamp": taker.taken}
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(content))
    lock = Lock.read(path)
    assert lock is not None
    assert lock.is_held == taker.held


@pytest.mark.parametrize("content", ["", "{", "{}", '{"pid": "x"}'])
def test_a_lock_cut_short_is_nobodys(content: str, tmp_path: Path):
    (tmp_path / "lock.json").write_text(content)
    assert Lock.read(tmp_path / "lock.json") is None


def _object(name: str, namespace: str | None = "models") -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {
        "urn": f"urn:{name}",
        "custom": True,
        "type": "kubernetes:core/v1:ConfigMap",
        "inputs": {"kind": "ConfigMap", "metadata": metadata},
        "provider": "urn:provider::id",
    }


QUEUE = {"urn": "urn:q", "custom": True, "type": "aws:sqs/queue:Queue", "inputs": {"name": "q"}}
ACCESS = {"urn": "urn:p", "custom": True, "type": "pulumi:providers:kubernetes", "inputs": {}}


@pytest.mark.parametrize(
    ("resource", "left", "deleted"),
    [
        pytest.param(QUEUE, [], (), id="of AWS: its ledger knows it"),
        pytest.param(ACCESS, [], (), id="a provider: it is nothing outside the engine"),
        pytest.param(
            _object("c"), [("urn:c", "models/c", False)], ("urn:c",), id="of Kubernetes: deleted now"
        ),
        pytest.param(_object("n", None), [("urn:n", "n", False)], ("urn:n",), id="cluster-wide: deleted now"),
        pytest.param(
            _object("old"), [("urn:old", "models/old", True)], (), id="a replacement: deleted when it is made"
        ),
        pytest.param(_object("kept"), [], (), id="the object that is there already: kept"),
    ],
)
def test_what_becomes_of_a_pending_create(
    resource: Mapping[str, Any], left: list[tuple[str, str, bool]], deleted: tuple[str, ...]
):
    there = [{"urn": "urn:old", "id": "models/older"}, {"urn": "urn:kept", "id": "models/kept"}]
    update = {"resource": {"urn": "urn:u"}, "type": "updating"}
    pending = [{"resource": dict(resource), "type": "creating"}, update]
    deployment, doomed = settled({"resources": there, "pending_operations": pending})
    assert deployment["pending_operations"] == []
    assert deployment["resources"][:2] == there
    assert [(r["urn"], r["id"], r["delete"]) for r in deployment["resources"][2:]] == left
    assert doomed == deleted


def _engine(made: Any, bin_dir: Path) -> Engine:
    install_engine(bin_dir, Path(made.pulumi), made.directory)
    return Engine({**made.env, "PATH": f"{bin_dir}:{made.env['PATH']}"}, made.directory)


@contextmanager
def _update(made: Any, operation: str) -> Iterator[subprocess.Popen[str]]:
    """An update that has begun an operation and hangs in it."""
    begun = made.directory / "begun"
    begun.unlink(missing_ok=True)
    update = made.start("up", "--yes", "--skip-preview", "--stack", "test")
    try:

        def hangs() -> bool:
            assert update.poll() is None, update.communicate()[0]
            return bool(begun.exists() and begun.read_text() == operation)

        _until(hangs, f"it hangs in {operation}")
        yield update
    finally:
        update.kill()
        update.communicate()


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.02)


def _kill_when_begun(made: Any, operation: str) -> None:
    with _update(made, operation) as update:
        update.send_signal(signal.SIGKILL)


@dataclass(frozen=True)
class CutShort:
    """A state file, its backup, and what the file holds after a restore."""

    name: str
    state: str | None
    backup: str | None
    after: str | None


@pytest.mark.parametrize(
    "case",
    [
        CutShort("no state yet", None, None, None),
        CutShort("whole", '{"version": 3}', '{"version": 2}', '{"version": 3}'),
        CutShort("empty", "", '{"version": 2}', '{"version": 2}'),
        CutShort("half", '{"version": 3, "check', '{"version": 2}', '{"version": 2}'),
    ],
    ids=lambda case: case.name,
)
def test_a_state_cut_short_gives_way_to_its_backup(case: CutShort, tmp_path: Path):
    state = tmp_path / "dev.json"
    for path, content in ((state, case.state), (tmp_path / "dev.json.bak", case.backup)):
        if content is not None:
            path.write_text(content)
    assert restore(state) is (case.state != case.after)
    assert (state.read_text() if state.exists() else None) == case.after


@pytest.mark.parametrize("backup", [None, "", "{"], ids=["no backup", "an empty backup", "half a backup"])
def test_a_state_cut_short_without_a_whole_backup_is_an_error(backup: str | None, tmp_path: Path):
    state = tmp_path / "dev.json"
    state.write_text("")
    if backup is not None:
        (tmp_path / "dev.json.bak").write_text(backup)
    with pytest.raises(SandboxError, match="cut short") as caught:
        restore(state)
    assert "halfmetal sandbox down" in caught.value.remedy
