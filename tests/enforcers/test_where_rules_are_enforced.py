"""The table of the README on where each rule is enforced is what the code does.

After a change that is meant: HALFMETAL_GOLDEN=write pytest tests/enforcers/test_where_rules_are_enforced.py.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from asked import TODAY
from carriers import CALLED, FUNCTIONS, NODES, PODS
from pulumi_policy import Policy, ResourceValidationPolicy
from rule_cases import CASES

from components.admission.policies import policies
from components.catalog import load as load_catalog
from components.placement import RULES, Answer, Facts, Home, Rule
from policies.pack import ACROSS, Pack

README: Final = Path(__file__).parents[2] / "policies" / "README.md"
_TABLE: Final = re.compile(r"\| rule \| of \| .*?\n\n", re.DOTALL)
_SUBJECTS: Final = {"functions": (FUNCTIONS, CALLED), "pods": (PODS,), "nodes": (NODES,)}
_HEAD: Final = (
    "| rule | of | by the pack | in the cluster |",
    "|---|---|---|---|",
)


def table() -> str:
    """The rules, what each is about, and what enforces it when."""
    made = Pack(TODAY).policies
    rows = (
        f"| `{rule.id}` | {', '.join(_about(rule))} | {', '.join(_in_the_pack(rule, made))}"
        f" | {_in_the_cluster(rule)} |"
        for rule in RULES.values()
    )
    return "\n".join((*_HEAD, *rows)) + "\n\n"


def _about(rule: Rule) -> Iterator[str]:
    """What a rule refuses some case of."""
    refused = [case for case in CASES if case.rule == rule.id and case.answer is Answer.REFUSED]
    for name, carriers in _SUBJECTS.items():
        if any(carrier.carries(case) for carrier in carriers for case in refused):
            yield name


def _in_the_pack(rule: Rule, made: list[Policy]) -> Iterator[str]:
    for policy in made:
        if policy.name == rule.id and isinstance(policy, ResourceValidationPolicy):
            yield "before creation"
        elif policy.name == rule.id + ACROSS:
            yield "with the stack"


def _in_the_cluster(rule: Rule) -> str:
    """When it is admitted; else why a rule has nothing to refuse there, in its own words."""
    if rule.id in policies():
        return "at admission"
    verdict = rule.check(Facts(home=Home.POOL), rule.thresholds(load_catalog()))
    assert verdict.answer is Answer.FITS
    return f"nothing to refuse: {verdict.reason}"


def test_the_readme_tells_where_each_rule_is_enforced():
    text = README.read_text(encoding="utf-8")
    if os.environ.get("HALFMETAL_GOLDEN") == "write":
        text = _TABLE.sub(lambda _: table(), text)
        README.write_text(text, encoding="utf-8")
    (found,) = _TABLE.findall(text)
    assert found == table()


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_refuses_before_creation(rule: Rule):
    assert next(_in_the_pack(rule, Pack(TODAY).policies)) == "before creation"
