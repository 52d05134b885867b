"""Ends an engine that waits for a service which has died.

The engine's providers wait for minutes for what will never come: a Kubernetes provider watches an API server
that is gone until the timeout of each object, ten minutes by default, and says nothing. Whoever started the
engine knows better: the services' records tell who has died. So the engine is given a moment to fail in its
own words, then asked to stop, as by Ctrl-C, which makes it write down what it has and has not done; and is
made to, if it does not.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sandbox.processes import Record

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True)
class Patience:
    """What is done to the engine, and how long after a service was found dead, in seconds."""

    asked_to_stop: float = 5.0
    told_to_drop_everything: float = 35.0
    killed: float = 45.0

    def steps(self) -> Iterator[tuple[float, signal.Signals]]:
        yield self.asked_to_stop, signal.SIGINT
        # To the engine, a second interrupt means not to wait for what it has begun.
        yield self.told_to_drop_everything, signal.SIGINT
        yield self.killed, signal.SIGKILL


class Process(Protocol):
    """Of a process, what is needed here."""

    def send_signal(self, number: int, /) -> None: ...


class Lifeline:
    """Watches over one operation of an engine; `look` is to be called again and again."""

    def __init__(
        self,
        process: Process,
        dead: Callable[[], Sequence[str]],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = process
        self._dead = dead
        self._steps = list((patience or Patience()).steps())
        self._clock = clock
        self._next_look = clock()
        self._since: float | None = None

    def look(self) -> None:
        """Do what it is time for. A service that was started again in the meantime is forgiven."""
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK_EVERY_S
        if not self._dead():
            self._since = None
            return
        self._since = now if self._since is None else self._since
        if self._steps and now - self._since >= self._steps[0][0]:
            self._process.send_signal(self._steps.pop(0)[1])


def dead_services(run: Path) -> list[str]:
    """Names of the services that have died, by their records; one that was stopped has none."""
    records = [Record.read(path) for path in sorted(run.glob("*.json"))]
    return [record.name for record in records if record and record.process() is None]
