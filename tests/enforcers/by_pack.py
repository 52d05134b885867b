"""The pack as the engine asks it: about each resource before it is created, then about the stack.

Its two answers on a resource come to one: the worst that either says, with the reasons of both.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from asked import TODAY, Group, waivers
from carriers import BUDGETED, CALLED, FUNCTIONS, NODES, ON_CLOUD_RUN, ON_SAGEMAKER, PODS, Made, subject_name
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE
from said import NOTHING, Said, Says
from written import id_of, known

from components.placement import Waivers
from policies.pack import ACROSS, ADVICE, UNDECIDED, WAIVED
from policies.pack import Said as SaidByStack
from tests.pack_in_process import PackInProcess, Sent

CARRIERS: Final = (FUNCTIONS, CALLED, ON_CLOUD_RUN, ON_SAGEMAKER, PODS, NODES)

_MANDATORY: Final = analyzer_pb2.EnforcementLevel.Value("MANDATORY")
_NEVER_STOP: Final = {
    ADVICE: Says.ADVISED_AGAINST,
    WAIVED: Says.WAIVED,
    UNDECIDED: Says.UNDECIDED,
}
_WORST_FIRST: Final = (Says.REFUSED, Says.ADVISED_AGAINST, Says.WAIVED, Says.UNDECIDED, Says.FITS)

Key = tuple[str, str]


def said(group: Group) -> dict[Key, Said]:
    """What the pack says, by carrier and name of what was asked."""
    found: dict[Key, Said] = {}
    for budget in (True, False):
        subjects: dict[str, tuple[Key, str]] = {}
        sent = [_sent(made) for made in _made(group, subjects, budget=budget)]
        found |= dict.fromkeys((key for key, _ in subjects.values()), NOTHING)
        for each in _diagnostics(_pack(group), sent):
            key, rule = subjects.get(each.urn, (None, ""))
            told = _said(each, rule)
            if key is not None and told is not None:
                found[key] = _together(found[key], told)
    return found


def _pack(group: Group) -> PackInProcess:
    return PackInProcess(SaidByStack(group.overrides, waivers=Waivers(waivers(), TODAY)))


def _made(group: Group, subjects: dict[str, tuple[Key, str]], *, budget: bool) -> Iterator[Made]:
    """The resources of a stack; the subjects among them are added to those that are known by URN."""
    for carrier in CARRIERS:
        yield from carrier.around
        for each in group.asked:
            if carrier.carries(each.case) and bool(each.case.facts.budget) == budget:
                subject, *beside = carrier.make(each.case.facts, subject_name(carrier, each.name))
                subjects[_sent(subject).urn] = ((carrier.id, each.name), each.case.rule)
                yield subject
                yield from beside
    if budget:
        yield BUDGETED


def _sent(made: Made) -> Sent:
    """As an engine that previews has it: what nobody can know yet, and ids of what is there already."""
    props = known(made.props, lambda _: UNKNOWN_STRING_VALUE)
    return Sent(made.type, made.name, {"id": id_of(made.name), **props})


def _diagnostics(pack: PackInProcess, sent: list[Sent]) -> Iterable[analyzer_pb2.AnalyzeDiagnostic]:
    for each in sent:
        for diagnostic in pack.diagnostics(each):
            diagnostic.urn = each.urn
            yield diagnostic
    yield from pack.stack_diagnostics(sent)


def _together(one: Said, other: Said) -> Said:
    if one.says is other.says:
        return replace(one, text=f"{one.text}\n{other.text}")
    return min(one, other, key=lambda said: _WORST_FIRST.index(said.says))


def _said(diagnostic: analyzer_pb2.AnalyzeDiagnostic, rule: str) -> Said | None:
    """What a policy says of a rule; None where it speaks of another."""
    policy = diagnostic.policyName.removesuffix(ACROSS)
    stops = diagnostic.enforcementLevel == _MANDATORY
    expired = "expired on" in diagnostic.message
    if policy == rule:
        return Said(Says.REFUSED, stops, diagnostic.message, expired)
    # The SDK begins with what the policy is there for.
    if policy in _NEVER_STOP and f"\n{rule}: " in diagnostic.message:
        return Said(_NEVER_STOP[policy], stops, diagnostic.message, expired)
    return None
