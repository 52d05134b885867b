"""Each topology as a person meets it: one command up, every route answered, nothing left to change."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psutil
import pytest
from inventory import Cloud, differences, held
from misplaced_example import BROKEN
from real_shell import REPO, Deployed, Finished, Sandbox, request, succeeded, wait_for

from components.placement import RULES

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Topology:
    """What one example stack must come to: where each workload is, and through what a client reaches it."""

    stack: str
    homes: dict[str, str]
    paths: dict[str, str]


TOPOLOGIES = [
    Topology("pure", {"embed": "function"}, {"embed": "API Gateway, function"}),
    Topology(
        "hybrid",
        {"embed": "pool", "chat": "pool", "index": "function"},
        {
            "embed": "API Gateway, VPC link, gateway, pod; tail: function",
            "chat": "API Gateway, VPC link, gateway, pod",
            "index": "API Gateway, function",
        },
    ),
    Topology(
        "dedicated",
        {"embed": "metal", "chat": "metal", "index": "metal"},
        {"embed": "gateway, pod", "chat": "gateway, pod", "index": "gateway, pod"},
    ),
]
# Neither a container engine nor a GPU is here: its container is pretended, and nothing can answer for it.
PRETENDED = {"chat"}
ZONE = "topology.kubernetes.io/zone"
SENTENCES: list[str] = json.loads((REPO / "tests" / "embedder" / "sentences.json").read_text())
REFERENCE: list[list[float]] = json.loads((REPO / "tests" / "embedder" / "reference.json").read_text())[
    "embeddings"
]


@pytest.fixture(scope="module", params=TOPOLOGIES, ids=lambda topology: topology.stack)
def topology(request: pytest.FixtureRequest) -> Topology:
    chosen: Topology = request.param
    return chosen


@pytest.fixture(scope="module")
def deployed(topology: Topology, sandbox: Sandbox) -> Deployed:
    return sandbox.deploy(topology.stack)


@pytest.fixture(scope="module")
def hybrid(sandbox: Sandbox) -> Deployed:
    return sandbox.deploy("hybrid")


@pytest.fixture(scope="module")
def dedicated(sandbox: Sandbox) -> Deployed:
    return sandbox.deploy("dedicated")


# -- deployed, and settled -----------------------------------------------------------------------------


def test_workloads_stand_where_the_stack_file_says(topology: Topology, deployed: Deployed):
    assert {name: model["home"] for name, model in deployed.models.items()} == topology.homes
    assert {name: model["path"] for name, model in deployed.models.items()} == topology.paths


def test_every_route_answers(topology: Topology, deployed: Deployed):
    answers = {answer["route"]: answer for answer in deployed.report["requests"]}
    expected = {"GET /health": 200, "GET /models": 200}
    for name in topology.homes:
        infer = 503 if name in PRETENDED else 200
        expected |= {f"GET /models/{name}": 200, f"POST /v2/models/{name}/infer": infer}
    assert {route: answer["status"] for route, answer in answers.items()} == expected
    assert all(answer["first_ms"] > 0 and answer["second_ms"] > 0 for answer in answers.values())


def test_the_policy_pack_finds_nothing(deployed: Deployed):
    assert deployed.report["policy_findings"] == []


def test_second_preview_is_empty(deployed: Deployed):
    succeeded(deployed.preview)


def test_refresh_finds_no_drift(deployed: Deployed):
    succeeded(deployed.refresh)
    succeeded(deployed.preview_after_refresh)


def test_second_up_changes_nothing(deployed: Deployed):
    assert set(_changes(deployed.up)) == {"create"}
    assert set(_changes(deployed.up_again)) == {"same"}


def test_the_stack_files_stay_as_they_are_written(deployed: Deployed):
    def unchanged() -> bool:
        return all(path.read_bytes() == content for path, content in deployed.files.items())

    wait_for(unchanged, "the stack files are as they were")


def _changes(up: Finished) -> dict[str, int]:
    found: dict[str, int] = json.loads(succeeded(up).stdout)["changes"]
    return found


# -- control routes ------------------------------------------------------------------------------------


def test_health_says_who_answers(topology: Topology, deployed: Deployed):
    answer = request("GET", f"{deployed.outputs['url']}/health")
    expected = {"status": "ok", "stack": topology.stack, "topology": topology.stack}
    assert (answer.status_code, answer.json()) == (200, expected)


def test_the_registry_tells_each_model_as_the_outputs_do(topology: Topology, deployed: Deployed):
    api = deployed.outputs["url"]
    told = {name: model | {"topology": topology.stack} for name, model in deployed.models.items()}
    listed = request("GET", f"{api}/models").json()["models"]
    assert {model["name"]: model for model in listed} == told
    assert {name: request("GET", f"{api}/models/{name}").json() for name in told} == told
    for model in told.values():
        assert model["reasons"]
        assert model["home"] not in {refused["home"] for refused in model["refused"]}


def test_a_model_that_is_not_there_is_a_problem_document(deployed: Deployed):
    answer = request("GET", f"{deployed.outputs['url']}/models/nobody")
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["title"]) == (404, 404, "Not Found")
    assert "nobody" in problem["detail"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/v2/models/nobody/infer"])
def test_nothing_is_behind_any_other_path(path: str, deployed: Deployed):
    assert request("GET", f"{deployed.outputs['url']}{path}").status_code == 404


# -- what stands where ---------------------------------------------------------------------------------


def test_a_cluster_only_where_the_topology_has_one(topology: Topology, deployed: Deployed):
    types = {resource["type"] for resource in deployed.state["deployment"]["resources"]}
    in_cluster = {kind for kind in types if kind.startswith("kubernetes:")}
    assert bool(in_cluster) is (topology.stack != "pure")
    assert ("aws:eks/cluster:Cluster" in types) is (topology.stack == "hybrid")


def test_every_resource_says_whose_it_is(topology: Topology, deployed: Deployed):
    tagged = {
        resource["urn"]: resource["outputs"]["tagsAll"]
        for resource in deployed.state["deployment"]["resources"]
        if "tagsAll" in resource.get("outputs", {})
    }
    whose = {"halfmetal:stack": topology.stack, "halfmetal:topology": topology.stack}
    assert len(tagged) > 10
    assert {urn: tags for urn, tags in tagged.items() if not tags.items() >= whose.items()} == {}


def test_pods_run_on_their_pools_nodes_in_its_zone(sandbox: Sandbox, topology: Topology, deployed: Deployed):
    if topology.stack == "pure":
        assert "namespace" not in deployed.outputs
        return
    namespace = deployed.outputs["namespace"]
    owner = sandbox.shell.json("kubectl", "get", "namespace", namespace, "-o", "json")
    assert owner["metadata"]["labels"]["halfmetal.dev/stack"] == topology.stack
    nodes = _by_name(sandbox.shell.json("kubectl", "get", "nodes", "-o", "json"))
    pods = sandbox.shell.json("kubectl", "get", "pods", "-n", namespace, "-o", "json")["items"]
    for name, model in deployed.models.items():
        if "pool" not in model:
            continue
        own = [pod for pod in pods if pod["metadata"]["labels"]["app.kubernetes.io/name"] == name]
        assert len(own) == model["replicas"]
        for pod in own:
            node = nodes[pod["spec"]["nodeName"]]
            labels = node["metadata"]["labels"]
            assert labels["halfmetal.dev/pool"] == model["pool"]
            assert labels[ZONE] == model.get("zone", labels[ZONE])
            asked = pod["spec"]["containers"][0]["resources"].get("limits", {}).get("nvidia.com/gpu", "0")
            assert int(node["status"]["allocatable"].get("nvidia.com/gpu", "0")) >= int(asked)
            assert (int(asked) > 0) is (name == "chat")


def _by_name(listing: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item for item in listing["items"]}


def test_the_services_hold_what_the_engine_knows_and_nothing_else(deployed: Deployed, sandbox: Sandbox):
    """Of all stacks that are deployed by now: they live in one cloud and one cluster."""
    succeeded(deployed.up_again)
    states = [other.state for other in sandbox.deployed.values()]
    assert differences(states, held(sandbox.shell, cluster=True), sandbox.empty) == []


def test_no_token_is_kept(deployed: Deployed):
    assert "k8s-aws-v1" not in json.dumps(deployed.state)


def test_a_stack_with_nothing_in_its_place_is_refused(sandbox: Sandbox):
    """As its README has one see it."""
    shell = replace(sandbox.shell, cwd=REPO / "examples" / "misplaced")
    file = shell.cwd / "Pulumi.misplaced.yaml"
    before = file.read_bytes()
    shell.ok("pulumi", "stack", "init", "misplaced", "--non-interactive")
    try:
        done = shell.run(
            *("pulumi", "preview", "-s", "misplaced", "--policy-pack", "../../policies", "--non-interactive")
        )
    finally:
        shell.ok("pulumi", "stack", "rm", "misplaced", "--yes", "--preserve-config")
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    for name in BROKEN:
        assert f"{name}: " in done.stdout
        assert f"remedy: {RULES[name].remedy}" in done.stdout
    wait_for(lambda: file.read_bytes() == before, "the stack file is as it was")


# -- the data route ------------------------------------------------------------------------------------


def test_the_model_is_the_real_one(topology: Topology, deployed: Deployed):
    """Whatever its home: the embeddings are those that sentence-transformers computed."""
    for name in topology.homes.keys() - PRETENDED:
        rows = deployed.infer(name, *SENTENCES[:2])
        for row, reference in zip(rows, REFERENCE[:2], strict=True):
            assert _cosine(row, reference) > 0.999, name


def test_a_text_has_one_embedding_in_a_pod_and_in_a_function(hybrid: Deployed):
    (pod,) = hybrid.infer("embed", "A cat sits outside.")
    (function,) = hybrid.infer("index", "A cat sits outside.")
    assert pod == pytest.approx(function, abs=1e-5)


def test_a_warm_request_of_the_hybrid_stack_meets_no_function(hybrid: Deployed, sandbox: Sandbox):
    before = _invocations(sandbox)
    hybrid.infer("index", "This one goes to a function, and is seen there.")
    between = _invocations(sandbox)
    hybrid.infer("embed", "This one goes to a pod.")
    assert between == before + 1
    assert _invocations(sandbox) == between


def test_models_on_metal_answer_while_everything_serverless_stands_still(
    dedicated: Deployed, sandbox: Sandbox
):
    with _stopped(sandbox.services()["emulator"]["pid"]):
        assert dedicated.infer("embed", "Nobody else is awake.")


def _cosine(one: list[float], other: list[float]) -> float:
    def product(a: list[float], b: list[float]) -> float:
        return sum(x * y for x, y in zip(a, b, strict=True))

    cosine: float = product(one, other) / (product(one, one) * product(other, other)) ** 0.5
    return cosine


def _invocations(sandbox: Sandbox) -> int:
    """How often any function was called: each call leaves one line of this kind in its log."""
    cloud = Cloud(sandbox.shell)
    groups = cloud.of("logs", "describe_log_groups", "logGroups", "logGroupName")
    messages = [
        message
        for group in groups
        for message in cloud.of("logs", "filter_log_events", "events", "message", logGroupName=group)
    ]
    return sum(message.startswith("START RequestId") for message in messages)


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """A process and its children, standing still."""
    process = psutil.Process(pid)
    everyone = [process, *process.children(recursive=True)]
    try:
        for each in everyone:
            each.send_signal(signal.SIGSTOP)
        yield
    finally:
        for each in everyone:
            each.send_signal(signal.SIGCONT)
