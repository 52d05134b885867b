"""`halfmetal catalog`: what every decision rests on, how old it is, and how to bring in newer figures."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer
from rich.table import Table
from rich.text import Text

from cli.console import wide_console
from cli.stacks import file_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from components.catalog import Catalog, Provenance, Stale
    from components.catalog.importers import Change, Comparison

FormatName: TypeAlias = Literal["auto", "aws-json", "aws-csv", "skypilot"]

app = typer.Typer(help="Show the dated facts behind every decision, and bring in newer ones.")

_COLOURS = {"assumed": "yellow", "configured": "cyan", "secondary": "", "verified": "green"}
_NAMED_AT_MOST = 6
_UNCHANGED = ("confirmed", "older")


@app.callback(invoke_without_command=True)
def show(  # noqa: PLR0913 - each is an option of the command
    context: typer.Context,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Show what begins with this, like prices.instances.g6; may be given often."),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Show what holds in this region.")] = None,
    stack: Annotated[
        str | None, typer.Option(help="Show the figures as this stack has them: its name, or its file.")
    ] = None,
    older_than: Annotated[
        str, typer.Option("--older-than", help="Warn of figures older than this, like 90d.")
    ] = "180d",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Every figure with its day, region, confidence and source; and which of them are old."""
    if context.invoked_subcommand is not None:
        return
    from components.catalog import stale
    from components.spec import Duration, UnitError

    try:
        limit = Duration.parse(older_than)
    except UnitError as error:
        raise typer.BadParameter(f"{error.message}: {error.remedy}", param_hint="--older-than") from None
    catalog = _catalog(stack)
    rows = [row for row in _rows(catalog) if _wanted(row, only or [], region)]
    old = _shown(stale(catalog, _today(), limit, region), {row["figure"] for row in rows})
    lacking = [path for path in catalog.unpriced(region) if _begins(path, only or [])] if region else []
    if as_json:
        shown = {"figures": rows, "not_known": lacking, "stale": [_stale_json(each) for each in old]}
        typer.echo(json.dumps(shown, indent=2))
        return
    console = wide_console()
    _print(console, rows, region)
    if lacking:
        console.print(Text(f"not known for {region}: {_some(lacking)}", style="yellow"), soft_wrap=True)
    for each in old:
        console.print(Text(f"stale: {each}", style="yellow"), soft_wrap=True)


