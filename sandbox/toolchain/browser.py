"""A browser, for tests to look at pages with: the system's own, or the distribution's Chromium unpacked.

Nothing that a sandbox runs needs it.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path
from typing import Final

from sandbox.progress import Step
from sandbox.toolchain.children import Children
from sandbox.toolchain.debian import Program
from sandbox.toolchain.search import outside, which
from sandbox.toolchain.space import Need

MINIMUM = (131,)  # the first that lets a style sheet print what is folded
PROGRAM: Final = Program(
    name="chromium",
    called="Chromium 131 or newer",
    packages=("chromium", "fonts-liberation"),
    path="usr/lib/chromium/chromium",
    version="--version",
    remedy="install Chromium or Chrome 131 or newer, so that `chromium --version` works",
    exports=('FONTCONFIG_FILE="$here/fonts.conf"', "export FONTCONFIG_FILE"),
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PACKAGE_BYTES = 900_000_000  # packages, lists, and both unpacked
_QUERY_TIMEOUT_S = 30.0
_FAMILIES: Final = {
    "system-ui": "Liberation Sans",
    "sans-serif": "Liberation Sans",
    "serif": "Liberation Serif",
    "monospace": "Liberation Mono",
}
_FAMILY: Final = """\
  <match target="pattern">
    <test name="family"><string>{asked}</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>{given}</string></edit>
  </match>
"""
_FONTS: Final = f"""\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">root/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
{"".join(_FAMILY.format(asked=asked, given=given) for asked, given in _FAMILIES.items())}\
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""


def installed(*, ours: tuple[Path, ...]) -> Path | None:
    """The system's browser, if it is new enough. What lies in `ours` is not the system's."""
    directories = outside(ours)
    found = (which(name, directories) for name in _NAMES)
    return next((path for path in found if path and version_of(path) >= MINIMUM), None)


def version_of(program: Path) -> tuple[int, ...]:
    """Its version as numbers, or none when it does not say one."""
    try:
        answer = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=_QUERY_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"Chrom\w* (\d+(?:\.\d+)*)", answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def key() -> str:
    """The packages, and the fonts that it is told to draw with."""
    return hashlib.sha256(f"{PROGRAM.key()}\0{_FONTS}".encode()).hexdigest()[:16]


def needs(store: Path) -> list[Need]:
    """The room that fetching takes."""
    return [Need(store, _PACKAGE_BYTES, "browser, packages and package lists")]


def build(children: Children, step: Step, into: Path) -> dict[str, str]:
    """Fetch and unpack Chromium with fonts to draw with; its path below `into`."""
    (into / "fonts.conf").write_text(_FONTS)
    return PROGRAM.build(children, step, into)
