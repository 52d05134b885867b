"""When nodes begin to cost less than a function, workload by workload, from the catalog's prices."""

import math
from collections.abc import Iterator

from components.catalog import MissingFigureError
from components.placement.choosing.alternatives import Alternatives
from components.placement.cost import Contender, Cost, compared
from components.placement.homes import Home
from components.placement.options import OptionError
from components.placement.sites import Candidate, Sites, Unavailable
from components.placement.subjects import Site
from components.spec import Workload


def times_the_rate(sites: Sites, workload: Workload, home: Home) -> float | None:
    """Times the present rate at which nodes begin to cost less than this function home: below 1 they do now.

    0 where they do at any rate, infinite where they never do. The nodes are the cheapest that hold a replica,
    shared with others. None where either has no price.
    """
    alternatives = Alternatives(sites)
    function = alternatives.priced(workload, _unjudged(Site(home))).cost
    nodes = min(_on_nodes(sites, alternatives, workload), key=lambda cost: cost.total, default=None)
    if function is None or nodes is None:
        return None
    try:
        return _times(alternatives.contender(function), alternatives.contender(nodes))
    except (MissingFigureError, OptionError):
        return None


def _on_nodes(sites: Sites, alternatives: Alternatives, workload: Workload) -> Iterator[Cost]:
    """Costs where nodes are paid for; what exists already costs nothing more, whatever runs there."""
    for home in (Home.POOL, Home.METAL):
        pools = sites.pools_for(workload, home)
        for pool in () if isinstance(pools, Unavailable) else pools:
            if pool.capacity != "existing":
                for site in sites.within(workload, pool):
                    price = alternatives.priced(workload, _unjudged(site)).cost
                    if price is not None:
                        yield price


def _times(function: Contender, nodes: Contender) -> float:
    """The crossing next to the present rate, from which side on nodes cost less, over that rate."""
    now = function.demand.rate.per_second
    rates = [crossing.rate.per_second for crossing in compared(function, nodes).crossings]
    if nodes.bill.dollars(now) < function.bill.dollars(now):
        return max((rate for rate in rates if rate <= now), default=0.0) / now
    return min((rate for rate in rates if rate >= now), default=math.inf) / now


def _unjudged(site: Site) -> Candidate:
    return Candidate(site.home, site, "", (), ())
