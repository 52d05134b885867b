"""The AWS emulator's own Python environment.

The emulator pins libraries at other versions than halfmetal does, so it gets an environment of its own, made
by the `uv` that is installed beside halfmetal, from the locked file and nothing else: every package must have
the hash that is written there.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path

from uv import find_uv_bin

from sandbox.paths import REPO
from sandbox.progress import Step
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.failure import explain
from sandbox.toolchain.space import Need

PROGRAM = "emulator-python"
REQUIREMENTS = REPO / "requirements" / "emulator.txt"
RECIPE = 1  # part of the key: raise it when what `build` makes changes
ENVIRONMENT_BYTES = 120_000_000
_TIMEOUT_S = 900.0


def key(requirements: Path = REQUIREMENTS) -> str:
    """What is in it depends on the locked file, the interpreter and the machine."""
    facts = (sys.version, sys.base_prefix, platform.machine(), str(RECIPE))
    return hashlib.sha256("\0".join(facts).encode() + requirements.read_bytes()).hexdigest()[:16]


def needs(store: Path) -> list[Need]:
    """The room that the environment takes."""
    return [Need(store, ENVIRONMENT_BYTES, "emulator, Python environment")]


def build(children: Children, step: Step, into: Path, requirements: Path = REQUIREMENTS) -> dict[str, str]:
    """Make the environment below `into`; its interpreter's path there."""
    uv = find_uv_bin()
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    python = into / "venv" / "bin" / "python"
    interpreter = str(
        Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    )
    # Relocatable: the environment is made in one place and moved to another when it is complete.
    make = [
        uv,
        "venv",
        "--quiet",
        "--relocatable",
        "--no-project",
        "--python",
        interpreter,
        str(into / "venv"),
    ]
    install = [
        uv,
        "pip",
        "install",
        "--python",
        str(python),
        "--require-hashes",
        "--no-deps",
        "--compile-bytecode",
    ]
    try:
        children.run(make, env=env, on_line=step.log, timeout_s=_TIMEOUT_S)
        step.update(detail="installing packages")
        children.run([*install, "-r", str(requirements)], env=env, on_line=step.log, timeout_s=_TIMEOUT_S)
    except CommandFailedError as error:
        raise explain(
            "the emulator's Python environment cannot be made",
            error,
            writes_to=[into.parents[1]],
            otherwise="check the package index that uv is configured with, then run the same command again",
        ) from error
    return {PROGRAM: "venv/bin/python"}
