"""Programs built from Go modules: one module per group, pinned by its go.mod and go.sum.

The module directories beside this file are the whole definition; versions are written there and nowhere
else. What a build depends on goes into its key, so that a change of any of it makes another cache entry:
the module's files, the flags, the Go version and the machine's kind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from sandbox.progress import Step, size
from sandbox.toolchain.children import Children, CommandFailedError
from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.failure import explain, is_of_the_network
from sandbox.toolchain.space import Need

# No inlining (-l) costs a sandbox nothing that it would notice, and a quarter of the compile time.
FLAGS = ("-trimpath", "-gcflags=all=-l")
STRIP = "-s -w"
_PLENTY_OF_MEMORY = 6_000_000_000
_QUERY_TIMEOUT_S = 600.0
_COLUMNS = 4
_DOWNLOAD_ATTEMPTS = 3  # one of several hundred downloads may well fail; what came before it is kept
_VERSION = re.compile(r"\{([^}]+)\}")
_PACKAGE = re.compile(r"[^\s:#]+")

_OTHERWISE = "read the output below: unless it names something of this machine, it is a fault of halfmetal"


@dataclass(frozen=True)
class Program:
    """A main package and the name it gets; `built_as` is what `go build` calls it, where that differs."""

    name: str
    package: str
    built_as: str = ""


@dataclass(frozen=True)
class GoModule:
    """A module directory and what is built from it.

    In `variables` (linker `-X` settings), `{module/path}` stands for the version of that module in go.mod.
    The sizes are what a build from nothing was measured to take.
    """

    group: str
    directory: Path
    programs: tuple[Program, ...]
    variables: Mapping[str, str]
    binary_bytes: int
    build_cache_bytes: int
    module_cache_bytes: int

    @property
    def packages(self) -> list[str]:
        """The main packages, as `go build` takes them."""
        return [program.package for program in self.programs]

    def linker_flags(self) -> str:
        """Strip, and set the variables."""
        required = _required(self.directory / "go.mod")
        values = {
            name: _VERSION.sub(lambda match: required[match[1]], value)
            for name, value in self.variables.items()
        }
        return " ".join([STRIP, *(f"-X {name}={value}" for name, value in values.items())])

    def key(self, go: GoEnvironment) -> str:
        """What the binaries depend on, as a short hash."""
        digest = hashlib.sha256()
        sources = sorted(self.directory.glob("*.go"))
        for path in (self.directory / "go.mod", self.directory / "go.sum", *sources):
            digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
        digest.update("\0".join([*FLAGS, self.linker_flags(), *self.packages, *go.identity]).encode())
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class GoEnvironment:
    """The Go installation as it is for one module (a toolchain line may choose another version for it)."""

    identity: tuple[str, ...]
    build_cache: Path
    module_cache: Path

    @classmethod
    def of(cls, module: GoModule, children: Children) -> GoEnvironment:
        """Ask `go`. Raises ToolchainError if it is missing or too old for the module."""
        if shutil.which("go") is None:
            raise ToolchainError(
                "the program `go` is not on PATH: the sandbox's engine and cluster are built from Go modules",
                "install Go 1.26 or newer (go.dev/dl) and make sure that `go version` works in this shell",
            )
        names = ("GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOEXPERIMENT", "GOCACHE", "GOMODCACHE")
        try:
            output = children.run(
                ["go", "env", "-json", *names],
                cwd=module.directory,
                env=environment(),
                timeout_s=_QUERY_TIMEOUT_S,
            )
        except CommandFailedError as error:
            raise _failure(
                f"go cannot be used for {module.group}", module, error, [module.directory]
            ) from error
        values: dict[str, str] = json.loads(output[output.index("{") :])
        return cls(
            identity=tuple(f"{name}={values.get(name, '')}" for name in names[:-2]),
            build_cache=Path(values["GOCACHE"]),
            module_cache=Path(values["GOMODCACHE"]),
        )


def environment() -> dict[str, str]:
    """The caller's environment, without what would make the build depend on it."""
    env = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH", "GOBIN")}
    env |= {"CGO_ENABLED": "0", "GOWORK": "off", "GO111MODULE": "on"}
    env["GOFLAGS"] = "-mod=readonly -buildvcs=false"
    if psutil.virtual_memory().available > _PLENTY_OF_MEMORY:
        # Otherwise the compiler spends a quarter of its time collecting garbage.
        env.setdefault("GOGC", "400")
    return env


def needs(module: GoModule, go: GoEnvironment, store: Path, *, stale: float = 1.0) -> list[Need]:
    """The room that a build takes; `stale` is the share of it that Go's own caches do not hold yet."""
    whole = [
        # Twice: the linker writes into a work directory of its own before the program is moved.
        Need(store, 2 * module.binary_bytes, f"{module.group}, programs"),
        Need(go.build_cache, int(module.build_cache_bytes * stale), f"{module.group}, Go build cache"),
        Need(
            go.module_cache,
            int(module.module_cache_bytes * stale),
            f"{module.group}, Go modules",
            "GOMODCACHE",
        ),
    ]
    return [need for need in whole if need.bytes]


