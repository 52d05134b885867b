"""A cluster that is already there, reached by the kubeconfig of whoever deploys."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.base import Component


@dataclass(frozen=True)
class ExistingClusterArgs:
    """Which cluster."""

    context: str
    """Context of the kubeconfig that `KUBECONFIG`, or `~/.kube/config`, holds."""


class ExistingCluster(Component):
    """Access to a cluster that others run.

    Creates: a Kubernetes provider that is replaced only when another context is named; the kubeconfig itself
    is read at every deployment and never stored.
    """

    def __init__(
        self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        self._context = args.context
        self._access = kubernetes.Provider(
            self.child("access"),
            context=args.context,
            cluster_identifier=f"context:{args.context}",
            # Replaced, the figures that a namespace is kept to would be gone for a moment.
            enable_config_map_mutable=True,
            opts=self.options(),
        )
        self.register_outputs({"context": args.context})

    @property
    def provider(self) -> kubernetes.Provider:
        return self._access

    @property
    def context(self) -> pulumi.Output[str]:
        return pulumi.Output.from_input(self._context)
