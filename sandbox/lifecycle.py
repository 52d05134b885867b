"""Bring the sandbox up, take it down, say how it is.

`up` converges: it makes what is missing, keeps what works, starts again what died, and may be interrupted at
any point. `down` needs nothing to be whole: it stops whatever carries this sandbox's mark and removes the
state directory. Both hold the sandbox's lock, so two of them on one clone take turns.
"""

import contextlib
import errno
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from sandbox import instance as instances
from sandbox import ports, processes, shell
from sandbox.cluster import fleet, kubeconfig, kwok
from sandbox.cluster.pki import Pki
from sandbox.engines import engines, orphaned_plugins
from sandbox.errors import SandboxError
from sandbox.instance import DURABLE_PORTS, Instance, Topology, locked, state_key
from sandbox.paths import StatePaths, cache_dir, default_state_dir, state_dir
from sandbox.progress import Progress, Step
from sandbox.services import (
    ACCESS,
    CLUSTER_PROGRAMS,
    EMULATOR_PROGRAMS,
    SHELL,
    TOKEN_REVIEW_PATH,
    bootstrap_client,
    services,
)
from sandbox.signals import interruptible
from sandbox.supervisor import Outcome, Service, Status, Supervisor, Task
from sandbox.toolchain import Group, ensure

_ACCESS = Path(__file__).parent / "cluster" / "access.yaml"
_NODES_DEADLINE_S = 60.0
# How long an engine may take to finish the calls that it is in the middle of.
_ENGINE_GRACE_S = 10.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLUSTER_GROUPS: tuple[Group, ...] = ("engine", "kubernetes-provider", "cluster", "kwok", "gateway")


@dataclass(frozen=True)
class Health:
    """The whole sandbox as it was found."""

    instance: Instance | None
    """None when it is not up."""
    services: tuple[Status, ...] = ()

    @property
    def well(self) -> bool:
        """Whether it is up and everything that should run does its work."""
        return self.instance is not None and all(service.well for service in self.services)


def up(topology: str, progress: Progress) -> Outcome:
    """Make everything ready that a stack of this topology needs. Raises SandboxError naming what is not.

    `auto` may turn out to be any topology, so it gets what the widest needs.
    """
    wanted = Topology.HYBRID if topology == "auto" else Topology(topology)
    root = state_dir()
    with interruptible(), _told_of_disk(), _alone(root, progress):
        instance = instances.ensure(wanted, root)
        _prepare(instance)
        instance = _with_free_ports(instance, progress)
        _configure(instance)
        return _Up(instance, progress).run()


def down(progress: Progress) -> list[str]:
    """Stop everything and remove the state. Returns the names of the services that ran.

    Works whatever is missing or broken. It ends no process but those that carry this sandbox's mark and the
    engines that work on it, and removes no directory that it did not make.
    """
    root = state_dir()
    with interruptible(), _told_of_disk(), _alone(root, progress):
        _refuse_foreign(root)
        _end_engines(StatePaths(root).pulumi_home, progress)
        instance = _instance(root)
        stopped = Supervisor(StatePaths(root), _defined(instance)).down(progress)
        _remove(root)
        instances.forget(root)
        _lock_path(root).unlink(missing_ok=True)
    return stopped


def status() -> Health:
    """How everything is now; changes nothing."""
    instance = _instance(state_dir())
    if instance is None:
        return Health(None)
    return Health(instance, tuple(Supervisor(instance.paths, _defined(instance)).status()))


def is_running() -> bool:
    """Whether a sandbox was made here and anything of it still runs."""
    return any(service.pid is not None for service in status().services)


def logs() -> dict[str, Path]:
    """The log of every service that was ever started, and of every container, by name."""
    directory = Instance.load().paths.logs
    return {
        str(path.relative_to(directory).with_suffix("")): path for path in sorted(directory.rglob("*.log"))
    }


