"""The life of one container: started, probed, restarted, stopped.

What kubelet and a container runtime do between them, for a process: the restart policy, an exponential pause
between restarts, probes that gate readiness or end the process, the image's stop signal and then, after the
pod's grace, SIGKILL.
"""

import asyncio
import contextlib
import logging
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sandbox.node import probes
from sandbox.node.api import Object
from sandbox.node.cache import Backoff
from sandbox.node.children import Register, die_with_parent, signal_group
from sandbox.node.podspec import ConfigError
from sandbox.node.probes import Schedule

logger = logging.getLogger(__name__)
# kubelet pauses 10 s to 5 min; a sandbox is watched by somebody who waits.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
# A process that ran this long was no crash loop.
_STEADY_S = 600.0
_CONFIG_RETRY_S = 1.0
_KILLED = 128


def now() -> str:
    """The present, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Launch:
    """Everything that starting a container's process takes."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    translate: Callable[[Sequence[str]], list[str]] = list
    """Turns a command as the image knows it into one of this machine; for probes and hooks."""


@dataclass
class State:
    """A container's state, in Kubernetes' words."""

    waiting: str | None = "ContainerCreating"
    """The reason why it does not run; None while it does, or when it ended for good."""
    message: str = ""
    started_at: str = ""
    terminated: Object | None = None
    """How it ended, if it has ended and will not be started again now."""
    last: Object | None = None
    """How it ended the time before."""
    restarts: int = 0
    ready: bool = False
    started: bool = False
    ever_ran: bool = False

    @property
    def running(self) -> bool:
        """Whether there is a process now."""
        return self.waiting is None and self.terminated is None


class Pod(Protocol):
    """What a container asks of the pod that it belongs to."""

    name: str
    restart_policy: str
    address: str

    def prepare(self, container: Object) -> Launch:
        """The process to start, with its volumes in place. Raises ConfigError."""

    def changed(self) -> None:
        """Some container's state is another one now."""


