"""The command itself: what is audited, by which rules, against what was known, and in what form."""

from __future__ import annotations

import datetime
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import drop, not_written, tell
from cli.targets import STDOUT, check_target, write_target
from components import clock
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from components.catalog import Catalog
    from policies.audit.baseline import Known
    from policies.audit.findings import Audit, Terms
    from policies.audit.outcome import Gate, Outcome
    from policies.audit.sources import Gathered, Limits

WRONG_USAGE: Final = 2

# The one that the catalog has most prices for.
_REGION: Final = "us-east-1"

# What takes longer than a moment to read; what is live may.
_LARGE: Final = 16 * 2**20
_LIVE: Final = ("stack:", "cluster:")


class FailOn(StrEnum):
    """The least severity of a breach that fails the run."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEVER = "never"


def audit(  # noqa: PLR0913 - each is an option of the command
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help="Files or folders (Pulumi state, Terraform state or plan, CloudFormation, SAM, Serverless"
            " Framework, Kubernetes manifests), - for standard input, stack:NAME for a live Pulumi stack,"
            " cluster:CONTEXT for a live cluster.",
        ),
    ],
    *,
    stack: Annotated[
        str | None,
        typer.Option(help="Stack name or file whose rules, thresholds, catalog and waivers hold."),
    ] = None,
    fail_on: Annotated[
        FailOn, typer.Option(help="Least severity of a mandatory rule whose breach makes the exit code 1.")
    ] = FailOn.HIGH,
    strict_undecided: Annotated[
        bool,
        typer.Option("--strict-undecided", help="What a mandatory rule cannot decide counts as a breach."),
    ] = False,
    allow_unread: Annotated[
        bool,
        typer.Option("--allow-unread", help="What could not be read is told, and does not make it 2."),
    ] = False,
    max_file_size: Annotated[
        str,
        typer.Option(
            metavar="SIZE", help="Largest file that is read, like 1GiB; it takes six times as much memory."
        ),
    ] = "256MiB",
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Show and count only what is not in this baseline, or earlier --json or --sarif report;"
            " - for standard input.",
        ),
    ] = None,
    write_baseline: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write all that is found as a baseline; - for standard output."),
    ] = None,
    fix_plan: Annotated[
        bool,
        typer.Option(
            "--fix-plan", help="Show the changes that would clear the findings, and what they cost a month."
        ),
    ] = False,
    region: Annotated[
        str | None,
        typer.Option(help="Region whose prices a fix plan has. Default: the stack's, else us-east-1."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the audit as JSON.")] = False,
    sarif: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write SARIF 2.1.0, for code scanning; - for standard output."),
    ] = None,
    junit: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write JUnit XML, for Jenkins and GitLab; - for standard output."),
    ] = None,
    markdown: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write a comment for a pull request; - for standard output."),
    ] = None,
    html: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write one page of HTML that needs nothing else; - for stdout."),
    ] = None,
    today: Annotated[
        str | None, typer.Option(hidden=True, metavar="DAY", help="The day that waivers are held against.")
    ] = None,
) -> None:
    """Judge what is already there by the placement rules. Exit codes: 0 clean, 1 findings, 2 unread."""
    with _wrong_usage():
        asked = {
            "--write-baseline": write_baseline,
            "--sarif": sarif,
            "--junit": junit,
            "--markdown": markdown,
            "--html": html,
        }
        targets = _targets(asked, as_json=as_json)
        limits = _limits(max_file_size)
        known = None if baseline is None else _known(baseline, sources, limits)
        terms = _terms(stack, _day(today), region)
        gathered, found = _audited(sources, terms, limits)
        gate = _gate(fail_on, strict_undecided=strict_undecided, allow_unread=allow_unread)
        outcome = _outcome(found, gate, known)
        if fix_plan:
            outcome = _planned(outcome, gathered, terms)
        _write(outcome, targets, as_json=as_json)
    raise typer.Exit(int(outcome.ending))


@contextmanager
def _wrong_usage() -> Iterator[None]:
    """A mistake of whoever calls ends in 2: no pipeline takes it for a finding. So does a full disk."""
    from components.catalog import CatalogError
    from components.spec import StackError
    from policies.audit.baseline import BaselineError
    from policies.audit.sources import SourceError

    try:
        yield
    except (SandboxError, StackError, CatalogError, BaselineError, SourceError) as error:
        tell(error)
        raise typer.Exit(WRONG_USAGE) from None
    except OSError as error:
        unwritten = not_written(error)
        if unwritten is None:
            raise
        drop()
        tell(unwritten)
        raise typer.Exit(WRONG_USAGE) from None


def _targets(asked: Mapping[str, str | None], *, as_json: bool) -> dict[str, str]:
    """The files that are asked for, by option. Raises SandboxError where one cannot be written."""
    targets = {option: target for option, target in asked.items() if target is not None}
    to_stdout = [*(["--json"] if as_json else []), *(o for o, target in targets.items() if target == STDOUT)]
    if len(to_stdout) > 1:
        raise SandboxError(
            f"{' and '.join(to_stdout)} all want standard output", "give all of them but one a file"
        )
    taken: dict[Path, str] = {}
    for option, target in targets.items():
        check_target(target)
        other = taken.setdefault(Path(target).resolve(), option)
        if other != option:
            raise SandboxError(f"{other} and {option} name the same file, {target}", "name one for each")
    return targets


def _day(text: str | None) -> datetime.date:
    if text is None:
        return clock.today()
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise SandboxError(f"--today: {text!r} is no day", "write it like 2026-11-25") from None


def _terms(stack: str | None, today: datetime.date, region: str | None) -> Terms:
    """The rules as a stack sets them, with its waivers, prices and guardrails, or as they are."""
    from components.catalog import load
    from components.placement import Waivers, settle
    from policies.audit.findings import Terms

    if stack is None:
        catalog = load()
        return Terms(settle(catalog, {}), Waivers((), today), catalog, _region(region, catalog) or _REGION)
    from cli.stacks import file_of
    from components.catalog import for_stack
    from components.placement import overrides_of
    from components.spec import load_file

    known = load_file(file_of(stack))
    catalog = for_stack(load(), known)
    return Terms(
        settle(catalog, overrides_of(known.policies)),
        Waivers(known.policies.waivers, today),
        catalog,
        _region(region, catalog) or known.region,
        known.control_plane.guardrails,
    )


def _region(region: str | None, catalog: Catalog) -> str | None:
    """The region that is asked for. Raises SandboxError for one that no price is known in."""
    if region is not None and region not in catalog.regions:
        raise SandboxError(
            f"--region: the catalog has no price in {region!r}",
            f"name one that it has: {', '.join(catalog.regions)}; or add prices under `catalog` of a stack",
        )
    return region


def _limits(max_file_size: str) -> Limits:
    from components.spec import Memory, UnitError
    from policies.audit.sources import Limits

    try:
        return Limits(file_bytes=Memory.parse(max_file_size).bytes)
    except UnitError as error:
        raise SandboxError(f"--max-file-size: {error.message}", error.remedy) from None


def _audited(sources: Sequence[str], terms: Terms, limits: Limits) -> tuple[Gathered, Audit]:
    import gc

    from policies.audit.findings import audit as judged
    from policies.audit.sources import gather

    with _busy(sources):
        gathered = gather(sources, limits)
        gc.freeze()  # it is kept to the end: to look through it for garbage again and again only takes time
        return gathered, judged(gathered, terms.settings, terms.waivers, terms.guardrails)


@contextmanager
def _busy(sources: Sequence[str]) -> Iterator[None]:
    """A line that tells of work, where it takes a moment and somebody looks on."""
    import sys

    if not sys.stderr.isatty() or not any(map(_takes_a_moment, sources)):
        yield
        return
    from sandbox.progress import Progress

    with Progress().step(f"audit {', '.join(sources)}"):
        yield


def _takes_a_moment(source: str) -> bool:
    if source == STDOUT or source.startswith(_LIVE):
        return True
    try:
        path = Path(source)
        return path.is_dir() or path.stat().st_size > _LARGE
    except (OSError, ValueError):  # no such file, which reading it tells
        return False


def _gate(fail_on: FailOn, *, strict_undecided: bool, allow_unread: bool) -> Gate:
    from components.placement import Severity
    from policies.audit.outcome import Gate

    least = None if fail_on is FailOn.NEVER else Severity(fail_on)
    return Gate(least, undecided=strict_undecided, unread=not allow_unread)


def _known(baseline: str, sources: Sequence[str], limits: Limits) -> tuple[Known, ...]:
    """What a baseline has. Raises SandboxError where it cannot be read, BaselineError where it is none."""
    from policies.audit.baseline import read
    from policies.audit.sources.files import UnreadableError, read_stdin

    if baseline != STDOUT:
        name, text = baseline, _text(baseline)
    elif STDOUT in sources:
        raise SandboxError("--baseline and a source both want standard input", "give one of them a file")
    else:
        name = "(standard input)"
        try:
            text = read_stdin(limits)
        except UnreadableError as error:
            raise SandboxError(f"--baseline: {name} {error.why}", error.remedy) from None
    return read(text, name)


def _text(baseline: str) -> str:
    try:
        return Path(baseline).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SandboxError(
            f"{baseline} cannot be read: {said}", "name what --write-baseline wrote, or make one with it"
        ) from None


def _outcome(found: Audit, gate: Gate, known: tuple[Known, ...] | None) -> Outcome:
    from policies.audit.baseline import compare
    from policies.audit.outcome import Outcome

    compared = compare(found.findings, known, found.files) if known is not None else None
    return Outcome(found, gate, compared)


def _planned(outcome: Outcome, gathered: Gathered, terms: Terms) -> Outcome:
    from policies.audit.plan import plan

    return replace(outcome, plan=plan(outcome.shown, gathered, terms))


def _write(outcome: Outcome, targets: Mapping[str, str], *, as_json: bool) -> None:
    """Everything that is asked for: files, and one form on standard output."""
    for option, target in targets.items():
        write_target(target, _form(option, outcome), quiet=True)
    to_stdout = [option for option, target in targets.items() if target == STDOUT]
    if as_json:
        typer.echo(_form("--json", outcome), nl=False)
    elif to_stdout in ([], ["--write-baseline"]):  # a baseline is for no reader
        from cli.audit.tables import print_audit
        from cli.console import wide_console

        print_audit(wide_console(stderr=bool(to_stdout)), outcome)


def _form(option: str, outcome: Outcome) -> str:
    """The audit as the text that an option asks for; each form is loaded only where it is."""
    if option == "--write-baseline":
        from policies.audit.baseline import written

        return written(outcome.audit.findings)
    form: Any = import_module(f"policies.audit.reports.{_MODULES[option]}")
    return str(form.report(outcome))


_MODULES: Final = {
    "--json": "as_json",
    "--sarif": "sarif",
    "--junit": "junit",
    "--markdown": "markdown",
    "--html": "page",
}
