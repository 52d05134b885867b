"""Finds what differs between what a program asks for and what is there.

Three things are held against each other: the new inputs, the state as last read, and the old inputs. The
last are needed for what a program does *not* say: a property that it never set is the service's to decide,
a property that it set once and dropped is a deletion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.aws.provider.normalise import json_document, policy
from sandbox.aws.provider.shapes import text_of
from sandbox.aws.provider.table.model import Entry
from sandbox.aws.provider.values import UNKNOWN, has_unknown

Kind = Literal["add", "update", "delete"]
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Change:
    """One difference: `path` without list positions (the table's), `shown` as the engine displays it."""

    path: str
    shown: str
    kind: Kind


@dataclass(frozen=True)
class Rules:
    """How the properties of one type compare."""

    unordered: frozenset[str]
    computed: frozenset[str]
    normalise: Mapping[str, Callable[[Any], Any]]

    @staticmethod
    def of(entry: Entry) -> Rules:
        forms: dict[str, Callable[[Any], Any]] = dict.fromkeys(entry.json, json_document)
        forms |= dict.fromkeys(entry.policies, policy)
        return Rules(frozenset(entry.unordered), frozenset(entry.computed), forms | dict(entry.normalise))

    def changes(self, new: Any, old: Any, said: Any, path: str, shown: str) -> Iterator[Change]:
        """The differences below one property. `said` is what the old inputs had there."""
        if path in self.normalise and isinstance(new, (str, list)) and old is not None:
            # What has a meaning of its own differs as a whole: there are no properties inside a text.
            if self.normalise[path](new) != self.normalise[path](old):
                yield Change(path, shown, "update")
            return
        if new is UNKNOWN:
            yield Change(path, shown, "add" if blank(old) else "update")
        elif new is None:
            if not blank(said) and not blank(old) and path not in self.computed:
                yield Change(path, shown, "delete")
        elif blank(new) and blank(old):
            return
        elif isinstance(new, dict) and isinstance(old, dict):
            yield from self._in_objects(new, old, said, path, shown)
        elif isinstance(new, list) and isinstance(old, list):
            yield from self._in_lists(new, old, said, path, shown)
        elif not _same_scalar(new, old):
            yield Change(path, shown, "add" if old is None else "update")

    def _in_objects(
        self, new: dict[str, Any], old: dict[str, Any], said: Any, path: str, shown: str
    ) -> Iterator[Change]:
        before = said if isinstance(said, dict) else {}
        for key in sorted(new.keys() | old.keys()):
            yield from self.changes(
                new.get(key), old.get(key), before.get(key), f"{path}.{key}", step(shown, key)
            )

    def _in_lists(self, new: list[Any], old: list[Any], said: Any, path: str, shown: str) -> Iterator[Change]:
        if path in self.unordered and not has_unknown(new):
            yield from self._in_sets(new, old, path, shown)
            return
        before = said if isinstance(said, list) else []
        for index in range(max(len(new), len(old))):
            place = f"{shown}[{index}]"
            if index >= len(old):
                yield Change(path, place, "add")
            elif index >= len(new):
                yield Change(path, place, "delete")
            else:
                then = before[index] if index < len(before) else None
                yield from self.changes(new[index], old[index], then, path, place)

    def _in_sets(self, new: list[Any], old: list[Any], path: str, shown: str) -> Iterator[Change]:
        left = list(range(len(old)))
        for index, item in enumerate(new):
            match = next((j for j in left if self.same(item, old[j], path)), None)
            if match is None:
                yield Change(path, f"{shown}[{index}]", "add")
            else:
                left.remove(match)
        for index in left:
            yield Change(path, f"{shown}[{index}]", "delete")

    def same(self, new: Any, old: Any, path: str) -> bool:
        """Whether what is there is what was asked for, apart from what was not mentioned."""
        return next(self.changes(new, old, new, path, path), None) is None


def blank(value: Any) -> bool:
    """AWS makes no difference between a thing that is not there and one that is empty, all the way down."""
    if isinstance(value, dict):
        return all(blank(inner) for inner in value.values())
    return not value


def _same_scalar(new: Any, old: Any) -> bool:
    if isinstance(new, (dict, list)) or isinstance(old, (dict, list)):
        return bool(new == old)
    if type(new) is type(old) or old is None:
        return bool(new == old)
    if isinstance(new, (str, int, float)) and isinstance(old, (str, int, float)):
        return text_of(new) == text_of(old)
    return bool(new == old)


def step(shown: str, key: str) -> str:
    """One step further down a property path, quoted where the key is not a plain name."""
    if _IDENTIFIER.fullmatch(key):
        return f"{shown}.{key}" if shown else key
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{shown}["{quoted}"]'
