"""A workload with an accelerator is on nodes that have it and let its pods in, not on a function without.

An on-demand function has no accelerator at all, whatever it is given. Of the reserved ones, Lambda Managed
Instances can have one, within a limit of accelerator memory; provisioned concurrency cannot. Of nodes it is
taken that they have accelerators, until it is known that these have none, or that its pods are kept off them.
"""

from types import MappingProxyType

from components.placement.facts import Facts, Platform
from components.placement.homes import Home
from components.placement.judging import Parameter, Rule, Thresholds, Verdict, fits, refused, undecided
from components.spec.units import Memory

_LIMIT = "managed_instances_accelerator_memory"


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.accelerator_count == 0:
        return fits("it needs no accelerator")
    if facts.home is None:
        return undecided("home")
    if not facts.home.is_function:
        return _on_nodes(facts, facts.home)
    if facts.accelerator_count is None and facts.accelerator_type is None:
        return undecided("accelerator_count")
    if facts.platform is not None:
        return _on_platform(facts, facts.platform)
    return _on_lambda(facts, facts.home, thresholds)


def _on_lambda(facts: Facts, home: Home, thresholds: Thresholds) -> Verdict:
    if home is Home.FUNCTION:
        return refused(f"it needs {_needed(facts)}, and an on-demand function has no accelerator")
    return _on_reserved_function(facts, thresholds)


def _on_nodes(facts: Facts, home: Home) -> Verdict:
    if facts.accelerator_count is None and facts.accelerator_type is None:
        return fits(f"{home.described} is nodes, which can have accelerators, if it needs any")
    if facts.has_accelerators is False:
        return refused(f"it needs {_needed(facts)}, and its pods are held to no pool that has accelerators")
    if facts.tolerates is False:
        return refused(f"it needs {_needed(facts)}, and its pods do not tolerate what is kept off such nodes")
    return fits(f"{home.described} is nodes, which can have accelerators")


def _on_platform(facts: Facts, platform: Platform) -> Verdict:
    if platform is Platform.CLOUD_RUN:
        return fits(f"it needs {_needed(facts)}, and {platform.described} has accelerators")
    return refused(f"it needs {_needed(facts)}, and {platform.described} has no accelerator")


def _on_reserved_function(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.managed_instances is False:
        return refused(f"it needs {_needed(facts)}, and provisioned concurrency has no accelerator")
    if facts.accelerator_memory is None:
        return undecided("accelerator_memory")
    limit = thresholds.memory(_LIMIT)
    allowed = f"{limit}{thresholds.caveat(_LIMIT)} of accelerator memory"
    # Bytes, because a product of sizes may pass the largest size there is.
    if facts.accelerator_memory.bytes * max(1, facts.accelerator_count or 1) > limit.bytes:
        return refused(f"it needs {_needed(facts)}, and Lambda Managed Instances have at most {allowed}")
    return fits(
        f"it needs {_needed(facts)}, within the {allowed} of Lambda Managed Instances, the only reserved"
        " functions that have accelerators"
    )


def _needed(facts: Facts) -> str:
    count = facts.accelerator_count or 1
    kind = facts.accelerator_type or ("accelerator" if count == 1 else "accelerators")
    memory = f" with {facts.accelerator_memory}" if facts.accelerator_memory is not None else ""
    return f"{count} {kind}{memory}{' each' if memory and count > 1 else ''}"


RULE = Rule(
    id="accelerator-needs-metal",
    title="A workload with an accelerator is on nodes that have it, not on an on-demand function",
    rationale="An on-demand function has no accelerator: the workload fails or falls back to the processor.",
    remedy=(
        "place it on nodes that have the accelerator (`placement.home: pool` or `metal`, and a pool whose"
        " `accelerator` matches; a pod by a node selector `halfmetal.dev/pool` of that pool, and a toleration"
        " of its taints), or take `accelerator` out of its needs if it runs without one"
    ),
    remedy_elsewhere=(
        "run it on instances with the accelerator (AWS Lambda and Fargate have none); a pod asks for it in"
        " its container's resources, tolerates the taints of those nodes, and selects them by their labels"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _LIMIT: Parameter(
                about="The most accelerator memory a function on Lambda Managed Instances can have.",
                kind=Memory,
                default=lambda catalog: catalog.limits.function.accelerator_memory_managed_instances,
            )
        }
    ),
)
