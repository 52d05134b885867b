"""What scales a workload beside its own number of replicas: how many pods it leaves when nothing is asked.

A horizontal pod autoscaler leaves one pod or more, and is off where a workload states none. KEDA leaves none
unless told otherwise, and starts the first one itself.
"""

from collections.abc import Mapping
from typing import Any, Final

from policies.reading.bags import ABSENT, UNKNOWN, fetch
from policies.reading.declared import Properties
from policies.reading.index import Index, Kind, namespace_of
from policies.reading.quantities import counted
from policies.resources import Resource

AUTOSCALERS: Final = tuple(
    f"kubernetes:autoscaling/{version}:HorizontalPodAutoscaler" for version in ("v1", "v2", "v2beta2")
)
SCALED_OBJECT: Final = "kubernetes:keda.sh/v1alpha1:ScaledObject"
_DEPLOYMENT: Final = "Deployment"


def _target(scaler: Resource) -> tuple[Any, ...]:
    """What it scales: its kind and name, in the namespace of both."""
    reference = fetch(scaler.props, "spec", "scaleTargetRef")
    kind = fetch(reference, "kind")
    parts = (
        namespace_of(scaler),
        _DEPLOYMENT if kind is ABSENT and scaler.resource_type == SCALED_OBJECT else kind,
        fetch(reference, "name"),
    )
    return ("/".join(parts) if all(isinstance(part, str) for part in parts) else UNKNOWN,)


SCALERS: Final = Kind((*AUTOSCALERS, SCALED_OBJECT), _target)

_WARM: Final = ("warm_replicas",)
_TARGET: Final[Properties] = {
    "metadata.namespace": _WARM,
    "spec.scaleTargetRef.kind": _WARM,
    "spec.scaleTargetRef.name": _WARM,
}
_OF_AUTOSCALER: Final[Properties] = {**_TARGET, "spec.minReplicas": _WARM}
READS: Final[Mapping[str, Properties]] = {
    **dict.fromkeys(AUTOSCALERS, _OF_AUTOSCALER),
    SCALED_OBJECT: {**_TARGET, "spec.minReplicaCount": _WARM},
}


def least_replicas(resource: Resource, own: int | None, index: Index) -> Any:
    """Pods that what scales a workload leaves of it; ABSENT if nothing does, UNKNOWN if nobody can tell."""
    kind = resource.resource_type.rpartition(":")[2]
    parts = (namespace_of(resource), kind, fetch(resource.props, "metadata", "name"))
    text = "/".join(parts) if all(isinstance(part, str) for part in parts) else UNKNOWN
    if text is UNKNOWN:
        return UNKNOWN if next(index.of_types(SCALERS.types), None) is not None else ABSENT
    scaler = index.named(SCALERS, text, resource)
    if not isinstance(scaler, Resource):
        return scaler
    if scaler.resource_type == SCALED_OBJECT:
        return counted(fetch(scaler.props, "spec", "minReplicaCount"), 0)
    return ABSENT if own == 0 else counted(fetch(scaler.props, "spec", "minReplicas"), 1)
