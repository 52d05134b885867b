"""What can be wrong with a catalog or with what is asked of it. Each message says where and what to do."""

from collections.abc import Sequence
from typing import Final

from components.spec.errors import Problem

_REGIONS_NAMED: Final = 6


class CatalogError(Exception):
    """A catalog that cannot answer: a file that cannot be used, or a figure that is not there."""


class MissingFigureError(CatalogError):
    """A figure that the catalog does not have for a region."""

    def __init__(self, path: str, region: str, known: Sequence[str] = ()) -> None:
        self.path = path
        self.region = region
        elsewhere = f" (known for {', '.join(sorted(known)[:_REGIONS_NAMED])})" if known else ""
        self.reason = f"the catalog has no {path} for {region}{elsewhere}"
        self.remedy = (
            "add it to components/catalog/data with its source and day, import a price list that has it "
            f"(`halfmetal catalog refresh`), or set {path} under `catalog:` in the stack file"
        )
        super().__init__(f"{self.reason}; {self.remedy}")

    def problem(self, where: str, subject: str = "") -> Problem:
        """The same as a problem of what stands at `where` in a stack file."""
        return Problem(where, None, f"needs a figure: {self.reason}", self.remedy, subject)


class UnknownFigureError(CatalogError):
    """A path that leads to no figure of the catalog."""

    def __init__(self, path: str, remedy: str) -> None:
        self.path = path
        self.remedy = remedy
        super().__init__(f"{path} is no figure of the catalog; {remedy}")
