"""A workload with a cache of its own is not on functions.

A function's copies come and go with the requests, and what a copy held goes with it; the next request finds
another copy, with an empty cache. On nodes a replica lives as long as its pod.
"""

from components.placement.facts import Facts
from components.placement.judging import Rule, Thresholds, Verdict, fits, refused, undecided


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.local_cache is False:
        return fits("it keeps no cache of its own")
    if facts.home is None:
        return undecided("home")
    if not facts.home.is_function:
        return fits(f"{facts.home.described} keeps a cache as long as the pod lives")
    if facts.local_cache is None:
        return undecided("local_cache")
    return refused(
        f"it keeps a cache that must outlive a request, and a copy of {facts.where} is gone when"
        " traffic falls"
    )


RULE = Rule(
    id="local-state",
    title="A workload with a cache of its own is not on functions",
    rationale="A function's copies come and go with the requests, and the cache goes with them.",
    remedy=(
        "place it on a pool or metal (`placement.home: pool`), or keep the cache in a store of the stack's"
        " `state` and set `state.local_cache: false`"
    ),
    remedy_elsewhere=(
        "run it in a container that stays up, or keep the cache in a store beside it (Redis, a database)"
    ),
    check=_check,
)
