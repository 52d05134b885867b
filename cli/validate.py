"""`halfmetal validate`: what is wrong with a stack file, told before anything is composed or deployed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from cli.stacks import file_of, names, path_of
from components import clock

if TYPE_CHECKING:
    from components.placement import Finding, Placements, Use
    from components.spec import Problem, Stack, StackFile, Waiver


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one stack file."""

    file: Path
    problems: tuple[Problem, ...] = ()
    stack: Stack | None = None
    placements: Placements | None = None
    source: StackFile | None = None

    @property
    def ok(self) -> bool:
        """Whether it may be deployed as far as can be told now."""
        return not self.problems and not (self.rules_run_now and any(each.blocks for each in self.findings))

    @property
    def rules_run_now(self) -> bool:
        """Whether the stack wants the rules run at config time at all."""
        return self.stack is not None and self.stack.policies.config_time

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules refuse."""
        return self.placements.findings if self.placements else ()

    @property
    def waivers(self) -> tuple[tuple[Waiver, Use], ...]:
        """The file's waivers, and what came of each today."""
        return self.placements.waivers if self.placements else ()


def validate(
    stack: Annotated[
        str | None,
        typer.Argument(help="Stack name, or path of a stack file. Default: every file in stacks/."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check stack files: every mistake with its line and remedy, then where each workload may not run."""
    verdicts = [judge(file) for file in _files(stack)]
    if as_json:
        typer.echo(json.dumps({"files": [_as_json(verdict) for verdict in verdicts]}, indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for verdict in verdicts:
            _show(console, verdict)
    raise typer.Exit(0 if all(verdict.ok for verdict in verdicts) else 1)


def judge(file: Path) -> Verdict:
    """The verdict on one stack file."""
    from components.placement import decide
    from components.spec import StackError, read_file

    try:
        source = read_file(file)
        stack = source.stack()
    except StackError as error:
        return Verdict(file, error.problems)
    try:
        return Verdict(file, (), stack, decide(stack).on(clock.today()), source)
    except StackError as error:
        located = (replace(problem, location=source.locate(problem.path)) for problem in error.problems)
        return Verdict(file, tuple(located), stack, None, source)


def _files(stack: str | None) -> list[Path]:
    if stack is None:
        return [path_of(name) for name in names()]
    return [file_of(stack)]


def _show(console: Console, verdict: Verdict) -> None:
    name = _shown(verdict.file)
    count = len(verdict.stack.workloads) if verdict.stack else 0
    summary = f"ok, {count} workload{'' if count == 1 else 's'}" if verdict.ok else "refused"
    console.print(Text.assemble((name, "bold"), ": ", (summary, "green" if verdict.ok else "bold red")))
    for problem in verdict.problems:
        console.print(Text(f"  {problem}"))
    if verdict.findings and not verdict.rules_run_now:
        console.print(Text("  policies.config_time is false: these are left to the policy pack at preview"))
    for finding in verdict.findings:
        where = verdict.source.locate(finding.path) if verdict.source else ""
        console.print(
            Text(f"  {where}: {finding.subject}: {finding.rule} ({finding.enforcement}): {finding.reason}")
        )
        if finding.waived is not None:
            console.print(Text(f"    {finding.waived}"))
        console.print(Text(f"    remedy: {finding.remedy}"))
    for waiver, use in verdict.waivers:
        if use != "used":
            console.print(Text(f"  {waiver.subject}: {use.of(waiver)}"))


def _as_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": _shown(verdict.file),
        "ok": verdict.ok,
        "problems": [problem.as_json() for problem in verdict.problems],
        "findings": [
            {
                "rule": finding.rule,
                "subject": finding.subject,
                "path": finding.path,
                "location": verdict.source.locate(finding.path) if verdict.source else "",
                "severity": str(finding.severity),
                "enforcement": str(finding.enforcement),
                "reason": finding.reason,
                "remedy": finding.remedy,
                "waived": str(finding.waived) if finding.waived is not None else None,
                "blocks": finding.blocks,
            }
            for finding in verdict.findings
        ],
        "waivers": [{**waiver.model_dump(mode="json"), "use": str(use)} for waiver, use in verdict.waivers],
    }


def _shown(file: Path) -> str:
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
