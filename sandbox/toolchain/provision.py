"""Make the programs of some groups ready, doing at once what can be done at once.

Compilations take every core, so they run one after another. What waits for a network (Go modules, packages,
Python wheels) runs beside them: the modules of the second group are there when the first group is built. The
first fault stops everything that is under way; what was finished before it stays in the cache.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import paths
from sandbox.progress import Progress, Step, size
from sandbox.toolchain import browser, gateway, official, space
from sandbox.toolchain.children import Children
from sandbox.toolchain.errors import Stopped, ToolchainError
from sandbox.toolchain.programs import Located, Toolchain
from sandbox.toolchain.recipes import Group, Recipe, all_recipes
from sandbox.toolchain.store import UNUSED_S, Entry, Store

_COMPILING = threading.Lock()  # one compiler at a time, whichever call of `ensure` it belongs to
_POLL_S = 0.2


def default_store() -> Store:
    """The user's cache of built programs, shared by every clone."""
    return Store(paths.cache_dir() / "toolchain")


def ensure(
    groups: Collection[Group],
    progress: Progress,
    *,
    store: Store | None = None,
    recipes: Mapping[str, Recipe] | None = None,
) -> Toolchain:
    """The programs of these groups, made or fetched where they are not there yet.

    With everything in the cache this takes a fraction of a second. May be called from several threads at
    once, for example to start the emulator while the engine is still being built. Raises ToolchainError.
    """
    recipes = all_recipes() if recipes is None else recipes
    unknown = sorted(set(groups) - set(recipes))
    if unknown:
        raise ToolchainError(
            f"no such toolchain group: {', '.join(unknown)}", f"the groups are {', '.join(recipes)}"
        )
    wanted = [recipe for group, recipe in recipes.items() if group in groups]
    with _children() as children:
        there = _outside(wanted, children, progress)
        missing = [recipe for recipe in wanted if not set(recipe.programs) <= there.keys()]
        work = _Work(store or default_store(), children, progress)
        entries = work.entries(missing)
    for recipe, entry in entries.items():
        there |= {name: Located(path, recipe.source) for name, path in entry.programs.items()}
    return Toolchain(there, {recipe.group: entry.bytes for recipe, entry in entries.items()})


def prune(*, unused_s: float = UNUSED_S, store: Store | None = None) -> list[str]:
    """Remove cache entries that nobody used for so long, and what killed builds left; the names removed."""
    return (store or default_store()).prune(unused_s=unused_s)


@contextmanager
def _children() -> Iterator[Children]:
    """Children that are gone when the block is left, however it is left."""
    children = Children()
    try:
        yield children
    finally:
        children.stop()


def _outside(wanted: list[Recipe], children: Children, progress: Progress) -> dict[str, Located]:
    """What this machine already has, so that it need not be made."""
    groups = {recipe.group for recipe in wanted}
    found: dict[str, Located] = {}
    ours = (paths.state_dir().resolve(), paths.cache_dir().resolve())
    chosen = official.choice()
    if chosen != "built" and groups & {"engine", "kubernetes-provider"}:
        release = official.find(ours=ours)
        if chosen == "official":
            release = official.install_plugins(release, children, progress, ours=ours)
        found |= {name: Located(path, "official") for name, path in release.programs.items()}
        for note in release.notes:
            progress.say(note)
    if "gateway" in groups and (haproxy := gateway.installed(ours=ours)):
        found["haproxy"] = Located(haproxy, "system")
    if "browser" in groups and (chromium := browser.installed(ours=ours)):
        found["chromium"] = Located(chromium, "system")
    return found


class _Work:
    """One call of `ensure`: which entries are there, and the making of those that are not."""

    def __init__(self, store: Store, children: Children, progress: Progress) -> None:
        self._store = store
        self._children = children
        self._progress = progress

    def entries(self, recipes: list[Recipe]) -> dict[Recipe, Entry]:
        """Every recipe's entry."""
        names = {recipe: f"{recipe.group}-{recipe.key(self._children)}" for recipe in recipes}
        found = {recipe: self._store.find(name) for recipe, name in names.items()}
        entries = {recipe: entry for recipe, entry in found.items() if entry}
        missing = [recipe for recipe in recipes if recipe not in entries]
        if missing:
            with self._progress.step("toolchain") as step:
                self._check_space(missing)
                entries |= self._make_all(missing, names, step)
                self._store.prune(keep=tuple(names.values()))
                step.result(size(sum(entry.bytes for entry in entries.values())))
        return {recipe: entries[recipe] for recipe in recipes}

    def _check_space(self, missing: list[Recipe]) -> None:
        """Estimates first, as they are free; if they do not fit, what Go's caches hold is subtracted."""
        if self._shortage(missing, exactly=False):
            error = self._shortage(missing, exactly=True)
            if error:
                raise error

    def _shortage(self, missing: list[Recipe], *, exactly: bool) -> ToolchainError | None:
        needs = [
            need for recipe in missing for need in recipe.needs(self._children, self._store.root, exactly)
        ]
        return space.shortage(needs)

    def _make_all(self, missing: list[Recipe], names: dict[Recipe, str], step: Step) -> dict[Recipe, Entry]:
        compiled = [recipe for recipe in missing if recipe.uses_cpu]
        with (
            ThreadPoolExecutor(1) as fetching,
            ThreadPoolExecutor(1) as compiling,
            ThreadPoolExecutor(max(1, len(missing))) as beside,
        ):
            fetched = {
                recipe: fetching.submit(self._prefetch, recipe, step) for recipe in missing if recipe.prefetch
            }
            made = {
                recipe: (compiling if recipe in compiled else beside).submit(
                    self._make, recipe, names[recipe], step, fetched.get(recipe)
                )
                for recipe in missing
            }
            try:
                _until_done([*fetched.values(), *made.values()], len(missing), step)
            except BaseException:
                self._children.stop()
                raise
        return {recipe: future.result() for recipe, future in made.items()}

    def _prefetch(self, recipe: Recipe, parent: Step) -> None:
        self._children.check()
        if recipe.prefetch:
            with parent.step(f"{recipe.group}: modules", unit="downloaded") as step:
                recipe.prefetch(self._children, step)

    def _make(self, recipe: Recipe, name: str, parent: Step, fetched: Future[None] | None) -> Entry:
        if fetched:
            fetched.result()
        self._children.check()
        with self._lane(recipe), parent.step(recipe.group, unit=recipe.counts) as step:

            def build(into: Path) -> Mapping[str, str]:
                return recipe.build(self._children, step, into)

            def waiting(holder: str) -> None:
                step.update(detail=f"waiting: {holder} is making it")
                self._progress.say(f"{recipe.group} is being made by {holder}; waiting for it")

            return self._store.make(name, build, stopped=self._children.stopped, waiting=waiting)

    @contextmanager
    def _lane(self, recipe: Recipe) -> Iterator[None]:
        if not recipe.uses_cpu:
            yield
            return
        while not _COMPILING.acquire(timeout=_POLL_S):
            self._children.check()
        try:
            yield
        finally:
            _COMPILING.release()


def _until_done(parts: Sequence[Future[Any]], recipes: int, step: Step) -> None:
    """Wait for all, or for the first fault, which is raised; a part that was stopped is not the fault."""
    pending = set(parts)
    while pending:
        finished, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_EXCEPTION)
        step.update(detail=f"{recipes - min(recipes, len(pending))} of {recipes} groups are ready")
        faults = [fault for future in finished if (fault := future.exception())]
        for fault in sorted(faults, key=lambda fault: isinstance(fault, Stopped)):
            raise fault
