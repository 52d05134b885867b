"""`halfmetal profile` as it is typed: what it prints, writes and refuses."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.main import app
from cli.profile import LogFormat
from components.spec import Problem, StackError, load_file
from components.traffic import KINDS, TraceError
from sandbox.errors import SandboxError
from sandbox.paths import REPO

HYBRID = REPO / "stacks" / "Pulumi.hybrid.yaml"

Run = Callable[..., Result]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Ten a second, a hundredth of a second of work each."""
    file = tmp_path / "requests.csv"
    lines = [f"2026-11-25T12:{at // 600:02d}:{at // 10 % 60:02d}.{at % 10}01Z,10" for at in range(3000)]
    file.write_text("\n".join(["time,duration_ms", *lines]) + "\n")
    return file


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    return Path(shutil.copy(HYBRID, tmp_path))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["profile", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def traffic_of(stack: Path, name: str) -> dict[str, Any]:
    workloads = yaml.safe_load(stack.read_text())["config"]["halfmetal:stack"]["workloads"]
    found: dict[str, Any] = next(each["traffic"] for each in workloads if each["name"] == name)
    return found


def problems(result: Result) -> list[Problem]:
    assert isinstance(result.exception, StackError)
    return list(result.exception.problems)


def test_a_table_and_a_block_to_paste(trace: Path):
    result = run(trace)
    assert result.exit_code == 0
    table, _, block = result.stdout.partition("\ntraffic:")
    for said in (
        "3,000 requests in 5 minutes",
        "burstiness",
        "cv² of 2,999 gaps",
        "how sure",
        "less than a day",
    ):
        assert said in table
    assert yaml.safe_load("traffic:" + block)["traffic"] == {
        "rate": "10/s", "peak": "10/s", "utilization": "10%", "service_time": "10ms",
        "burstiness": 0, "service_variation": 0,
    }  # fmt: skip


def test_tokens_are_in_the_table(tmp_path: Path):
    file = tmp_path / "tokens.csv"
    file.write_text("TIMESTAMP,GeneratedTokens\n2026-11-25 12:00:00.5,10\n2026-11-25 12:00:02.1,30\n")
    assert "generated tokens" in run(file).stdout


def test_json(trace: Path):
    found = told(trace, "--replicas", 2)
    assert found["traffic"]["utilization"] == "5%"
    assert found["format"] == "csv"
    assert {each["name"] for each in found["measurements"]} >= {"rate", "peak", "burstiness", "daily shape"}


def test_into_a_stack_file(trace: Path, stack: Path):
    before = stack.read_text()
    result = run(trace, "--into", stack, "--workload", "embed")
    assert result.exit_code == 0
    assert "-        traffic: {rate: 20/s, peak: 60/s, utilization: 35%, service_time: 25ms}" in result.stdout
    assert f"wrote {stack}" in result.stdout
    changed = [
        (old, new)
        for old, new in zip(before.splitlines(), stack.read_text().splitlines(), strict=True)
        if old != new
    ]
    assert len(changed) == 1
    assert traffic_of(stack, "embed")["burstiness"] == 0
    load_file(stack)


def test_a_second_run_changes_nothing(trace: Path, stack: Path):
    run(trace, "--into", stack, "--workload", "embed")
    once = stack.read_bytes()
    again = run(trace, "--into", stack, "--workload", "embed")
    assert "says so already" in again.stdout
    assert stack.read_bytes() == once
    assert told(trace, "--into", stack, "--workload", "embed")["into"]["changed"] is False


def test_a_dry_run_writes_nothing(trace: Path, stack: Path):
    found = told(trace, "--into", stack, "--workload", "embed", "--dry-run")["into"]
    assert (found["changed"], found["written"]) == (True, False)
    assert stack.read_bytes() == HYBRID.read_bytes()


def test_what_the_stack_file_knows_stands_in(tmp_path: Path, stack: Path):
    """Replicas, concurrency and service time of the workload, where neither the log nor the caller say."""
    file = tmp_path / "times.csv"
    file.write_text("time\n" + "".join(f"{1_795_608_000 + at / 10:.3f}\n" for at in range(1001)))
    found = told(file, "--into", stack, "--workload", "embed", "--dry-run")
    # 10 a second of 25 ms, on two replicas of eight.
    assert found["traffic"]["utilization"] == "1.56%"


def test_an_overload_takes_the_old_utilization_out(trace: Path, stack: Path):
    before = traffic_of(stack, "embed")
    run(
        trace,
        "--into",
        stack,
        "--workload",
        "embed",
        "--service-time",
        "250ms",
        "--replicas",
        1,
        "--concurrency",
        1,
    )
    after = traffic_of(stack, "embed")
    assert "utilization" in before
    assert "utilization" not in after


def test_what_would_not_be_valid_is_not_written(trace: Path, stack: Path):
    result = run(trace, "--into", stack, "--workload", "embed", "--service-time", "400ms", "--replicas", 99)
    [problem] = problems(result)
    assert problem.path == "workloads[0].latency.p99"
    assert "nothing was written" in problem.message
    assert stack.read_bytes() == HYBRID.read_bytes()


def test_a_file_that_may_not_be_written(trace: Path, stack: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cli.changes.write_atomically", refuse)
    result = run(trace, "--into", stack, "--workload", "embed")
    assert isinstance(result.exception, SandboxError)
    assert "cannot be written: Permission denied" in str(result.exception)
    assert stack.read_bytes() == HYBRID.read_bytes()


def test_a_write_that_fails_leaves_nothing_behind(trace: Path, stack: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = sorted(stack.parent.iterdir())
    monkeypatch.setattr("os.fchmod", full)
    result = run(trace, "--into", stack, "--workload", "embed")
    assert "No space left" in str(result.exception)
    assert sorted(stack.parent.iterdir()) == before
    assert stack.read_bytes() == HYBRID.read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("embd", "did you mean embed?", id="misspelt"),
        pytest.param("x", "choose from", id="unknown"),
    ],
)
def test_a_workload_that_is_not_there(name: str, said: str, trace: Path, stack: Path):
    [problem] = problems(run(trace, "--into", stack, "--workload", name))
    assert said in problem.remedy
    assert problem.location.startswith(str(stack))


def test_a_block_that_cannot_be_edited_is_shown(trace: Path, stack: Path):
    text = stack.read_text()
    block = "{rate: 20/s, peak: 60/s, utilization: 35%, service_time: 25ms}"
    text = text.replace(block, f"&t {block}").replace(
        "{rate: 2/s, peak: 6/s, utilization: 55%, service_time: 250ms}", "*t"
    )
    stack.write_text(text)
    [problem] = problems(run(trace, "--into", stack, "--workload", "embed"))
    assert "cannot be edited in place" in problem.message
    assert "rate: 10/s" in problem.remedy
    assert stack.read_text() == text


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--into", "hybrid"], id="into without workload"),
        pytest.param(["--service-time", "25"], id="a service time without unit"),
        pytest.param(["--service-time", "0s"], id="no service time"),
        pytest.param(["--zone", "Mars"], id="no zone"),
        pytest.param(["--replicas", "0"], id="no replica"),
        pytest.param(["--format", "parquet"], id="an unknown format"),
    ],
)
def test_misuse_is_told_as_such(arguments: list[str], trace: Path):
    assert run(trace, *arguments).exit_code == 2


@pytest.mark.parametrize("name", ["missing.log", "x" * 5000, "."])
def test_a_trace_that_cannot_be_read(name: str, tmp_path: Path):
    assert isinstance(run(f"{tmp_path}/{name}").exception, TraceError)


def test_every_format_may_be_named():
    assert {str(each) for each in LogFormat} == set(KINDS)
