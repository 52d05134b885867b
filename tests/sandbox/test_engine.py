"""The engine as a subprocess: what its events (recorded ones) come to, and how it is interrupted."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.engine import Engine, Events, PolicyFinding, short_name
from sandbox.errors import SandboxError

DEADLINE_S = 60.0
STREAMS = Path(__file__).parent / "engine_events"
B = "urn:pulumi:t::recorded::pulumi-python:dynamic:Resource::b"


@dataclass(frozen=True)
class Told:
    """What a recorded operation comes to."""

    stream: str
    changes: Mapping[str, int]
    done: int
    planned: int
    reasons: list[str] = field(default_factory=list)
    findings: list[PolicyFinding] = field(default_factory=list)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(
            Told(
                stream="replacing",
                changes={"create": 1, "replace": 1, "same": 1, "update": 1},
                done=3,
                planned=3,
                findings=[PolicyFinding("names", "advisory", B, "d\nb is no good name")],
            ),
            id="a replacement counts once, though it is told of three times",
        ),
        pytest.param(
            Told(
                stream="failing",
                changes={"same": 2},
                done=0,
                planned=0,
                reasons=["Exception: no room for it"],
            ),
            id="the reason of a failure without its echoes",
        ),
        pytest.param(
            Told(stream="destroying", changes={"delete": 4}, done=4, planned=4),
            id="the engine's own providers do not count",
        ),
    ],
)
def test_what_a_stream_comes_to(told: Told):
    events = read(told.stream)

    assert events.changes == told.changes
    assert (events.changed, events.planned) == (told.done, told.planned)
    assert events.reasons == told.reasons
    assert events.findings == told.findings
    assert events.in_progress == {}


def test_what_is_at_work_is_named_until_it_ends():
    events, seen = Events(), []
    for line in lines("replacing"):
        events.read(json.loads(line))
        seen.append(set(events.in_progress.values()))

    assert {"pulumi-python:dynamic:Resource a"} in seen
    assert seen[-1] == set()


def test_what_the_program_says_is_kept():
    assert read("replacing").notes == ["said by the program"]


def test_an_error_that_is_only_an_echo_is_better_than_none():
    events = Events()
    events.read({"diagnosticEvent": {"severity": "error", "message": "update failed\n"}})

    assert events.reasons == ["update failed"]


def test_an_event_of_a_later_engine_is_no_error():
    events = Events()
    events.read({"sequence": 7, "timestamp": 1, "somethingNewEvent": {"a": 1}})

    assert events == Events()


@pytest.mark.parametrize(
    ("urn", "shown"),
    [
        ("urn:pulumi:s::p::aws:sqs/queue:Queue::jobs", "aws:sqs/queue:Queue jobs"),
        ("urn:pulumi:s::p::halfmetal:a:B$aws:sqs/queue:Queue::a-jobs", "aws:sqs/queue:Queue a-jobs"),
    ],
)
def test_a_resource_is_shown_by_type_and_name(urn: str, shown: str):
    assert short_name(urn) == shown


MakeEngine = Callable[[str], Engine]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeEngine:
    """An engine whose `pulumi` is a shell script."""
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path / "state"))

    def make(script: str) -> Engine:
        program = tmp_path / "bin" / "pulumi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return Engine({"PATH": f"{program.parent}:{os.environ['PATH']}"}, tmp_path)

    return make


STACKS = """[ "$2" = ls ] && echo '[{"name": "organization/p/pure"}, {"name": "hybrid"}]' && exit"""


def test_outputs_of_a_stack_that_is_not_there(engine: MakeEngine):
    made = engine(f"{STACKS}\necho \"error: no stack named 'metal' found\" >&2; exit 255")
    with pytest.raises(SandboxError, match="'metal' is not deployed") as caught:
        made.outputs("metal")

    assert "hybrid, pure" in caught.value.remedy


def test_outputs_of_a_stack_whose_update_never_completed(engine: MakeEngine):
    with pytest.raises(SandboxError, match="no update of it has completed") as caught:
        engine("echo '{}'").outputs("pure")

    assert "pulumi up -s pure" in caught.value.remedy


def test_a_fault_of_the_engine_is_told_in_its_words(engine: MakeEngine):
    with pytest.raises(SandboxError, match="could not read the state"):
        engine(f"{STACKS}\necho 'could not read the state' >&2; exit 1").outputs("pure")


def test_no_engine(tmp_path: Path):
    with pytest.raises(SandboxError, match="no `pulumi`") as caught:
        Engine({"PATH": str(tmp_path)}).stacks()

    assert "halfmetal sandbox up" in caught.value.remedy


def test_an_operation_ends_with_its_events_and_its_log(engine: MakeEngine):
    # The engine writes its last events just before it ends.
    made = engine(f'for last; do :; done; cat {STREAMS / "destroying.jsonl"} > "$last"; echo said; exit 3')
    outcome = made.destroy("pure")

    assert (outcome.exit_code, outcome.ok) == (3, False)
    assert outcome.events.changes == {"delete": 4}
    assert outcome.log.read_text() == "said\n"


# Counts its interrupts, and like the engine takes a moment to end after the first one. It has begun once
# whoever started it waits for its end and takes signals: that one catches SIGHUP, the lowest bit, by then.
PATIENT = f"""\
exec {sys.executable} - <<'END'
import os, pathlib, re, signal, time
here, told = pathlib.Path(os.environ["HERE"]), []
signal.signal(signal.SIGINT, lambda *_: told.append("interrupted"))
command = pathlib.Path(f"/proc/{{os.getppid()}}/status")
while not int(re.search(r"SigCgt:\\s*(\\w+)", command.read_text())[1], 16) & 1:
    time.sleep(0.02)
(here / "begun").touch()
while not told:
    time.sleep(0.02)
enough = time.monotonic() + 0.3
while time.monotonic() < enough:
    time.sleep(0.02)
(here / "interrupts").write_text(" ".join([*told, "ended"]))
END"""

UPDATE = """\
import os, sys
from sandbox.engine import Engine
try:
    Engine(os.environ).up("pure")
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def update_argv(engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    engine(PATIENT)
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return [sys.executable, "-c", UPDATE]


def test_ctrl_c_at_a_terminal_interrupts_the_engine_once(update_argv: list[str], tmp_path: Path):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(update_argv[0], update_argv)
    await_file(tmp_path / "begun")
    os.write(terminal, b"\x03")
    status = os.waitpid(child, 0)[1]
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 130
    assert (tmp_path / "interrupts").read_text().split() == ["interrupted", "ended"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_to_the_command_alone_is_passed_on(
    number: signal.Signals, update_argv: list[str], tmp_path: Path
):
    command = subprocess.Popen(update_argv, start_new_session=True)
    try:
        await_file(tmp_path / "begun")
        command.send_signal(number)
        assert command.wait(DEADLINE_S) == 130
    finally:
        with contextlib.suppress(ProcessLookupError):  # the usual case: all of it has ended
            os.killpg(command.pid, signal.SIGKILL)
        command.wait()
    assert (tmp_path / "interrupts").read_text().split() == ["interrupted", "ended"]


def read(stream: str) -> Events:
    events = Events()
    for line in lines(stream):
        events.read(json.loads(line))
    return events


def lines(stream: str) -> list[str]:
    return (STREAMS / f"{stream}.jsonl").read_text().splitlines()


def await_file(path: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path.name}"
        time.sleep(0.01)
