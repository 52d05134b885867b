"""A sandbox of the tests' own and the shells that work against it, as a person would use them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

REPO = Path(__file__).resolve().parents[2]
HALFMETAL = str(Path(sys.executable).with_name("halfmetal"))
STACK_FILES = REPO / "stacks"

Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Shell:
    """What a person's shell is: an environment, a working directory, and commands that end."""

    env: Mapping[str, str]
    cwd: Path = REPO

    def run(self, *argv: str, deadline: float = 300, **env: str) -> Finished:
        """Run to the end; the caller judges the exit code. Nothing of it outlives the deadline."""
        process = subprocess.Popen(
            argv,
            cwd=self.cwd,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=deadline)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return subprocess.CompletedProcess(argv, process.returncode, out, err)

    def ok(self, *argv: str, **env: str) -> str:
        """Standard output of a command that must succeed."""
        return succeeded(self.run(*argv, **env)).stdout

    def json(self, *argv: str) -> Any:
        return json.loads(self.ok(*argv))

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start in a process group of its own, so that a test can kill all of it."""
        return subprocess.Popen(
            argv,
            cwd=self.cwd,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def succeeded(done: Finished) -> Finished:
    """The same, if it did; what it said otherwise."""
    words = f"{' '.join(map(str, done.args))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert done.returncode == 0, words
    return done


@dataclass
class Sandbox:
    """A sandbox of the tests, and what has been deployed to it."""

    state: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """What else the shells of its user have set."""
    empty: dict[str, set[str]] = field(default_factory=dict)
    """What its services held before anything was deployed."""
    deployed: dict[str, Deployed] = field(default_factory=dict)

    @property
    def outside(self) -> Shell:
        """A shell that knows only where the state is."""
        return Shell({**os.environ, **self.variables, "HALFMETAL_STATE_DIR": str(self.state)})

    @cached_property
    def shell(self) -> Shell:
        """A shell after `eval "$(halfmetal sandbox env)"`."""
        variables = self.outside.json(HALFMETAL, "sandbox", "env", "--json")
        return Shell({**self.outside.env, **variables})

    @property
    def instance(self) -> dict[str, Any]:
        """Ports and the like."""
        found: dict[str, Any] = json.loads((self.state / "instance.json").read_text())
        return found

    def status(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """The exit code of `status`, and the services by name."""
        done = self.outside.run(HALFMETAL, "sandbox", "status", "--json")
        return done.returncode, {each["name"]: each for each in json.loads(done.stdout)["services"]}

    def services(self) -> dict[str, dict[str, Any]]:
        """By name, as `status` tells them."""
        return self.status()[1]

    def processes(self) -> list[psutil.Process]:
        """What works for it: names its state in the command line or the environment, or lives in there."""
        needle = str(self.state)
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                words = [*process.cmdline(), *process.environ().values(), process.cwd()]
                if any(needle in word for word in words) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def deploy(self, stack: str) -> Deployed:
        """Deploy as a person does, once; what came of it is remembered."""
        if stack not in self.deployed:
            self.deployed[stack] = Deployed.now(stack, self)
        return self.deployed[stack]

    def exported(self, stack: str) -> dict[str, Any]:
        """The engine's state of a stack."""
        state: dict[str, Any] = self.shell.json("pulumi", "stack", "export", "-s", stack)
        return state


@contextlib.contextmanager
def running(state: Path, topology: str, variables: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """A sandbox for as long as the block runs, and whatever happens in it or at its start."""
    made = Sandbox(state, variables or {})
    try:
        made.outside.ok(HALFMETAL, "sandbox", "up", "--topology", topology)
        yield made
    finally:
        made.outside.ok(HALFMETAL, "sandbox", "down")


@dataclass(frozen=True)
class Deployed:
    """A stack that was deployed, and what was asked of the engine right after, in this order."""

    stack: str
    sandbox: Sandbox
    files: Mapping[Path, bytes]
    """The stack files as they were before."""
    up: Finished
    preview: Finished
    refresh: Finished
    preview_after_refresh: Finished
    up_again: Finished

    @classmethod
    def now(cls, stack: str, sandbox: Sandbox) -> Deployed:
        files = {path: path.read_bytes() for path in STACK_FILES.iterdir() if path.is_file()}
        up = sandbox.outside.run(HALFMETAL, "up", stack, "--json")
        if up.returncode:
            return cls(stack, sandbox, files, up, up, up, up, up)

        def pulumi(verb: str, *words: str) -> Finished:
            expected = ("--expect-no-changes", "--diff", "--non-interactive")
            return sandbox.shell.run("pulumi", verb, "-s", stack, *expected, *words)

        return cls(
            stack,
            sandbox,
            files,
            up,
            preview=pulumi("preview"),
            refresh=pulumi("refresh", "--yes", "--skip-preview"),
            preview_after_refresh=pulumi("preview"),
            up_again=sandbox.outside.run(HALFMETAL, "up", stack, "--json"),
        )

    @cached_property
    def report(self) -> dict[str, Any]:
        """What `up --json` told."""
        found: dict[str, Any] = json.loads(succeeded(self.up).stdout)
        return found

    @property
    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.report["outputs"]
        return found

    @property
    def models(self) -> dict[str, dict[str, Any]]:
        """The workloads by name, as the stack's outputs tell them."""
        return {model["name"]: model for model in self.outputs["models"]}

    @cached_property
    def state(self) -> dict[str, Any]:
        """The engine's state."""
        return self.sandbox.exported(self.stack)

    def infer(self, model: str, *texts: str) -> list[list[float]]:
        """The embeddings that a model answers."""
        tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}
        answer = request("POST", f"{self.models[model]['url']}/infer", {"inputs": [tensor]})
        assert answer.status_code == httpx.codes.OK, answer.text
        (output,) = answer.json()["outputs"]
        rows, width = output["shape"]
        return [output["data"][row * width : (row + 1) * width] for row in range(rows)]


def request(method: str, url: str, body: Any = None) -> httpx.Response:
    """One request to whatever is behind a URL of the sandbox; not every resolver knows .localhost."""
    parts = urlsplit(url)
    headers = {"Host": parts.netloc}
    if (parts.hostname or "").endswith(".localhost"):
        url = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
    return httpx.request(method, url, json=body, headers=headers, timeout=30, trust_env=False)


def wait_for(condition: Callable[[], bool], what: str, deadline: float = 60.0) -> None:
    """Look again until the condition holds or the deadline passes."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline:.0f} s: {what}"
        time.sleep(0.05)
