"""Where each workload runs, what every home of it costs, and how fast it is there.

    plan(stack) -> Plan

puts the decision (`components.placement.decide`) beside the bill (`cost`) and the percentiles (`latency`) of
every home, so that the choice can be seen and doubted.
"""

from components.placement.choosing.alternatives import Alternative
from components.placement.plan.fleet import Claim, Resource, Room, ZoneNodes
from components.placement.plan.model import Idle, Plan, Planned, Warn
from components.placement.plan.planning import plan, planned

__all__ = [
    "Alternative",
    "Claim",
    "Idle",
    "Plan",
    "Planned",
    "Resource",
    "Room",
    "Warn",
    "ZoneNodes",
    "plan",
    "planned",
]
