"""The cheapest fleet: a home for every workload and the nodes for those that need some, chosen together.

`solve(demand)` answers a `Fleet`, or an `Infeasible` that names what stands against each other.
`broken(demand, fleet)` checks an answer independently. OR-Tools is imported with this package, and
nowhere else in `components`.
"""

from components.placement.fleet.checking import broken
from components.placement.fleet.fitting import nodes_for
from components.placement.fleet.problem import (
    Claim,
    Demand,
    Fleet,
    Infeasible,
    Node,
    Nodes,
    Offer,
    Place,
    Terms,
)
from components.placement.fleet.solving import NoAnswerError, solve

__all__ = [
    "Claim",
    "Demand",
    "Fleet",
    "Infeasible",
    "NoAnswerError",
    "Node",
    "Nodes",
    "Offer",
    "Place",
    "Terms",
    "broken",
    "nodes_for",
    "solve",
]
