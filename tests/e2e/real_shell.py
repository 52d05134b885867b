"""A sandbox of the tests' own and the shells that work against it, as a person would use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
HALFMETAL = str(Path(sys.executable).with_name("halfmetal"))


@dataclass(frozen=True)
class Shell:
    """What a person's shell is: an environment, a working directory, and commands that end."""

    env: Mapping[str, str]
    cwd: Path = REPO

    def run(self, *argv: str, deadline: float = 600, **env: str) -> subprocess.CompletedProcess[str]:
        """Run to the end; the caller judges the exit code."""
        return subprocess.run(
            argv,
            cwd=self.cwd,
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=deadline,
            check=False,
        )

    def ok(self, *argv: str, **env: str) -> str:
        """Standard output of a command that must succeed."""
        done = self.run(*argv, **env)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

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


@dataclass
class Sandbox:
    """A sandbox of the tests, and what has been deployed to it."""

    state: Path
    deployed: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def outside(self) -> Shell:
        """A shell that knows only where the state is."""
        return Shell({**os.environ, "HALFMETAL_STATE_DIR": str(self.state)})

    @property
    def shell(self) -> Shell:
        """A shell after `eval "$(halfmetal sandbox env)"`."""
        variables = self.outside.json(HALFMETAL, "sandbox", "env", "--json")
        return Shell({**self.outside.env, **variables})

    def up(self, stack: str) -> dict[str, Any]:
        """Deploy with the command a person types; remembered, since it takes its time."""
        if stack not in self.deployed:
            self.deployed[stack] = self.outside.json(HALFMETAL, "up", stack, "--json")
        return self.deployed[stack]


def wait_for(condition: Callable[[], bool], what: str, deadline: float = 60.0) -> None:
    """Look again until the condition holds or the deadline passes."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not within {deadline:.0f} s: {what}"
        time.sleep(0.05)
