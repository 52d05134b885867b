"""SkyPilot's catalog of AWS machines: `vms.csv`, a row for each instance type and zone.

Spot prices differ widely between a region's zones: the middle one is taken, and the note says from where to
where they go. Zones count only as ids (`use1-az1`); by letter they are those of whoever made the file.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median_high
from typing import Final

from components.catalog.importers.imported import Imported, ImportedFigure, UnreadableListError, price
from components.catalog.models import Confidence
from components.spec.units import Money, Period

COLUMNS: Final = frozenset({"InstanceType", "Price", "SpotPrice", "Region"})
_ZONE_ID: Final = re.compile(r"[a-z0-9]+-az[0-9]+")


def read_csv(path: Path, as_of: date) -> Imported:
    """The figures of a `vms.csv` that was published on `as_of`; raises UnreadableListError."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        absent = COLUMNS - set(rows.fieldnames or ())
        if absent:
            raise UnreadableListError(path, f"is no SkyPilot catalog: no column {', '.join(sorted(absent))}")
        machines: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
        for number, row in enumerate(rows, 2):
            if None in row or any(row[name] is None for name in COLUMNS):
                raise UnreadableListError(path, "has more or fewer values than there are columns", number)
            machines[row["InstanceType"], row["Region"]].append({**row, "row": str(number)})
    figures = [each for key in sorted(machines) for each in _figures(*key, machines[key], path)]
    if not figures:
        raise UnreadableListError(path, "has no machine with a price")
    return Imported(
        name="skypilot-aws",
        source=f"SkyPilot catalog, {path.name}",
        as_of=as_of,
        confidence=Confidence.SECONDARY,
        figures=tuple(figures),
    )


def _figures(
    instance: str, region: str, rows: list[Mapping[str, str]], path: Path
) -> Iterator[ImportedFigure]:
    steps = ("prices", "instances", instance)
    if on_demand := _prices(rows, "Price", path):
        yield ImportedFigure((*steps, "on_demand"), region, _hourly(max(on_demand)))
    if spot := _prices(rows, "SpotPrice", path):
        spread = f"middle of {len(spot)} zones, {_hourly(min(spot))} to {_hourly(max(spot))}"
        note = spread if len(spot) > 1 else "in its one zone"
        yield ImportedFigure((*steps, "spot"), region, _hourly(median_high(spot)), note)
    zones = {row.get("AvailabilityZone") or "" for row in rows}
    if all(_ZONE_ID.fullmatch(zone) for zone in zones):
        yield ImportedFigure(("zones", instance), region, sorted(zones))


def _prices(rows: list[Mapping[str, str]], column: str, path: Path) -> list[Decimal]:
    return [price(row[column], path, int(row["row"])) for row in rows if row[column]]


def _hourly(dollars: Decimal) -> str:
    return str(Money(dollars, Period.HOUR))
