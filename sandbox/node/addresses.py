"""Addresses of the sandbox's network, and who has which.

The cluster is told 10.N.x.y, because Kubernetes refuses loopback addresses in EndpointSlices; the process
listens on 127.N.x.y. The third number says what it is: 0 nodes, 1 load balancers, 2 to 127 pods (KWOK has the
upper half for its pretended ones). An address is remembered across restarts, and a freed one is given out
again as late as possible: nobody's cached name leads to a stranger.
"""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from sandbox.files import write_atomically

LOOPBACK, CLUSTER = "127.", "10."
_LAST = 254


class Purpose(Enum):
    """What an address is for: the numbers that its third and fourth parts may have."""

    NODE = (range(1), range(2, 200))
    LOAD_BALANCER = (range(1, 2), range(1, _LAST + 1))
    POD = (range(2, 128), range(1, _LAST + 1))

    def suffixes(self) -> Iterator[str]:
        """Every `x.y` of this purpose, in order."""
        thirds, fourths = self.value
        return (f"{third}.{fourth}" for third, fourth in itertools.product(thirds, fourths))


class NoAddressLeftError(RuntimeError):
    """Every address of a purpose is taken."""


def to_loopback(address: str) -> str:
    """The address on this machine of one that the cluster knows; any other address as it is."""
    return LOOPBACK + address.removeprefix(CLUSTER) if address.startswith(CLUSTER) else address


@dataclass
class AddressBook:
    """Who has which address, kept in one file."""

    octet: int
    path: Path
    _held: dict[Purpose, dict[str, str]] = field(default_factory=dict)
    _last: dict[Purpose, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what was given out before; an unreadable file is as good as none."""
        try:
            kept = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            kept = {}
        for purpose in Purpose:
            self._held[purpose] = dict(kept.get("held", {}).get(purpose.name, {}))
            if last := kept.get("last", {}).get(purpose.name):
                self._last[purpose] = last

    def node_port_address(self) -> str:
        """The one loopback address at which all node ports are open."""
        return f"{LOOPBACK}{self.octet}.0.1"

    def give(self, purpose: Purpose, holder: str) -> str:
        """The holder's address, as the cluster is told: the one it has, or a free one."""
        held = self._held[purpose]
        if holder not in held:
            held[holder] = self._free(purpose)
            self._save()
        return f"{CLUSTER}{self.octet}.{held[holder]}"

    def free(self, purpose: Purpose, holder: str) -> None:
        """Take an address back."""
        if self._held[purpose].pop(holder, None):
            self._save()

    def keep_only(self, purpose: Purpose, holders: Iterable[str]) -> None:
        """Take back the addresses of everyone else: what went away while the agent was not running."""
        keep = set(holders)
        gone = [holder for holder in self._held[purpose] if holder not in keep]
        for holder in gone:
            del self._held[purpose][holder]
        if gone:
            self._save()

    def _free(self, purpose: Purpose) -> str:
        taken = set(self._held[purpose].values())
        order = list(purpose.suffixes())
        start = order.index(self._last[purpose]) + 1 if purpose in self._last else 0
        for suffix in (*order[start:], *order[:start]):
            if suffix not in taken:
                self._last[purpose] = suffix
                return suffix
        raise NoAddressLeftError(f"no address left for another {purpose.name.lower().replace('_', ' ')}")

    def _save(self) -> None:
        table = {
            "held": {purpose.name: held for purpose, held in self._held.items()},
            "last": {purpose.name: last for purpose, last in self._last.items()},
        }
        write_atomically(self.path, json.dumps(table, indent=1, sort_keys=True) + "\n")
