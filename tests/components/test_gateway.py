"""The gateway's pods: they have the memory for what their configuration lets in."""

import re

import pytest
from recording import record

from components.data_plane.gateway import Gateway, GatewayArgs
from components.data_plane.haproxy import Upstream
from components.spec import Duration


@pytest.mark.parametrize(
    ("replicas", "memory"),
    [
        pytest.param(2, ("128Mi", "256Mi"), id="a small gateway has a floor"),
        pytest.param(1000, ("1337Mi", "2675Mi"), id="a large one 33 KiB a connection, half of it for sure"),
    ],
)
def test_memory_follows_connections(replicas: int, memory: tuple[str, str]):
    embed = Upstream("embed", "embed.ns.svc.cluster.local", 8000, replicas, 8, "/ready")
    args = GatewayArgs("ns", "haproxy:2.8", 8080, 2, "vpc-link", 30080, Duration.of(5, "m"), (embed,), ())
    made = record(lambda: Gateway("gateway", args))
    (container,) = made.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]["containers"]
    given = container["resources"]
    assert (given["requests"]["memory"], given["limits"]["memory"]) == memory
    config = made.one("kubernetes:core/v1:ConfigMap").inputs["data"]["haproxy.cfg"]
    (most,) = re.findall(r"^    maxconn (\d+)$", config, re.MULTILINE)
    assert int(most) * 33 / 1024 < int(memory[1].removesuffix("Mi"))
