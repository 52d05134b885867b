"""A rule that was explored says what the rule itself says, of whatever facts."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from facts_of_all_kinds import durations, memories, sensible_facts, shares
from hypothesis import given
from hypothesis import strategies as st
from rule_case import Case
from rule_cases import CASES
from tree_evaluation import verdict

from components import catalog
from components.admission.exploring import Tree, explore, facts_asked, leaves, refuses
from components.placement import RULES, Answer, Facts, Home, Rule, Thresholds, Verdict
from components.placement.judging import fits, refused
from components.spec import Duration, Memory, Share

TREES: dict[str, Tree] = {rule.id: explore(rule) for rule in RULES.values()}
ON_NODES = [case for case in CASES if case.facts.home is None or not case.facts.home.is_function]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.rule}: {case.says}") for case in ON_NODES])
def test_a_tree_answers_a_case_as_its_rule_does(case: Case):
    thresholds = RULES[case.rule].thresholds(catalog.load(), case.overrides)
    assert verdict(TREES[case.rule], case.facts, thresholds) == RULES[case.rule].check(case.facts, thresholds)


@given(sensible_facts, st.sampled_from([None, Home.POOL, Home.METAL]), memories, durations, shares)
def test_a_tree_answers_as_its_rule_does(
    facts: Facts, home: Home | None, memory: Memory, duration: Duration, share: Share
):
    sizes = {Memory: memory, Duration: duration, Share: share}
    placed = replace(facts, home=home)
    for rule in RULES.values():
        own = {name: sizes[parameter.kind] for name, parameter in rule.parameters.items()}
        for thresholds in (rule.thresholds(catalog.load()), rule.thresholds(catalog.load(), own)):
            assert verdict(TREES[rule.id], placed, thresholds) == rule.check(placed, thresholds)


def test_what_can_be_refused_in_a_cluster():
    """Rules on functions alone refuse nothing there."""
    assert {rule for rule, tree in TREES.items() if refuses(tree)} == {
        "accelerator-needs-metal",
        "cold-start-budget",
        "compliance-isolation",
        "jitter-budget",
        "long-execution",
        "state-locality",
        "unattended-cluster",
        "vendor-lock-in",
        "warm-before-tail",
        "zone-capacity",
    }


def test_what_decides_a_rule_is_told_by_its_tree():
    assert facts_asked(TREES["jitter-budget"]) == {"home", "jitter", "pinned"}


def _tallies(facts: Facts, _: Thresholds) -> Verdict:
    return fits(f"{facts.jitter:>10}") if facts.jitter is not None else fits("")


def _guesses(facts: Facts, _: Thresholds) -> Verdict:
    return refused("") if cast(object, facts.jitter) == 0.5 else fits("")


def _walks(facts: Facts, _: Thresholds) -> Verdict:
    return fits(" ".join(facts.ties)) if facts.ties is not None else fits("")


@pytest.mark.parametrize(
    ("check", "error"),
    [
        pytest.param(_tallies, "not known how to say later", id="spells a value in a way of its own"),
        pytest.param(_guesses, "has no meaning later", id="compares with what no amount is"),
        pytest.param(_walks, "iterable", id="walks through names itself"),
    ],
)
def test_a_rule_that_asks_what_cannot_be_answered_later_is_an_error_of_the_rule(
    check: Callable[[Facts, Thresholds], Verdict], error: str
):
    rule = Rule("odd", "t", "r", "m", "e", check)
    with pytest.raises(TypeError, match=error):
        explore(rule)


def test_a_leaf_of_every_answer():
    said = {leaf.says for leaf in leaves(TREES["state-locality"])}
    assert said == set(Answer)
