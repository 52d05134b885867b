"""The engine and its plugins, set up for one sandbox.

The engine looks for a plugin on the PATH, beside its own binary and in its home. One on the PATH works, at
the price of a warning in every command; one it cannot find it tries to download, which costs seconds and a
network. So each plugin is installed in the sandbox's own `PULUMI_HOME`, under the version that the Python SDK
asks for: nothing is warned about, nothing is downloaded, and no plugin of the user's is seen or touched.

The engine itself comes on the PATH as a wrapper that keeps the stack files clean (see `stack_files`).
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sandbox import stack_files
from sandbox.files import write_atomically
from sandbox.paths import REPO

_NOT_BUILT = """\
echo 'a pure sandbox has no Kubernetes provider; start one with a cluster: make up STACK=hybrid' >&2
exit 1
"""


@dataclass(frozen=True)
class Plugin:
    """One plugin: what the engine calls it, and the shell commands that become it."""

    kind: str
    name: str
    version: str
    script: str

    @property
    def file(self) -> str:
        """Its place below the engine's plugin directory."""
        return f"{self.kind}-{self.name}-v{self.version}/pulumi-{self.kind}-{self.name}"


def install_engine(bin_dir: Path, pulumi: Path, repository: Path = REPO) -> None:
    """Puts `pulumi` into a directory that goes on the PATH.

    Args:
        bin_dir: the directory.
        pulumi: the engine's binary.
        repository: the clone whose stack files are to be kept clean.
    """
    wrapper = [sys.executable, "-I", "-S", stack_files.__file__, str(repository), str(pulumi)]
    _write(bin_dir / "pulumi", _exec(wrapper))


def install_plugins(pulumi_home: Path, programs: Mapping[str, Path]) -> None:
    """Installs, or brings up to date, every plugin that programs of this project ask for.

    Args:
        pulumi_home: the `PULUMI_HOME` of the sandbox.
        programs: the toolchain's, by name. An official provider plugin among them is used, else our own.
    """
    scratch = pulumi_home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The Kubernetes provider writes a kubeconfig at every start, and never removes it.
    here = f"export TMPDIR={shlex.quote(str(scratch))}\n"
    for plugin in plugins(programs):
        _write(pulumi_home / "plugins" / plugin.file, here + plugin.script)


def plugins(programs: Mapping[str, Path]) -> Sequence[Plugin]:
    """The plugins, each under the version that the installed SDK package asks for."""
    sdk = version("pulumi")
    aws = programs.get("pulumi-resource-aws")
    kubernetes = programs.get("pulumi-resource-kubernetes")
    return (
        # Of these two an official engine uses those beside it, and does not look here.
        Plugin("language", "python", sdk, _python("sandbox.language_host")),
        Plugin("resource", "pulumi-python", sdk, _python("pulumi.dynamic")),
        Plugin(
            "resource",
            "aws",
            version("pulumi-aws"),
            _exec([str(aws)]) if aws else _python("sandbox.aws.provider"),
        ),
        Plugin(
            "resource",
            "kubernetes",
            version("pulumi-kubernetes"),
            _exec([str(kubernetes)]) if kubernetes else _NOT_BUILT,
        ),
    )


def _python(module: str) -> str:
    # -P: the working directory is the user's program, whose modules must not stand in for ours.
    return _exec([sys.executable, "-P", "-u", "-m", module])


def _exec(argv: Sequence[str]) -> str:
    # exec: whoever starts a program signals that process and watches it end.
    return f'exec {shlex.join(argv)} "$@"\n'


def _write(path: Path, script: str) -> None:
    """Writes a program in one step, so that nobody ever starts half of one."""
    write_atomically(path, "#!/bin/sh\n" + script, mode=0o755)
