"""Remembers creates, so that an update killed in the middle makes nothing twice and leaves nothing behind.

The engine forgets a resource whose create it never heard the end of, and asks for it again in the next
update. Between the service's answer and the engine's state file lies a moment in which a kill loses the
only record of the id. So each create writes two lines of its own: an *intent* before the call, and the id as
soon as the service has answered. When the same create comes again,

- a name that was made up for it is used again, as the engine's seed for names is a new one;
- an id on record that still exists is adopted;
- an intent without an id means that the answer was lost: the resource is looked for, by its name or by
  listing and comparing (`Find` in the table). What was there before the intent is not it, nor is what is on
  record for another resource.

A record stops being a candidate once the engine shows that it knows the resource, which it does by asking
to check or diff it with its old inputs; so a replacement with unchanged inputs is never mistaken for a
repeated create. Deleting removes the record.

One small file per resource, named by what it belongs to: backend, emulator and URN. Files are written next
to their place and renamed into it, so a kill leaves the old record or the new one, never half of one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.aws.provider.values import Archive, Asset, Bag
from sandbox.files import write_atomically


@dataclass(frozen=True)
class Record:
    """One create: of what, with which inputs, and the id if the service has answered."""

    urn: str
    token: str
    digest: str
    scope: str
    resource_id: str = ""
    known: bool = False
    """The engine has the resource in its state."""
    name: str = ""
    """The name that was made up for it: the next attempt must ask for the same."""
    before: tuple[str, ...] = ()
    """The ids that there were of this kind when the intent was written: none of them is this one."""


@dataclass(frozen=True)
class Ledger:
    """The records of one emulator as one backend sees it (`scope`)."""

    folder: Path
    scope: str

    def get(self, urn: str) -> Record | None:
        """The record of a resource."""
        return _read(self._path(urn))

    def begin(
        self, urn: str, token: str, digest: str, before: Iterable[str] = (), *, name: str = ""
    ) -> Record:
        """Note that a create is about to be asked of the service."""
        return self._write(Record(urn, token, digest, self.scope, name=name, before=tuple(before)))

    def name_of_interrupted(self, urn: str) -> str:
        """The made-up name of a create that the engine never heard the end of."""
        record = self.get(urn)
        return record.name if record and not record.known else ""

    def answered(self, record: Record, resource_id: str) -> Record:
        """Note the id that the service gave."""
        return self._write(replace(record, resource_id=resource_id))

    def engine_knows(self, urn: str, digest: str) -> None:
        """Note that the engine holds the resource that was made with these inputs."""
        record = self.get(urn)
        if record and record.digest == digest and record.resource_id and not record.known:
            self._write(replace(record, known=True))

    def engine_knows_id(self, urn: str, resource_id: str) -> None:
        """Note that the engine holds the resource of this id."""
        record = self.get(urn)
        if record and record.resource_id == resource_id and not record.known:
            self._write(replace(record, known=True))

    def forget(self, urn: str, resource_id: str) -> None:
        """The resource is gone; a record of its successor stays."""
        record = self.get(urn)
        if record and record.resource_id in ("", resource_id):
            self._path(urn).unlink(missing_ok=True)

    def taken(self, token: str, but: str) -> frozenset[str]:
        """The ids of a type that are on record for resources other than `but`, in any backend's scope."""
        return frozenset(
            record.resource_id
            for record in self._records()
            if record.token == token and record.urn != but and record.resource_id
        )

    def _records(self) -> Iterator[Record]:
        if self.folder.is_dir():
            for path in self.folder.glob("*.json"):
                record = _read(path)
                if record:
                    yield record

    def _path(self, urn: str) -> Path:
        name = hashlib.sha256(f"{self.scope}\n{urn}".encode()).hexdigest()[:32]
        return self.folder / f"{name}.json"

    def _write(self, record: Record) -> Record:
        path = self._path(record.urn)
        write_atomically(path, json.dumps(asdict(record), indent=1))
        return record


def _read(path: Path) -> Record | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Record(**{**found, "before": tuple(found.get("before", ()))})
    except (OSError, ValueError, TypeError):
        return None  # not there, or written by another version: then there is nothing to adopt


def digest(inputs: Bag) -> str:
    """The inputs as one short text: the same for the same inputs, and telling nothing of secrets."""
    return hashlib.sha256(json.dumps(_hashable(inputs), sort_keys=True).encode()).hexdigest()


def _hashable(value: Any) -> Any:
    match value:
        case Mapping():
            return {key: _hashable(inner) for key, inner in value.items() if key != "__defaults"}
        case list():
            return [_hashable(item) for item in value]
        case Asset(kind, content, content_hash) | Archive(kind, content, content_hash):
            return content_hash or [kind, str(content)]
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
