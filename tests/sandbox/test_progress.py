"""Steps as they are told: their arithmetic, their lines in a log, their table on a terminal."""

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from rich.console import Console

from sandbox.progress import HEARTBEAT_S, MIN_QUIET_S, Progress, State, duration, size


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class Log:
    """A progress that writes into a string, with its clock."""

    progress: Progress
    clock: Clock
    file: io.StringIO

    @property
    def lines(self) -> list[str]:
        """What was written, without the time of day in front."""
        return [line[10:] if line[2:3] == ":" else line for line in self.file.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    """A progress that is not on a terminal."""
    clock, file = Clock(), io.StringIO()
    return Log(Progress(Console(file=file, width=60), clock=clock), clock, file)


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0s"), (0.44, "0.4s"), (7, "7s"), (59.4, "59s"), (185, "3m05s"), (3720, "1h02m")],
)
def test_durations(seconds: float, text: str):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (4_200, "4.2 kB"),
        (105_382_050, "105 MB"),
        (1.4e9, "1.4 GB"),
        (5e15, "5000 TB"),
    ],
)
def test_sizes(count: float, text: str):
    assert size(count) == text


@dataclass(frozen=True)
class Estimate:
    """What a step says after some time, and what remains by its own reckoning."""

    elapsed: float
    done: float | None
    total: float | None
    remaining: float | None


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Estimate(10, 25, 100, 30.0), id="a quarter in ten seconds leaves thirty"),
        pytest.param(Estimate(10, 100, 100, 0.0), id="all of it leaves none"),
        pytest.param(Estimate(1, 1, 100, None), id="too early to tell"),
        pytest.param(Estimate(10, 25, None, None), id="of how much is not known"),
        pytest.param(Estimate(10, None, 100, None), id="how much is not known"),
        pytest.param(Estimate(10, 110, 100, None), id="more than all: the total was wrong"),
    ],
)
def test_what_remains_is_estimated_from_what_is_done(log: Log, case: Estimate):
    with log.progress.step("build") as step:
        log.clock.now += case.elapsed
        step.update(done=case.done, total=case.total)
        assert step.snapshot().remaining == case.remaining


def test_a_told_remainder_replaces_the_estimate_and_runs_down(log: Log):
    with log.progress.step("start") as step:
        step.update(done=1, total=2, remaining=20)
        log.clock.now += 5
        assert step.snapshot().remaining == 15


def test_states_are_lines(log: Log):
    with log.progress.step("engine") as engine:
        with engine.step("modules") as modules:
            log.clock.now += 14
            modules.result("255 modules")
        log.clock.now += 180
    assert log.lines == [
        "engine: started",
        "engine / modules: started",
        "engine / modules: done after 14s: 255 modules",
        "engine: done after 3m14s",
    ]


def test_the_log_shows_life_without_drowning(log: Log):
    with log.progress.step("engine", unit="packages") as step:
        for second in range(61):
            log.clock.now += 1
            step.update(done=second + 1, total=600)
            log.progress.tick()
    said = [line for line in log.lines if "elapsed" in line]
    assert said == [
        f"engine: 30/600 packages, {HEARTBEAT_S:.0f}s elapsed, about 9m30s left",
        "engine: 60/600 packages, 1m00s elapsed, about 9m00s left",
    ]


def test_a_new_detail_is_told_when_the_last_line_is_not_fresh(log: Log):
    with log.progress.step("start") as step:
        step.update(detail="etcd")
        log.clock.now += MIN_QUIET_S
        step.update(detail="kube-apiserver")
        step.update(detail="kube-scheduler")
    assert [line for line in log.lines if "elapsed" in line] == ["start: kube-apiserver, 10s elapsed"]


def test_only_the_part_that_works_has_a_heartbeat(log: Log):
    with log.progress.step("toolchain") as whole, whole.step("engine"):
        log.clock.now += HEARTBEAT_S
        log.progress.tick()
    assert [line for line in log.lines if "elapsed" in line] == ["toolchain / engine: 30s elapsed"]


def _raise(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "state", "shows_log"),
    [
        pytest.param(ValueError("x"), State.FAILED, True, id="a fault"),
        pytest.param(KeyboardInterrupt(), State.INTERRUPTED, False, id="the user's own wish"),
    ],
)
def test_a_failing_step_shows_the_end_of_its_log(
    log: Log, error: BaseException, state: State, *, shows_log: bool
):
    with pytest.raises(type(error)), log.progress.step("etcd") as step:
        step.log("\n".join(f"line {number}" for number in range(100)))
        _raise(error)()
    assert f"etcd: {state} after 0.0s" in log.lines
    assert ("    line 99" in log.lines) is shows_log
    assert "    line 79" not in log.lines


def test_a_long_line_is_not_broken_in_a_log(log: Log):
    with log.progress.step("engine") as step:
        step.result("x" * 200)
    assert log.lines[-1].endswith("x" * 200)


def test_steps_of_many_threads_do_not_disturb_each_other(log: Log):
    def work(number: int) -> None:
        with log.progress.step(f"step {number}") as step:
            for done in range(50):
                step.update(done=done, total=50, detail=str(done))
                step.log(str(done))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(line for line in log.lines if "done" in line) == sorted(
        f"step {number}: done after 0.0s" for number in range(16)
    )


def test_a_terminal_gets_a_table_and_a_line_for_what_is_finished():
    file = Terminal()
    progress = Progress(Console(file=file, width=100, force_terminal=True, color_system=None))
    assert progress.live
    with pytest.raises(ValueError, match="x"), progress.step("engine") as engine:
        with engine.step("build", unit="packages") as build:
            build.update(done=1, total=2)
        engine.log("what went wrong")
        raise ValueError("x")
    written = file.getvalue()
    assert "✗ engine" in written
    assert "✓ build" in written
    assert "what went wrong" in written
    assert "\x1b[?25h" in written, "the cursor is given back"


@pytest.mark.parametrize(
    "environment",
    [pytest.param({"TERM": "dumb"}, id="dumb terminal"), pytest.param({"TERM": "unknown"}, id="unknown")],
)
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(environment: dict[str, str]):
    file = Terminal()
    progress = Progress(Console(file=file, force_terminal=True, _environ=environment))
    with progress.step("engine"):
        pass
    assert not progress.live
    assert "\x1b" not in file.getvalue()


def test_no_color_means_none():
    file = Terminal()
    progress = Progress(
        Console(file=file, width=100, force_terminal=True, _environ={"NO_COLOR": "1", "TERM": "xterm"})
    )
    with progress.step("engine"):
        pass
    assert "✓ engine" in file.getvalue()
    assert "\x1b[32m" not in file.getvalue()


def test_silence():
    with Progress.silent().step("engine") as step:
        step.update(done=1, total=2, detail="nobody hears it")
