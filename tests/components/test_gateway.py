"""The gateway's pods: they have the memory for what their configuration lets in, and roll when it changes."""

import re
from dataclasses import replace

import pytest
from recording import Recording, record

from components.data_plane.gateway import Gateway, GatewayArgs, TailArgs
from components.data_plane.haproxy import Twin, Upstream
from components.spec import Duration, Memory

EMBED = Upstream("embed", "embed.ns.svc.cluster.local", 8000, 2, 8, "/ready")


@pytest.mark.parametrize(
    ("replicas", "memory"),
    [
        pytest.param(2, ("128Mi", "256Mi"), id="a small gateway has a floor"),
        pytest.param(1000, ("1337Mi", "2675Mi"), id="a large one 33 KiB a connection, half of it for sure"),
    ],
)
def test_memory_follows_connections(replicas: int, memory: tuple[str, str]):
    made = _made(replace(EMBED, replicas=replicas))
    (container,) = made.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]["spec"]["containers"]
    given = container["resources"]
    assert (given["requests"]["memory"], given["limits"]["memory"]) == memory
    config = made.one("kubernetes:core/v1:ConfigMap").inputs["data"]["haproxy.cfg"]
    (most,) = re.findall(r"^    maxconn (\d+)$", config, re.MULTILINE)
    assert int(most) * 33 / 1024 < int(memory[1].removesuffix("Mi"))


def _made(embed: Upstream, tail: TailArgs | None = None) -> Recording:
    args = GatewayArgs(
        "ns", "haproxy:2.8", 8080, 2, "vpc-link", 30080, Duration.of(5, "m"), (embed,), (), tail
    )
    return record(lambda: Gateway("gateway", args))


def test_another_configuration_has_another_name_and_the_pods_have_it():
    tail = TailArgs("https://api.example.com", Memory.parse("6MB"))
    few, many = (_made(replace(EMBED, twin=Twin(queue, 10)), tail) for queue in (4, 8))
    names = []
    for made, queue in ((few, 4), (many, 8)):
        config = made.one("kubernetes:core/v1:ConfigMap").inputs
        assert f"queue(model-embed) ge {queue}" in config["data"]["haproxy.cfg"]
        pod = made.one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]
        (volume,) = pod["spec"]["volumes"]
        names.append(config["metadata"]["name"])
        assert volume["configMap"]["name"] == names[-1]
        assert names[-1] == f"gateway-{pod['metadata']['annotations']['halfmetal.dev/config']}"
    assert names[0] != names[1]
