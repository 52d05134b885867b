"""`pulumi preview` of each deployed stack, against a program of as many resources that do nothing.

The baseline is what the engine and the SDK take for that many resources by themselves: it asks no provider,
reads no stack file and imports no SDK of a cloud. What a stack takes beyond it is ours to answer for. Each
stack is measured without and with the policy pack.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.measure import (
    COLUMNS,
    BenchError,
    Compared,
    as_rows,
    machine,
    print_json,
    report,
    run,
    told,
    turn_about,
)
from sandbox.engine import POLICY_PACK, Engine
from sandbox.environment import inside
from sandbox.paths import REPO

_FLAGS = ("--non-interactive", "--color", "never")
_EMPTY = "empty"
_PROJECT = """\
name: bench
runtime:
  name: python
  options: {{toolchain: pip, virtualenv: {virtualenv}}}
"""
_PROGRAM = """\
import pulumi

for number in range({count}):
    pulumi.ComponentResource("bench:index:Nothing", f"nothing-{{number}}")
"""


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    env = inside(os.environ)
    engine = Engine(env)
    deployed = engine.stacks()
    if unknown := sorted(set(arguments.stack) - set(deployed)):
        raise BenchError(f"not deployed: {', '.join(unknown)}; deploy: halfmetal up {unknown[0]}")
    if not deployed:
        raise BenchError("no stack is deployed; deploy one: halfmetal up hybrid")
    results = {
        stack: _measured(stack, _resources(engine, stack), env, arguments.rounds)
        for stack in arguments.stack or deployed
    }
    if arguments.json:
        print_json(
            {"previews": {stack: [one.as_json() for one in found] for stack, found in results.items()}}
        )
        return
    where = machine()
    for stack, found in results.items():
        report(
            f"pulumi preview of {stack}: median of {arguments.rounds} rounds, "
            f"{where['cores']} cores, load {where['load_average']}",
            COLUMNS,
            list(as_rows(found)),
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stack", nargs="*", help="deployed stacks; all of them if left out")
    parser.add_argument("--rounds", type=int, default=5, help="how often each is previewed (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def _resources(engine: Engine, stack: str) -> int:
    state = json.loads(engine.output(["stack", "export", "--stack", stack]))
    return len(state["deployment"].get("resources", []))


def _measured(stack: str, resources: int, env: dict[str, str], rounds: int) -> list[Compared]:
    with tempfile.TemporaryDirectory(prefix="halfmetal-bench-") as folder:
        theirs = _deploy_empty(Path(folder), resources, env)
        # An empty preview is the one that everybody waits for; any other depends on what changes.
        preview = ["pulumi", "preview", "--stack", stack, "--expect-no-changes", *_FLAGS]
        judged = [*preview, "--policy-pack", str(POLICY_PACK)]
        empty = ["pulumi", "preview", "--stack", _EMPTY, "--expect-no-changes", *_FLAGS]
        return turn_about(
            {
                f"{resources} resources that do nothing": partial(run, empty, cwd=Path(folder), env=theirs),
                f"{stack}, {resources} resources": partial(run, preview, cwd=REPO, env=env),
                f"{stack}, with the policy pack": partial(run, judged, cwd=REPO, env=env),
            },
            rounds,
        )


def _deploy_empty(folder: Path, resources: int, env: dict[str, str]) -> dict[str, str]:
    """Deploy the baseline to a backend of its own; the environment that finds it there."""
    (folder / "backend").mkdir()
    (folder / "Pulumi.yaml").write_text(_PROJECT.format(virtualenv=sys.prefix))
    # The stack itself is a resource too.
    (folder / "__main__.py").write_text(_PROGRAM.format(count=resources - 1))
    theirs = env | {"PULUMI_BACKEND_URL": (folder / "backend").as_uri()}
    run(["pulumi", "stack", "init", _EMPTY, *_FLAGS], cwd=folder, env=theirs)
    run(["pulumi", "up", "--stack", _EMPTY, "--yes", "--skip-preview", *_FLAGS], cwd=folder, env=theirs)
    return theirs


if __name__ == "__main__":
    told(main)
