"""How use is counted before a price is put to it: what is rounded up, to what, and what a unit holds."""

from pydantic import Field

from components.catalog.models import Fact, Part
from components.spec.units import Duration, Memory, Rate


class FunctionMetering(Part):
    """AWS Lambda."""

    duration_step: Fact[Duration] = Field(description="The time of each request is rounded up to whole ones.")
    memory_of_a_core: Fact[Memory] = Field(description="Memory at which a function has one vCPU.")


class FrontDoorMetering(Part):
    """API Gateway."""

    http_api_step: Fact[Memory] = Field(description="A larger payload counts as several requests.")


class CapacityUnit(Part):
    """What one capacity unit of a load balancer holds. The dimension that is used most is billed."""

    new_connections: Fact[Rate]
    active_connections: Fact[int]
    data_an_hour: Fact[Memory] = Field(description="To instances, containers and IP targets.")


class LoadBalancerMetering(Part):
    """Elastic Load Balancing."""

    network: CapacityUnit = Field(description="TCP.")
    application: CapacityUnit


class Metering(Part):
    """How use is counted, by the thing that is used."""

    function: FunctionMetering
    front_door: FrontDoorMetering
    load_balancer: LoadBalancerMetering
    spot_notice: Fact[Duration] = Field(description="Warning before a spot instance is taken back.")
