"""EFA or a cluster placement group means exactly one zone; a capacity block means that block's zone.

All three are capacity at one place. Nodes asked for elsewhere never come, and the pods that wait for them
never start.
"""

from components.placement.counting import count, in_order, listed
from components.placement.facts import NONE, Facts
from components.placement.judging import Rule, Thresholds, Verdict, fits, not_about, refused, undecided

_ONE_ZONE_STRATEGY = "cluster"


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.home is not None and facts.home.is_function:
        return not_about(f"{facts.where} has no nodes")
    block = _capacity_block(facts)
    if block is not None:
        return block
    return _one_zone(facts)


def _capacity_block(facts: Facts) -> Verdict | None:
    """A verdict where the capacity block settles it: None when it does not."""
    zone = facts.capacity_block_zone
    if zone is None or zone == NONE:
        return None
    if not facts.zones:
        return undecided("zones")
    if facts.zones != (zone,):
        return refused(f"its capacity block is in {zone}, and its nodes are asked for in {_listed(facts)}")
    return fits(f"its nodes and its capacity block are in {zone}")


def _one_zone(facts: Facts) -> Verdict:
    demands = [
        *(["EFA"] if facts.efa else []),
        *(["a cluster placement group"] if facts.placement_group == _ONE_ZONE_STRATEGY else []),
    ]
    lacking = [
        name for name in ("efa", "placement_group", "capacity_block_zone") if getattr(facts, name) is None
    ]
    if not demands and not lacking:
        return fits("nothing ties its nodes to one zone")
    if not facts.zones:
        return undecided("zones", *(lacking if not demands else []))
    if demands and count(facts.zones) != 1:
        return refused(
            f"{' and '.join(demands)} means one zone, and its nodes are asked for in {_listed(facts)}"
        )
    if lacking and (count(facts.zones) != 1 or facts.capacity_block_zone is None):
        return undecided(*lacking)
    return fits(f"its nodes are in one zone, {_listed(facts)}")


def _listed(facts: Facts) -> str:
    return listed(in_order(facts.zones))


RULE = Rule(
    id="zone-capacity",
    title="EFA or a placement group means exactly one zone, and a capacity block means that block's zone",
    rationale="Nodes asked for in another zone than their capacity never come, and pods wait for ever.",
    remedy=(
        "give the pool exactly one zone in `zones`, that of its `capacity_block` where it has one, and make"
        " another pool for each further zone"
    ),
    remedy_elsewhere=(
        "ask for nodes in exactly one zone, that of the capacity block where there is one, and make another"
        " node group for each further zone"
    ),
    check=_check,
)
