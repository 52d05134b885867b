"""What a queue of Kueue adds to what is in it: the node labels and tolerations of the flavours it hands out.

A queue belongs to a cluster queue, whose resources come in groups, each in one of several flavours. What is
admitted gets one flavour of every group, and with it the labels of its nodes and the tolerations for them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from components.placement.labels import QUEUE_LABEL
from policies.reading.bags import ABSENT, fetch, items, texts
from policies.reading.declared import Properties
from policies.reading.index import Index, Kind, in_cluster, in_namespace, namespace_of
from policies.reading.node_relations import FOR_PODS
from policies.resources import Resource

_MOST: Final = 64
"""Groups of a queue, and flavours of a group: as many as its API allows, or more."""


def _kueue(kind: str) -> tuple[str, ...]:
    return tuple(f"kubernetes:kueue.x-k8s.io/{version}:{kind}" for version in ("v1beta1", "v1beta2"))


QUEUES: Final = Kind(_kueue("LocalQueue"), in_namespace)
CLUSTER_QUEUES: Final = Kind(_kueue("ClusterQueue"), in_cluster)
FLAVORS: Final = Kind(_kueue("ResourceFlavor"), in_cluster)


QUEUED: Final = ("zones", "tolerates", *FOR_PODS)
_OF_QUEUE: Final[Properties] = {
    "metadata.name": QUEUED,
    "metadata.namespace": QUEUED,
    "spec.clusterQueue": QUEUED,
}
_OF_CLUSTER_QUEUE: Final[Properties] = {
    "metadata.name": QUEUED,
    "spec.resourceGroups[].flavors[].name": QUEUED,
}
_OF_FLAVOR: Final[Properties] = {
    "metadata.name": QUEUED,
    "spec.nodeLabels": QUEUED,
    "spec.tolerations": ("tolerates",),
}
READS: Final[Mapping[str, Properties]] = {
    **dict.fromkeys(QUEUES.types, _OF_QUEUE),
    **dict.fromkeys(CLUSTER_QUEUES.types, _OF_CLUSTER_QUEUE),
    **dict.fromkeys(FLAVORS.types, _OF_FLAVOR),
}


@dataclass(frozen=True, slots=True)
class Flavors:
    """The flavours that something queued may get, by group: one of each group."""

    groups: tuple[tuple[Resource, ...], ...] = ()

    def labelled(self, *labels: str) -> tuple[str, ...]:
        """The values of a node label that its nodes have one of; none where some may be without."""
        for group in self.groups:
            values = texts(_label(flavor, labels) for flavor in group)
            if values is not None:
                return values
        return ()

    @property
    def tolerations(self) -> list[Any]:
        """Lists of what is tolerated with any of them: no flavour is handed out whose taints are not."""
        return [fetch(flavor.props, "spec", "tolerations") for group in self.groups for flavor in group]


def _label(flavor: Resource, labels: tuple[str, ...]) -> Any:
    values = (fetch(flavor.props, "spec", "nodeLabels", label) for label in labels)
    return next((value for value in values if value is not ABSENT), ABSENT)


NO_FLAVORS: Final = Flavors()


def flavors(resource: Resource, made: tuple[str, ...], index: Index) -> Flavors:
    """The flavours of the queue of what makes pods, as far as they are of the set.

    `made` is the way to what it makes that makes the pods, whose label counts as well.
    """
    name = fetch(resource.props, "metadata", "labels", QUEUE_LABEL)
    if name is ABSENT and made:
        name = fetch(resource.props, *made, "metadata", "labels", QUEUE_LABEL)
    namespace = namespace_of(resource)
    if not (isinstance(name, str) and isinstance(namespace, str)):
        return NO_FLAVORS
    queue = index.named(QUEUES, f"{namespace}/{name}", resource)
    if not isinstance(queue, Resource):
        return NO_FLAVORS
    cluster_queue = index.named(CLUSTER_QUEUES, fetch(queue.props, "spec", "clusterQueue"), queue)
    if not isinstance(cluster_queue, Resource):
        return NO_FLAVORS
    return index.once(_Handed).out_by(cluster_queue)


@dataclass(slots=True)
class _Handed:
    """The flavours that each cluster queue hands out, looked up once for all that queue."""

    index: Index
    known: dict[int, Flavors] = field(default_factory=dict)

    def out_by(self, cluster_queue: Resource) -> Flavors:
        key = id(cluster_queue)
        if key not in self.known:
            stated = islice(items(cluster_queue.props, "spec", "resourceGroups"), _MOST)
            groups = (_of_group(group, cluster_queue, self.index) for group in stated)
            self.known[key] = Flavors(tuple(group for group in groups if group))
        return self.known[key]


def _of_group(group: object, cluster_queue: Resource, index: Index) -> tuple[Resource, ...]:
    """The flavours of a group; none where one of them is not of the set, or there are too many."""
    stated = list(islice(items(group, "flavors"), _MOST + 1))
    named = [index.named(FLAVORS, fetch(flavor, "name"), cluster_queue) for flavor in stated]
    found = tuple(flavor for flavor in named if isinstance(flavor, Resource))
    return found if len(found) == len(named) <= _MOST else ()
