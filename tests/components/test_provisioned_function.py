"""A function that is kept warm: how many copies, of which version, and what it may not ask for."""

from typing import Any

import pytest
from recording import Recording, bundle_of_likely_size, deploy

from components.placement import PlacementError, decide
from components.spec import Stack, load


def _stack(traffic: dict[str, str], memory: str = "1GiB", serve: dict[str, Any] | None = None) -> Stack:
    return load(
        {
            "topology": "pure",
            "region": "us-east-1",
            "zones": ["us-east-1a"],
            "control_plane": {"budget": {"limit": "$100/month", "notify": ["ops@example.com"]}},
            "workloads": [
                {
                    "name": "embed",
                    "serve": {
                        "function": {
                            "bundle": "examples/embedder",
                            "handler": "embedder.function.handler",
                            "memory": "2048MiB",
                            **(serve or {}),
                        }
                    },
                    "needs": {"cpu": 1, "memory": memory},
                    "traffic": traffic,
                    "placement": {"home": "reserved-function"},
                }
            ],
        }
    )


def _deployed(stack: Stack) -> Recording:
    return deploy(stack, bundle_of_likely_size, "warm")


@pytest.mark.parametrize(
    ("traffic", "copies"),
    [
        pytest.param({"rate": "1/s", "peak": "50/s", "service_time": "100ms"}, 5, id="busy at the peak"),
        pytest.param(
            {"rate": "11/s", "service_time": "100ms"}, 2, id="busy on average, where no peak is known"
        ),
        pytest.param({"rate": "1/s"}, 1, id="one, where nothing is known"),
    ],
)
def test_as_many_copies_are_warm_as_are_busy(traffic: dict[str, str], copies: int) -> None:
    warm = _deployed(_stack(traffic)).one("aws:lambda/provisionedConcurrencyConfig:.*").inputs
    assert warm["provisionedConcurrentExecutions"] == copies


def test_the_alias_of_a_published_version_is_kept_warm() -> None:
    # `$LATEST` cannot have provisioned concurrency (sst#4661).
    recording = _deployed(_stack({}))
    assert recording.one("aws:lambda/function:Function", "fn-embed-function").inputs["publish"] is True
    assert recording.one("aws:lambda/provisionedConcurrencyConfig:.*").inputs["qualifier"] == "live"


@pytest.mark.parametrize(
    "own", [pytest.param({"reserved_concurrency": 4}, id="its own"), pytest.param({}, id="all")]
)
def test_more_warm_copies_than_may_run_are_refused_where_the_stack_is_judged(own: dict[str, int]) -> None:
    stack = _stack({"rate": "1/s", "peak": "250/s", "service_time": "100ms"}, serve=own)
    with pytest.raises(PlacementError) as caught:
        decide(stack)
    (problem,) = caught.value.problems
    assert problem.path == "workloads[0].serve.function.reserved_concurrency"
    assert "25 copies" in problem.message


def test_provisioned_concurrency_has_no_more_memory_than_any_function() -> None:
    with pytest.raises(PlacementError, match="memory-over-function-limit"):
        decide(_stack({}, memory="20GiB")).raise_if_refused()
