"""The cache holds whole entries or nothing, whoever dies, waits or finds the disk full."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sandbox.toolchain.errors import Stopped, ToolchainError
from sandbox.toolchain.space import Need, shortage
from sandbox.toolchain.store import MANIFEST, Build, Entry, Store

NAME = "engine-0123456789abcdef"
DEADLINE_S = 60.0


def program(into: Path, name: str = "pulumi", content: bytes = b"#!/bin/sh\n") -> Mapping[str, str]:
    """Put one program into a directory, as a recipe does."""
    path = into / "bin" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return {name: f"bin/{name}"}


def never(_into: Path) -> Mapping[str, str]:
    """A build that must not be needed."""
    pytest.fail("built although it was there")


def make(store: Store, build: Build = program, name: str = NAME) -> Entry:
    """Make an entry nobody else is making."""
    return store.make(
        name, build, stopped=threading.Event(), waiting=lambda holder: pytest.fail(f"waits for {holder}")
    )


def leftovers(store: Store) -> list[Path]:
    """What lies in the staging directory."""
    staging = store.root / "staging"
    return list(staging.iterdir()) if staging.exists() else []


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty cache."""
    return Store(tmp_path / "toolchain")


def test_what_is_made_is_found(store: Store):
    assert store.find(NAME) is None
    made = make(store)
    assert store.find(NAME) == made
    assert made.programs == {"pulumi": store.root / NAME / "bin" / "pulumi"}
    assert made.bytes > 0
    assert leftovers(store) == []
    assert make(store, never) == made


def _shorten(directory: Path) -> None:
    (directory / "bin" / "pulumi").write_bytes(b"#!")


def _unmark(directory: Path) -> None:
    (directory / "bin" / "pulumi").chmod(0o644)


def _remove(directory: Path) -> None:
    (directory / "bin" / "pulumi").unlink()


def _break_link(directory: Path) -> None:
    _remove(directory)
    (directory / "bin" / "pulumi").symlink_to(directory / "an-interpreter-that-was-uninstalled")


def _forget(directory: Path) -> None:
    (directory / MANIFEST).unlink()


def _cut_manifest(directory: Path) -> None:
    path = directory / MANIFEST
    path.write_text(path.read_text()[:20])


def _foreign_manifest(directory: Path) -> None:
    (directory / MANIFEST).write_text(json.dumps({"programs": ["pulumi"]}))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_shorten, id="half a program"),
        pytest.param(_unmark, id="a program that may not be executed"),
        pytest.param(_remove, id="a program that is gone"),
        pytest.param(_break_link, id="a link to nothing"),
        pytest.param(_forget, id="no manifest"),
        pytest.param(_cut_manifest, id="half a manifest"),
        pytest.param(_foreign_manifest, id="a manifest of another kind"),
    ],
)
def test_an_entry_that_is_not_whole_is_made_again(store: Store, damage: Callable[[Path], None]):
    make(store)
    damage(store.root / NAME)
    assert store.find(NAME) is None
    assert make(store).programs["pulumi"].read_bytes() == b"#!/bin/sh\n"
    assert leftovers(store) == []


def _fail(into: Path) -> Mapping[str, str]:
    program(into)
    raise ToolchainError("it does not compile", "mend it")


def _interrupt(into: Path) -> Mapping[str, str]:
    program(into)
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("build", "error"),
    [
        pytest.param(_fail, ToolchainError, id="a fault"),
        pytest.param(_interrupt, KeyboardInterrupt, id="Ctrl-C"),
    ],
)
def test_a_build_that_fails_leaves_nothing(store: Store, build: Build, error: type[BaseException]):
    with pytest.raises(error):
        make(store, build)
    assert store.find(NAME) is None
    assert leftovers(store) == []
    assert make(store)


def test_a_full_disk_is_said_in_words(store: Store):
    def build(into: Path) -> Mapping[str, str]:
        with Path("/dev/full").open("wb", buffering=0) as device:
            device.write(b"x")
        return program(into)

    with pytest.raises(ToolchainError, match="no space left") as raised:
        make(store, build)
    assert str(store.root) in raised.value.what
    assert "XDG_CACHE_HOME" in raised.value.remedy
    assert leftovers(store) == []


