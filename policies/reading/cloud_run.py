"""Services of Google Cloud Run: functions that scale with requests, to none unless they say otherwise."""

from collections.abc import Mapping
from typing import Any, Final

from components.catalog import load as load_catalog
from components.placement import Home, Platform
from components.placement.taints import GPU_RESOURCE
from components.spec import Duration, Memory, UnitError
from policies.reading.bags import ABSENT, UNKNOWN, fetch, listed, whole
from policies.reading.declared import CARRIED, Properties
from policies.reading.draft import Draft, Subject, carried
from policies.reading.quantities import bytes_of

SERVICE: Final = "gcp:cloudrunv2/service:Service"
READS: Final[Properties] = {
    "annotations": CARRIED,
    "template.annotations": CARRIED,
    "scaling.scalingMode": ("home",),
    "scaling.manualInstanceCount": ("home",),
    "scaling.minInstanceCount": ("home",),
    "template.scaling.minInstanceCount": ("home",),
    "template.timeout": ("timeout",),
    "template.containers[].resources.limits": ("function_memory", "accelerator_count"),
    "template.nodeSelector.accelerator": ("accelerator_type",),
}
_BY_HAND: Final = "MANUAL"
_VENDOR: Final = "nvidia-"


def service(props: Mapping[str, Any]) -> Subject:
    template = fetch(props, "template")
    draft = carried(fetch(props, "annotations"), fetch(template, "annotations"))
    limits = load_catalog().limits.cloud_run
    draft.set("platform", Platform.CLOUD_RUN)
    draft.set("home", _home(props))
    draft.set("timeout", _seconds(fetch(template, "timeout"), limits.timeout_default.value))
    containers = listed(template, "containers")
    draft.set("function_memory", _memory(containers, limits.memory_default.value))
    _read_accelerators(draft, template, containers)
    return draft.done()


def _home(props: Mapping[str, Any]) -> object:
    """Reserved where some instance is kept, for the service or for the revision that takes requests."""
    stated = _kept(props)
    if any((whole(each) or 0) > 0 for each in stated):
        return Home.RESERVED_FUNCTION
    unread = any(each is not ABSENT and whole(each) is None for each in stated)
    return UNKNOWN if unread else Home.FUNCTION


def _kept(props: Mapping[str, Any]) -> list[Any]:
    """What says how many instances are kept: by hand one number, which all others do not count beside."""
    mode = fetch(props, "scaling", "scalingMode")
    if mode == _BY_HAND:
        return [fetch(props, "scaling", "manualInstanceCount")]
    return [
        UNKNOWN if mode is UNKNOWN else ABSENT,
        fetch(props, "scaling", "minInstanceCount"),
        fetch(props, "template", "scaling", "minInstanceCount"),
    ]


def _memory(containers: list[Any], default: Memory) -> object:
    """What an instance is given: all its containers together."""
    sizes = [bytes_of(fetch(container, "resources", "limits", "memory"), default) for container in containers]
    known = [size for size in sizes if isinstance(size, Memory)]
    if len(known) < len(sizes):
        return UNKNOWN
    try:
        return sum(known, Memory(0)) if known else default
    except UnitError:
        return UNKNOWN


def _read_accelerators(draft: Draft, template: object, containers: list[Any]) -> None:
    counts = [fetch(container, "resources", "limits", GPU_RESOURCE) for container in containers]
    asked = [0 if count is ABSENT else whole(count) for count in counts]
    known = [count for count in asked if count is not None]
    draft.set("accelerator_count", sum(known) if len(known) == len(asked) else UNKNOWN)
    kind = fetch(template, "nodeSelector", "accelerator")
    if isinstance(kind, str):
        draft.set("accelerator_type", kind.removeprefix(_VENDOR).upper())
    elif kind is UNKNOWN:
        draft.set("accelerator_type", UNKNOWN)


def _seconds(text: object, default: Duration) -> object:
    """A time like `300s`, or UNKNOWN."""
    if text is ABSENT:
        return default
    try:
        return Duration.parse(text) if isinstance(text, str) else UNKNOWN
    except UnitError:
        return UNKNOWN
