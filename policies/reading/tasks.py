"""Tasks of Amazon ECS, and services that keep them running.

AWS runs the cluster. Its tasks are on instances like pods on a pool, or on Fargate, which has no accelerator.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.placement import NONE
from policies.reading.bags import ABSENT, UNKNOWN, fetch, items, listed, whole
from policies.reading.declared import TAGS, Properties
from policies.reading.draft import Draft, Subject, tagged
from policies.reading.quantities import counted

TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
SERVICE: Final = "aws:ecs/service:Service"

READS: Final[Mapping[str, Properties]] = {
    TASK_DEFINITION: {
        **TAGS,
        "containerDefinitions": ("accelerator_count",),
        "requiresCompatibilities": ("has_accelerators",),
    },
    SERVICE: {
        **TAGS,
        "desiredCount": ("warm_replicas",),
        "launchType": ("has_accelerators",),
        "capacityProviderStrategies[].capacityProvider": ("has_accelerators",),
    },
}

_FARGATE: Final = "FARGATE"
_DEEPEST: Final = 10**6
"""Characters of a definition of containers that are gone through; of a longer one nothing is known."""


def task_definition(props: Mapping[str, Any]) -> Subject:
    draft = _draft(props)
    draft.set("accelerator_count", accelerators(props))
    kinds = list(items(props, "requiresCompatibilities"))
    if kinds == [_FARGATE]:
        draft.set("has_accelerators", value=False)
    elif UNKNOWN in (fetch(props, "requiresCompatibilities"), *kinds):
        draft.set("has_accelerators", UNKNOWN)
    return draft.done()


def service(props: Mapping[str, Any]) -> Subject:
    draft = _draft(props)
    asked = fetch(props, "desiredCount")
    if asked is not ABSENT:  # else it is left to what scales it
        draft.set("warm_replicas", counted(asked, None))
    is_on_fargate = _is_on_fargate(props)
    if is_on_fargate is not False:
        draft.set("has_accelerators", UNKNOWN if is_on_fargate is UNKNOWN else False)
    return draft.done()


def _draft(props: Mapping[str, Any]) -> Draft:
    draft = tagged(props)
    draft.put_on_nodes()
    draft.set("managed_cluster", value=True)
    draft.set_missing("placement_group", NONE)
    draft.set_missing("capacity_block_zone", NONE)
    draft.set("efa", value=False)
    return draft


def _is_on_fargate(props: Mapping[str, Any]) -> object:
    kind = fetch(props, "launchType")
    strategies = fetch(props, "capacityProviderStrategies")
    providers = [fetch(each, "capacityProvider") for each in items(strategies)]
    if kind == _FARGATE or (providers and all(_is_fargates(each) for each in providers)):
        return True
    return UNKNOWN if UNKNOWN in (kind, strategies, *providers) else False


def _is_fargates(provider: object) -> bool:
    return isinstance(provider, str) and provider in (_FARGATE, "FARGATE_SPOT")


def accelerators(props: Mapping[str, Any]) -> Any:
    """How many accelerators the containers of a task ask for together, or UNKNOWN."""
    total = 0
    for container in _containers(props):
        needs = fetch(container, "resourceRequirements")
        if UNKNOWN in (container, needs):
            return UNKNOWN
        for need in items(needs):
            kind, value = fetch(need, "type"), fetch(need, "value")
            number = 1 if kind == "InferenceAccelerator" else whole(value) if kind == "GPU" else 0
            if number is None or kind is UNKNOWN:
                return UNKNOWN
            total += number
    return total


def _containers(props: Mapping[str, Any]) -> Iterator[Any]:
    """The containers of a definition, which is a text of JSON, or a list where a template has it."""
    stated = fetch(props, "containerDefinitions")
    if isinstance(stated, str):
        try:
            stated = json.loads(stated) if len(stated) <= _DEEPEST else UNKNOWN
        except (ValueError, RecursionError):
            stated = UNKNOWN
    return iter(listed(stated))
