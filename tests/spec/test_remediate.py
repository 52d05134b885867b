"""`policies.remediate`: what the policy pack may set by itself."""

from typing import Any, get_args

import pytest

from components.spec import Remediable, StackError, load
from tests.spec.stack_examples import PURE, changed

EVERY = get_args(Remediable)
ADVISORY = {"runaway-function": {"enforcement": "advisory"}}


@pytest.mark.parametrize(
    ("policies", "remediated"),
    [
        pytest.param({}, (), id="not said"),
        pytest.param({"remediate": False}, (), id="no"),
        pytest.param({"remediate": True}, EVERY, id="yes"),
        pytest.param({"remediate": []}, (), id="for no rule"),
        pytest.param({"remediate": ["state-locality"]}, ("state-locality",), id="for one rule"),
        pytest.param(
            {"remediate": True, "rules": ADVISORY},
            tuple(rule for rule in EVERY if rule != "runaway-function"),
            id="yes, but for a rule that refuses nothing",
        ),
    ],
)
def test_the_rules_that_are_remediated(policies: dict[str, Any], remediated: tuple[str, ...]):
    assert load(changed(PURE, {"policies": policies})).policies.remediated == remediated


@pytest.mark.parametrize(
    ("policies", "at", "message", "remedy"),
    [
        pytest.param({"remediate": "yes"}, "", "says yes or no", "write true, false, or a list", id="a text"),
        pytest.param({"remediate": {"state-locality": True}}, "", "says yes or no", "a list", id="a mapping"),
        pytest.param(
            {"remediate": ["local-state"]}, "", "'local-state', of which", "runaway-function", id="no value"
        ),
        pytest.param({"remediate": [["state-locality"]]}, "", "nothing can be set", "a list", id="nested"),
        pytest.param(
            {"remediate": ["runaway-function"], "rules": ADVISORY},
            "[0]",
            "is advisory here",
            "make the rule mandatory",
            id="a rule that refuses nothing",
        ),
    ],
)
def test_what_cannot_be_remediated_is_refused(policies: dict[str, Any], at: str, message: str, remedy: str):
    with pytest.raises(StackError) as error:
        load(changed(PURE, {"policies": policies}))
    (problem,) = error.value.problems
    assert problem.path == f"policies.remediate{at}"
    assert message in problem.message
    assert remedy in problem.remedy
