"""Packages of Debian and its relatives, unpacked beside the system instead of installed into it.

apt fetches a package and the libraries that this machine lacks, with lists, cache and configuration of our
own: nothing is installed, nothing of the system changes and no root is needed. apt checks signatures as
always. What is fetched is unpacked into the cache, beside a wrapper that knows where the libraries are.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.progress import Step
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.failure import explain

TOOLS: Final = ("apt-get", "dpkg-deb")
_RECIPE: Final = 2  # part of every key: raise it when what `build` makes changes
_NETWORK_TIMEOUT_S: Final = 300.0
_QUERY_TIMEOUT_S: Final = 10.0

_APT_CONFIG = """\
Dir::State "{state}";
Dir::State::status "{status}";
Dir::Cache "{cache}";
Dir::Log "{state}/log";
Dir::Etc::main "{main}";
"""
# Read after the system's apt.conf.d, whose hooks would change the system (containers' images often have one
# that empties /var/cache/apt), while its proxies and credentials are still wanted.
_APT_MAIN = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
APT::Sandbox::User "";
Debug::NoLocking "true";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"""


@dataclass(frozen=True)
class Program:
    """A program, and the packages that it comes in."""

    name: str
    called: str
    """As errors name it, with the version that it must have."""
    packages: tuple[str, ...]
    path: str
    """Where the packages have it."""
    version: str
    """The option that has it say its version, and end."""
    remedy: str
    """How to have it without this."""
    exports: tuple[str, ...] = ()
    """Lines of shell for its wrapper; `$here` is the directory that `build` made."""

    def key(self) -> str:
        """The distribution, its release and the machine decide which packages they are."""
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            release = {}
        facts = (
            release.get("ID", ""),
            release.get("VERSION_ID", ""),
            platform.machine(),
            str(_RECIPE),
            *self.packages,
            *self.exports,
        )
        return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]

    def check_tools(self) -> None:
        """Raise ToolchainError if this machine has no way to fetch packages."""
        missing = [tool for tool in TOOLS if shutil.which(tool) is None]
        if missing:
            raise ToolchainError(
                f"{self.called} is not installed, and cannot be fetched without {' and '.join(missing)}",
                self.remedy,
            )

    def build(self, children: Children, step: Step, into: Path) -> dict[str, str]:
        """Fetch and unpack it below `into`; its wrapper's path there. Raises ToolchainError."""
        self.check_tools()
        apt = into / "apt"
        try:
            step.update(detail="reading the package lists")
            env = _private_apt(apt)
            _apt(children, step, env, "update")
            step.update(detail="downloading the packages")
            install = ("install", "--download-only", "--yes", "--no-install-recommends")
            _apt(children, step, env, *install, *self.packages)
            step.update(detail="unpacking")
            packages = sorted((apt / "cache" / "archives").glob("*.deb"))
            for package in packages:
                children.run(["dpkg-deb", "-x", str(package), str(into / "root")])
            if not (into / "root" / self.path).is_file():
                raise ToolchainError(
                    f"{self.name} cannot be fetched: the packages of this distribution have no {self.path}",
                    self.remedy,
                )
            children.run(
                [str(self._wrapper(into)), self.version], on_line=step.log, timeout_s=_QUERY_TIMEOUT_S
            )
        except CommandFailedError as error:
            raise explain(
                f"{self.name} cannot be fetched", error, otherwise=self.remedy, writes_to=[into.parents[1]]
            ) from error
        shutil.rmtree(apt, ignore_errors=True)
        step.result(", ".join(package.name.partition("_")[0] for package in packages))
        return {self.name: f"bin/{self.name}"}

    def _wrapper(self, into: Path) -> Path:
        """The program to call: it finds itself wherever the directory is moved to."""
        wrapper = into / "bin" / self.name
        wrapper.parent.mkdir()
        libraries = ":".join(
            f"$here/root/{shlex.quote(path)}" for path in _library_directories(into / "root")
        )
        lines = (
            "#!/bin/sh",
            'here=$(dirname "$(dirname "$(readlink -f "$0")")")',
            f'LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"',
            "export LD_LIBRARY_PATH",
            *self.exports,
            f'exec "$here/root/{self.path}" "$@"',
        )
        wrapper.write_text("".join(f"{line}\n" for line in lines))
        wrapper.chmod(0o755)
        return wrapper


def _private_apt(directory: Path) -> dict[str, str]:
    """An apt that keeps to itself: where to find it, as environment."""
    state, cache, main = directory / "state", directory / "cache", directory / "apt.conf"
    (state / "lists" / "partial").mkdir(parents=True)
    (cache / "archives" / "partial").mkdir(parents=True)
    system = Path("/etc/apt/apt.conf")
    main.write_text((system.read_text() if system.is_file() else "") + _APT_MAIN)
    config = directory / "first.conf"
    config.write_text(_APT_CONFIG.format(state=state, status="/var/lib/dpkg/status", cache=cache, main=main))
    return os.environ | {"APT_CONFIG": str(config), "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def _apt(children: Children, step: Step, env: dict[str, str], *arguments: str) -> None:
    children.run(["apt-get", "--quiet", *arguments], env=env, on_line=step.log, timeout_s=_NETWORK_TIMEOUT_S)


def _library_directories(root: Path) -> Sequence[str]:
    return sorted({str(path.parent.relative_to(root)) for path in root.rglob("*.so*") if path.is_file()})
