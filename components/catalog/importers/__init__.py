"""Brings price lists that others publish into the catalog.

`read` turns a file into figures by their path in the catalog, `compare` says what they change, and `write`
puts them beside the catalog's own files as one batch for each region, with where and when they come from.
"""

from components.catalog.importers.changes import Change, Comparison, Outcome, compare, write
from components.catalog.importers.formats import Format, read
from components.catalog.importers.imported import Imported, ImportedFigure, UnreadableListError

__all__ = [
    "Change",
    "Comparison",
    "Format",
    "Imported",
    "ImportedFigure",
    "Outcome",
    "UnreadableListError",
    "compare",
    "read",
    "write",
]
