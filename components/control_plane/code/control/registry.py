"""The registry as the control function reads it: one item a workload, written by the deployment."""

import os
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import boto3

TABLE = "REGISTRY_TABLE"
"""The environment variable that names the table."""

# Only what the table is asked for: a control function never writes.
_KEY = "name"


@cache
def _table() -> Any:
    """One client a process, made at the first request: what needs no registry answers without it."""
    return boto3.resource("dynamodb").Table(os.environ[TABLE])


def models() -> list[dict[str, Any]]:
    """Every workload, by name."""
    return sorted(map(_plain, _items()), key=lambda model: str(model[_KEY]))


def model(name: str) -> dict[str, Any] | None:
    """One workload, or None if there is none of that name."""
    item = _table().get_item(Key={_KEY: name}).get("Item")
    return None if item is None else _plain(item)


def _items() -> Iterator[dict[str, Any]]:
    start: dict[str, Any] = {}
    while True:
        page = _table().scan(**start)
        yield from page.get("Items", ())
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _plain(value: Any) -> Any:
    """DynamoDB's numbers are decimals, which JSON does not know; the registry has whole ones only."""
    match value:
        case Decimal():
            return int(value)
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value
