"""`halfmetal up` and `halfmetal down`: a whole platform on this machine, and nothing of it afterwards.

`up` starts the sandbox that the stack's topology needs, previews with the policy pack on, updates, and asks
every route. Each part is also a command of its own; nothing here is needed to deploy to a real cloud, where
`pulumi up` is the whole of it.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.console import wide_console
from cli.requests import table
from cli.routes import Answer, answers, pretended_workloads
from cli.stacks import existing
from sandbox import lifecycle
from sandbox.engine import Engine, Outcome
from sandbox.environment import inside
from sandbox.errors import SandboxError
from sandbox.paths import default_state_dir, state_dir
from sandbox.progress import Progress
from sandbox.recovery import recover
from sandbox.services import EMULATOR

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.progress import Step

# Lines of the engine's log that go with a failure: enough to see the cause, short enough to read.
_TAIL = 25
# How long the gateway may take to find pods that an update has just made.
_PATIENCE_SECONDS = 15.0
# How the policy pack begins the line in which it sums up.
_PACK = "halfmetal: "


def up(
    stack: Annotated[
        str, typer.Argument(help="A stack that has a file in stacks/: pure, hybrid, dedicated, or yours.")
    ] = "hybrid",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Start the sandbox, deploy a stack to it, and send a request through every route."""
    from components.spec import load_file

    spec = load_file(existing(stack))
    progress = Progress()
    started = lifecycle.up(spec.topology, progress)
    engine = Engine(inside(os.environ))
    try:
        _make_ready(stack, engine, progress, died=started.repaired)
        outcome = _deploy(stack, engine, progress)
    except SandboxError as error:
        raise _cause(error, stack) from error
    with progress.step("requests through every route"):
        outputs = engine.outputs(stack)
        results = answers(outputs, pretended_workloads(spec), _PATIENCE_SECONDS)
    if as_json:
        typer.echo(json.dumps(_report(stack, outcome, outputs, results), indent=2))
    else:
        _show(stack, outcome, outputs, results)
    raise typer.Exit(0 if all(answer.ok for answer in results) else 1)


def down(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False
) -> None:
    """Destroy every stack in the sandbox, stop it, and remove all it left."""
    progress = Progress()
    destroyed, held = _destroy_stacks(progress)
    stopped = lifecycle.down(progress)
    _remove_bundles()
    if as_json:
        typer.echo(json.dumps({"destroyed": destroyed, "held": held, "stopped": sorted(stopped)}, indent=2))
    if held:
        raise SandboxError(
            what=f"destroy did not complete for: {', '.join(held)}",
            remedy="nothing is left here all the same: the emulated cloud went with the sandbox; "
            "on a real cloud this would have left resources, so please report it",
        )


def _remove_bundles() -> None:
    """What the functions were packaged as; kept while another sandbox of this clone may deploy from it."""
    from components.control_plane.bundle import BUNDLES

    if state_dir() == default_state_dir():
        shutil.rmtree(BUNDLES.parent, ignore_errors=True)


def _make_ready(stack: str, engine: Engine, progress: Progress, *, died: Collection[str]) -> None:
    """Have the stack, in a state that the next update can start from, whatever ended the last one."""
    with progress.step(f"stack {stack}") as step:
        engine.ensure_stack(stack)
        if repaired := recover(stack, engine):
            step.result(str(repaired))
    if EMULATOR in died:
        # It keeps what it made a second later: the last of that may be gone, and the engine cannot know.
        with progress.step(f"refresh {stack}, as {EMULATOR} had died") as step:
            _checked(engine.refresh(stack, step), step)


def _deploy(stack: str, engine: Engine, progress: Progress) -> Outcome:
    with progress.step(f"preview {stack}, policy pack on") as step:
        preview = _checked(engine.preview(stack, step), step)
    with progress.step(f"update {stack}", unit="resources") as step:
        step.update(done=0, total=preview.events.planned)
        return _checked(engine.up(stack, step), step)


def _cause(error: SandboxError, stack: str) -> SandboxError:
    """The service that is missing, where one is: what the engine met without it are consequences."""
    health = lifecycle.status()
    if health.well or not health.services:
        return error
    first = next(service.name for service in health.services if not service.well)
    return SandboxError(
        f"{error.what}: {_unwell(health)}",
        f"start it again and go on: halfmetal up {stack}; how it ended: halfmetal sandbox logs {first}",
    )


def _unwell(health: lifecycle.Health) -> str:
    return ", ".join(f"{each.name} is {each.state}" for each in health.services if not each.well)


