"""The stack file as a whole: value of the configuration key `halfmetal:stack`."""

from typing import Final, Literal

from pydantic import Field

from components.spec.catalog import FigureOverride, FigurePath
from components.spec.control_plane import ControlPlane
from components.spec.data_plane import DataPlane
from components.spec.decision import Decision
from components.spec.fields import Flag, Model, Region, Zones
from components.spec.network import Network
from components.spec.policies import PolicyOverrides
from components.spec.state import StateStore
from components.spec.workload import Workload

_POOL: Final = {
    "name": "cpu-a",
    "kind": "managed",
    "instance": "m7g.large",
    "zones": ["us-east-1a"],
    "nodes": {"desired": 2},
}
_WORKLOAD: Final = {
    "name": "embed",
    "serve": {"container": {"image": "halfmetal/embedder:0.1.0"}},
    "needs": {"cpu": 1, "memory": "1GiB"},
}


class Stack(Model):
    """One inference platform. Made by `components.spec.load`, which checks what no field can check alone."""

    topology: Literal["pure", "hybrid", "dedicated", "auto"] = Field(
        description=(
            "`pure` (functions only, no cluster), `hybrid` (serverless front door, data route straight to "
            "the cluster), `dedicated` (clients reach the gateway on metal) or `auto` (the cheapest of "
            "the three that breaks no hard rule)."
        ),
        examples=["hybrid"],
    )
    region: Region = Field(description="AWS region.", examples=["us-east-1"])
    zones: Zones = Field(
        min_length=1,
        max_length=6,
        description="Availability zones of the region that may be used: one to six, two or more for EKS.",
        examples=[["us-east-1a", "us-east-1b"]],
    )
    network: Network = Field(
        default=Network(),
        description="The VPC. Default: each key's own.",
        examples=[{"cidr": "10.20.0.0/16", "nat": "none"}],
    )
    control_plane: ControlPlane = Field(
        default=ControlPlane(),
        description=(
            "The serverless side: front door, control functions, guardrails, budget. Default: each key's own."
        ),
        examples=[{"front_door": "http-api", "memory": "256MiB", "timeout": "10s"}],
    )
    operations_team: Flag | None = Field(
        default=None,
        description=(
            "Whether there is a team that runs clusters: upgrades them, watches them, gets up for them. The"
            " rule unattended-cluster reads it where no provider runs the cluster. Default: not known."
        ),
        examples=[True],
    )
    data_plane: DataPlane | None = Field(
        default=None,
        description=(
            "The Kubernetes side: cluster, gateway, pools. Absent in pure, needed in hybrid and "
            "dedicated. Default none."
        ),
        examples=[
            {
                "cluster": {"provider": "eks", "version": "1.34"},
                "gateway": {"exposure": "vpc-link"},
                "pools": [_POOL],
            }
        ],
    )
    state: tuple[StateStore, ...] = Field(
        default=(),
        description="Shared state that workloads read. Default none.",
        examples=[[{"name": "features", "kind": "cache", "zones": ["us-east-1a"]}]],
    )
    workloads: tuple[Workload, ...] = Field(
        min_length=1,
        description="What runs here: at least one.",
        examples=[[_WORKLOAD]],
    )
    decision: Decision = Field(
        default=Decision(),
        description="How what is left open here is chosen. Default: each key's own.",
        examples=[{"headroom": "20%", "stickiness": "10%", "budget": "$900/month"}],
    )
    policies: PolicyOverrides = Field(
        default=PolicyOverrides(),
        description="What this stack changes about the rules. Default nothing.",
        examples=[{"config_time": True, "rules": {"state-locality": {"enforcement": "advisory"}}}],
    )
    catalog: dict[FigurePath, FigureOverride] = Field(
        default={},
        description=(
            "Figures in the place of the catalog's, by the path that `halfmetal catalog` shows. Default none."
        ),
        examples=[
            {
                "prices.instances.g6.xlarge.on_demand": {
                    "value": "$0.61/h",
                    "source": "private pricing agreement of 2026",
                    "as_of": "2026-11-01",
                }
            }
        ],
    )
