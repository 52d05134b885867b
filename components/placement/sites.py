"""Where a workload may run at all, and what the rules say of each place.

A site is a home and, for nodes, a pool and the zones in which pods are held. Which sites there are is the
stack's to offer; which of them may be had, the rules'. Pools and zones are tried by name, so that the same
stack always gets the same answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from components.catalog import Catalog
from components.placement import instances
from components.placement.facts import Facts
from components.placement.homes import Home
from components.placement.judging import Verdict
from components.placement.settings import Setting, Settings
from components.placement.subjects import Site, accelerator_memory, pool_facts, workload_facts, zonal_reads
from components.spec import Pool, Share, Stack, Workload

Evens: TypeAlias = Callable[["Sites", Workload, Home], float | None]
"""Times the present rate at which nodes begin to cost less than a function home; None where not known."""

_STEP: Final = Share.parse("0.01%").steps
"""As finely as a break-even is told: its prices are no surer than that."""

POOL_KIND: Final = {Home.POOL: "managed", Home.METAL: "metal"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One home for one workload, on nodes in one pool, and what speaks for and against it."""

    home: Home
    site: Site | None
    """Where it would run; None where the stack has no way to run it there."""
    unavailable: str
    """Why not, whatever the rules say; empty where there is a way."""
    verdicts: tuple[tuple[Setting, Verdict], ...]
    against: tuple[tuple[Setting, Verdict], ...]
    """What mandatory rules say against it, or against the pool."""

    @property
    def pool(self) -> Pool | None:
        """The pool that it is in."""
        return self.site.pool if self.site is not None else None

    @property
    def blocking(self) -> tuple[str, ...]:
        """The mandatory rules that refuse it."""
        return tuple(dict.fromkeys(setting.rule.id for setting, _ in self.against))

    @property
    def is_allowed(self) -> bool:
        """Whether it may run there."""
        return self.site is not None and not self.against


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Why a workload has no way to run at a home, whatever the rules say."""

    reason: str


@dataclass(frozen=True)
class Sites:
    """The sites of a stack, judged by the rules as the stack has them."""

    stack: Stack
    catalog: Catalog
    settings: Settings
    evens: Evens

    def candidates(self, workload: Workload, home: Home) -> tuple[Candidate, ...]:
        """One for each pool that can hold it, at the best of its zones; one where there is no choice."""
        pools = self.pools_for(workload, home) if not home.is_function else ()
        if isinstance(pools, Unavailable) or not pools:
            return (self.candidate(workload, home),)
        return tuple(
            self._judged(workload, self.best(workload, self.within(workload, pool))) for pool in pools
        )

    def candidate(self, workload: Workload, home: Home) -> Candidate:
        """The best of them."""
        sites = self.at(workload, home)
        if isinstance(sites, Unavailable):
            return Candidate(home, None, sites.reason, (), ())
        return self._judged(workload, self.best(workload, sites))

    def _judged(self, workload: Workload, site: Site) -> Candidate:
        verdicts = tuple(self.settings.judge(self.facts(workload, site)))
        return Candidate(site.home, site, "", verdicts, self.blocking(workload, site))

    def at(self, workload: Workload, home: Home) -> tuple[Site, ...] | Unavailable:
        """Every site of a home."""
        if home.is_function:
            if workload.serve.function is None:
                return Unavailable("it has no `serve.function` to run there")
            return (Site(home),)
        pools = self.pools_for(workload, home)
        if isinstance(pools, Unavailable):
            return pools
        return tuple(site for pool in pools for site in self.within(workload, pool))

    def pools_for(self, workload: Workload, home: Home) -> tuple[Pool, ...] | Unavailable:
        """The pools of a home that can hold a replica, by name."""
        if workload.serve.container is None:
            return Unavailable("it has no `serve.container` to run there")
        asked = workload.placement
        if asked.pool is not None and (asked.home is None or Home(asked.home) is home):
            pools = [pool for pool in self.pools if pool.name == asked.pool and pool.kind == POOL_KIND[home]]
            described = f"pool {asked.pool}"
        else:
            pools = [pool for pool in self.pools if pool.kind == POOL_KIND[home]]
            described = f"{POOL_KIND[home]} pool"
        if not pools:
            return Unavailable(f"the stack has no {described}")
        able = [pool for pool in pools if self._has_accelerator(workload, pool)]
        if not able:
            return Unavailable(f"no {described} of the stack has the accelerator that it needs")
        roomy = tuple(pool for pool in able if instances.has_room(pool, workload.needs, self.catalog))
        if not roomy:
            needs = workload.needs
            return Unavailable(
                f"no {described} of the stack has nodes with room for its {needs.cpu:g} CPUs and"
                f" {needs.memory}: {instances.rooms(able, self.catalog)}, less what the system keeps"
            )
        return roomy

    def within(self, workload: Workload, pool: Pool) -> tuple[Site, ...]:
        """The sites of a pool: one zone each if pods read state somewhere, else all that the pool has."""
        home = Home.METAL if pool.kind == "metal" else Home.POOL
        zones = tuple(sorted(pool.zones))
        if zonal_reads(self.stack, workload):
            return tuple(Site(home, pool, (zone,)) for zone in zones)
        return (Site(home, pool, zones),)

    def best(self, workload: Workload, sites: tuple[Site, ...]) -> Site:
        """The site that the fewest mandatory rules refuse; of equals the one with most of its state at hand,
        as a crossing that a budget bears is still waited for and billed; of equals again the first.
        """
        return min(sites, key=lambda site: (len(self.blocking(workload, site)), self.away(workload, site)))

    def blocking(self, workload: Workload, site: Site) -> tuple[tuple[Setting, Verdict], ...]:
        """The mandatory rules that refuse a workload at this site, or the pool altogether."""
        against = self.settings.blocking(self.facts(workload, site))
        if site.pool is None:
            return against
        return (*against, *self.settings.blocking(pool_facts(self.stack, self.catalog, site.pool)))

    def facts(self, workload: Workload, site: Site) -> Facts:
        """What the rules may know of a workload there."""
        found = workload_facts(self.stack, self.catalog, workload, site)
        return replace(found, break_even=self._break_even(workload, site.home, found.utilization))

    def _break_even(self, workload: Workload, home: Home, busy: Share | None) -> Share | None:
        """How busy it must be before nodes cost less, on the scale that its own utilization is on.

        Both grow with the rate, so that the rate at which both cost the same, over the present one, turns one
        into the other.
        """
        if busy is None or not home.is_function:
            return None
        times = self.evens(self, workload, home)
        if times is None:
            return None
        return Share(round(min(float(Share.maximum), busy.steps * times) / _STEP) * _STEP)

    @property
    def pools(self) -> tuple[Pool, ...]:
        """By name."""
        data_plane = self.stack.data_plane
        return tuple(sorted(data_plane.pools, key=lambda pool: pool.name)) if data_plane is not None else ()

    def _has_accelerator(self, workload: Workload, pool: Pool) -> bool:
        need, has = workload.needs.accelerator, pool.accelerator
        if need is None:
            return True
        if has is None or has.type != need.type or has.count < need.count:
            return False
        memory = accelerator_memory(self.catalog, has)
        return need.memory is None or memory is None or need.memory <= memory

    def away(self, workload: Workload, site: Site) -> int:
        """How many stores it would read in other zones."""
        if site.zones is None:
            return 0
        here = set(site.zones)
        return sum(not here <= set(store.zones) for store in zonal_reads(self.stack, workload))
