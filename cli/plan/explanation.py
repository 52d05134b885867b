"""One workload with every home: what each rule says, the bill and the percentiles part by part."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.placement.latency import length
from components.placement.plan import Alternative, Planned

_COLOURS = {"fits": "green", "refused": "red", "undecided": "yellow"}


def print_explanation(console: Console, each: Planned) -> None:
    console.print(Text(f"{each.name}: {each.placement.home}, {each.placement.reasons[0]}", style="bold"))
    if each.break_even:
        console.print(Text(f"break-even: {each.break_even}"), soft_wrap=True)
    for alternative in each.alternatives:
        console.print()
        console.print(Text(_headline(each, alternative), style="bold"))
        if alternative.candidate.site is None:
            console.print(Text(f"  {alternative.candidate.unavailable}"), soft_wrap=True)
            continue
        for setting, verdict in alternative.candidate.verdicts:
            console.print(
                Text.assemble(
                    "  ",
                    (f"{verdict.answer:<9}", _COLOURS[verdict.answer]),
                    f" {setting.rule.id}: {verdict.reason}",
                ),
                soft_wrap=True,
            )
        if alternative.unknown:
            console.print(Text(f"  {alternative.unknown}", style="yellow"), soft_wrap=True)
        _print_bill(console, alternative)
        _print_times(console, alternative)


def _headline(each: Planned, alternative: Alternative) -> str:
    if alternative.home is each.placement.home:
        mark = "chosen"
    elif alternative.candidate.site is None:
        mark = "not to be had"
    elif alternative.candidate.blocking:
        mark = f"refused by {', '.join(alternative.candidate.blocking)}"
    else:
        mark = "possible"
    return f"{alternative.home}: {mark}"


def _print_bill(console: Console, alternative: Alternative) -> None:
    if alternative.cost is None:
        return
    rows = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    for name, money, how in alternative.cost.rows:
        rows.add_row(f"  {name}", money, how)
    console.print(rows)
    for note in alternative.cost.notes:
        console.print(Text(f"  {note}", style="dim"), soft_wrap=True)


def _print_times(console: Console, alternative: Alternative) -> None:
    times = alternative.latency
    if times is None:
        return
    rows = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2))
    rows.add_column(no_wrap=True)
    for _ in range(2):
        rows.add_column(justify="right", no_wrap=True)
    rows.add_column()
    for part in times.parts:
        rows.add_row(f"  {part.name}", f"p50 {length(part.p50)}", f"p99 {length(part.p99)}", part.caveat)
    rows.add_row(
        "  one request", f"p50 {length(times.p50)}", f"p99 {length(times.p99)}", f"by {times.method}"
    )
    console.print(rows)
    if times.note:
        console.print(Text(f"  {times.note}", style="dim"), soft_wrap=True)
