"""Where every workload of a stack runs, and why.

A pure function of the stack and the catalog: no clock, no network, no cloud. Every rule judges every home a
stack offers. A home that the stack file names is honoured, and what the rules say against it becomes a
finding. Where the file names none, the first home in the topology's order that no mandatory rule
refuses is taken. Pools and zones are tried by name, so that the same stack always gets the same answer,
whatever the order of its workloads.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.catalog import Catalog, for_stack
from components.catalog import load as load_catalog
from components.placement import instances
from components.placement.bounds import overbooked
from components.placement.facts import Facts
from components.placement.homes import Home
from components.placement.judging import Answer, Verdict
from components.placement.placements import Finding, Placement, PlacementError, Placements, Refusal
from components.placement.settings import Setting, Settings, overrides_of, settle
from components.placement.subjects import (
    Site,
    accelerator_memory,
    control_plane_facts,
    pool_facts,
    replicas_of,
    workload_facts,
    zonal_reads,
)
from components.placement.twins import twin_facts, twin_findings, unused_twin
from components.spec import Pool, Problem, Stack, Workload

CONTROL_PLANE: Final = "control-plane"
"""The subject that stands for all control functions."""

_POOL_KIND: Final = {Home.POOL: "managed", Home.METAL: "metal"}

_ORDER: Final[Mapping[str, tuple[Home, ...]]] = {
    "pure": (Home.FUNCTION, Home.RESERVED_FUNCTION),
    "hybrid": (Home.FUNCTION, Home.POOL, Home.METAL, Home.RESERVED_FUNCTION),
    "dedicated": (Home.METAL, Home.POOL),
    "auto": (Home.FUNCTION, Home.POOL, Home.METAL, Home.RESERVED_FUNCTION),
}
"""Homes to try where the file names none, the one that costs least when idle first."""

_WORKLOAD_PATHS: Final = {
    "accelerator-needs-metal": "placement.home",
    "memory-over-function-limit": "needs.memory",
    "sustained-utilization": "traffic.utilization",
    "long-execution": "traffic.service_time",
    "cold-start-budget": "latency.cold_start_tolerance",
    "jitter-budget": "latency.jitter",
    "state-locality": "placement",
    "local-state": "state.local_cache",
    "compliance-isolation": "compliance",
    "unattended-cluster": "placement.home",
    "vendor-lock-in": "integrations",
    "warm-before-tail": "placement.replicas",
    "runaway-function": "serve.function",
    "zone-capacity": "placement.pool",
}
_POOL_PATHS: Final = {"compliance-isolation": "encryption_key", "zone-capacity": "zones"}
_NO_HOME_REMEDY: Final = "change what stands against one of these homes, or name a home in `placement.home`"
_IMPOSSIBLE_REMEDY: Final = "add what is missing, or name another home in `placement.home`"


def decide(stack: Stack, catalog: Catalog | None = None) -> Placements:
    """Place every workload of the stack.

    What the rules say is in `findings`; `raise_if_refused` makes an error of it.

    Raises PlacementError where a workload can run nowhere, or not where the file wants it, whatever the rules
    say (no pool of that kind, no form to run in), where a function may not run as many copies as are kept
    warm, and where a pool's nodes are not what it says they are; StackError for a change to a rule that makes
    no sense.
    """
    facts = for_stack(catalog if catalog is not None else load_catalog(), stack)
    return _Decision(stack, facts, settle(facts, overrides_of(stack.policies))).placements()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One home for one workload, and what speaks for and against it."""

    home: Home
    site: Site | None
    """Where it would run; None where the stack has no way to run it there."""
    unavailable: str
    """Why not, whatever the rules say; empty where there is a way."""
    verdicts: tuple[tuple[Setting, Verdict], ...]
    blocking: tuple[str, ...]
    """The mandatory rules that refuse it."""

    @property
    def is_allowed(self) -> bool:
        """Whether it may run there."""
        return self.site is not None and not self.blocking


def candidates(stack: Stack, catalog: Catalog | None = None) -> dict[str, tuple[Candidate, ...]]:
    """Every home of every workload, by name, whether or not it may be had. Raises as `decide` does."""
    facts = for_stack(catalog if catalog is not None else load_catalog(), stack)
    decision = _Decision(stack, facts, settle(facts, overrides_of(stack.policies)))
    return {
        workload.name: tuple(decision.candidate(workload, home) for home in Home)
        for workload in sorted(stack.workloads, key=lambda workload: workload.name)
    }


