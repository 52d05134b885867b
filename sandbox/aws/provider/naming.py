"""Names for resources that were given none: the Pulumi name and a suffix that the engine's seed decides."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sandbox.aws.provider.table.model import Autoname
from sandbox.aws.provider.values import UNKNOWN, Bag

_SUFFIX = 7


@dataclass(frozen=True)
class Proposal:
    """What the engine's own naming configuration says: a name, and whether it must be taken."""

    name: str = ""
    enforced: bool = False
    disabled: bool = False


@dataclass(frozen=True)
class Naming:
    """What a made-up name is made from."""

    resource_name: str
    seed: bytes = b""
    proposal: Proposal = Proposal()
    interrupted: str = ""
    """The name of an attempt whose end is not known: whatever it made has that name."""


def choose(rule: Autoname, naming: Naming, inputs: Bag) -> str | None:
    """The name to use where the program gives none; None where there shall be none."""
    proposal = naming.proposal
    if naming.interrupted and not proposal.enforced:
        return naming.interrupted
    if proposal.name:
        return proposal.name
    if proposal.disabled:
        return None
    prefix = inputs.get(rule.prefix_prop) if rule.prefix_prop else None
    if prefix is UNKNOWN:
        return None
    if isinstance(prefix, str) and prefix:
        return fitted(rule, prefix, "", naming.seed)
    return fitted(rule, rule.prefix + naming.resource_name, rule.separator, naming.seed)


def fitted(rule: Autoname, stem: str, separator: str, seed: bytes) -> str:
    """Stem and suffix within the length that the service allows; the stem gives way."""
    suffix = separator + _random(seed)
    name = stem[: rule.longest - len(suffix)] + suffix
    return name.lower() if rule.lower else name


def _random(seed: bytes) -> str:
    return hashlib.sha256(seed or secrets.token_bytes(16)).hexdigest()[:_SUFFIX]
