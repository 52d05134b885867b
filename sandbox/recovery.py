"""Makes a stack whose update was killed fit for the next one.

A killed engine (SIGKILL, power loss) leaves three things behind:

* its *lock*, which refuses every later update. It names the process and the machine, so that of a dead
  process can be told from that of one at work; only the former is removed.
* *orphans*: provider plugins that may still be asking a service to make something. The next update must not
  start beside them.
* *pending operations* in the state: what had been asked for and not yet answered. The engine repeats those it
  still wants; what is left to do is to forget them, with nothing lost and nothing made twice:

  creating
      Forgotten. The AWS provider knows from its ledger what it made for that URN and takes it over. A
      Kubernetes object is deleted before it is made again: the API server holds its fields for the manager
      that wrote them, and the next create is another manager, whose changes would be refused as conflicts.
  updating, deleting
      The resource is read again (a refresh of these alone): the program may have changed meanwhile, and then
      the engine would compare it with what it no longer is.
  others
      Forgotten: reading changes nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import psutil
import yaml

from sandbox.engines import orphaned_plugins
from sandbox.errors import SandboxError
from sandbox.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.engine import Engine

_CLOCK_SLACK_S = 2.0
_LAST_CALL_S = 20.0
"""How long an orphaned provider may take to finish the call it is in the middle of."""


@dataclass(frozen=True)
class Recovery:
    """What was found and put right. Empty, and false, when the last update ended well."""

    locks: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    """The state file, if it was cut short and its backup was put back."""
    forgotten: tuple[str, ...] = ()
    """URNs whose pending operation was dropped."""
    deleted: tuple[str, ...] = ()
    """URNs of objects that nobody could have taken over."""
    refreshed: tuple[str, ...] = ()
    """URNs that were read again."""

    def __bool__(self) -> bool:
        return self != Recovery()

    def __str__(self) -> str:
        """One line for a person."""
        done = (
            ("removed the lock of", self.locks),
            ("ended a provider left behind:", self.orphans),
            ("put back the backup of the state", self.restored),
            ("forgot what was pending:", self.forgotten),
            ("deleted what was half made:", self.deleted),
            ("read again:", self.refreshed),
        )
        return "; ".join(f"{what} {', '.join(names)}" for what, names in done if names) or "nothing to repair"


@dataclass(frozen=True)
class Lock:
    """One lock file of the engine's file backend."""

    path: Path
    pid: int
    host: str
    user: str
    taken: float

    @classmethod
    def read(cls, path: Path) -> Lock | None:
        """The lock in a file; None when it is gone or was never written to its end."""
        try:
            content = json.loads(path.read_bytes())
            taken = datetime.fromisoformat(content["timestamp"]).timestamp()
            return cls(path, int(content["pid"]), content["hostname"], content["username"], taken)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    @property
    def is_held(self) -> bool:
        """Whether the process that took it lives. A later process of the same number is another one."""
        if self.host != socket.gethostname():
            return True  # nothing can be known of it from here
        try:
            process = psutil.Process(self.pid)
            born_before = process.create_time() <= self.taken + _CLOCK_SLACK_S
            return born_before and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def recover(stack: str, engine: Engine) -> Recovery:
    """Puts right what a killed update of a stack left behind. Quick when there was none.

    Raises:
        SandboxError: an update of the stack is running, or the state cannot be repaired.
    """
    backend = Path(unquote(urlsplit(engine.env["PULUMI_BACKEND_URL"]).path)) / ".pulumi"
    place = Path(_project(engine.program)) / stack
    locks = _release(backend / "locks" / "organization" / place, stack)
    orphans = _end_orphans(Path(engine.env["PULUMI_HOME"]))
    state = backend / "stacks" / f"{place}.json"
    restored = (state.name,) if restore(state) else ()
    pending = _pending(state)
    forgotten = [op for op in pending if op["type"] not in {"updating", "deleting"}]
    deleted = _forget(stack, engine) if forgotten else ()
    if deleted:
        engine.output(["destroy", "--yes", "--skip-preview", "--stack", stack, *_targets(deleted)])
    unsure = tuple(sorted({op["resource"]["urn"] for op in pending if op not in forgotten}))
    if unsure:
        engine.output(["refresh", "--yes", "--skip-preview", "--stack", stack, *_targets(unsure)])
    return Recovery(
        locks=locks,
        orphans=orphans,
        restored=restored,
        forgotten=tuple(op["resource"]["urn"] for op in forgotten),
        deleted=deleted,
        refreshed=unsure,
    )


