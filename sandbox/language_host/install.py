"""`pulumi install`: makes a virtual environment, installs a program's dependencies, shows the output."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from sandbox.language_host.children import Children
from sandbox.language_host.environment import Environment, Program, ambient, is_virtualenv
from sandbox.language_host.errors import HostError
from sandbox.language_host.options import Toolchain, search_up
from sandbox.language_host.streams import Source, read

Output = Iterator[tuple[Source, bytes]]


def install(program: Program, *, is_plugin: bool, children: Children) -> Output:
    """Yields the output of each step as it comes.

    Raises:
        HostError: a step failed, or its tool is missing.
    """
    # As with the official host, a plugin never lives in the machine's own Python.
    virtualenv = program.virtualenv(default="venv" if is_plugin else "")
    if virtualenv is not None and not is_virtualenv(virtualenv):
        yield _say(f"Creating virtual environment {virtualenv}...")
        yield from _run(children, program, _create(program, virtualenv))
    environment = Environment(virtualenv / "bin" / "python", virtualenv) if virtualenv else ambient()
    installer = command(program, environment)
    if installer is None:
        yield _say(
            f"Nothing to install: {program.directory} has neither a requirements.txt nor a pyproject.toml."
        )
        return
    yield _say("Installing dependencies...")
    yield from _run(children, program, installer, environment)
    yield _say("Finished installing dependencies")


def _create(program: Program, virtualenv: Path) -> list[str]:
    if program.toolchain is Toolchain.UV:
        return [_uv(), "venv", "--allow-existing", str(virtualenv)]
    python = ambient().python
    # Debian ships `venv` without the pip to put in it; uv needs neither.
    if _has_module(python, "ensurepip"):
        return [str(python), "-m", "venv", str(virtualenv)]
    return [_uv(), "venv", "--allow-existing", "--seed", "--python", str(python), str(virtualenv)]


def command(program: Program, environment: Environment) -> list[str] | None:
    """What installs the program's dependencies; None where it declares none."""
    if program.toolchain is Toolchain.UV and _has_project(program.directory):
        return [_uv(), "sync"]
    requirements = _declared(program.directory)
    if requirements is None:
        return None
    if program.toolchain is Toolchain.UV or not _has_module(environment.python, "pip"):
        return [_uv(), "pip", "install", "--python", str(environment.python), *requirements]
    return [str(environment.python), "-m", "pip", "install", *requirements]


def _declared(directory: Path) -> list[str] | None:
    if (directory / "requirements.txt").is_file():
        return ["-r", "requirements.txt"]
    return ["--editable", "."] if _has_project(directory) else None


def _has_project(directory: Path) -> bool:
    if search_up(directory, "uv.lock"):
        return True
    project = directory / "pyproject.toml"
    try:
        return project.is_file() and "project" in tomllib.loads(project.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise HostError(f"{project}: {error}") from error


def _run(
    children: Children,
    program: Program,
    argv: Sequence[str],
    environment: Environment | None = None,
) -> Output:
    variables = environment.variables(os.environ) if environment else dict(os.environ)
    if environment and environment.virtualenv:
        variables["UV_PROJECT_ENVIRONMENT"] = str(environment.virtualenv)
    child = children.start(
        argv, cwd=program.directory, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield from read(child)
    except GeneratorExit:
        children.stop(child)  # the engine has stopped listening
        raise
    if status := child.wait():
        raise HostError(f"`{' '.join(argv)}` exited with {status}; its output is above")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise HostError(
            "no `uv` on the PATH; install it (`pip install uv`), or set runtime.options.toolchain: pip"
        )
    return found


def _has_module(python: Path, module: str) -> bool:
    if python.resolve() == Path(sys.executable).resolve() and python.parent == Path(sys.executable).parent:
        return find_spec(module) is not None
    return not subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode


def _say(message: str) -> tuple[Source, bytes]:
    return Source.STDOUT, f"{message}\n".encode()
