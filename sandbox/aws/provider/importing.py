"""Reads the id that a person gives to `pulumi import`, which often is not the id that the engine keeps."""

from __future__ import annotations

import re

from sandbox.aws.provider.errors import ProviderError
from sandbox.aws.provider.table.model import Entry
from sandbox.aws.provider.values import Bag

_PART = re.compile(r"\\\{(\w+)\\\}")


def parts_of(entry: Entry, given: str) -> Bag:
    """The properties that an import id states, by the entry's pattern."""
    if not entry.import_id:
        raise ProviderError(f"{entry.token} cannot be imported: its id does not say enough to find it by")
    pattern = _pattern(entry.import_id)
    match = pattern.fullmatch(given)
    if match is None:
        form = entry.import_id.replace("{", "<").replace("}", ">")
        raise ProviderError(f"{given!r} is not an id of {entry.token} to import: write {form}")
    return dict(match.groupdict())


def _pattern(form: str) -> re.Pattern[str]:
    """Every part but the last ends at the separator that follows it."""
    names = _PART.findall(re.escape(form))
    last = names[-1]
    return re.compile(_PART.sub(lambda m: f"(?P<{m[1]}>{'.+' if m[1] == last else '.+?'})", re.escape(form)))
