"""Patches of Kustomize: half an object each, under the whole object's kind and name.

Read for themselves they would be judged for all that they leave out. They belong to the kustomization that
names them, which is unread until it is built.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from policies.audit.sources.files import UnreadableError, read_file
from policies.audit.sources.model import Limits
from policies.reading.bags import fetch, items

FILES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_NAMED: Final = ("patches", "patchesJson6902")
_LISTED: Final = "patchesStrategicMerge"


def patches(file: Path, limits: Limits) -> frozenset[Path]:
    """The files that a kustomization names as patches; none if it cannot be read."""
    from policies.audit.sources.yaml_text import Parsed, loads  # noqa: PLC0415 - yaml only where there is any

    try:
        documents = list(loads(read_file(file, limits), limits))
    except UnreadableError:
        return frozenset()
    found = set()
    for each in documents:
        for name in _names(each.value) if isinstance(each, Parsed) else ():
            with suppress(OSError, ValueError, RuntimeError):  # no path, or a link to itself: no patch either
                found.add(Path(file.parent, name).resolve())
    return frozenset(found)


def _names(kustomization: Any) -> Iterator[str]:
    found = [fetch(patch, "path") for key in _NAMED for patch in items(kustomization, key)]
    for name in [*found, *items(kustomization, _LISTED)]:
        if isinstance(name, str) and "\n" not in name:  # else the patch itself stands there
            yield name
