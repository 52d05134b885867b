"""What an update would do: which properties change, how, and whether the resource must be replaced."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.aws.provider.compare import Change, Rules
from sandbox.aws.provider.table.model import Entry
from sandbox.aws.provider.values import Bag, has_unknown

DEFAULTS = "__defaults"


@dataclass(frozen=True)
class Diff:
    """The changes in order of their paths; `replacing` are those that cannot be made in place."""

    changes: tuple[Change, ...] = ()
    replacing: frozenset[str] = field(default_factory=frozenset)
    delete_before_replace: bool = False

    @property
    def properties(self) -> tuple[str, ...]:
        """The top-level properties that change."""
        return tuple(dict.fromkeys(change.path.split(".")[0] for change in self.changes))


def diff(entry: Entry, old_inputs: Bag, old_state: Bag, news: Bag) -> Diff:
    """Compare the new inputs with what is there."""
    rules = Rules.of(entry)
    changes: list[Change] = []
    for name in sorted((news.keys() | old_inputs.keys()) - {DEFAULTS}):
        # The state begins with the inputs, so what it does not hold has been found not to be there.
        changes += rules.changes(news.get(name), old_state.get(name), old_inputs.get(name), name, name)
    if not changes:
        return Diff()
    by_value = tuple(entry.replace_if(old_state, news)) if entry.replace_if else ()
    forcing = (*entry.replace, *by_value)
    replacing = frozenset(change.shown for change in changes if _forces(change, forcing))
    return Diff(tuple(changes), replacing, bool(replacing) and _must_go_first(entry, old_state, news))


def _forces(change: Change, forcing: tuple[str, ...]) -> bool:
    """A property forces for all that is below it; an object that comes or goes, for all it holds."""
    return any(
        change.path == path
        or change.path.startswith(f"{path}.")
        or (change.kind != "update" and path.startswith(f"{change.path}."))
        for path in forcing
    )


def _must_go_first(entry: Entry, old_state: Bag, news: Bag) -> bool:
    """Two resources of one identity cannot exist together, so the old one goes first.

    A name that was made up here does not count: the replacement gets one of its own.
    """
    if entry.delete_before_replace:
        return True
    if not entry.identity:
        return False
    made_up = set(news.get(DEFAULTS, ()))
    if entry.autoname and entry.autoname.prop in entry.identity and entry.autoname.prop in made_up:
        return False
    rules = Rules.of(entry)
    return all(
        not has_unknown(news.get(name)) and rules.same(news.get(name), old_state.get(name), name)
        for name in entry.identity
    )
