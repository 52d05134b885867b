"""Make one Go module in a process of its own: something to kill, to run twice, to take the disk from.

    toolchain_driver.py STORE MODULE [--gate FILE] [--margin BYTES]

With a gate it makes half a program, creates `FILE.reached`, and goes on when FILE exists.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

from rich.console import Console

from sandbox.progress import Progress, Step
from sandbox.toolchain import ToolchainError, space
from sandbox.toolchain.children import Children
from sandbox.toolchain.golang import GoModule, Program
from sandbox.toolchain.provision import ensure
from sandbox.toolchain.recipes import Group, Recipe, go_recipe
from sandbox.toolchain.store import Store

DEADLINE_S = 30.0


def tiny(directory: Path) -> GoModule:
    """The module that the tests build; it needs next to no room."""
    return GoModule("tiny", directory, (Program("greet", ".", built_as="tiny"),), {}, 2_000_000, 0, 0)


def gated(recipe: Recipe, gate: Path) -> Recipe:
    """The same recipe, halting in the middle until the gate is there."""

    def build(children: Children, step: Step, into: Path) -> Mapping[str, str]:
        half = into / "half-a-program"
        half.write_bytes(b"\x7fELF")
        gate.with_suffix(".reached").touch()
        deadline = time.monotonic() + DEADLINE_S
        while not gate.exists() and time.monotonic() < deadline:
            children.stopped.wait(0.02)
            children.check()
        half.unlink()
        return recipe.build(children, step, into)

    return replace(recipe, build=build)


def main() -> int:
    """Make it; 0, or 1 with the error on standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("module", type=Path)
    parser.add_argument("--gate", type=Path)
    parser.add_argument("--margin", type=int, default=space.MARGIN)
    options = parser.parse_args()
    space.MARGIN = options.margin
    recipe = go_recipe(tiny(options.module))
    if options.gate:
        recipe = gated(recipe, options.gate)
    console = Console(file=sys.stdout, width=200)
    try:
        groups = cast("list[Group]", ["tiny"])  # a group of the tests' own
        made = ensure(groups, Progress(console), store=Store(options.store), recipes={"tiny": recipe})
    except ToolchainError as error:
        sys.stdout.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stdout.write("interrupted\n")
        return 130
    sys.stdout.write(f"{made.path('greet')}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
