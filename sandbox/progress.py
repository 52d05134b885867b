"""What a long task is doing, for a person or for a log file.

Everything that takes more than a moment (a build, a download, a start, an update) runs inside a step:

    with progress.step("engine") as step, step.step("build", unit="packages") as build:
        build.update(done=312, total=1500, detail="k8s.io/api/core/v1")

A step has a name, a state, an elapsed time and, once it has told how much of how much is done, an estimate
of what remains. Steps nest, and may run in parallel from any thread. On a terminal the running ones are a
live table, and a finished one leaves a line behind. Anywhere else each change of state is a timestamped
line, and a step that has nothing new to say is heard of every half a minute, so that a log shows life
without drowning in it. A step that fails shows the end of what it logged.

Two locks, always taken in this order: output, then state. The live table is drawn by a thread of its own
that holds the terminal while it reads the steps, so nothing may print while it holds the state.
"""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

Clock = Callable[[], float]

LOG_TAIL = 20
HEARTBEAT_S = 30.0
MIN_QUIET_S = 10.0
_ESTIMATE_AFTER_S = 2.0
_MINUTE, _HOUR = 60, 3600
_BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
_KILO = 1000
_TWO_DIGITS = 10


class State(StrEnum):
    """Where a step stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


_GLYPHS = {State.RUNNING: "…", State.DONE: "✓", State.FAILED: "✗", State.INTERRUPTED: "!"}
_STYLES = {State.RUNNING: "cyan", State.DONE: "green", State.FAILED: "bold red", State.INTERRUPTED: "yellow"}


def duration(seconds: float) -> str:
    """Seconds as a person writes them: 0.4s, 12s, 3m05s, 1h02m."""
    if seconds < _MINUTE:
        return f"{seconds:.1f}s" if seconds < 1 else f"{seconds:.0f}s"
    if seconds < _HOUR:
        return f"{int(seconds) // _MINUTE}m{int(seconds) % _MINUTE:02d}s"
    return f"{int(seconds) // _HOUR}h{int(seconds) % _HOUR // _MINUTE:02d}m"


def size(count: float) -> str:
    """Bytes as a person writes them, in powers of ten: 512 B, 4.2 MB, 105 MB."""
    power = 0
    while count >= _KILO and power < len(_BYTE_UNITS) - 1:
        count /= _KILO
        power += 1
    decimals = 1 if power and count < _TWO_DIGITS else 0
    return f"{count:.{decimals}f} {_BYTE_UNITS[power]}"


@dataclass(frozen=True)
class Snapshot:
    """One step at one moment: what a display needs, free of locks."""

    key: int
    path: tuple[str, ...]
    state: State
    elapsed: float
    done: float | None
    total: float | None
    unit: str
    detail: str
    remaining: float | None

    @property
    def amount(self) -> str:
        """How much of how much, or nothing when the step never said."""
        if self.done is None:
            return ""
        if self.unit == "bytes":
            return f"{size(self.done)} of {size(self.total)}" if self.total else size(self.done)
        of = f"{self.done:.0f}/{self.total:.0f}" if self.total else f"{self.done:.0f}"
        return f"{of} {self.unit}".strip()


class Step:
    """One thing being done, made by `Progress.step` or `Step.step`. Any thread may call any method."""

    def __init__(self, progress: Progress, parent: Step | None, name: str, *, unit: str, key: int) -> None:
        self.key = key
        self.path: tuple[str, ...] = (*(parent.path if parent else ()), name)
        self.lineage: tuple[int, ...] = (*(parent.lineage if parent else ()), key)
        self._progress = progress
        self._state = State.RUNNING
        self._started = progress.clock()
        self._ended: float | None = None
        self._done: float | None = None
        self._total: float | None = None
        self._unit = unit
        self._detail = ""
        self._result = ""
        self._told_remaining: tuple[float, float] | None = None
        self._log: deque[str] = deque(maxlen=LOG_TAIL)

    @contextmanager
    def step(self, name: str, *, unit: str = "") -> Iterator[Step]:
        """A part of this step, shown below it."""
        with self._progress.run(self, name, unit=unit) as step:
            yield step

    def update(
        self,
        *,
        done: float | None = None,
        total: float | None = None,
        detail: str | None = None,
        remaining: float | None = None,
    ) -> None:
        """Say how far it is. What is not given stays; `remaining` (seconds) replaces the estimate."""
        with self._progress.state_lock:
            self._done = self._done if done is None else done
            self._total = self._total if total is None else total
            self._detail = self._detail if detail is None else detail
            if remaining is not None:
                self._told_remaining = (self._progress.clock(), remaining)
        self._progress.changed(self)

    def result(self, text: str) -> None:
        """What there is to say once it is done, such as how large the thing is that was built."""
        with self._progress.state_lock:
            self._result = text

    def log(self, text: str) -> None:
        """Keep output for the case that the step fails: only its end is kept, and only then shown."""
        with self._progress.state_lock:
            self._log.extend(line.rstrip() for line in text.splitlines() if line.strip())

    def snapshot(self) -> Snapshot:
        """The step as it is now."""
        with self._progress.state_lock:
            elapsed = (self._progress.clock() if self._ended is None else self._ended) - self._started
            return Snapshot(
                key=self.key,
                path=self.path,
                state=self._state,
                elapsed=elapsed,
                done=self._done,
                total=self._total,
                unit=self._unit,
                detail=self._detail,
                remaining=self._remaining(elapsed),
            )

    @property
    def log_tail(self) -> tuple[str, ...]:
        """The last lines that `log` was given."""
        with self._progress.state_lock:
            return tuple(self._log)

    def finish(self, state: State) -> None:
        """End the step; called by the context manager that made it."""
        with self._progress.state_lock:
            self._state = state
            self._detail = self._result if state is State.DONE else self._detail
            self._ended = self._progress.clock()

    def _remaining(self, elapsed: float) -> float | None:
        if self._state is not State.RUNNING:
            return None
        if self._told_remaining:
            at, seconds = self._told_remaining
            return max(0.0, at + seconds - self._progress.clock())
        if not self._done or not self._total or elapsed < _ESTIMATE_AFTER_S or self._done > self._total:
            return None
        return elapsed * (self._total - self._done) / self._done


class Display(Protocol):
    """How steps are shown. Every method is called with the output lock held."""

    def started(self, step: Step) -> None:
        """A step began."""

    def changed(self, step: Step) -> None:
        """A running step said something."""

    def finished(self, step: Step) -> None:
        """A step ended; its state tells how."""

    def tick(self) -> None:
        """About a second went by."""

    def idle(self) -> None:
        """No step is running any more."""

    def say(self, text: str) -> None:
        """Show a line that belongs to no step."""


class Progress:
    """All steps of one command. Without arguments it writes to standard error, in the form that suits it."""

    def __init__(self, console: Console | None = None, *, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self.state_lock = threading.RLock()
        self._output_lock = threading.RLock()
        self._running: dict[int, Step] = {}
        self._made = 0
        self._ticker: threading.Event | None = None
        console = console or Console(stderr=True, highlight=False)
        self.live = console.is_interactive and console.file.isatty()
        self._display: Display = LiveDisplay(console) if self.live else PlainDisplay(console, clock=clock)

    @classmethod
    def silent(cls) -> Progress:
        """A progress that shows nothing, for callers that have nobody to show it to."""
        return cls(Console(quiet=True, file=io.StringIO()))

    @contextmanager
    def step(self, name: str, *, unit: str = "") -> Iterator[Step]:
        """Run something as a step. It fails when the block raises; `unit` names what `done` counts."""
        with self.run(None, name, unit=unit) as step:
            yield step

    def say(self, text: str) -> None:
        """Show a line of its own, above whatever is running."""
        with self._output_lock:
            self._display.say(text)

    @contextmanager
    def run(self, parent: Step | None, name: str, *, unit: str) -> Iterator[Step]:
        """The common part of `Progress.step` and `Step.step`."""
        step = self._begin(parent, name, unit)
        try:
            yield step
        except Exception:
            self._end(step, State.FAILED)
            raise
        except BaseException:  # Ctrl-C, or a generator being closed: nobody's fault, so no log
            self._end(step, State.INTERRUPTED)
            raise
        self._end(step, State.DONE)

    def changed(self, step: Step) -> None:
        """A step said something new; called by the step."""
        with self._output_lock:
            self._display.changed(step)

    def tick(self) -> None:
        """Let the display speak of steps that have been silent; called about once a second."""
        with self._output_lock:
            self._display.tick()

    def _begin(self, parent: Step | None, name: str, unit: str) -> Step:
        with self._output_lock:
            self._made += 1
            step = Step(self, parent, name, unit=unit, key=self._made)
            self._running[step.key] = step
            self._display.started(step)
            if self._ticker is None:
                self._ticker = threading.Event()
                threading.Thread(target=self._tick_until, args=(self._ticker,), daemon=True).start()
        return step

    def _end(self, step: Step, state: State) -> None:
        step.finish(state)
        with self._output_lock:
            self._running.pop(step.key, None)
            self._display.finished(step)
            if not self._running and self._ticker is not None:
                self._ticker.set()
                self._ticker = None
                self._display.idle()

    def _tick_until(self, stop: threading.Event) -> None:
        while not stop.wait(1.0):
            self.tick()


class PlainDisplay:
    """Timestamped lines: one for each change of state, and a sign of life from time to time."""

    def __init__(self, console: Console, *, clock: Clock = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._steps: dict[int, Step] = {}
        self._last: dict[int, tuple[float, str]] = {}

    def started(self, step: Step) -> None:
        """Every beginning is a line."""
        self._steps[step.key] = step
        self._line(step, "started")

    def changed(self, step: Step) -> None:
        """A new detail is worth a line if the last is not fresh; one of many is left to the heartbeat."""
        now, snapshot = self._clock(), step.snapshot()
        at, detail = self._last.get(step.key, (now, ""))
        worth_it = step.key in self._steps and snapshot.done is None
        if worth_it and snapshot.detail != detail and now - at >= MIN_QUIET_S:
            self._line(step, _spoken(snapshot))

    def finished(self, step: Step) -> None:
        """How it ended, how long it took and, if it failed, the end of its log."""
        self._steps.pop(step.key, None)
        snapshot = step.snapshot()
        detail = f": {snapshot.detail}" if snapshot.detail else ""
        self._line(step, f"{snapshot.state} after {duration(snapshot.elapsed)}{detail}")
        self._last.pop(step.key, None)
        if snapshot.state is State.FAILED:
            for line in step.log_tail:
                self.say(f"    {line}")

    def tick(self) -> None:
        """The heartbeat: whoever runs and was silent for long says where it is."""
        now = self._clock()
        wholes = {key for step in self._steps.values() for key in step.lineage[:-1]}
        for step in list(self._steps.values()):
            if step.key not in wholes and now - self._last[step.key][0] >= HEARTBEAT_S:
                self._line(step, _spoken(step.snapshot()))

    def idle(self) -> None:
        """Nothing to close."""

    def say(self, text: str) -> None:
        """One line, whole: a log is not a terminal and has no width to wrap at."""
        self._console.out(text, highlight=False)

    def _line(self, step: Step, text: str) -> None:
        self._last[step.key] = (self._clock(), step.snapshot().detail)
        self.say(f"{time.strftime('%H:%M:%S')}  {' / '.join(step.path)}: {text}")


class LiveDisplay:
    """A table of what is running, redrawn in place; what is finished scrolls away above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._spinner = Spinner("dots", style="cyan")  # one for all: it counts its frames from its making
        self._steps: dict[int, Step] = {}

    def started(self, step: Step) -> None:
        """The first step opens the table."""
        self._steps[step.key] = step
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._table,
                refresh_per_second=8,
                transient=True,
                vertical_overflow="ellipsis",
            )
            self._live.start()

    def changed(self, step: Step) -> None:
        """The table reads the steps itself, several times a second."""

    def finished(self, step: Step) -> None:
        """A step of the top leaves the table with its parts; a part stays until then."""
        if len(step.path) > 1:
            return
        family = [other for other in self._steps.values() if other.lineage[0] == step.key]
        self._steps = {key: other for key, other in self._steps.items() if other not in family}
        lines: list[Text] = []
        for member in sorted(family, key=_in_tree):
            snapshot = member.snapshot()
            lines.append(_finished_line(snapshot))
            if snapshot.state is State.FAILED:
                lines.extend(Text(f"    {line}", style="dim") for line in member.log_tail)
        self._console.print(Text("\n").join(lines), soft_wrap=True)

    def tick(self) -> None:
        """The table redraws itself."""

    def idle(self) -> None:
        """Close the table."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._steps = {}

    def say(self, text: str) -> None:
        """Above the table, where it stays."""
        self._console.print(Text(text), soft_wrap=True)

    def _table(self) -> Table:
        grid = Table.grid(padding=(0, 1))
        for step in sorted(self._steps.values(), key=_in_tree):
            grid.add_row(*_cells(step.snapshot(), self._spinner))
        return grid


def _in_tree(step: Step) -> tuple[int, ...]:
    return step.lineage  # a part directly below its whole, in the order of their beginnings


def _spoken(snapshot: Snapshot) -> str:
    remaining = f"about {duration(snapshot.remaining)} left" if snapshot.remaining is not None else ""
    parts = (snapshot.amount, snapshot.detail, f"{duration(snapshot.elapsed)} elapsed", remaining)
    return ", ".join(part for part in parts if part)


def _finished_line(snapshot: Snapshot) -> Text:
    text = Text("  " * (len(snapshot.path) - 1))
    text.append(f"{_GLYPHS[snapshot.state]} ", style=_STYLES[snapshot.state])
    text.append(snapshot.path[-1])
    text.append(f"  {duration(snapshot.elapsed)}", style="dim")
    if snapshot.detail:
        text.append(f"  {snapshot.detail}", style="dim")
    return text


def _cells(snapshot: Snapshot, spinner: Spinner) -> tuple[Text | Spinner | ProgressBar, ...]:
    indent = "  " * (len(snapshot.path) - 1)
    mark: Text | Spinner = Text(_GLYPHS[snapshot.state], style=_STYLES[snapshot.state])
    if snapshot.state is State.RUNNING:
        mark = spinner
    bar: Text | ProgressBar = Text("")
    if snapshot.state is State.RUNNING and snapshot.done is not None and snapshot.total:
        bar = ProgressBar(total=snapshot.total, completed=snapshot.done, width=20)
    remaining = f"~{duration(snapshot.remaining)} left" if snapshot.remaining is not None else ""
    return (
        mark,
        Text(f"{indent}{snapshot.path[-1]}", no_wrap=True),
        bar,
        Text(snapshot.amount if snapshot.state is State.RUNNING else "", no_wrap=True),
        Text(duration(snapshot.elapsed), style="dim", justify="right", no_wrap=True),
        Text(remaining, style="cyan", no_wrap=True),
        Text(snapshot.detail, style="dim", no_wrap=True, overflow="ellipsis"),
    )
