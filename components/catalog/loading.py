"""Reads the catalog's YAML files.

Facts that share a source are written as one batch (source, as_of, region and confidence once, then the
facts), so a refresh replaces a batch and its date together; reading spreads the provenance over its members.
Batches may price one thing in several regions; the same thing twice is an error.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.catalog.catalog import Catalog
from components.catalog.errors import CatalogError
from components.catalog.prices import OFFER_PRICES

DATA = Path(__file__).parent / "data"
_VALUE = "value"


@cache
def load(directory: Path = DATA) -> Catalog:
    """Return the catalog kept in `directory`, read once.

    Raises CatalogError, naming each entry that is missing or malformed.
    """
    accelerators = dict(_members(directory / "accelerators.yaml", "accelerators"))
    types = dict(_members(directory / "instance_types.yaml", "types"))
    for entry in types.values():
        _complete_accelerators(entry, accelerators)
    prices = _prices(directory / "prices.yaml")
    instances = prices.setdefault("instances", {})
    for name in types:
        instances.setdefault(name, {})
    prices["providers"] = _providers(directory / "providers.yaml")
    try:
        return Catalog.model_validate(
            {
                "limits": _read(directory / "limits.yaml"),
                "latency": _read(directory / "latency.yaml"),
                "prices": prices,
                "guidance": _read(directory / "guidance.yaml"),
                "accelerators": accelerators,
                "instance_types": types,
            }
        )
    except ValidationError as error:
        raise CatalogError(_describe(error)) from error


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogError(f"{path}: cannot be read: {error}") from error


def _batches(path: Path, members: str) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield (provenance, members) of every batch in a file."""
    batches = _read(path)
    if not isinstance(batches, list):
        raise CatalogError(f"{path}: must be a list of batches, each with source, as_of and {members}")
    for number, batch in enumerate(batches):
        if not isinstance(batch, Mapping) or not isinstance(batch.get(members), Mapping):
            raise CatalogError(f"{path}: batch {number} must have source, as_of and {members}")
        yield {key: value for key, value in batch.items() if key != members}, batch[members]


def _members(path: Path, members: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, entry) of every batch in a file, each entry with its batch's provenance."""
    seen: set[str] = set()
    for provenance, entries in _batches(path, members):
        for name, entry in entries.items():
            if name in seen:
                raise CatalogError(f"{path}: {name} is listed twice; keep the entry with the newer source")
            if not isinstance(entry, Mapping):
                raise CatalogError(f"{path}: {name} must be a mapping, not {entry!r}")
            seen.add(name)
            yield name, {**provenance, "name": name, **entry}


def _prices(path: Path) -> dict[str, Any]:
    """The prices of every batch as one tree, whose leaves are facts by region."""
    tree: dict[str, Any] = {}
    for provenance, entries in _batches(path, "prices"):
        for steps, value in _leaves(entries, ()):
            node = tree
            for step in steps:
                node = node.setdefault(step, {})
            _add(node, _fact(provenance, value), f"{path}: {'.'.join(steps)}")
    return tree


def _providers(path: Path) -> dict[str, Any]:
    """The machines of each provider: what they are, once, and their prices by region."""
    providers: dict[str, Any] = {}
    for provenance, entries in _batches(path, "offers"):
        sourced = {key: value for key, value in provenance.items() if key != "provider"}
        offers = providers.setdefault(str(provenance.get("provider")), {"offers": {}})["offers"]
        for name, entry in entries.items():
            offer = offers.setdefault(name, {})
            for key, value in entry.items():
                if key in OFFER_PRICES:
                    _add(offer.setdefault(key, {}), _fact(sourced, value), f"{path}: {name}.{key}")
                elif offer.setdefault(key, value) != value:
                    raise CatalogError(
                        f"{path}: {name} has another {key} in another batch; name it differently"
                    )
    return providers


def _fact(provenance: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """A figure with its batch's provenance, or with what it says of itself: `{value: …, note: …}`."""
    return {**provenance, **(value if isinstance(value, Mapping) else {_VALUE: value})}


def _add(regions: dict[str, Any], fact: dict[str, Any], what: str) -> None:
    region = str(fact.get("region"))
    if region in regions:
        raise CatalogError(f"{what} for {region} is listed twice; keep the one with the newer source")
    regions[region] = fact


def _leaves(node: Mapping[str, Any], steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, member in node.items():
        here = (*steps, str(name))
        if isinstance(member, Mapping) and _VALUE not in member:
            yield from _leaves(member, here)
        else:
            yield here, member


def _complete_accelerators(entry: dict[str, Any], accelerators: Mapping[str, Mapping[str, Any]]) -> None:
    """Give an instance type's accelerators the memory of their kind, unless the entry states its own."""
    fitted = entry.get("accelerators")
    if not isinstance(fitted, Mapping) or "memory" in fitted:
        return
    kind = accelerators.get(str(fitted.get("type")))
    if kind is None:
        raise CatalogError(f"{entry['name']}: accelerator {fitted.get('type')!r} is not in accelerators.yaml")
    entry["accelerators"] = {**fitted, "memory": kind.get("memory")}


def _describe(error: ValidationError) -> str:
    problems = (f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
    return "the catalog is malformed:\n" + "\n".join(f"  {problem}" for problem in problems)
