"""The topologies as a table, what was chosen and why, what a twin is worth, and what all of it rests on."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.replay.question import Question
from components.placement.latency import length
from components.placement.plan.words import UNKNOWN, amount
from components.placement.replay import SPOCK, Checked, Gain, Replay, Row
from components.spec.units import Share
from components.traffic.measurement import duration_text

_STYLES = {"chosen": "bold green", "holds": "green", "refused": "yellow", "too slow": "red"}
_SMALL = 0.0001
_WORK = "work"


def print_replay(console: Console, asked: Question, answer: Replay) -> None:
    console.print(_table(asked, answer))
    console.print()
    console.print(Text(_chosen(answer), style="bold"), soft_wrap=True)
    if answer.gain is not None:
        for line in gain_in_words(answer.gain):
            console.print(Text(line), soft_wrap=True)
    for why_not, sides in _together((row.why_not, row.side) for row in answer.rows):
        console.print(Text(f"{'; '.join(sides)}: {why_not}", style="yellow"), soft_wrap=True)
    for note in (*_models(asked, answer), *asked.notes, *_sources(answer)):
        console.print(Text(f"note: {note}", style="dim"), soft_wrap=True)
    for finding in asked.findings:
        console.print(Text(f"{finding.weight}: {finding}", style="yellow"), soft_wrap=True)


def print_checked(console: Console, proof: Checked) -> None:
    if proof.wrong:
        said = f"not the cheapest that holds, which is a fault of halfmetal: {', '.join(proof.wrong)}"
        console.print(Text(said, style="bold red"), soft_wrap=True)
        return
    said = f"checked: of all {proof.sizes:,} sizes, each played, none that holds is cheaper"
    console.print(Text(said, style="green"), soft_wrap=True)


def _table(asked: Question, answer: Replay) -> Table:
    log, found = answer.log, asked.profile
    burstiness = "" if found.burstiness is None else f", burstiness {found.burstiness:g}"
    rows = Table(
        title=(
            f"{len(log.arrivals_s):,} requests for {asked.workload.name} in {duration_text(log.span_s)} "
            f"({found.rate}, peak {found.peak}{burstiness}), {answer.budget} for 99 of 100"
        ),
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for heading in ("topology", "size"):
        rows.add_column(heading, overflow="fold")
    for heading in ("a month", "p50", "p99", "by model", "late", "on demand", "cold"):
        rows.add_column(heading, justify="right", no_wrap=True)
    rows.add_column("", no_wrap=True)
    for row in answer.rows:
        rows.add_row(*_figures(row, asked), Text(mark(row, answer), _STYLES.get(mark(row, answer), "dim")))
    return rows


def _figures(row: Row, asked: Question) -> tuple[str, ...]:
    trial = row.trial
    if trial is None:
        return (row.side, *[UNKNOWN] * 8)
    return (
        row.side,
        str(trial),
        amount(trial.total),
        length(trial.seen.p50),
        length(trial.seen.p99),
        _by_model(row, asked),
        percent(trial.over),
        percent(trial.on_demand),
        percent(trial.seen.cold_start_share),
    )


def _by_model(row: Row, asked: Question) -> str:
    if row.expected is None or row.expected.latency is None:
        return UNKNOWN
    found = row.expected.latency
    return f"~{length(found.p99)}" if found.note or asked.work_is_known else length(found.p99)


def percent(share: Share) -> str:
    """Two digits after the point, and no nought for what is some."""
    if 0 < share.fraction < _SMALL:
        return "<0.01%"
    return f"{share.fraction:.2%}"


def mark(row: Row, answer: Replay) -> str:
    """What became of a row, in a word."""
    if row is answer.choice:
        return "chosen"
    if row.trial is None:
        return "not possible"
    if row.can_be_chosen:
        return "holds"
    return "refused" if row.trial.holds else "too slow"


def _chosen(answer: Replay) -> str:
    best, *others = answer.ranked or (None,)
    if all(row.trial is None for row in answer.rows):
        return (
            "none can be played: give the workload `serve.function`, or `serve.container` and a pool whose"
            " `instance` has a price"
        )
    if best is None or best.trial is None:
        return f"none holds {answer.budget} for 99 of 100 requests: allow more time, or change the workload"
    said = (
        f"chosen: {best.side}, {best.trial}: {amount(best.trial.total)} a month is the least that holds"
        f" {answer.budget}"
    )
    if others and others[0].trial is not None:
        more = others[0].trial.total / best.trial.total - 1
        return f"{said}; {others[0].side} is next, {more:.1%} more"
    return said


def gain_in_words(gain: Gain) -> Iterator[str]:
    """What a twin is worth, beside what others report."""
    if not gain.is_used:
        yield "a twin saves nothing here: the cheapest size with one never uses it"
        return
    money, fewer = gain.same_money, gain.fewer_misses
    yield (
        f"a twin costs {gain.less_cost:.1%} less at the same promise: {amount(gain.twin.total)} instead of"
        f" {amount(gain.alone.total)}"
    )
    if money is None:
        yield "for the same money there is no pool without a twin"
    else:
        saved = "" if fewer is None else f", {fewer:.1%} fewer"
        yield (
            f"for the same money without one, {money}, {percent(money.over)} of the requests are late; with"
            f" it {percent(gain.twin.over)}{saved}"
        )
    cost, misses = (
        f"{reported:.0%} ({'passed' if ours is not None and ours > reported else 'not reached'})"
        for ours, reported in ((gain.less_cost, SPOCK.less_cost), (fewer, SPOCK.fewer_misses))
    )
    yield f"{SPOCK.source} reports up to {cost} and {misses}, against machines that come and go with the load"


def _models(asked: Question, answer: Replay) -> Iterator[str]:
    """What the models say of themselves, once each."""
    known = [
        (row.expected.latency.note, row.side)
        for row in answer.rows
        if row.expected is not None and row.expected.latency is not None
    ]
    if known:
        yield (
            "`by model` is the p99 that the profile alone gives, without the log; ~ where the model itself"
            " says that a log knows better"
        )
    if asked.work_is_known:
        yield "by model: of the work it knows the mean and the variation, and not the shape that the log has"
    for note, sides in _together(known):
        yield f"by model ({'; '.join(sides)}): {note}"


def _together(said: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Each thing that is said once, with all of whom it is said."""
    of: dict[str, list[str]] = {}
    for words, subject in said:
        of.setdefault(words, []).append(subject)
    return ((words, subjects) for words, subjects in of.items() if words)


def _sources(answer: Replay) -> Iterator[str]:
    """What prices and times rest on where they are not sourced."""
    costs = [row.trial.cost for row in answer.rows if row.trial is not None]
    if caveats := dict.fromkeys(caveat for cost in costs for caveat in cost.caveats):
        yield f"some prices are {', '.join(caveats)}: see halfmetal catalog"
    parts = [
        (part.caveat, part.name)
        for row in answer.rows
        if row.expected is not None and row.expected.latency is not None
        for part in row.expected.latency.parts
        if part.name != _WORK
    ]
    for caveat, names in _together(dict.fromkeys(parts)):
        yield f"times of {', '.join(names)}: {caveat}"
    yield from dict.fromkeys(note for cost in costs for note in cost.notes)
