"""Faults of our own: one in judging a resource leaves that resource undecided, and nothing else unjudged."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from components.placement import RULES, Facts, Rule, Thresholds, Verdict
from policies import judging
from policies.pack import judge as judging_in_the_pack
from policies.pack import remediation
from policies.pack.stack import Said
from policies.reading import subjects
from policies.reading.functions import FUNCTION
from policies.reading.relations import Related
from tests.pack_in_process import PackInProcess, Sent

SAID = "never-to-be-told"
PLAIN = {"memorySize": 512, "timeout": 30}


def _function(name: str) -> Sent:
    return Sent(FUNCTION, name, {"name": name, **PLAIN})


@pytest.fixture
def broken_rule(monkeypatch: pytest.MonkeyPatch) -> str:
    def check(_: Facts, __: Thresholds) -> Verdict:
        raise KeyError(SAID)

    rules = dict(RULES) | {"long-execution": replace(RULES["long-execution"], check=check)}
    _patch_rules(monkeypatch, rules)
    return "long-execution"


def _patch_rules(monkeypatch: pytest.MonkeyPatch, rules: Mapping[str, Rule]) -> None:
    for where in ("components.placement.settings", "policies.pack.policies", "policies.pack.judge"):
        monkeypatch.setattr(f"{where}.RULES", MappingProxyType(dict(rules)))


def test_a_rule_that_fails_leaves_the_others(broken_rule: str):
    said = PackInProcess().analyze(_function("embed"))
    assert "no reserved concurrency" in said["runaway-function"][0]
    (message,) = said["undecided"]
    assert f"{broken_rule}: embed: cannot be decided, for judging it failed with KeyError" in message
    assert SAID not in message


def test_a_reader_that_fails_is_said_once(monkeypatch: pytest.MonkeyPatch):
    def function(_: Mapping[str, Any]) -> Any:
        raise RecursionError(SAID)

    monkeypatch.setattr(subjects, "READERS", {**subjects.READERS, FUNCTION: function})
    pack = PackInProcess()
    said = pack.analyze(_function("embed"))
    assert set(said) == {"undecided"}
    (message,) = said["undecided"]
    assert all(rule in message for rule in RULES)
    assert "RecursionError" in message
    assert SAID not in message
    assert "runaway-function" not in pack.analyze(Sent("kubernetes:core/v1:Pod", "chat", {}))


def test_a_relation_that_fails_leaves_the_other_resources(monkeypatch: pytest.MonkeyPatch):
    (bounded,) = judging.RELATIONS["runaway-function"]

    def relate(resources: Any) -> Iterator[Related]:
        for related in bounded.relate(resources):
            if related.resource.name == "cursed":
                raise ValueError(SAID)
            yield related

    broken = {**judging.RELATIONS, "runaway-function": (replace(bounded, relate=relate),)}
    monkeypatch.setattr(judging, "RELATIONS", broken)
    monkeypatch.setattr(judging_in_the_pack, "RELATIONS", broken)
    names = ["embed", "chat", "cursed", "rank", "index"]
    said = PackInProcess().analyze_stack([_function(name) for name in names])
    judged = "\n".join(said["runaway-function-across-stack"])
    assert all(f"{name}: " in judged for name in names if name != "cursed")
    (message,) = said["undecided-across-stack"]
    assert "runaway-function: cursed: cannot be decided, for judging it failed with ValueError" in message
    assert SAID not in message


def test_a_relation_that_fails_for_all_is_not_tried_one_by_one(monkeypatch: pytest.MonkeyPatch):
    (bounded,) = judging.RELATIONS["runaway-function"]
    tried = []

    def relate(resources: Any) -> Iterator[Related]:
        tried.append(resources)
        raise ValueError(SAID)

    broken = {**judging.RELATIONS, "runaway-function": (replace(bounded, relate=relate),)}
    monkeypatch.setattr(judging, "RELATIONS", broken)
    monkeypatch.setattr(judging_in_the_pack, "RELATIONS", broken)
    said = PackInProcess().analyze_stack([_function(f"f{number}") for number in range(500)])
    assert len(said["undecided-across-stack"]) == 500
    assert len(tried) < 100


def test_a_remediation_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    def fixes(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(remediation, "fixes", fixes)
    pack = PackInProcess(Said(remediate=frozenset({"runaway-function"})))
    assert pack.remediate(_function("embed")) is None
    assert "runaway-function" in pack.analyze(_function("embed"))
