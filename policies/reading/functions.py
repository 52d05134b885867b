"""Functions: how they are bounded, and whether they are of the kind that runs on instances."""

from collections.abc import Mapping
from typing import Any, Final

from components.catalog import load as load_catalog
from components.placement import UNRESERVED, Home
from policies.reading.bags import ABSENT, UNKNOWN, fetch
from policies.reading.declared import TAGS, Properties
from policies.reading.draft import Draft, Subject, tagged
from policies.reading.quantities import counted, megabytes, seconds

FUNCTION: Final = "aws:lambda/function:Function"
READS: Final[Properties] = {
    **TAGS,
    "memorySize": ("function_memory",),
    "timeout": ("timeout",),
    "reservedConcurrentExecutions": ("reserved_concurrency",),
    "capacityProviderConfig": ("managed_instances", "home"),
}


def function(props: Mapping[str, Any]) -> Subject:
    limits = load_catalog().limits.function
    draft = tagged(props)
    draft.set("function_memory", megabytes(fetch(props, "memorySize"), limits.memory_default.value))
    draft.set("timeout", seconds(fetch(props, "timeout"), limits.timeout_default.value))
    reserved = fetch(props, "reservedConcurrentExecutions")
    draft.set("reserved_concurrency", counted(reserved, UNRESERVED))
    provider = fetch(props, "capacityProviderConfig")
    managed: object = UNKNOWN if provider is UNKNOWN else provider is not ABSENT
    draft.set("managed_instances", managed)
    if draft.get("home") is not None and not draft.get("home").is_function:
        draft.set("twin", value=True)
    stated = draft.get("home")
    state = draft.set if managed is True or (stated is not None and stated.is_function) else draft.assume
    state("home", _home(draft, managed))
    return draft.done()


def _home(draft: Draft, managed: object) -> object:
    """A function is a function, whatever home its tags name (it may be the twin of a workload elsewhere)."""
    carried: Home | None = draft.get("home")
    if managed is True or carried is Home.RESERVED_FUNCTION:
        return Home.RESERVED_FUNCTION
    return UNKNOWN if managed is UNKNOWN or draft.hides_home else Home.FUNCTION
