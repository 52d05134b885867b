"""What a Go build depends on, and real builds of a tiny program: good, broken, killed, doubled, starved."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from rich.console import Console
from toolchain_driver import tiny

from sandbox.progress import Progress
from sandbox.toolchain import ToolchainError, golang
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.failure import explain
from sandbox.toolchain.golang import GoEnvironment, GoModule, Program
from sandbox.toolchain.modules import GO_MODULES
from sandbox.toolchain.provision import ensure
from sandbox.toolchain.recipes import Group, go_recipe
from sandbox.toolchain.store import Store

DRIVER = Path(__file__).with_name("toolchain_driver.py")
DEADLINE_S = 30.0
MAIN = 'package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n'
GO = GoEnvironment(("GOVERSION=go1.26.6", "GOOS=linux", "GOARCH=amd64"), Path("/build"), Path("/modules"))


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module without dependencies."""
    directory = tmp_path / "module"
    directory.mkdir()
    (directory / "go.mod").write_text("module example.test/tiny\n\ngo 1.26\n")
    (directory / "go.sum").write_text("")
    (directory / "main.go").write_text(MAIN)
    return directory


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty cache."""
    return Store(tmp_path / "cache" / "toolchain")


def built(module: GoModule, store: Store) -> Path:
    """Build it, or find it; the program."""
    groups = cast("list[Group]", ["tiny"])  # a group of the tests' own
    made = ensure(groups, Progress.silent(), store=store, recipes={"tiny": go_recipe(module)})
    return made.path("greet")


def says(program: Path) -> str:
    """What the program writes."""
    return subprocess.run([str(program)], capture_output=True, text=True, check=True).stderr.strip()


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


def alive(process: psutil.Process) -> bool:
    """Is it still running, and not merely unburied?"""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def staged(store: Store) -> list[Path]:
    """What lies in the staging directory."""
    return list((store.root / "staging").glob("*"))


def entries(store: Store) -> list[str]:
    """The entries there are."""
    return [path.name for path in store.root.glob("tiny-*")]


@contextmanager
def driver(
    store: Store, module: Path, *extra: str, prefix: tuple[str, ...] = (), path: str = os.environ["PATH"]
) -> Iterator[subprocess.Popen[str]]:
    """The driver as a process, ended when the block is left."""
    argv = [*prefix, sys.executable, str(DRIVER), str(store.root), str(module), *extra]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | {"PATH": path}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_program_is_built_once_and_then_found(module: Path, store: Store):
    definition = tiny(module)
    program = built(definition, store)
    assert says(program) == "none"
    assert staged(store) == []
    inode = program.stat().st_ino
    assert built(definition, store).stat().st_ino == inode


def test_variables_are_linked_in_with_the_version_that_go_mod_requires(module: Path):
    with (module / "go.mod").open("a") as file:
        file.write("\nrequire (\n\texample.test/engine/v3 v3.274.1 // indirect\n)\n")
    definition = replace(tiny(module), variables={"main.version": "{example.test/engine/v3}"})
    assert definition.linker_flags() == "-s -w -X main.version=v3.274.1"


def _append(name: str) -> Callable[[Path], None]:
    def change(module: Path) -> None:
        with (module / name).open("a") as file:
            file.write("\n// changed\n")

    return change


def _nothing(_module: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "definition", "go", "same"),
    [
        pytest.param(_nothing, {}, GO, True, id="nothing"),
        pytest.param(_append("go.sum"), {}, GO, False, id="go.sum"),
        pytest.param(_append("go.mod"), {}, GO, False, id="go.mod"),
        pytest.param(_append("main.go"), {}, GO, False, id="main.go"),
        pytest.param(_append("README.md"), {}, GO, True, id="a file that is not compiled"),
        pytest.param(_nothing, {"variables": {"main.version": "2"}}, GO, False, id="a linker variable"),
        pytest.param(_nothing, {"programs": (Program("greet", "./cmd"),)}, GO, False, id="another package"),
        pytest.param(_nothing, {"binary_bytes": 1}, GO, True, id="an estimate of its size"),
        pytest.param(_nothing, {}, replace(GO, identity=("GOVERSION=go1.27.0",)), False, id="the Go version"),
        pytest.param(
            _nothing, {}, replace(GO, build_cache=Path("/other")), True, id="where Go keeps its cache"
        ),
    ],
)
def test_the_key_changes_with_what_the_binary_depends_on(
    module: Path,
    change: Callable[[Path], None],
    definition: dict[str, Any],
    go: GoEnvironment,
    *,
    same: bool,
):
    before = tiny(module).key(GO)
    change(module)
    assert (replace(tiny(module), **definition).key(go) == before) is same


def test_a_clone_elsewhere_has_the_same_key(module: Path, tmp_path: Path):
    other = tmp_path / "other"
    shutil.copytree(module, other)
    assert tiny(module).key(GO) == tiny(other).key(GO)


def test_a_program_that_does_not_compile_shows_the_compiler_s_words(module: Path, store: Store):
    (module / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(ToolchainError, match="building tiny failed") as raised:
        built(tiny(module), store)
    assert "undefined: undefined" in raised.value.detail
    assert "Traceback" not in str(raised.value)
    assert (entries(store), staged(store)) == ([], [])
    (module / "main.go").write_text(MAIN)
    assert says(built(tiny(module), store)) == "none"


def test_without_go(module: Path, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolchainError, match="`go` is not on PATH") as raised:
        built(tiny(module), store)
    assert "go.dev/dl" in raised.value.remedy


def test_with_a_go_that_is_too_old(module: Path, store: Store, monkeypatch: pytest.MonkeyPatch):
    (module / "go.mod").write_text("module example.test/tiny\n\ngo 1.999.0\n")
    monkeypatch.setenv("GOTOOLCHAIN", "local")
    with pytest.raises(ToolchainError, match="this machine's Go is too old for tiny") as raised:
        built(tiny(module), store)
    assert "requires go >= 1.999.0" in raised.value.detail
    assert "GOTOOLCHAIN" in raised.value.remedy


def test_the_user_s_own_go_settings_do_not_reach_the_build(
    module: Path, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "go.work").write_text("go 1.26\n")
    monkeypatch.setenv("GOWORK", str(tmp_path / "go.work"))
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "windows")
    assert says(built(tiny(module), store)) == "none"


FLAKY_GO = """
case "$*" in
  "list -deps example"*) ;;
  *) exec {go} "$@" ;;
