"""Pulumi's own release, where this machine has it.

The sandbox needs an engine, its Python language host and two provider plugins. Upstream's are always better
than what we can build or imitate, so each one found here at a fitting version is used, and only the rest is
built. What is found on PATH inside a sandbox's own directories is ours, not upstream's, and does not count.

HALFMETAL_TOOLCHAIN chooses: `auto` (the default) uses what is there and never asks the network; `official`
also lets an official engine install the plugins that it lacks, and builds what cannot be had; `built` ignores
official programs, so that every machine runs the same ones.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sandbox.paths import StatePaths
from sandbox.progress import Progress
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.search import outside, which

VARIABLE = "HALFMETAL_TOOLCHAIN"
CHOICES = ("auto", "official", "built")
ENGINE, LANGUAGE_HOST = "pulumi", "pulumi-language-python"
# Resource plugins, by the name of the Python package whose version they must have.
PLUGINS = {"kubernetes": "pulumi-kubernetes", "aws": "pulumi-aws"}
OLDEST, FIRST_UNKNOWN = (3, 272, 0), (4, 0, 0)
_QUERY_TIMEOUT_S = 10.0
_INSTALL_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Official:
    """The official programs that fit, by name, and what to tell the user about those that do not."""

    programs: dict[str, Path]
    notes: tuple[str, ...] = ()


def choice() -> str:
    """What the user asked for. Raises ToolchainError on a word that means nothing here."""
    chosen = os.environ.get(VARIABLE, "") or "auto"
    if chosen not in CHOICES:
        raise ToolchainError(
            f"{VARIABLE}={chosen} is not a choice", f"set it to one of {', '.join(CHOICES)}, or unset it"
        )
    return chosen


def find(*, ours: tuple[Path, ...]) -> Official:
    """Look on PATH and in the plugin directory. `ours` are directories whose programs do not count."""
    programs, notes = _engine(ours)
    for plugin in PLUGINS:
        found = _plugin(plugin, ours)
        if found:
            programs[f"pulumi-resource-{plugin}"] = found
    return Official(programs, notes)


def install_plugins(
    official: Official, children: Children, progress: Progress, *, ours: tuple[Path, ...]
) -> Official:
    """Have the official engine fetch the missing plugins; what cannot be had is noted, never fatal."""
    programs, notes = dict(official.programs), list(official.notes)
    for plugin, package in PLUGINS.items():
        if f"pulumi-resource-{plugin}" in programs or ENGINE not in programs:
            continue
        with progress.step(f"official {plugin} plugin") as step:
            argv = [str(programs[ENGINE]), "plugin", "install", "resource", plugin, version(package)]
            # Into the home where they are looked for.
            home = str(_plugin_homes(ours)[0])
            env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": home}
            try:
                children.run(argv, env=env, on_line=step.log, timeout_s=_INSTALL_TIMEOUT_S)
            except CommandFailedError as error:
                notes.append(f"the official {plugin} plugin cannot be installed ({error}): using our own")
                step.result("not to be had")
        found = _plugin(plugin, ours)
        if found:
            programs[f"pulumi-resource-{plugin}"] = found
    return Official(programs, tuple(notes))


def _engine(ours: tuple[Path, ...]) -> tuple[dict[str, Path], tuple[str, ...]]:
    path = outside(ours)
    engine = which(ENGINE, path)
    if engine is None:
        return {}, ()
    host = which(LANGUAGE_HOST, [str(engine.resolve().parent), *path])
    if host is None:
        return {}, (f"{engine} has no {LANGUAGE_HOST} beside it or on PATH: using our own engine",)
    there = _version_of(engine)
    if not OLDEST <= there < FIRST_UNKNOWN:
        spoken = ".".join(map(str, there)) or "an unknown version"
        oldest = ".".join(map(str, OLDEST))
        return {}, (f"{engine} is {spoken}, not {oldest} or newer within 3.x: using our own engine",)
    return {ENGINE: engine, LANGUAGE_HOST: host}, ()


def _version_of(engine: Path) -> tuple[int, ...]:
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        answer = subprocess.run(
            [str(engine), "version"],
            capture_output=True,
            text=True,
            env=env,
            timeout=_QUERY_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"v?(\d+)\.(\d+)\.(\d+)", answer.stdout)
    return tuple(int(part) for part in match.groups()) if match else ()


def _plugin(name: str, ours: tuple[Path, ...]) -> Path | None:
    for home in _plugin_homes(ours):
        path = home / "plugins" / f"resource-{name}-v{version(PLUGINS[name])}" / f"pulumi-resource-{name}"
        # A plugin that is being installed has this file beside its directory until it is complete.
        partial = path.parent.with_name(f"{path.parent.name}.partial")
        if os.access(path, os.X_OK) and not partial.exists():
            return path
    return None


def _plugin_homes(ours: tuple[Path, ...]) -> list[Path]:
    """Where the user's plugins may be.

    A shell of a sandbox has that sandbox's PULUMI_HOME, in which our own plugins lie under upstream's names:
    taken for upstream's, each would be told to run itself. The user's are then where they always were.
    """
    named = os.environ.get("PULUMI_HOME", "")
    homes = [Path(named)] if named else []
    return [home for home in (*homes, Path.home() / ".pulumi") if not _is_a_sandbox_s(home, ours)]


def _is_a_sandbox_s(home: Path, ours: tuple[Path, ...]) -> bool:
    """Whether a PULUMI_HOME is of this clone's sandbox, or of another's."""
    resolved = home.resolve()
    paths = StatePaths(resolved.parent)
    in_another = resolved == paths.pulumi_home and paths.instance.exists()
    return in_another or any(resolved.is_relative_to(place) for place in ours)
