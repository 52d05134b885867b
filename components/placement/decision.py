"""Where every workload of a stack runs, and why.

A pure function of the stack and the catalog: no clock, no network, no cloud. What the stack file names is
honoured, and what the rules say against it becomes a finding. What it leaves open is chosen (`choosing`), and
everything after that sees a stack with nothing open: the same stack always gets the same answer, whatever the
order of its workloads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from components.catalog import Catalog, for_stack
from components.catalog import load as load_catalog
from components.placement import instances
from components.placement.bounds import overbooked
from components.placement.facts import Facts
from components.placement.homes import Home
from components.placement.judging import Answer
from components.placement.openness import is_open, stickiness_of, with_exposure
from components.placement.placements import (
    Finding,
    Placement,
    PlacementError,
    Placements,
    Refusal,
)
from components.placement.settings import Settings, overrides_of, settle
from components.placement.sites import Evens, Sites, Unavailable
from components.placement.subjects import Site, control_plane_facts, pool_facts, replicas_of
from components.placement.twins import twin_facts, twin_findings, unused_twin
from components.spec import Pool, Problem, Stack, Workload

if TYPE_CHECKING:
    from components.placement.choosing.settling import Settled

CONTROL_PLANE: Final = "control-plane"
"""The subject that stands for all control functions."""

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
_IMPOSSIBLE_REMEDY: Final = "add what is missing, or name another home in `placement.home`"


def decide(stack: Stack, catalog: Catalog | None = None) -> Placements:
    """Place every workload of the stack.

    What the rules say is in `findings`; `raise_if_refused` makes an error of it.

    Raises PlacementError where a workload can run nowhere, or not where the file wants it, whatever the rules
    say (no pool of that kind, no form to run in), where what is left open cannot be chosen so that everything
    has room and the budget is kept, where a function may not run as many copies as are kept warm, and where a
    pool's nodes are not what it says they are; StackError for a change to a rule that makes no sense.
    """
    known = for_stack(catalog if catalog is not None else load_catalog(), stack)
    settings = settle(known, overrides_of(stack.policies))
    if problems := list(instances.problems(stack, known)):
        raise PlacementError(problems)
    return _decided(stack, known, settings)


def sites_of(stack: Stack, catalog: Catalog) -> Sites:
    """The places of a stack's workloads, by a catalog that has the stack's own figures."""
    return Sites(stack, catalog, settle(catalog, overrides_of(stack.policies)), _remembered(_evens))


def _decided(stack: Stack, catalog: Catalog, settings: Settings) -> Placements:
    evens = _remembered(_evens)

    def sites(of: Stack) -> Sites:
        return Sites(of, catalog, settings, evens)

    found = _settled(stack, catalog, sites)
    if found is None:
        return _Decision(sites(with_exposure(stack)), {}).placements()
    placements = _Decision(sites(found.stack), found.how).placements()
    return replace(placements, notes=found.notes, total=found.total)


def _settled(stack: Stack, catalog: Catalog, sites: Callable[[Stack], Sites]) -> "Settled | None":
    """The stack with all filled in that its file leaves open; None where that is nothing.

    What chooses is imported only then: OR-Tools and SciPy take longer to import than all else here to run.
    """
    if stack.topology != "auto" and not is_open(stack):
        return None
    from components.placement.choosing.settling import settled  # noqa: PLC0415
    from components.placement.choosing.topologies import cheapest  # noqa: PLC0415

    if stack.topology != "auto":
        return settled(sites(with_exposure(stack)))
    return cheapest(stack, lambda named: settled(sites(named)), stickiness_of(stack, catalog))


def _evens(sites: Sites, workload: Workload, home: Home) -> float | None:
    """Times the present rate at which nodes begin to cost less, where the workload could run on either."""
    if not sites.pools or workload.serve.container is None or workload.serve.function is None:
        return None
    from components.placement.choosing.evens import times_the_rate  # noqa: PLC0415 - as above

    return times_the_rate(sites, workload, home)


def _remembered(evens: Evens) -> Evens:
    """The same, reckoned once for a topology, a workload and a home."""
    known: dict[tuple[str, str, Home], float | None] = {}

    def of(sites: Sites, workload: Workload, home: Home) -> float | None:
        key = sites.stack.topology, workload.name, home
        if key not in known:
            known[key] = evens(sites, workload, home)
        return known[key]

    return of


@dataclass(frozen=True, slots=True)
class _Decision:
    """One run of `decide`, over sites of a stack that leaves nothing open."""

    sites: Sites
    how: Mapping[str, str]
    """Why each workload that the file leaves open is where it is."""

    @property
    def stack(self) -> Stack:
        return self.sites.stack

    @property
    def settings(self) -> Settings:
        return self.sites.settings

    def placements(self) -> Placements:
        by_name = self._placed()
        pools = {pool.name: self._pool_facts(pool, by_name.values()) for pool in self.sites.pools}
        control_plane = control_plane_facts(self.stack)
        found = tuple(self._findings(by_name, pools, control_plane))
        return Placements(
            stack=self.stack,
            by_name=by_name,
            pools=pools,
            control_plane=control_plane,
            findings=tuple(finding for finding in found if finding.answer is Answer.REFUSED),
            undecided=tuple(finding for finding in found if finding.answer is Answer.UNDECIDED),
        )

    def _placed(self) -> dict[str, Placement]:
        outcomes = [
            self._place(workload, f"workloads[{index}]")
            for index, workload in sorted(enumerate(self.stack.workloads), key=lambda item: item[1].name)
        ]
        placed = {outcome.workload.name: outcome for outcome in outcomes if isinstance(outcome, Placement)}
        problems = [
            *(outcome for outcome in outcomes if isinstance(outcome, Problem)),
            *overbooked(self.stack, placed),
        ]
        if problems:
            raise PlacementError(problems)
        return placed

    def _place(self, workload: Workload, path: str) -> Placement | Problem:
        named = workload.placement.home
        if named is None:  # what is open is settled before
            raise TypeError(f"the home of {workload.name} has not been decided")
        home = Home(named)
        sites = self.sites.at(workload, home)
        if isinstance(sites, Unavailable):
            where = f"{path}.placement.home"
            return Problem(where, home.value, sites.reason, _IMPOSSIBLE_REMEDY, workload.name)
        return self._placement(workload, self.sites.best(workload, sites))

    def _placement(self, workload: Workload, site: Site) -> Placement:
        facts = self.sites.facts(workload, site)
        how = self.how.get(workload.name, f"the stack file places it on {site.home.described}")
        return Placement(
            workload=workload,
            home=site.home,
            pool=site.pool,
            zone=site.zone,
            replicas=0 if site.home.is_function else replicas_of(workload),
            reasons=(how, *filter(None, [unused_twin(workload, site.home)]), *self._in_favour(facts)),
            refused=tuple(self._refusals(workload, (home for home in Home if home is not site.home))),
            facts=facts,
            twin=twin_facts(self.stack, self.sites.catalog, workload, site.home),
        )

    def _refusals(self, workload: Workload, homes: Iterable[Home]) -> Iterator[Refusal]:
        for home in homes:
            candidate = self.sites.candidate(workload, home)
            if candidate.site is None:
                yield Refusal(home, None, candidate.unavailable)
            elif candidate.against:
                setting, verdict = candidate.against[0]
                yield Refusal(home, setting.rule.id, verdict.reason)

    def _in_favour(self, facts: Facts) -> Iterator[str]:
        for setting, verdict in self.settings.judge(facts):
            if verdict.answer is Answer.FITS:
                yield f"{setting.rule.id}: {verdict.reason}"

    def _pool_facts(self, pool: Pool, placements: Iterable[Placement]) -> Facts:
        on_it = (placed.workload for placed in placements if placed.pool is not None and placed.pool == pool)
        return pool_facts(self.stack, self.sites.catalog, pool, on_it)

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
                rule = setting.rule.id
                where = f"{path}.{paths[rule]}" if rule in paths else path
                yield Finding.of(setting, verdict, subject, where)
