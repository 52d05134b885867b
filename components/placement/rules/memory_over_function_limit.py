"""A workload that needs more memory than a function can have is not on one.

The need decides, not the configuration: a function set to the most it can have still fails when the workload
needs more. What the function is configured with counts too, for one that states no need.
"""

from types import MappingProxyType
from typing import Final

from components.placement.facts import Facts, Platform
from components.placement.homes import Home
from components.placement.judging import (
    Answer,
    Parameter,
    Rule,
    Thresholds,
    Verdict,
    fits,
    not_about,
    refused,
    undecided,
)
from components.spec.units import Memory

_ON_DEMAND = "on_demand"
_MANAGED_INSTANCES = "managed_instances"
_OF_PLATFORM: Final = {
    Platform.CLOUD_RUN: "cloud_run",
    Platform.SAGEMAKER_SERVERLESS: "sagemaker_serverless",
}


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if not facts.home.is_function:
        return not_about(f"{facts.home.described} has no function's limit")
    amounts = [amount for amount in (facts.memory, facts.function_memory) if amount is not None]
    if not amounts:
        return Verdict(Answer.UNDECIDED, "cannot be decided without memory", ("memory", "function_memory"))
    name, described = _limit(facts)
    limit = thresholds.memory(name)
    said = f"at most {_megabytes(limit)}{thresholds.caveat(name)}"
    if max(amounts) > limit:
        verb = "needs" if facts.memory == max(amounts) else "is given"
        return refused(f"it {verb} {_megabytes(max(amounts))}, and {described} has {said}")
    return fits(f"{_megabytes(max(amounts))} is within what {described} has, {said}")


def _limit(facts: Facts) -> tuple[str, str]:
    if facts.platform is not None:
        return _OF_PLATFORM[facts.platform], facts.platform.described
    if facts.home is Home.FUNCTION:
        return _ON_DEMAND, "an on-demand function"
    if facts.managed_instances is False:
        return _ON_DEMAND, "a function with provisioned concurrency"
    return _MANAGED_INSTANCES, "a function on Lambda Managed Instances"


def _megabytes(amount: Memory) -> str:
    """As AWS writes it: its MB are 2^20 bytes."""
    return f"{amount.mib:,} MB"


RULE = Rule(
    id="memory-over-function-limit",
    title="A workload that needs more memory than a function can have is not on one",
    rationale="A function out of memory is killed in the middle of a request, after the time was paid for.",
    remedy=(
        "place it on a pool or metal (`placement.home: pool`), or on `reserved-function` with Lambda Managed"
        " Instances if it fits there, or lower `needs.memory` to what it really takes"
    ),
    remedy_elsewhere=(
        "run it in a container on instances with that much memory, or give the function what it really takes"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _ON_DEMAND: Parameter(
                about="The most memory of a function on demand or with provisioned concurrency.",
                kind=Memory,
                default=lambda catalog: catalog.limits.function.memory_on_demand,
            ),
            _MANAGED_INSTANCES: Parameter(
                about="The most memory of a function on Lambda Managed Instances.",
                kind=Memory,
                default=lambda catalog: catalog.limits.function.memory_managed_instances,
            ),
            _OF_PLATFORM[Platform.CLOUD_RUN]: Parameter(
                about="The most memory of an instance of a Cloud Run service.",
                kind=Memory,
                default=lambda catalog: catalog.limits.cloud_run.memory,
            ),
            _OF_PLATFORM[Platform.SAGEMAKER_SERVERLESS]: Parameter(
                about="The most memory of a SageMaker serverless endpoint.",
                kind=Memory,
                default=lambda catalog: catalog.limits.sagemaker_serverless.memory,
            ),
        }
    ),
)
