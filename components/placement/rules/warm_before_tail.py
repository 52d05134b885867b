"""A function twin takes the tail, so something warm comes before it.

A twin is the same workload as a function, which takes only what the warm replicas cannot answer in time.
Without a warm replica every request is tail: each may meet a cold start, and the twin is all there is.
"""

from components.placement.facts import Facts
from components.placement.judging import Rule, Thresholds, Verdict, fits, refused, undecided


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.twin is False:
        return fits("it has no function twin")
    if facts.warm_replicas is not None and facts.warm_replicas > 0:
        takes = "its function twin takes" if facts.twin else "a function twin would take"
        return fits(f"it keeps {facts.warm_replicas} warm, and {takes} only the tail")
    lacking = [name for name in ("twin", "warm_replicas") if getattr(facts, name) is None]
    if lacking:
        return undecided(*lacking)
    return refused(f"its function twin is its only home: it keeps {facts.warm_replicas} warm replicas")


RULE = Rule(
    id="warm-before-tail",
    title="A workload with a function twin keeps at least one warm replica",
    rationale="With nothing warm before the twin, every request may meet a cold start.",
    remedy="keep one replica or more on the pool (`placement.replicas: 1`), or place it on a function alone",
    remedy_elsewhere=(
        "keep one replica or more (also the least of what scales it), or let the function serve all of it"
    ),
    check=_check,
)
