"""The Kubernetes side: the cluster, the gateway that data requests enter by, and the pools of nodes."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from components.spec.fields import (
    Count,
    Distinct,
    Flag,
    Matching,
    Model,
    Name,
    Port,
    Positive,
    Quoted,
    Zone,
    Zones,
)
from components.spec.units import Memory

_NODES_AT_MOST: Final = 5_000
_LABEL_KEY: Final = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABEL_VALUE: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"

LabelKey = Annotated[str, Matching(_LABEL_KEY, "a Kubernetes label key", "write it like example.com/team")]
LabelValue = Annotated[
    str,
    Matching(_LABEL_VALUE, "a Kubernetes label value", "use letters, digits, '-', '_' and '.'", at_most=63),
    Quoted,
]


KeyArn = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-zA-Z0-9-]+",
        "the ARN of a KMS key",
        "write it like arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
]


Image = Annotated[
    str,
    Matching(
        r"[a-z0-9][a-z0-9._/:-]*(?::(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})",
        "an image with a tag that stays, or a digest",
        "write it like halfmetal/embedder:0.1.0; `latest` is another image tomorrow",
    ),
]


class EksCluster(Model):
    """A cluster that halfmetal makes on Amazon EKS."""

    provider: Literal["eks"] = Field(description="Where the cluster comes from.", examples=["eks"])
    version: Annotated[
        str,
        Matching(r"1\.[0-9]{2}", "a Kubernetes version", 'write minor and major in quotes, like "1.34"'),
        Quoted,
    ] = Field(
        description="Kubernetes version, in quotes: without them YAML reads 1.30 as the number 1.3.",
        examples=["1.34"],
    )


class ExistingCluster(Model):
    """A cluster that is already there, reached by kubeconfig. halfmetal makes no node of it."""

    provider: Literal["existing"] = Field(description="Where the cluster comes from.", examples=["existing"])
    context: Annotated[
        str, Matching(r"[^\s]+", "the name of a kubeconfig context", "see `kubectl config get-contexts`")
    ] = Field(description="Context of the kubeconfig that reaches it.", examples=["halfmetal"])
    namespace: (
        Annotated[
            str,
            Matching(
                r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?",
                "a namespace",
                "use lower-case letters, digits and '-'",
                63,
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Namespace to put everything in. Default: one of the stack's own.",
        examples=["inference"],
    )
    managed: Flag | None = Field(
        default=None,
        description=(
            "Whether a provider runs its control plane and repairs its nodes. The rule unattended-cluster"
            " reads it. Default: not known."
        ),
        examples=[True],
    )
    audit_logs: Flag | None = Field(
        default=None,
        description=(
            "Whether its API server keeps an audit log. The rule compliance-isolation reads it. Default: not"
            " known."
        ),
        examples=[True],
    )
    dedicated: Flag | None = Field(
        default=None,
        description=(
            "Whether no other account has anything on its machines. The rule compliance-isolation reads it."
            " Default: not known, unless the type of a pool's machines is one of bare metal."
        ),
        examples=[True],
    )
    own_keys: Flag | None = Field(
        default=None,
        description=(
            "Whether the disks of its nodes are encrypted with a key of your own. The rule"
            " compliance-isolation reads it. Default: not known."
        ),
        examples=[True],
    )


Cluster: TypeAlias = Annotated[EksCluster | ExistingCluster, Field(discriminator="provider")]


class Gateway(Model):
    """The in-cluster front door of the data route."""

    image: Image = Field(
        default="haproxy:2.8",
        description=(
            "HAProxy's image, 2.6 or newer, with tag (not `latest`) or digest: a copy in a registry of your"
            " own, where nodes reach no other. Default haproxy:2.8."
        ),
        examples=["haproxy:2.8"],
    )
    port: Port = Field(
        default=8080, description="Port that the gateway listens on. Default 8080.", examples=[8080]
    )
    replicas: Annotated[Count, Field(ge=1, le=100)] = Field(
        default=2,
        description="Gateway pods: 1 to 100; one alone is down while it is replaced. Default 2.",
        examples=[2],
    )
    node_port: Annotated[Count, Field(ge=30000, le=32767)] = Field(
        default=30080,
        description="Port of every node that the load balancer sends to: 30000 to 32767. Default 30080.",
        examples=[30080],
    )
    exposure: Literal["vpc-link", "load-balancer"] | None = Field(
        default=None,
        description="How requests reach the gateway: `vpc-link` (from API Gateway, inside AWS only) or "
        "`load-balancer` (an address of its own). Default: load-balancer in a dedicated stack and on an "
        "existing cluster, else vpc-link.",
        examples=["vpc-link"],
    )


_MOST_DECIDED: Final = 10


def _least(data: dict[str, Any]) -> int:
    return int(data["desired"] or 0)


def _most(data: dict[str, Any]) -> int:
    return _MOST_DECIDED if data["desired"] is None else int(data["desired"])


class Nodes(Model):
    """How many nodes a pool has."""

    desired: Annotated[Count, Field(ge=0, le=_NODES_AT_MOST)] | None = Field(
        default=None,
        description=(
            "Nodes at the start. Where min is below max, an autoscaler that you install in the cluster moves"
            " between them, and later changes of desired do nothing. For nodes that exist already: how many"
            " there are, which must be said. 0 or more. Default: decided, as many as what is placed there"
            " needs."
        ),
        examples=[2],
    )
    min: Annotated[Count, Field(ge=0, le=_NODES_AT_MOST)] = Field(
        default_factory=_least,
        description="Fewest nodes, 0 or more. Default: desired, or 0 where that is decided.",
        examples=[1],
    )
    max: Annotated[Count, Field(ge=1, le=_NODES_AT_MOST)] = Field(
        default_factory=_most,
        description="Most nodes, 1 or more. Default: desired, or 10 where that is decided.",
        examples=[4],
    )


class Accelerator(Model):
    """GPUs: of a node when a pool has them, of one replica when a workload needs them."""

    type: Annotated[
        str, Matching(r"[A-Z][A-Za-z0-9-]*", "a type of accelerator", "write it like L4, A10G or H100", 30)
    ] = Field(description="Type as the vendor names it.", examples=["L4"])
    count: Annotated[Count, Field(ge=1, le=16)] = Field(
        default=1, description="How many of them: 1 to 16. Default 1.", examples=[1]
    )
    memory: Annotated[Memory, Positive] | None = Field(
        default=None,
        description=(
            "Memory of each one: what it has (pool) or how much is used (workload). Default: not known."
        ),
        examples=["24GiB"],
    )


class CapacityBlock(Model):
    """Accelerator capacity that was bought ahead for a span of time, in one zone."""

    id: Annotated[
        str,
        Matching(
            r"cr-[0-9a-f]{4,17}", "the id of a capacity reservation", "write it like cr-0123456789abcdef0"
        ),
    ] = Field(description="Id of the capacity reservation.", examples=["cr-0123456789abcdef0"])
    zone: Zone = Field(description="Availability zone that the block was bought in.", examples=["us-east-1a"])


class Taint(Model):
    """Keeps pods off the pool's nodes unless they tolerate it."""

    key: LabelKey = Field(description="Key of the taint.", examples=["example.com/team"])
    value: LabelValue = Field(
        default="", description="Value of the taint. Default empty.", examples=["research"]
    )
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(
        default="NoSchedule",
        description="What happens to a pod without toleration. Default NoSchedule.",
        examples=["NoSchedule"],
    )


