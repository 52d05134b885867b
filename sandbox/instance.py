"""One clone's sandbox: its ports and its loopback network, chosen once and remembered.

Addresses end up in places that outlive a restart (a cluster's endpoint in the emulator, a URL in a
stack's outputs), so they are chosen at the first `up` and kept until `down`. A register in the user's cache
lists what every clone holds, running or not, and is only changed under a lock: two clones never share a
number.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.paths import STATE_VARIABLE, StatePaths, cache_dir, default_state_dir, state_dir
from sandbox.ports import FIRST_OCTET, LAST_OCTET, choose, choose_octet

PORT_NAMES: Final = (
    "etcd_client",
    "etcd_peer",
    "apiserver",
    "scheduler",
    "controller_manager",
    "kwok",
    "emulator",
    "dns",
)
# Addresses that deployed stacks remember: a cluster's endpoint, the URLs of APIs.
DURABLE_PORTS: Final = frozenset({"apiserver", "emulator"})


class Topology(StrEnum):
    """How much of the sandbox a stack needs."""

    PURE = "pure"
    HYBRID = "hybrid"
    DEDICATED = "dedicated"

    @property
    def has_cluster(self) -> bool:
        """Whether there is a data plane; `pure` has none."""
        return self is not Topology.PURE


class Instance(BaseModel):
    """What one sandbox is. Written to `instance.json` in its state directory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: Path
    """The state directory; absolute."""
    ports: dict[str, int]
    """Loopback ports by name (see `PORT_NAMES`)."""
    loopback_octet: int = Field(ge=FIRST_OCTET, le=LAST_OCTET)
    """N of this sandbox's pod network: a pod that says 10.N.x.y listens on 127.N.x.y."""
    topology: Topology = Topology.PURE
    """The widest topology asked for since the sandbox was made: what `up` keeps running."""

    @cached_property
    def paths(self) -> StatePaths:
        """Names inside the state directory."""
        return StatePaths(self.state)

    @property
    def apiserver_url(self) -> str:
        """Where the API server listens; verify it with `paths.ca_certificate`."""
        return f"https://127.0.0.1:{self.ports['apiserver']}"

    @property
    def emulator_url(self) -> str:
        """Where the AWS emulator listens."""
        return f"http://127.0.0.1:{self.ports['emulator']}"

    def loopback(self, third: int, fourth: int) -> str:
        """The address that a process of this sandbox's network binds: 127.N.x.y."""
        return f"127.{self.loopback_octet}.{third}.{fourth}"

    def address(self, third: int, fourth: int) -> str:
        """The same address as the cluster is told, which accepts no loopback ones: 10.N.x.y."""
        return f"10.{self.loopback_octet}.{third}.{fourth}"

    def widened(self, topology: Topology) -> "Instance":
        """This instance, with a cluster if the topology needs one. It never narrows before `down`."""
        return self if self.topology.has_cluster else self.model_copy(update={"topology": topology})

    def save(self) -> None:
        """Write it whole or not at all: a reader never meets half a file."""
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self.paths.instance, self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, state: Path | None = None) -> Self:
        """The instance that was made before; SandboxError when there is none or it cannot be read."""
        root = state or state_dir()
        path = StatePaths(root).instance
        try:
            instance = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise SandboxError("the sandbox is not up", "halfmetal sandbox up") from None
        except (OSError, ValidationError) as error:
            raise SandboxError(
                f"{path} cannot be read: {_first_line(error)}",
                "halfmetal sandbox down && halfmetal sandbox up",
            ) from error
        if instance.state != root:
            raise SandboxError(
                f"the sandbox in {root} was made in {instance.state} and copied or moved here",
                "halfmetal sandbox down && halfmetal sandbox up (if it was moved while it ran, first:"
                f" {STATE_VARIABLE}={instance.state} halfmetal sandbox down)",
            )
        return instance


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


# The register of every clone's numbers, in the user's cache.


