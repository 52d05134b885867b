"""The wrong stack: refused by the program, and by the policy pack alone when the program is not to judge."""

import re
from collections.abc import Callable

import pytest

from components.placement import RULES, Rule
from sandbox.engine import Outcome

pytestmark = pytest.mark.engine

BROKEN: tuple[Rule, ...] = tuple(
    RULES[name]
    for name in (
        "accelerator-needs-metal",
        "memory-over-function-limit",
        "state-locality",
        "runaway-function",
        "zone-capacity",
    )
)


def test_the_program_refuses_the_stack_file_with_five_rules_and_what_to_do(
    preview_of_misplaced: Callable[..., Outcome],
):
    outcome = preview_of_misplaced(config_time=True)
    assert not outcome.ok
    (said,) = outcome.events.errors
    for rule in BROKEN:
        assert re.search(rf": {rule.id}: .*\n\s+remedy: {re.escape(rule.remedy)}", said), rule.id
    assert set(re.findall(rf": ({'|'.join(RULES)}): ", said)) == {rule.id for rule in BROKEN}
    assert "Traceback" not in said


def test_the_policy_pack_alone_refuses_the_resources_with_five_rules_and_what_to_do(
    preview_of_misplaced: Callable[..., Outcome],
):
    outcome = preview_of_misplaced(config_time=False)
    assert not outcome.ok
    assert set(outcome.events.errors) <= {"preview failed"}  # the engine's own word for a refusal
    refused = {
        finding.policy: finding.message
        for finding in outcome.events.findings
        if finding.enforcement == "mandatory"
    }
    assert set(refused) & set(RULES) == {rule.id for rule in BROKEN}
    for rule in BROKEN:
        assert f"To do: {rule.remedy}" in refused[rule.id]
    summary = re.search(r"halfmetal: 14 placement rules on .*", outcome.log.read_text())
    assert summary is not None
    assert {rule for rule in RULES if rule in summary[0]} == {rule.id for rule in BROKEN}
