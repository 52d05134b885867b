"""Runs the engine, and keeps the stack files as they were committed.

With a file backend the engine encrypts by a passphrase, and every command that finds no salt of that
passphrase in `Pulumi.STACK.yaml` writes one there, reformatting the file as it does. In a sandbox that is
worthless (the passphrase is empty) and harmful: the file is committed, and is to deploy elsewhere, under
another passphrase or none. The state holds the salt too, and `PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER` makes
the engine take it from there, but no setting keeps it from being written down again.

So this wrapper reads the files, leaves a watcher behind and becomes the engine: same process, same signals,
same terminal. The watcher puts back a file that differs by the salt alone, within a moment of its being
written and once more when the engine has ended, however it ended. A file that someone else changed, or that
holds secrets (which need the salt), is left alone.

Started by path with the bare interpreter, as it is part of every command: standard library only.
"""

import contextlib
import os
import re
import select
import sys
from pathlib import Path
from typing import NoReturn

PATTERNS = ("stacks/Pulumi.*.yaml", "examples/*/Pulumi.*.yaml", "examples/*/stacks/Pulumi.*.yaml")
"""Where a project of this repository keeps its stack files."""

_SALT = re.compile(rb"^encryptionsalt:.*\n?", re.MULTILINE)
_SECRET = re.compile(rb"^\s+secure:", re.MULTILINE)
_LOOK_EVERY_SECONDS = 0.1


def main(arguments: list[str]) -> NoReturn:
    repository, pulumi, *rest = arguments
    originals = read(Path(repository))
    engine = os.pidfd_open(os.getpid())
    if originals and os.fork() == 0:
        _watch(engine, originals)
        os._exit(0)
    os.environ.setdefault("PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER", "true")
    os.execv(pulumi, [pulumi, *rest])


def read(repository: Path) -> dict[Path, bytes]:
    """The stack files that hold no salt, and what they hold."""
    found = {path: path.read_bytes() for pattern in PATTERNS for path in sorted(repository.glob(pattern))}
    return {path: content for path, content in found.items() if not _SALT.search(content)}


def restored(original: bytes, current: bytes) -> bytes:
    """What a file should hold now, given what it held before the engine started."""
    if not _SALT.search(current) or _SECRET.search(current):
        return current
    without = _SALT.sub(b"", current)
    return original if _essence(without) == _essence(original) else without


def _essence(content: bytes) -> list[bytes]:
    """The lines of a file but for what the engine's reformatting changes: blank lines and runs of spaces."""
    return [b" ".join(line.split()) for line in content.splitlines() if line.strip()]


def _watch(engine: int, originals: dict[Path, bytes]) -> None:
    os.setsid()  # an interrupt at the terminal is the engine's affair
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)  # whoever reads the engine's output must see it end with the engine
    ended = False
    while not ended:
        ended = bool(select.select([engine], [], [], _LOOK_EVERY_SECONDS)[0])
        for path, original in originals.items():
            with contextlib.suppress(OSError):  # deleted or unwritable: then it is not ours to keep
                _restore(path, original)


def _restore(path: Path, original: bytes) -> None:
    current = path.read_bytes()
    content = restored(original, current)
    if content == current:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_bytes(content)
    new.chmod(path.stat().st_mode)
    new.replace(path)


if __name__ == "__main__":
    main(sys.argv[1:])
