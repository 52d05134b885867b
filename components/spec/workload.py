"""One thing that serves or processes: how it runs, what it needs, its traffic, and what it must hold."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from components.spec.control_plane import FunctionMemory, FunctionTimeout, LogRetention, ReservedConcurrency
from components.spec.data_plane import Accelerator, Image
from components.spec.fields import (
    Cores,
    Count,
    Distinct,
    Flag,
    Matching,
    Model,
    Name,
    Port,
    Positive,
    Quoted,
    Ratio,
    mistake,
)
from components.spec.units import Duration, Memory, Rate, Share

FUNCTION_HOMES: Final = ("function", "reserved-function")
"""Homes that are functions; the others are nodes."""

REPLICAS: Final = 2
"""Fewest pods of a workload on nodes that does not say how many: one alone is down while it is replaced."""

REPLICAS_AT_MOST: Final = 10_000
"""Most pods that a workload may have."""

MAX_CONCURRENCY: Final = 8
"""Requests that one pod takes at once, where the workload does not say."""

QUEUED_PER_SLOT: Final = 4
"""Requests that the gateway lets wait for each one that the pods of a workload work on."""

HOURS_A_DAY: Final = 24
_ROUNDING: Final = 1e-9


def _shape_of_a_day(weights: tuple[float, ...]) -> tuple[float, ...]:
    """The weights with a mean of 1, so that `rate` times a weight is the rate of that hour."""
    if len(weights) != HOURS_A_DAY:
        raise mistake(
            f"has {len(weights)} weights, and a day has {HOURS_A_DAY} hours",
            "write one weight for each hour, the first for 00:00 to 01:00 UTC",
        )
    mean = sum(weights) / HOURS_A_DAY
    if not mean:
        raise mistake("is zero in every hour", "write weights, or leave the key out if they are not known")
    return weights if abs(mean - 1) < _ROUNDING else tuple(weight / mean for weight in weights)


EnvName = Annotated[
    str, Matching(r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable", "write it like LOG_LEVEL")
]
EnvValue = Annotated[str, Quoted]
Argument = Annotated[str, Quoted]
Size = Annotated[Memory, Positive]
Time = Annotated[Duration, Positive]
DailyShape = Annotated[
    tuple[Ratio, ...],
    AfterValidator(_shape_of_a_day),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number", "minimum": 0},
            "minItems": HOURS_A_DAY,
            "maxItems": HOURS_A_DAY,
        }
    ),
]


class ContainerServe(Model):
    """How the workload runs in a pod."""

    image: Image = Field(
        description="Container image with tag (not `latest`) or digest.",
        examples=["halfmetal/embedder:0.1.0"],
    )
    port: Port = Field(
        default=8000, description="Port that it serves HTTP on. Default 8000.", examples=[8000]
    )
    ready: Annotated[str, Matching(r"/[^\s?#]*", "a path", "start it with /, like /v2/health/ready")] = Field(
        default="/v2/health/ready",
        description="Path that answers 200 when it can take requests. Default /v2/health/ready.",
        examples=["/v2/health/ready"],
    )
    args: tuple[Argument, ...] = Field(
        default=(),
        description=(
            "Arguments of the image's entry point, each an item of its own; no secrets. Numbers go in quotes."
            " Default: the image's own."
        ),
        examples=[["--model", "Qwen/Qwen2.5-7B-Instruct"]],
    )
    env: dict[EnvName, EnvValue] = Field(
        default={},
        description=(
            "Environment variables; no secrets. Values are text: put numbers in quotes. Default none."
        ),
        examples=[{"LOG_LEVEL": "info"}],
    )


class FunctionServe(Model):
    """How the workload runs as a Lambda function."""

    bundle: Annotated[
        str,
        Matching(
            r"(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\s\\]+",
            "a folder of this repository",
            "write a path from the repository's root, like examples/embedder",
        ),
    ] = Field(
        description="Folder with the function's code, from the repository's root.",
        examples=["examples/embedder"],
    )
    handler: Annotated[
        str,
        Matching(
            r"[^\s]*[^\s.]\.[^\s.]+|[^\s]+::[^\s]+",
            "a handler",
            "write module and function, like app.function.handler",
            128,
        ),
    ] = Field(description="Entry point, as the runtime spells it.", examples=["embedder.function.handler"])
    runtime: Annotated[
        str,
        Matching(
            r"python3\.[0-9]{1,2}|nodejs[0-9]{2}\.x|java[0-9]{2}|dotnet[0-9]{1,2}|ruby[0-9]\.[0-9]|provided\.al2(?:023)?",
            "a Lambda runtime",
            "write it like python3.11",
        ),
    ] = Field(
        default="python3.11", description="Lambda runtime. Default python3.11.", examples=["python3.11"]
    )
    memory: FunctionMemory = Field(
        description=(
            "Memory, in whole MiB, 128MiB or more; CPU comes with it, a core for every 1,769 MiB or so."
        ),
        examples=["2048MiB"],
    )
    package: Size | None = Field(
        default=None,
        description=(
            "Size of what is deployed, unpacked: code, dependencies, weights. The rule cold-start-budget"
            " reads it: a large package starts slowly. Default: not known."
        ),
        examples=["180MiB"],
    )
    timeout: FunctionTimeout = Field(
        default=Duration.parse("30s"),
        description="How long one request may take: whole seconds, 1s or more. Default 30s.",
        examples=["30s"],
    )
    env: dict[EnvName, EnvValue] = Field(
        default={},
        description=(
            "Environment variables; no secrets. Values are text: put numbers in quotes. Default none."
        ),
        examples=[{"LOG_LEVEL": "info"}],
    )
    reserved_concurrency: ReservedConcurrency | None = Field(
        default=None,
        description="How many copies may run at once. Default: the control plane's guardrail.",
        examples=[10],
    )
    log_retention: LogRetention | None = Field(
        default=None,
        description="How long its log is kept. Default: the control plane's guardrail.",
        examples=["14d"],
    )
    alarm: Flag | None = Field(
        default=None,
        description=(
            "Whether it gets an alarm on errors and throttles. Default: the control plane's guardrail."
        ),
        examples=[True],
    )


class Serve(Model):
    """Forms that the workload can run in: a container, a function, or either."""

    container: ContainerServe | None = Field(
        default=None,
        description="How it runs in a pod. Needed for the homes pool and metal. Default none.",
        examples=[{"image": "halfmetal/embedder:0.1.0", "port": 8000, "ready": "/v2/health/ready"}],
    )
    function: FunctionServe | None = Field(
        default=None,
        description=(
            "How it runs as a Lambda function. Needed for the homes function and reserved-function. Default"
            " none."
        ),
        examples=[
            {"bundle": "examples/embedder", "handler": "embedder.function.handler", "memory": "2048MiB"}
        ],
    )


class Needs(Model):
    """What one replica needs."""

    cpu: Cores = Field(description="CPU cores: 2, 0.5 or 500m; 1m to 1024.", examples=[1])
    memory: Size = Field(description="Memory.", examples=["1GiB"])
    accelerator: Accelerator | None = Field(
        default=None,
        description="GPUs, and how much memory of each is used. Default none.",
        examples=[{"type": "L4", "count": 1, "memory": "20GiB"}],
    )


class Traffic(Model):
    """How requests come. What is not known is left out; rules that need it then say `undecided`."""

    rate: Annotated[Rate, Positive] | None = Field(
        default=None,
        description="Requests on average over the day, above zero. Default: not known.",
        examples=["20/s"],
    )
    peak: Annotated[Rate, Positive] | None = Field(
        default=None,
        description="Requests in the busiest minute; not below rate. Default: not known.",
        examples=["60/s"],
    )
    utilization: Annotated[Share, Positive] | None = Field(
        default=None,
        description="Share of the day that one replica is busy: above 0% to 100%. Default: not known.",
        examples=["35%"],
    )
    service_time: Time | None = Field(
        default=None,
        description="Work of one request on an idle, warm replica. Default: not known.",
        examples=["25ms"],
    )
    burstiness: Ratio | None = Field(
        default=None,
        description=(
            "How unevenly requests come: squared coefficient of variation of the times between them. 0 is a "
            "clock's tick, 1 is chance (Poisson), more is bursts. Default: not known."
        ),
        examples=[1.2],
    )
    service_variation: Ratio | None = Field(
        default=None,
        description=(
            "How much the work differs between requests: squared coefficient of variation of the service "
            "time. 0 is always the same, 1 as exponential. Default: not known."
        ),
        examples=[0.5],
    )
    hourly: DailyShape | None = Field(
        default=None,
        description=(
            "Shape of the day: 24 weights, one for each hour from 00:00 UTC; only their proportions count. "
            "Default: not known."
        ),
        examples=[[0.5] * 8 + [1.5] * 12 + [0.5] * 4],
    )


class Latency(Model):
    """What a caller may count on."""

    p99: Time | None = Field(
        default=None,
        description="99 of 100 requests are answered within this. Default: no promise.",
        examples=["300ms"],
    )
    cold_start_tolerance: Duration | None = Field(
        default=None,
        description=(
            "Extra wait that a request may meet when nothing is warm; 0s for none at all. Default: any."
        ),
        examples=["2s"],
    )
    jitter: Time | None = Field(
        default=None,
        description="Most that the answer time may vary from one request to the next. Default: any.",
        examples=["50us"],
    )


class StateUse(Model):
    """Shared state on the request path, and state of its own."""

    reads: Annotated[tuple[Name, ...], Distinct] = Field(
        default=(),
        description="Stores (of the stack's `state`) that every request reads. Default none.",
        examples=[["features"]],
    )
    bytes: Size | None = Field(
        default=None,
        description="Bytes that one request reads from them. Default: not known.",
        examples=["64KiB"],
    )
    local_cache: Flag = Field(
        default=False,
        description=(
            "Whether it keeps a cache in its own memory or disk that must outlive a request. Default false."
        ),
        examples=[False],
    )


class TwinRequest(Model):
    """A function that takes what pods cannot take in time: the tail, which alone may meet a cold start."""

    queue: Annotated[Count, Field(ge=0, le=100_000)] | None = Field(
        default=None,
        description=(
            "Requests that may wait in a pod of the gateway, while every replica is busy, before the next one"
            " goes to the function: 0 or more, and fewer than the gateway lets wait, which is four times"
            " replicas times max_concurrency. Default: replicas times max_concurrency, or about one service"
            " time of waiting."
        ),
        examples=[4],
    )


CurrentPlace = Annotated[
    str,
    Matching(
        r"function|reserved-function|(?:pool|metal)/[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?",
        "a home with its pool",
        "write it like function or pool/cpu-a; `halfmetal plan --keep` does",
    ),
]


class PlacementRequest(Model):
    """Where it is to run. What is left out is decided."""

    home: Literal["function", "reserved-function", "pool", "metal"] | None = Field(
        default=None,
        description=(
            "`function` (Lambda on demand), `reserved-function` (provisioned concurrency or Managed "
            "Instances), `pool` (shared managed nodes) or `metal` (dedicated or bare-metal nodes). Default:"
            " decided."
        ),
        examples=["pool"],
    )
    pool: Name | None = Field(
        default=None, description="Pool for the homes pool and metal. Default: decided.", examples=["cpu-a"]
    )
    replicas: Annotated[Count, Field(ge=1, le=REPLICAS_AT_MOST)] | None = Field(
        default=None, description="Pods: 1 or more. Default: decided.", examples=[2]
    )
    max_concurrency: Annotated[Count, Field(ge=1, le=100_000)] | None = Field(
        default=None,
        description=(
            "Requests that one pod takes at once; the gateway queues the rest. 1 or more, and over"
            " all pods 24,000 at most. Default: decided."
        ),
        examples=[8],
    )
    twin: TwinRequest | None = Field(
        default=None,
        description=(
            "For the homes pool and metal of a hybrid stack: the workload as a function too, which takes only"
            " the tail, and everything while no replica is ready. Write `{}` for the defaults. It needs"
            " serve.container and serve.function; where the home is decided and is a function, it does"
            " nothing. Default none."
        ),
        examples=[{"queue": 4}],
    )
    current: CurrentPlace | None = Field(
        default=None,
        description=(
            "Where it runs today, as `halfmetal plan --keep` writes it: a home, and behind a slash its pool."
            " It binds nothing; what is decided leaves it only for what saves enough (decision.stickiness)."
            " Default: nowhere."
        ),
        examples=["pool/cpu-a"],
    )


class Workload(Model):
    """One thing that serves or processes."""

    name: Name = Field(
        description="Name, which is its model name in URLs too. Unique among the workloads.",
        examples=["embed"],
    )
    serve: Serve = Field(
        description="Forms that it can run in: at least one.",
        examples=[{"container": {"image": "halfmetal/embedder:0.1.0"}}],
    )
    needs: Needs = Field(description="What one replica needs.", examples=[{"cpu": 1, "memory": "1GiB"}])
    traffic: Traffic = Field(
        default=Traffic(),
        description="How requests come. Default: not known.",
        examples=[{"rate": "20/s", "peak": "60/s", "utilization": "35%", "service_time": "25ms"}],
    )
    latency: Latency = Field(
        default=Latency(),
        description="What a caller may count on. Default: nothing.",
        examples=[{"p99": "300ms", "cold_start_tolerance": "2s"}],
    )
    state: StateUse = Field(
        default=StateUse(),
        description="Shared state on the request path, and state of its own. Default none.",
        examples=[{"reads": ["features"], "bytes": "64KiB"}],
    )
    compliance: Annotated[tuple[Literal["pci-dss", "soc2-type-2"], ...], Distinct] = Field(
        default=(),
        description=(
            "Regimes that it falls under: `pci-dss`, `soc2-type-2`. They ask for isolation. Default none."
        ),
        examples=[["pci-dss"]],
    )
    integrations: Annotated[
        tuple[Literal["eventbridge", "step-functions", "sns", "sqs", "kinesis"], ...], Distinct
    ] = Field(
        default=(),
        description=(
            "Event buses and workflow engines of AWS that it works with: `eventbridge`, `step-functions`,"
            " `sns`, `sqs`, `kinesis`. The rule vendor-lock-in names them. Default none."
        ),
        examples=[["eventbridge"]],
    )
    placement: PlacementRequest = Field(
        default=PlacementRequest(),
        description="Where it is to run. Default: decided.",
        examples=[{"home": "pool", "pool": "cpu-a", "replicas": 2}],
    )
