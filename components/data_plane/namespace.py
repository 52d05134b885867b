"""The stack's own corner of the cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pulumi
from pulumi_kubernetes import core, networking

from components.base import Component
from components.placement.labels import POD_SECURITY_LABEL

STACK_LABEL: Final = "halfmetal.dev/stack"
ROLE_LABEL: Final = "halfmetal.dev/role"
GATEWAY: Final = "gateway"
MODEL: Final = "model"


@dataclass(frozen=True)
class NamespaceArgs:
    """What it is called, whose it is, and what is there before and after it."""

    name: str
    stack: str
    gateway_port: int
    made: bool = True
    """Whether it is made here; False for one that is there already."""
    after: Sequence[pulumi.Resource] = ()
    """Nodes: pods must be gone before they are, or nothing is left to end them. What judges pods."""


class Namespace(Component):
    """A namespace in which models are reached through the gateway alone.

    Creates, unless it is there already, the namespace, with the Pod Security level `baseline` enforced, and a
    policy that lets nobody in; a policy that lets anyone reach the gateway's port; one that lets the gateway,
    and nobody else, reach the models.
    """

    def __init__(self, name: str, args: NamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        self._namespace = self._create_namespace(args) if args.made else _known_after(args)
        after = [] if args.made else list(args.after)
        anyone = [{"ports": [{"port": args.gateway_port, "protocol": "TCP"}]}]
        gateway = [{"from": [{"podSelector": {"matchLabels": {ROLE_LABEL: GATEWAY}}}]}]
        if args.made:
            # In a namespace that others share, this would cut them off too.
            self._create_policy("nobody", {}, [], after)
        self._create_policy("anyone-to-gateway", {ROLE_LABEL: GATEWAY}, anyone, after)
        self._create_policy("gateway-to-models", {ROLE_LABEL: MODEL}, gateway, after)
        self.register_outputs({"name": self._namespace})

    @property
    def namespace(self) -> pulumi.Output[str]:
        """Its name; known once it exists."""
        return self._namespace

    def _create_namespace(self, args: NamespaceArgs) -> pulumi.Output[str]:
        made = core.v1.Namespace(
            self.child("namespace"),
            metadata={
                "name": args.name,
                "labels": {
                    STACK_LABEL: args.stack,
                    POD_SECURITY_LABEL: "baseline",
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
            opts=self.options(depends_on=list(args.after)),
        )
        return made.metadata.apply(lambda metadata: str(metadata.name))

    def _create_policy(
        self,
        suffix: str,
        pods: dict[str, str],
        ingress: list[Any],
        after: list[pulumi.Resource],
    ) -> None:
        networking.v1.NetworkPolicy(
            self.child(suffix),
            metadata={"name": suffix, "namespace": self._namespace},
            spec={
                "pod_selector": {"match_labels": pods} if pods else {},
                "policy_types": ["Ingress"],
                "ingress": ingress,
            },
            opts=self.options(depends_on=after),
        )


def _known_after(args: NamespaceArgs) -> pulumi.Output[str]:
    """The name of one that is there already, for what must come after the same as one that is made."""
    return pulumi.Output.all(*(each.urn for each in args.after)).apply(lambda _: args.name)
