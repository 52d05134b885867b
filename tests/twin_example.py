"""A hybrid stack in which one workload has a function twin, and ways to change that workload."""

from collections.abc import Mapping
from typing import Any

from components.placement import Placements, decide
from components.spec import Stack, load
from tests.spec.stack_examples import HYBRID, changed

EMBED = "workloads[0]"
_PLAIN: Mapping[str, object] = {
    f"{EMBED}.compliance": [],
    f"{EMBED}.latency": {"p99": "300ms"},
    f"{EMBED}.placement.twin": {},
    "policies": {},
}


def twinned(changes: Mapping[str, Any] | None = None) -> Stack:
    """The stack, with other values at some paths of its first workload, `embed`."""
    own = {f"{EMBED}.{path}": value for path, value in (changes or {}).items()}
    return load(changed(changed(HYBRID, _PLAIN), own))


def placed(changes: Mapping[str, Any] | None = None) -> Placements:
    """The same, decided."""
    return decide(twinned(changes))
