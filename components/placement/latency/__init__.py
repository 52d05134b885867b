"""How fast each way to run a workload answers.

    latency(option, demand, catalog, Around(front_door="http-api"))
    simulate(option, demand, catalog, scenario=Scenario(requests=Requests(arrivals_s=log)))

`times` adds up parts, `queueing` and `cold_starts` are the formulas, `recursion` and `events` the
simulations, `way` what a request passes, `delays` what it waits for; `model` and `simulation` put them
together, and `tail` nodes and their function twin.
"""

from components.placement.latency.length import counted, length
from components.placement.latency.model import Latency, Part, at_peak, latency
from components.placement.latency.simulation import Requests, Scenario, Simulated, Twin, simulate
from components.placement.latency.tail import Tailed, tailed
from components.placement.latency.way import Around

__all__ = [
    "Around",
    "Latency",
    "Part",
    "Requests",
    "Scenario",
    "Simulated",
    "Tailed",
    "Twin",
    "at_peak",
    "counted",
    "latency",
    "length",
    "simulate",
    "tailed",
]
