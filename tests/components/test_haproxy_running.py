"""The gateway's configuration in HAProxy itself, before real servers that real DNS names."""

import csv
import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from dnslib import RR
from dnslib.server import BaseResolver, DNSLogger, DNSRecord, DNSServer

from components.data_plane.haproxy import Tail, Twin, Upstream, render
from components.spec import Duration, Memory
from components.traffic import Arrivals, ReadOptions, read
from sandbox import ports
from sandbox.progress import Progress
from sandbox.toolchain import ensure

pytestmark = pytest.mark.engine

DEADLINE_S = 60.0
WAITS = Duration.of(5, "m")
POD_IP = "127.0.0.1"


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, or fail by its name."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {DEADLINE_S} s"
        threading.Event().wait(0.02)


class Pod:
    """A model server: ready or not, and answering when it is let."""

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.hosts: list[str] = []
        """What each POST asked for as its host."""
        self.go = threading.Event()
        self.go.set()
        self.inside = 0
        pod = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"ready")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                pod.hosts.append(self.headers["host"])
                pod.inside += 1
                pod.go.wait(DEADLINE_S)
                pod.inside -= 1
                self._answer(pod.address.encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """As a process that ends: who connects next is refused."""
        self.go.set()
        self._server.shutdown()
        self._server.server_close()


class Names(BaseResolver):
    """What cluster DNS says: the addresses of ready pods by the name of their service."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        del handler
        reply = request.reply()
        name = str(request.q.qname).rstrip(".")
        for address in self.addresses.get(name, []):
            reply.add_answer(*RR.fromZone(f"{name}. 1 A {address}"))
        return reply


@dataclass(frozen=True)
class Gateway:
    """A running gateway and what is behind it."""

    names: Names
    port: int
    """That pods serve on."""
    log: Path
    tail_port: int
    stats_port: int
    # One for all requests: to make one takes longer than a request that waits in the queue may wait.
    client: httpx.Client

    def post(self, path: str) -> httpx.Response:
        return self.client.post(path, content=b"{}")

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def waiting(self) -> int:
        """Requests that wait for a pod now."""
        with socket.create_connection((POD_IP, self.stats_port), DEADLINE_S) as asked:
            asked.sendall(b"show stat\n")
            text = asked.makefile().read().removeprefix("# ")
        rows = {(row["pxname"], row["svname"]): row for row in csv.DictReader(text.splitlines())}
        return int(rows["model-embed", "BACKEND"]["qcur"])


@pytest.fixture(scope="module")
def haproxy() -> Path:
    return ensure(["gateway"], Progress()).path("haproxy")


TWIN = Twin(queue=1, copies=1)
API = "api1.execute-api.example"


@pytest.fixture
def twin() -> Twin | None:
    """None, but where a test says otherwise."""
    return None


@pytest.fixture
def gateway(haproxy: Path, tmp_path: Path, twin: Twin | None) -> Iterator[Gateway]:
    """One pod slot of one request at a time: the queue is four."""
    chosen = ports.choose(["gateway", "dns", "pod", "tail", "stats"], seed=str(tmp_path))
    port, dns_port, pod_port, tail_port, stats_port = chosen.values()
    names = Names()
    dns = DNSServer(names, port=dns_port, address=POD_IP, logger=DNSLogger(log="error"))
    dns.start_thread()
    config = tmp_path / "haproxy.cfg"
    embed = Upstream("embed", "embed.ns.svc.cluster.local", pod_port, 1, 1, "/ready", twin)
    config.write_text(render([embed], port, WAITS, Tail(f"http://{API}:{tail_port}", Memory.parse("4KiB"))))
    # With a thread for each processor some more slip into a queue that is full, and nobody knows how many.
    (tmp_path / "tested.cfg").write_text(
        f"global\n    nbthread 1\n    stats socket ipv4@{POD_IP}:{stats_port}\n"
    )
    command = [haproxy, "-db", "-f", config, "-f", tmp_path / "tested.cfg"]
    env = {**os.environ, "POD_IP": POD_IP, "NAMESERVER": f"{POD_IP}:{dns_port}"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://{POD_IP}:{port}", timeout=DEADLINE_S, trust_env=False)
    running = Gateway(names, pod_port, tmp_path / "log", tail_port, stats_port, client)
    try:
        until(lambda: process.poll() is None and _answers(running), "the gateway answers")
        yield running
    finally:
        client.close()
        process.kill()
        process.wait()
        dns.stop()


def _answers(gateway: Gateway) -> bool:
    try:
        return gateway.get("/healthz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    "dns", [{}, {"NAMESERVER": "127.0.0.1:53"}], ids=["the pod's own DNS", "another DNS"]
)
@pytest.mark.parametrize("count", [0, 1, 30])
@pytest.mark.parametrize(
    "tail", [None, f"http://{API}:4566", f"https://{API}"], ids=["no twins", "twins", "twins behind TLS"]
)
def test_configuration_is_valid(
    haproxy: Path, tmp_path: Path, dns: dict[str, str], count: int, tail: str | None
):
    config = tmp_path / "haproxy.cfg"
    served = [Upstream(f"m{number}", f"m{number}.ns", 8000, 2, 8, "/ready", TWIN) for number in range(count)]
    config.write_text(render(served, 8080, WAITS, None if tail is None else Tail(tail, Memory.parse("6MB"))))
    env = {**os.environ, "POD_IP": POD_IP, **dns}
    checked = subprocess.run(
        [haproxy, "-c", "-f", config], env=env, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr


def test_pods_come_and_go_by_name(gateway: Gateway):
    assert gateway.get("/v2/models/embed").status_code == httpx.codes.SERVICE_UNAVAILABLE
    pods = [Pod(address, gateway.port) for address in ("127.0.0.2", "127.0.0.3")]
    try:
        for pod in itertools.chain(pods, pods[:1]):
            gateway.names.addresses["embed.ns.svc.cluster.local"] = [pod.address]
            until(
                lambda wanted=pod.address: gateway.post("/v2/models/embed/infer").text == wanted,  # type: ignore[misc]
                f"requests go to {pod.address}",
            )
    finally:
        for pod in pods:
            pod.stop()


def test_what_no_model_serves_is_told_so(gateway: Gateway):
    answer = gateway.get("/v2/models/nobody")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "no model of the data plane is at this path"


def test_its_log_is_read_as_the_traffic_of_its_workloads(gateway: Gateway):
    """By `halfmetal profile`, from the lines that HAProxy itself has written."""
    pod = Pod("127.0.0.6", gateway.port)
    gateway.names.addresses["embed.ns.svc.cluster.local"] = [pod.address]
    answers: list[httpx.Response] = []
    begun = time.time()

    def ask() -> bool:
        answers.append(gateway.post("/v2/models/embed/infer"))
        return answers[-1].status_code == httpx.codes.OK

    until(ask, "the pod is found")
    for _ in range(5):
        ask()
    gateway.get("/v2/models/nobody")
    pod.stop()
    # A line may come after the answer that it is about.
    until(lambda: gateway.log.read_text().count('"backend":') == len(answers) + 1, "every request is logged")
    ended = time.time()
    trace = read(gateway.log, options=ReadOptions(path="/v2/models/embed"))
    assert isinstance(trace, Arrivals)
    assert (trace.format, trace.absolute) == ("haproxy", True)
    assert len(trace.times_ns) == len(answers)
    assert trace.service_s is not None
    served = trace.service_s[~np.isnan(trace.service_s)]
    assert len(served) >= 6
    assert (served <= ended - begun).all()
    # Its lines say the time in whole seconds.
    assert begun - 1 <= trace.times_ns[-1] / 1e9 <= ended


def test_a_full_queue_turns_the_next_away_at_once(gateway: Gateway):
    pod = Pod("127.0.0.4", gateway.port)
    gateway.names.addresses["embed.ns.svc.cluster.local"] = [pod.address]
    until(lambda: gateway.post("/v2/models/embed/infer").status_code == httpx.codes.OK, "the pod is found")
    pod.go.clear()
    refused: list[httpx.Response] = []
    served: list[httpx.Response] = []

    def ask() -> None:
        answer = gateway.post("/v2/models/embed/infer")
        (served if answer.status_code == httpx.codes.OK else refused).append(answer)

    # One is worked on and four wait.
    asking = [threading.Thread(target=ask) for _ in range(20)]
    try:
        for thread in asking:
            thread.start()
        until(lambda: len(refused) == 20 - 5, "the others are turned away")
        assert not served
    finally:
        pod.go.set()
        for thread in asking:
            thread.join(DEADLINE_S)
        pod.stop()
    assert len(served) == 5
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "1")}


def test_who_hangs_up_is_dropped(gateway: Gateway):
    pod = Pod("127.0.0.5", gateway.port)
    gateway.names.addresses["embed.ns.svc.cluster.local"] = [pod.address]
    until(lambda: gateway.post("/v2/models/embed/infer").status_code == httpx.codes.OK, "the pod is found")
    pod.go.clear()
    first = threading.Thread(target=lambda: gateway.post("/v2/models/embed/infer"))
    try:
        first.start()
        until(lambda: pod.inside == 1, "one is being worked on")
        with pytest.raises(httpx.ReadTimeout):
            gateway.client.post("/v2/models/embed/infer", timeout=httpx.Timeout(DEADLINE_S, read=0.3))
        # C: ended by the client, while no pod is free for it yet.
        until(lambda: '"ended":"C' in gateway.log.read_text(), "the gateway has seen it hang up")
    finally:
        pod.go.set()
        first.join(DEADLINE_S)
    assert gateway.post("/v2/models/embed/infer").status_code == httpx.codes.OK
    pod.stop()


class Burst:
    """Requests that are sent one after the other and not waited for."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.answers: list[httpx.Response] = []
        self._asking: list[threading.Thread] = []

    def ask(self, body: bytes = b"{}") -> None:
        def send() -> None:
            self.answers.append(self.gateway.client.post("/v2/models/embed/infer", content=body))

        self._asking.append(threading.Thread(target=send))
        self._asking[-1].start()

    def end(self) -> list[tuple[int, str]]:
        """Status and text of every answer, in the order in which they came."""
        for thread in self._asking:
            thread.join(DEADLINE_S)
        return [(answer.status_code, answer.text) for answer in self.answers]


@pytest.fixture
def twinned(gateway: Gateway) -> Iterator[tuple[Gateway, Pod, Pod]]:
    """A gateway that has found a pod, and the function that takes its tail."""
    pod, function = Pod("127.0.0.7", gateway.port), Pod("127.0.0.8", gateway.tail_port)
    gateway.names.addresses |= {"embed.ns.svc.cluster.local": [pod.address], API: [function.address]}
    try:
        until(lambda: _taken_by(gateway, pod), "the pod is found")
        yield gateway, pod, function
    finally:
        pod.stop()
        function.stop()


def _taken_by(gateway: Gateway, pod: Pod) -> bool:
    answer = gateway.post("/v2/models/embed/infer")
    return (answer.status_code, answer.text) == (httpx.codes.OK, pod.address)


@pytest.mark.parametrize("twin", [TWIN])
def test_the_function_takes_the_tail_as_far_as_it_may(twinned: tuple[Gateway, Pod, Pod]):
    gateway, pod, function = twinned
    burst = Burst(gateway)
    asked_before = len(function.hosts)
    pod.go.clear()
    function.go.clear()
    try:
        burst.ask()
        until(lambda: pod.inside == 1, "the pod is busy")
        burst.ask()
        until(lambda: gateway.waiting() == 1, "one waits, as many as may")
        burst.ask()
        until(lambda: function.inside == 1, "the function has one")
        burst.ask()
        until(lambda: gateway.waiting() == 2, "the next one waits: the function has no copy for it")
        function.go.set()
        until(lambda: len(burst.answers) == 1, "the function has answered")
        # What it takes is three quarters of its 4 KiB, as bytes come to it in base64.
        burst.ask(b"x" * 3073)
        until(lambda: gateway.waiting() == 3, "what is too large for the function waits")
        burst.ask(b"x" * 3072)
        until(lambda: len(burst.answers) == 2, "the function has answered again")
    finally:
        pod.go.set()
        function.go.set()
    answers = burst.end()
    assert answers[:2] == [(200, function.address)] * 2
    assert answers[2:] == [(200, pod.address)] * 4
    assert function.hosts[asked_before:] == [f"{API}:{gateway.tail_port}"] * 2


@pytest.mark.parametrize("twin", [TWIN])
def test_while_no_pod_is_ready_everything_is_tail(twinned: tuple[Gateway, Pod, Pod]):
    gateway, pod, function = twinned
    pod.stop()
    until(lambda: _taken_by(gateway, function), "requests go to the function")
    successor = Pod(pod.address, gateway.port)
    try:
        until(lambda: _taken_by(gateway, successor), "requests go to a pod again")
    finally:
        successor.stop()


@pytest.mark.parametrize("twin", [TWIN])
def test_a_function_that_cannot_be_reached_is_told_so(twinned: tuple[Gateway, Pod, Pod]):
    gateway, pod, function = twinned
    pod.stop()
    until(lambda: _taken_by(gateway, function), "requests go to the function")
    function.stop()
    answer = gateway.post("/v2/models/embed/infer")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "no replica could take it, nor could its function"


def test_a_workload_without_a_twin_waits_for_its_pod(twinned: tuple[Gateway, Pod, Pod]):
    gateway, pod, function = twinned
    burst = Burst(gateway)
    pod.go.clear()
    for _ in range(5):
        burst.ask()
    until(lambda: gateway.waiting() == 4, "all but one wait")
    pod.go.set()
    assert burst.end() == [(200, pod.address)] * 5
    assert function.hosts == []
