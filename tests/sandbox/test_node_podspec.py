"""What a pod's spec means for a process: environment, references, quantities, paths."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.node.podspec import (
    ConfigError,
    Mount,
    Place,
    environment,
    expand,
    port_number,
    quantity,
    rewrite,
)

POD: dict[str, Any] = {
    "metadata": {
        "name": "embed-1",
        "namespace": "ml",
        "uid": "u-1",
        "labels": {"app": "embed", "tier": "gold"},
        "annotations": {"halfmetal.dev/home": "pool"},
    },
    "spec": {"nodeName": "node-1", "serviceAccountName": "embed"},
}
PLACE = Place(POD, "10.7.2.9", "10.7.0.3")
MAPS = {"ml/settings": {"MODE": "fast", "SIZE": "3"}}
SECRETS = {"ml/token": {"value": "s3cret"}}


def config_map(namespace: str, name: str) -> Mapping[str, str] | None:
    return MAPS.get(f"{namespace}/{name}")


def secret(namespace: str, name: str) -> Mapping[str, str] | None:
    return SECRETS.get(f"{namespace}/{name}")


def field(path: str) -> dict[str, Any]:
    return {"env": [{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": path}}}]}


@pytest.mark.parametrize(
    ("container", "variables"),
    [
        pytest.param({"env": [{"name": "A", "value": "1"}]}, {"A": "1"}, id="value"),
        pytest.param({"env": [{"name": "A"}]}, {"A": ""}, id="no value is an empty one"),
        pytest.param(
            {"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(C)-$$(A)"}]},
            {"A": "1", "B": "1-$(C)-$(A)"},
            id="references to earlier variables",
        ),
        pytest.param(field("metadata.name"), {"X": "embed-1"}, id="name"),
        pytest.param(field("metadata.namespace"), {"X": "ml"}, id="namespace"),
        pytest.param(field("metadata.labels['tier']"), {"X": "gold"}, id="one label"),
        pytest.param(field("metadata.annotations['halfmetal.dev/home']"), {"X": "pool"}, id="one annotation"),
        pytest.param(field("spec.nodeName"), {"X": "node-1"}, id="node"),
        pytest.param(field("status.podIP"), {"X": "127.7.2.9"}, id="its address, as it is on this machine"),
        pytest.param(field("status.hostIP"), {"X": "127.7.0.3"}, id="its node's address likewise"),
        pytest.param(
            {
                "envFrom": [{"prefix": "P_", "configMapRef": {"name": "settings"}}],
                "env": [{"name": "P_SIZE", "value": "4"}],
            },
            {"P_MODE": "fast", "P_SIZE": "4"},
            id="a ConfigMap's keys, overridden by the container's own",
        ),
        pytest.param(
            {"env": [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}}]},
            {"T": "s3cret"},
            id="a secret's key",
        ),
        pytest.param(
            {
                "env": [
                    {
                        "name": "T",
                        "valueFrom": {"configMapKeyRef": {"name": "gone", "key": "k", "optional": True}},
                    }
                ]
            },
            {},
            id="an optional source that is missing",
        ),
        pytest.param(
            {
                "resources": {"limits": {"cpu": "1500m"}},
                "env": [
                    {
                        "name": "N",
                        "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "0"}},
                    }
                ],
            },
            {"N": "2"},
            id="a limit, rounded up",
        ),
    ],
)
def test_environment(container: dict[str, Any], variables: dict[str, str]):
    assert environment(container, PLACE, config_map, secret) == variables


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        pytest.param({"configMapKeyRef": {"name": "gone", "key": "k"}}, "gone not found", id="no ConfigMap"),
        pytest.param({"configMapKeyRef": {"name": "settings", "key": "k"}}, "find key k", id="no such key"),
        pytest.param(
            {"fieldRef": {"fieldPath": "status.phase"}}, "no field status.phase", id="no such field"
        ),
    ],
)
def test_a_variable_without_a_source_is_an_error(source: dict[str, Any], reason: str):
    with pytest.raises(ConfigError, match=reason):
        environment({"env": [{"name": "X", "valueFrom": source}]}, PLACE, config_map, secret)


def test_an_unknown_reference_stays():
    assert expand("$(NOPE) $HOME $$", {}) == "$(NOPE) $HOME $"


@pytest.mark.parametrize(
    ("text", "number"),
    [("500m", Decimal("0.5")), ("2Gi", Decimal(2**31)), ("1.5k", Decimal(1500)), ("3", Decimal(3))],
)
def test_quantity(text: str, number: Decimal):
    assert quantity(text) == number


def test_a_bad_quantity_is_an_error():
    with pytest.raises(ConfigError, match="12 parsecs"):
        quantity("12 parsecs")


MOUNTS = [
    Mount("/etc/app", Path("/v/app")),
    Mount("/etc/app/tls", Path("/v/tls")),
    Mount("/", Path("/v/root")),
]


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        pytest.param("/etc/app/x.cfg", "/v/app/x.cfg", id="below a mount"),
        pytest.param("/etc/app", "/v/app", id="the mount itself"),
        pytest.param("--config=/etc/app/x", "--config=/v/app/x", id="inside an option"),
        pytest.param("/etc/app/tls/key", "/v/tls/key", id="the longest mount wins"),
        pytest.param("/etc/app:/etc/app/tls", "/v/app:/v/tls", id="a list of paths"),
        pytest.param("/etc/application", "/etc/application", id="a longer name is another path"),
        pytest.param("/my/etc/app/x", "/my/etc/app/x", id="the end of another path"),
        pytest.param("/usr/bin", "/usr/bin", id="a mount at the root is not taken literally"),
    ],
)
def test_rewrite(text: str, rewritten: str):
    assert rewrite(text, MOUNTS) == rewritten


@pytest.mark.parametrize(("port", "number"), [(8000, 8000), ("8000", 8000), ("http", 9000)])
def test_port_number(port: int | str, number: int):
    container = {"name": "c", "ports": [{"name": "http", "containerPort": 9000}]}
    assert port_number(container, port) == number


def test_an_unknown_port_name_is_an_error():
    with pytest.raises(ConfigError, match="no port named grpc"):
        port_number({"name": "c"}, "grpc")
