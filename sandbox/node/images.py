"""Which container images can be run on this machine, and how.

An image is known by its repository. What its Dockerfile says (entrypoint, command, environment, stop signal)
is said here again, together with what the difference between a container and a process asks for: programs
are found elsewhere, and "all interfaces" of a pod are its one loopback address.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM, SIGUSR1, Signals

from sandbox.paths import REPO

# What images listen on; replaced by the pod's own loopback address before anything is bound.
ALL_INTERFACES = "0.0.0.0"
_EMBEDDER = REPO / "examples" / "embedder"


def _as_given(command: Sequence[str]) -> list[str]:
    return list(command)


def _haproxy_entrypoint(command: Sequence[str]) -> list[str]:
    """The image's entrypoint script: bare options are haproxy's, and it stays in the foreground."""
    words = ["haproxy", *command] if command and command[0].startswith("-") else list(command)
    return ["haproxy", "-db", *words[1:]] if words and words[0] == "haproxy" else words


@dataclass(frozen=True)
class Image:
    """How to run one image here."""

    command: tuple[str, ...]
    """What runs when the pod says nothing: the image's CMD."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Where programs of the image are on this machine; others are searched on PATH."""
    env: Mapping[str, str] = field(default_factory=dict)
    workdir: Path | None = None
    stop_signal: Signals = SIGTERM
    entrypoint: Callable[[Sequence[str]], list[str]] = _as_given
    port_option: str = ""
    """The option of `command` that says the port, which the pod's containerPort then decides."""


IMAGES: Mapping[str, Image] = {
    "halfmetal/embedder": Image(
        command=(
            *("python", "-m", "uvicorn", "embedder.app:app"),
            *("--host", ALL_INTERFACES, "--port", "8000", "--no-access-log"),
        ),
        programs={"python": sys.executable, "python3": sys.executable},
        env={
            "PYTHONPATH": str(_EMBEDDER),
            "PYTHONUNBUFFERED": "1",
            # One thread a process: the scheduler gives a pod whole CPUs, and replicas are how it grows.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        },
        workdir=_EMBEDDER,
        port_option="--port",
    ),
    "haproxy": Image(
        command=("haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"),
        # SIGUSR1 lets haproxy finish what it has; SIGTERM would cut it off.
        stop_signal=SIGUSR1,
        entrypoint=_haproxy_entrypoint,
    ),
}


def repository(image: str) -> str:
    """An image's name alone: `docker.io/library/haproxy:2.6` is haproxy."""
    name = re.sub(r"[:@][^/]*$", "", image)
    return name.removeprefix("docker.io/").removeprefix("library/")


def find(image: str) -> Image | None:
    """How to run an image; None when it can only be pretended."""
    return IMAGES.get(repository(image))


def argv(
    image: Image, *, command: Sequence[str], args: Sequence[str], ports: Sequence[int], address: str
) -> list[str]:
    """The command line of a container: Docker's rules for command and args, then what is different here."""
    # A pod's command replaces the image's entrypoint and its command, a pod's args only the command.
    words = [*command, *args] if command else image.entrypoint(args or _default(image, ports))
    return translated(image, words, address)


def translated(image: Image, words: Sequence[str], address: str) -> list[str]:
    """A command of the image as it has to be said on this machine."""
    program, *rest = words
    return [image.programs.get(program, program), *(word.replace(ALL_INTERFACES, address) for word in rest)]


def _default(image: Image, ports: Sequence[int]) -> list[str]:
    words = list(image.command)
    if image.port_option and ports:
        words[words.index(image.port_option) + 1] = str(ports[0])
    return words
