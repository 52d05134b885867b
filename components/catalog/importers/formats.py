"""Which format a price list has: as it is told, or as its first lines show."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from components.catalog.importers import aws_offer, skypilot
from components.catalog.importers.imported import Imported, UnreadableListError
from components.spec.units import UnitError

_HEAD: Final = 4096


class Format(StrEnum):
    """A format that can be imported."""

    AUTO = "auto"
    AWS_JSON = "aws-json"
    AWS_CSV = "aws-csv"
    SKYPILOT = "skypilot"


def read(path: Path, as_of: date, kind: Format = Format.AUTO) -> Imported:
    """The figures of a price list; `as_of` is the day of a file that does not say its own.

    Raises UnreadableListError for a file that is none, or is broken.
    """
    try:
        found = _recognized(path) if kind is Format.AUTO else kind
        if found is Format.AWS_JSON:
            return aws_offer.read_json(path)
        return aws_offer.read_csv(path) if found is Format.AWS_CSV else skypilot.read_csv(path, as_of)
    except OSError as error:
        raise UnreadableListError(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableListError(path, "is not UTF-8 text") from None
    except UnitError as error:
        raise UnreadableListError(path, f"has a price that {error.message}") from None


def _recognized(path: Path) -> Format:
    with path.open(encoding="utf-8") as file:
        head = file.read(_HEAD).lstrip("\ufeff").lstrip()
    first = head.partition("\n")[0]
    if head.startswith("{"):
        return Format.AWS_JSON
    if first.replace('"', "").startswith("FormatVersion"):
        return Format.AWS_CSV
    if {name.strip().strip('"') for name in first.split(",")} >= skypilot.COLUMNS:
        return Format.SKYPILOT
    raise UnreadableListError(
        path,
        "is no price list that can be imported: neither an offer file of the AWS price list (JSON or CSV) "
        "nor a vms.csv of SkyPilot's catalog",
    )
