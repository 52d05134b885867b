"""The gateway's configuration: routes, limits, and the same text for the same routes."""

import re
from dataclasses import replace
from itertools import permutations

import pytest

from components.data_plane.haproxy import Tail, Twin, Upstream, connections, memory_mib, render
from components.spec import Duration, Memory
from components.spec.consistency.whole import GATEWAY_REQUESTS

EMBED = Upstream("embed", "embed.ns.svc.cluster.local", 8000, 2, 8, "/v2/health/ready")
CHAT = Upstream("chat", "chat.ns.svc.cluster.local", 8080, 1, 16, "/health")
TAIL = Upstream("embed-large", "embed-large.ns.svc.cluster.local", 8000, 1, 4, "/v2/health/ready")

WAITS = Duration.of(5, "m")
TWINNED = replace(EMBED, twin=Twin(queue=4, copies=10))
AWS = Tail("https://abc123.execute-api.us-east-1.amazonaws.com", Memory.parse("6MB"))
PLAIN = Tail("http://abc123.execute-api.localhost:4566", Memory.parse("6MB"))


def section(config: str, name: str) -> str:
    return next(part for part in config.split("\n\n") if part.startswith(name))


@pytest.mark.parametrize(
    ("patience", "server", "stop"),
    [
        pytest.param(WAITS, "300s", "310s", id="five minutes"),
        pytest.param(Duration.of(10, "m"), "600s", "610s", id="ten minutes"),
        pytest.param(Duration.of(1500, "ms"), "2s", "12s", id="never shorter than it says"),
    ],
)
def test_what_is_under_way_has_its_time_also_while_the_gateway_is_replaced(
    patience: Duration, server: str, stop: str
):
    config = render([EMBED], 8080, patience)
    assert f"timeout server {server}\n" in config
    assert f"hard-stop-after {stop}\n" in config


def test_order_of_workloads_does_not_matter():
    assert len({render(order, 8080, WAITS) for order in permutations([EMBED, CHAT, TAIL])}) == 1


def test_listens_on_the_pods_address_and_answers_probes_itself():
    frontend = section(render([EMBED], 9090, WAITS), "frontend data")
    assert 'bind "${POD_IP}:9090"' in frontend
    assert "return status 200 content-type text/plain string ok if { path /healthz }" in frontend


@pytest.mark.parametrize(
    ("path", "backend"),
    [
        ("/v2/models/embed", "model-embed"),
        ("/v2/models/embed/infer", "model-embed"),
        ("/v2/models/embed-large/infer", "model-embed-large"),
        ("/v2/models/embedding", None),
        ("/v2/models", None),
        ("/", None),
    ],
)
def test_a_path_goes_to_its_workload_only(path: str, backend: str | None):
    rules = re.findall(
        r"use_backend (\S+) if \{ path (\S+) \} \|\| \{ path_beg (\S+) \}",
        render([EMBED, TAIL, CHAT], 8080, WAITS),
    )
    taken = [name for name, exact, beginning in rules if path == exact or path.startswith(beginning)]
    assert taken == ([backend] if backend else [])


def test_a_pod_gets_no_more_than_it_works_on_and_the_queue_ends():
    backend = section(render([EMBED, CHAT], 8080, WAITS), "backend model-embed")
    assert "maxconn 8" in backend
    assert "if { queue(model-embed) ge 64 }" in backend
    assert "status 503 content-type application/problem+json" in backend
    assert 'hdr Retry-After "1"' in backend


def test_pods_are_found_by_name_with_room_for_one_being_replaced():
    backend = section(render([EMBED], 8080, WAITS), "backend model-embed")
    assert "server-template pod- 3 embed.ns.svc.cluster.local:8000 resolvers cluster" in backend
    assert "http-check send meth GET uri /v2/health/ready" in backend


@pytest.mark.parametrize(
    ("upstreams", "connections"),
    [
        pytest.param([EMBED], 1000, id="a small gateway has a floor"),
        pytest.param(
            [replace(EMBED, replicas=100)], 2 * (800 + 3200), id="a large one what it can hold, twice"
        ),
    ],
)
def test_connections_follow_what_can_be_held(upstreams: list[Upstream], connections: int):
    assert f"maxconn {connections}\n" in section(render(upstreams, 8080, WAITS), "global")