def ensure(topology: Topology, state: Path | None = None) -> Instance:
    """The state directory's instance, made now if it is the first time, widened to the topology.

    Keeps the register of all clones; the caller still checks that the ports are free before starting servers.
    """
    root = state or state_dir()
    with _register() as register:
        if StatePaths(root).instance.exists():
            instance = Instance.load(root).widened(topology)
        else:
            _refuse_foreign(root)
            _claim(root)
            instance = _new(root, topology, register)
        register.add(instance)
        instance.save()
    return instance


def rechoose(instance: Instance, names: set[str]) -> Instance:
    """The instance with other ports for these names."""
    with _register() as register:
        avoid = register.ports(except_for=instance.state) | set(instance.ports.values())
        fresh = choose(sorted(names), seed=str(instance.state), avoid=avoid)
        changed = instance.model_copy(update={"ports": {**instance.ports, **fresh}})
        register.add(changed)
        changed.save()
    return changed


def forget(state: Path) -> None:
    """Give a clone's numbers back."""
    with _register() as register:
        register.remove(state)


def _new(root: Path, topology: Topology, register: "_Register") -> Instance:
    octet = choose_octet(seed=str(root), avoid=register.octets(except_for=root))
    if octet is None:
        raise SandboxError(
            "every loopback network from 127.2.0.0/16 to 127.254.0.0/16 is in use",
            "run `halfmetal sandbox down` in clones that you no longer use",
        )
    chosen = choose(PORT_NAMES, seed=str(root), avoid=register.ports(except_for=root))
    return Instance(state=root, ports=chosen, loopback_octet=octet, topology=topology)


def _refuse_foreign(root: Path) -> None:
    """Never adopt a directory with somebody's files in it: `down` would remove them."""
    if root == default_state_dir() or not root.exists():
        return
    if not root.is_dir() or any(root.iterdir()):
        raise SandboxError(
            f"{root} is not empty and holds no sandbox",
            "set HALFMETAL_STATE_DIR to a directory that does not exist yet",
        )


def _claim(root: Path) -> None:
    """Make the directory, or take an empty one, and close it to everybody else: it will hold keys."""
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)


class _Register:
    """What every clone of this user holds: one file per clone, named by the clone's state directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._entries: dict[Path, Instance] = {}
        for path in sorted(directory.glob("*.json")):
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            entry = Instance.model_validate_json(path.read_bytes())
        except ValidationError:
            path.unlink()
            return
        if entry.paths.instance.exists():
            self._entries[entry.state] = entry
        else:
            # The clone was deleted without `down`: nobody remembers these numbers any more.
            path.unlink()

    def ports(self, *, except_for: Path) -> set[int]:
        return {p for state, e in self._entries.items() if state != except_for for p in e.ports.values()}

    def octets(self, *, except_for: Path) -> set[int]:
        return {e.loopback_octet for state, e in self._entries.items() if state != except_for}

    def add(self, instance: Instance) -> None:
        self._entries[instance.state] = instance
        write_atomically(self._path(instance.state), instance.model_dump_json() + "\n")

    def remove(self, state: Path) -> None:
        self._entries.pop(state, None)
        self._path(state).unlink(missing_ok=True)

    def _path(self, state: Path) -> Path:
        return self._directory / f"{state_key(state)}.json"


def state_key(state: Path) -> str:
    """A file name for a state directory."""
    return hashlib.sha256(str(state).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _register() -> Iterator[_Register]:
    with locked(cache_dir() / "instances" / "register.lock"):
        yield _Register(cache_dir() / "instances")


@contextlib.contextmanager
def locked(path: Path, *, blocking: bool = True) -> Iterator[None]:
    """Hold an advisory lock on a file; the kernel lets go of it when the process dies, however it dies.

    Raises BlockingIOError at once when it is held and `blocking` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    operation = fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        with path.open("a") as file:
            fcntl.flock(file, operation)
            # Whoever held it before may have removed the file: then this lock keeps nobody out.
            if not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino:
                continue
            try:
                yield
            finally:
                # Closing is not enough where a child was forked meanwhile: it shares the open file.
                fcntl.flock(file, fcntl.LOCK_UN)
            return
