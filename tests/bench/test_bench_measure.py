"""What the benchmarks say of runs whose cost is known."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import measure
from bench.measure import BenchError, Cost, run, turn_about


@dataclass(frozen=True)
class Case:
    """Wall-clock seconds of baseline and subject, round by round, and what is to be said of the subject."""

    baseline: Sequence[float]
    subject: Sequence[float]
    median: float
    ratio: float


CASES = [
    pytest.param(Case([1, 1, 1], [3, 3, 3], median=3, ratio=3), id="an idle machine"),
    pytest.param(Case([1, 4, 1], [3, 12, 3], median=3, ratio=3), id="a busy minute slows both"),
    pytest.param(Case([1, 1, 1], [3, 30, 3], median=3, ratio=3), id="one stray round"),
    pytest.param(Case([1, 2, 4], [2, 4, 8], median=4, ratio=2), id="a machine that gets busier"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_subject_is_compared_within_its_round(case: Case):
    baseline, subject = turn_about(
        {"empty": _costing(case.baseline), "stack": _costing(case.subject)}, len(case.subject)
    )

    assert (baseline.wall_ratio, baseline.cpu_ratio) == (1, 1)
    assert (subject.name, subject.wall, subject.wall_ratio) == ("stack", case.median, case.ratio)
    assert subject.cpu_ratio == case.ratio


def test_rounds_take_turns(capsys: pytest.CaptureFixture[str]):
    turn_about({"a": lambda: Cost(1, 1), "b": lambda: Cost(1, 1)}, 2)

    told = capsys.readouterr().err.splitlines()
    assert told == ["round 1 of 2: a", "round 1 of 2: b", "round 2 of 2: a", "round 2 of 2: b"]


def test_cpu_of_a_command_is_counted(tmp_path: Path):
    busy = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass"

    assert run([sys.executable, "-c", busy], cwd=tmp_path, env={}).cpu >= 0.2


def test_a_command_that_fails_is_told_with_the_end_of_its_output(tmp_path: Path):
    with pytest.raises(BenchError, match=r"status 3:\nit is not deployed"):
        run([sys.executable, "-c", "print('it is not deployed'); exit(3)"], cwd=tmp_path, env={})


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measure, "TIMEOUT_S", 0.2)

    with pytest.raises(BenchError, match="did not end within"):
        run([sys.executable, "-c", "import signal; signal.pause()"], cwd=tmp_path, env={})


def _costing(walls: Sequence[float]) -> Callable[[], Cost]:
    rounds = iter(walls)

    def cost() -> Cost:
        wall = next(rounds)
        return Cost(wall, wall / 2)

    return cost
