"""HAProxy, which no Go or Python registry has: the system's own, or the distribution's package unpacked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

from sandbox.toolchain.debian import Program
from sandbox.toolchain.search import outside, which
from sandbox.toolchain.space import Need

MINIMUM = (2, 6)
PROGRAM: Final = Program(
    name="haproxy",
    called="haproxy 2.6 or newer",
    packages=("haproxy",),
    path="usr/sbin/haproxy",
    version="-v",
    remedy="install haproxy 2.6 or newer with the system's package manager, so that `haproxy -v` works",
)
PACKAGE_BYTES = 150_000_000  # the package lists are most of it
_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on an ordinary user's PATH
_QUERY_TIMEOUT_S = 10.0


def installed(*, ours: tuple[Path, ...]) -> Path | None:
    """The system's haproxy, if it is new enough. What lies in `ours` is a sandbox's, not the system's."""
    found = which("haproxy", outside(ours, _DIRECTORIES))
    return found if found and version_of(found) >= MINIMUM else None


def version_of(program: Path) -> tuple[int, ...]:
    """Its version as numbers, or none when it does not say one."""
    try:
        answer = subprocess.run(
            [str(program), "-v"], capture_output=True, text=True, timeout=_QUERY_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"version (\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def needs(store: Path) -> list[Need]:
    """The room that fetching takes."""
    return [Need(store, PACKAGE_BYTES, "gateway, haproxy package and package lists")]
