"""Each rule as a table: facts in, answer out, with the numbers that the reason must carry."""

import re

import pytest
from rule_case import Case
from rule_cases import CASES

from components import catalog
from components.placement import RULES, Answer, Facts, Rule


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.rule}: {case.says}") for case in CASES])
def test_a_rule_answers(case: Case):
    rule = RULES[case.rule]
    verdict = rule.check(case.facts, rule.thresholds(catalog.load(), case.overrides))
    assert verdict.answer is case.answer, verdict.reason
    assert verdict.missing == case.missing
    assert verdict.soft == case.soft
    for part in case.reason:
        assert part in verdict.reason
    assert "\n" not in verdict.reason


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_each_rule_has_cases_of_all_three_answers(rule: Rule):
    answers = {case.answer for case in CASES if case.rule == rule.id}
    assert answers == set(Answer)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_knows_nothing_of_empty_facts_and_says_what_it_lacks(rule: Rule):
    verdict = rule.check(Facts(), rule.thresholds(catalog.load()))
    assert verdict.answer is Answer.UNDECIDED
    assert verdict.missing
    for name in verdict.missing:
        assert hasattr(Facts(), name)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_what_a_rule_says_is_fit_to_be_shown(rule: Rule):
    assert rule.title[0].isupper()
    assert not rule.title.endswith(".")
    assert rule.rationale.endswith(".")
    assert rule.remedy
    assert rule.remedy_elsewhere[0].islower()
    assert not rule.remedy_elsewhere.endswith(".")
    # What is no stack file's is named as it is everywhere: by labels of Kubernetes, at most.
    code = re.findall("`([^`]*)`", rule.remedy_elsewhere)
    assert all("kubernetes.io/" in each or each == "restricted" for each in code)
    assert all(parameter.about.endswith(".") for parameter in rule.parameters.values())
