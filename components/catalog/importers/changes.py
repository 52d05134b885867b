"""What an import changes in the catalog, and the batches that it becomes there."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from components.catalog.catalog import Catalog
from components.catalog.errors import CatalogError
from components.catalog.importers.imported import Imported, ImportedFigure
from components.catalog.loading import IMPORTED, IMPORTS, load
from components.catalog.models import Fact
from components.catalog.regional import Regional

_YAML_WIDTH: Final = 110


class Outcome(StrEnum):
    """What an imported figure does."""

    NEW = "new"
    CHANGED = "changed"
    CONFIRMED = "confirmed"
    """The same as before, of a newer day."""
    OLDER = "older"
    """Of an earlier day than the catalog's, which stays."""


@dataclass(frozen=True, slots=True)
class Change:
    """One imported figure beside the one that the catalog has."""

    figure: ImportedFigure
    old: Fact[Any] | None
    new: Fact[Any]

    @property
    def outcome(self) -> Outcome:
        """What comes of it."""
        if self.old is None:
            return Outcome.NEW
        if self.old.as_of > self.new.as_of:
            return Outcome.OLDER
        return Outcome.CONFIRMED if self.old.value == self.new.value else Outcome.CHANGED


@dataclass(frozen=True, slots=True)
class Comparison:
    """An import beside the catalog."""

    imported: Imported
    changes: tuple[Change, ...]
    left_out: int
    """Figures that the catalog has no place for: instance types that it does not describe."""

    @property
    def kept(self) -> tuple[ImportedFigure, ...]:
        """The figures that would count."""
        return tuple(each.figure for each in self.changes if each.outcome is not Outcome.OLDER)

    def count(self, outcome: Outcome) -> int:
        """How many figures come to this."""
        return sum(each.outcome is outcome for each in self.changes)


def compare(catalog: Catalog, imported: Imported, regions: Iterable[str] = ()) -> Comparison:
    """What an import changes, in the `regions` named, or in every one."""
    wanted = frozenset(regions)
    figures = [each for each in imported.figures if not wanted or each.region in wanted]
    known = [each for each in figures if each.path in catalog.places]
    changes = tuple(_change(catalog, imported, each) for each in known)
    return Comparison(imported, changes, len(figures) - len(known))


def _change(catalog: Catalog, imported: Imported, figure: ImportedFigure) -> Change:
    place = catalog.place(figure.path).figure
    if not isinstance(place, Regional):
        raise CatalogError(f"{figure.path} is the same everywhere, and cannot be imported for a region")
    provenance = {
        "source": imported.source,
        "as_of": imported.as_of,
        "region": figure.region,
        "confidence": imported.confidence,
        "note": figure.note,
    }
    new = place.fact_of({**provenance, "value": figure.value})
    return Change(figure, place.regions.get(figure.region), new)


def write(comparison: Comparison, directory: Path) -> Path:
    """Put what counts into the catalog in `directory`, in a file of its own, and return that file.

    Raises CatalogError where there is no catalog, and leaves nothing behind where it would not load.
    """
    if not (directory / "prices.yaml").is_file():
        raise CatalogError(f"{directory}: is no catalog, it has no prices.yaml")
    imported = comparison.imported
    target = directory / IMPORTS / f"{imported.as_of}-{imported.name}.yaml"
    before = target.read_text(encoding="utf-8") if target.is_file() else None
    target.parent.mkdir(exist_ok=True)
    target.write_text(batches(comparison), encoding="utf-8")
    try:
        load.__wrapped__(directory)
    except CatalogError:
        target.unlink() if before is None else target.write_text(before, encoding="utf-8")
        raise
    return target


def batches(comparison: Comparison) -> str:
    """The import as the catalog's YAML: one batch for each section and region."""
    imported = comparison.imported
    out = []
    for region in imported.regions:
        for section in IMPORTED:
            figures = [each for each in comparison.kept if each.region == region and each.steps[0] == section]
            if figures:
                out.append(
                    {
                        "source": imported.source,
                        "as_of": imported.as_of,
                        "region": region,
                        "confidence": str(imported.confidence),
                        section: _tree(figures),
                    }
                )
    return yaml.safe_dump(out, sort_keys=False, width=_YAML_WIDTH, allow_unicode=True)


def _tree(figures: Iterable[ImportedFigure]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for figure in figures:
        node = tree
        for step in figure.steps[1:-1]:
            node = node.setdefault(step, {})
        plain = figure.value if not figure.note else {"value": figure.value, "note": figure.note}
        node[figure.steps[-1]] = plain
    return tree
