"""Every function is bounded, and someone hears of it: reserved concurrency, a timeout, log retention and an
alarm for the function, a budget for the stack.

Each bound stops another way for a function to cost without end: too many at once, each too long, logs kept
for ever, nobody told, no limit set. One that is missing is enough to refuse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from components.placement.facts import Facts
from components.placement.homes import Home
from components.placement.judging import (
    Parameter,
    Rule,
    Thresholds,
    Verdict,
    fits,
    not_about,
    refused,
    undecided,
)
from components.spec.units import Duration

_LONGEST = "longest_timeout"
_NOBODYS_DEFAULT = ("alarm", "budget")
_LONGEST_MANAGED = "longest_timeout_managed_instances"


@dataclass(frozen=True, slots=True)
class _Bound:
    """One bound: the fact it rests on, whether it holds (None: not known), and what to say in either case."""

    fact: str
    holds: bool | None
    held: str
    broken: str


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if not facts.home.is_function:
        return not_about(f"{facts.home.described} is no function")
    bounds = [
        bound
        for bound in _bounds(facts, thresholds)
        # Other platforms bound by themselves how many there are, how long each takes and what is logged.
        if facts.platform is None or bound.fact in _NOBODYS_DEFAULT
    ]
    broken = [bound for bound in bounds if bound.holds is False]
    if broken:
        said = ", ".join(bound.broken for bound in broken)
        return refused(f"it has {said}", *(bound.fact for bound in broken))
    lacking = [bound.fact for bound in bounds if bound.holds is None]
    if lacking:
        return undecided(*lacking)
    return fits(f"it has {', '.join(bound.held for bound in bounds)}")


def _bounds(facts: Facts, thresholds: Thresholds) -> Iterator[_Bound]:
    reserved = facts.reserved_concurrency
    yield _Bound(
        "reserved_concurrency",
        None if reserved is None else reserved >= 0,
        f"a reserved concurrency of {reserved}",
        "no reserved concurrency",
    )
    yield _timeout(facts, thresholds)
    days = facts.log_retention_days
    kept = None if days is None else days > 0
    yield _Bound("log_retention_days", kept, f"logs kept {days} days", "logs kept for ever")
    yield _Bound("alarm", facts.alarm, "an alarm", "no alarm")
    yield _Bound("budget", facts.budget, "a budget for the stack", "no budget for the stack")


def _timeout(facts: Facts, thresholds: Thresholds) -> _Bound:
    managed = facts.home is Home.RESERVED_FUNCTION and facts.managed_instances is not False
    name = _LONGEST_MANAGED if managed else _LONGEST
    timeout, longest = facts.timeout, thresholds.duration(name)
    if timeout is None:
        return _Bound("timeout", None, "", "")
    stated = f"a timeout of {timeout}"
    if not timeout:
        return _Bound("timeout", holds=False, held=stated, broken="no timeout")
    over = f"{stated}, over the longest of {longest}{thresholds.caveat(name)}" if timeout > longest else ""
    return _Bound("timeout", not over, stated, over)


RULE = Rule(
    id="runaway-function",
    title="Every function has reserved concurrency, timeout, log retention and alarm, and the stack a budget",
    rationale="A function that is called in a loop runs up a bill within hours, and nobody sees it.",
    remedy=(
        "set what is missing: `reserved_concurrency`, `timeout`, `log_retention` and `alarm: true` under"
        " `control_plane.guardrails` (for every function) or `serve.function` (for one), and"
        " `control_plane.budget` with a limit and whom to notify"
    ),
    remedy_elsewhere=(
        "give the function what is missing: a reserved concurrency, a timeout within the limit, a log group"
        " whose logs are deleted some day, and a CloudWatch alarm on it; and its account an AWS budget that"
        " tells somebody"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _LONGEST: Parameter(
                about="The longest timeout of a function on demand or with provisioned concurrency.",
                kind=Duration,
                default=lambda catalog: catalog.limits.function.timeout,
            ),
            _LONGEST_MANAGED: Parameter(
                about="The longest timeout of a function on Lambda Managed Instances.",
                kind=Duration,
                default=lambda catalog: catalog.limits.function.timeout_managed_instances,
            ),
        }
    ),
)