@dataclass(frozen=True, slots=True)
class _Unavailable:
    """Why a workload has no way to run at a home, whatever the rules say."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Decision:
    """One run of `decide`: the stack, the catalog and the rules as this stack has them."""

    stack: Stack
    catalog: Catalog
    settings: Settings

    def placements(self) -> Placements:
        by_name = self._placed()
        pools = {pool.name: self._pool_facts(pool, by_name.values()) for pool in self._pools()}
        control_plane = control_plane_facts(self.stack)
        found = tuple(self._findings(by_name, pools, control_plane))
        return Placements(
            by_name=by_name,
            pools=pools,
            control_plane=control_plane,
            findings=tuple(finding for finding in found if finding.answer is Answer.REFUSED),
            undecided=tuple(finding for finding in found if finding.answer is Answer.UNDECIDED),
        )

    def candidate(self, workload: Workload, home: Home) -> Candidate:
        """One home for a workload, at the best of its sites."""
        sites = self._sites(workload, home)
        if isinstance(sites, _Unavailable):
            return Candidate(home, None, sites.reason, (), ())
        site = self._best(workload, sites)
        return Candidate(
            home,
            site,
            "",
            tuple(self.settings.judge(self._facts(workload, site))),
            tuple(dict.fromkeys(setting.rule.id for setting, _ in self._blocking(workload, site))),
        )

    def _placed(self) -> dict[str, Placement]:
        outcomes = [
            self._place(workload, f"workloads[{index}]")
            for index, workload in sorted(enumerate(self.stack.workloads), key=lambda item: item[1].name)
        ]
        placed = {outcome.workload.name: outcome for outcome in outcomes if isinstance(outcome, Placement)}
        problems = [
            *instances.problems(self.stack, self.catalog),
            *(outcome for outcome in outcomes if isinstance(outcome, Problem)),
            *overbooked(self.stack, placed),
        ]
        if problems:
            raise PlacementError(problems)
        return placed

    def _place(self, workload: Workload, path: str) -> Placement | Problem:
        named = workload.placement.home
        chosen = self._named(workload, Home(named), path) if named else self._first_fit(workload, path)
        if isinstance(chosen, Problem):
            return chosen
        site, how = chosen
        facts = self._facts(workload, site)
        return Placement(
            workload=workload,
            home=site.home,
            pool=site.pool,
            zone=site.zones[0] if site.zones is not None and len(site.zones) == 1 else None,
            replicas=0 if site.home.is_function else replicas_of(workload),
            reasons=(how, *filter(None, [unused_twin(workload, site.home)]), *self._in_favour(facts)),
            refused=tuple(self._refusals(workload, (home for home in Home if home is not site.home))),
            facts=facts,
            twin=twin_facts(self.stack, self.catalog, workload, site.home),
        )

    def _named(self, workload: Workload, home: Home, path: str) -> tuple[Site, str] | Problem:
        """The way to run a workload at the home that the stack file names."""
        sites = self._sites(workload, home)
        if isinstance(sites, _Unavailable):
            return Problem(
                f"{path}.placement.home", home.value, sites.reason, _IMPOSSIBLE_REMEDY, workload.name
            )
        return self._best(workload, sites), f"the stack file places it on {home.described}"

    def _first_fit(self, workload: Workload, path: str) -> tuple[Site, str] | Problem:
        """The first home in the topology's order that no mandatory rule refuses."""
        order = _ORDER[self.stack.topology]
        for home in order:
            sites = self._sites(workload, home)
            if not isinstance(sites, _Unavailable):
                best = self._best(workload, sites)
                if not self._blocking(workload, best):
                    return best, f"the first of {', '.join(order)} that the stack offers and no rule refuses"
        against = "; ".join(
            f"{refusal.home}: {refusal.reason}" for refusal in self._refusals(workload, order)
        )
        return Problem(f"{path}.placement", None, f"has no home: {against}", _NO_HOME_REMEDY, workload.name)

    def _refusals(self, workload: Workload, homes: Iterable[Home]) -> Iterator[Refusal]:
        for home in homes:
            sites = self._sites(workload, home)
            if isinstance(sites, _Unavailable):
                yield Refusal(home, None, sites.reason)
                continue
            blocking = self._blocking(workload, self._best(workload, sites))
            if blocking:
                setting, verdict = blocking[0]
                yield Refusal(home, setting.rule.id, verdict.reason)

    def _in_favour(self, facts: Facts) -> Iterator[str]:
        for setting, verdict in self.settings.judge(facts):
            if verdict.answer is Answer.FITS:
                yield f"{setting.rule.id}: {verdict.reason}"

    def _best(self, workload: Workload, sites: tuple[Site, ...]) -> Site:
        """The site that the fewest mandatory rules refuse; of equals the one with most of its state at hand,
        as a crossing that a budget bears is still waited for and billed; of equals again the first.
        """
        return min(sites, key=lambda site: (len(self._blocking(workload, site)), self._away(workload, site)))

    def _away(self, workload: Workload, site: Site) -> int:
        """How many stores it would read in other zones."""
        if site.zones is None:
            return 0
        here = set(site.zones)
        return sum(not here <= set(store.zones) for store in zonal_reads(self.stack, workload))

    def _blocking(self, workload: Workload, site: Site) -> tuple[tuple[Setting, Verdict], ...]:
        """The mandatory rules that refuse a workload at this site, or the pool altogether."""
        against = self.settings.blocking(self._facts(workload, site))
        if site.pool is None:
            return against
        return (*against, *self.settings.blocking(pool_facts(self.stack, self.catalog, site.pool)))

    def _facts(self, workload: Workload, site: Site) -> Facts:
        return workload_facts(self.stack, self.catalog, workload, site)

    def _pool_facts(self, pool: Pool, placements: Iterable[Placement]) -> Facts:
        on_it = (placed.workload for placed in placements if placed.pool is not None and placed.pool == pool)
        return pool_facts(self.stack, self.catalog, pool, on_it)

    def _sites(self, workload: Workload, home: Home) -> tuple[Site, ...] | _Unavailable:
        if home.is_function:
            if workload.serve.function is None:
                return _Unavailable("it has no `serve.function` to run there")
            return (Site(home),)
        if workload.serve.container is None:
            return _Unavailable("it has no `serve.container` to run there")
        return self._on_pools(workload, home)

    def _on_pools(self, workload: Workload, home: Home) -> tuple[Site, ...] | _Unavailable:
        asked = workload.placement
        if asked.pool is not None and (asked.home is None or Home(asked.home) is home):
            pools = [pool for pool in self._pools() if pool.name == asked.pool]
            described = f"pool {asked.pool}"
        else:
            pools = [pool for pool in self._pools() if pool.kind == _POOL_KIND[home]]
            described = f"{_POOL_KIND[home]} pool"
        if not pools:
            return _Unavailable(f"the stack has no {described}")
        able = [pool for pool in pools if self._has_accelerator(workload, pool)]
        if not able:
            return _Unavailable(f"no {described} of the stack has the accelerator that it needs")
        roomy = [pool for pool in able if instances.has_room(pool, workload.needs, self.catalog)]
        if not roomy:
            needs = workload.needs
            return _Unavailable(
                f"no {described} of the stack has nodes with room for its {needs.cpu:g} CPUs and"
                f" {needs.memory}: {instances.rooms(able, self.catalog)}, less what the system keeps"
            )
        return tuple(Site(home, pool, zones) for pool in roomy for zones in self._zones(workload, pool))

    def _has_accelerator(self, workload: Workload, pool: Pool) -> bool:
        need, has = workload.needs.accelerator, pool.accelerator
        if need is None:
            return True
        if has is None or has.type != need.type or has.count < need.count:
            return False
        memory = accelerator_memory(self.catalog, has)
        return need.memory is None or memory is None or need.memory <= memory

    def _zones(self, workload: Workload, pool: Pool) -> tuple[tuple[str, ...], ...]:
        """Zones to hold pods to: one of the pool's if they read state somewhere, else all that it has."""
        zones = tuple(sorted(pool.zones))
        return tuple((zone,) for zone in zones) if zonal_reads(self.stack, workload) else (zones,)

    def _pools(self) -> tuple[Pool, ...]:
        data_plane = self.stack.data_plane
        return tuple(sorted(data_plane.pools, key=lambda pool: pool.name)) if data_plane is not None else ()

    def _findings(
        self, by_name: Mapping[str, Placement], pools: Mapping[str, Facts], control_plane: Facts
    ) -> Iterator[Finding]:
        yield from self._findings_of(control_plane, CONTROL_PLANE, {}, "control_plane")
        if self.stack.data_plane is not None:
            for index, pool in sorted(enumerate(self.stack.data_plane.pools), key=lambda item: item[1].name):
                path = f"data_plane.pools[{index}]"
                yield from self._findings_of(pools[pool.name], pool.name, _POOL_PATHS, path)
        for index, workload in sorted(enumerate(self.stack.workloads), key=lambda item: item[1].name):
            placed, path = by_name[workload.name], f"workloads[{index}]"
            yield from self._findings_of(placed.facts, workload.name, _WORKLOAD_PATHS, path)
            if placed.twin is not None:
                yield from twin_findings(self.settings, placed.facts, placed.twin, path)

    def _findings_of(
        self, facts: Facts, subject: str, paths: Mapping[str, str], path: str
    ) -> Iterator[Finding]:
        for setting, verdict in self.settings.judge(facts):
            if verdict.answer is not Answer.FITS:
                rule = setting.rule
                yield Finding(
                    rule=rule.id,
                    subject=subject,
                    path=f"{path}.{paths[rule.id]}" if rule.id in paths else path,
                    severity=rule.severity,
                    enforcement=setting.enforcement_of(verdict),
                    reason=verdict.reason,
                    remedy=rule.remedy,
                    answer=verdict.answer,
                )
