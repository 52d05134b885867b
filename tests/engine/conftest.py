"""Small Pulumi projects run by the real engine: through this language host, killed, and tried again."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.plugins import install_plugins
from sandbox.progress import Progress
from sandbox.toolchain import ensure

STACK = "test"
# For what takes a few seconds on an idle machine.
DEADLINE_S = 180.0


@dataclass(frozen=True)
class Project:
    """A project directory and the environment that the engine runs it in."""

    directory: Path
    env: Mapping[str, str]
    pulumi: str

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content).lstrip("\n"), encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        return [self.pulumi, *arguments, "--non-interactive", "--color", "never"]

    def run(self, *arguments: str) -> "Finished":
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        return Finished(done.returncode, done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.directory,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def up(self, *arguments: str) -> "Finished":
        return self.run("up", "--yes", "--skip-preview", "--stack", STACK, *arguments)

    def outputs(self, *arguments: str) -> dict[str, object]:
        shown = self.run("stack", "output", "--json", "--stack", STACK, *arguments)
        return dict(json.loads(shown.output))


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it said."""

    status: int
    output: str


@dataclass(frozen=True)
class Engine:
    """What the projects of one test run share: the engine, its plugins and a backend."""

    pulumi: str
    env: Mapping[str, str] = field(repr=False)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    # The variable is for trying another engine than the toolchain's.
    pulumi = os.environ.get("HALFMETAL_PULUMI") or str(ensure(["engine"], Progress()).path("pulumi"))
    state = tmp_path_factory.mktemp("engine")
    install_plugins(state / "home", {})
    (state / "backend").mkdir()
    # Nothing of the user's own Pulumi: neither its login, nor its plugins, nor what is on the PATH.
    env = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    env |= {
        "PATH": "/usr/bin:/bin",
        "PULUMI_BACKEND_URL": f"file://{state / 'backend'}?metadata=skip",  # as in the sandbox's shell
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(state / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_PYTHON_CMD": sys.executable,
    }
    return Engine(pulumi, env)


@pytest.fixture
def project(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Project]:
    """Makes a project of some files and its stack; `runtime` are its runtime options."""

    def make(
        files: Mapping[str, str],
        *,
        runtime: Mapping[str, str] | None = None,
        extra: str = "",
        init: bool = True,
    ) -> Project:
        name = f"p{abs(hash(request.node.nodeid)) % 10**10}"
        directory = tmp_path / "project"
        directory.mkdir()
        made = Project(directory.resolve(), engine.env, engine.pulumi)
        options = {"virtualenv": sys.prefix} if runtime is None else dict(runtime)
        described = json.dumps({"name": "python", "options": options})
        (directory / "Pulumi.yaml").write_text(f"name: {name}\nruntime: {described}\n{extra}")
        made.write(files)
        if init:
            assert made.run("stack", "init", STACK).status == 0
        return made

    return make


@pytest.fixture
def processes() -> Callable[[Path], list[str]]:
    """The command lines of the processes that work in a directory or name it."""

    def find(directory: Path) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                place = (entry / "cwd").readlink()
            except OSError:  # it ended while we looked
                continue
            if line and (str(directory) in line or place.is_relative_to(directory)):
                found.append(line)
        return found

    return find
