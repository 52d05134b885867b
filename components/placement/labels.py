"""Labels that say where pods may go and what holds there: of nodes, of namespaces, of what is in a queue."""

from typing import Final

from components.placement.facts import ANNOTATION_PREFIX

POOL_LABEL: Final = f"{ANNOTATION_PREFIX}pool"
"""What a node says its pool by."""

ZONE_LABELS: Final = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
"""What a node says its zone by, the name of today first."""
ZONE_LABEL: Final = ZONE_LABELS[0]

POD_SECURITY_LABEL: Final = "pod-security.kubernetes.io/enforce"
"""What a namespace says by how far its pods may get at their nodes."""
ISOLATING_LEVELS: Final = ("baseline", "restricted")
"""The levels at which they may not."""

QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"
"""What says which queue (Kueue) something is in."""