@dataclass
class Container:
    """One container of a pod that is run for real."""

    spec: Object
    pod: Pod
    log: Path
    register: Register
    is_init: bool = False
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        """Not started yet."""
        self._process: asyncio.subprocess.Process | None = None
        self._launch: Launch | None = None
        self._stopping = asyncio.Event()
        self._backoff = Backoff(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)

    @property
    def name(self) -> str:
        """The container's name in its pod."""
        return str(self.spec["name"])

    @property
    def _full_name(self) -> str:
        return f"{self.pod.name}, container {self.name}"

    async def run(self) -> None:
        """Keep it running as its restart policy says; returns when it has ended for good."""
        while not self._stopping.is_set():
            if not await self._start():
                continue
            code = await self._attend()
            if self._stopping.is_set() or not self._restarts_after(code):
                return
            await self._pause()

    async def stop(self, grace_s: float) -> None:
        """End it: preStop, the stop signal, and SIGKILL when the grace is over."""
        deadline = asyncio.get_running_loop().time() + grace_s
        self._stopping.set()
        process, launch = self._process, self._launch
        if process is None or launch is None or _has_ended(process):
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pre_stop(launch), grace_s)
        if _has_ended(process):  # meanwhile; its number may be another's by now
            return
        self._signal(launch.stop_signal)
        left = deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(asyncio.shield(process.wait()), max(left, 0.0))
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await process.wait()

    async def _start(self) -> bool:
        try:
            self._launch = self.pod.prepare(self.spec)
            self._process = await self._spawn(self._launch)
        except ConfigError as error:
            self._waits("CreateContainerConfigError", str(error))
            await self._sleep(_CONFIG_RETRY_S)
            return False
        except OSError as error:
            self._waits("RunContainerError", f"{error.filename or ''}: {error.strerror}")
            await self._sleep(self._backoff.next())
            return False
        if self._stopping.is_set():
            # Asked to stop while it was being started: nobody has seen this process yet.
            self._signal(signal.SIGKILL)
        previous = self.state
        self.state = State(
            waiting=None,
            started_at=now(),
            last=previous.terminated or previous.last,
            restarts=previous.restarts + int(previous.ever_ran),
            ready="readinessProbe" not in self.spec and "startupProbe" not in self.spec,
            started="startupProbe" not in self.spec,
            ever_ran=True,
        )
        self.pod.changed()
        return True

    async def _spawn(self, launch: Launch) -> asyncio.subprocess.Process:
        program = shutil.which(launch.argv[0], path=launch.env.get("PATH", ""))
        if program is None:
            raise FileNotFoundError(2, "executable file not found in $PATH", launch.argv[0])
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                program,
                *launch.argv[1:],
                env=launch.env,
                cwd=launch.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        self.register.add(process.pid)
        return process

    async def _attend(self) -> int:
        """Probe a process until it ends; its exit code."""
        process, launch = self._process, self._launch
        if process is None or launch is None:
            raise RuntimeError("attended before it was started")
        began = asyncio.get_running_loop().time()
        probing = asyncio.create_task(self._probe(launch))
        try:
            code = await process.wait()
        finally:
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)
        # Nothing of its session stays behind, whatever the main process had started.
        self._signal(signal.SIGKILL)
        self.register.discard(process.pid)
        if asyncio.get_running_loop().time() - began > _STEADY_S:
            self._backoff.reset()
        self._ended(code)
        return code

    def _ended(self, code: int) -> None:
        signalled = -code if code < 0 else 0
        exit_code = _KILLED + signalled if signalled else code
        self.state.terminated = {
            "exitCode": exit_code,
            "reason": "Completed" if exit_code == 0 else "Error",
            "startedAt": self.state.started_at,
            "finishedAt": now(),
            **({"signal": signalled} if signalled else {}),
        }
        self.state.ready = self.state.started = False
        self.pod.changed()

    def _restarts_after(self, code: int) -> bool:
        policy = self.pod.restart_policy
        if self.is_init:
            # An init container is done once it succeeds, whatever the pod's policy.
            return code != 0 and policy != "Never"
        return policy == "Always" or (policy == "OnFailure" and code != 0)

    async def _pause(self) -> None:
        ended = self.state.terminated
        if self.state.restarts > 0:
            seconds = self._backoff.next()
            self.state.last, self.state.terminated = ended, None
            self._waits("CrashLoopBackOff", f"back-off {seconds:g}s restarting failed container={self.name}")
            await self._sleep(seconds)

    def _waits(self, reason: str, message: str) -> None:
        if (self.state.waiting, self.state.message) != (reason, message):
            logger.warning("%s: %s: %s", self._full_name, reason, message)
        self.state.waiting, self.state.message = reason, message
        self.state.ready = self.state.started = False
        self.pod.changed()

    async def _sleep(self, seconds: float) -> None:
        """A pause that ends at once when the container is to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            signal_group(self._process.pid, number)

    async def _probe(self, launch: Launch) -> None:
        startup = self.spec.get("startupProbe")
        if startup and (
            reason := await probes.wait_started(self._check(startup, launch), Schedule.of(startup))
        ):
            self._unhealthy("startup", reason)
            return
        self.state.started = True
        self.state.ready = "readinessProbe" not in self.spec
        self.pod.changed()
        async with asyncio.TaskGroup() as group:
            if readiness := self.spec.get("readinessProbe"):
                check = self._check(readiness, launch)
                group.create_task(probes.watch(check, Schedule.of(readiness), self._readiness, good=False))
            if liveness := self.spec.get("livenessProbe"):
                check = self._check(liveness, launch)
                group.create_task(probes.watch(check, Schedule.of(liveness), self._liveness, good=True))

    def _check(self, probe: Object, launch: Launch) -> probes.Check:
        async def execute(command: Sequence[str]) -> str:
            return await probes.run_command(launch.translate(command), launch.env, str(launch.cwd))

        return probes.check_of(probe, self.spec, self.pod.address, execute)

    def _readiness(self, good: bool, reason: str) -> None:  # noqa: FBT001 - the verdict of a probe
        if not good:
            logger.info("%s is not ready: %s", self._full_name, reason)
        self.state.ready = good
        self.pod.changed()

    def _liveness(self, good: bool, reason: str) -> None:  # noqa: FBT001 - the verdict of a probe
        if not good:
            self._unhealthy("liveness", reason)

    def _unhealthy(self, kind: str, reason: str) -> None:
        """End the process; the restart policy decides what comes next."""
        logger.warning("%s failed its %s probe: %s", self._full_name, kind, reason)
        self._signal(self._launch.stop_signal if self._launch else signal.SIGTERM)
        asyncio.get_running_loop().call_later(_FIRST_PAUSE_S * 10, self._kill_if_still, self._process)

    def _kill_if_still(self, process: asyncio.subprocess.Process | None) -> None:
        if process is not None and process is self._process and process.returncode is None:
            self._signal(signal.SIGKILL)

    async def _pre_stop(self, launch: Launch) -> None:
        hook = self.spec.get("lifecycle", {}).get("preStop", {})
        if "sleep" in hook:
            await asyncio.sleep(hook["sleep"]["seconds"])
        elif "exec" in hook or "httpGet" in hook:
            # Whatever is wrong with the hook, the container ends.
            with contextlib.suppress(OSError, ValueError, ConfigError):
                await self._check(hook, launch)()


def _has_ended(process: asyncio.subprocess.Process) -> bool:
    return process.returncode is not None


def pretend(state: State) -> None:
    """A container whose image nobody can run here: it is up and well as soon as it is asked for."""
    state.waiting, state.started_at = None, now()
    state.ready = state.started = state.ever_ran = True
