"""What the control function answers from: one item a workload, with its home, why, and what was refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_aws import dynamodb

from components.base import Component
from components.placement import Home, Placement

KEY: Final = "name"


@dataclass(frozen=True)
class Entry:
    """One workload as a client sees it."""

    placement: Placement
    url: pulumi.Input[str]
    """Base of its Open Inference Protocol routes, `…/v2/models/<name>`."""
    path: str
    """What a request goes through, in order."""


@dataclass(frozen=True)
class RegistryArgs:
    """What is registered."""

    topology: str
    entries: Sequence[Entry]


class Registry(Component):
    """The table of models.

    Creates: a DynamoDB table, on demand, encrypted, with point-in-time recovery; an item for each workload.
    """

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._table = dynamodb.Table(
            self.child("table"),
            attributes=[{"name": KEY, "type": "S"}],
            hash_key=KEY,
            billing_mode="PAY_PER_REQUEST",
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            opts=self.options(),
        )
        for entry in args.entries:
            self._create_item(args.topology, entry)
        self.register_outputs({"table_name": self.table_name})

    @property
    def table_name(self) -> pulumi.Output[str]:
        return self._table.name

    @property
    def table_arn(self) -> pulumi.Output[str]:
        return self._table.arn

    def _create_item(self, topology: str, entry: Entry) -> None:
        plain = described(entry.placement) | {"topology": topology, "path": entry.path, "url": entry.url}
        attributes = {key: _attribute(value) for key, value in plain.items()}
        dynamodb.TableItem(
            self.child(entry.placement.workload.name),
            table_name=self._table.name,
            hash_key=KEY,
            item=pulumi.Output.json_dumps(attributes, sort_keys=True),
            opts=self.options(),
        )


def described(placement: Placement) -> dict[str, Any]:
    """A placement in the words of the API: where, why, and where not."""
    where: dict[str, Any] = {"name": placement.workload.name, "home": placement.home.value}
    if placement.pool is not None:
        where |= {"pool": placement.pool.name, "replicas": placement.replicas}
    if placement.zone is not None:
        where["zone"] = placement.zone
    if placement.twin is not None:
        where["tail"] = Home.FUNCTION.value
    return where | {
        "reasons": list(placement.reasons),
        "refused": [
            {"home": refusal.home.value, "rule": refusal.rule or "not offered", "reason": refusal.reason}
            for refusal in placement.refused
        ],
    }


def _attribute(value: Any) -> dict[str, Any]:
    """A value as DynamoDB writes it."""
    match value:
        case int():
            return {"N": str(value)}
        case list():
            return {"L": [_attribute(inner) for inner in value]}
        case Mapping():
            return {"M": {key: _attribute(inner) for key, inner in value.items()}}
        case _:
            return {"S": value}
