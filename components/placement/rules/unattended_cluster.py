"""Where nobody runs clusters, the cluster is one that a provider runs.

Nodes of one's own and a control plane of one's own are upgraded, repaired and watched by somebody. A stack
without that somebody takes a managed cluster, and the price of it is the cheaper one.
"""

from components.placement.facts import Facts
from components.placement.judging import (
    Enforcement,
    Rule,
    Severity,
    Thresholds,
    Verdict,
    fits,
    not_about,
    refused,
    undecided,
)


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.home is None:
        return undecided("home")
    if facts.home.is_function:
        return not_about(f"{facts.where} has no cluster")
    if facts.managed_cluster:
        return fits("a provider runs its cluster")
    if facts.operations_team:
        return fits("a team runs its cluster")
    lacking = [name for name in ("managed_cluster", "operations_team") if getattr(facts, name) is None]
    if lacking:
        return undecided(*lacking)
    return refused("nobody runs its cluster: no provider does, and the stack has no operations team")


RULE = Rule(
    id="unattended-cluster",
    title="A stack without an operations team runs on a managed cluster",
    rationale="A cluster that nobody upgrades and watches fails on a weekend, and stays so.",
    remedy=(
        "use a cluster that a provider runs (`cluster.provider: eks`, or `managed: true` of an existing one),"
        " or name the team that runs it with `operations_team: true`"
    ),
    remedy_elsewhere=(
        "use a cluster whose control plane and nodes a provider runs (EKS, GKE, AKS), or name the team that"
        " runs this one"
    ),
    check=_check,
    severity=Severity.MEDIUM,
    enforcement=Enforcement.ADVISORY,
)
