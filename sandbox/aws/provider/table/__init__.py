"""The table: one entry per resource type, grouped by service, a service's file read when it is needed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache

from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.table.model import Entry

_PACKAGE = __name__
_TOKEN = re.compile(r"aws:(?P<service>\w+)/\w+:\w+")
_NOT_SERVICES = frozenset({"model", "common"})


def find(token: str) -> Entry:
    """The entry of a type; an error that says what there is where it has none."""
    match = _TOKEN.fullmatch(token)
    service = match["service"] if match else ""
    entry = _entries(service).get(token)
    if entry is None:
        raise ProviderError(_unsupported(token, service))
    return entry


def _unsupported(token: str, service: str) -> str:
    near = sorted(name.rpartition(":")[2] for name in _entries(service))
    knows = f"of {service} it knows {', '.join(near)}" if near else f"it knows {', '.join(modules())}"
    return (
        f"the sandbox's AWS stand-in does not know the resource type {token}; {knows}. "
        f"Add an entry in sandbox/aws/provider/table/{_file(service or 'SERVICE')}.py"
    )


def modules() -> list[str]:
    """The services that have entries, as the SDK names them."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return sorted(name.rstrip("_") for name in names if name not in _NOT_SERVICES)


def all_entries() -> Iterator[Entry]:
    """Every entry of the table."""
    for service in modules():
        yield from _entries(service).values()


@cache
def _entries(service: str) -> dict[str, Entry]:
    if service not in modules():
        return {}
    module = importlib.import_module(f"{_PACKAGE}.{_file(service)}")
    return {entry.token: entry for entry in module.ENTRIES}


def _file(service: str) -> str:
    return "lambda_" if service == "lambda" else service
