"""`halfmetal replay` as it is typed: the table, the choice in a line, JSON, and what is no log to play."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli.main import app
from components.spec import StackError, load_file
from components.traffic import TraceError
from sandbox.errors import SandboxError
from sandbox.paths import REPO

EXAMPLE = REPO / "examples" / "replay" / "Pulumi.replay.yaml"
BEGIN = 1_795_608_000


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["replay", *map(str, arguments)])


def told(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def written(folder: Path, *, durations: bool = False) -> Path:
    """Two hundred seconds of requests by chance, two a second, of half a second each."""
    chance, at = random.Random(4), float(BEGIN)
    lines = ["time" + ",latency_ms" * durations]
    for _ in range(400):
        at += chance.expovariate(2)
        lines.append(f"{at:.6f}" + ",500" * durations)
    file = folder / "requests.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return Path(shutil.copy(EXAMPLE, tmp_path))


def change(stack: Path, **workload: object) -> None:
    raw = yaml.safe_load(stack.read_text())
    raw["config"]["halfmetal:stack"]["workloads"][0].update(workload)
    stack.write_text(yaml.safe_dump(raw))


def test_side_by_side(trace: Path):
    result = run(trace, EXAMPLE, "--workload", "complete")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("400 requests for complete in 3.")
    assert "4s for 99 of 100" in lines[0]
    rows = {line[:20].strip(): line for line in lines[2:7]}
    assert list(rows) == [
        "pure, on demand", "pure, held warm", "hybrid", "hybrid with a twin", "dedicated",
    ]  # fmt: skip
    (chosen,) = [name for name, line in rows.items() if line.rstrip().endswith("chosen")]
    (said,) = [line for line in lines if line.startswith("chosen: ")]
    assert said.startswith(f"chosen: {chosen}, ")
    assert "is the least that holds 4s" in said
    for note in (
        "over and over, nights as busy as that",
        "500ms of work on average",
        "times of front door",
        "the slowest one in a hundred: that is 4 of them",
    ):
        assert note in result.stdout


def test_for_programs(trace: Path):
    found = told(trace, EXAMPLE, "--workload", "complete", "--budget", "3s")
    assert found["budget_ms"] == 3000
    assert found["requests"] == 400
    able = [row for row in found["rows"] if row["why_not"] is None]
    cheapest = min(able, key=lambda row: row["dollars_a_month"])
    assert found["choice"] == cheapest["way"]
    assert cheapest["verdict"] == "chosen"
    for row in found["rows"]:
        assert row["holds_budget"]
        assert row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= 3000
        assert row["over_budget"] <= 0.01
        assert row["dollars_a_month"] == pytest.approx(sum(line["dollars_a_month"] for line in row["bill"]))
    assert found["twin"]["anchor"]["less_cost_up_to"] == 0.33
    assert found == told(trace, EXAMPLE, "--workload", "complete", "--budget", "3s")


def test_every_size_may_be_played(trace: Path):
    given = (trace, EXAMPLE, "--workload", "complete", "--exhaustive")
    proof = told(*given)["exhaustive"]
    assert proof["not_the_cheapest"] == []
    assert f"checked: of all {proof['sizes_played']} sizes, each played, none" in run(*given).stdout


def test_the_logs_own_durations_are_played(tmp_path: Path):
    """All of the same length, so that nobody who does not wait takes longer than that and the way there."""
    found = told(written(tmp_path, durations=True), EXAMPLE, "--workload", "complete")
    assert any("each as the log has it" in note for note in found["notes"])
    assert found["traffic"]["service_time"] == "500ms"
    assert found["rows"][0]["p50_ms"] == pytest.approx(520, abs=20)
    given = told(
        written(tmp_path, durations=True), EXAMPLE, "--workload", "complete", "--service-time", "50ms"
    )
    assert any("as given" in note for note in given["notes"])
    assert given["rows"][0]["p50_ms"] < 100


def test_work_that_grows_with_something(tmp_path: Path):
    """Every tenth request makes nineteen tokens and all others one."""
    file = tmp_path / "tokens.csv"
    rows = (f"{BEGIN + at}.5,{19 if at % 10 == 0 else 1}" for at in range(400))
    file.write_text("\n".join(["time,GeneratedTokens", *rows]) + "\n")
    given = (file, EXAMPLE, "--workload", "complete", "--service-time", "280ms", "--work-by")
    found = told(*given, "generated_tokens")
    assert any("280ms of work on average (as given, in proportion to its generated_tokens" in note
               for note in found["notes"])  # fmt: skip
    assert found["rows"][0]["p50_ms"] == pytest.approx(100 + 20, abs=20)
    assert found["rows"][0]["p99_ms"] > 1900
    misspelt = run(*given, "tokens")
    assert misspelt.exit_code == 2
    assert "generated_tokens" in misspelt.stderr


def test_none_that_holds(trace: Path):
    result = run(trace, EXAMPLE, "--workload", "complete", "--budget", "30ms")
    assert result.exit_code == 0
    assert "none holds 30ms for 99 of 100 requests" in result.stdout
    assert "the way there and the work alone are too long" in result.stdout
    assert told(trace, EXAMPLE, "--workload", "complete", "--budget", "30ms")["choice"] is None


@pytest.mark.parametrize(
    ("stack", "workload", "missing", "there"),
    [
        pytest.param("pure", "embed", "no `serve.container`", "pure, on demand", id="no nodes"),
        pytest.param(
            "dedicated",
            "embed",
            "what they cost is not known",
            None,
            id="nodes without a price",
        ),
        pytest.param("hybrid", "chat", "no `serve.function`", "hybrid", id="no function"),
    ],
)
def test_a_row_that_cannot_be_says_so(
    stack: str, workload: str, missing: str, there: str | None, trace: Path
):
    found = told(trace, stack, "--workload", workload, "--budget", "1m")
    rows = {row["way"]: row for row in found["rows"]}
    assert any(missing in (row["why_not"] or "") for row in rows.values())
    if there is not None:
        assert rows[there]["holds_budget"]
    shown = run(trace, stack, "--workload", workload, "--budget", "1m")
    assert "not possible" in shown.stdout
    assert ("none can be played" in shown.stdout) == (there is None)
    assert shown.exit_code == 0


def test_more_copies_than_may_run_are_named(trace: Path, example: Path):
    serve = yaml.safe_load(example.read_text())["config"]["halfmetal:stack"]["workloads"][0]["serve"]
    change(example, serve={**serve, "function": {**serve["function"], "reserved_concurrency": 1}})
    assert "reserved_concurrency lets 1" in run(trace, example, "--workload", "complete").stdout


@pytest.mark.parametrize(
    ("change_to", "arguments", "said"),
    [
        pytest.param({"latency": {}}, (), "has no latency.p99", id="no budget"),
        pytest.param({"traffic": {}}, (), "neither the log nor complete", id="no service time"),
        pytest.param({}, ("--budget", "0s"), "is zero", id="a budget of nothing"),
        pytest.param({}, ("--budget", "300"), "its unit is missing", id="a budget without unit"),
        pytest.param({}, ("--service-time", "NaN"), "", id="a service time that is none"),
        pytest.param({}, ("--zone", "Mars"), "is no zone", id="no zone"),
    ],
)
def test_misuse_is_told_as_such(
    change_to: dict[str, Any], arguments: tuple[str, ...], said: str, trace: Path, example: Path
):
    change(example, **change_to)
    result = run(trace, example, "--workload", "complete", *arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_a_workload_that_is_not_there(trace: Path):
    result = run(trace, "hybrid", "--workload", "chta")
    assert isinstance(result.exception, StackError)
    assert "did you mean chat?" in str(result.exception)


def test_a_stack_that_is_not_there(trace: Path):
    assert isinstance(run(trace, "nowhere", "--workload", "a").exception, SandboxError | StackError)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("time\n", "is of no known format", id="a heading alone"),
        pytest.param(f"time\n{BEGIN}.5\n", "a rate takes two", id="one request"),
        pytest.param(f"time\n{BEGIN}.5\n{BEGIN}.5\n", "same time", id="all at once"),
        pytest.param(
            '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": ['
            + ", ".join(f'[{BEGIN + 60 * at}, "5"]' for at in range(9))
            + "]}]}}",
            "do not say when in a step",
            id="counts",
        ),
        pytest.param(
            f"time,latency_ms\n{BEGIN}.5,0\n{BEGIN + 1}.5,0\n", "traffic.service_time", id="no work at all"
        ),
    ],
)
def test_what_is_no_log_to_play(content: str, said: str, tmp_path: Path):
    file = tmp_path / "trace.log"
    file.write_text(content)
    result = run(file, EXAMPLE, "--workload", "complete")
    assert isinstance(result.exception, TraceError)
    assert said in str(result.exception)
    assert "remedy" in str(result.exception)


def test_too_many_requests_are_told(trace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cli.replay.question.REQUESTS_AT_MOST", 100)
    result = run(trace, EXAMPLE, "--workload", "complete")
    assert "400 requests are more than are played, 100" in str(result.exception)


def test_progress_of_a_long_one_is_on_standard_error(trace: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cli.replay.command._LARGE", 10)
    result = run(trace, EXAMPLE, "--workload", "complete", "--json")
    assert "play the log: done" in result.stderr
    json.loads(result.stdout)


# -- into the stack file


def stack_of(stack: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(stack.read_text())["config"]["halfmetal:stack"]
    return found


def crowds(folder: Path) -> Path:
    """Eight a second by chance, and twice as many for ten seconds of each minute."""
    chance, at = random.Random(4), 0.0
    times = []
    while at < 180:
        at += chance.expovariate(16 if at % 60 < 10 else 8)
        times.append(f"{BEGIN + at:.6f}")
    file = folder / "crowds.csv"
    file.write_text("\n".join(["time", *times]) + "\n")
    return file


def test_the_choice_is_written(tmp_path: Path, example: Path):
    before = example.read_text()
    given = (crowds(tmp_path), example, "--workload", "complete", "--budget", "4s")
    shown = run(*given, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert f"would write {example}" in shown.stdout
    assert example.read_text() == before
    found = told(*given, "--write")
    assert found["choice"] == "hybrid with a twin"
    (chosen,) = [row for row in found["rows"] if row["verdict"] == "chosen"]
    assert stack_of(example)["workloads"][0]["placement"] == {
        "max_concurrency": 1,
        "home": "pool",
        "pool": "cpu",
        "replicas": chosen["size"]["count"],
        "twin": {"queue": chosen["size"]["queue"]},
    }
    assert found["into"]["written"]
    assert load_file(example).workloads[0].placement.home == "pool"
    assert example.read_text().count("#") == before.count("#")


def test_a_second_run_writes_nothing(tmp_path: Path, example: Path):
    given = (crowds(tmp_path), example, "--workload", "complete", "--budget", "4s", "--write")
    run(*given)
    once = example.read_bytes()
    again = run(*given)
    assert f"{example} says so already" in again.stdout
    assert example.read_bytes() == once


def test_the_topology_is_told_and_not_written(trace: Path, example: Path):
    found = told(trace, example, "--workload", "complete", "--write")
    assert found["choice"] == "pure, on demand"
    assert stack_of(example)["topology"] == "hybrid"
    assert stack_of(example)["workloads"][0]["placement"] == {"home": "function"}
    (said,) = found["not_written"]
    assert said == "topology stays hybrid: what is chosen was played, and priced, as pure"
    assert said in run(trace, example, "--workload", "complete", "--dry-run").stdout


def test_what_is_left_over_of_another_choice_goes(trace: Path, example: Path):
    change(example, placement={"home": "pool", "pool": "cpu", "replicas": 3, "twin": {"queue": 2}})
    told(trace, example, "--workload", "complete", "--write")
    assert stack_of(example)["workloads"][0]["placement"] == {"home": "function"}


def test_nodes_enough_for_the_choice(tmp_path: Path, example: Path):
    raw = yaml.safe_load(example.read_text())
    stack = raw["config"]["halfmetal:stack"]
    stack["data_plane"]["pools"][0]["nodes"] = {"min": 1, "desired": 1, "max": 1}
    del stack["workloads"][0]["serve"]["function"]
    example.write_text(yaml.safe_dump(raw))
    found = told(crowds(tmp_path), example, "--workload", "complete", "--write", "--budget", "4s")
    (chosen,) = [row for row in found["rows"] if row["verdict"] == "chosen"]
    nodes = -(-chosen["size"]["count"] // 2)
    assert nodes > 1
    assert stack_of(example)["data_plane"]["pools"][0]["nodes"] == {"min": 1, "desired": nodes, "max": nodes}


def test_nothing_that_holds_is_nothing_to_write(trace: Path, example: Path):
    result = run(trace, example, "--workload", "complete", "--budget", "30ms", "--write")
    assert isinstance(result.exception, SandboxError)
    assert "nothing to write" in str(result.exception)
    assert "none holds 30ms" in result.stdout
    assert example.read_bytes() == EXAMPLE.read_bytes()