@app.command()
def refresh(
    file: Annotated[
        Path,
        typer.Option(
            "--from",
            help="AWS price list offer file of one service (JSON or CSV), or vms.csv of SkyPilot's catalog.",
        ),
    ],
    *,
    kind: Annotated[FormatName, typer.Option("--format", help="Format of the file.")] = "auto",
    region: Annotated[
        list[str] | None, typer.Option(help="Take this region only; may be given often. Default: all.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="Day of a file that does not say its own (SkyPilot's). Default: today's."
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(help="Write what changes into the catalog in this directory. Default: show it only."),
    ] = None,
) -> None:
    """Show what a price list changes, and with --write put it into a catalog with its source and day."""
    from components.catalog import importers, load

    catalog = load(write) if write is not None else load()
    imported = importers.read(file, _day(as_of), importers.Format(kind))
    comparison = importers.compare(catalog, imported, region or [])
    written = importers.write(comparison, write) if write is not None and comparison.kept else None
    _print_changes(wide_console(), comparison, written)


def _catalog(stack: str | None) -> Catalog:
    from components.catalog import for_stack, load

    if stack is None:
        return load()
    from components.spec import load_file

    return for_stack(load(), load_file(file_of(stack)))


def _today() -> date:
    return datetime.now(UTC).date()


def _day(text: str | None) -> date:
    if text is None:
        return _today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no day; write it like 2026-11-25", param_hint="--as-of"
        ) from None


def _rows(catalog: Catalog) -> Iterator[dict[str, str]]:
    for path, place in catalog.places.items():
        yield from (_row(path, fact, _value(fact.value)) for fact in place.facts)
    for name, accelerator in catalog.accelerators.items():
        value = f"{accelerator.memory}, sold as {accelerator.sold_as}"
        yield _row(f"accelerators.{name}", accelerator, value)
    for name, instance in catalog.instance_types.items():
        fitted = instance.accelerators
        said = [f"{instance.vcpu} vCPU", str(instance.memory), instance.architecture]
        said += [f"{fitted.count} {fitted.type}"] if fitted else []
        said += [str(instance.network)] if instance.network else ["network not known"]
        yield _row(f"instance_types.{name}", instance, ", ".join(said))


def _value(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _row(path: str, fact: Provenance, value: str) -> dict[str, str]:
    return {
        "figure": path,
        "value": value,
        "as_of": str(fact.as_of),
        "region": fact.region,
        "confidence": str(fact.confidence),
        "source": fact.source,
        "note": fact.note,
    }


def _wanted(row: dict[str, str], prefixes: list[str], region: str | None) -> bool:
    return _begins(row["figure"], prefixes) and (region is None or row["region"] in {region, "any"})


def _begins(path: str, prefixes: list[str]) -> bool:
    return not prefixes or path.startswith(tuple(prefixes))


def _some(paths: list[str]) -> str:
    first = ", ".join(paths[:_NAMED_AT_MOST])
    return first if len(paths) <= _NAMED_AT_MOST else f"{first} and {len(paths) - _NAMED_AT_MOST} more"


def _shown(old: Iterable[Stale], figures: set[str]) -> list[Stale]:
    """What is old among the figures that are shown."""
    from dataclasses import replace

    narrowed = (replace(each, paths=tuple(path for path in each.paths if path in figures)) for each in old)
    return [each for each in narrowed if each.paths]


def _print(console: Console, rows: list[dict[str, str]], region: str | None) -> None:
    for section in dict.fromkeys(_section(row) for row in rows):
        table = Table(title=section, title_justify="left", title_style="bold", expand=False)
        for column in ("figure", "value", "as of", "region", "confidence", "source"):
            table.add_column(column, overflow="fold", no_wrap=column in {"as of", "confidence"})
        for row in rows:
            if _section(row) == section:
                _add(table, row, section)
        console.print(table)
    where = f" for {region}" if region else ""
    console.print(Text(f"{len(rows)} figures{where}" if rows else f"no such figure{where}"))


def _section(row: dict[str, str]) -> str:
    first, second = row["figure"].split(".")[:2]
    return first if first in {"zones", "accelerators", "instance_types"} else f"{first}.{second}"


def _add(table: Table, row: dict[str, str], section: str) -> None:
    source = Text(row["source"])
    if row["note"]:
        source.append(f" ({row['note']})", style="dim")
    table.add_row(
        Text(row["figure"].removeprefix(f"{section}.")),
        Text(row["value"]),
        row["as_of"],
        row["region"],
        Text(row["confidence"], style=_COLOURS[row["confidence"]]),
        source,
    )


def _stale_json(each: Stale) -> dict[str, Any]:
    return {
        "source": each.source,
        "as_of": str(each.as_of),
        "age_days": round(each.age.days),
        "figures": list(each.paths),
    }


def _print_changes(console: Console, comparison: Comparison, written: Path | None) -> None:
    imported = comparison.imported
    console.print(Text(f"{imported.source}: {imported.as_of}, {imported.confidence}"), soft_wrap=True)
    table = Table()
    for column in ("figure", "region", "old", "of", "new", "of", "what"):
        table.add_column(column, overflow="fold")
    for change in comparison.changes:
        if change.outcome not in _UNCHANGED:
            table.add_row(*_change_cells(change))
    if table.row_count:
        console.print(table)
    console.print(Text(_summary(comparison)))
    for each in imported.ambiguous:
        console.print(Text(f"several prices, none taken: {each}", style="yellow"), soft_wrap=True)
    if written is not None:
        console.print(Text(f"wrote {written}"), soft_wrap=True)
    elif comparison.kept:
        console.print(Text("nothing is written without --write"))


def _summary(comparison: Comparison) -> str:
    from components.catalog.importers import Outcome

    counts = (f"{comparison.count(outcome)} {outcome}" for outcome in Outcome)
    rest = (
        f"; {comparison.left_out} of machines that the catalog does not describe"
        if comparison.left_out
        else ""
    )
    return ", ".join(counts) + rest


def _change_cells(change: Change) -> tuple[Text, ...]:
    old = (_value(change.old.value), str(change.old.as_of)) if change.old else ("", "")
    new = (_value(change.new.value), str(change.new.as_of))
    cells = (change.figure.path, change.figure.region, *old, *new, str(change.outcome))
    return tuple(Text(cell) for cell in cells)
