"""Each topology as a person meets it: one command up, every route answered, an empty second preview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from real_shell import HALFMETAL, Sandbox

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Topology:
    """What one example stack must come to."""

    stack: str
    homes: dict[str, str]
    has_cluster: bool


TOPOLOGIES = [
    Topology("pure", {"embed": "function"}, has_cluster=False),
    Topology("hybrid", {"embed": "pool", "chat": "pool", "index": "function"}, has_cluster=True),
    Topology("dedicated", {"embed": "metal", "chat": "metal", "index": "metal"}, has_cluster=True),
]
# No container engine and no GPU is here: KWOK pretends this one's container, so nothing can answer for it.
PRETENDED = {"chat"}


@pytest.fixture(params=TOPOLOGIES, ids=lambda topology: topology.stack)
def topology(request: pytest.FixtureRequest) -> Topology:
    chosen: Topology = request.param
    return chosen


@pytest.fixture
def report(topology: Topology, sandbox: Sandbox) -> dict[str, Any]:
    return sandbox.up(topology.stack)


def test_workloads_stand_where_the_stack_file_says(topology: Topology, report: dict[str, Any]):
    assert {model["name"]: model["home"] for model in report["outputs"]["models"]} == topology.homes


def test_every_route_answers(report: dict[str, Any]):
    silent = {answer["route"] for answer in report["requests"] if answer["status"] != 200}
    assert silent <= {f"POST /v2/models/{name}/infer" for name in PRETENDED}
    assert len(report["requests"]) > len(silent)


def test_the_policy_pack_finds_nothing(report: dict[str, Any]):
    assert [finding for finding in report["policy_findings"] if finding["enforcement"] == "mandatory"] == []


def test_second_preview_is_empty(topology: Topology, report: dict[str, Any], sandbox: Sandbox):
    assert report["changes"]
    sandbox.shell.ok("pulumi", "preview", "-s", topology.stack, "--expect-no-changes", "--non-interactive")


def test_refresh_finds_no_drift(topology: Topology, report: dict[str, Any], sandbox: Sandbox):
    assert report["changes"]
    sandbox.shell.ok(
        "pulumi", "refresh", "-s", topology.stack, "--yes", "--expect-no-changes", "--non-interactive"
    )


def test_second_up_changes_nothing(topology: Topology, report: dict[str, Any], sandbox: Sandbox):
    assert report["changes"]
    again = sandbox.outside.json(HALFMETAL, "up", topology.stack, "--json")
    assert set(again["changes"]) <= {"same"}


def test_the_repository_stays_clean(report: dict[str, Any], sandbox: Sandbox):
    assert report["changes"]
    assert sandbox.outside.ok("git", "status", "--porcelain", "--", "stacks", "Pulumi.yaml") == ""


def test_a_cluster_only_where_the_topology_has_one(
    topology: Topology, report: dict[str, Any], sandbox: Sandbox
):
    assert report["changes"]
    urns = sandbox.shell.ok("pulumi", "stack", "-s", topology.stack, "--show-urns")
    assert ("kubernetes:apps/v1:Deployment" in urns) is topology.has_cluster


def test_the_same_text_has_the_same_embedding_in_a_pod_and_in_a_function(sandbox: Sandbox):
    models = {model["name"]: model for model in sandbox.up("hybrid")["outputs"]["models"]}
    body = {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a cat sits outside"]}]}
    pod, function = (_post(f"{models[name]['url']}/infer", body) for name in ("embed", "index"))
    assert pod["outputs"][0]["data"] == pytest.approx(function["outputs"][0]["data"], abs=1e-5)


def test_a_warm_request_of_the_hybrid_stack_meets_no_function(sandbox: Sandbox):
    models = {model["name"]: model for model in sandbox.up("hybrid")["outputs"]["models"]}
    before = _invocations(sandbox)
    _post(
        f"{models['embed']['url']}/infer",
        {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["warm"]}]},
    )
    assert _invocations(sandbox) == before


def test_the_gpu_pod_stands_on_a_gpu_node_of_its_zone(sandbox: Sandbox):
    sandbox.up("hybrid")
    selector = "app.kubernetes.io/name=chat"
    found = sandbox.shell.json(
        "kubectl", "get", "pods", "-n", "halfmetal-hybrid", "-l", selector, "-o", "json"
    )
    pods = found["items"]
    assert pods
    for pod in pods:
        node = sandbox.shell.json("kubectl", "get", "node", pod["spec"]["nodeName"], "-o", "json")
        assert node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "us-east-1a"
        assert int(node["status"]["allocatable"]["nvidia.com/gpu"]) >= 1


def _post(url: str, body: dict[str, Any]) -> dict[str, Any]:
    parts = httpx.URL(url)
    answer = httpx.post(
        parts.copy_with(host="127.0.0.1"),
        json=body,
        headers={"Host": parts.netloc.decode()},
        timeout=30,
        trust_env=False,
    )
    assert answer.status_code == 200, answer.text
    parsed: dict[str, Any] = answer.json()
    return parsed


def _invocations(sandbox: Sandbox) -> int:
    """Log streams and events of every function, counted: a function that runs writes."""
    groups = sandbox.shell.json(
        "aws", "logs", "describe-log-groups", "--log-group-name-prefix", "/aws/lambda/"
    )
    events = [
        sandbox.shell.json("aws", "logs", "filter-log-events", "--log-group-name", group["logGroupName"])
        for group in groups["logGroups"]
    ]
    return sum(len(found["events"]) for found in events)
