"""Start what needs starting, in parallel, and wait on readiness; stop it in the opposite order.

A sandbox is a graph of *services* (processes that stay) and *tasks* (things done once what they need is
ready, such as granting the roles of the cluster). `up` walks the graph: whatever runs and is unchanged is
only checked, whatever died is started again, and each one waits for nothing but what it needs. Services are
not children that must be watched: they live in sessions of their own, and the next command finds them again
by their records (see `sandbox.processes`).
"""

import concurrent.futures
import hashlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import psutil

from sandbox import ports, processes
from sandbox.errors import SandboxError
from sandbox.paths import StatePaths
from sandbox.processes import Record
from sandbox.progress import Progress, Step

_POLL_S = 0.05
_CANCEL_AGAIN_S = 0.5
_TAIL_LINES, _FEW_LINES = 20, 5
# An adopted process was ready once; if it is silent for this long it hangs, and is started anew.
_ADOPTED_DEADLINE_S = 10.0


@dataclass(frozen=True)
class Service:
    """A process that stays until `down`."""

    name: str
    command: Callable[[], Sequence[str]]
    """Its command line, asked for when everything it needs is ready."""
    ready: Callable[[], bool]
    """Whether it does its work now. Called often: it must answer within about a second."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Its whole environment: nothing of the caller's leaks in."""
    needs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    """Loopback ports that it listens on."""
    files: tuple[Path, ...] = ()
    """Configuration that it reads at its start; a change restarts it."""
    deadline_s: float = 60.0
    """How long it may take to become ready."""
    grace_s: float = 10.0
    """How long it may take to end by itself."""


@dataclass(frozen=True)
class Task:
    """Something to do once everything it needs is ready. It must be safe to do again at every `up`."""

    name: str
    run: Callable[[Callable[[], None]], None]
    """Called with a function that waits a moment, for tasks that wait on something; it raises when the whole
    `up` was given up."""
    needs: tuple[str, ...] = ()
    cancel: Callable[[], None] | None = None
    """Makes a running task fail soon, for tasks that wait on something else; called when `up` is given up."""


class State(StrEnum):
    """What a service is doing, as `status` says it."""

    READY = "ready"
    NOT_READY = "not ready"
    DEAD = "dead"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Status:
    """One service as it was found."""

    name: str
    state: State
    pid: int | None = None
    ports: tuple[int, ...] = ()
    since: datetime | None = None
    restarts: int = 0
    last_words: tuple[str, ...] = ()
    """The end of its log, if it is not well."""

    @property
    def well(self) -> bool:
        """Whether it does its work."""
        return self.state is State.READY


@dataclass
class Outcome:
    """What an `up` did."""

    started: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


class _GivenUp(BaseException):
    """This step ends because another failed, or the user pressed Ctrl-C; no fault, so no `Exception`."""


