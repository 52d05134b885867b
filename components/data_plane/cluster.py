"""What the rest of the data plane needs of a cluster, wherever it comes from."""

from typing import Protocol

import pulumi
import pulumi_kubernetes as kubernetes


class Cluster(Protocol):
    """A cluster that can be deployed to."""

    @property
    def provider(self) -> kubernetes.Provider:
        """Reaches the cluster. It depends on all that access rests on, and so does what it makes."""
        ...

    @property
    def context(self) -> pulumi.Output[str]:
        """Name of the cluster in a kubeconfig."""
        ...
