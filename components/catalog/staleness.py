"""Which figures are old. The day is an argument: nothing here knows what day it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from components.catalog.catalog import Catalog
from components.catalog.models import ANYWHERE, Provenance
from components.spec.units import Duration

TOO_OLD: Final = Duration.parse("180d")
"""How old a figure may be before it is warned of, where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Figures of one source and day that are older than they may be."""

    source: str
    as_of: date
    age: Duration
    paths: tuple[str, ...]

    def __str__(self) -> str:
        count = len(self.paths)
        what = self.paths[0] if count == 1 else f"{count} figures, {self.paths[0]} among them,"
        verb = "is" if count == 1 else "are"
        return f"{what} {verb} {self.age} old, of {self.as_of} ({self.source})"


def stale(
    catalog: Catalog, today: date, older_than: Duration = TOO_OLD, region: str | None = None
) -> tuple[Stale, ...]:
    """What is older than `older_than` on the day `today`, oldest first; in `region`, if named."""
    found: dict[tuple[date, str], list[str]] = {}
    for path, fact in _sourced(catalog):
        holds = region is None or fact.region in {region, ANYWHERE}
        if holds and _age(fact.as_of, today) > older_than:
            found.setdefault((fact.as_of, fact.source), []).append(path)
    return tuple(
        Stale(source, as_of, _age(as_of, today), tuple(paths))
        for (as_of, source), paths in sorted(found.items())
    )


def _sourced(catalog: Catalog) -> Iterator[tuple[str, Provenance]]:
    for path, place in catalog.places.items():
        yield from ((path, fact) for fact in place.facts)
    yield from ((f"accelerators.{name}", entry) for name, entry in catalog.accelerators.items())
    yield from ((f"instance_types.{name}", entry) for name, entry in catalog.instance_types.items())


def _age(as_of: date, today: date) -> Duration:
    return Duration.of(max((today - as_of).days, 0), "d")