def _usual_capacity(data: dict[str, Any]) -> Literal["on-demand", "existing"]:
    return "existing" if data.get("kind") == "metal" and data.get("instance") is None else "on-demand"


class Pool(Model):
    """Nodes of one kind."""

    name: Name = Field(
        description="Name that workloads ask for it by. Unique among the pools.", examples=["gpu-a"]
    )
    kind: Literal["managed", "metal"] = Field(
        description=(
            "`managed` (a shared node group) or `metal` (dedicated or bare-metal nodes; on an existing "
            "cluster the nodes labelled halfmetal.dev/pool=<name>)."
        ),
        examples=["managed"],
    )
    instance: (
        Annotated[
            str, Matching(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", "an EC2 instance type", "write it like g6.xlarge")
        ]
        | None
    ) = Field(
        default=None,
        description=(
            "EC2 instance type. Needed on EKS; on an existing cluster it only says what the nodes are "
            "like. Default none."
        ),
        examples=["g6.xlarge"],
    )
    zones: Zones = Field(
        min_length=1,
        description="Availability zones of its nodes, each one of the stack's; exactly one with EFA.",
        examples=[["us-east-1a"]],
    )
    nodes: Nodes = Field(description="How many nodes.", examples=[{"min": 1, "desired": 2, "max": 4}])
    accelerator: Accelerator | None = Field(
        default=None,
        description="GPUs of each node. Default none.",
        examples=[{"type": "L4", "count": 1, "memory": "24GiB"}],
    )
    capacity: Literal["on-demand", "spot", "capacity-block", "existing"] = Field(
        default_factory=_usual_capacity,
        description=(
            "How its nodes are had: `on-demand`, `spot` (cheaper, taken back at two minutes' notice), "
            "`capacity-block` (bought ahead, needs capacity_block) or `existing` (they are there). Default "
            "on-demand; existing for a metal pool without instance."
        ),
        examples=["on-demand"],
    )
    capacity_block: CapacityBlock | None = Field(
        default=None,
        description="The block that `capacity: capacity-block` uses. Default none.",
        examples=[{"id": "cr-0123456789abcdef0", "zone": "us-east-1a"}],
    )
    placement_group: Literal["cluster", "partition", "spread"] | None = Field(
        default=None,
        description=(
            "How EC2 puts the nodes to each other: `cluster` (close together, one zone), `partition` or "
            "`spread`. Default none."
        ),
        examples=["cluster"],
    )
    efa: Flag = Field(
        default=False,
        description="Whether nodes get an Elastic Fabric Adapter for traffic between GPUs. Exactly one zone. "
        "Default false.",
        examples=[False],
    )
    pinned: Flag = Field(
        default=False,
        description=(
            "Whether a pod that asks for whole cores has them to itself, within one NUMA node. Metal only. On"
            " EKS its nodes are set up so; on an existing cluster it says that they are. The rule"
            " jitter-budget reads it. Default false."
        ),
        examples=[False],
    )
    encryption_key: KeyArn | None = Field(
        default=None,
        description=(
            "ARN of a KMS key of your own that the disks of its nodes are encrypted with; its policy must let"
            " EC2 Auto Scaling use it. EKS only. The rule compliance-isolation reads it. Default: AWS's own"
            " key."
        ),
        examples=["arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default={},
        description="More labels for its nodes. Keys of halfmetal.dev/ are halfmetal's own. Default none.",
        examples=[{"example.com/team": "research"}],
    )
    taints: Annotated[tuple[Taint, ...], Distinct] = Field(
        default=(),
        description=(
            "More taints for its nodes; GPU nodes are tainted nvidia.com/gpu without being told. Default "
            "none."
        ),
        examples=[[{"key": "example.com/team", "value": "research", "effect": "NoSchedule"}]],
    )


class Admission(Model):
    """What the API server makes of manifests in the stack's namespace."""

    rules: Literal["enforce", "warn", "disabled"] = Field(
        default="enforce",
        description=(
            "Whether it keeps them to the placement rules: `enforce` (what breaks a mandatory rule is"
            " refused), `warn` (it is let in with a warning) or `disabled`. Takes Kubernetes 1.30 or newer,"
            " and the right to make admission policies and a namespace. Default enforce."
        ),
        examples=["enforce"],
    )
    defaults: Flag = Field(
        default=False,
        description=(
            "Whether it gives pods that select a pool the tolerations that its GPUs take, and its one zone,"
            " where they do not say otherwise. Takes Kubernetes 1.36 or newer. Default false."
        ),
        examples=[True],
    )


class DataPlane(Model):
    """The Kubernetes side."""

    cluster: Cluster = Field(description="The cluster.", examples=[{"provider": "eks", "version": "1.34"}])
    admission: Admission = Field(
        default_factory=Admission,
        description=(
            "How the API server keeps the stack's namespace to the placement rules. Default: it refuses what"
            " breaks a mandatory one."
        ),
        examples=[{"rules": "enforce", "defaults": False}],
    )
    gateway: Gateway = Field(
        description="The in-cluster front door of the data route.",
        examples=[{"port": 8080, "replicas": 2, "node_port": 30080, "exposure": "vpc-link"}],
    )
    pools: tuple[Pool, ...] = Field(
        min_length=1,
        description="Pools of nodes, at least one.",
        examples=[
            [
                {
                    "name": "cpu-a",
                    "kind": "managed",
                    "instance": "m7g.large",
                    "zones": ["us-east-1a"],
                    "nodes": {"min": 1, "desired": 2, "max": 4},
                }
            ]
        ],
    )
