"""Start and stop of the sandbox, per topology, against its services one after the other.

A sandbox starts its services in parallel, each as soon as what it needs is ready. The baseline is the sum of
what its steps took: a start that does one thing at a time. It is a mild one, as each step was slowed by those
beside it. What is started here is a sandbox of its own in a temporary directory; yours is left alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.measure import machine, print_json, report, tell, told
from sandbox import lifecycle
from sandbox.instance import Topology
from sandbox.paths import STATE_VARIABLE
from sandbox.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.progress import Step


class _Timed(Progress):
    """Shows nothing, and notes how long each step took."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self.took: dict[str, float] = {}

    @contextmanager
    def run(self, parent: Step | None, name: str, *, unit: str) -> Iterator[Step]:
        with super().run(parent, name, unit=unit) as step:
            yield step
        if parent is None:
            self.took[name] = step.snapshot().elapsed


@dataclass(frozen=True)
class _Round:
    """One start, one `up` of what runs already, one stop; seconds."""

    start: float
    steps: dict[str, float]
    again: float
    stop: float

    @property
    def one_by_one(self) -> float:
        """What a start takes that does one thing at a time."""
        return sum(self.steps.values())


@dataclass(frozen=True)
class _Result:
    """Medians over all rounds of a topology."""

    topology: str
    start: float
    one_by_one: float
    ratio: float
    slowest: str
    again: float
    stop: float

    def as_json(self) -> dict[str, object]:
        return {
            "topology": self.topology,
            "start_s": round(self.start, 2),
            "one_by_one_s": round(self.one_by_one, 2),
            "ratio": round(self.ratio, 2),
            "slowest": self.slowest,
            "again_s": round(self.again, 2),
            "stop_s": round(self.stop, 2),
        }


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    rounds: dict[Topology, list[_Round]] = {topology: [] for topology in arguments.topology or Topology}
    for number in range(arguments.rounds):
        for topology, measured in rounds.items():
            tell(f"round {number + 1} of {arguments.rounds}: {topology}")
            measured.append(_round(topology))
    results = [_result(topology, measured) for topology, measured in rounds.items()]
    if arguments.json:
        print_json({"starts": [result.as_json() for result in results]})
        return
    where = machine()
    report(
        f"the sandbox, toolchain cached: median of {arguments.rounds} rounds, "
        f"{where['cores']} cores, load {where['load_average']}",
        ("", "start", "one by one", "ratio", "slowest", "up again", "stop"),
        [
            (
                one.topology,
                f"{one.start:.1f} s",
                f"{one.one_by_one:.1f} s",
                f"{one.ratio:.2f}",
                one.slowest,
                f"{one.again:.2f} s",
                f"{one.stop:.1f} s",
            )
            for one in results
        ],
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("topology", nargs="*", type=Topology, help="pure, hybrid, dedicated; all if left out")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is started (default 3)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def _round(topology: Topology) -> _Round:
    with tempfile.TemporaryDirectory(prefix="halfmetal-bench-") as folder, _state(Path(folder) / "sandbox"):
        progress = _Timed()
        try:
            start = _seconds(lambda: lifecycle.up(topology, progress))
            steps = dict(progress.took)
            again = _seconds(lambda: lifecycle.up(topology, Progress.silent()))
        finally:
            stop = _seconds(lambda: lifecycle.down(Progress.silent()))
    return _Round(start, steps, again, stop)


@contextmanager
def _state(directory: Path) -> Iterator[None]:
    """Work on the sandbox of this directory, whatever the shell says."""
    before = os.environ.get(STATE_VARIABLE)
    os.environ[STATE_VARIABLE] = str(directory)
    try:
        yield
    finally:
        if before is None:
            del os.environ[STATE_VARIABLE]
        else:
            os.environ[STATE_VARIABLE] = before


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _result(topology: Topology, rounds: list[_Round]) -> _Result:
    medians = {
        name: statistics.median(one.steps[name] for one in rounds if name in one.steps)
        for name in rounds[0].steps
    }
    slowest = max(medians, key=medians.__getitem__)
    return _Result(
        topology=topology.value,
        start=statistics.median(one.start for one in rounds),
        one_by_one=statistics.median(one.one_by_one for one in rounds),
        ratio=statistics.median(one.start / one.one_by_one for one in rounds),
        slowest=f"{slowest} {medians[slowest]:.1f} s",
        again=statistics.median(one.again for one in rounds),
        stop=statistics.median(one.stop for one in rounds),
    )


if __name__ == "__main__":
    told(main)
