"""What was read from a price list, in the catalog's terms."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeAlias

from components.catalog.errors import CatalogError
from components.catalog.models import Confidence

Value: TypeAlias = str | list[str]


class UnreadableListError(CatalogError):
    """A file that is no price list of a known format, or is a broken one: says where and what."""

    def __init__(self, path: Path, what: str, line: int = 0) -> None:
        super().__init__(f"{path}{f':{line}' if line else ''}: {what}")


@dataclass(frozen=True, slots=True)
class ImportedFigure:
    """One figure for one region."""

    steps: tuple[str, ...]
    """The way to it from the top of the catalog; the first step is the section."""
    region: str
    value: Value
    note: str = ""

    @property
    def path(self) -> str:
        """As a person names it."""
        return ".".join(self.steps)


@dataclass(frozen=True, slots=True)
class Imported:
    """What one file says."""

    name: str
    """Short and fit for a file name: `aws-amazonec2`."""
    source: str
    as_of: date
    confidence: Confidence
    figures: tuple[ImportedFigure, ...]
    ambiguous: tuple[str, ...] = ()
    """Figures that the file has several prices for, none of which was taken."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Every region that it has a figure for."""
        return tuple(sorted({figure.region for figure in self.figures}))

    def in_region(self, region: str) -> Iterator[ImportedFigure]:
        """The figures of one region."""
        return (figure for figure in self.figures if figure.region == region)


def price(text: str, path: Path, line: int = 0) -> Decimal:
    """A price that is a number, finite and not negative; raises UnreadableListError."""
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise UnreadableListError(path, f"{text!r} is no price", line) from None
    if not amount.is_finite() or amount < 0:
        raise UnreadableListError(path, f"{text!r} is no possible price", line)
    return amount


def day(text: str, path: Path) -> date:
    """The day of a time as AWS writes it: `2026-09-18T20:14:17Z`; raises UnreadableListError."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise UnreadableListError(path, f"publication date {text!r} is no date") from None