def _destroy_stacks(progress: Progress) -> tuple[list[str], list[str]]:
    """Names of the stacks that were destroyed, and of those whose destroy failed.

    Where a service is missing a stack cannot be destroyed, and need not be: it goes with the sandbox.
    """
    health = lifecycle.status()
    if not health.well:
        if health.instance:
            progress.say(f"nothing is destroyed one by one ({_unwell(health)}); it goes with the sandbox")
        return [], []
    engine = Engine(inside(os.environ))
    destroyed: list[str] = []
    held: list[str] = []
    for stack in _stacks(engine, progress):
        try:
            with progress.step(f"destroy {stack}", unit="resources") as step:
                recover(stack, engine)
                _checked(engine.destroy(stack, step), step)
                engine.remove_stack(stack)
            destroyed.append(stack)
        except SandboxError as error:
            # Its remedy names a log that goes with the sandbox.
            progress.say(f"{error.what}\n{error.detail}".rstrip())
            held.append(stack)
    return destroyed, held


def _stacks(engine: Engine, progress: Progress) -> list[str]:
    """The stacks that there are; none when the engine was never built, or cannot say."""
    try:
        return engine.stacks()
    except SandboxError as error:
        progress.say(str(error))
        return []


def _checked(outcome: Outcome, step: Step) -> Outcome:
    """The outcome, or a SandboxError that says why it is none.

    Policy findings come before anything else: a refused preview is the platform doing its work.
    """
    refusals = [finding for finding in outcome.events.findings if finding.enforcement == "mandatory"]
    if outcome.ok:
        step.result(_changes(outcome))
        return outcome
    if refusals:
        count = "1 finding" if len(refusals) == 1 else f"{len(refusals)} findings"
        reasons = "\n".join(f"  {finding.policy}: {finding.message}" for finding in refusals)
        raise SandboxError(
            what=f"{outcome.command}: refused by {count} of the policy pack",
            remedy="each finding says what to write instead",
            detail=reasons,
        )
    errors = outcome.events.reasons or outcome.log.read_text(errors="replace").splitlines()[-_TAIL:]
    raise SandboxError(
        what=f"{outcome.command} failed",
        remedy=f"whole log: {outcome.log}; run the command again once the cause is gone",
        detail="\n".join(errors),
    )


def _changes(outcome: Outcome) -> str:
    return (
        ", ".join(f"{count} {op}" for op, count in sorted(outcome.events.changes.items())) or "nothing to do"
    )


def _report(
    stack: str, outcome: Outcome, outputs: Mapping[str, Any], results: list[Answer]
) -> dict[str, Any]:
    return {
        "stack": stack,
        "changes": outcome.events.changes,
        "policy_findings": [asdict(finding) for finding in outcome.events.findings],
        "outputs": outputs,
        "requests": [answer.as_json() for answer in results],
    }


def _show(stack: str, outcome: Outcome, outputs: Mapping[str, Any], results: list[Answer]) -> None:
    console = wide_console()
    has_cluster = "kubeconfig_context" in outputs
    console.print()
    console.print(_where(outputs, results))
    console.print()
    console.print(table(results, console.width))
    console.print(f"\npolicies  {_policies(outcome)}")
    console.print(f"API       {outputs['url']}")
    if outputs.get("gateway_url"):
        console.print(f"gateway   {outputs['gateway_url']}")
    console.print("\nTry next:")
    console.print('  eval "$(.venv/bin/halfmetal sandbox env)"', soft_wrap=True)
    console.print(f"  pulumi preview -s {stack}", soft_wrap=True)
    third = "kubectl get pods -A -o wide" if has_cluster else f"halfmetal requests {stack}"
    console.print(f"  {third}", soft_wrap=True)


def _where(outputs: Mapping[str, Any], results: list[Answer]) -> Table:
    pretended = {answer.route.name.split("/")[3] for answer in results if answer.route.pretended}
    rows = Table(title="What stands where", title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home", "place", "pods", "why"):
        rows.add_column(heading)
    for model in outputs["models"]:
        place = " ".join(part for part in (model.get("pool"), model.get("zone")) if part)
        pods = str(model.get("replicas", "-")) + (", pretended" if model["name"] in pretended else "")
        rows.add_row(model["name"], model["home"], place or "-", pods, escape(model["reasons"][0]))
    return rows


def _policies(outcome: Outcome) -> str:
    """What the pack says of itself, and what it advises."""
    summary = [note.removeprefix(_PACK) for note in outcome.events.notes if note.startswith(_PACK)]
    advice = [f"{finding.policy}: {finding.message}" for finding in outcome.events.findings]
    return "\n          ".join(map(escape, [*summary, *advice]))
