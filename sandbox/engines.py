"""The engine's processes of one sandbox, told from all others by their `PULUMI_HOME`.

A shell of the sandbox has that variable too, and hands it to every editor and shell that is started from it:
it takes the command line as well to tell what may be ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

_MODULES = frozenset({"sandbox.aws.provider", "sandbox.language_host", "pulumi.dynamic"})


def engines(pulumi_home: Path) -> list[psutil.Process]:
    """Engines at work, whoever started them."""
    return [process for process, line in _of(pulumi_home) if line and Path(line[0]).name == "pulumi"]


def orphaned_plugins(pulumi_home: Path) -> list[psutil.Process]:
    """Plugins that no engine is parent to."""
    return [process for process, line in _of(pulumi_home) if _is_plugin(line) and not _has_engine(process)]


def _of(pulumi_home: Path) -> Iterator[tuple[psutil.Process, Sequence[str]]]:
    for process in psutil.process_iter(["cmdline", "environ"]):
        if (process.info["environ"] or {}).get("PULUMI_HOME") == str(pulumi_home):
            yield process, process.info["cmdline"] or []


def _is_plugin(line: Sequence[str]) -> bool:
    return bool(_MODULES & set(line)) or any(
        Path(word).name.startswith("pulumi-resource-") for word in line[:2]
    )


def _has_engine(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
        return parent is not None and "pulumi" in parent.name()
    except psutil.NoSuchProcess:
        return False
