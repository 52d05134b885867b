"""Which homes are wrong at what was measured, why, and what moving saves."""

from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from metrics import GPU_POD, data, hybrid, matrix, observed, result, series

from components.observed import Judged, Judgement, Measured, Observed, Standing, judge
from components.observed.requests import Requests
from components.placement import Home
from components.spec import Duration, Rate, Share, Stack
from components.traffic import Measurement, Sureness

CONTAINER = {"image": "halfmetal/embedder:0.1.0"}
FUNCTION = {"bundle": "examples/embedder", "handler": "embedder.function.handler", "memory": "2048MiB"}


def measured(name: str, **what: str) -> Measured:
    """What was measured of a workload, in the stack file's own spelling."""
    peak = what.get("peak", what.get("rate"))
    return Measured(
        workload=name,
        utilization=Share.parse(what["utilization"]) if "utilization" in what else None,
        requests=Requests(Rate.parse(what["rate"]), Rate.parse(peak or ""), None, by_minute=True)
        if "rate" in what
        else None,
        service_time=Duration.parse(what["service_time"]) if "service_time" in what else None,
        start=None,
        end=None,
        readings=tuple(Measurement(each, value, Sureness.SURE, "") for each, value in what.items()),
        findings=(),
    )


def judged_at(stack: Stack, *each: Measured, **more: Any) -> Judgement:
    nothing = {workload.name: measured(workload.name) for workload in stack.workloads}
    return judge(stack, Observed(nothing | {one.workload: one for one in each}, ()), **more)


def of(name: str, judgement: Judgement) -> Judged:
    return next(each for each in judgement.judged if each.name == name)


def test_a_busy_function_belongs_on_nodes():
    stack = hybrid(index={"serve.container": CONTAINER})
    index = of("index", judged_at(stack, measured("index", rate="40/s", service_time="90ms")))
    assert index.standing is Standing.MOVES
    assert index.better is not None
    assert (index.better.home, index.better_pool, index.lacks) == (Home.POOL, "cpu-a", "")
    reason = index.reasons[0]
    assert reason.by == "sustained-utilization"
    assert "100% of the day" in reason.said


def test_the_form_that_a_better_home_lacks_is_named():
    index = of("index", judged_at(hybrid(), measured("index", rate="40/s", service_time="90ms")))
    assert (index.standing, index.lacks) == (Standing.MOVES, "serve.container")


def test_nodes_that_are_hardly_ever_busy_cost_more_than_a_function():
    stack = hybrid(embed={"serve.function": FUNCTION, "latency.p99": None})
    embed = of("embed", judged_at(stack, measured("embed", rate="5/h", peak="1/min", utilization="0.5%")))
    assert embed.standing is Standing.MOVES
    assert embed.better is not None
    assert embed.better.home is Home.FUNCTION
    assert [reason.by for reason in embed.reasons] == ["cost"]
    assert embed.saved is not None
    assert embed.saved > 0


def test_the_two_bills_and_what_is_saved():
    stack = hybrid(embed={"serve.function": FUNCTION})
    judgement = judged_at(stack, measured("embed", rate="5/h", peak="1/min", utilization="0.5%"))
    embed = of("embed", judgement)
    assert embed.present is not None
    assert embed.better is not None
    assert embed.present.cost is not None
    assert embed.better.cost is not None
    assert embed.saved == embed.present.cost.total.amount - embed.better.cost.total.amount
    assert judgement.saved == embed.saved


@pytest.mark.parametrize(
    ("stickiness", "standing"),
    [
        pytest.param("10%", Standing.MOVES, id="it saves more than it takes to move"),
        pytest.param("100%", Standing.STAYS, id="nothing saves all"),
    ],
)
def test_a_small_saving_moves_nothing(stickiness: str, standing: Standing):
    stack = hybrid(embed={"serve.function": FUNCTION})
    seen = measured("embed", rate="5/h", peak="1/min", utilization="0.5%")
    assert of("embed", judged_at(stack, seen, stickiness=Share.parse(stickiness))).standing is standing


def test_what_is_as_it_was_said_stays():
    seen = measured("embed", rate="20/s", peak="60/s", utilization="35%", service_time="25ms")
    embed = of("embed", judged_at(hybrid(), seen))
    assert (embed.standing, embed.better) == (Standing.STAYS, None)
    assert embed.figures == {}


def test_a_workload_of_which_nothing_was_measured_is_undecided():
    judgement = judged_at(hybrid(), measured("embed", utilization="35%"))
    assert {each.name: each.standing for each in judgement.judged} == {
        "chat": Standing.UNDECIDED,
        "embed": Standing.STAYS,
        "index": Standing.UNDECIDED,
    }
    assert of("chat", judgement).reasons[0].said == "nothing was measured"


@pytest.mark.parametrize(
    ("name", "paid"),
    [pytest.param("embed", True, id="on a pool"), pytest.param("index", False, id="on a function")],
)
def test_a_workload_that_nobody_asks_is_named_with_what_it_costs(*, name: str, paid: bool):
    nobody = replace(measured(name), requests=Requests())
    idle = of(name, judged_at(hybrid(), nobody))
    assert idle.standing is Standing.UNDECIDED
    assert "is it still needed?" in idle.reasons[0].said
    assert ("its pods are paid for" in idle.reasons[0].said, idle.present is not None) == (paid, paid)
    assert idle.figures == {}