def test_a_cache_that_cannot_be_is_said_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("a file where a directory should be")
    with pytest.raises(ToolchainError, match="cannot write to the toolchain cache") as raised:
        make(Store(tmp_path / "file" / "toolchain"))
    assert "XDG_CACHE_HOME" in raised.value.remedy


def test_an_error_of_another_kind_keeps_its_own_words(store: Store):
    def build(_into: Path) -> Mapping[str, str]:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        make(store, build)


def test_of_two_makers_one_waits_and_takes_what_the_other_made(store: Store):
    inside, go_on, told = threading.Event(), threading.Event(), threading.Event()
    holders: list[str] = []
    entries: list[Entry] = []

    def slow(into: Path) -> Mapping[str, str]:
        inside.set()
        go_on.wait(DEADLINE_S)
        return program(into)

    def waiting(holder: str) -> None:
        holders.append(holder)
        told.set()

    def run(build: Build) -> None:
        entries.append(store.make(NAME, build, stopped=threading.Event(), waiting=waiting))

    first = threading.Thread(target=run, args=(slow,))
    second = threading.Thread(target=run, args=(never,))
    first.start()
    assert inside.wait(DEADLINE_S)
    second.start()
    assert told.wait(DEADLINE_S)
    go_on.set()
    first.join(DEADLINE_S)
    second.join(DEADLINE_S)
    assert len(entries) == 2
    assert entries[0] == entries[1]
    assert len(holders) == 1
    assert holders[0].startswith(f"process {os.getpid()} in ")


def test_whoever_waits_can_be_stopped(store: Store):
    stopped = threading.Event()

    def outer(into: Path) -> Mapping[str, str]:
        with pytest.raises(Stopped):
            store.make(NAME, never, stopped=stopped, waiting=lambda _: stopped.set())
        return program(into)

    assert make(store, outer)


def age(store: Store, name: str, days: float) -> None:
    """Let an entry look unused for so long."""
    then = time.time() - days * 24 * 3600
    os.utime(store.root / name / MANIFEST, (then, then))


def test_pruning_removes_what_nobody_used_for_a_month(store: Store):
    for name in ("engine-old", "engine-kept", "engine-new"):
        make(store, name=name)
    age(store, "engine-old", 31)
    age(store, "engine-kept", 31)
    age(store, "engine-new", 29)
    assert store.prune(keep=("engine-kept",)) == ["engine-old"]
    assert [store.find(name) is not None for name in ("engine-old", "engine-kept", "engine-new")] == [
        False,
        True,
        True,
    ]
    assert leftovers(store) == []


def test_finding_counts_as_use(store: Store):
    make(store)
    age(store, NAME, 31)
    store.find(NAME)
    assert store.prune() == []


def test_pruning_removes_what_a_dead_maker_left_and_not_what_a_living_one_makes(store: Store):
    dead = store.root / "staging" / "kwok-dead.4242"
    program(dead)

    def build(into: Path) -> Mapping[str, str]:
        assert store.prune(unused_s=0) == []
        assert not dead.exists()
        return program(into)

    assert make(store, build)
    assert store.find(NAME)


def test_pruning_an_empty_cache_is_nothing(store: Store):
    assert store.prune() == []


GB = 1_000_000_000


def test_needs_of_one_disk_are_added_up(tmp_path: Path):
    needs = [
        Need(tmp_path / "toolchain", 2 * GB, "programs"),
        Need(tmp_path / "go-build", 1 * GB, "build cache"),
        Need(tmp_path / "go" / "pkg", 1 * GB, "modules", "GOMODCACHE"),
    ]
    assert shortage(needs, free=lambda _: 5 * GB) is None
    error = shortage(needs, free=lambda _: 3 * GB)
    assert error is not None
    assert "4.3 GB needed, 3.0 GB free" in error.what
    assert str(tmp_path / "toolchain") in error.what
    assert "XDG_CACHE_HOME and GOMODCACHE" in error.remedy
    assert "1.0 GB  modules in" in error.detail
