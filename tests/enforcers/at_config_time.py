"""The rules on facts, as `decide` asks them before anything is composed, with the stack file's waivers."""

from collections.abc import Mapping
from dataclasses import replace

from asked import TODAY, Asked, Group
from rule_case import Case
from said import Said, Says

from components.placement import Answer, Facts, Finding, Placements, Verdict, decide
from components.spec import load
from tests.spec.stack_examples import PURE, changed

_PATH = "workloads[0]"


def verdict(case: Case, group: Group, facts: Facts | None = None) -> Verdict:
    """What a case's rule says of its facts, or of others."""
    return group.settings.by_id[case.rule].judge(case.facts if facts is None else facts)


def said(group: Group, facts: Mapping[str, Facts]) -> dict[str, tuple[Said, str]]:
    """By a subject's name, what is said of it, and the rule's own reason.

    `facts` are those of subjects that are not known as their case has them.
    """
    settings = group.settings
    judged = {
        each.name: settings.by_id[each.case.rule].judge(facts.get(each.name, each.case.facts))
        for each in group.asked
    }
    run = {setting.rule.id for setting in settings.enforced}
    against = [
        each for each in group.asked if judged[each.name].answer is Answer.REFUSED and each.case.rule in run
    ]
    findings = tuple(
        Finding.of(settings.by_id[each.case.rule], judged[each.name], each.name, _PATH) for each in against
    )
    on_the_day = replace(_placements(group), findings=findings).on(TODAY)
    told = {each.name: found for each, found in zip(against, on_the_day.findings, strict=True)}
    return {each.name: (_said(each, judged, told), judged[each.name].reason) for each in group.asked}


def _placements(group: Group) -> Placements:
    return decide(
        load(changed(PURE, {"workloads[0].placement.home": "function", "policies": group.policies}))
    )


def _said(asked: Asked, judged: Mapping[str, Verdict], told: Mapping[str, Finding]) -> Said:
    verdict = judged[asked.name]
    finding = told.get(asked.name)
    if finding is None:
        says = Says.UNDECIDED if verdict.answer is Answer.UNDECIDED else Says.FITS
        return Said(says, text=verdict.reason)
    waived = finding.waived
    expired = waived is not None and waived.expired
    says = Says.ADVISED_AGAINST if verdict.soft else Says.REFUSED
    if waived is not None and not expired:
        says = Says.WAIVED
    return Said(says, finding.blocks, f"{finding.says} {finding.remedy}", expired)
