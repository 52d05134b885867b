"""Latency of every way to a model, warm, as a multiple of asking the model's own process.

For a workload whose pods really run: its processes themselves; through the gateway; through the node port
and the gateway; through the front door. For a workload on a function: through the front door. The control
function stands beside them. Each round asks every way, one after the other, with the same body and over
connections that are kept. All of it stays on this machine's loopback.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench.measure import TIMEOUT_S, BenchError, machine, print_json, report, tell, told
from cli.routes import pretended_workloads, routes
from cli.stacks import existing
from components.spec import load_file
from sandbox.engine import Engine
from sandbox.environment import inside
from sandbox.node.addresses import to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cli.routes import Route

# An HTTP API waits no longer for an integration.
_ANSWER_S = 30.0
_HTTP_OK = 200
_LOOPBACK = "127.0.0.1"
_SERVICE_OF_SLICE = "kubernetes.io/service-name"

Address = tuple[str, int]


@dataclass(frozen=True)
class Way:
    """One way to an answer. Connections are spread over its addresses, as a balancer would do it."""

    name: str
    route: Route
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class Latency:
    """Milliseconds of all requests of a way."""

    name: str
    p50: float
    p95: float

    def as_json(self, baseline: Latency) -> dict[str, object]:
        return {
            "way": self.name,
            "p50_ms": round(self.p50, 2),
            "p95_ms": round(self.p95, 2),
            "p50_ratio": round(self.p50 / baseline.p50, 2),
            "p95_ratio": round(self.p95 / baseline.p95, 2),
        }


def main() -> None:
    """Measure and print."""
    arguments = _arguments()
    env = inside(os.environ)
    found = _ways(arguments.stack, env)
    latencies = _measured(found, arguments.requests, arguments.concurrency, arguments.rounds)
    baseline = latencies[0]
    if arguments.json:
        print_json({"stack": arguments.stack, "latency": [one.as_json(baseline) for one in latencies]})
        return
    where = machine()
    report(
        f"{arguments.stack}: {arguments.requests} requests each way, {arguments.concurrency} at a time, "
        f"{where['cores']} cores, load {where['load_average']}",
        ("", "p50", "p95", "p50 ratio", "p95 ratio"),
        [
            (
                one.name,
                f"{one.p50:.1f} ms",
                f"{one.p95:.1f} ms",
                f"{one.p50 / baseline.p50:.2f}",
                f"{one.p95 / baseline.p95:.2f}",
            )
            for one in latencies
        ],
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stack", nargs="?", default="hybrid", help="a deployed stack (default hybrid)")
    parser.add_argument("--requests", type=int, default=200, help="requests each way (default 200)")
    parser.add_argument("--concurrency", type=int, default=4, help="requests at a time (default 4)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that they are spread over (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


# -- ways


def _ways(stack: str, env: Mapping[str, str]) -> list[Way]:
    """The most direct first: it is the baseline of all others."""
    outputs = Engine(env).outputs(stack)
    pretended = pretended_workloads(load_file(existing(stack)))
    there = [route for route in routes(outputs, pretended) if not route.pretended]
    control = next(route for route in there if route.name == "GET /health")
    models = [route for route in there if route.body is not None]
    cluster = _Cluster(outputs["namespace"], env) if outputs.get("namespace") else None
    in_pods = [way for route in models if cluster for way in cluster.ways(route)]
    through = [Way(f"{_workload(route)}: {route.through}", route, (_front(route),)) for route in models]
    return [
        *in_pods,
        *through,
        Way("GET /health: API Gateway, control function", control, (_front(control),)),
    ]


def _workload(route: Route) -> str:
    return urlsplit(route.url).path.split("/")[-2]


def _front(route: Route) -> Address:
    """Where a route's URL leads. Names under .localhost are this machine, but not every resolver knows."""
    parts = urlsplit(route.url)
    host = parts.hostname or ""
    return (_LOOPBACK if host.endswith(".localhost") else host, parts.port or 80)


class _Cluster:
    """Where pods and gateway of a stack listen on this machine."""

    def __init__(self, namespace: str, env: Mapping[str, str]) -> None:
        items = _kubectl(["get", "services,endpointslices", "--namespace", namespace], env)
        self._services = [item for item in items if item["kind"] == "Service"]
        self._slices = [item for item in items if item["kind"] == "EndpointSlice"]
        self._gateway = next(item for item in self._services if item["spec"]["clusterIP"] != "None")

    def ways(self, route: Route) -> Iterator[Way]:
        """The ways inside the cluster to a workload; none to one that runs elsewhere."""
        workload = _workload(route)
        if pods := self._endpoints(workload):
            yield Way(f"{workload}: pod", route, pods)
            yield Way(f"{workload}: gateway, pod", route, self._endpoints(self._gateway["metadata"]["name"]))
            if self._gateway["spec"]["type"] == "NodePort":
                yield Way(f"{workload}: node port, gateway, pod", route, self._node_port())

    def _endpoints(self, service: str) -> tuple[Address, ...]:
        return tuple(
            (to_loopback(address), part["ports"][0]["port"])
            for part in self._slices
            if part["metadata"]["labels"][_SERVICE_OF_SLICE] == service
            for endpoint in part["endpoints"] or ()
            for address in endpoint["addresses"]
        )

    def _node_port(self) -> tuple[Address, ...]:
        network = self._endpoints(self._gateway["metadata"]["name"])[0][0].split(".")[1]
        return ((f"127.{network}.0.1", self._gateway["spec"]["ports"][0]["nodePort"]),)


def _kubectl(arguments: list[str], env: Mapping[str, str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["kubectl", *arguments, "--output", "json"],
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    items: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return items


# -- asking


def _measured(ways: list[Way], requests: int, concurrency: int, rounds: int) -> list[Latency]:
    each = max(1, requests // (concurrency * rounds))
    taken: dict[str, list[float]] = {way.name: [] for way in ways}
    with ThreadPoolExecutor(concurrency) as pool:
        for number in range(rounds):
            for way in ways:
                tell(f"round {number + 1} of {rounds}: {way.name}")
                lots = pool.map(_ask, [way] * concurrency, range(concurrency), [each] * concurrency)
                taken[way.name] += [seconds * 1000 for lot in lots for seconds in lot]
    return [
        Latency(name, statistics.median(lot), statistics.quantiles(lot, n=20)[-1])
        for name, lot in taken.items()
    ]


def _ask(way: Way, worker: int, times: int) -> list[float]:
    """Seconds of each request of one connection. The first one opens it, may meet a cold start, and is not
    among them."""
    host, port = way.addresses[worker % len(way.addresses)]
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        return [_seconds(connection, way) for _ in range(times + 1)][1:]
    except OSError as error:
        raise BenchError(f"{way.name}: {host}:{port}: {error}") from error
    finally:
        connection.close()


def _seconds(connection: http.client.HTTPConnection, way: Way) -> float:
    parts = urlsplit(way.route.url)
    body = None if way.route.body is None else json.dumps(way.route.body)
    headers = {"Host": parts.netloc, "Content-Type": "application/json"}
    started = time.perf_counter()
    connection.request(way.route.method, parts.path, body=body, headers=headers)
    response = connection.getresponse()
    answer = response.read()
    seconds = time.perf_counter() - started
    if response.status != _HTTP_OK:
        raise BenchError(f"{way.name}: status {response.status}: {answer[:200].decode(errors='replace')}")
    return seconds


if __name__ == "__main__":
    told(main)
