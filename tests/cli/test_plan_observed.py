"""`halfmetal plan --observed` as it is read by people and by programs, and what it writes."""

import io
import json
import shutil
from functools import cache
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import cli.plan
import cli.plan.observed as shown
from components.observed import Judgement, Named, judge, measure, read
from components.spec import load_file
from components.traffic import TraceError
from sandbox.errors import SandboxError

ROOT = Path(__file__).resolve().parents[2]
OBSERVED = ROOT / "tests" / "observed"
STACK = OBSERVED / "Pulumi.observed.yaml"
ANSWERS = OBSERVED / "answers"
FILES = ("lambda-get-metric-data.json", "gpu.json", "gateway.json")
OPTIONS = [option for file in FILES for option in ("--observed", str(ANSWERS / file))]


def run(*arguments: str, given: bytes | None = None) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(cli.plan.plan)
    result = CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)
    return result.exit_code, result.output


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    return Path(shutil.copy(STACK, tmp_path / STACK.name))


def test_wrong_homes_are_no_failure(stack: Path):
    code, output = run(str(stack), *OPTIONS)
    assert code == 0
    rows = {line.split()[0]: line for line in output.splitlines() if line[:1].isalpha()}
    assert "stays" in rows["chat"]
    for said in (
        "index: belongs on pool cpu-a",
        "sustained-utilization  busy 100% of the day, it costs more on an on-demand function",
        "(sure): Invocations, 168 steps of 3600 s in 7 days",
        "serve.container: an image",
        "a month",
        "-        traffic: {rate: 0.2/s",
        "+        traffic: {rate: 30/s",
        f"would write {stack}",
    ):
        assert said in output
    assert stack.read_text() == STACK.read_text()


def test_a_second_run_finds_nothing_to_write(stack: Path):
    assert f"wrote {stack}" in run(str(stack), *OPTIONS, "--write")[1]
    once = stack.read_text()
    assert "rate: 30/s" in once
    assert f"{stack} says so already" in run(str(stack), *OPTIONS, "--write")[1]
    assert stack.read_text() == once
    assert [file.name for file in stack.parent.iterdir()] == [stack.name]


def test_a_file_that_may_not_be_written_is_left_whole(stack: Path, monkeypatch: pytest.MonkeyPatch):
    before = stack.read_text()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(SandboxError, match="cannot be written: No space left") as error:
        run(str(stack), *OPTIONS, "--write")
    assert "without --write" in error.value.remedy
    assert stack.read_text() == before
    assert [file.name for file in stack.parent.iterdir()] == [stack.name]


@cache
def judged() -> Judgement:
    known = load_file(STACK)
    return judge(known, measure(known, read([Named(str(ANSWERS / file)) for file in FILES])))


@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_a_terminal(width: int):
    judgement = judged()
    printed = io.StringIO()
    shown.print_judgement(Console(file=printed, width=width), judgement, judgement.findings)
    lines = printed.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    for name in ("chat", "embed", "index"):
        (row,) = [line for line in lines if line.startswith(f"{name} ")]
        assert row.count("$") + row.count(" -") >= 3


def test_for_programs(stack: Path):
    told = json.loads(run(str(stack), *OPTIONS, "--json")[1])
    by_name = {each["name"]: each for each in told["workloads"]}
    index = by_name["index"]
    assert (index["standing"], index["better"]) == (
        "moves",
        {"home": "pool", "pool": "cpu-a", "lacks": "serve.container"},
    )
    money = index["dollars_a_month"]
    assert money["saved"] == pytest.approx(money["today"] - money["there"])
    assert index["measured"]["traffic"]["rate"] == "30/s"
    assert (told["change"]["changed"], told["change"]["written"]) == (True, False)
    assert told["from"].startswith("2026-11-09T00:00")
    assert told["dollars_a_month_saved"] == pytest.approx(
        sum(each["dollars_a_month"]["saved"] or 0 for each in told["workloads"])
    )


def test_from_a_pipe_and_by_a_map(stack: Path):
    answer = (ANSWERS / "lambda-get-metric-statistics.json").read_bytes()
    output = run(
        str(stack),
        "--observed",
        "-",
        "--map",
        "ProvisionedConcurrencyUtilization=index",
        "--json",
        given=answer,
    )[1]
    told = json.loads(output[output.index("{") :])
    (index,) = [each for each in told["workloads"] if each["name"] == "index"]
    assert index["measured"]["traffic"]["utilization"] == "42%"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--write",), "need measurements", id="to write without measurements"),
        pytest.param(("--map", "a=b"), "need measurements", id="a map without measurements"),
        pytest.param((*OPTIONS, "--diff", "pure"), "--observed and --diff cannot", id="two stacks"),
        pytest.param((*OPTIONS, "--explain", "chat"), "--observed and --explain cannot", id="one workload"),
        pytest.param((*OPTIONS, "--html", "page.html"), "--observed and --html cannot", id="a page"),
        pytest.param((*OPTIONS, "--map", "embed"), "'embed' is not SERIES=WORKLOAD", id="half a map"),
        pytest.param(("--observed", "-", "--observed", "-"), "read once only", id="one input twice"),
    ],
)
def test_options_that_make_no_sense(arguments: tuple[str, ...], said: str):
    with pytest.raises(SandboxError, match=said) as error:
        run(str(STACK), *arguments)
    assert error.value.remedy


def test_a_file_that_is_none_ends_in_words():
    with pytest.raises(TraceError, match="does not exist"):
        run("hybrid", "--observed", "no-such-file.json")
