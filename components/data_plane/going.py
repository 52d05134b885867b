"""How pods go: what they are working on is finished first, and the engine waits as long."""

import math
from typing import Final

from components.spec import Duration

# What the Kubernetes provider gives a deletion by itself. Pods are deleted along, and have their own time.
_DELETED_SECONDS: Final = 600


def whole_seconds(duration: Duration) -> int:
    """In whole seconds, as HAProxy and the kubelet take it; never shorter."""
    return math.ceil(duration.seconds)


def until_gone(grace_seconds: int) -> str:
    """How long the engine waits for the end of pods that have so long to finish, all at once."""
    return f"{grace_seconds + _DELETED_SECONDS}s"
