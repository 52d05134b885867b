"""A workload that cannot bear a cold start is kept warm: on nodes or on a reserved function.

An on-demand function meets a cold start whenever more requests come at once than copies are warm. How long
that takes grows with the package; where its size is not known, a tolerance below what a small one takes is
refused and one above what a large one takes fits.
"""

from types import MappingProxyType

from components.placement.facts import UNBOUNDED, Facts
from components.placement.homes import Home
from components.placement.judging import Parameter, Rule, Thresholds, Verdict, fits, refused, undecided
from components.spec.units import Duration, Memory

_SMALL = "p95"
_LARGE = "p95_large_package"
_LARGE_OVER = "large_package_over"


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if facts.home is not Home.FUNCTION:
        return fits(f"{facts.home.described} is kept warm")
    bears = facts.cold_start_tolerance
    if bears is None:
        return undecided("cold_start_tolerance")
    if bears == UNBOUNDED:
        return fits("it bears a cold start of any length")
    return _judge(facts, bears, thresholds)


def _judge(facts: Facts, bears: Duration, thresholds: Thresholds) -> Verdict:
    sizes = _sizes(facts, thresholds)
    too_long = [name for name in sizes if thresholds.duration(name) > bears]
    if len(too_long) == len(sizes):
        least = min(sizes, key=thresholds.duration)
        return refused(f"it bears a cold start of {bears}, and {_takes(facts, least, thresholds)}")
    if too_long:
        return undecided("package")
    most = max(sizes, key=thresholds.duration)
    return fits(f"it bears a cold start of {bears}, and {_takes(facts, most, thresholds)}")


def _sizes(facts: Facts, thresholds: Thresholds) -> tuple[str, ...]:
    """The sizes that its package has, or may have."""
    if facts.package is None:
        return (_SMALL, _LARGE)
    return (_LARGE,) if facts.package > thresholds.memory(_LARGE_OVER) else (_SMALL,)


def _takes(facts: Facts, name: str, thresholds: Thresholds) -> str:
    kind = "a small" if name == _SMALL else "a large"
    package = f"its package of {facts.package}" if facts.package is not None else f"{kind} package"
    return f"one of 20 with {package} takes {thresholds.values[name]} or more"


RULE = Rule(
    id="cold-start-budget",
    title="A workload that cannot bear a cold start is on a warm home",
    rationale="An on-demand function starts cold whenever traffic rises, and the request waits for it.",
    remedy=(
        "place it on `reserved-function`, pool or metal (`placement.home`), allow more in"
        " `latency.cold_start_tolerance`, or name the size of a small package in `serve.function.package`"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _SMALL: Parameter(
                about="Cold start of a function with a small package, 95th percentile.",
                kind=Duration,
                default=lambda catalog: catalog.latency.cold_start.p95,
            ),
            _LARGE: Parameter(
                about="Cold start of a function with a large package, 95th percentile.",
                kind=Duration,
                default=lambda catalog: catalog.latency.cold_start.p95_large_package,
            ),
            _LARGE_OVER: Parameter(
                about="A package above this size is a large one.",
                kind=Memory,
                default=lambda catalog: catalog.limits.function.package_direct,
            ),
        }
    ),
)
