"""The change to the stack file: what it says then, what stays, and that a second run finds nothing to do."""

from pathlib import Path
from typing import Any

import pytest
from metrics import STACK, data, matrix, observed, result, series

from components.observed import judge
from components.observed.change import Edited, edit
from components.spec import Stack, Workload, load
from components.spec.yaml_source import read as read_yaml

HYBRID = STACK.read_text()
CONTAINER = """          container: {image: "halfmetal/embedder:0.1.0"}  # the same image
          function:
            bundle: examples/embedder
            handler: embedder.function.handler
            memory: 2048MiB"""
FUNCTION = """          function:
            bundle: examples/embedder
            handler: embedder.function.handler
            memory: 2048MiB"""
EMBED = 'container: {image: "halfmetal/embedder:0.1.0", port: 8000, ready: /v2/health/ready}'
BUSY = data(
    result("index Invocations", [2400] * 60, identifier="i"),
    result("index Duration", [90] * 60, identifier="d"),
)
QUIET = (
    "rate=" + matrix(series({"workload": "embed"}, [0.001, 0.002] * 30)),
    "ratio=" + matrix(series({"workload": "embed"}, [0.004] * 60)),
)


def stack_of(text: str) -> Stack:
    return load(read_yaml(text).value["config"]["halfmetal:stack"])


def edited(folder: Path, text: str, *documents: str) -> Edited:
    stack = stack_of(text)
    return edit(text, judge(stack, observed(folder, *documents, stack=stack)))


def workload(name: str, made: Edited) -> Workload:
    return next(each for each in stack_of(made.text).workloads if each.name == name)


def changed_lines(before: str, after: str) -> tuple[set[str], set[str]]:
    here, there = set(before.splitlines()), set(after.splitlines())
    return here - there, there - here


def test_a_function_goes_to_a_pool_and_its_traffic_is_what_was_measured(tmp_path: Path):
    text = HYBRID.replace(FUNCTION, CONTAINER)
    made = edited(tmp_path, text, BUSY)
    index = workload("index", made)
    assert (index.placement.home, index.placement.pool) == ("pool", "cpu-a")
    assert {
        key: str(getattr(index.traffic, key)) for key in ("rate", "peak", "service_time", "utilization")
    } == {
        "rate": "40/s",
        "peak": "40/s",
        "service_time": "90ms",
        "utilization": "None",
    }
    gone, came = changed_lines(text, made.text)
    assert len(gone) == len(came) == 2
    assert "# the same image" in made.text


def test_a_workload_leaves_its_pool_with_all_that_is_said_of_pods(tmp_path: Path):
    text = HYBRID.replace(EMBED, f"{EMBED}\n{FUNCTION}").replace("{p99: 300ms}", "{p99: 30s}")
    made = edited(tmp_path, text, *QUIET)
    assert workload("embed", made).placement.model_dump(exclude_none=True) == {"home": "function"}


def test_a_twin_goes_with_the_pods_that_it_was_of(tmp_path: Path):
    text = HYBRID.replace(EMBED, f"{EMBED}\n{FUNCTION}").replace("{p99: 300ms}", "{p99: 30s}")
    text = text.replace("max_concurrency: 8}", "max_concurrency: 8, twin: {queue: 4}}")
    made = edited(tmp_path, text, *QUIET)
    assert workload("embed", made).placement.model_dump(exclude_none=True) == {"home": "function"}


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        pytest.param(HYBRID.replace(FUNCTION, CONTAINER), (BUSY,), id="a function that moved to a pool"),
        pytest.param(
            HYBRID.replace(EMBED, f"{EMBED}\n{FUNCTION}").replace("{p99: 300ms}", "{p99: 30s}"),
            QUIET,
            id="a workload that moved to a function",
        ),
        pytest.param(HYBRID, (BUSY, *QUIET), id="workloads whose better home lacks a form"),
    ],
)
def test_a_second_time_changes_nothing(text: str, documents: tuple[str, ...], tmp_path: Path):
    once = edited(tmp_path, text, *documents)
    assert once.text != text
    twice = edited(tmp_path, once.text, *documents)
    assert twice.text == once.text
    assert not twice.findings


def test_a_home_that_lacks_a_form_is_not_written(tmp_path: Path):
    index = workload("index", edited(tmp_path, HYBRID, BUSY))
    assert index.placement.home == "function"
    assert str(index.traffic.rate) == "40/s"


def test_a_home_that_is_left_open_stays_open_where_the_traffic_alone_moves_it(tmp_path: Path):
    text = HYBRID.replace(FUNCTION, CONTAINER).replace("placement: {home: function}", "placement: {}")
    made = edited(tmp_path, text, BUSY)
    assert workload("index", made).placement.model_dump(exclude_none=True) == {}
    assert str(workload("index", made).traffic.rate) == "40/s"


def test_what_would_leave_a_wrong_file_is_not_written_and_the_rest_is(tmp_path: Path):
    made = edited(
        tmp_path,
        HYBRID,
        "seconds=" + matrix(series({"workload": "embed"}, [0.4] * 60)),
        "ratio=" + matrix(series({"workload": "chat"}, [0.4] * 60)),
    )
    assert str(workload("embed", made).traffic.service_time) == "25ms"
    assert str(workload("chat", made).traffic.utilization) == "40%"
    (finding,) = made.findings
    assert finding.message.startswith("embed is left as it is, as with traffic: {")
    assert "leaves nothing beside the work itself" in finding.message


def test_what_cannot_be_edited_in_place_is_written_by_hand(tmp_path: Path):
    text = HYBRID.replace(
        "traffic: {rate: 20/s, peak: 60/s, utilization: 35%, service_time: 25ms}",
        "traffic: &steady {rate: 20/s, peak: 60/s, utilization: 35%, service_time: 25ms}",
    ).replace("traffic: {rate: 0.2/s, peak: 40/s, utilization: 2%, service_time: 40ms}", "traffic: *steady")
    made = edited(tmp_path, text, data(result("index Duration", [45] * 60)))
    assert made.text == text
    (finding,) = made.findings
    assert "index cannot be edited in place" in finding.message
    assert "service_time: 45ms" in finding.remedy


def test_more_than_one_replica_can_do_leaves_utilization_out(tmp_path: Path):
    over: dict[str, Any] = {"identifier": "d"}
    made = edited(
        tmp_path,
        HYBRID,
        data(result("index Invocations", [6000] * 60), result("index Duration", [45] * 60, **over)),
    )
    assert workload("index", made).traffic.utilization is None


def test_pods_that_cannot_hold_what_comes_become_more(tmp_path: Path):
    made = edited(
        tmp_path,
        HYBRID,
        "rate=" + matrix(series({"workload": "embed"}, [200, 300] * 30)),
        "seconds=" + matrix(series({"workload": "embed"}, [0.1] * 60)),
    )
    assert workload("embed", made).placement.replicas == 5
