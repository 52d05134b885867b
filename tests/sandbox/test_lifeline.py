"""What becomes of an engine when a service dies under it, second by second."""

import signal
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from sandbox.lifeline import Lifeline, Patience, dead_services
from sandbox.processes import MARK, Record

STEPS = Patience(asked_to_stop=5, told_to_drop_everything=35, killed=45)


@dataclass
class Engine:
    """Notes when it is sent what."""

    now: float = 0
    sent: list[tuple[float, int]] = field(default_factory=list)

    def send_signal(self, number: int, /) -> None:
        self.sent.append((self.now, number))


@pytest.mark.parametrize(
    ("dead", "sent"),
    [
        pytest.param(range(0), [], id="nobody dies"),
        pytest.param(
            range(10, 100),
            [(15, signal.SIGINT), (45, signal.SIGINT), (55, signal.SIGKILL)],
            id="one dies: asked, told, killed",
        ),
        pytest.param(range(10, 14), [], id="one dies and is started again"),
        pytest.param(
            [*range(10, 14), *range(20, 30)], [(25, signal.SIGINT)], id="it dies again: the time begins anew"
        ),
    ],
)
def test_an_engine_is_ended_step_by_step(dead: range | list[int], sent: list[tuple[float, int]]):
    engine = Engine()
    lifeline = Lifeline(
        engine, lambda: ["kube-apiserver"] if engine.now in dead else [], STEPS, lambda: engine.now
    )
    for second in range(100):
        engine.now = float(second)
        lifeline.look()
    assert engine.sent == sent


def test_the_services_are_looked_at_no_more_than_once_a_second():
    looks: list[float] = []
    engine = Engine()

    def dead() -> list[str]:
        looks.append(engine.now)
        return []

    lifeline = Lifeline(engine, dead, STEPS, lambda: engine.now)
    for tenth in range(31):
        engine.now = tenth / 10
        lifeline.look()
    assert looks == [0, 1, 2, 3]


def test_a_service_whose_process_is_another_by_now_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    myself = psutil.Process()
    monkeypatch.setattr(psutil.Process, "environ", lambda _: {MARK: "mine"})
    for name, mark in (("alive", "mine"), ("dead", "its")):
        record = Record(
            name=name,
            pid=myself.pid,
            created=myself.create_time(),
            mark=mark,
            fingerprint="f",
            log_offset=0,
        )
        record.write(tmp_path / f"{name}.json")
    (tmp_path / "half.json").write_text("{")
    assert dead_services(tmp_path) == ["dead"]


def test_where_nothing_was_started_nothing_is_dead(tmp_path: Path):
    assert dead_services(tmp_path / "run") == []