class _Up:
    """One `up`: the services and tasks of an instance, and the programs that they wait for."""

    def __init__(self, instance: Instance, progress: Progress) -> None:
        self._instance = instance
        self._progress = progress
        self._programs: dict[str, Path] = {}

    def run(self) -> Outcome:
        instance = self._instance
        table = services(instance, self._programs.__getitem__)
        return Supervisor(instance.paths, table, self._tasks()).up(self._progress)

    def _tasks(self) -> list[Task]:
        # Two lots: the emulator is a download, and starts while compilers are still at work on the rest.
        emulator = self._toolchain(EMULATOR_PROGRAMS, "emulator")
        if not self._instance.topology.has_cluster:
            return [emulator, self._toolchain("engine program", "engine"), self._shell("engine program")]
        return [
            emulator,
            self._toolchain(CLUSTER_PROGRAMS, *_CLUSTER_GROUPS),
            self._shell(CLUSTER_PROGRAMS),
            Task(ACCESS, lambda _: self._grant_access(), needs=("kube-apiserver",)),
            Task("metal fleet", self._start_fleet, needs=("kwok",)),
        ]

    def _toolchain(self, name: str, *groups: Group) -> Task:
        def make(_: Callable[[], None]) -> None:
            toolchain = ensure(groups, self._progress)
            self._programs |= {program: toolchain.path(program) for program in toolchain.programs}

        return Task(name, make, cancel=processes.end_own_children)

    def _shell(self, programs: str) -> Task:
        return Task(SHELL, lambda _: shell.install(self._instance, self._programs), needs=(programs,))

    def _grant_access(self) -> None:
        client = bootstrap_client(self._instance)
        for manifest in yaml.safe_load_all(_ACCESS.read_text()):
            client.apply(manifest)

    def _start_fleet(self, pause: Callable[[], None]) -> None:
        client = bootstrap_client(self._instance)
        wanted = fleet.nodes(self._instance)
        for node in wanted:
            client.apply({key: value for key, value in node.items() if key != "status"})
            client.apply({key: value for key, value in node.items() if key != "spec"}, subresource="/status")

        def waiting() -> list[str]:
            return _not_ready(client.list("v1", "Node", selector=fleet.SELECTOR), wanted)

        if waiting():
            with self._progress.step("metal fleet", unit="nodes") as step:
                _await_nodes(waiting, pause, step, len(wanted))


def _await_nodes(waiting: Callable[[], list[str]], pause: Callable[[], None], step: Step, total: int) -> None:
    deadline = time.monotonic() + _NODES_DEADLINE_S
    while names := waiting():
        step.update(done=total - len(names), total=total)
        if time.monotonic() > deadline:
            raise SandboxError(
                f"nodes of the metal fleet are not Ready: {', '.join(names)}",
                "see `halfmetal sandbox logs kwok`, then run `halfmetal sandbox up` again",
            )
        pause()
    step.update(done=total, total=total)


def _not_ready(there: list[fleet.Node], wanted: list[fleet.Node]) -> list[str]:
    ready = {node["metadata"]["name"] for node in there if fleet.is_ready(node)}
    return [name for node in wanted if (name := node["metadata"]["name"]) not in ready]


def _prepare(instance: Instance) -> None:
    """The directories that services expect to find."""
    paths = instance.paths
    for directory in (paths.run, paths.logs, paths.tmp, paths.emulator):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)


def _configure(instance: Instance) -> None:
    """Keys and configuration; what is the same already is left alone."""
    if not instance.topology.has_cluster:
        return
    paths = instance.paths
    paths.etcd.mkdir(exist_ok=True, mode=0o700)
    Pki(paths.pki).ensure()
    kubeconfig.write_all(instance)
    kubeconfig.write_webhook(paths.cluster / "token-review.yaml", instance.emulator_url + TOKEN_REVIEW_PATH)
    kwok.write_stages(paths.cluster / "stages.yaml")


