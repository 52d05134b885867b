"""Reads the catalog's YAML files.

Types that share a source are written as one batch (`source` once, then `types`), so a refresh replaces a
batch and its date together; reading spreads the source over its members.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.catalog.models import Catalog

DATA = Path(__file__).parent / "data"


class CatalogError(Exception):
    """A catalog file that cannot be used. Says which file, which entry and what is wrong with it."""


@cache
def load(directory: Path = DATA) -> Catalog:
    """Return the catalog kept in `directory`, read once.

    Raises CatalogError, naming each entry that is missing or malformed.
    """
    accelerators = dict(_batches(directory / "accelerators.yaml", "accelerators"))
    types = dict(_batches(directory / "instance_types.yaml", "types"))
    for entry in types.values():
        _complete_accelerators(entry, accelerators)
    try:
        return Catalog.model_validate(
            {
                "limits": _read(directory / "limits.yaml"),
                "latency": _read(directory / "latency.yaml"),
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


def _batches(path: Path, members: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (name, entry) of every batch in a file, each entry with its batch's provenance."""
    batches = _read(path)
    if not isinstance(batches, list):
        raise CatalogError(f"{path}: must be a list of batches, each with source, as_of and {members}")
    seen: set[str] = set()
    for number, batch in enumerate(batches):
        if not isinstance(batch, Mapping) or not isinstance(batch.get(members), Mapping):
            raise CatalogError(f"{path}: batch {number} must have source, as_of and {members}")
        provenance = {key: value for key, value in batch.items() if key != members}
        for name, entry in batch[members].items():
            if name in seen:
                raise CatalogError(f"{path}: {name} is listed twice; keep the entry with the newer source")
            if not isinstance(entry, Mapping):
                raise CatalogError(f"{path}: {name} must be a mapping, not {entry!r}")
            seen.add(name)
            yield name, {**provenance, "name": name, **entry}


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
