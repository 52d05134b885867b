"""`halfmetal audit` as it is called: what it takes, what it writes, and how it ends."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import cli.audit

MIXED = Path(__file__).parent.parent / "audit" / "mixed"
EMPTY = '{"version": 3, "deployment": {"resources": []}}'
REFUSED = json.dumps(
    {
        "version": 3,
        "deployment": {
            "resources": [
                {
                    "urn": "urn:pulumi:prod::shop::aws:lambda/function:Function::embed",
                    "type": "aws:lambda/function:Function",
                    "custom": True,
                    "inputs": {"name": "embed", "timeout": 30},
                }
            ]
        },
    }
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with a state that breaks a rule and one that has nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state.json").write_text(REFUSED, encoding="utf-8")
    (tmp_path / "empty.json").write_text(EMPTY, encoding="utf-8")
    return tmp_path


def run(*arguments: str, given: str = "") -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(cli.audit.audit)
    result = CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["state.json"], 1, id="a breach"),
        pytest.param(["empty.json"], 0, id="nothing"),
        pytest.param(["state.json", "--fail-on", "critical"], 0, id="a breach that does too little harm"),
        pytest.param(["state.json", "--fail-on", "never"], 0, id="a breach, and none counts"),
        pytest.param(["state.json", "empty.json"], 1, id="several sources"),
        pytest.param([str(MIXED / "chart.yaml"), "empty.json"], 2, id="a source that is not readable"),
        pytest.param([str(MIXED / "chart.yaml"), "--allow-unread"], 0, id="one that need not be"),
    ],
)
def test_how_it_ends(arguments: list[str], code: int):
    assert run(*arguments)[0] == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["missing.json"], "missing.json", id="a source that is not there"),
        pytest.param(["state.json", "--stack", "none"], "Pulumi.none.yaml", id="a stack that is not there"),
        pytest.param(["state.json", "--baseline", "none.json"], "No such file", id="no such baseline"),
        pytest.param(["state.json", "--baseline", "state.json"], "is no baseline", id="no baseline"),
        pytest.param(["state.json", "--baseline", "."], "Is a directory", id="a folder as baseline"),
        pytest.param(
            ["-", "--baseline", "-"], "both want standard input", id="a baseline and a source of one pipe"
        ),
        pytest.param(["state.json", "--today", "soon"], "is no day", id="no day"),
        pytest.param(["state.json", "--max-file-size", "much"], "--max-file-size: ", id="no size"),
        pytest.param(["state.json", "--max-file-size", "100B"], "raise --max-file-size", id="a large file"),
        pytest.param(["state.json", "--write-baseline", "."], "is a folder", id="a folder to write"),
        pytest.param(
            ["state.json", "--write-baseline", "no/b.json"], "mkdir -p", id="a folder that is not there"
        ),
        pytest.param(
            ["state.json", "--sarif", "report", "--html", "./report"],
            "--sarif and --html name the same file",
            id="two for one file",
        ),
        pytest.param(
            ["state.json", "--json", "--write-baseline", "-"],
            "--json and --write-baseline all want standard output",
            id="two for standard output",
        ),
    ],
)
def test_a_mistake_ends_in_2_with_its_remedy(arguments: list[str], said: str):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "remedy: " in err


def test_nothing_is_written_where_anything_is_wrong(here: Path):
    run("missing.json", "--write-baseline", "baseline.json")
    assert not (here / "baseline.json").exists()


def test_a_table_by_default():
    _, out, err = run("state.json")
    assert "runaway-function  high, mandatory" in out
    assert "state.json:1" in out
    assert out.count("remedy: ") == 1
    assert out.splitlines()[-1] == "1 counts: refused by a mandatory rule of severity high or above"
    assert err == ""


def test_json():
    code, out, _ = run("state.json", "--json", "--today", "2026-11-25")
    told = json.loads(out)
    assert told["exit_code"] == code == 1
    assert told["today"] == "2026-11-25"
    assert told["summary"]["refused"] == told["summary"]["counting"] == 1
    (finding,) = told["findings"]
    assert finding["location"]["file"] == "state.json"


def test_a_fix_plan():
    code, out, _ = run("state.json", "--fix-plan")
    assert code == 1
    assert "reservedConcurrentExecutions: not set → 20" in out
    assert "1 finding to clear, at prices of us-east-1: costs nothing" in out

    told = json.loads(run("state.json", "--fix-plan", "--json", "--region", "eu-central-1")[1])["fix_plan"]
    assert told["region"] == "eu-central-1"
    (step,) = told["steps"]
    assert step["changes"][0]["safe"] is True
    assert json.loads(run("state.json", "--json")[1])["fix_plan"] is None


@pytest.mark.parametrize("region", ["mars-1", "", "us-east-1a", "any", "US-EAST-1"])
def test_a_region_that_no_price_is_known_in(region: str):
    code, out, err = run("state.json", "--fix-plan", "--region", region)
    assert (code, out) == (2, "")
    assert f"error: --region: the catalog has no price in {region!r}" in err
    assert "remedy: name one that it has: " in err
    assert "us-east-1" in err


def test_only_what_is_new_counts(here: Path):
    code, _, err = run("state.json", "--write-baseline", "baseline.json")
    assert code == 1
    assert f"wrote {here.resolve() / 'baseline.json'}" in err

    code, out, _ = run("state.json", "--baseline", "baseline.json")
    assert code == 0
    assert "nothing new" in out
    assert "1 finding known before, 0 gone since" in out

    code, out, _ = run("empty.json", "--baseline", "baseline.json")
    assert code == 0
    assert "0 findings known before, 1 gone since" in out
    assert "gone since the baseline\n  runaway-function" in out


def test_a_resource_of_a_known_name_in_another_file_is_new_while_the_first_file_is_there(here: Path):
    function = "Resources: {F: {Type: AWS::Lambda::Function, Properties: {FunctionName: f}}}"
    bucket = "Resources: {B: {Type: AWS::S3::Bucket}}"
    (here / "a.yaml").write_text(function, encoding="utf-8")
    run("a.yaml", "--write-baseline", "baseline.json")

    (here / "a.yaml").write_text(bucket, encoding="utf-8")
    (here / "b.yaml").write_text(function, encoding="utf-8")
    code, out, _ = run("a.yaml", "b.yaml", "--baseline", "baseline.json")
    assert (code, "0 findings known before, 1 gone since" in out) == (1, True)

    code, out, _ = run("b.yaml", "--baseline", "baseline.json")
    assert (code, "1 finding known before, 0 gone since" in out) == (0, True)


def test_a_baseline_goes_through_a_pipe():
    code, written, table = run("state.json", "--write-baseline", "-")
    assert code == 1
    assert "runaway-function  high, mandatory" in table

    code, out, err = run("state.json", "--baseline", "-", given=written)
    assert (code, err) == (0, "")
    assert "1 finding known before, 0 gone since" in out

    code, out, err = run("state.json", "--baseline", "-", given="no baseline")
    assert (code, out) == (2, "")
    assert "(standard input)" in err


def test_a_baseline_is_kept_as_it_was_until_it_is_written_whole(here: Path, monkeypatch: pytest.MonkeyPatch):
    run("state.json", "--write-baseline", "baseline.json")
    before = (here / "baseline.json").read_text()

    def interrupted(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("policies.audit.baseline.json.dumps", interrupted)
    assert run("empty.json", "--write-baseline", "baseline.json")[0] == 130
    assert (here / "baseline.json").read_text() == before
    assert {each.name for each in here.iterdir()} == {"state.json", "empty.json", "baseline.json"}


def test_a_stacks_rules_and_waivers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(MIXED)
    arguments = ("workloads.yaml", "--stack", "./Pulumi.mixed.yaml", "--json", "--today")
    on_the_day = json.loads(run(*arguments, "2027-01-31")[1])
    a_day_later = json.loads(run(*arguments, "2027-02-01")[1])

    def status(told: dict[str, list[dict[str, str]]]) -> list[str]:
        return [each["status"] for each in told["findings"] if each["rule"] == "state-locality"]

    assert (status(on_the_day), status(a_day_later)) == (["waived"], ["refused"])
    assert [each["use"] for each in a_day_later["waivers"]] == ["expired", "expired", "unused"]


def test_names_from_a_source_do_nothing_to_a_terminal(here: Path):
    hostile = "\x1b[31m\u202e\x07\r\n[bold]<script>|"
    state = json.loads(REFUSED)
    state["deployment"]["resources"][0]["urn"] += hostile
    (here / "state.json").write_text(json.dumps(state), encoding="utf-8")
    _, out, _ = run("state.json")
    assert r"\x1b[31m\u202e\x07\r\n[bold]<script>|" in "".join(out.split())
    assert all(each.isprintable() or each == "\n" for each in out)
    _, out, _ = run("state.json", "--json")
    assert out.isascii()
    assert json.loads(out)["findings"][0]["resource"]["name"].endswith(hostile)


def test_several_reports_at_once(here: Path):
    _, out, err = run(
        *("state.json", "--sarif", "a.sarif", "--junit", "a.xml", "--markdown", "a.md", "--html", "a.html")
    )
    assert "runaway-function  high, mandatory" in out
    assert json.loads((here / "a.sarif").read_text())["version"] == "2.1.0"
    for name, begins in (("a.xml", "<?xml "), ("a.md", "<!-- halfmetal-audit -->"), ("a.html", "<!doctype")):
        assert (here / name).read_text().startswith(begins)
        assert f"wrote {here.resolve() / name}" in err


@pytest.mark.parametrize("option", ["--sarif", "--junit", "--markdown", "--html", "--write-baseline"])
def test_one_report_to_standard_output_and_nothing_else(option: str, here: Path):
    _, out, err = run("state.json", option, "-")
    assert ("runaway-function" in err) is (option == "--write-baseline")  # which nobody reads
    run("state.json", option, "file")
    assert out == (here / "file").read_text()


SECRET = "hunter2-never-to-be-seen"
SECRETS = {
    "pulumi.json": json.dumps(
        {
            "version": 3,
            "deployment": {
                "resources": [
                    {
                        "urn": "urn:pulumi:prod::shop::aws:lambda/function:Function::embed",
                        "type": "aws:lambda/function:Function",
                        "custom": True,
                        "inputs": {
                            "name": "embed",
                            "timeout": 7200,
                            "environment": {
                                "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
                                "plaintext": SECRET,
                            },
                        },
                    }
                ]
            },
        }
    ),
    "terraform.tfstate": json.dumps(
        {
            "version": 4,
            "terraform_version": "1.9.0",
            "resources": [
                {
                    "mode": "managed",
                    "type": "aws_lambda_function",
                    "name": "embed",
                    "instances": [
                        {
                            "attributes": {"function_name": SECRET, "timeout": 7200, "memory_size": 20480},
                            "sensitive_attributes": [[{"type": "get_attr", "value": "function_name"}]],
                        }
                    ],
                }
            ],
        }
    ),
    "secret.yaml": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: store}\n"
        f"stringData: {{token: {SECRET}}}\ndata: {{again: {SECRET}}}\n"
    ),
}


def test_no_secret_is_in_any_report(here: Path):
    for name, text in SECRETS.items():
        (here / name).write_text(text, encoding="utf-8")
    reports = ("--sarif", "--junit", "--markdown", "--html", "--write-baseline")
    targets = [part for option in reports for part in (option, f"report{option}")]
    told = "".join(run(*SECRETS, "--fix-plan", *targets)[1:])
    told += run(*SECRETS, "--fix-plan", "--json")[1]
    told += "".join((here / f"report{option}").read_text() for option in reports)
    assert told.count("runaway-function") > len(reports)
    assert SECRET not in told


@pytest.mark.slow
def test_ctrl_c_ends_a_run_and_leaves_nothing(here: Path):
    command = "from cli.main import main; main()"
    arguments = ["audit", "-", "--html", "report.html"]
    with (here / "said").open("w+", encoding="utf-8") as told:
        running = subprocess.Popen(
            [sys.executable, "-c", command, *arguments],
            cwd=here,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
            stdin=subprocess.PIPE,
            stderr=told,
        )
        assert running.stdin is not None
        # More than any pipe holds: once it is written, the command is reading, and waits for the end.
        running.stdin.write(b" " * 2**23)
        running.stdin.flush()
        for _ in range(60):
            running.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):  # it comes to nothing between two reads
                running.wait(1)
                break
        running.kill()
        running.stdin.close()
        told.seek(0)
        said = told.read()
    assert running.returncode == 130
    assert "Traceback" not in said
    assert {each.name for each in here.iterdir()} == {"state.json", "empty.json", "said"}
