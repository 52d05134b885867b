"""What a deployed stack says of itself."""

from dataclasses import dataclass, fields
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The stack's outputs. What a topology does not have is None, and not exported."""

    topology: str
    url: pulumi.Output[str]
    """Where the control routes are and, but in dedicated, the models."""
    control_routes: list[pulumi.Output[str]]
    models: list[dict[str, Any]]
    """Every workload: name, home, pool, zone, replicas, what takes its tail, reasons, refused homes, url, and
    the path to it."""
    registry_table: pulumi.Output[str]
    gateway_url: pulumi.Output[str] | None = None
    """Where the gateway is reached directly, if it can be."""
    kubeconfig_context: pulumi.Output[str] | None = None
    kubeconfig: pulumi.Output[str] | None = None
    """Of a cluster that was made here. It holds no secret: a token is asked for at every use."""
    namespace: pulumi.Output[str] | None = None

    def export(self) -> None:
        """Make them the outputs of the Pulumi stack."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                pulumi.export(field.name, value)
