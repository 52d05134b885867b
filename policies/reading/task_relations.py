"""What a service of Amazon ECS is with its task definition and its subnets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from policies.reading.declared import Properties
from policies.reading.draft import Subject
from policies.reading.index import Index, Kind, by
from policies.reading.node_relations import SUBNET, zones_of_subnets
from policies.reading.relations import Related
from policies.reading.tasks import SERVICE, TASK_DEFINITION
from policies.resources import Resource

TYPES: Final = frozenset({SERVICE})
SHOWN: Final = frozenset({"accelerator_count", "has_accelerators", "zones"})

READS: Final[Mapping[str, Properties]] = {
    SERVICE: {"taskDefinition": ("accelerator_count",), "networkConfiguration.subnets": ("zones",)},
    TASK_DEFINITION: {"arn": ("accelerator_count",), "family": ("accelerator_count",)},
    SUBNET: {"id": ("zones",), "availabilityZone": ("zones",)},
}

_TASKS: Final = Kind((TASK_DEFINITION,), by("family", "arn"))


def services(resources: Iterable[Resource]) -> Iterator[Related]:
    """Every service with the accelerators that its tasks ask for, and the zones that they are in."""
    index = Index.of(resources)
    for service in index.of_types(TYPES):
        own = index.subject(service)
        if own is None:
            continue
        found: dict[str, Any] = {}
        task = index.related(service, "taskDefinition", _TASKS)
        tasks = index.subject(task) if isinstance(task, Resource) else None
        if tasks is not None and own.facts.accelerator_count is None:
            found["accelerator_count"] = tasks.facts.accelerator_count
        zones = zones_of_subnets(service, ("networkConfiguration", "subnets"), index)
        if zones is not None:
            found["zones"] = zones
        facts = replace(own.facts, **found) if found else own.facts
        yield Related(service, own, Subject(facts, own.unread - found.keys(), own.placed))
