"""The Pulumi engine as a subprocess whose events are read while it works.

Every command runs with the environment of `sandbox.environment`, so it sees what a shell sees after
`eval "$(halfmetal sandbox env)"`. The engine's own words go to a log; its event stream, one JSON object a
line, becomes progress, policy findings and the reason of a failure.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import SandboxError
from sandbox.lifeline import Lifeline, dead_services
from sandbox.paths import REPO, StatePaths, state_dir
from sandbox.signals import interruptible, reached_children

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sandbox.progress import Step

POLICY_PACK = REPO / "policies"

# How often the event file is looked at: often enough for an eye, rare enough for a core.
_POLL_SECONDS = 0.1

# Operations that leave a resource as it is.
_UNCHANGED = frozenset({"same", "read", "refresh"})
# The two halves of a replacement: the stream tells of them and of the whole, the summary counts the whole.
_HALVES = frozenset({"create-replacement", "delete-replaced"})
# Providers that the engine makes for itself; the summary does not count them.
_OWN_PROVIDER = re.compile(r"::pulumi:providers:[^:]+::default[^:]*$")
# What the engine says after an error that it has told already.
_ECHO = re.compile(r"(update|preview|refresh|destroy) failed|Resource monitor has terminated, shutting down")


@dataclass(frozen=True)
class PolicyFinding:
    """One violation that the policy pack reported."""

    policy: str
    enforcement: str
    urn: str
    message: str


@dataclass
class Events:
    """What the event stream of one engine operation has told so far."""

    finished: Counter[str] = field(default_factory=Counter)
    in_progress: dict[str, str] = field(default_factory=dict)
    findings: list[PolicyFinding] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the program and the policy pack said, in the order they said it."""
    changes: dict[str, int] = field(default_factory=dict)

    def read(self, event: Mapping[str, Any]) -> None:
        """Take in one event of the stream; kinds not named here say nothing that is shown."""
        for kind, payload in event.items():
            match kind:
                case "resourcePreEvent":
                    self._pre(payload["metadata"])
                case "resOutputsEvent":
                    self._done(payload["metadata"])
                case "resOpFailedEvent":
                    self.in_progress.pop(payload["metadata"]["urn"], None)
                case "policyEvent":
                    self._policy(payload)
                case "diagnosticEvent":
                    self._diagnostic(payload)
                case "summaryEvent":
                    self.changes = dict(payload.get("resourceChanges") or {})
                case _:
                    continue

    @property
    def changed(self) -> int:
        """Resources that were created, updated, replaced or deleted so far, counted as `planned` does."""
        return sum(count for op, count in self.finished.items() if op not in _UNCHANGED | _HALVES)

    @property
    def planned(self) -> int:
        """Resources that the summary counts as created, updated, replaced or deleted."""
        return sum(count for op, count in self.changes.items() if op not in _UNCHANGED)

    @property
    def reasons(self) -> list[str]:
        """The errors, without those that only say that there was one."""
        return [error for error in self.errors if not _ECHO.fullmatch(error)] or self.errors

    def _pre(self, metadata: Mapping[str, Any]) -> None:
        if metadata["op"] not in _UNCHANGED:
            self.in_progress[metadata["urn"]] = short_name(metadata["urn"])

    def _done(self, metadata: Mapping[str, Any]) -> None:
        if not _OWN_PROVIDER.search(metadata["urn"]):
            self.finished[metadata["op"]] += 1
        self.in_progress.pop(metadata["urn"], None)

    def _diagnostic(self, payload: Mapping[str, Any]) -> None:
        message = payload["message"].strip()
        match payload.get("severity"):
            case "error":
                self.errors.append(message)
            case "info" | "info#err":
                self.notes.append(message)

    def _policy(self, payload: Mapping[str, Any]) -> None:
        self.findings.append(
            PolicyFinding(
                policy=payload["policyName"],
                enforcement=payload["enforcementLevel"],
                urn=payload.get("resourceUrn", ""),
                message=payload["message"].strip(),
            )
        )


@dataclass(frozen=True)
class Outcome:
    """How one engine operation ended."""

    command: str
    exit_code: int
    events: Events
    log: Path

    @property
    def ok(self) -> bool:
        return self.exit_code == 0


def short_name(urn: str) -> str:
    """`type name` of a URN, without stack, project and parents."""
    kind, _, name = urn.split("::", 2)[-1].partition("::")
    return f"{kind.rsplit('$', 1)[-1]} {name}"


