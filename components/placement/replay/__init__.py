"""A request log played through every topology, each at the size that holds the budget for the least money.

    log = Log.of(times_s, service_s, demand)
    replay(ways_of(stack, workload, catalog), log, catalog, budget)

`ways` says how a workload of a stack could run in each topology, `playing` what one size of a way does with
the log and costs, `searching` which size is the cheapest that holds, `replaying` puts the topologies side by
side and chooses, `gain` says what a twin is worth, `brute_force` checks all of it by playing every size.
"""

from components.placement.replay.brute_force import Checked, cheapest_of_all, checked, every_size
from components.placement.replay.gain import SPOCK, Gain
from components.placement.replay.playing import Log, Player, Size, Trial, queues
from components.placement.replay.replaying import Expected, Replay, Row, replay
from components.placement.replay.ways import Side, Way, Ways, ways_of

__all__ = [
    "SPOCK",
    "Checked",
    "Expected",
    "Gain",
    "Log",
    "Player",
    "Replay",
    "Row",
    "Side",
    "Size",
    "Trial",
    "Way",
    "Ways",
    "cheapest_of_all",
    "checked",
    "every_size",
    "queues",
    "replay",
    "ways_of",
]
