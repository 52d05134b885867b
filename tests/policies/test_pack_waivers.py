"""Waivers in the pack: what is waived is said and stops nothing, what is no more waived stands."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from components.placement import Facts, Home, Override, Waivers
from components.placement.judging import Enforcement
from components.spec import Memory, Waiver
from policies.pack import Said
from policies.reading.functions import FUNCTION
from tests.pack_in_process import PackInProcess, Sent

TODAY = date(2026, 11, 25)
BUDGET = Sent("aws:budgets/budget:Budget", "monthly", {})
RULE = "runaway-function"


def _waiver(rule: str = RULE, subject: str = "embed", expires: date = date(2027, 1, 31)) -> Waiver:
    return Waiver(
        rule=rule, subject=subject, reason="moves next month", owner="ml@example.com", expires=expires
    )


def _function(name: str = "embed", **props: Any) -> Sent:
    return Sent(FUNCTION, name, {"name": name, "memorySize": 512, "timeout": 30, **props})


@dataclass(frozen=True)
class Case:
    id: str
    waivers: tuple[Waiver, ...]
    breaks: frozenset[str]
    """Policies that say that a rule is broken or advised against."""
    waived: tuple[str, ...] = ()
    """What `waived` says."""
    note: str = ""
    function: Sent = field(default_factory=_function)


UNTIL = "waived until 2027-01-31 by ml@example.com: moves next month"
EXPIRED = "the waiver of ml@example.com expired on 2026-11-24"
CASES = [
    Case("without one", (), frozenset({RULE})),
    Case("one that counts", (_waiver(),), frozenset(), (UNTIL,)),
    Case("on its last day", (_waiver(expires=TODAY),), frozenset(), ("waived until 2026-11-25",)),
    Case(
        "the day after",
        (_waiver(expires=date(2026, 11, 24)),),
        frozenset({RULE}),
        note=EXPIRED,
    ),
    Case("by a pattern", (_waiver(subject="em*"),), frozenset(), (UNTIL,)),
    Case("of another subject", (_waiver(subject="chat"),), frozenset({RULE})),
    Case("of another rule", (_waiver(rule="long-execution"),), frozenset({RULE})),
    Case(
        "by the name of its workload",
        (_waiver(subject="ranker"),),
        frozenset(),
        (UNTIL,),
        function=_function(tags=Facts(workload="ranker", home=Home.FUNCTION).to_tags()),
    ),
    Case(
        "of one rule of two",
        (_waiver(),),
        frozenset({"memory-over-function-limit"}),
        (UNTIL,),
        function=_function(
            tags=Facts(workload="embed", home=Home.FUNCTION, memory=Memory.of(12, "GiB")).to_tags()
        ),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_breach_of_one_resource(case: Case):
    said = PackInProcess(Said(waivers=Waivers(case.waivers, TODAY))).analyze(case.function)
    assert set(said) - {"waived", "undecided"} == case.breaks
    assert len(said.get("waived", ())) == len(case.waived)
    for message, part in zip(said.get("waived", ()), case.waived, strict=True):
        assert f"{RULE}: " in message
        assert part in message
    assert case.note in said.get(RULE, [""])[0]


@pytest.mark.parametrize(
    ("waiver", "breaks", "part"),
    [
        pytest.param(_waiver(), {"waived-across-stack"}, UNTIL, id="one that counts"),
        pytest.param(
            _waiver(expires=date(2026, 11, 24)), {"runaway-function-across-stack"}, EXPIRED, id="expired"
        ),
    ],
)
def test_a_breach_that_only_the_stack_shows(waiver: Waiver, breaks: set[str], part: str):
    pack = PackInProcess(Said(waivers=Waivers((waiver,), TODAY)))
    bounded = _function(reservedConcurrentExecutions=5)
    assert pack.analyze(bounded) == {}
    said = pack.analyze_stack([bounded, BUDGET])
    assert set(said) == breaks
    assert part in next(iter(said.values()))[0]


def test_advice_is_waived_as_a_breach_is():
    busy = Facts(workload="embed", home=Home.FUNCTION, accelerator_count=0)
    tags = {**busy.to_tags(), "halfmetal:utilization": "30"}
    waivers = Waivers((_waiver(rule="sustained-utilization"),), TODAY)
    without = PackInProcess().analyze(_function(reservedConcurrentExecutions=5, tags=tags))
    said = PackInProcess(Said(waivers=waivers)).analyze(_function(reservedConcurrentExecutions=5, tags=tags))
    assert "advice" in without
    assert "advice" not in said
    assert "sustained-utilization: embed: it is busy 30%" in said["waived"][0]


def test_every_waiver_is_listed_with_what_came_of_it():
    waivers = Waivers(
        (
            _waiver(),
            _waiver(subject="gone"),
            _waiver(rule="zone-capacity", subject="gpu", expires=date(2026, 1, 1)),
        ),
        TODAY,
    )
    pack = PackInProcess(Said(waivers=waivers))
    pack.analyze(_function())
    pack.analyze_stack([_function(), BUDGET])
    assert pack.lines == [
        "halfmetal: 14 placement rules on 1 of 2 resources: waived: runaway-function",
        "halfmetal: waiver of runaway-function for embed by ml@example.com until 2027-01-31: used",
        "halfmetal: waiver of runaway-function for gone by ml@example.com until 2027-01-31: unused",
        "halfmetal: waiver of zone-capacity for gpu by ml@example.com until 2026-01-01: expired",
    ]


def test_a_stack_without_waivers_is_summed_up_in_one_line():
    pack = PackInProcess()
    pack.analyze(_function())
    pack.analyze_stack([_function(), BUDGET])
    assert pack.lines == ["halfmetal: 14 placement rules on 1 of 2 resources: broken: runaway-function"]


def test_a_waiver_of_a_rule_that_is_not_run_is_unused():
    off = {RULE: Override(Enforcement.DISABLED)}
    pack = PackInProcess(Said(off, waivers=Waivers((_waiver(),), TODAY)))
    pack.analyze(_function())
    pack.analyze_stack([_function()])
    assert pack.lines[1].endswith(": unused")
