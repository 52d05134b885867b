"""HAProxy, which no Go or Python registry has: the system's own, or the distribution's package unpacked.

If `haproxy` is installed and new enough, it is used. If not, and the distribution is Debian's or a relative
of it, apt fetches the package and the libraries that this machine lacks, with lists, cache and configuration
of our own: nothing is installed, nothing of the system changes and no root is needed. apt checks signatures
as always. The packages are unpacked into the cache, beside a wrapper that knows where the libraries are.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.progress import Step
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.failure import explain
from sandbox.toolchain.search import outside, which
from sandbox.toolchain.space import Need

MINIMUM = (2, 6)
RECIPE = 1  # part of the key: raise it when what `build` makes changes
TOOLS = ("apt-get", "dpkg-deb")
PACKAGE_BYTES = 150_000_000  # the package lists are most of it
_DIRECTORIES = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on an ordinary user's PATH
_NETWORK_TIMEOUT_S = 300.0
_QUERY_TIMEOUT_S = 10.0
_REMEDY = "install haproxy 2.6 or newer with the system's package manager, so that `haproxy -v` works"

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


def key() -> str:
    """The distribution, its release and the machine decide which package it is."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    facts = (release.get("ID", ""), release.get("VERSION_ID", ""), platform.machine(), str(RECIPE))
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


def needs(store: Path) -> list[Need]:
    """The room that fetching takes."""
    return [Need(store, PACKAGE_BYTES, "gateway, haproxy package and package lists")]


def check_tools() -> None:
    """Raise ToolchainError if this machine has no way to fetch the package."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise ToolchainError(
            f"haproxy 2.6 or newer is not installed, and cannot be fetched without {' and '.join(missing)}",
            _REMEDY,
        )


def build(children: Children, step: Step, into: Path) -> dict[str, str]:
    """Fetch and unpack haproxy below `into`; its path there."""
    check_tools()
    apt = into / "apt"
    try:
        step.update(detail="reading the package lists")
        env = _private_apt(apt)
        _apt(children, step, env, "update")
        step.update(detail="downloading the packages")
        _apt(children, step, env, "install", "--download-only", "--yes", "--no-install-recommends", "haproxy")
        step.update(detail="unpacking")
        packages = sorted((apt / "cache" / "archives").glob("*.deb"))
        for package in packages:
            children.run(["dpkg-deb", "-x", str(package), str(into / "root")])
        children.run([str(_wrapper(into)), "-v"], on_line=step.log, timeout_s=_QUERY_TIMEOUT_S)
    except CommandFailedError as error:
        raise explain(
            "haproxy cannot be fetched", error, otherwise=_REMEDY, writes_to=[into.parents[1]]
        ) from error
    shutil.rmtree(apt, ignore_errors=True)
    step.result(", ".join(package.name.partition("_")[0] for package in packages))
    return {"haproxy": "bin/haproxy"}


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


def _wrapper(into: Path) -> Path:
    """The program to call: it finds itself wherever the directory is moved to."""
    wrapper = into / "bin" / "haproxy"
    wrapper.parent.mkdir()
    libraries = ":".join(f"$here/root/{shlex.quote(path)}" for path in _library_directories(into / "root"))
    wrapper.write_text(
        "#!/bin/sh\n"
        'here=$(dirname "$(dirname "$(readlink -f "$0")")")\n'
        f'LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"\n'
        "export LD_LIBRARY_PATH\n"
        'exec "$here/root/usr/sbin/haproxy" "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper


def _library_directories(root: Path) -> Sequence[str]:
    return sorted({str(path.parent.relative_to(root)) for path in root.rglob("*.so*") if path.is_file()})