class Engine:
    """Runs `pulumi` for the stacks of this project in one environment."""

    def __init__(self, env: Mapping[str, str], program: Path = REPO) -> None:
        self.env = dict(env)
        self.program = program

    def stacks(self) -> list[str]:
        """Names of the stacks that the backend holds."""
        answer = self.output(["stack", "ls", "--json"])
        return sorted(stack["name"].rsplit("/", 1)[-1] for stack in json.loads(answer))

    def ensure_stack(self, stack: str) -> None:
        if stack not in self.stacks():
            self.output(["stack", "init", "--no-select", "--stack", stack])

    def remove_stack(self, stack: str) -> None:
        self.output(["stack", "rm", "--yes", "--preserve-config", "--stack", stack])

    def outputs(self, stack: str) -> dict[str, Any]:
        """Stack outputs, secrets shown; SandboxError when no update of the stack has completed."""
        try:
            told = self.output(["stack", "output", "--json", "--show-secrets", "--stack", stack])
        except SandboxError:
            there = self.stacks()
            if stack in there:
                raise
            raise SandboxError(
                f"stack {stack!r} is not deployed",
                f"pulumi up -s {stack}, or name one that is: {', '.join(there) or 'there is none'}",
            ) from None
        answer = json.loads(told)
        if not answer:
            raise SandboxError(
                f"stack {stack!r} has no outputs: no update of it has completed",
                f"complete one: pulumi up -s {stack}",
            )
        return dict(answer)

    def preview(self, stack: str, step: Step | None = None, extra: Sequence[str] = ()) -> Outcome:
        """What `up` would do, with the policy pack judging it."""
        return self._operation("preview", stack, step, [*self._policies(), *extra])

    def up(self, stack: str, step: Step | None = None, extra: Sequence[str] = ()) -> Outcome:
        return self._operation("up", stack, step, ["--yes", "--skip-preview", *self._policies(), *extra])

    def destroy(self, stack: str, step: Step | None = None) -> Outcome:
        return self._operation("destroy", stack, step, ["--yes", "--skip-preview"])

    def refresh(self, stack: str, step: Step | None = None) -> Outcome:
        """Takes into the state what there is; what is gone is made again by the next `up`."""
        return self._operation("refresh", stack, step, ["--yes", "--skip-preview"])

    @staticmethod
    def _policies() -> list[str]:
        return ["--policy-pack", str(POLICY_PACK)]

    def _operation(self, name: str, stack: str, step: Step | None, arguments: Sequence[str]) -> Outcome:
        command = [name, "--stack", stack, "--non-interactive", "--color", "never", *arguments]
        paths = StatePaths(state_dir())
        for directory in (paths.logs, paths.tmp):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = paths.logs / f"pulumi-{name}-{stack}.log"
        events = Events()
        with tempfile.TemporaryDirectory(dir=paths.tmp) as folder, log.open("w") as output:
            path = Path(folder) / "events.json"
            process = subprocess.Popen(
                [self._pulumi(), *command, "--event-log", str(path)],
                cwd=self.program,
                # The event log is one of the engine's options for its own automation. What a killed engine
                # leaves lies where `down` removes it.
                env=self.env | {"PULUMI_DEBUG_COMMANDS": "true", "TMPDIR": str(paths.tmp)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            lifeline = Lifeline(process, lambda: dead_services(paths.run))

            def meanwhile() -> None:
                _show(step, events)
                lifeline.look()

            try:
                with interruptible():
                    self._follow(process, path, events, meanwhile)
            except BaseException as fault:
                _interrupt(process, told=reached_children(fault))
                raise
        return Outcome(f"pulumi {name} -s {stack}", process.wait(), events, log)

    @staticmethod
    def _follow(
        process: subprocess.Popen[bytes], path: Path, events: Events, meanwhile: Callable[[], None]
    ) -> None:
        ended = threading.Event()

        def wait() -> None:
            process.wait()
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        lines = _Lines(path)
        while True:
            # Read once more after the end: the last events are written just before it.
            last = ended.wait(_POLL_SECONDS)
            for line in lines.new():
                events.read(json.loads(line))
            meanwhile()
            if last:
                return

    def output(self, arguments: Sequence[str], given: str = "") -> str:
        """What a short command answers; `given` goes to its standard input."""
        done = subprocess.run(
            [self._pulumi(), *arguments, "--non-interactive", "--color", "never"],
            cwd=self.program,
            env=self.env,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SandboxError(
                what=f"`pulumi {' '.join(arguments)}` failed: {done.stderr.strip() or done.stdout.strip()}",
                remedy='run it yourself after: eval "$(halfmetal sandbox env)"',
            )
        return done.stdout

    def _pulumi(self) -> str:
        found = shutil.which("pulumi", path=self.env.get("PATH"))
        if found is None:
            raise SandboxError(what="no `pulumi` in the sandbox", remedy="start it: halfmetal sandbox up")
        return found


class _Lines:
    """The whole lines that a growing file has gained since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new(self) -> Iterator[str]:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield line.decode()


def _show(step: Step | None, events: Events) -> None:
    if step is not None:
        step.update(done=events.changed, detail=", ".join(sorted(events.in_progress.values())[:3]))


def _interrupt(process: subprocess.Popen[bytes], *, told: bool) -> None:
    """Let the engine finish what it began and write its state. A second signal would make it drop all that:
    one that it was told of by the terminal is not sent again, and another Ctrl-C is the user's to type.
    """
    if process.poll() is None:
        if not told:
            process.send_signal(signal.SIGINT)
        process.wait()
