"""Checks on one store of shared state."""

from typing import Final

from components.spec.consistency.saying import At, ItemCheck, Problems, outside
from components.spec.stack import Stack
from components.spec.state import StateStore


def _zones(stack: Stack, store: StateStore, at: At) -> Problems:
    yield from outside(stack, store.zones, at)


def _sits_somewhere(stack: Stack, store: StateStore, at: At) -> Problems:
    if store.kind != "weights-store" and not store.zones:
        yield at(
            "zones",
            None,
            f"is missing: a {store.kind} sits in a zone, and who reads it must know which",
            f"add `zones: [{stack.zones[0]}]`",
        )


CHECKS: Final[tuple[ItemCheck[StateStore], ...]] = (_zones, _sits_somewhere)
