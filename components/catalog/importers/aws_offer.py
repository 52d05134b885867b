"""The AWS price list: the offer file of one service, as JSON or as CSV.

Both are those of the Price List Bulk API (`/offers/v1.0/aws/AmazonEKS/current/us-east-1/index.json`, `.csv`).
In JSON, products and their prices stand apart and share a SKU; in CSV, a row has both, below five rows about
the file. Of a price in tiers the first that costs anything is taken: what comes before it is an allowance.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

from components.catalog.importers.aws_meters import Line, Meter, meters_of
from components.catalog.importers.imported import (
    Imported,
    ImportedFigure,
    UnreadableListError,
    day,
    price,
)
from components.catalog.models import Confidence

_ATTRIBUTES: Final = {
    "usage": "usagetype",
    "group": "group",
    "operation": "operation",
    "instance": "instanceType",
    "system": "operatingSystem",
    "tenancy": "tenancy",
    "software": "preInstalledSw",
    "capacity": "capacitystatus",
    "market": "marketoption",
    "region": "regionCode",
    "from": "fromRegionCode",
}
_COLUMNS: Final = {
    "family": "Product Family",
    "usage": "usageType",
    "group": "Group",
    "operation": "operation",
    "instance": "Instance Type",
    "system": "Operating System",
    "tenancy": "Tenancy",
    "software": "Pre Installed S/W",
    "capacity": "CapacityStatus",
    "market": "MarketOption",
    "region": "Region Code",
    "from": "From Region Code",
}
_PRICE_COLUMNS: Final = ("TermType", "StartingRange", "Unit", "PricePerUnit", "Currency")
_ABOUT_ROWS: Final = 5


@dataclass(frozen=True, slots=True)
class _Priced:
    """One tier of one product's price on demand."""

    line: Line
    unit: str
    starts_at: str
    amount: str
    currency: str
    row: int = 0


@dataclass(slots=True)
class _About:
    """What a file says of itself."""

    offer: str = ""
    published: str = ""
    path: Path = field(default_factory=Path)

    def imported(self, priced: Iterator[_Priced]) -> Imported:
        if not self.offer or not self.published:
            raise UnreadableListError(self.path, "does not say which offer it is and when it was published")
        published: date = day(self.published, self.path)
        figures, ambiguous = _figures(priced, self.path)
        return Imported(
            name=f"aws-{self.offer.lower()}",
            source=f"AWS price list, offer {self.offer}, published {self.published}",
            as_of=published,
            confidence=Confidence.VERIFIED,
            figures=figures,
            ambiguous=ambiguous,
        )


def read_json(path: Path) -> Imported:
    """The figures of an offer file in JSON; raises UnreadableListError."""
    try:
        offer = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnreadableListError(path, f"is not JSON: {error}") from None
    if not isinstance(offer, dict) or not isinstance(offer.get("products"), dict):
        raise UnreadableListError(path, "is no offer file of the AWS price list: it has no products")
    about = _About(str(offer.get("offerCode", "")), str(offer.get("publicationDate", "")), path)
    try:
        return about.imported(_from_json(offer))
    except (AttributeError, TypeError) as error:
        raise UnreadableListError(path, f"is not built as an offer file is: {error}") from None


def _from_json(offer: Mapping[str, Any]) -> Iterator[_Priced]:
    on_demand = offer.get("terms", {}).get("OnDemand", {})
    for sku, product in offer["products"].items():
        attributes = product.get("attributes", {})
        line = {name: str(attributes.get(key, "")) for name, key in _ATTRIBUTES.items()}
        line["family"] = str(product.get("productFamily", ""))
        for term in on_demand.get(sku, {}).values():
            for tier in term.get("priceDimensions", {}).values():
                for currency, amount in tier.get("pricePerUnit", {}).items():
                    yield _Priced(
                        line,
                        str(tier.get("unit", "")),
                        str(tier.get("beginRange", "0")),
                        str(amount),
                        currency,
                    )


def read_csv(path: Path) -> Imported:
    """The figures of an offer file in CSV, read as a stream; raises UnreadableListError."""
    with path.open(encoding="utf-8", newline="") as file:
        about = {row[0]: row[1] for row in islice(csv.reader(file), _ABOUT_ROWS) if len(row) > 1}
        rows = csv.DictReader(file)
        absent = {"usageType", *_PRICE_COLUMNS} - set(rows.fieldnames or ())
        if absent:
            missing = ", ".join(sorted(absent))
            raise UnreadableListError(path, f"is no offer file of the AWS price list: no column {missing}")
        of = _About(about.get("OfferCode", ""), about.get("Publication Date", ""), path)
        return of.imported(_from_csv(rows, path))


def _from_csv(rows: "csv.DictReader[str]", path: Path) -> Iterator[_Priced]:
    for number, row in enumerate(rows, _ABOUT_ROWS + 2):
        if None in row or any(row[name] is None for name in _PRICE_COLUMNS):
            raise UnreadableListError(path, "has more or fewer values than there are columns", number)
        if row["TermType"] == "OnDemand":
            line = {name: row.get(column) or "" for name, column in _COLUMNS.items()}
            yield _Priced(
                line, row["Unit"], row["StartingRange"], row["PricePerUnit"], row["Currency"], number
            )


def _figures(priced: Iterator[_Priced], path: Path) -> tuple[tuple[ImportedFigure, ...], tuple[str, ...]]:
    """One figure for each meter and region, and the figures that there are several prices for."""
    tiers: dict[tuple[tuple[str, ...], str], dict[tuple[str, ...], list[_Priced]]] = {}
    meters: dict[tuple[str, ...], Meter] = {}
    for each in priced:
        for meter in meters_of(each.line):
            region = _region(each, meter, path)
            meters[meter.steps] = meter
            products = tiers.setdefault((meter.steps, region), defaultdict(list))
            products[tuple(each.line.values())].append(each)
    figures, ambiguous = [], []
    for (steps, region), products in sorted(tiers.items()):
        found = (_value(meters[steps], product, path) for product in products.values())
        values = sorted({value for value in found if value is not None})
        if len(values) == 1:
            figures.append(ImportedFigure(steps, region, values[0]))
        elif values:
            ambiguous.append(f"{'.'.join(steps)} for {region}: {', '.join(values)}")
    return tuple(figures), tuple(ambiguous)


def _region(each: _Priced, meter: Meter, path: Path) -> str:
    """The region of a price that the catalog can hold."""
    what = ".".join(meter.steps)
    region = each.line["region"] or each.line["from"]
    if each.currency != "USD":
        raise UnreadableListError(path, f"prices {what} in {each.currency}, not in US dollars", each.row)
    if each.unit.lower() not in meter.unit.spellings:
        raise UnreadableListError(path, f"prices {what} by {each.unit!r}, a unit that is not known", each.row)
    if not region:
        raise UnreadableListError(path, f"does not say for which region it prices {what}", each.row)
    return region


def _value(meter: Meter, tiers: list[_Priced], path: Path) -> str | None:
    """The first price that is not nothing."""
    ordered = sorted(tiers, key=lambda tier: price(tier.starts_at, path, tier.row))
    amounts = (price(tier.amount, path, tier.row) for tier in ordered)
    first = next((amount for amount in amounts if amount), None)
    return None if first is None else meter.unit.figure(first)
