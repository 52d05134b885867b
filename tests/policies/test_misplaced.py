"""The wrong stack: refused by the program, and by the policy pack alone when the program is not to judge."""

import re
from collections.abc import Callable

import pytest
from misplaced_example import BROKEN

from components.placement import RULES
from sandbox.engine import Outcome

pytestmark = pytest.mark.engine


def test_the_program_refuses_the_stack_file_with_five_rules_and_what_to_do(
    preview_of_misplaced: Callable[..., Outcome],
):
    outcome = preview_of_misplaced(config_time=True)
    assert not outcome.ok
    (said,) = outcome.events.errors
    for rule in (RULES[name] for name in BROKEN):
        assert re.search(rf": {rule.id}: .*\n\s+remedy: {re.escape(rule.remedy)}", said), rule.id
    assert set(re.findall(rf": ({'|'.join(RULES)}): ", said)) == set(BROKEN)
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
    assert set(refused) & set(RULES) == set(BROKEN)
    for name in BROKEN:
        assert f"To do: {RULES[name].remedy}" in refused[name]
    summary = re.search(r"halfmetal: 14 placement rules on .*", outcome.log.read_text())
    assert summary is not None
    assert {rule for rule in RULES if rule in summary[0]} == set(BROKEN)