def restore(state: Path) -> bool:
    """Puts the engine's backup in place of a state file that was cut short; whether that was needed.

    The backup is one step older. What happened in between is in its pending operations.

    Raises:
        SandboxError: there is no whole backup either.
    """
    if not state.exists() or _is_whole(state):
        return False
    backup = state.with_name(f"{state.name}.bak")
    if not backup.exists() or not _is_whole(backup):
        raise SandboxError(
            f"the state {state} was cut short, and there is no whole backup beside it",
            "in the sandbox, start afresh: `halfmetal sandbox down`, then `halfmetal up`",
        )
    whole = state.with_name(f".{state.name}.{os.getpid()}")
    shutil.copyfile(backup, whole)
    whole.replace(state)
    return True


def _is_whole(state: Path) -> bool:
    try:
        return isinstance(json.loads(state.read_bytes()), dict)
    except ValueError:
        return False


def _targets(urns: Iterable[str]) -> list[str]:
    return [word for urn in urns for word in ("--target", urn)]


def settled(deployment: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """An exported deployment with nothing pending in it, and the URNs that are to be deleted from it.

    Those are in it as if their creation had ended, so that the engine can delete them.
    """
    resources = list(deployment.get("resources") or [])
    there = {resource["urn"]: resource.get("id") for resource in resources}
    pending = deployment.get("pending_operations") or []
    created = (_left_behind(op["resource"]) for op in pending if op["type"] == "creating")
    new = [each for each in created if each is not None and each["id"] != there.get(each["urn"])]
    # Where the URN is there already, a replacement was being made: the next update deletes it by itself.
    left = [{**each, "delete": each["urn"] in there} for each in new]
    doomed = tuple(each["urn"] for each in left if not each["delete"])
    return {**deployment, "pending_operations": [], "resources": [*resources, *left]}, doomed


def _left_behind(resource: Mapping[str, Any]) -> dict[str, Any] | None:
    """The object that a create may have made; None where its provider knows better."""
    metadata = (resource.get("inputs") or {}).get("metadata") or {}
    if not resource["type"].startswith("kubernetes:") or not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str):
        return None
    identity = f"{namespace}/{name}" if namespace else name
    return {**resource, "id": identity, "outputs": resource["inputs"]}


def _forget(stack: str, engine: Engine) -> tuple[str, ...]:
    """Nothing is pending any more; what there is to delete is told."""
    exported = json.loads(engine.output(["stack", "export", "--stack", stack]))
    exported["deployment"], doomed = settled(exported["deployment"])
    engine.output(["stack", "import", "--stack", stack], json.dumps(exported))
    return doomed


def _release(directory: Path, stack: str) -> tuple[str, ...]:
    """Removes the locks of dead processes and names them."""
    released = []
    for path in sorted(directory.glob("*.json")):
        lock = Lock.read(path)
        if lock and lock.is_held:
            raise SandboxError(
                f"stack {stack} is being updated by process {lock.pid} of {lock.user} on {lock.host}",
                f"wait for it to end, or end it; if it is no more, run `pulumi cancel -s {stack}`",
            )
        path.unlink(missing_ok=True)
        released.append(f"process {lock.pid}" if lock else path.name)
    return tuple(released)


def _end_orphans(pulumi_home: Path) -> tuple[str, ...]:
    """Ends the plugins of this sandbox that no engine is parent to, once they have finished their calls."""
    orphans = orphaned_plugins(pulumi_home)
    end(orphans, grace_s=_LAST_CALL_S)
    return tuple(f"process {process.pid}" for process in orphans)


def _pending(state: Path) -> list[Mapping[str, Any]]:
    """The pending operations, from the state file: asking the engine costs half a second at every start."""
    try:
        latest = json.loads(state.read_bytes())["checkpoint"]["latest"]
    except FileNotFoundError:
        return []
    return list((latest or {}).get("pending_operations") or [])


def _project(directory: Path) -> str:
    return str(yaml.safe_load((directory / "Pulumi.yaml").read_text(encoding="utf-8"))["name"])
