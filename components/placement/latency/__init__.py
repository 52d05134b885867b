"""How fast each way to run a workload answers.

    latency(option, demand, catalog, Around(front_door="http-api"))
    simulate(option, demand, catalog, setting=Setting(source=Source(arrivals_s=log)))

`times` adds up parts, `queueing` and `cold_starts` are the formulas, `recursion` and `events` the
simulations, `way` what a request passes, `model` and `simulation` put them together.
"""

from components.placement.latency.model import Latency, Part, latency
from components.placement.latency.simulation import Setting, Simulated, Source, Twin, simulate
from components.placement.latency.way import Around

__all__ = ["Around", "Latency", "Part", "Setting", "Simulated", "Source", "Twin", "latency", "simulate"]
