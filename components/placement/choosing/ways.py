"""The places that each workload may get: which stand to choice, and what stands against the others.

What the stack file names is kept, whatever the rules say of it. Else a place is out where a mandatory rule
refuses it, or where the latency budget does not hold. Where a place has no price, prices cannot be compared;
then the first home in the topology's order is the only one left, in the zone of the state that it reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from components.placement.choosing.alternatives import Alternative, Alternatives
from components.placement.choosing.sizing import Sizing
from components.placement.choosing.supply import NOTHING
from components.placement.homes import Home
from components.placement.latency import length
from components.placement.sites import Candidate, Sites
from components.placement.twins import twin_facts
from components.spec import Money, Share, Workload

ORDER: Final[Mapping[str, tuple[Home, ...]]] = {
    "pure": (Home.FUNCTION, Home.RESERVED_FUNCTION),
    "hybrid": (Home.FUNCTION, Home.POOL, Home.METAL, Home.RESERVED_FUNCTION),
    "dedicated": (Home.METAL, Home.POOL),
}
"""Homes of each topology, the one that costs least when idle first."""


@dataclass(frozen=True, slots=True)
class Way:
    """One place that a workload may get."""

    alternative: Alternative
    replicas: int
    """Pods there; 0 for functions."""

    @property
    def home(self) -> Home:
        """Its home."""
        return self.alternative.home

    @property
    def pool(self) -> str:
        """Its pool; empty for functions."""
        return self.alternative.pool.name if self.alternative.pool is not None else ""

    @property
    def beside(self) -> Money:
        """What it costs a month beside its nodes, all of it for a function; nothing where not known."""
        cost = self.alternative.cost
        lines = () if cost is None else cost.lines
        return sum((line.money for line in lines if line.name != "nodes"), NOTHING)

    @property
    def described(self) -> str:
        """Home and pool."""
        return f"{self.home} {self.pool}".strip()


@dataclass(frozen=True, slots=True)
class Found:
    """The places of one workload."""

    ways: tuple[Way, ...]
    against: tuple[str, ...]
    """What stands against each other home."""
    unpriced: str
    """Why prices were not compared; empty where they may be."""


@dataclass(frozen=True)
class Ways:
    """Finds them."""

    alternatives: Alternatives
    headroom: Share

    @property
    def sites(self) -> Sites:
        """Where there is any place at all."""
        return self.alternatives.sites

    def of(self, workload: Workload) -> Found:
        """The places of a workload; none where everything stands against it."""
        named = workload.placement.home
        homes = ORDER[self.sites.stack.topology] if named is None else (Home(named),)
        ways: list[Way] = []
        against: list[str] = []
        for home in homes:
            for found in self._at(workload, home):
                if isinstance(found, str):
                    against.append(f"{home}: {found}")
                else:
                    ways.append(found)
        if named is None:
            return self._comparable(workload, ways, tuple(against))
        return Found(tuple(ways), tuple(against), "")

    def _at(self, workload: Workload, home: Home) -> Iterator[Way | str]:
        """Each pool of a home, or why not."""
        for candidate in self.sites.candidates(workload, home):
            against = _against(workload, candidate) or self._against_twin(workload, home)
            sized = against or self._sizing.sized(workload, candidate)
            if isinstance(sized, str):
                yield sized
                continue
            replicas, alternative = sized
            if workload.placement.home is None and alternative.holds(workload.latency.p99) is False:
                yield _too_slow(workload, alternative)
            else:
                yield Way(alternative, replicas)

    def _against_twin(self, workload: Workload, home: Home) -> str:
        """What a mandatory rule says against the function twin that it would have there."""
        sites = self.sites
        twin = twin_facts(sites.stack, sites.catalog, workload, home)
        if workload.placement.home is not None or twin is None:
            return ""
        against = sites.settings.blocking(twin)
        return f"its function twin: {against[0][1].reason}" if against else ""

    def _comparable(self, workload: Workload, ways: Sequence[Way], against: tuple[str, ...]) -> Found:
        """All of them if each has a price; else those of the first home, with most of its state at hand."""
        unknown = [way for way in ways if way.alternative.cost is None]
        if not unknown:
            return Found(tuple(ways), against, "")
        there = [way for way in ways if way.home is ways[0].home]
        away = [self._away(workload, way) for way in there]
        near = tuple(way for way, stores in zip(there, away, strict=True) if stores == min(away))
        return Found(near, against, unknown[0].alternative.unknown)

    def _away(self, workload: Workload, way: Way) -> int:
        site = way.alternative.candidate.site
        return 0 if site is None else self.sites.away(workload, site)

    @property
    def _sizing(self) -> Sizing:
        return Sizing(self.alternatives, self.headroom)


def _against(workload: Workload, candidate: Candidate) -> str:
    """Why a place is out; empty where it is not."""
    if candidate.site is None:
        return candidate.unavailable
    asked, pool = workload.placement, candidate.pool
    if asked.home is None and candidate.against:
        return candidate.against[0][1].reason
    if asked.pool is None and pool is not None and pool.accelerator and not workload.needs.accelerator:
        return f"pool {pool.name} is for what needs its accelerators"
    return ""


def _too_slow(workload: Workload, alternative: Alternative) -> str:
    p99 = alternative.latency.p99 if alternative.latency is not None else None
    took = "requests would wait without end" if p99 is None else f"its p99 would be {length(p99)}"
    return f"{took}, over the budget of {workload.latency.p99}"
