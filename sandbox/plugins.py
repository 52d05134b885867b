"""The sandbox's plugins, laid out as the engine lays out those it has downloaded.

The engine looks for a plugin on the PATH, beside its own binary and in its home. One on the PATH works, at
the price of a warning in every command; one it cannot find it tries to download, which costs seconds and a
network. So each plugin is installed in the sandbox's own `PULUMI_HOME`, under the version that the Python SDK
asks for: nothing is warned about, nothing is downloaded, and no plugin of the user's is seen or touched.
"""

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

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
        """The program's name and its place below the engine's plugin directory."""
        return f"{self.kind}-{self.name}-v{self.version}/pulumi-{self.kind}-{self.name}"


def install_plugins(pulumi_home: Path, *, kubernetes_provider: Path | None) -> None:
    """Installs, or brings up to date, every plugin that programs of this project ask for.

    Args:
        pulumi_home: the `PULUMI_HOME` of the sandbox.
        kubernetes_provider: the provider's binary; None in a sandbox without a cluster.
    """
    for plugin in plugins(kubernetes_provider):
        _write(pulumi_home / "plugins" / plugin.file, "#!/bin/sh\n" + plugin.script)


def plugins(kubernetes_provider: Path | None) -> Sequence[Plugin]:
    """The plugins, each under the version that the installed SDK package asks for."""
    sdk = version("pulumi")
    kubernetes = _exec([str(kubernetes_provider)]) if kubernetes_provider else _NOT_BUILT
    return (
        Plugin("language", "python", sdk, _python("sandbox.language_host")),
        Plugin("resource", "pulumi-python", sdk, _python("pulumi.dynamic")),
        Plugin("resource", "aws", version("pulumi-aws"), _python("sandbox.aws.provider")),
        Plugin("resource", "kubernetes", version("pulumi-kubernetes"), kubernetes),
    )


def _python(module: str) -> str:
    # -P: the working directory is the user's program, whose modules must not stand in for ours.
    return _exec([sys.executable, "-P", "-u", "-m", module])


def _exec(argv: Sequence[str]) -> str:
    # exec: the engine signals the process it started and watches it end.
    return f'exec {shlex.join(argv)} "$@"\n'


def _write(path: Path, content: str) -> None:
    """Writes a program in one step, so that a running engine never starts half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_text(content, encoding="utf-8")
    new.chmod(0o755)
    new.replace(path)
