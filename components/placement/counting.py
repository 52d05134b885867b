"""What a rule says of several things at once, so that it need not walk through them itself.

Rules ask how many there are and have them listed, through these functions alone. So whoever reads a rule for
other ends than a verdict (an admission policy is made from it) sees what it asks, whatever is in the list.
Each is open to further kinds of lists.
"""

from collections.abc import Mapping
from functools import singledispatch
from types import MappingProxyType
from typing import Any, Final

from components.placement.facts import StateRead

AS_THEY_ARE: Final[Mapping[str, str]] = MappingProxyType({})


@singledispatch
def count(several: Any) -> int:
    """How many there are."""
    return len(several)


@singledispatch
def stores(reads: Any) -> tuple[str, ...]:
    """Names of the stores that are read."""
    return tuple(read.store for read in reads)


@singledispatch
def listed(names: Any, called: Mapping[str, str] = AS_THEY_ARE, between: str = ", ") -> str:
    """Names in a row, each as it is `called`."""
    return between.join(called.get(name, name) for name in names)


@singledispatch
def in_order(names: Any) -> tuple[str, ...]:
    """Names in the order of the alphabet."""
    return tuple(sorted(names))


@singledispatch
def whereabouts(reads: Any) -> str:
    """Each store that is read, with its zones as they are told."""
    return "; ".join(map(_whereabouts, reads))


def _whereabouts(read: StateRead) -> str:
    return f"{read.store} is in {listed(read.zones) or 'no zone'}"


@singledispatch
def milliseconds(nanoseconds: Any) -> str:
    """A time as a reader wants to see it, to three digits."""
    step = 10 ** max(0, len(str(nanoseconds)) - 3)
    rounded = (nanoseconds + step // 2) // step * step
    return f"{rounded / 1e6:.15g}ms"
