"""Plans to make pages of: the example stacks, and those that leave something out or have too much of it."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from components.placement.plan import Plan, plan
from components.spec import load

STACKS = Path(__file__).resolve().parents[2] / "stacks"


def raw(name: str) -> dict[str, Any]:
    """An example stack, to be changed."""
    text = (STACKS / f"Pulumi.{name}.yaml").read_text()
    found: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    return found


def all_homes() -> Plan:
    """Workloads with a choice of every home, two zones, a budget that is not held, nodes that stand idle."""
    return plan(load(of_all_homes()))


def of_all_homes() -> dict[str, Any]:
    """The stack of that plan."""
    stack = raw("hybrid")
    embed, chat, index = stack["workloads"]
    embed["serve"]["function"] = deepcopy(index["serve"]["function"])
    index["serve"]["container"] = deepcopy(embed["serve"]["container"])
    del embed["traffic"]["utilization"]
    chat["latency"]["p99"] = "1s"
    pools = stack["data_plane"]["pools"]
    pools[0]["zones"] = ["us-east-1a", "us-east-1b"]
    metal = {"name": "metal-b", "kind": "metal", "instance": "m7g.metal", "zones": ["us-east-1b"]}
    pools.append(metal | {"nodes": {"desired": 1}})
    return stack


def of_embed(changes: dict[str, Any]) -> Plan:
    """The hybrid stack with `traffic` of `embed` changed; None leaves a fact out."""
    stack = raw("hybrid")
    stack["workloads"][0]["placement"].pop("twin", None)
    traffic = stack["workloads"][0]["traffic"] | changes
    stack["workloads"][0]["traffic"] = {key: value for key, value in traffic.items() if value is not None}
    return plan(load(stack))


def alone() -> Plan:
    """One workload."""
    return plan(load(raw("pure")))


def existing() -> Plan:
    """Nodes that are there already, and have no price."""
    return plan(load(raw("dedicated")))


def no_demand() -> Plan:
    """A workload of whose traffic nothing is known."""
    return of_embed(dict.fromkeys(("rate", "peak", "utilization", "service_time")))


def endless() -> Plan:
    """A workload that gets more requests than its replicas serve."""
    return of_embed({"rate": "2000/s", "peak": "3000/s"})


def seldom() -> Plan:
    """A workload that hardly ever gets a request."""
    return of_embed({"rate": "0.001/day", "peak": "0.001/day", "utilization": "1%"})


def no_prices() -> Plan:
    """A region for which the catalog has no prices."""
    return plan(load(raw("pure") | {"region": "ap-south-2", "zones": ["ap-south-2a", "ap-south-2b"]}))


def many(count: int = 100) -> Plan:
    """As many workloads, with long names, on the nodes of one pool."""
    stack = raw("hybrid")
    embed = stack["workloads"][0]
    names = [f"embed-for-the-team-of-number-{number:03}" for number in range(count)]
    stack["workloads"] = [embed | {"name": name} for name in names]
    stack["data_plane"]["pools"][0]["nodes"] = {"min": 1, "desired": 100, "max": 100}
    return plan(load(stack))


PLANS: dict[str, Callable[[], Plan]] = {
    "all homes": all_homes,
    "one workload": alone,
    "nodes without prices": existing,
    "no demand": no_demand,
    "endless": endless,
    "hardly any requests": seldom,
    "no prices": no_prices,
    "twelve workloads": lambda: many(12),
}
