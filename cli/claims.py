"""`halfmetal claims`: what an article says of serverless for AI, beside what comes out at today's prices."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli.console import wide_console

if TYPE_CHECKING:
    from components.placement.cost import Claim


def claims(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False
) -> None:
    """Show the claims of the article that started this, beside what is reckoned from the catalog today."""
    from components.catalog import load
    from components.placement.cost import ARTICLE
    from components.placement.cost import claims as reckoned

    found = reckoned(load())
    if as_json:
        told = [asdict(claim) | {"agrees": claim.agrees, "verdict": claim.verdict} for claim in found]
        typer.echo(json.dumps({"article": ARTICLE, "claims": told}, indent=2))
        return
    console = wide_console()
    console.print(Text(ARTICLE, style="bold"))
    for claim in found:
        console.print()
        console.print(_table(claim))
        console.print(Text(claim.verdict, style="green" if claim.agrees else "yellow"))


def _table(claim: Claim) -> Table:
    rows = Table(title=f"It says: {claim.says}", title_justify="left", box=None, pad_edge=False)
    rows.add_column("workload")
    rows.add_column("today", justify="right", no_wrap=True)
    rows.add_column("reckoned")
    for each in claim.reckoned:
        rows.add_row(each.workload, f"{each.value:.3g} {claim.unit}", each.how)
    return rows
