"""A workload that is busy most of the day is on nodes, one that hardly ever is may be on a function.

Functions are billed while they work, nodes whether they work or not, so it is the share of the day that is
busy which decides. From what share nodes are cheaper differs by workload (its memory, its processor, its
region); where that was computed it is a fact, and decides. Where it was not, a band stands in: below it
functions, within it advice to take a pool, above it a refusal.
"""

from types import MappingProxyType

from components.placement.facts import Facts, Role
from components.placement.homes import Home
from components.placement.judging import (
    Parameter,
    Rule,
    Thresholds,
    Verdict,
    advised_against,
    fits,
    not_about,
    refused,
    undecided,
)
from components.spec.units import Share

_FUNCTION_BELOW = "function_below"
_POOL_FROM = "pool_from"
_NODES_ABOVE = "nodes_above"


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.role is Role.CONTROL:
        return not_about("a control function serves no workload's traffic")
    if facts.home is None:
        return undecided("home")
    if not facts.home.is_function:
        return fits(_on_nodes(facts, facts.home, thresholds))
    if facts.twin:
        return fits("a function twin is busy only with what the warm replicas cannot take")
    if facts.platform is None and facts.home is Home.RESERVED_FUNCTION and facts.managed_instances:
        return fits("Lambda Managed Instances are billed as instances, however busy they are")
    return _on_function(facts, facts.home, thresholds)


def _on_function(facts: Facts, home: Home, thresholds: Thresholds) -> Verdict:
    lacking = _lacking(facts)
    if facts.utilization is None or lacking:
        return undecided(*lacking)
    if facts.break_even is not None:
        return _by_break_even(facts, facts.utilization, facts.break_even, thresholds)
    return _by_band(facts.utilization, home, thresholds)


def _lacking(facts: Facts) -> tuple[str, ...]:
    if facts.platform is not None and facts.utilization is not None and facts.break_even is None:
        return ("break_even",)  # the band is what Lambda costs beside nodes
    unknown_kind = (
        facts.platform is None and facts.home is Home.RESERVED_FUNCTION and facts.managed_instances is None
    )
    return (
        *(["utilization"] if facts.utilization is None else []),
        *(["managed_instances"] if unknown_kind else []),
    )


def _on_nodes(facts: Facts, home: Home, thresholds: Thresholds) -> str:
    busy, below = facts.utilization, thresholds.share(_FUNCTION_BELOW)
    if busy is None:
        return f"{home.described} costs the same however busy it is"
    if busy < below:
        return (
            f"{home.described} serves at any utilization, though at {busy}, below"
            f" {_said(thresholds, _FUNCTION_BELOW)}, most of it is idle"
        )
    return f"{home.described} is right for what is busy {busy} of the day"


def _by_break_even(facts: Facts, busy: Share, even: Share, thresholds: Thresholds) -> Verdict:
    if busy <= even:
        return fits(f"busy {busy} of the day, and nodes cost less only above {even} (computed)")
    said = f"busy {busy} of the day, it costs more on {facts.where} than on nodes, above {even} (computed)"
    return refused(said) if busy > thresholds.share(_NODES_ABOVE) else advised_against(said)


def _by_band(busy: Share, home: Home, thresholds: Thresholds) -> Verdict:
    if busy > thresholds.share(_NODES_ABOVE):
        return refused(
            f"it is busy {busy} of the day, above {_said(thresholds, _NODES_ABOVE)}, where a pool or metal"
            f" costs less than {home.described}"
        )
    if busy >= thresholds.share(_POOL_FROM):
        return advised_against(
            f"it is busy {busy} of the day, between {_said(thresholds, _POOL_FROM)} and"
            f" {_said(thresholds, _NODES_ABOVE)}, where a shared pool costs less than most functions"
        )
    if busy >= thresholds.share(_FUNCTION_BELOW):
        return fits(f"busy {busy} of the day, a function and a pool cost about the same")
    return fits(
        f"busy {busy} of the day, below {_said(thresholds, _FUNCTION_BELOW)}, it is cheapest on a function"
    )


def _said(thresholds: Thresholds, name: str) -> str:
    return str(thresholds.values[name])


RULE = Rule(
    id="sustained-utilization",
    title="A workload that is busy most of the day is on a pool or on metal, not on a function",
    rationale="A function is billed for every second it works, at several times the price of an instance.",
    remedy=(
        "place it on a pool or metal (`placement.home: pool`, with `serve.container`), or correct"
        " `traffic.utilization` (or `traffic.rate` and `traffic.service_time`) if it is less busy than that"
    ),
    remedy_elsewhere=(
        "run it in a container on instances that it shares with others, or say how busy it really is"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _FUNCTION_BELOW: Parameter(
                about="Below this share of the day a function is right.",
                kind=Share,
                default=lambda catalog: catalog.guidance.utilization.function_below,
            ),
            _POOL_FROM: Parameter(
                about="From this share of the day on a shared pool is advised.",
                kind=Share,
                default=lambda catalog: catalog.guidance.utilization.pool_from,
            ),
            _NODES_ABOVE: Parameter(
                about="Above this share of the day a function is refused.",
                kind=Share,
                default=lambda catalog: catalog.guidance.utilization.nodes_above,
            ),
        }
    ),
)
