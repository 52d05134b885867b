"""The Python environment a program, policy pack or plugin runs in."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.language_host.errors import HostError
from sandbox.language_host.options import Options, Toolchain, detect_toolchain, search_up


@dataclass(frozen=True)
class Program:
    """Where a program is and how it asks to be run."""

    root: Path
    """The directory of its Pulumi.yaml (PulumiPolicy.yaml, PulumiPlugin.yaml)."""
    directory: Path
    """The directory of its code: `main` of the Pulumi.yaml, else the root."""
    options: Options

    @property
    def toolchain(self) -> Toolchain:
        return self.options.toolchain or detect_toolchain(self.directory)

    def virtualenv(self, default: str = "") -> Path | None:
        """The virtual environment the options lead to, there or not. None is the ambient Python."""
        named = self.options.virtualenv or default
        if named:
            return self.root / named
        if self.toolchain is Toolchain.UV:
            return _uv_environment(self.directory)
        return None


@dataclass(frozen=True)
class Environment:
    """An interpreter and, where it belongs to one, its virtual environment."""

    python: Path
    virtualenv: Path | None

    def variables(self, base: Mapping[str, str]) -> dict[str, str]:
        """The given environment variables, as they are with the virtual environment activated."""
        variables = dict(base)
        if self.virtualenv is None:
            return variables
        variables.pop("PYTHONHOME", None)
        variables["VIRTUAL_ENV"] = str(self.virtualenv)
        variables["PATH"] = os.pathsep.join(filter(None, (str(self.virtualenv / "bin"), base.get("PATH"))))
        return variables


def resolve(program: Program) -> Environment:
    """The environment of a program.

    Raises:
        HostError: its virtual environment is missing or is none, or there is no Python.
    """
    virtualenv = program.virtualenv()
    return ambient() if virtualenv is None else _existing(program, virtualenv)


def resolve_plugin(program: Program) -> Environment:
    """The environment of a policy pack or plugin: the named one, else `venv` beside it, else the ambient."""
    if program.virtualenv() is None and not is_virtualenv(program.root / "venv"):
        return ambient()
    virtualenv = program.virtualenv(default="venv")
    assert virtualenv is not None  # a default was given
    return _existing(program, virtualenv)


def ambient() -> Environment:
    """The Python of the machine: `PULUMI_PYTHON_CMD`, else `python3` or `python` on the PATH."""
    chosen = os.environ.get("PULUMI_PYTHON_CMD")
    candidates = [chosen] if chosen else ["python3", "python"]
    for candidate in candidates:
        if found := shutil.which(candidate):
            return Environment(Path(found), None)
    raise HostError(f"no {' or '.join(candidates)} on the PATH; install Python 3.10 or newer")


def is_virtualenv(directory: Path) -> bool:
    return (directory / "bin" / "python").is_file()


def _existing(program: Program, virtualenv: Path) -> Environment:
    if is_virtualenv(virtualenv):
        return Environment(virtualenv / "bin" / "python", virtualenv)
    what = "is not a virtual environment" if virtualenv.exists() else "does not exist"
    option = program.options.virtualenv
    said = f"runtime.options.virtualenv is {option!r}, but " if option else ""
    raise HostError(
        f"{said}{virtualenv} {what}; run `pulumi install` in {program.root} to create it with the program's "
        "dependencies"
    )


def _uv_environment(directory: Path) -> Path:
    """Where uv itself puts the environment: beside the nearest lock or project file."""
    project = search_up(directory, "uv.lock") or search_up(directory, "pyproject.toml")
    home = project.parent if project else directory
    return home / os.environ.get("UV_PROJECT_ENVIRONMENT", ".venv")
