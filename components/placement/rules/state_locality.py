"""A workload that reads shared state on the request path, with a latency budget, sits in that state's zone.

A read that crosses zones costs a round trip for each store and the time the bytes take; where the budget
cannot bear that, it is refused. On nodes it is known which reads cross. A function lands in whatever zone is
free, so each of its reads may. What is not known of the cost counts as nothing towards a refusal and as a
reason not to pass.
"""

from types import MappingProxyType

from components.placement.counting import count, in_order, listed, milliseconds, stores, whereabouts
from components.placement.facts import Facts, StateRead
from components.placement.judging import Parameter, Rule, Thresholds, Verdict, fits, refused, undecided
from components.spec.units import Duration

_ROUND_TRIP = "cross_zone_round_trip"
_TRANSFER = "cross_zone_ten_megabytes"
_TEN_MEGABYTES = 10_000_000


def _check(facts: Facts, thresholds: Thresholds) -> Verdict:
    if facts.state is None:
        return undecided("state")
    if not facts.state:
        return fits("it reads no shared state while a request waits")
    if facts.home is None:
        return undecided("home")
    if facts.home.is_function:
        return _on_function(facts, facts.state, thresholds)
    return _on_nodes(facts, facts.state, thresholds)


def _on_nodes(facts: Facts, reads: tuple[StateRead, ...], thresholds: Thresholds) -> Verdict:
    if not facts.zones:
        return undecided("zones")
    away = facts.reads_elsewhere
    here = listed(in_order(facts.zones))
    if not away:
        return fits(f"it sits in {here}, where {_named(reads)} is")
    return _across(facts, away, thresholds, f"it sits in {here} and {whereabouts(away)}")


def _on_function(facts: Facts, reads: tuple[StateRead, ...], thresholds: Thresholds) -> Verdict:
    where = f"a function may land in any zone and reads {_named(reads)}"
    return _across(facts, reads, thresholds, where)


def _across(facts: Facts, reads: tuple[StateRead, ...], thresholds: Thresholds, where: str) -> Verdict:
    """Whether the budget bears that these reads cross zones."""
    if facts.latency_p99 is None:
        return undecided("latency_p99")
    carried = _transfer(facts, thresholds)
    account = _account(facts, reads, thresholds, carried)
    # Nanoseconds, because a sum of durations may pass the longest duration there is.
    known = thresholds.duration(_ROUND_TRIP).nanoseconds * count(reads)
    known += carried if carried is not None else 0
    known += facts.service_time.nanoseconds if facts.service_time is not None else 0
    if known > facts.latency_p99.nanoseconds:
        return refused(f"{where}: reading across zones does not fit in {facts.latency_p99} (p99): {account}")
    lacking = [name for name in ("state_bytes", "service_time") if getattr(facts, name) is None]
    if lacking:
        return undecided(*lacking)
    return fits(f"{where}: reading across zones fits in {facts.latency_p99} (p99): {account}")


def _transfer(facts: Facts, thresholds: Thresholds) -> int | None:
    """Nanoseconds that the bytes of one request take across zones, rounded up."""
    if facts.state_bytes is None:
        return None
    return -(-thresholds.duration(_TRANSFER).nanoseconds * facts.state_bytes.bytes // _TEN_MEGABYTES)


def _account(facts: Facts, reads: tuple[StateRead, ...], thresholds: Thresholds, carried: int | None) -> str:
    parts = [f"{count(reads)} x {_crossing(thresholds)}"]
    if carried is not None:
        parts.append(f"{milliseconds(carried)} for {facts.state_bytes}{thresholds.caveat(_TRANSFER)}")
    if facts.service_time is not None:
        parts.append(f"{facts.service_time} to compute")
    return " + ".join(parts)


def _crossing(thresholds: Thresholds) -> str:
    return f"{thresholds.duration(_ROUND_TRIP)}{thresholds.caveat(_ROUND_TRIP)}"


def _named(reads: tuple[StateRead, ...]) -> str:
    return listed(in_order(stores(reads)))


RULE = Rule(
    id="state-locality",
    title="A workload that reads shared state on the request path sits in that state's zone",
    rationale="A read across zones takes up to ten times one in the zone, on every request, and is billed.",
    remedy=(
        "place it on a pool that has nodes in the zone of the state it reads (`placement.pool`, and"
        " `state[].zones`), keep a copy of the state in its zone, or give it a latency budget that bears the"
        " crossing"
    ),
    remedy_elsewhere=(
        "run it in the zone of the state that it reads (a pod by the label `topology.kubernetes.io/zone` in"
        " a node selector or a required affinity), keep a copy of the state in its zone, or say that it"
        " bears the crossing"
    ),
    check=_check,
    parameters=MappingProxyType(
        {
            _ROUND_TRIP: Parameter(
                about="One round trip to a store in another zone.",
                kind=Duration,
                default=lambda catalog: catalog.latency.state.round_trip_cross_zone,
            ),
            _TRANSFER: Parameter(
                about="The time that 10 MB of state take across zones.",
                kind=Duration,
                default=lambda catalog: catalog.latency.state.ten_megabytes_cross_zone,
            ),
        }
    ),
)
