"""The gateway's configuration in HAProxy itself, before real servers that real DNS names."""

import itertools
import os
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

from components.data_plane.haproxy import Upstream, render
from components.spec import Duration
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
        self.go = threading.Event()
        self.go.set()
        self.inside = 0
        pod = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(b"ready")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
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
    # One for all requests: to make one takes longer than a request that waits in the queue may wait.
    client: httpx.Client

    def post(self, path: str) -> httpx.Response:
        return self.client.post(path, content=b"{}")

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)


@pytest.fixture(scope="module")
def haproxy() -> Path:
    return ensure(["gateway"], Progress()).path("haproxy")


@pytest.fixture
def gateway(haproxy: Path, tmp_path: Path) -> Iterator[Gateway]:
    """One pod slot of one request at a time: the queue is four."""
    port, dns_port, pod_port = ports.choose(["gateway", "dns", "pod"], seed=str(tmp_path)).values()
    names = Names()
    dns = DNSServer(names, port=dns_port, address=POD_IP, logger=DNSLogger(log="error"))
    dns.start_thread()
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        render([Upstream("embed", "embed.ns.svc.cluster.local", pod_port, 1, 1, "/ready")], port, WAITS)
    )
    # With a thread for each processor some more slip into a queue that is full, and nobody knows how many.
    (tmp_path / "threads.cfg").write_text("global\n    nbthread 1\n")
    command = [haproxy, "-db", "-f", config, "-f", tmp_path / "threads.cfg"]
    env = {**os.environ, "POD_IP": POD_IP, "NAMESERVER": f"{POD_IP}:{dns_port}"}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://{POD_IP}:{port}", timeout=DEADLINE_S, trust_env=False)
    running = Gateway(names, pod_port, tmp_path / "log", client)
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
def test_configuration_is_valid(haproxy: Path, tmp_path: Path, dns: dict[str, str], count: int):
    config = tmp_path / "haproxy.cfg"
    served = [Upstream(f"m{number}", f"m{number}.ns", 8000, 2, 8, "/ready") for number in range(count)]
    config.write_text(render(served, 8080, WAITS))
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
