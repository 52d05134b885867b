"""A workload that cannot bear a cold start is kept warm: on nodes or on a reserved function.

An on-demand function meets a cold start whenever more requests come at once than copies are warm. How long
that takes grows with the package; where its size is not known, a tolerance below what a small one takes is
refused and one above what a large one takes fits. Pods of which none runs while nobody asks (a service that
scales to zero) start cold as well, and so do containers that another platform starts.
"""

from types import MappingProxyType

from components.placement.facts import UNBOUNDED, Facts, Role
from components.placement.homes import Home
from components.placement.judging import (
    Answer,
    Parameter,
    Rule,
    Thresholds,
    Verdict,
    fits,
    refused,
    undecided,
)
from components.spec.units import Duration, Memory

_SMALL = "p95"
_LARGE = "p95_large_package"
_CONTAINER = "p95_container"
_LARGE_CONTAINER = "p95_large_container"
_LARGE_OVER = "large_package_over"


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if facts.home.is_function:
        return _on_function(facts, facts.home, thresholds)
    return _on_nodes(facts, facts.home, thresholds)


def _on_nodes(facts: Facts, home: Home, thresholds: Thresholds) -> Verdict:
    if facts.role is Role.NODES:
        return fits("nodes keep warm what runs on them")
    if facts.warm_replicas is not None and facts.warm_replicas > 0:
        return fits(f"{home.described} is kept warm")
    cold = _judge(facts, _CONTAINER, _LARGE_CONTAINER, thresholds)
    if facts.warm_replicas is None and cold.answer is not Answer.FITS:
        return undecided("warm_replicas")
    return cold


def _on_function(facts: Facts, home: Home, thresholds: Thresholds) -> Verdict:
    if home is not Home.FUNCTION:
        return fits(f"{facts.where} is kept warm")
    if facts.platform is not None:
        return _judge(facts, _CONTAINER, _LARGE_CONTAINER, thresholds)
    return _judge(facts, _SMALL, _LARGE, thresholds)


def _judge(facts: Facts, small: str, large: str, thresholds: Thresholds) -> Verdict:
    bears = facts.cold_start_tolerance
    if bears is None:
        return undecided("cold_start_tolerance")
    if bears == UNBOUNDED:
        return fits("it bears a cold start of any length")
    if facts.package is not None:
        is_large = facts.package > thresholds.memory(_LARGE_OVER)
        return _by_size(bears, large if is_large else small, f"its package of {facts.package}", thresholds)
    if bears < thresholds.duration(small):
        return _by_size(bears, small, "a small package", thresholds)
    if bears < thresholds.duration(large):
        return undecided("package")
    return _by_size(bears, large, "a large package", thresholds)


def _by_size(bears: Duration, name: str, package: str, thresholds: Thresholds) -> Verdict:
    takes = f"one of 20 with {package} takes {thresholds.values[name]} or more"
    said = f"it bears a cold start of {bears}, and {takes}"
    return refused(said) if bears < thresholds.duration(name) else fits(said)


RULE = Rule(
    id="cold-start-budget",
    title="A workload that cannot bear a cold start is on a warm home",
    rationale="An on-demand function starts cold whenever traffic rises, and the request waits for it.",
    remedy=(
        "place it on `reserved-function`, pool or metal (`placement.home`), allow more in"
        " `latency.cold_start_tolerance`, or name the size of a small package in `serve.function.package`"
    ),
    remedy_elsewhere=(
        "keep copies warm (provisioned concurrency or Managed Instances of Lambda, instances that never go"
        " down to none on other platforms), run it in a container that stays up, or say that it bears more"
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
            _CONTAINER: Parameter(
                about="Start of a container where none runs, with a small image, 95th percentile.",
                kind=Duration,
                default=lambda catalog: catalog.latency.cold_start.p95_container,
            ),
            _LARGE_CONTAINER: Parameter(
                about="Start of a container where none runs, with a large image, 95th percentile.",
                kind=Duration,
                default=lambda catalog: catalog.latency.cold_start.p95_large_container,
            ),
            _LARGE_OVER: Parameter(
                about="A package above this size is a large one.",
                kind=Memory,
                default=lambda catalog: catalog.limits.function.package_direct,
            ),
        }
    ),
)
