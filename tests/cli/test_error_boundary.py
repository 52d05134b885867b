"""What a person sees of a fault, and what a script does: one message on stderr, and the exit code."""

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import cli.main
from components.spec import Problem, StackError
from components.traffic import TraceError
from sandbox.errors import SandboxError

ROOT = Path(__file__).parents[2]
PROBLEM = Problem("workloads[2].needs.memory", "2", "is no size", "write 2GiB")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(
            SandboxError("port 20003 is taken", "stop it", detail="by [somebody]"),
            "error: port 20003 is taken\n  remedy: stop it\nby [somebody]\n",
            id="of the sandbox",
        ),
        pytest.param(StackError((PROBLEM,)), "workloads[2].needs.memory", id="of a stack file"),
        pytest.param(
            TraceError("a.log: is empty", "name another", detail="  [nothing]"),
            "error: a.log: is empty\n  [nothing]\n  remedy: name another\n",
            id="of a request log",
        ),
    ],
)
def test_a_fault_that_a_person_can_mend(
    fault: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    code = ended(fault, monkeypatch)
    out, err = capsys.readouterr()

    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_ctrl_c_ends_as_a_shell_expects(monkeypatch: pytest.MonkeyPatch):
    assert ended(KeyboardInterrupt(), monkeypatch) == 128 + signal.SIGINT


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(ZeroDivisionError):
        ended(ZeroDivisionError(), monkeypatch)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["validate", "pure"], 0, id="well"),
        pytest.param(["--version"], 0, id="its version"),
        pytest.param(["validate", "no-such-stack"], 1, id="a stack file that does not exist"),
        pytest.param(["profile", "no-such-log"], 1, id="a log that does not exist"),
        pytest.param(["up", "no-such-stack"], 1, id="a stack that does not exist"),
        pytest.param(["sandbox", "logs"], 1, id="logs of no sandbox"),
        pytest.param(["sandbox", "env"], 1, id="environment of no sandbox"),
        pytest.param(["sandbox", "recover"], 1, id="nothing to recover in"),
        pytest.param(["sandbox", "status"], 1, id="status of no sandbox"),
        pytest.param(["--no-such-option"], 2, id="an unknown option"),
        pytest.param(["no-such-command"], 2, id="an unknown command"),
    ],
)
def test_exit_codes(
    arguments: list[str],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setenv("HALFMETAL_STATE_DIR", str(tmp_path / "never-up"))
    monkeypatch.setattr("sys.argv", ["halfmetal", *arguments])
    with pytest.raises(SystemExit) as ending:
        cli.main.main()

    assert ending.value.code == code
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "never-up").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param(">/dev/full", "error: the output could not be written: no space left", id="a full disk"),
        pytest.param(">&-", "error: standard output is closed", id="a closed output"),
        pytest.param(">&- 2>&-", "", id="nothing to write to"),
    ],
)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param("validate pure", 1, id="validate"),
        pytest.param("plan pure", 1, id="plan"),
        pytest.param("plan pure --json", 1, id="plan as JSON"),
        pytest.param("schema --stdout", 1, id="schema"),
        pytest.param("--version", 1, id="version"),
        pytest.param("audit tests/audit/mixed", 2, id="audit"),
        pytest.param("audit tests/audit/mixed --sarif -", 2, id="audit as SARIF"),
    ],
)
def test_an_output_that_takes_nothing(arguments: str, code: int, output: str, said: str):
    program = f"{sys.executable} -c 'from cli.main import main; main()' {arguments} {output}"
    done = subprocess.run(
        ["sh", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == (2 if said else 0)


def test_a_fault_of_a_file_is_told_by_whoever_wrote_it(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(OSError, match="No space left"):
        ended(OSError(errno.ENOSPC, "No space left on device", "a.json"), monkeypatch)


def ended(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> object:
    """The exit code of a command that ends with a fault."""

    def fail() -> None:
        raise fault

    monkeypatch.setattr(cli.main, "app", fail)
    with pytest.raises(SystemExit) as ending:
        cli.main.main()
    return ending.value.code
