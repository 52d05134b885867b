"""`runtime.options` of a Pulumi.yaml, PulumiPolicy.yaml or PulumiPlugin.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from sandbox.language_host.errors import HostError

_Choice = TypeVar("_Choice", bound=StrEnum)
_EXAMPLES = {"virtualenv": ".venv", "toolchain": "pip", "typechecker": "mypy"}


class Toolchain(StrEnum):
    """What installs a program's dependencies and decides where its virtual environment is."""

    PIP = "pip"
    UV = "uv"


class Typechecker(StrEnum):
    """What checks a program before it runs."""

    MYPY = "mypy"
    PYRIGHT = "pyright"


@dataclass(frozen=True)
class Options:
    """The options as written. `toolchain` is None where it is left to the lock file beside the program."""

    toolchain: Toolchain | None = None
    virtualenv: str = ""
    typechecker: Typechecker | None = None


def parse(options: Mapping[str, object]) -> Options:
    """Reads the options this host knows and, like the official host, leaves the others alone.

    Raises:
        HostError: a value is of the wrong type, not one of those allowed, or not one this host serves.
    """
    virtualenv = _text(options, "virtualenv")
    toolchain = _text(options, "toolchain").lower()
    if toolchain == "poetry":
        raise HostError(
            "runtime.options.toolchain: poetry is not supported by this language host; "
            "write `toolchain: uv` or `toolchain: pip`"
        )
    return Options(
        toolchain=_one_of(Toolchain, "toolchain", toolchain),
        virtualenv=virtualenv,
        typechecker=_one_of(Typechecker, "typechecker", _text(options, "typechecker").lower()),
    )


def detect_toolchain(program_directory: Path) -> Toolchain:
    """The toolchain of a program that names none: that of the nearest lock file, else pip.

    Raises:
        HostError: the lock file is poetry's.
    """
    if search_up(program_directory, "uv.lock"):
        return Toolchain.UV
    if lock := search_up(program_directory, "poetry.lock"):
        raise HostError(
            f"{lock}: poetry is not supported by this language host; "
            "set runtime.options.toolchain to uv or pip"
        )
    return Toolchain.PIP


def search_up(directory: Path, name: str) -> Path | None:
    """The nearest file of that name in a directory or one above it."""
    for candidate in (directory, *directory.parents):
        if (candidate / name).is_file():
            return candidate / name
    return None


def _text(options: Mapping[str, object], key: str) -> str:
    value = options.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        example = _EXAMPLES[key]
        raise HostError(
            f"runtime.options.{key}: {value!r} is not a string; write for example `{key}: {example}`"
        )
    return value


def _one_of(choices: type[_Choice], key: str, value: str) -> _Choice | None:
    if not value:
        return None
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choices)
        raise HostError(f"runtime.options.{key}: {value!r} is not known; write one of {known}") from None