class Supervisor:
    """The services of one state directory."""

    def __init__(self, paths: StatePaths, services: Iterable[Service], tasks: Iterable[Task] = ()) -> None:
        """Nothing is started, stopped or looked at before a method is called."""
        self._paths = paths
        self._services = {service.name: service for service in services}
        self._tasks = {task.name: task for task in tasks}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._given_up = threading.Event()

    # What is there.

    def record(self, name: str) -> Record | None:
        """What is known of a service that was started here.

        A copied state directory holds records of the original's processes: those are not ours.
        """
        record = Record.read(self._record_path(name))
        return record if record and record.mark.startswith(f"{self._paths.root}:") else None

    def running(self, name: str) -> psutil.Process | None:
        """The service's process, if it lives and is ours."""
        record = self.record(name)
        return record.process() if record else None

    def log(self, name: str) -> Path:
        """The service's log."""
        return self._paths.logs / f"{name}.log"

    def status(self) -> list[Status]:
        """Every service as it is now."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return list(pool.map(self._status, self._services.values()))

    def _status(self, service: Service) -> Status:
        record = self.record(service.name)
        if record is None:
            return Status(service.name, State.STOPPED, ports=service.ports)
        alive = record.process() is not None
        state = State.DEAD if not alive else State.READY if service.ready() else State.NOT_READY
        return Status(
            service.name,
            state,
            pid=record.pid if alive else None,
            ports=service.ports,
            since=datetime.fromtimestamp(record.created, UTC) if alive else None,
            restarts=record.restarts,
            last_words=() if state is State.READY else self._last_words(service.name, _FEW_LINES),
        )

    def _last_words(self, name: str, lines: int) -> tuple[str, ...]:
        """The end of what the latest process wrote to the service's log."""
        record = self.record(name)
        return tuple(processes.tail(self.log(name), lines, offset=record.log_offset if record else 0))

    # Up.

    def up(self, progress: Progress | Step) -> Outcome:
        """Make everything ready. What is ready stays as it is, what died is started again.

        Raises SandboxError naming every step that failed. Whatever was started stays, so that the next `up`
        has less to do; a service that did not become ready is ended.
        """
        outcome = Outcome()
        self._given_up.clear()
        self._end_orphans()
        steps: dict[str, Service | Task] = {**self._services, **self._tasks}

        def run(name: str) -> None:
            step = steps[name]
            if isinstance(step, Service):
                self._make_ready(step, progress, outcome)
            else:
                step.run(self._pause)

        self._walk({name: set(step.needs) for name, step in steps.items()}, run)
        return outcome

    def _make_ready(self, service: Service, progress: Progress | Step, outcome: Outcome) -> None:
        argv = [str(word) for word in service.command()]
        fingerprint = _fingerprint(service, argv)
        record = self.record(service.name)
        process = record.process() if record else None
        if record and process:
            if record.fingerprint == fingerprint and self._still_answers(service, record):
                outcome.kept.append(service.name)
                return
            processes.stop(process, grace_s=service.grace_s)
        with progress.step(service.name) as step:
            died = record is not None and process is None
            if died:
                step.update(detail="it had died")
            restarts = (record.restarts if record else 0) + (1 if died else 0)
            self._start(service, argv, fingerprint, restarts)
        (outcome.repaired if died else outcome.started).append(service.name)

    def _still_answers(self, service: Service, record: Record) -> bool:
        # One that an interrupted `up` left behind may still be starting: it has its whole deadline.
        deadline = max(record.created + service.deadline_s, time.time() + _ADOPTED_DEADLINE_S)
        while record.process() and time.time() < deadline:
            if service.ready():
                return True
            self._pause()
        return False

    def _start(self, service: Service, argv: Sequence[str], fingerprint: str, restarts: int) -> None:
        for port in service.ports:
            refuse_taken(port, service.name)
        child, mark, offset = processes.spawn(
            service.name,
            argv,
            state=self._paths.root,
            env=service.env,
            cwd=self._paths.root,
            log=self.log(service.name),
        )
        self._children[service.name] = child
        record = Record(
            name=service.name,
            pid=child.pid,
            created=processes.created(child.pid),
            mark=mark,
            fingerprint=fingerprint,
            log_offset=offset,
            restarts=restarts,
        )
        record.write(self._record_path(service.name))
        self._await_ready(service, child, record)

    def _await_ready(self, service: Service, child: subprocess.Popen[bytes], record: Record) -> None:
        deadline = time.monotonic() + service.deadline_s
        while True:
            ready = service.ready()
            # In this order: on a port that a stranger took, it is the stranger who answers.
            if child.poll() is not None:
                raise self._failed(service, f"died while starting ({processes.exit_text(child.returncode)})")
            if ready:
                return
            if time.monotonic() > deadline:
                process = record.process()
                if process:
                    processes.stop(process, grace_s=service.grace_s)
                raise self._failed(service, f"was not ready after {service.deadline_s:g} s")
            self._pause()

    def _failed(self, service: Service, what: str) -> SandboxError:
        log, lines = self.log(service.name), self._last_words(service.name, _TAIL_LINES)
        return SandboxError(
            f"{service.name} {what}",
            f"see `halfmetal sandbox logs {service.name}`, then run `halfmetal sandbox up` again",
            detail="\n".join((f"  end of {log}:", *(f"    {line}" for line in lines))) if lines else "",
        )

    def _pause(self) -> None:
        if self._given_up.wait(_POLL_S):
            raise _GivenUp

    def _end_orphans(self) -> None:
        """End whatever outlived its service, such as the pods of a node agent that was killed."""
        records = [self.record(path.stem) for path in self._paths.run.glob("*.json")]
        living = [record.mark for record in records if record and record.process()]
        processes.end(processes.orphans(self._paths.root, living=living), grace_s=_ADOPTED_DEADLINE_S)

    # Down.

    def down(self, progress: Progress | Step) -> list[str]:
        """Stop everything that was ever started here, dependents first; returns the names of what ran."""
        names = [path.stem for path in self._paths.run.glob("*.json")] if self._paths.run.exists() else []
        dependents = {
            name: {other for other in names if other in self._services and name in self._all_needs(other)}
            for name in names
        }
        stopped: list[str] = []
        self._given_up.clear()

        def stop(name: str) -> None:
            process = self.running(name)
            if process:
                with progress.step(f"stop {name}"):
                    service = self._services.get(name)
                    processes.stop(process, grace_s=service.grace_s if service else Service.grace_s)
                stopped.append(name)
            self._record_path(name).unlink(missing_ok=True)

        self._walk(dependents, stop)
        processes.end(processes.orphans(self._paths.root), grace_s=_ADOPTED_DEADLINE_S)
        return stopped

    def _all_needs(self, name: str) -> set[str]:
        """What a step needs, and what that needs in turn."""
        step = self._services.get(name) or self._tasks.get(name)
        direct = set(step.needs) if step else set()
        return direct.union(*(self._all_needs(other) for other in direct))

    # Both.

    def _walk(self, needs: Mapping[str, set[str]], run: Callable[[str], None]) -> None:
        """Run every name, each as soon as what it needs has been run, all in parallel.

        The first fault gives the rest up: nothing new is begun, and what waits stops waiting.
        """
        waiting = {name: set(after) for name, after in needs.items()}
        failures: list[SandboxError] = []
        running: dict[concurrent.futures.Future[None], str] = {}
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(len(waiting), 1)) as pool:
            try:
                while running or any(not after for after in waiting.values()):
                    for name in [name for name, after in waiting.items() if not after]:
                        del waiting[name]
                        running[pool.submit(run, name)] = name
                    done, _ = concurrent.futures.wait(
                        running, timeout=1.0, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for future in done:
                        failures += self._settle(future, running.pop(future), waiting)
                    if failures:
                        break
            finally:
                # Also on Ctrl-C: the threads stop waiting, and what they started is on record.
                self._give_up(running)
        failures += [fault for future, name in running.items() for fault in self._late(future, name)]
        if failures:
            raise _together(failures)
        if waiting:
            raise ValueError(f"these steps need each other, or something unknown: {sorted(waiting)}")

    def _settle(
        self, future: concurrent.futures.Future[None], name: str, waiting: Mapping[str, set[str]]
    ) -> list[SandboxError]:
        """What a finished step leaves: a fault, or one reason less to wait for the others."""
        error = future.exception()
        if isinstance(error, SandboxError):
            return [error]
        if error:
            raise error
        for after in waiting.values():
            after.discard(name)
        return []

    def _late(self, future: concurrent.futures.Future[None], name: str) -> list[SandboxError]:
        """The fault of a step that ended after the others were given up, if it is its own."""
        task = self._tasks.get(name)
        error = future.exception()
        if isinstance(error, SandboxError) and not (task and task.cancel):
            return [error]
        return []

    def _give_up(self, running: Mapping[concurrent.futures.Future[None], str]) -> None:
        self._given_up.set()
        while pending := {future for future in running if not future.done()}:
            for future in pending:
                task = self._tasks.get(running[future])
                if task and task.cancel:
                    # Again and again: it may have been between two things that can be made to fail.
                    task.cancel()
            concurrent.futures.wait(pending, timeout=_CANCEL_AGAIN_S)

    def _record_path(self, name: str) -> Path:
        return self._paths.run / f"{name}.json"


def refuse_taken(port: int, name: str) -> None:
    """SandboxError when somebody else listens on a port that a service needs."""
    if ports.is_free(port):
        return
    holder = ports.holder(port)
    raise SandboxError(
        f"port {port}, which {name} needs, is taken by {holder or 'a process that cannot be seen'}",
        "stop that process, or run `halfmetal sandbox down` to choose new ports at the next `up`"
        " (it forgets what is deployed)",
    )


def _fingerprint(service: Service, argv: Sequence[str]) -> str:
    contents = [
        hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "" for path in service.files
    ]
    return hashlib.sha256(json.dumps([argv, sorted(service.env.items()), contents]).encode()).hexdigest()


def _together(failures: Sequence[SandboxError]) -> SandboxError:
    if len(failures) == 1:
        return failures[0]
    return SandboxError(
        "; ".join(failure.what for failure in failures),
        failures[0].remedy,
        detail="\n".join(failure.detail for failure in failures if failure.detail),
    )
