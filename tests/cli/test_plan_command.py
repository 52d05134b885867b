"""`halfmetal plan` as it is read by people and by programs."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cli.plan
from sandbox.errors import SandboxError


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(cli.plan.plan)
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    return result.exit_code, result.output


def test_a_line_for_each_workload_and_the_total():
    code, output = run("hybrid")
    assert code == 0
    rows = {line.split()[0]: line for line in output.splitlines() if line.strip()}
    assert {"chat", "embed", "index", "total"} <= rows.keys()
    assert "pool gpu-a/us-east-1a" in rows["chat"]
    assert "$" in rows["total"]


def test_nodes_by_zone():
    output = run("hybrid")[1]
    (nodes,) = [line for line in output.splitlines() if "m7g.large" in line]
    told = "us-east-1a cpu-a 2 m7g.large, on-demand 1 of 4 2 of 16 - $119.14 embed x2"
    assert " ".join(nodes.split()) == told


def test_what_has_no_price_is_not_passed_over():
    output = run("dedicated")[1]
    assert "not counted: what nodes cost that exist already, under chat, embed, index" in output
    assert "$0.00 + nodes" in output


def test_everything_of_one_workload():
    code, output = run("hybrid", "--explain", "chat")
    assert code == 0
    for said in (
        "pool: chosen",
        "function: not to be had",
        "accelerator-needs-metal: ",
        "state-locality: ",
        "1 g6.xlarge at $0.8048/h",
        "one request",
        "assumed",
    ):
        assert said in output


def test_a_workload_that_is_none():
    with pytest.raises(SandboxError, match="no workload is named 'nobody'") as error:
        run("hybrid", "--explain", "nobody")
    assert error.value.remedy == "name one of: chat, embed, index"


def test_against_another_stack():
    code, output = run("hybrid", "--diff", "pure")
    assert code == 0
    (embed,) = [line for line in output.splitlines() if line.startswith("embed")]
    assert "pool" in embed
    assert "function" in embed


def test_for_programs():
    told = json.loads(run("hybrid", "--json")[1])
    by_name = {each["name"]: each for each in told["workloads"]}
    assert told["dollars_a_month"] == pytest.approx(
        sum(home["dollars_a_month"] for each in told["workloads"] for home in each["homes"] if home["chosen"])
        + sum(line["dollars_a_month"] for line in told["standing"])
        + sum(idle["dollars_a_month"] for idle in told["idle"])
    )
    (chosen,) = [home for home in by_name["embed"]["homes"] if home["chosen"]]
    assert chosen["latency"]["p50"] <= chosen["latency"]["p95"] <= chosen["latency"]["p99"]
    assert chosen["latency"]["holds_budget"] is True
    within = [each["within"] for each in chosen["latency"]["quantiles"]]
    assert within == sorted(within)
    assert chosen["latency"]["p95"] in within
    (gpus,) = [each for each in told["fleet"] if each["pool"] == "gpu-a"]
    assert gpus["accelerators"] == {"unit": "devices", "has": 1, "claimed": 1, "share": 1}
    assert gpus["workloads"] == [{"name": "chat", "replicas": 1}]
    assert {verdict["answer"] for verdict in chosen["verdicts"]} == {"fits"}
    assert json.loads(run("hybrid", "--diff", "pure", "--json")[1]).keys() == {"here", "there"}
    assert json.loads(run("hybrid", "--explain", "embed", "--json")[1]) == by_name["embed"]


# -- as a page


def test_a_page(tmp_path: Path):
    file = tmp_path / "report.html"
    for _ in range(2):
        code, output = run("hybrid", "--html", str(file))
        assert (code, output) == (0, f"wrote {file}\n")
    assert list(tmp_path.iterdir()) == [file]
    text = file.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert run("hybrid", "--html", "-") == (0, text)


def test_a_link_stays_one(tmp_path: Path):
    link, file = tmp_path / "link.html", tmp_path / "file.html"
    link.symlink_to(file)
    run("pure", "--html", str(link))
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_page_beside_json(tmp_path: Path):
    app = typer.Typer()
    app.command()(cli.plan.plan)
    result = CliRunner().invoke(app, ["pure", "--html", str(tmp_path / "report.html"), "--json"])
    assert json.loads(result.stdout)["topology"] == "pure"
    assert result.stderr == f"wrote {tmp_path / 'report.html'}\n"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("missing/report.html", "there is no folder", id="no such folder"),
        pytest.param(".", "is a folder", id="a folder"),
        pytest.param("/dev/null", "is no ordinary file", id="a device"),
    ],
)
def test_a_place_where_no_page_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, said: str
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SandboxError, match=said) as error:
        run("pure", "--html", target)
    assert error.value.remedy
    assert not list(tmp_path.iterdir())


def test_a_place_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cli.targets.write_atomically", refuse)
    with pytest.raises(SandboxError, match=r"report\.html cannot be written: Permission denied"):
        run("pure", "--html", str(tmp_path / "report.html"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--explain", "embed"], "--html and --explain cannot go together", id="one workload"),
        pytest.param(["--diff", "pure"], "--html and --diff cannot go together", id="two plans"),
        pytest.param(["--json"], "--html - and --json both want standard output", id="twice to one place"),
    ],
)
def test_what_a_page_does_not_go_with(arguments: list[str], said: str):
    with pytest.raises(SandboxError, match=said):
        run("hybrid", "--html", "-", *arguments)