# What containerd recommends as the hard limit of its containers; EKS's own image has twice as much.
OPEN_FILES = 524_288


def test_the_largest_gateway_that_a_stack_may_have_starts():
    pods = GATEWAY_REQUESTS // 8
    largest = [replace(EMBED, replicas=pods, max_concurrency=8)]
    # Two for each connection, and one for the health check of each pod.
    assert 2 * connections(largest) + pods < OPEN_FILES
    assert memory_mib(largest) < 8 * 1024


def test_memory_grows_with_connections():
    small, large = [EMBED], [replace(EMBED, replicas=100)]
    more = connections(large) - connections(small)
    # A connection holds a buffer of 16 KiB each way, whatever else.
    assert memory_mib(large) - memory_mib(small) >= more * 32 // 1024


def test_inference_is_not_done_twice():
    retried = re.findall(r"retry-on (.+)", render([EMBED], 8080, WAITS))
    assert retried == ["conn-failure"]


def test_no_workload_leaves_a_gateway_that_says_so():
    config = render([], 8080, WAITS)
    assert "use_backend" not in config
    assert "default_backend nowhere" in config


def rules(config: str, workload: str) -> list[tuple[str, str]]:
    """Where the frontend sends a workload's requests, and when, in the order in which it looks."""
    found = re.findall(r"use_backend (\S+) if (.+)", config)
    return [(backend, when) for backend, when in found if backend.endswith(f"-{workload}")]


def test_the_tail_goes_to_the_function_and_everything_else_to_pods():
    found = rules(render([CHAT, TWINNED], 8080, WAITS, AWS), "embed")
    assert [backend for backend, _ in found] == ["tail-embed", "tail-embed", "model-embed"]
    nobody, busy = (when for backend, when in found if backend == "tail-embed")
    assert nobody.startswith("at-embed { nbsrv(model-embed) lt 1 }")
    assert busy.startswith("at-embed { be_conn_free(model-embed) lt 1 } { queue(model-embed) ge 4 }")
    for when in (nobody, busy):
        # Only while it is known where it is, with a copy to spare, and what fits into a call of it.
        assert "{ nbsrv(tail-embed) gt 0 }" in when
        assert "{ be_conn(tail-embed) lt 10 }" in when
        assert "{ req.body_size le 4500000 }" in when


def test_the_tail_is_of_the_workload_that_asks_for_it():
    config = render([TAIL, CHAT, TWINNED], 8080, WAITS, AWS)
    assert re.findall(r"acl (\S+) (.+)", config) == [
        ("at-embed", "path /v2/models/embed"),
        ("at-embed", "path_beg /v2/models/embed/"),
    ]
    assert re.findall(r"^backend (tail-\S+)", config, re.MULTILINE) == ["tail-embed"]


@pytest.mark.parametrize(
    ("tail", "host", "server"),
    [
        pytest.param(
            AWS,
            "abc123.execute-api.us-east-1.amazonaws.com",
            "abc123.execute-api.us-east-1.amazonaws.com:443 maxconn 10 ssl verify required ca-file @system-ca"
            " sni str(abc123.execute-api.us-east-1.amazonaws.com) resolvers cluster",
            id="verified by the name that it is called by",
        ),
        pytest.param(
            PLAIN,
            "abc123.execute-api.localhost:4566",
            "abc123.execute-api.localhost:4566 maxconn 10 resolvers cluster",
            id="at a port of its own, and in the clear where the API is",
        ),
    ],
)
def test_the_function_is_called_by_the_name_of_its_api(tail: Tail, host: str, server: str):
    backend = section(render([TWINNED], 8080, WAITS, tail), "backend tail-embed")
    assert f"http-request set-header Host {host}\n" in backend
    assert f"server function {server}" in backend
    # Each look at its health would be a call that is paid for.
    assert " check" not in backend


def test_without_an_api_before_it_nothing_goes_to_a_twin():
    assert render([TWINNED], 8080, WAITS) == render([EMBED], 8080, WAITS)


def test_what_functions_hold_is_held_by_the_gateway_too():
    many = replace(EMBED, replicas=100)
    assert connections([replace(many, twin=Twin(4, 500))]) == connections([many]) + 2 * 500
