"""Names of resources: stable, telling, and within what AWS and Kubernetes allow.

A resource's name begins with its component's name, so the tree of a stack can be read off any list of names.
What AWS makes is named by the engine: that name and a random suffix, so that a replacement can stand beside
what it replaces. Some AWS names may have 32 or 64 characters, so the parts that a person chooses (the stack's
name, a workload's) are cut to a length that always leaves room; a hash of the whole keeps two long names
apart.
"""

import hashlib
import re
from typing import Final

ROOT_AT_MOST: Final = 14
"""Longest root: `<root>-link-nlb` and the engine's suffix must fit a load balancer's 32 characters."""

PART_AT_MOST: Final = 24
"""Longest workload or pool within an AWS name: `<root>-fn-<part>-function` must fit a function's 64."""

_HASH_CHARACTERS: Final = 4
_APART_CHARACTERS: Final = 8


def root(stack: str) -> str:
    """Name that every resource of the stack begins with."""
    return fitted(re.sub(r"[^a-z0-9]+", "-", stack.lower()).strip("-") or "stack", ROOT_AT_MOST, of=stack)


def part(name: str) -> str:
    """A workload's or pool's name as part of the name of an AWS resource."""
    return fitted(name, PART_AT_MOST)


def namespace(root: str, given: str | None) -> str:
    """The namespace in Kubernetes that a stack has everything in: one of its own, or the one it is given."""
    return given or f"halfmetal-{root}"


def fitted(text: str, at_most: int, of: str | None = None) -> str:
    """`text` if it fits and is all of `of`, else its beginning and a hash of the whole."""
    whole = text if of is None else of
    if len(text) <= at_most and text == whole:
        return text
    digest = hashlib.sha256(whole.encode()).hexdigest()[:_HASH_CHARACTERS]
    return f"{text[: at_most - _HASH_CHARACTERS - 1].rstrip('-')}-{digest}"


def slug(text: str) -> str:
    """Any text as lower-case words joined by `-`: the route `GET /models/{name}` is `get-models-name`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "root"


def apart(words: str, of: str) -> str:
    """`words` that another text may be written as too, and a hash of the text that is meant."""
    return f"{words}-{hashlib.sha256(of.encode()).hexdigest()[:_APART_CHARACTERS]}"