def _with_free_ports(instance: Instance, progress: Progress) -> Instance:
    """The instance, with other ports in place of those that a stranger took since the last time.

    Ports that deployed stacks remember are not given up: that is for the user to decide.
    """
    supervisor = Supervisor(instance.paths, _defined(instance))
    idle = {p for s in _defined(instance) if not supervisor.running(s.name) for p in s.ports}
    taken = {name for name, port in instance.ports.items() if port in idle and not ports.is_free(port)}
    # What outlived its service, a pod of a killed node agent say, is ended by `up` and is no stranger.
    taken = {name for name in taken if not _is_ours(instance, instance.ports[name])}
    if not taken:
        return instance
    if _has_stacks(instance):
        taken -= DURABLE_PORTS
    for name in sorted(taken):
        port = instance.ports[name]
        progress.say(f"port {port} ({name}) was taken by {ports.holder(port)}; choosing another")
    return instances.rechoose(instance, taken) if taken else instance


def _is_ours(instance: Instance, port: int) -> bool:
    holder = ports.holder(port)
    return bool(holder and holder.pid in {p.pid for p in processes.orphans(instance.state)})


def _has_stacks(instance: Instance) -> bool:
    """Whether something may be deployed that remembers addresses."""
    return any((instance.paths.backend / ".pulumi" / "stacks").rglob("*.json"))


def _defined(instance: Instance | None) -> list[Service]:
    """The services to look at or to stop: for that, no program need be there."""

    def absent(name: str) -> Path:
        raise SandboxError(f"{name} is not looked up before `up`", "halfmetal sandbox up")

    return services(instance, absent) if instance else []


def _instance(root: Path) -> Instance | None:
    """The instance, or None when there is none that can be read."""
    try:
        return Instance.load(root)
    except SandboxError:
        return None


def _refuse_foreign(root: Path) -> None:
    """Never remove a directory that is not a sandbox's, whatever HALFMETAL_STATE_DIR says."""
    foreign = root != default_state_dir() and not StatePaths(root).instance.exists()
    if foreign and root.is_dir() and any(root.iterdir()):
        raise SandboxError(
            f"{root} holds no sandbox, so nothing there is removed",
            "check HALFMETAL_STATE_DIR, or remove the directory yourself",
        )


def _remove(root: Path) -> None:
    """Remove the state. The instance goes last, so that an interrupted `down` can be run again."""
    last = StatePaths(root).instance
    for path in root.iterdir() if root.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != last:
            path.unlink()
    if root.is_dir():
        shutil.rmtree(root)


def _end_engines(pulumi_home: Path, progress: Progress) -> None:
    """End what would go on without the services, and write its state where it has just been removed."""
    for engine in engines(pulumi_home):
        progress.say(f"ending process {engine.pid}, an engine that is at work on this sandbox")
        processes.stop(engine, grace_s=_ENGINE_GRACE_S)
    processes.end(orphaned_plugins(pulumi_home), grace_s=_ENGINE_GRACE_S)


@contextlib.contextmanager
def _told_of_disk() -> Iterator[None]:
    """A file that cannot be read, written or removed is the machine's fault, and told as such."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno not in _FULL:
            raise
        # What fails in the middle of a write does not say where.
        where = error.filename or "a file of the sandbox"
        raise SandboxError(
            f"{where}: {(error.strerror or type(error).__name__).lower()}",
            "see that the disk has room and the directory is yours, then run it again",
        ) from error


def _lock_path(root: Path) -> Path:
    return cache_dir() / "instances" / f"{state_key(root)}.lock"


@contextlib.contextmanager
def _alone(root: Path, progress: Progress) -> Iterator[None]:
    """Hold this sandbox's lock; wait, and say so, while another command has it."""
    path = _lock_path(root)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(path, blocking=False))
        except BlockingIOError:
            progress.say("another command is at work on this sandbox; waiting for it to end")
            stack.enter_context(locked(path))
        yield
