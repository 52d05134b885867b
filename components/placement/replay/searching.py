"""The cheapest size of a way that holds the budget. Every search here is complete: no size that it passes
over can be cheaper and hold. Why, for each:

*Replicas, no twin.* One server more never makes a request of a queue in order of arrival wait longer: the
times at which servers come free, in order, are each no later than before (Kiefer and Wolfowitz' recursion is
monotone in its state). Way and work are the same. So each percentile falls with the number of replicas, and
the price rises: the least number that holds is the cheapest, and bisection finds it. With as many servers as
there are ever requests at once nobody waits; where that does not hold the budget, nothing does.

*Copies held warm.* The price falls and rises (a held copy costs while it idles and saves while it works), and
nothing promises that one copy more means no cold start more: what is not held is wanted less often then, and
may be dropped in between. So every number is played, in order, until the floor of its price (what it costs
whatever share of the requests finds a held copy) is no longer below the best that holds. The floor rises with
each copy, so none beyond can be cheaper. With as many held as there are ever requests at once none starts
cold; where that does not hold the budget, nothing does.

*Replicas with a twin.* Fewer nodes, more requests to the function: the price falls and rises, and so do the
percentiles. Replicas and the queue before the twin are both searched, all of `queues` until one that is never
full (a longer one is the same). The least number of replicas that holds without a twin bounds the search: a
twin that is never called makes it a size here too, and no larger number can be cheaper, as nodes alone cost
more. Below it all numbers are played whose floor, the price if nothing went to the function, is not above the
best so far. Without any number that holds alone there is none with a twin: who goes to it has the longer way.
"""

from dataclasses import dataclass

from components.placement.options import NodesOption
from components.placement.replay.playing import Player, Size, Trial, cheaper, queues


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search came to."""

    best: Trial | None
    """The cheapest size that holds the budget."""
    fastest: Trial
    """The size of which none is faster: what can be had where none holds."""


def searched(player: Player) -> Found:
    """The cheapest size of a way that holds; raises MissingFigureError and OptionError as pricing does."""
    if player.way.twin is not None:
        return _with_twin(player)
    if isinstance(player.way.option, NodesOption):
        return _alone(player)
    return _held_warm(player) if player.way.option.provisioned else _on_demand(player)


def _on_demand(player: Player) -> Found:
    only = player.play(Size())
    return Found(only if only.holds else None, only)


def _held_warm(player: Player) -> Found:
    fastest = player.play(Size(player.enough))
    if not fastest.holds:
        return Found(None, fastest)
    best = fastest
    for count in range(1, player.enough):
        if player.floor(count) > best.total:
            break
        trial = player.play(Size(count))
        if trial.holds:
            best = cheaper(best, trial)
    return Found(best, fastest)


def _alone(player: Player) -> Found:
    fastest = player.play(Size(player.enough))
    if not fastest.holds:
        return Found(None, fastest)
    below, holds = player.way.least - 1, player.enough
    while holds - below > 1:
        middle = (below + holds) // 2
        if player.play(Size(middle)).holds:
            holds = middle
        else:
            below = middle
    return Found(player.play(Size(holds)), fastest)


def _with_twin(player: Player) -> Found:
    alone = _alone(player)
    if alone.best is None:
        return alone
    best = alone.best
    for count in range(player.way.least, alone.best.size.count + 1):
        if player.floor(count) > best.total:
            break
        for queue in queues(player.way, count):
            trial = player.play(Size(count, queue))
            if trial.holds:
                best = cheaper(best, trial)
            if not trial.seen.spilled_share:
                break
    return Found(best, alone.fastest)
