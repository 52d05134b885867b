"""Reads the catalog's YAML files.

Facts that share a source are written as one batch (source, as_of, region and confidence once, then the
facts), so a refresh replaces a batch and its date together; reading spreads the provenance over its members.
Batches may give one figure for several regions; twice for the same one, in one file, is an error. What was
imported lies beside them in `imports/`, a file for each import, and is what counts where it is not older.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml
from pydantic import ValidationError

from components.catalog.catalog import Catalog
from components.catalog.errors import CatalogError
from components.catalog.prices import OFFER_PRICES

DATA: Final = Path(__file__).parent / "data"
IMPORTS: Final = "imports"
IMPORTED: Final = ("prices", "zones")
"""Sections that a file in `imports/` may have."""
_VALUE: Final = "value"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven times as fast, where libyaml is

Tree: TypeAlias = dict[str, Any]
"""Figures by the steps to them; a leaf is the facts of one figure by region."""


@cache
def load(directory: Path = DATA) -> Catalog:
    """Return the catalog kept in `directory`, read once.

    Raises CatalogError, naming each entry that is missing or malformed.
    """
    accelerators = dict(_members(directory / "accelerators.yaml", "accelerators"))
    types = dict(_members(directory / "instance_types.yaml", "types"))
    for entry in types.values():
        _complete_accelerators(entry, accelerators)
    prices, zones = (_with_imports(directory, section) for section in IMPORTED)
    try:
        return Catalog.model_validate(
            {
                "limits": _read(directory / "limits.yaml"),
                "latency": _read(directory / "latency.yaml"),
                "guidance": _read(directory / "guidance.yaml"),
                "distributions": _figures(directory / "distributions.yaml", "distributions"),
                "metering": _read(directory / "metering.yaml"),
                "prices": {
                    **prices,
                    "instances": _of_each(types, prices.get("instances", {})),
                    "providers": _providers(directory / "providers.yaml"),
                },
                "accelerators": accelerators,
                "instance_types": types,
                "zones": _of_each(types, zones),
            }
        )
    except ValidationError as error:
        raise CatalogError(_describe(error)) from error


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise CatalogError(f"{path}: cannot be read: {error}") from error


def _batches(path: Path, *members: str) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield (provenance, members) of every batch in a file: of the first kind of `members` that it has."""
    batches = _read(path)
    if not isinstance(batches, list):
        raise CatalogError(f"{path}: must be a list of batches, each with source, as_of and {members[0]}")
    for number, batch in enumerate(batches):
        kind = next((kind for kind in members if isinstance(batch, Mapping) and kind in batch), None)
        if kind is None or not isinstance(batch[kind], Mapping):
            raise CatalogError(f"{path}: batch {number} must have source, as_of and {members[0]}")
        if kind == members[0]:
            yield {key: value for key, value in batch.items() if key != kind}, batch[kind]


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


def _with_imports(directory: Path, section: str) -> Tree:
    tree = _figures(directory / f"{section}.yaml", section)
    for path in sorted((directory / IMPORTS).glob("*.yaml")):
        tree = _newest(tree, _figures(path, section, *IMPORTED))
    return tree


def _newest(older: Tree, newer: Tree) -> Tree:
    """Both trees as one; where both have a fact, the newer date, and `newer` of two of one day."""
    if "as_of" in older and "as_of" in newer:
        return older if str(older["as_of"]) > str(newer["as_of"]) else newer
    both = {name: _newest(older[name], newer[name]) for name in older if name in newer}
    return {**older, **newer, **both}


def _figures(path: Path, section: str, *others: str) -> Tree:
    """The figures of every batch of a file as one tree."""
    tree: Tree = {}
    for provenance, entries in _batches(path, section, *others):
        for steps, value in _leaves(entries, ()):
            node = tree
            for step in steps:
                node = node.setdefault(step, {})
            _add(node, _fact(provenance, value), f"{path}: {'.'.join(steps)}")
    return tree


def _leaves(node: Mapping[str, Any], steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, member in node.items():
        here = (*steps, str(name))
        if isinstance(member, Mapping) and _VALUE not in member:
            yield from _leaves(member, here)
        else:
            yield here, member


def _of_each(names: Mapping[str, Any], figures: Tree) -> Tree:
    """The figures by name, with a place for each of `names` that has none."""
    return {**{name: {} for name in names}, **figures}


def _providers(path: Path) -> Tree:
    """The machines of each provider: what they are, once, and their prices by region."""
    providers: Tree = {}
    for provenance, entries in _batches(path, "offers"):
        sourced = {key: value for key, value in provenance.items() if key != "provider"}
        offers = providers.setdefault(str(provenance.get("provider")), {"offers": {}})["offers"]
        for name, entry in entries.items():
            if not isinstance(entry, Mapping):
                raise CatalogError(f"{path}: {name} must be a mapping, not {entry!r}")
            offer = offers.setdefault(name, {})
            for key, value in entry.items():
                if key in OFFER_PRICES:
                    _add(offer.setdefault(key, {}), _fact(sourced, value), f"{path}: {name}.{key}")
                elif offer.setdefault(key, value) != value:
                    raise CatalogError(f"{path}: {name} has another {key} in another batch; rename one")
    return providers


def _fact(provenance: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """A figure with its batch's provenance, and with what it says of itself: `{value: …, note: …}`."""
    return {**provenance, **(value if isinstance(value, Mapping) else {_VALUE: value})}


def _add(regions: dict[str, Any], fact: dict[str, Any], what: str) -> None:
    region = str(fact.get("region"))
    if region in regions:
        raise CatalogError(f"{what} for {region} is listed twice; keep the one with the newer source")
    regions[region] = fact


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
