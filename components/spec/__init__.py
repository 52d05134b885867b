"""The stack file's model: a plain mapping in, a validated `Stack` or a `StackError` with all problems out."""

from typing import TYPE_CHECKING

from components.lazily import lazily

if TYPE_CHECKING:
    from components.spec.catalog import FigureOverride
    from components.spec.control_plane import Budget, ControlPlane, Guardrails
    from components.spec.data_plane import (
        Accelerator,
        Admission,
        CapacityBlock,
        Cluster,
        DataPlane,
        EksCluster,
        ExistingCluster,
        Gateway,
        Nodes,
        Pool,
        Taint,
    )
    from components.spec.decision import Decision
    from components.spec.errors import Problem, StackError
    from components.spec.network import Network
    from components.spec.policies import PolicyOverrides, Remediable, RuleOverride, Waiver
    from components.spec.reading import load
    from components.spec.source import StackFile, load_file, read_file
    from components.spec.stack import Stack
    from components.spec.state import StateStore
    from components.spec.units import Duration, Memory, Money, Period, Rate, Share, UnitError
    from components.spec.workload import (
        ContainerServe,
        FunctionServe,
        Latency,
        Needs,
        PlacementRequest,
        Serve,
        StateUse,
        Traffic,
        Workload,
    )
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "Accelerator",
    "Admission",
    "Budget",
    "CapacityBlock",
    "Cluster",
    "ContainerServe",
    "ControlPlane",
    "DataPlane",
    "Decision",
    "Duration",
    "EksCluster",
    "ExistingCluster",
    "FigureOverride",
    "FunctionServe",
    "Gateway",
    "Guardrails",
    "Latency",
    "Memory",
    "Money",
    "Needs",
    "Network",
    "Nodes",
    "Period",
    "PlacementRequest",
    "PolicyOverrides",
    "Pool",
    "Problem",
    "Rate",
    "Remediable",
    "RuleOverride",
    "Serve",
    "Share",
    "Stack",
    "StackError",
    "StackFile",
    "StateStore",
    "StateUse",
    "Taint",
    "Traffic",
    "UnitError",
    "Waiver",
    "Workload",
    "load",
    "load_file",
    "read_file",
]
