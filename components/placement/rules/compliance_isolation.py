"""A workload under PCI DSS or SOC 2 Type II runs on machines of its own, audited, with its own keys.

Three things an auditor asks for, each of which must be shown: nobody else's work on the machine, a record of
who did what in the cluster, and disks that are encrypted with a key whose use can be seen and ended. One that
is missing is enough to refuse. So is a namespace that is known to let its pods take over their nodes; of one
that is not known it is taken that its owner has seen to it.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from components.placement.counting import listed
from components.placement.facts import Facts, Tenancy
from components.placement.judging import Rule, Thresholds, Verdict, fits, refused, undecided

_REGIMES: Final = {"pci-dss": "PCI DSS", "soc2-type-2": "SOC 2 Type II"}


def _check(facts: Facts, _: Thresholds) -> Verdict:
    if facts.compliance is None:
        return undecided("compliance")
    if not facts.compliance:
        return fits("it falls under no regime that asks for isolation")
    under = f"it falls under {listed(facts.compliance, _REGIMES, ' and ')}"
    if facts.isolated_namespace is False:
        return _refused(under, _broken(facts))
    if facts.home is None:
        return undecided("home")
    if facts.home.is_function:
        return refused(f"{under}, and {facts.where} has no machines of its own")
    return _on_nodes(facts, under)


def _on_nodes(facts: Facts, under: str) -> Verdict:
    broken = dict(_broken(facts))
    if broken:
        return _refused(under, broken.items())
    lacking = [name for name in ("tenancy", "audit_logs", "own_keys") if getattr(facts, name) is None]
    if lacking:
        return undecided(*lacking)
    return fits(f"{under}, and has {facts.tenancy} machines, audit logs, and disks under a key of its own")


def _refused(under: str, broken: Iterable[tuple[str, str]]) -> Verdict:
    names, said = zip(*broken, strict=True)
    return refused(f"{under}, and has {', '.join(said)}", *names)


def _broken(facts: Facts) -> Iterator[tuple[str, str]]:
    """Facts that break it, each with what to say of it."""
    if facts.tenancy is Tenancy.SHARED:
        yield "tenancy", "machines shared with other accounts"
    if facts.audit_logs is False:
        yield "audit_logs", "no audit logs of its cluster"
    if facts.own_keys is False:
        yield "own_keys", "disks that are not encrypted with a key of its own"
    if facts.isolated_namespace is False:
        level = "as it enforces no Pod Security level"
        yield "isolated_namespace", f"a namespace whose pods may take over their nodes, {level}"


RULE = Rule(
    id="compliance-isolation",
    title="A workload under PCI DSS or SOC 2 Type II has machines, audit logs and keys of its own",
    rationale="What cannot be shown to be isolated counts as shared, with all that it is shared with.",
    remedy=(
        "place it on metal (`placement.home: metal`), in a pool with an `encryption_key` on EKS, or on an"
        " existing cluster that has all three (`dedicated`, `audit_logs`, `own_keys`: true), in a namespace"
        " labelled `pod-security.kubernetes.io/enforce: baseline` or `restricted`"
    ),
    remedy_elsewhere=(
        "run it on dedicated hosts or instances, in a cluster of its own that keeps audit logs and encrypts"
        " secrets with a key of its own, in a namespace labelled `pod-security.kubernetes.io/enforce:"
        " baseline` or `restricted`"
    ),
    check=_check,
)
