"""The plan at what was measured: which workloads sit in the wrong home, what moving saves, what to write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from cli.changes import Change
from cli.console import wide_console
from cli.stacks import file_of
from cli.traces import STDIN, reading
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from rich.console import Console

    from components.observed import Judged, Judgement, Measurements, Named
    from components.traffic import Finding


_STYLES: Final = {"stays": "green", "moves": "yellow", "nowhere to go": "red", "undecided": "dim"}
_NEEDED: Final = {
    "serve.container": "an image, and the port that it serves on",
    "serve.function": "bundle and handler; it was reckoned with {memory} of memory",
}


def plan_observed(
    stack: str, files: Sequence[str], maps: Sequence[str], *, write: bool, as_json: bool
) -> None:
    """Judge a stack by files of measurements; change its file if `write` says so."""
    from components.observed import Named, judge, measure
    from components.observed.change import edit
    from components.spec import read_file

    named = [Named.parse(file) for file in files]
    if sum(each.path == STDIN for each in named) > 1:
        raise SandboxError("standard input can be read once only", "put one of the answers into a file")
    file = read_file(file_of(stack))
    known = file.stack()
    judgement = judge(known, measure(known, _read(named), _maps(maps)))
    before = file.path.read_bytes().decode()
    edited = edit(before, judgement)
    change = Change(file.path, before, edited.text)
    if write:
        change.write(shown="without --write")
    findings = (*judgement.findings, *edited.findings)
    if as_json:
        told = _judgement_json(judgement, findings) | {"change": change.as_json(written=write)}
        typer.echo(json.dumps(told, indent=2, allow_nan=False))
        return
    console = wide_console()
    print_judgement(console, judgement, findings)
    change.show(console, written=write)
    if change.changes and not write:
        console.print(Text("write it with --write"), soft_wrap=True)


def _maps(texts: Sequence[str]) -> Mapping[str, str]:
    maps = {}
    for text in texts:
        name, equals, workload = text.rpartition("=")
        if not (name and equals and workload):
            raise SandboxError(
                f"--map: {text!r} is not SERIES=WORKLOAD", "write it like --map triton-0=embed"
            )
        maps[name] = workload
    return maps


def _read(files: Sequence[Named]) -> Measurements:
    from components.observed import read

    with reading([each.path for each in files]) as on_progress:
        return read(files, on_progress=on_progress)


# --- for people


def print_judgement(console: Console, judgement: Judgement, findings: Sequence[Finding]) -> None:
    console.print(_table(judgement))
    for each in judgement.judged:
        console.print()
        _print_one(console, each)
    if findings:
        console.print()
    for finding in findings:
        console.print(Text.assemble(f"{finding.weight}: ", _finding(finding)))
    console.print(Text(f"\n{_outcome(judgement)}", "bold"), soft_wrap=True)


def _table(judgement: Judgement) -> Table:
    rows = Table(title=_title(judgement), title_justify="left", box=None, pad_edge=False)
    for heading in ("workload", "home today", ""):
        rows.add_column(heading, overflow="fold")
    for heading in ("today", "there", "saves"):
        rows.add_column(heading, justify="right", no_wrap=True)
    for each in judgement.judged:
        rows.add_row(
            each.name,
            _home(each),
            Text(_verdict(each), _STYLES[each.standing]),
            _bill(each.present),
            _bill(each.better),
            "-" if each.saved is None else _dollars(each.saved),
        )
    return rows


def _title(judgement: Judgement) -> str:
    stack, (start, end) = judgement.stack, judgement.span
    when = f" from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC" if start and end else ""
    return f"{stack.topology} in {stack.region}, a month at what was measured{when}"


def _home(each: Judged) -> str:
    pool = each.placement.pool
    return f"{each.placement.home} {pool.name}" if pool is not None else str(each.placement.home)


def _there(each: Judged) -> str:
    return "" if each.better is None else f"{each.better.home} {each.better_pool or ''}".strip()


def _verdict(each: Judged) -> str:
    return f"belongs on {_there(each)}" if each.better is not None else str(each.standing)


def _bill(alternative: Any) -> str:
    from components.placement.plan.words import price

    return "-" if alternative is None else price(alternative)


def _dollars(amount: Decimal) -> str:
    return f"-${-amount:,.2f}" if amount < 0 else f"${amount:,.2f}"


def _print_one(console: Console, each: Judged) -> None:
    console.print(Text(f"{each.name}: {_verdict(each)}", "bold"), soft_wrap=True)
    rows = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for reason in each.reasons:
        rows.add_row(f"  {reason.by}", Text(reason.said))
    for told in each.measured.readings:
        rows.add_row(f"  {told.name}", Text(f"{told.value} ({told.sureness}): {told.why}"))
    if each.lacks:
        rows.add_row("  to add", Text(f"{each.lacks}: {_needed(each)}; until then its home is not changed"))
    for finding in each.measured.findings:
        rows.add_row(f"  {finding.weight}", _finding(finding))
    console.print(rows)


def _finding(finding: Finding) -> Text:
    """On one line, and without a remedy where nothing need be done."""
    from components.observed.notes import NOTHING_TO_DO

    remedy = "" if finding.remedy == NOTHING_TO_DO else f"; {finding.remedy}"
    return Text(f"{finding.message}{remedy}", "yellow" if finding.weight == "warning" else "dim")


def _needed(each: Judged) -> str:
    function = each.presumed.workload.serve.function
    return _NEEDED[each.lacks].format(memory=function.memory if function is not None else "")


def _outcome(judgement: Judgement) -> str:
    moving = judgement.moving
    if not moving:
        return "nothing sits in the wrong home, as far as it was measured"
    saved = judgement.saved
    names = ", ".join(each.name for each in moving)
    lacking = any(each.lacks for each in moving)
    once = ", once what is to add is there" if lacking else ""
    if saved < 0:
        return f"moving {names} costs ${-saved:,.2f} a month more{once}"
    return f"moving {names} saves ${saved:,.2f} a month{once}"


# --- for programs


def _judgement_json(judgement: Judgement, findings: Sequence[Finding]) -> dict[str, Any]:
    start, end = judgement.span
    return {
        "topology": judgement.stack.topology,
        "region": judgement.stack.region,
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "stickiness": judgement.stickiness.fraction,
        "workloads": [_judged_json(each) for each in judgement.judged],
        "dollars_a_month_saved": float(judgement.saved),
        "findings": [finding.as_json() for finding in findings],
    }


def _judged_json(each: Judged) -> dict[str, Any]:
    pool = each.placement.pool
    return {
        "name": each.name,
        "standing": str(each.standing),
        "home": each.placement.home,
        "pool": pool.name if pool is not None else None,
        "better": None
        if each.better is None
        else {"home": each.better.home, "pool": each.better_pool, "lacks": each.lacks or None},
        "reasons": [{"by": reason.by, "said": reason.said} for reason in each.reasons],
        "dollars_a_month": {
            "today": _amount(each.present),
            "there": _amount(each.better),
            "saved": None if each.saved is None else float(each.saved),
        },
        "measured": {
            "traffic": each.figures,
            "readings": [
                {"name": one.name, "value": one.value, "sureness": str(one.sureness), "why": one.why}
                for one in each.measured.readings
            ],
            "findings": [finding.as_json() for finding in each.measured.findings],
        },
    }


def _amount(alternative: Any) -> float | None:
    return None if alternative is None or alternative.cost is None else float(alternative.cost.total.amount)
