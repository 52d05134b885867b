"""One shape for all that can be made: a key, the room it takes, what to do beforehand, how to make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from sandbox.progress import Step
from sandbox.toolchain import browser, emulator, gateway, golang
from sandbox.toolchain.children import Children
from sandbox.toolchain.golang import GoEnvironment, GoModule
from sandbox.toolchain.modules import GO_MODULES
from sandbox.toolchain.space import Need

Group = Literal["engine", "kubernetes-provider", "cluster", "kwok", "gateway", "emulator", "browser"]
GROUPS: tuple[Group, ...] = get_args(Group)

Source = Literal["official", "system", "built", "fetched"]


@dataclass(frozen=True)
class Recipe:
    """How one group of programs comes to be.

    `uses_cpu` recipes are made one at a time, in the order of `GROUPS`: one compiler already uses every core.
    `needs(exactly)` may take seconds when asked to be exact. `prefetch` is what can be done while another
    recipe compiles.
    """

    group: str
    programs: tuple[str, ...]
    source: Source
    key: Callable[[Children], str]
    needs: Callable[[Children, Path, bool], list[Need]]
    build: Callable[[Children, Step, Path], Mapping[str, str]]
    prefetch: Callable[[Children, Step], None] | None = None
    uses_cpu: bool = False
    counts: str = ""


def go_recipe(module: GoModule) -> Recipe:
    """The recipe of a Go module."""

    @cache
    def go(children: Children) -> GoEnvironment:
        return GoEnvironment.of(module, children)

    def needs(children: Children, store: Path, exactly: bool) -> list[Need]:  # noqa: FBT001 - one signature for all
        stale = golang.stale_share(module, children) if exactly else 1.0
        return golang.needs(module, go(children), store, stale=stale)

    return Recipe(
        group=module.group,
        programs=tuple(program.name for program in module.programs),
        source="built",
        key=lambda children: module.key(go(children)),
        needs=needs,
        build=lambda children, step, into: golang.build(module, go(children), children, step, into),
        prefetch=lambda children, step: golang.download(module, go(children), children, step),
        uses_cpu=True,
        counts="packages",
    )


def all_recipes() -> dict[str, Recipe]:
    """Every group's recipe, in the order in which they are made."""
    recipes = [go_recipe(module) for module in GO_MODULES]
    recipes.append(
        Recipe(
            group="gateway",
            programs=("haproxy",),
            source="fetched",
            key=lambda _: gateway.PROGRAM.key(),
            needs=lambda _children, store, _exactly: gateway.needs(store),
            build=gateway.PROGRAM.build,
        )
    )
    recipes.append(
        Recipe(
            group="emulator",
            programs=(emulator.PROGRAM,),
            source="built",
            key=lambda _: emulator.key(),
            needs=lambda _children, store, _exactly: emulator.needs(store),
            build=emulator.build,
        )
    )
    recipes.append(
        Recipe(
            group="browser",
            programs=("chromium",),
            source="fetched",
            key=lambda _: browser.key(),
            needs=lambda _children, store, _exactly: browser.needs(store),
            build=browser.build,
        )
    )
    return {recipe.group: recipe for recipe in recipes}
