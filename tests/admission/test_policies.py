"""Policies as they are made from the rules, before any API server has seen them."""

import re
from pathlib import Path

import pytest
import yaml

from components.admission.policies import Policy, never_refuse, policies
from components.placement import RULES

_RESERVED_TEXT = (
    "as break const continue else false for function if import in let loop namespace null package return true"
    " var void while"
)
RESERVED = frozenset(re.findall("[a-z]+", _RESERVED_TEXT))
"""Words that no variable of CEL may be called by."""

GOLDEN = Path(__file__).parent / "jitter-budget.yaml"


def test_the_policy_of_a_rule_reads_as_it_did():
    """Whoever changes it sees here what the API server will be given. To renew: write `made` to the file."""
    made = policies()["jitter-budget"].manifest("models.jitter-budget")
    assert made == yaml.safe_load(GOLDEN.read_text())


def test_a_rule_has_a_policy_or_can_refuse_nothing_in_a_cluster():
    assert set(policies()) | set(never_refuse()) == set(RULES)
    assert set(never_refuse()) == {
        "local-state",
        "memory-over-function-limit",
        "runaway-function",
        "sustained-utilization",
    }


@pytest.mark.parametrize("policy", policies().values(), ids=list(policies()))
def test_a_variable_rests_on_earlier_ones_alone(policy: Policy):
    """The API server knows a variable from where it stands on."""
    known: set[str] = set()
    for variable in policy.variables():
        asked = set(re.findall(r"\bvariables\.([a-z0-9_]+)", variable.expression))
        assert asked <= known, variable.name
        assert re.fullmatch("[a-z_][a-z0-9_]*", variable.name)
        assert variable.name not in RESERVED
        known.add(variable.name)


@pytest.mark.parametrize("policy", policies().values(), ids=list(policies()))
def test_only_isolation_concerns_a_namespace_itself(policy: Policy):
    matched = policy.manifest("p")["spec"]["matchConstraints"]["resourceRules"]
    resources = {name for rule in matched for name in rule["resources"]}
    assert ("namespaces" in resources) == (policy.rule.id == "compliance-isolation")


IN_ITS_CEL_SINCE_1_30 = frozenset(
    (
        *("all", "exists", "filter", "has", "map", "matches", "size", "startsWith"),  # CEL itself
        *("double", "dyn", "int", "string"),
        *("hasValue", "or", "orValue", "value"),  # optional values, 1.28
        *("join", "lastIndexOf", "replace", "split", "substring"),  # strings, 1.29
        *("max", "sum"),  # lists, from the beginning
        *("find", "asInteger", "compareTo", "isInteger", "quantity"),
    )
)
"""Functions that an API server knows from Kubernetes 1.30 on, the first that a stack may be on."""


@pytest.mark.parametrize("policy", policies().values(), ids=list(policies()))
def test_a_policy_calls_nothing_that_an_older_api_server_does_not_know(policy: Policy):
    spec = policy.manifest("p")["spec"]
    texts = [variable["expression"] for variable in spec["variables"]]
    texts += [condition["expression"] for condition in spec["matchConditions"]]
    code = re.sub(r"'(?:[^'\\]|\\.)*'", "''", " ".join(texts))
    assert set(re.findall(r"\b([A-Za-z]+)\(", code)) <= IN_ITS_CEL_SINCE_1_30
