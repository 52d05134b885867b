"""The metal fleet: nodes that exist before any stack does, as they do where machines are rented or owned."""

import itertools
from pathlib import Path
from typing import Any

import yaml

from sandbox.instance import Instance

Node = dict[str, Any]

_FLEET = Path(__file__).parent / "fleet.yaml"
KIND_LABEL = "halfmetal.dev/kind"
POOL_LABEL = "halfmetal.dev/pool"
SELECTOR = f"{KIND_LABEL}=metal"
# Fleet nodes have the upper part of the nodes' addresses 10.N.0.k; the node agent's nodes have the lower.
FIRST_ADDRESS = 200


def nodes(instance: Instance) -> list[Node]:
    """The fleet's Node objects, status included: addresses of this sandbox's own network."""
    fleet = yaml.safe_load(_FLEET.read_text())
    addresses = itertools.count(FIRST_ADDRESS)
    return [
        _node(f"{pool}-{zone}-{number}", instance.address(0, next(addresses)), pool, zone, fleet)
        for pool, facts in fleet["pools"].items()
        for zone, count in facts["nodes"].items()
        for number in range(1, count + 1)
    ]


def is_ready(node: Node) -> bool:
    """Whether a node says that it is Ready."""
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _node(name: str, address: str, pool: str, zone: str, fleet: dict[str, Any]) -> Node:
    facts = fleet["pools"][pool]
    labels = {
        KIND_LABEL: "metal",
        POOL_LABEL: pool,
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": facts["instance"],
        "topology.kubernetes.io/region": fleet["region"],
        "topology.kubernetes.io/zone": zone,
        **facts.get("labels", {}),
    }
    status = {
        "capacity": facts["capacity"],
        "allocatable": facts["capacity"],
        "addresses": [
            {"type": "InternalIP", "address": address},
            {"type": "Hostname", "address": name},
        ],
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": facts.get("taints", [])},
        "status": status,
    }
