"""The shape of a catalog: every figure with where it was read, when, for which region, and how sure it is."""

from datetime import date
from enum import StrEnum
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from components.catalog.bandwidth import Bandwidth
from components.spec.units import Duration, Memory, Share

T = TypeVar("T")

ANYWHERE = "any"
"""Region of a figure that does not depend on one."""


class Confidence(StrEnum):
    """How far a figure may be relied on."""

    VERIFIED = "verified"
    """Read in a primary source: the vendor's own documentation, API or package."""

    SECONDARY = "secondary"
    """Read in secondary sources only."""

    ASSUMED = "assumed"
    """Not verified. Every output that uses it says so."""

    CONFIGURED = "configured"
    """Put in the catalog's place by a stack file, which answers for it. Every output that uses it says so."""


class Part(BaseModel):
    """Base of every part of the catalog: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Provenance(Part):
    """Where a figure comes from."""

    source: str = Field(min_length=1, description="The document, package or dataset the figure was read in.")
    as_of: date = Field(description="The day it was read there.")
    region: str = Field(
        min_length=1, description="The region it holds for; `any` when it does not depend on one."
    )
    confidence: Confidence
    note: str = ""


class Fact(Provenance, Generic[T]):
    """One figure of a catalog with its provenance."""

    value: T

    @property
    def caveat(self) -> str:
        """` (assumed)` or ` (as configured)` where so, else nothing: shown behind the figure, always."""
        return _CAVEATS.get(self.confidence, "")


_CAVEATS = {Confidence.ASSUMED: " (assumed)", Confidence.CONFIGURED: " (as configured)"}


class FunctionLimits(Part):
    """What AWS Lambda allows, and what it takes when nothing is said."""

    memory_on_demand: Fact[Memory]
    memory_managed_instances: Fact[Memory]
    memory_default: Fact[Memory]
    timeout: Fact[Duration]
    timeout_managed_instances: Fact[Duration]
    timeout_default: Fact[Duration]
    unreserved_concurrency: Fact[int]
    accelerator_memory_managed_instances: Fact[Memory]
    package_unzipped: Fact[Memory]
    package_direct: Fact[Memory]
    payload: Fact[Memory]


class FrontDoorLimits(Part):
    """How long what stands in front waits for an answer: each type of API, and the gateway in the cluster."""

    http_api: Fact[Duration]
    rest_api: Fact[Duration]
    rest_api_streamed: Fact[Duration]
    gateway: Fact[Duration]


class NodeLimits(Part):
    """What of a node its system keeps from pods."""

    first_core: Fact[Share]
    second_core: Fact[Share]
    third_and_fourth_core: Fact[Share]
    more_cores: Fact[Share]
    memory: Fact[Memory]
    memory_of_a_pod: Fact[Memory] = Field(description="For each pod that its addresses allow.")
    memory_before_eviction: Fact[Memory]
    system_pods: Fact[Share] = Field(description="Of a core, what the pods of the system itself ask for.")


class PlatformLimits(Part):
    """What another platform for functions allows."""

    memory: Fact[Memory]
    timeout: Fact[Duration]


class CloudRunLimits(PlatformLimits):
    """What Cloud Run allows a service, and what it takes when nothing is said."""

    memory_default: Fact[Memory]
    timeout_default: Fact[Duration]


class Limits(Part):
    """Hard limits, by the thing they limit."""

    function: FunctionLimits
    cloud_run: CloudRunLimits
    sagemaker_serverless: PlatformLimits
    front_door: FrontDoorLimits
    node: NodeLimits


class StateLatency(Part):
    """How long a read of shared state takes."""

    round_trip_same_zone: Fact[Duration]
    round_trip_cross_zone: Fact[Duration]
    ten_megabytes_cross_zone: Fact[Duration]


class ColdStart(Part):
    """The wait for a function that is not warm, by the size of its package."""

    p95: Fact[Duration]
    p95_large_package: Fact[Duration]
    p95_container: Fact[Duration]
    p95_large_container: Fact[Duration]
    kept_warm: Fact[Duration] = Field(description="How long a copy that nobody wants stays warm.")


class Latency(Part):
    """Times, by the thing that takes them."""

    state: StateLatency
    cold_start: ColdStart


class UtilizationGuidance(Part):
    """Which home is right at which utilization."""

    function_below: Fact[Share]
    pool_from: Fact[Share]
    nodes_above: Fact[Share]


class ExecutionGuidance(Part):
    """How long a request may take before a container is cheaper."""

    container_over: Fact[Duration]


class JitterGuidance(Part):
    """How even answer times must be before nothing but metal will do."""

    metal_below: Fact[Duration]


class CapacityGuidance(Part):
    """How much is held in reserve, and how easily what runs is moved."""

    headroom: Fact[Share]
    stickiness: Fact[Share]


class Guidance(Part):
    """First answers, where nothing was computed for a workload."""

    utilization: UtilizationGuidance
    execution: ExecutionGuidance
    jitter: JitterGuidance
    capacity: CapacityGuidance


class AcceleratorType(Provenance):
    """One kind of accelerator."""

    name: str
    vendor: Literal["nvidia"]
    memory: Memory = Field(description="What one device reports.")
    sold_as: Memory = Field(description="The figure on its label, the one people write in a stack file.")


class Accelerators(Part):
    """The accelerators of one instance."""

    type: str
    count: int = Field(ge=1)
    memory: Memory = Field(description="Of one accelerator, as the device reports it.")


class InstanceType(Provenance):
    """What one EC2 instance type gives."""

    name: str
    vcpu: int = Field(ge=1)
    memory: Memory
    architecture: Literal["amd64", "arm64"] = Field(description="As in the label kubernetes.io/arch.")
    bare_metal: bool = False
    accelerators: Accelerators | None = None
    network: Bandwidth | None = Field(
        default=None, description="What it can count on, beyond which it may burst. None: not known."
    )
