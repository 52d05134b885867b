"""How everything here is measured: what is asked about and its baseline, turn about, in one run.

Seconds say little: machines differ, and none is idle. So each round runs every subject once, one after the
other, and what is reported is how a subject compares with the baseline of its own round; whatever slows the
machine for a while slows both. CPU seconds stand beside the wall clock: they hardly change with what else the
machine does, and are the better witness on a busy one.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

# No command measured here takes this long unless it hangs.
TIMEOUT_S = 300.0
_TAIL = 20
_FILE_WIDTH = 120


class BenchError(Exception):
    """What is to be measured does not work; its message says what to do."""


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall: float
    """Seconds on the clock."""
    cpu: float
    """Seconds of CPU, of the command and of every process that it started and saw end."""


@dataclass(frozen=True)
class Compared:
    """One subject over all rounds: medians, and medians of the ratios within each round."""

    name: str
    wall: float
    cpu: float
    wall_ratio: float
    cpu_ratio: float

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "wall_s": round(self.wall, 3),
            "cpu_s": round(self.cpu, 3),
            "wall_ratio": round(self.wall_ratio, 2),
            "cpu_ratio": round(self.cpu_ratio, 2),
        }


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run a command to its end. BenchError with the end of its output when it fails or hangs."""
    before, started = _children_cpu(), time.perf_counter()
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"`{' '.join(command)}` did not end within {TIMEOUT_S:.0f} s") from error
    wall = time.perf_counter() - started
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-_TAIL:])
        raise BenchError(f"`{' '.join(command)}` failed with status {done.returncode}:\n{tail}")
    return Cost(wall, _children_cpu() - before)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def turn_about(subjects: Mapping[str, Callable[[], Cost]], rounds: int) -> list[Compared]:
    """Run every subject once in each round; the first one is the baseline of the others."""
    costs: dict[str, list[Cost]] = {name: [] for name in subjects}
    for number in range(rounds):
        for name, subject in subjects.items():
            tell(f"round {number + 1} of {rounds}: {name}")
            costs[name].append(subject())
    baseline = costs[next(iter(subjects))]
    return [_compared(name, own, baseline) for name, own in costs.items()]


def _compared(name: str, costs: Sequence[Cost], baseline: Sequence[Cost]) -> Compared:
    pairs = list(zip(costs, baseline, strict=True))
    return Compared(
        name=name,
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cost.cpu for cost in costs),
        wall_ratio=statistics.median(cost.wall / base.wall for cost, base in pairs),
        cpu_ratio=statistics.median(cost.cpu / base.cpu for cost, base in pairs),
    )


# -- telling


def tell(text: str) -> None:
    """What is being done, to standard error: standard output has the result alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def report(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose first column names the rows and whose others are figures."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else _FILE_WIDTH
    Console(highlight=False, width=width).print(table)


def as_rows(compared: Sequence[Compared]) -> Iterator[tuple[str, ...]]:
    """The rows of `report` under `COLUMNS`."""
    for one in compared:
        yield (
            one.name,
            f"{one.wall:.2f} s",
            f"{one.cpu:.2f} s",
            f"{one.wall_ratio:.2f}",
            f"{one.cpu_ratio:.2f}",
        )


COLUMNS = ("", "wall", "CPU", "wall ratio", "CPU ratio")


def machine() -> dict[str, object]:
    """Where and when: figures of different machines are not to be compared."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def print_json(result: Mapping[str, Any]) -> None:
    """The whole result with the machine that it was measured on."""
    sys.stdout.write(json.dumps({"machine": machine(), **result}, indent=2) + "\n")


def told(main: Callable[[], None]) -> None:
    """Run a script's main; a fault that a person can mend is told in its own words."""
    try:
        main()
    except (BenchError, SandboxError) as error:
        tell(f"error: {error}")
        sys.exit(1)
