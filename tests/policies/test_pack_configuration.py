"""The pack's configuration of a run: levels and thresholds, and what is refused before anything runs."""

from dataclasses import dataclass
from typing import Any

import pytest

from components.placement import RULES, Facts, Home
from components.spec import Memory
from policies.reading.functions import FUNCTION
from tests.pack_in_process import AbortedError, PackInProcess, Sent

MEMORY = "memory-over-function-limit"
LARGE = Sent(
    FUNCTION,
    "embed",
    {
        "memorySize": 9_000,
        "timeout": 30,
        "reservedConcurrentExecutions": 5,
        "tags": Facts(workload="embed", home=Home.FUNCTION, memory=Memory.of(9, "GiB")).to_tags(),
    },
)


@dataclass(frozen=True)
class Wrong:
    id: str
    config: dict[str, dict[str, Any]]
    message: str
    remedy: str


WRONG = [
    Wrong(
        "no such threshold",
        {MEMORY: {"on_demnad": "8GiB"}},
        "is no threshold of",
        "its thresholds: on_demand",
    ),
    Wrong("no size", {MEMORY: {"on_demand": "lots"}}, f"{MEMORY}.on_demand: 'lots'", "remedy: "),
    Wrong("beyond all sizes", {MEMORY: {"on_demand": "99999999PiB"}}, "absurdly large", "remedy: "),
    Wrong("no such rule", {"memory-limit": {}}, "memory-limit: is no policy of this pack", MEMORY),
    Wrong(
        "a threshold of advice", {"advice": {"on_demand": "8GiB"}}, "has no thresholds", "of the rule itself"
    ),
    Wrong(
        "a threshold across the stack",
        {"runaway-function-across-stack": {"longest_timeout": "1m"}},
        "so no longest_timeout",
        "of the rule itself",
    ),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
def test_a_wrong_configuration_is_refused_with_what_to_do(wrong: Wrong):
    with pytest.raises(AbortedError) as refused:
        PackInProcess().configure(wrong.config)
    assert wrong.message in str(refused.value)
    assert wrong.remedy in str(refused.value)
    assert "Traceback" not in str(refused.value)


@dataclass(frozen=True)
class Case:
    id: str
    config: dict[str, dict[str, Any]]
    levels: dict[str, str]


CASES = [
    Case("as it is", {}, {"undecided": "ADVISORY"}),
    Case(
        "a lower threshold", {MEMORY: {"on_demand": "8GiB"}}, {MEMORY: "MANDATORY", "undecided": "ADVISORY"}
    ),
    Case(
        "an advisory rule",
        {MEMORY: {"on_demand": "8GiB", "enforcementLevel": "advisory"}},
        {MEMORY: "ADVISORY", "undecided": "ADVISORY"},
    ),
    Case(
        "a disabled rule",
        {MEMORY: {"on_demand": "8GiB", "enforcementLevel": "disabled"}},
        {"undecided": "ADVISORY"},
    ),
    Case(
        "everything mandatory, but what never stops anything",
        {"all": {"enforcementLevel": "mandatory"}},
        {"undecided": "ADVISORY"},
    ),
    Case("nothing said of what is open", {"undecided": {"enforcementLevel": "disabled"}}, {}),
    Case(
        "what is open refused",
        {"undecided": {"enforcementLevel": "mandatory"}},
        {"undecided": "MANDATORY"},
    ),
    Case("everything disabled", {"all": {"enforcementLevel": "disabled"}}, {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_levels_and_thresholds(case: Case):
    pack = PackInProcess()
    pack.configure(case.config)
    assert pack.levels(LARGE) == case.levels


def test_a_disabled_rule_is_not_undecided_and_not_counted():
    pack = PackInProcess()
    before = pack.analyze(LARGE)["undecided"]
    pack.configure({"jitter-budget": {"enforcementLevel": "disabled"}})
    assert len(pack.analyze(LARGE)["undecided"]) == len(before) - 1
    pack.analyze_stack([LARGE])
    assert pack.lines[0].startswith("halfmetal: 13 placement rules")


def test_advice_goes_by_the_threshold_of_its_rule():
    busy = Facts(workload="embed", home=Home.FUNCTION).to_tags() | {"halfmetal:utilization": "15"}
    function = Sent(FUNCTION, "embed", {"tags": busy})
    pack = PackInProcess()
    assert "advice" not in pack.analyze(function)
    pack.configure({"sustained-utilization": {"pool_from": "12%"}})
    assert "between 12% (as configured)" in pack.analyze(function)["advice"][0]


@pytest.mark.parametrize(
    ("config", "level"),
    [
        pytest.param({}, "MANDATORY", id="as it is"),
        pytest.param({"runaway-function": {"enforcementLevel": "advisory"}}, "ADVISORY", id="as its rule"),
        pytest.param(
            {"runaway-function-across-stack": {"enforcementLevel": "advisory"}}, "ADVISORY", id="by itself"
        ),
    ],
)
def test_a_rules_level_is_also_that_of_its_policy_across_the_stack(
    config: dict[str, dict[str, Any]], level: str
):
    pack = PackInProcess()
    pack.configure(config)
    assert pack.stack_levels([LARGE])["runaway-function-across-stack"] == level


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_can_be_given_each_level(rule: Any):
    for level in ("mandatory", "advisory", "disabled", "remediate"):
        PackInProcess().configure({rule.id: {"enforcementLevel": level}})


def test_a_run_begins_with_its_stack_and_forgets_the_one_before():
    pack = PackInProcess()
    pack.configure_stack({"policies": {"rules": {MEMORY: {"on_demand": "8GiB"}}}})
    assert "8,192 MB (as configured)" in pack.analyze(LARGE)[MEMORY][0]
    pack.analyze_stack([LARGE])
    pack.configure_stack({"policies": {"rules": {MEMORY: {"enforcement": "disabled"}}}})
    pack.analyze_stack([])
    assert [line.partition(" on ")[::2] for line in pack.lines] == [
        ("halfmetal: 14 placement rules", f"1 of 1 resources: broken: {MEMORY}, runaway-function"),
        ("halfmetal: 13 placement rules", "0 of 0 resources: all kept"),
    ]