esac
echo "$*" >> {log}
[ $(wc -l < {log}) -ge {works_at} ] || {{ echo 'dial tcp: i/o timeout'; exit 1; }}
echo 'go: downloading example.test/dependency v1.0.0'
"""


@pytest.mark.parametrize(
    ("works_at", "tried", "succeeds"),
    [
        pytest.param(1, 1, True, id="at once"),
        pytest.param(3, 3, True, id="at the third attempt"),
        pytest.param(9, 3, False, id="never"),
    ],
)
def test_a_download_that_the_network_breaks_is_tried_again(
    module: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    works_at: int,
    tried: int,
    *,
    succeeds: bool,
):
    log, go = tmp_path / "log", tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh" + FLAKY_GO.format(go=shutil.which("go"), log=log, works_at=works_at))
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:{os.environ['PATH']}")
    definition = replace(tiny(module), programs=(Program("greet", "example.test/tiny"),))
    with Progress.silent().step("modules") as step:
        if succeeds:
            golang.download(definition, GO, Children(), step)
        else:
            with pytest.raises(ToolchainError, match="modules of tiny cannot be downloaded") as raised:
                golang.download(definition, replace(GO, module_cache=tmp_path), Children(), step)
            assert "check the network" in raised.value.remedy
    assert len(log.read_text().splitlines()) == tried


def test_what_remains_of_a_build_follows_the_amount_of_source():
    now = [0.0]
    progress = Progress(Console(quiet=True, file=io.StringIO()), clock=lambda: now[0])
    sources = [
        golang.Source("small", stale=True, bytes=10),
        golang.Source("there", stale=False, bytes=500),
        golang.Source("large", stale=True, bytes=60),
        golang.Source("last", stale=True, bytes=30),
    ]
    with progress.step("tiny") as step:
        compilation = golang.Compilation(sources, step)
        heard = []
        for now[0], line in ((1.0, "small"), (2.0, "# a remark"), (5.0, "large"), (35.0, "last")):
            compilation.hear(line)
            snapshot = step.snapshot()
            heard.append((snapshot.done, snapshot.total, snapshot.detail, snapshot.remaining))
    assert heard == [
        (1, 3, "small", None),
        (1, 3, "small", 4.0),
        (2, 3, "large", 45.0),
        (3, 3, "linking", 15.0),
    ]


# A tiny program is built in the blink of an eye: whoever wants to meet the build half-way must hold it there.
HELD_GO = """#!/bin/sh
[ "$1" = build ] || exec {go} "$@"
shift
{go} build -work "$@"
exec sleep 60
"""


@pytest.fixture
def held_go(tmp_path: Path) -> str:
    """A PATH on which `go build` does its work, leaves its work directory, and does not return."""
    go = tmp_path / "held" / "go"
    go.parent.mkdir()
    go.write_text(HELD_GO.format(go=shutil.which("go")))
    go.chmod(0o755)
    return f"{go.parent}:{os.environ['PATH']}"


def _in_staging(part: str) -> Callable[[Store], bool]:
    return lambda store: any(list(path.glob(part)) for path in staged(store))


@pytest.mark.engine
@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(lambda store: (store.root / "locks").exists(), id="as it takes the lock"),
        pytest.param(lambda store: bool(staged(store)), id="as its directory appears"),
        pytest.param(_in_staging("work/*"), id="while it compiles"),
        pytest.param(_in_staging("bin/*"), id="as the program appears"),
    ],
)
def test_a_killed_build_leaves_no_half_program_and_the_next_one_completes(
    module: Path, store: Store, held_go: str, reached: Callable[[Store], bool]
):
    with driver(store, module, path=held_go) as process:
        until(lambda: reached(store))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert entries(store) == []
    assert says(built(tiny(module), store)) == "none"
    assert staged(store) == []


@pytest.mark.engine
def test_what_a_killed_build_was_making_is_not_taken_for_a_program(
    module: Path, store: Store, tmp_path: Path
):
    gate = tmp_path / "gate"
    with driver(store, module, "--gate", str(gate)) as process:
        until(gate.with_suffix(".reached").exists)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert [path.name for path in staged(store)[0].iterdir()] == ["half-a-program"]
    assert entries(store) == []
    assert says(built(tiny(module), store)) == "none"
    assert staged(store) == []


def _waits_for(process: psutil.Process) -> bool:
    return any("sleep" in child.name() for child in process.children(recursive=True))


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="only Linux tells a child of its parent's death")
def test_children_of_a_killed_process_end():
    code = "from sandbox.toolchain.children import Children; Children().run(['sleep', '60'])"
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        inspected = psutil.Process(parent.pid)
        until(lambda: _waits_for(inspected))
        (child,) = inspected.children(recursive=True)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not alive(child))


@pytest.mark.engine
def test_two_clones_that_build_at_once_build_once(module: Path, store: Store, tmp_path: Path):
    clone, gate = tmp_path / "clone", tmp_path / "gate"
    shutil.copytree(module, clone)
    with driver(store, module, "--gate", str(gate)) as first:
        until(gate.with_suffix(".reached").exists)
        with driver(store, clone, "--gate", str(tmp_path / "never-reached")) as second:
            assert second.stdout
            said = next(line for line in second.stdout if "is being made by" in line)
            gate.touch()
            assert first.wait(DEADLINE_S) == 0
            assert second.wait(DEADLINE_S) == 0
    assert f"process {first.pid} in " in said
    assert not (tmp_path / "never-reached.reached").exists()
    assert len(entries(store)) == 1


@pytest.mark.engine
def test_a_clone_that_waits_goes_on_when_the_other_one_is_killed(module: Path, store: Store, tmp_path: Path):
    gate = tmp_path / "gate"
    with driver(store, module, "--gate", str(gate)) as first:
        until(gate.with_suffix(".reached").exists)
        with driver(store, module) as second:
            assert second.stdout
            assert any("is being made by" in line for line in second.stdout)
            os.kill(first.pid, signal.SIGKILL)
            assert second.wait(DEADLINE_S) == 0
    assert len(entries(store)) == 1
    assert staged(store) == []


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize("where", ["gate", "compiler"])
def test_an_interrupted_build_ends_its_children(
    module: Path, store: Store, tmp_path: Path, held_go: str, *, number: signal.Signals, where: str
):
    gate = tmp_path / "gate"
    halt = ["--gate", str(gate)] if where == "gate" else []
    with driver(store, module, *halt, path=held_go) as process:
        inspected = psutil.Process(process.pid)
        if where == "gate":
            until(gate.with_suffix(".reached").exists)
        else:
            until(lambda: _in_staging("bin/*")(store) and _waits_for(inspected))
        children = inspected.children(recursive=True)
        os.kill(process.pid, number)
        output, _ = process.communicate(timeout=DEADLINE_S)
    until(lambda: not any(alive(child) for child in children))
    assert "Traceback" not in output
    if number is signal.SIGINT:
        assert output.splitlines()[-1] == "interrupted"
        assert staged(store) == []


def _own_mounts() -> tuple[str, ...]:
    """A command's prefix that lets it mount what only it sees, or nothing where that is not allowed."""
    for prefix in (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount")):
        if shutil.which(prefix[0]):
            probe = subprocess.run(
                [*prefix, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
            )
            if probe.returncode == 0:
                return prefix
    return ()


OWN_MOUNTS = _own_mounts()
needs_own_mounts = pytest.mark.skipif(not OWN_MOUNTS, reason="this machine lets nobody mount a small disk")


def _on_a_disk(script: str, store: Store) -> tuple[str, ...]:
    """Run what follows after a script that may mount things at the store's directory."""
    store.root.mkdir(parents=True, exist_ok=True)
    return (*OWN_MOUNTS, "sh", "-c", f'{script}; exec "$@"', str(store.root))


@pytest.mark.engine
@needs_own_mounts
@pytest.mark.parametrize(
    ("megabytes", "margin", "expected"),
    [
        pytest.param(1, 256_000_000, "error: no room for the toolchain in", id="known before it starts"),
        pytest.param(1, -4_000_000, "error: building tiny failed", id="found out in the middle"),
    ],
)
def test_a_full_disk(module: Path, store: Store, megabytes: int, margin: int, expected: str):
    prefix = _on_a_disk(f'mount -t tmpfs -o size={megabytes}m none "$0"', store)
    with driver(store, module, "--margin", str(margin), prefix=prefix) as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert expected in output
    assert str(store.root) in output
    assert "XDG_CACHE_HOME" in output
    assert "Traceback" not in output


@pytest.mark.engine
@needs_own_mounts
def test_a_cache_that_may_only_be_read_serves_what_it_holds(module: Path, store: Store):
    read_only = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    with driver(store, module, prefix=_on_a_disk(read_only, store)) as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert f"error: cannot write to the toolchain cache {store.root}: Read-only file system" in output
    assert "Traceback" not in output
    program = built(tiny(module), store)
    with driver(store, module, prefix=_on_a_disk(read_only, store)) as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert output.splitlines()[-1] == str(program)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        pytest.param("write /tmp/x: no space left on device", "XDG_CACHE_HOME", id="full disk"),
        pytest.param("dial tcp: lookup proxy: no such host", "network", id="no network"),
        pytest.param("go: link: signal: killed", "memory", id="no memory"),
        pytest.param("verifying x@v1.0.0: checksum mismatch", "go.sum", id="another module than promised"),
        pytest.param("E: Unable to locate package", "as the caller says", id="anything else"),
    ],
)
def test_a_failure_has_the_remedy_that_its_output_calls_for(output: str, remedy: str):
    failed = CommandFailedError(["go"], "failed", [output])
    error = explain("it failed", failed, otherwise="as the caller says", writes_to=[Path("/")])
    assert remedy in error.remedy
    assert output in error.detail


def test_a_command_that_takes_too_long_is_ended():
    with pytest.raises(CommandFailedError, match=r"took longer than 0.05 s"):
        Children().run(["sleep", "60"], timeout_s=0.05)


def test_a_command_that_does_not_exist():
    with pytest.raises(CommandFailedError):
        Children().run(["no-such-program-anywhere"])


@pytest.mark.parametrize("module", [pytest.param(module, id=module.group) for module in GO_MODULES])
def test_the_modules_of_the_toolchain_have_what_their_builds_need(module: GoModule):
    assert (module.directory / "go.sum").stat().st_size > 0
    required = (module.directory / "go.mod").read_text()
    for program in module.programs:
        assert program.package == "." or f"{program.package}\n" in required, "it is a tool of the module"
    assert "{" not in module.linker_flags()


def test_kubernetes_modules_are_of_one_release():
    text = (
        next(module for module in GO_MODULES if module.group == "cluster")
        .directory.joinpath("go.mod")
        .read_text()
    )
    replaced = {line.split("=>")[1].split()[1] for line in text.splitlines() if "=>" in line}
    assert len(replaced) == 1
    (staging,) = replaced
    assert f"k8s.io/kubernetes v1{staging.removeprefix('v0')}" in text
