"""What a function twin makes of a gateway and of a topology."""

from typing import Any

import pytest

from components.data_plane.haproxy import Twin
from components.placement import decide
from components.spec import load
from components.topology.data_plane import upstream
from tests.spec.stack_examples import ABSENT, DEDICATED, HYBRID, changed
from tests.twin_example import EMBED, twinned

FUNCTION = HYBRID["workloads"][0]["serve"]["function"]


@pytest.mark.parametrize(
    ("changes", "twin"),
    [
        pytest.param({}, Twin(16, 10), id="the guardrails' copies, shared by two pods of the gateway"),
        pytest.param({"serve.function.reserved_concurrency": 7}, Twin(16, 3), id="never more than its part"),
        pytest.param({"serve.function.reserved_concurrency": 1}, Twin(16, 1), id="never nothing"),
        pytest.param({"placement.twin": {"queue": 5}}, Twin(5, 10), id="a queue that is stated"),
        pytest.param({"placement.twin": ABSENT}, None, id="no twin"),
    ],
)
def test_a_pod_of_the_gateway_has_its_part_of_the_copies(changes: dict[str, Any], twin: Twin | None):
    stack = twinned(changes)
    assert upstream(stack, decide(stack).by_name["embed"], "ns").twin == twin


def test_where_nothing_bounds_the_function_it_takes_as_much_as_the_pods():
    stack = load(
        changed(
            HYBRID,
            {
                "control_plane.guardrails": {"reserved_concurrency": None},
                f"{EMBED}.placement.twin": {},
                f"{EMBED}.placement.replicas": 3,
            },
        )
    )
    assert upstream(stack, decide(stack).by_name["embed"], "ns").twin == Twin(24, 12)


@pytest.mark.parametrize(
    ("changes", "topology"),
    [
        pytest.param({}, "dedicated", id="all on metal, at an address of its own"),
        pytest.param({f"{EMBED}.placement.twin": {}}, "hybrid", id="its tail is serverless"),
    ],
)
def test_a_data_route_with_a_twin_is_not_dedicated(changes: dict[str, Any], topology: str):
    others = {
        "topology": "auto",
        "control_plane": {"budget": {"limit": "$9/month", "notify": ["ops@example.com"]}},
        f"{EMBED}.serve.function": FUNCTION,
        f"{EMBED}.needs": {"cpu": 1, "memory": "1GiB"},
    }
    stack = load(changed(DEDICATED, {**others, **changes}))
    assert decide(stack).stack.topology == topology