def test_without_a_rate_the_rules_decide_alone():
    stack = hybrid(index={"serve.container": CONTAINER, "traffic.rate": None, "traffic.peak": None})
    at = {
        share: of("index", judged_at(stack, measured("index", utilization=share))) for share in ("5%", "80%")
    }
    assert (at["5%"].standing, at["80%"].standing) == (Standing.UNDECIDED, Standing.MOVES)
    assert "traffic.rate is not known" in at["5%"].reasons[0].said
    assert at["80%"].saved is None


def test_a_pure_stack_has_nowhere_for_a_busy_function():
    raw = hybrid()
    stack = raw.model_copy(
        update={
            "topology": "pure",
            "data_plane": None,
            "workloads": tuple(each for each in raw.workloads if each.name == "index"),
        }
    )
    index = of("index", judged_at(stack, measured("index", rate="40/s", service_time="90ms")))
    assert index.standing is Standing.STUCK
    assert ("pool", "the stack has no managed pool") in [(each.by, each.said) for each in index.reasons]


def test_a_late_home_is_wrong_where_another_is_in_time():
    stack = hybrid(
        embed={
            "serve.function": {**FUNCTION, "memory": "128MiB"},
            "placement.max_concurrency": 1,
            "placement.replicas": 2,
            "latency.p99": "1s",
        }
    )
    embed = of(
        "embed", judged_at(stack, measured("embed", rate="18/s", service_time="100ms", utilization="5%"))
    )
    assert embed.standing is Standing.MOVES
    assert embed.reasons[0].by == "latency"


def test_pods_that_cannot_hold_what_comes_are_counted():
    seen = measured("embed", rate="200/s", peak="300/s", service_time="100ms", utilization="90%")
    embed = of("embed", judged_at(hybrid(), seen))
    assert embed.presumed.overloaded
    assert any(each.by == "capacity" and "would hold its peak" in each.said for each in embed.reasons)


def test_copies_that_are_kept_warm_beyond_what_may_run():
    stack = hybrid(index={"placement.home": "reserved-function", "traffic": {}})
    seen = measured("index", rate="100/s", peak="400/s", service_time="100ms")
    index = of("index", judged_at(stack, seen))
    assert any(each.by == "capacity" and "40 copies" in each.said for each in index.reasons)


def test_a_move_onto_a_pool_that_is_too_small_is_told():
    stack = hybrid(index={"serve.container": CONTAINER, "needs.cpu": 1})
    judgement = judged_at(stack, measured("index", rate="400/s", peak="900/s", service_time="90ms"))
    assert any("and may have 4" in each.message for each in judgement.findings)


def test_a_move_off_a_pool_says_when_it_is_saved():
    stack = hybrid(embed={"serve.function": FUNCTION})
    judgement = judged_at(stack, measured("embed", rate="5/h", peak="1/min", utilization="0.5%"))
    (finding,) = judgement.findings
    assert "pool cpu-a then claim 0 of its nodes" in finding.message


def test_from_files_to_a_judgement(tmp_path: Path):
    week = 7 * 24
    found = observed(
        tmp_path,
        data(
            result("index Invocations", [3600 * 40] * week, identifier="i", step=3600),
            result("index Duration", [90] * week, identifier="d", step=3600),
        ),
        matrix(series({"__name__": "DCGM_FI_DEV_GPU_UTIL", "pod": GPU_POD}, [58] * week, step=3600)),
    )
    judgement = judge(hybrid(), found)
    assert {each.name: each.standing for each in judgement.judged} == {
        "chat": Standing.STAYS,
        "embed": Standing.UNDECIDED,
        "index": Standing.MOVES,
    }
    assert of("index", judgement).figures["rate"] == "40/s"
    assert of("chat", judgement).figures == {"utilization": "58%"}


# Around what the rules compare with: 10, 20 and 60 %.
SHARES = st.sampled_from([1, 11, 19, 21, 59, 61])


@cache
def goes_to_a_function(busy: int, rate: str | None) -> bool:
    """Whether a workload on a pool, that may be a function too, belongs there."""
    traffic = {"service_time": "25ms"}
    stack = hybrid(embed={"serve.function": FUNCTION, "traffic": traffic, "latency.p99": None})
    alone = stack.model_copy(update={"workloads": stack.workloads[:1]})
    told = {"rate": rate} if rate else {}
    embed = of("embed", judged_at(alone, measured("embed", utilization=f"{busy}%", **told)))
    return embed.better is not None and embed.better.home.is_function


@given(one=SHARES, other=SHARES, rate=st.sampled_from(["1/s", None]))
@example(one=1, other=61, rate="1/s")
def test_a_busier_workload_never_moves_from_a_pool_to_a_function(one: int, other: int, rate: str | None):
    low, high = sorted((one, other))
    assert goes_to_a_function(low, rate) or not goes_to_a_function(high, rate)


def test_a_workload_that_is_hardly_busy_does_move():
    assert goes_to_a_function(1, "1/h")


@given(share=st.integers(20, 1000).map(lambda each: Decimal(each) / 1000), pods=st.integers(1, 3))
def test_percent_and_ratio_say_the_same(share: Decimal, pods: int, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.getbasetemp()
    told = {
        kind: observed(
            folder,
            f"{kind}="
            + matrix(
                *(series({"pod": f"embed-7d9f8c6b5d-x2x4{pod}"}, [share * by] * 3) for pod in range(pods))
            ),
        )
        .by_workload["embed"]
        .utilization
        for kind, by in (("ratio", 1), ("percent", 100))
    }
    assert told["ratio"] == told["percent"]