def stale_share(module: GoModule, children: Children) -> float:
    """How much of a build Go's caches lack, without asking the network: 1.0 if modules are missing too."""
    try:
        sources = _sources(module, children, {"GOPROXY": "off"})
    except CommandFailedError:
        return 1.0
    return sum(source.bytes for source in sources if source.stale) / sum(source.bytes for source in sources)


def download(module: GoModule, go: GoEnvironment, children: Children, step: Step) -> None:
    """Fetch the modules that the programs import (`go mod download` would fetch the tests' ones too)."""
    fetched = 0

    def on_line(line: str) -> None:
        nonlocal fetched
        if line.startswith("go: downloading "):
            fetched += 1
            step.log(line)
            step.update(done=fetched, detail=line.removeprefix("go: downloading "))

    argv = ["go", "list", "-deps", *module.packages]
    what = f"the modules of {module.group} cannot be downloaded"
    for attempt in range(1, _DOWNLOAD_ATTEMPTS + 1):
        try:
            children.run(argv, cwd=module.directory, env=environment(), on_line=on_line)
            break
        except CommandFailedError as error:
            if attempt == _DOWNLOAD_ATTEMPTS or not is_of_the_network(error):
                raise _failure(what, module, error, [go.module_cache]) from error
            step.update(detail="the network failed; trying again")
    step.result(f"{fetched} modules" if fetched else "all there")


def build(module: GoModule, go: GoEnvironment, children: Children, step: Step, into: Path) -> dict[str, str]:
    """Build all programs of the module into `into/bin`; each program's path below `into`."""
    (into / "bin").mkdir()
    work = into / "work"
    work.mkdir()
    argv = ["go", "build", "-v", *FLAGS, "-ldflags", module.linker_flags(), "-o", f"{into / 'bin'}/"]
    # Go's work directory below ours: one file system to watch, one place to clean.
    env = environment() | {"GOTMPDIR": str(work)}
    try:
        compilation = Compilation(_sources(module, children), step)
        children.run([*argv, *module.packages], cwd=module.directory, env=env, on_line=compilation.hear)
    except CommandFailedError as error:
        raise _failure(
            f"building {module.group} failed", module, error, [into.parents[1], go.build_cache]
        ) from error
    shutil.rmtree(work, ignore_errors=True)
    for program in module.programs:
        if program.built_as:
            (into / "bin" / program.built_as).rename(into / "bin" / program.name)
    step.result(size(sum(path.stat().st_size for path in (into / "bin").iterdir())))
    return {program.name: f"bin/{program.name}" for program in module.programs}


def _failure(
    what: str, module: GoModule, error: CommandFailedError, writes_to: Sequence[Path]
) -> ToolchainError:
    if re.search(r"requires go >= ", error.text):
        what = f"this machine's Go is too old for {module.group}"
    # -v has filled the output with names of packages; what went wrong stands between them.
    lines = [line for line in error.tail if not _PACKAGE.fullmatch(line)] or error.tail
    stripped = CommandFailedError(error.argv, error.reason, lines)
    return explain(what, stripped, otherwise=_OTHERWISE, writes_to=writes_to)


@dataclass(frozen=True)
class Source:
    """A package of the build: how much there is to compile, and whether it has to be."""

    package: str
    stale: bool
    bytes: int


class Compilation:
    """How far a compilation is, by what `go build -v` says: a package's name as its turn comes.

    Packages differ a thousandfold in size, and the largest come last; so what remains is estimated from the
    amount of source, not from the number of packages.
    """

    def __init__(self, sources: Sequence[Source], step: Step) -> None:
        self._step = step
        self._ahead = {source.package: source.bytes for source in sources if source.stale}
        self._packages = len(self._ahead)
        self._bytes = sum(self._ahead.values())
        self._current = 0

    def hear(self, line: str) -> None:
        """A line of the build's output."""
        self._step.log(line)
        if line not in self._ahead:
            return
        self._current = self._ahead.pop(line)
        ahead = sum(self._ahead.values()) + self._current
        behind, elapsed = self._bytes - ahead, self._step.snapshot().elapsed
        self._step.update(
            done=self._packages - len(self._ahead),
            total=self._packages,
            detail=line if self._ahead else "linking",
            remaining=elapsed * ahead / behind if behind else None,
        )


def _sources(
    module: GoModule, children: Children, extra: Mapping[str, str] = MappingProxyType({})
) -> list[Source]:
    """Every package that the programs consist of."""
    template = "{{.ImportPath}}\t{{.Stale}}\t{{.Dir}}\t{{range .GoFiles}}{{.}}/{{end}}"
    argv = ["go", "list", "-deps", *FLAGS, "-f", template, *module.packages]
    output = children.run(argv, cwd=module.directory, env={**environment(), **extra})
    # Anything else that go says (of a module that it downloads after all) has no tabs.
    rows = [line.split("\t") for line in output.splitlines() if line.count("\t") == _COLUMNS - 1]
    return [
        Source(
            package,
            stale == "true",
            sum(Path(directory, name).stat().st_size for name in files.split("/") if name),
        )
        for package, stale, directory, files in rows
    ]


def _required(go_mod: Path) -> dict[str, str]:
    """Module path to version, as go.mod requires them."""
    pattern = re.compile(r"^\s*(?:require\s+)?([^\s()]+) (v\d[^\s]*)", re.MULTILINE)
    return {match[1]: match[2] for match in pattern.finditer(go_mod.read_text())}
