"""The environment of a shell that works against the sandbox.

What differs between the sandbox and a cloud is here and nowhere else: where the engine keeps its state, whom
`kubectl` talks to, which endpoint and credentials AWS clients have. Programs and stack files are the same.
"""

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from sandbox.instance import Instance

REGION = "us-east-1"
# The emulator's root account. They open nothing anywhere else.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
# Beside every file the engine's file backend writes one with its attributes, which nothing needs, and not in
# one step as the file itself: an engine killed in that moment can never open the stack again.
_NO_SIDE_FILES = "metadata=skip"


# What of one's own settings would make the sandbox's calls fail, or carry them past it: a session's token, a
# profile, an endpoint of one service.
_ONES_OWN = re.compile(
    r"AWS_(SESSION_TOKEN|SECURITY_TOKEN|PROFILE|DEFAULT_PROFILE|IGNORE_CONFIGURED_ENDPOINT_URLS|ENDPOINT_URL_.+)"
)
_LOOPBACK = ("127.0.0.1", "localhost", ".localhost")


class Shell(StrEnum):
    """A family of shells, by how a variable is exported."""

    POSIX = "posix"
    FISH = "fish"


def variables(instance: Instance | None = None) -> dict[str, str]:
    """The variables, by name; SandboxError when there is no sandbox."""
    instance = instance or Instance.load()
    paths = instance.paths
    return {
        "PATH": _path(paths.bin),
        "PULUMI_BACKEND_URL": f"{paths.backend.as_uri()}?{_NO_SIDE_FILES}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_HOME": str(paths.pulumi_home),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "KUBECONFIG": str(paths.kubeconfig),
        "KUBECACHEDIR": str(paths.kubectl_cache),
        "AWS_ENDPOINT_URL": instance.emulator_url,
        **CREDENTIALS,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": _unproxied(),
        # Where it is set, every command compiles the SDKs again, which takes longer than all else it does.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def inside(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment after `eval "$(halfmetal sandbox env)"`; SandboxError when there is no sandbox."""
    own = set(ones_own(environment))
    return {name: value for name, value in environment.items() if name not in own} | variables()


def ones_own(environment: Mapping[str, str]) -> list[str]:
    """Variables that must not be set in a shell that works against the sandbox."""
    return [name for name in environment if _ONES_OWN.fullmatch(name)]


def exports(values: Mapping[str, str], shell: Shell, without: Iterable[str] = ()) -> str:
    """The lines that a shell evaluates: what is set, and what is set no more."""
    sets, unsets = ("set -gx {} {};", "set -e {};") if shell is Shell.FISH else ("export {}={}", "unset {}")
    lines = [sets.format(name, shlex.quote(value)) for name, value in values.items()]
    return "\n".join([*lines, *(unsets.format(name) for name in without)])


def _unproxied() -> str:
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return ",".join(dict.fromkeys([*filter(None, given.split(",")), *_LOOPBACK]))


def _path(first: Path) -> str:
    rest = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry != str(first)]
    return os.pathsep.join([str(first), *rest])
