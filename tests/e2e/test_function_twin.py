"""A function twin in a cluster that was there before: it takes what the pods cannot, and nothing else."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_shell import REPO, Sandbox, request, running, wait_for

pytestmark = pytest.mark.e2e

PODS, FUNCTION = "model-embed", "tail-embed"

# One pod of one request at a time, before which one may wait; one copy of the function.
STACK = """
config:
  aws:region: us-east-1
  halfmetal:stack:
    topology: hybrid
    region: us-east-1
    zones: [us-east-1a, us-east-1b]
    control_plane: {budget: {limit: $50/month, notify: [ops@example.com]}}
    data_plane:
      cluster: {provider: existing, context: halfmetal, managed: true}
      gateway: {port: 8080, replicas: 1, exposure: load-balancer}
      pools:
        - {name: metal-cpu, kind: metal, zones: [us-east-1a, us-east-1b], nodes: {desired: 4}}
    workloads:
      - name: embed
        serve:
          container: {image: "halfmetal/embedder:0.1.0", port: 8000, ready: /v2/health/ready}
          function:
            bundle: examples/embedder
            handler: embedder.function.handler
            memory: 2048MiB
            reserved_concurrency: 1
        needs: {cpu: 1, memory: 1GiB}
        placement: {home: metal, pool: metal-cpu, replicas: 1, max_concurrency: 1, twin: {queue: 1}}
"""
WITHOUT_TWIN = STACK.replace(", twin: {queue: 1}", "")

# Long enough to work on for all requests of a burst to come meanwhile.
TEXTS = ["All work and no play makes Jack a dull boy. " * 40] * 4


@dataclass
class Platform:
    """The stack, deployed, and what its gateway says that it did with each request."""

    sandbox: Sandbox
    file: Path

    def up(self, stack: str, *words: str) -> None:
        """Deploy it."""
        self.file.write_text(stack)
        self._pulumi("up", "--yes", "--skip-preview", *words)

    def is_settled(self) -> None:
        """There is nothing left to do."""
        self._pulumi("preview", "--expect-no-changes", "--diff")

    def _pulumi(self, verb: str, *words: str) -> None:
        stack = ("-s", "hybrid", "--config-file", str(self.file), "--non-interactive")
        self.sandbox.shell.ok("pulumi", verb, *stack, *words)

    @cached_property
    def outputs(self) -> dict[str, Any]:
        """As of the first time that somebody asks."""
        found: dict[str, Any] = self.sandbox.shell.json("pulumi", "stack", "output", "-s", "hybrid", "--json")
        return found

    def ask(self, *texts: str) -> httpx.Response:
        tensor = {"name": "text", "shape": [len(texts)], "datatype": "BYTES", "data": list(texts)}
        return request("POST", f"{self.outputs['models'][0]['url']}/infer", {"inputs": [tensor]})

    def taken_by(self, *answers: httpx.Response) -> list[str]:
        """The backend that took each of these requests. A line of the log may come after the answer."""
        asked = [answer.headers["x-request-id"] for answer in answers]
        wait_for(lambda: set(asked) <= self._log().keys(), "every request is in the gateway's log")
        log = self._log()
        return [log[each] for each in asked]

    def _log(self) -> dict[str, str]:
        lines = [
            json.loads(line)
            for file in (self.sandbox.state / "logs" / "pods").glob("*_gateway-*_haproxy.log")
            for line in file.read_text().splitlines()
            if line.startswith("{") and line.endswith("}")
        ]
        return {line["request"]: line["backend"] for line in lines}

    def scale(self, pods: int) -> None:
        namespace = self.outputs["namespace"]
        self.sandbox.shell.ok("kubectl", "scale", "-n", namespace, "deployment/embed", f"--replicas={pods}")

    def until_taken_by(self, backend: str) -> httpx.Response:
        """Ask, one after the other, until the gateway sends it there; the answer from there."""
        answers: list[httpx.Response] = []

        def taken() -> bool:
            answers.append(self.ask("Is anybody there?"))
            return answers[-1].status_code == httpx.codes.OK and self.taken_by(answers[-1]) == [backend]

        wait_for(taken, f"requests go to {backend}")
        return answers[-1]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    place = tmp_path_factory.mktemp("twin")
    with running(place / "state", "hybrid") as sandbox:
        sandbox.shell.ok("pulumi", "stack", "init", "hybrid", "--non-interactive")
        made = Platform(sandbox, place / "Pulumi.hybrid.yaml")
        made.up(STACK, "--policy-pack", str(REPO / "policies"))
        made.is_settled()
        yield made


def test_outputs_say_what_takes_the_tail(platform: Platform):
    (model,) = platform.outputs["models"]
    assert (model["home"], model["tail"]) == ("metal", "function")
    assert model["path"] == "API Gateway, gateway, pod; tail: function"


def test_with_no_load_nothing_goes_to_the_function(platform: Platform):
    platform.until_taken_by(PODS)
    answers = [platform.ask("One after the other.") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert set(platform.taken_by(*answers)) == {PODS}


def test_in_a_burst_the_function_takes_what_the_pod_cannot_and_no_more_than_it_may(platform: Platform):
    platform.until_taken_by(PODS)
    with ThreadPoolExecutor(max_workers=4) as callers:
        answers = list(callers.map(lambda _: platform.ask(*TEXTS), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
    # One is worked on and one waits. The function takes one, and has no copy for another: that one waits too.
    assert Counter(platform.taken_by(*answers)) == {PODS: 3, FUNCTION: 1}
    first, *others = (answer.json()["outputs"][0]["data"] for answer in answers)
    for other in others:
        assert other == pytest.approx(first, abs=1e-5)


def test_while_no_pod_is_ready_the_function_takes_everything(platform: Platform):
    platform.scale(0)
    try:
        platform.until_taken_by(FUNCTION)
        answer = platform.ask("Nobody is at home.")
        assert (answer.status_code, platform.taken_by(answer)) == (200, [FUNCTION])
    finally:
        platform.scale(1)
    platform.until_taken_by(PODS)


def test_a_twin_is_taken_away_and_given_back_and_no_request_fails(platform: Platform):
    platform.until_taken_by(PODS)
    with _asking_on(platform) as answers:
        platform.up(WITHOUT_TWIN)
        apis = platform.sandbox.shell.json("aws", "apigatewayv2", "get-apis", "--output", "json")["Items"]
        platform.up(STACK)
    assert [api["Name"] for api in apis if "-tail-" in api["Name"]] == []
    assert len(answers) > 10
    assert {answer.status_code for answer in answers} == {200}


@contextmanager
def _asking_on(platform: Platform) -> Iterator[list[httpx.Response]]:
    """Somebody who asks, one request after the other, for as long as the block runs."""
    enough = threading.Event()
    answers: list[httpx.Response] = []

    def ask_on() -> None:
        while not enough.is_set():
            answers.append(platform.ask("Still there?"))

    with ThreadPoolExecutor(max_workers=1) as caller:
        asking = caller.submit(ask_on)
        try:
            yield answers
        finally:
            enough.set()
            asking.result()
