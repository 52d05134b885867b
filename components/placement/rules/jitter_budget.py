"""Answer times that may hardly vary need metal, and on it cores that nothing else runs on.

A neighbour on the same machine, or another process on the same core, costs tens of microseconds at moments
that nobody can foresee; memory of another NUMA node costs some on every access. Nothing but whole cores of
one NUMA node, on a machine of one's own, keeps answer times that even.
"""

from types import MappingProxyType

from components.placement.facts import UNBOUNDED, Facts
from components.placement.homes import Home
from components.placement.judging import Parameter, Rule, Thresholds, Verdict, fits, refused, undecided
from components.spec.units import Duration

_METAL_BELOW = "metal_below"


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.jitter is None:
        return undecided("jitter")
    if facts.jitter == UNBOUNDED:
        return fits("its answer times may vary at will")
    least = thresholds.duration(_METAL_BELOW)
    if facts.jitter >= least:
        return fits(f"its answers may vary by {facts.jitter}, not less than {_least(thresholds)}")
    return _on_home(facts, f"its answers may vary by {facts.jitter}, less than {_least(thresholds)}")


def _on_home(facts: Facts, needs: str) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if facts.home is not Home.METAL:
        return refused(
            f"{needs}, which {facts.where if facts.home.is_function else facts.home.described} cannot hold"
        )
    if facts.pinned is None:
        return undecided("pinned")
    if not facts.pinned:
        return refused(f"{needs}, and its pods share cores and NUMA nodes with others")
    return fits(f"{needs}, and its pods have whole cores of one NUMA node to themselves")


def _least(thresholds: Thresholds) -> str:
    return str(thresholds.values[_METAL_BELOW])


RULE = Rule(
    id="jitter-budget",
    title="A workload whose answer times may hardly vary is on metal, with cores of its own",
    rationale="What shares a machine or a core is interrupted by its neighbours, nobody knows when.",
    remedy=(
        "place it on metal (`placement.home: metal`) in a pool with `pinned: true`, with whole cores in"
        " `needs.cpu`, or allow more in `latency.jitter`"
    ),
    remedy_elsewhere=(
        "run it on instances of bare metal with whole cores of its own (a kubelet with the static CPU"
        " manager, and a pod whose requests are its limits, in whole cores), or say that it bears more"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _METAL_BELOW: Parameter(
                about="Below this variation of answer times nothing but pinned metal will do.",
                kind=Duration,
                default=lambda catalog: catalog.guidance.jitter.metal_below,
            )
        }
    ),
)
