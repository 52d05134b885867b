"""In what order things are made ready, what overlaps, and how one fault ends the rest."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from sandbox.progress import Progress, Step
from sandbox.toolchain import Group, Toolchain, ToolchainError, gateway, official
from sandbox.toolchain.__main__ import main
from sandbox.toolchain.children import Children
from sandbox.toolchain.provision import ensure
from sandbox.toolchain.recipes import GROUPS, Recipe, all_recipes
from sandbox.toolchain.space import Need
from sandbox.toolchain.store import Store

DEADLINE_S = 60.0

Action = Callable[[Children], None]


def nothing(_children: Children) -> None:
    """Do nothing."""


@dataclass
class Workshop:
    """Recipes that write down what happens, and a cache for what they make."""

    store: Store
    events: list[str] = field(default_factory=list)
    recipes: dict[str, Recipe] = field(default_factory=dict)

    def recipe(
        self,
        group: str,
        *,
        action: Action = nothing,
        prefetch: Action | None = None,
        uses_cpu: bool = True,
        needs: Callable[[Path, bool], list[Need]] = lambda _store, _exactly: [],
    ) -> None:
        """Add one."""

        def build(children: Children, _step: Step, into: Path) -> Mapping[str, str]:
            self.events.append(f"{group} begins")
            action(children)
            path = into / group
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
            self.events.append(f"{group} ends")
            return {group: group}

        def fetch(children: Children, _step: Step) -> None:
            if prefetch:
                prefetch(children)
            self.events.append(f"{group} fetched")

        self.recipes[group] = Recipe(
            group=group,
            programs=(group,),
            source="built",
            key=lambda _: "key",
            needs=lambda _children, store, exactly: needs(store, exactly),
            build=build,
            prefetch=fetch if prefetch else None,
            uses_cpu=uses_cpu,
        )

    def ensure(self, *groups: str) -> Toolchain:
        """Make groups ready."""
        wanted = cast("list[Group]", list(groups or self.recipes))
        return ensure(wanted, Progress.silent(), store=self.store, recipes=self.recipes)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """One with nothing in it."""
    return Workshop(Store(tmp_path / "toolchain"))


def meet(barrier: threading.Barrier) -> Action:
    """Wait for another recipe to be under way at the same time."""
    return lambda _children: cast("None", barrier.wait(DEADLINE_S))


def test_only_what_was_asked_for_is_made(workshop: Workshop):
    workshop.recipe("a")
    workshop.recipe("b")
    made = workshop.ensure("b")
    assert workshop.events == ["b begins", "b ends"]
    assert made.path("b").is_file()
    assert made.source("b") == "built"
    assert made.find("a") is None
    assert made.sizes["b"] > 0
    with pytest.raises(ToolchainError, match="a is not part of this toolchain"):
        made.path("a")


def test_what_is_there_is_not_made_again_and_nothing_is_said(workshop: Workshop):
    workshop.recipe("a")
    first = workshop.ensure()
    workshop.events.clear()
    assert workshop.ensure() == first
    assert workshop.events == []


def test_compilers_run_one_after_another_in_order(workshop: Workshop):
    for group in ("a", "b", "c"):
        workshop.recipe(group)
    workshop.ensure("c", "b", "a")
    assert workshop.events == ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]


def test_calls_from_two_threads_do_not_compile_at_once(workshop: Workshop):
    for group in ("a", "b"):
        workshop.recipe(group, action=lambda children: cast("None", children.stopped.wait(0.05)))
    threads = [threading.Thread(target=workshop.ensure, args=(group,)) for group in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert [event.split()[1] for event in workshop.events] == ["begins", "ends", "begins", "ends"]


def test_downloads_run_beside_a_compiler(workshop: Workshop):
    both = threading.Barrier(2)
    workshop.recipe("compiled", action=meet(both))
    workshop.recipe("fetched", action=meet(both), uses_cpu=False)
    workshop.ensure()
    assert len(workshop.events) == 4


def test_the_modules_of_the_next_are_fetched_while_the_first_compiles(workshop: Workshop):
    both = threading.Barrier(2)
    workshop.recipe("first", action=meet(both), prefetch=nothing)
    workshop.recipe("second", prefetch=meet(both))
    workshop.ensure()
    assert workshop.events[0] == "first fetched"
    assert workshop.events.index("second fetched") < workshop.events.index("second begins")


def test_the_first_fault_ends_what_is_under_way(workshop: Workshop):
    under_way = threading.Event()

    def slow(children: Children) -> None:
        under_way.set()
        children.run(["sleep", "60"])

    def broken(_children: Children) -> None:
        under_way.wait(DEADLINE_S)
        raise ToolchainError("the package is not there", "look elsewhere")

    workshop.recipe("slow", action=slow)
    workshop.recipe("after it")
    workshop.recipe("broken", action=broken, uses_cpu=False)
    with pytest.raises(ToolchainError, match="the package is not there"):
        workshop.ensure()
    assert "slow ends" not in workshop.events
    assert "after it begins" not in workshop.events
    assert list((workshop.store.root / "staging").iterdir()) == []


def test_a_download_that_fails_does_not_wait_for_the_compiler_before_it(workshop: Workshop):
    compiling = threading.Event()

    def slow(children: Children) -> None:
        compiling.set()
        children.run(["sleep", "60"])

    def broken(_children: Children) -> None:
        compiling.wait(DEADLINE_S)
        raise ToolchainError("there is no network", "look at the cable")

    workshop.recipe("slow", action=slow)
    workshop.recipe("next", prefetch=broken)
    with pytest.raises(ToolchainError, match="there is no network"):
        workshop.ensure()
    assert workshop.events == ["slow begins"]


def test_what_was_finished_before_a_fault_is_kept(workshop: Workshop):
    def broken(_children: Children) -> None:
        raise ToolchainError("it does not compile", "mend it")

    workshop.recipe("good")
    workshop.recipe("bad", action=broken)
    with pytest.raises(ToolchainError, match="does not compile"):
        workshop.ensure()
    assert workshop.ensure("good").find("good")
    assert workshop.events.count("good begins") == 1


TOO_MUCH = 10**18


@pytest.mark.parametrize(
    ("estimate", "exactly", "asked", "fits"),
    [
        pytest.param(1, TOO_MUCH, [False], True, id="the estimate fits, so nobody looks closer"),
        pytest.param(TOO_MUCH, 1, [False, True], True, id="the estimate does not, but most of it is there"),
        pytest.param(TOO_MUCH, TOO_MUCH, [False, True], False, id="there is no room"),
    ],
)
def test_room_is_looked_for_before_anything_starts(
    workshop: Workshop, estimate: int, exactly: int, asked: list[bool], *, fits: bool
):
    heard: list[bool] = []

    def needs(store: Path, precisely: bool) -> list[Need]:  # noqa: FBT001 - as the recipes have it
        heard.append(precisely)
        return [Need(store, exactly if precisely else estimate, "programs")]

    workshop.recipe("a", needs=needs)
    if fits:
        workshop.ensure()
    else:
        with pytest.raises(ToolchainError, match=f"no room for the toolchain in {workshop.store.root}"):
            workshop.ensure()
        assert workshop.events == []
    assert heard == asked


def test_a_group_that_does_not_exist(workshop: Workshop):
    workshop.recipe("engine")
    with pytest.raises(ToolchainError, match="no such toolchain group: motor") as raised:
        workshop.ensure("motor")
    assert "engine" in raised.value.remedy


def test_every_group_has_a_recipe_and_every_program_one_home():
    recipes = all_recipes()
    assert tuple(recipes) == GROUPS
    programs = [program for recipe in recipes.values() for program in recipe.programs]
    assert len(programs) == len(set(programs))


@pytest.fixture
def found_outside(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A machine that has an official engine and a haproxy of its own, but no Kubernetes plugin."""
    engine = {"pulumi": tmp_path / "pulumi", "pulumi-language-python": tmp_path / "host"}
    monkeypatch.setattr(official, "find", lambda **_: official.Official(engine))
    monkeypatch.setattr(gateway, "installed", lambda **_: tmp_path / "haproxy")
    for group in ("engine", "kubernetes-provider", "gateway"):
        workshop.recipe(group)
    for group, program in (("engine", "pulumi"), ("gateway", "haproxy")):
        recipe = workshop.recipes[group]
        workshop.recipes[group] = Recipe(**{**vars(recipe), "programs": (program,)})
    return workshop


def test_what_the_machine_has_is_used_and_only_the_rest_is_made(found_outside: Workshop):
    made = found_outside.ensure()
    assert {name: located.source for name, located in made.programs.items()} == {
        "pulumi": "official",
        "pulumi-language-python": "official",
        "haproxy": "system",
        "kubernetes-provider": "built",
    }
    assert found_outside.events == ["kubernetes-provider begins", "kubernetes-provider ends"]


def test_official_programs_can_be_declined(found_outside: Workshop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(official.VARIABLE, "built")
    found_outside.ensure("engine")
    assert "engine begins" in found_outside.events


def test_the_command_says_what_is_where(
    found_outside: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(
        "sandbox.toolchain.__main__.ensure", lambda groups, _progress: found_outside.ensure(*groups)
    )
    assert main(["--json", "gateway", "kubernetes-provider"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["programs"]["haproxy"]["source"] == "system"
    assert answer["bytes"]["kubernetes-provider"] > 0
    assert main(["gateway"]) == 0
    assert "haproxy" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(capsys: pytest.CaptureFixture[str]):
    assert main(["motor"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: no such toolchain group: motor")
    assert "Traceback" not in error
