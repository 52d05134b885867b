"""From one resource to the facts that the rules read: which types are read, and by what."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from policies.reading import cloud_run, endpoints, functions, nodes, pods, tasks
from policies.reading.declared import Properties
from policies.reading.draft import Subject


def read(resource_type: str, props: Mapping[str, Any]) -> Subject | None:
    """The facts of a resource, or None if no rule reads resources of its type."""
    reader = READERS.get(resource_type)
    return reader(props) if reader is not None else None


Reader: TypeAlias = Callable[[Mapping[str, Any]], Subject]

READS: Final[Mapping[str, Properties]] = {
    functions.FUNCTION: functions.READS,
    **nodes.READS,
    **tasks.READS,
    endpoints.ENDPOINT: endpoints.READS,
    cloud_run.SERVICE: cloud_run.READS,
    **{name: workload.reads for name, workload in pods.WORKLOADS.items()},
}
"""What is read of each type."""

READERS: Final[Mapping[str, Reader]] = {
    functions.FUNCTION: functions.function,
    nodes.NODE_GROUP: nodes.node_group,
    nodes.LAUNCH_TEMPLATE: nodes.launch_template,
    nodes.SCALING_GROUP: nodes.scaling_group,
    nodes.CAPACITY_PROVIDER: nodes.capacity_provider,
    tasks.TASK_DEFINITION: tasks.task_definition,
    tasks.SERVICE: tasks.service,
    endpoints.ENDPOINT: endpoints.endpoint,
    cloud_run.SERVICE: cloud_run.service,
    **pods.WORKLOADS,
}
