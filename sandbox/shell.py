"""The programs that a shell of the sandbox finds first on its PATH.

Links into the toolchain, so that `pulumi`, `kubectl`, `aws` and `haproxy` are the sandbox's whatever else the
machine has; `pulumi` through a wrapper (see `sandbox.stack_files`). `halfmetal` is there too, since every
remedy names it and few have `.venv/bin` on their PATH. The engine's plugins are not among them:
it would warn about each one that it finds on the PATH, and they are installed in its home instead (see
`sandbox.plugins`).
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.instance import Instance
from sandbox.plugins import install_engine, install_plugins

_FROM_TOOLCHAIN = ("kubectl", "haproxy")
_BESIDE_PYTHON = ("aws", "halfmetal")


def install(instance: Instance, programs: Mapping[str, Path]) -> None:
    """Write the links and the engine's home anew, from the programs that the toolchain has."""
    paths = instance.paths
    paths.bin.mkdir(parents=True, exist_ok=True)
    paths.backend.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside_python = Path(sys.executable).parent
    targets = {name: programs[name] for name in _FROM_TOOLCHAIN if name in programs}
    targets |= {name: beside_python / name for name in _BESIDE_PYTHON}
    for name, target in targets.items():
        _link(paths.bin / name, target)
    if "pulumi" in programs:
        install_engine(paths.bin, programs["pulumi"])
    install_plugins(paths.pulumi_home, programs)


def _link(path: Path, target: Path) -> None:
    """Point a link somewhere in one step: a shell that is using it sees the old program or the new."""
    if path.is_symlink() and path.readlink() == target:
        return
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)
