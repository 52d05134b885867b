"""Dated facts as data: limits, latencies, prices and machines, each with source, date, region and confidence.

`load()` returns them. No figure in this project is a constant in code: it is here, so that what it rests on
can be shown beside every decision made with it.
"""

from typing import TYPE_CHECKING

from components.lazily import lazily

if TYPE_CHECKING:
    from components.catalog.bandwidth import Bandwidth
    from components.catalog.catalog import Catalog, Place
    from components.catalog.distributions import Distribution, Distributions
    from components.catalog.errors import CatalogError, MissingFigureError, UnknownFigureError
    from components.catalog.loading import load
    from components.catalog.models import (
        ANYWHERE,
        Accelerators,
        AcceleratorType,
        ColdStart,
        Confidence,
        Fact,
        FrontDoorLimits,
        FunctionLimits,
        Guidance,
        InstanceType,
        Latency,
        Limits,
        NodeLimits,
        Provenance,
        StateLatency,
    )
    from components.catalog.overrides import for_stack, overridden
    from components.catalog.prices import Architecture, Capacity, Hourly, Offer, Prices, Provider
    from components.catalog.regional import Regional
    from components.catalog.staleness import TOO_OLD, Stale, stale
    from components.catalog.unit_prices import (
        CapacityUnitPrice,
        MemoryTimePrice,
        RequestPrice,
        TransferPrice,
        UnitPrice,
    )
else:
    __getattr__ = lazily(__name__, __file__)

__all__ = [
    "ANYWHERE",
    "TOO_OLD",
    "AcceleratorType",
    "Accelerators",
    "Architecture",
    "Bandwidth",
    "Capacity",
    "CapacityUnitPrice",
    "Catalog",
    "CatalogError",
    "ColdStart",
    "Confidence",
    "Distribution",
    "Distributions",
    "Fact",
    "FrontDoorLimits",
    "FunctionLimits",
    "Guidance",
    "Hourly",
    "InstanceType",
    "Latency",
    "Limits",
    "MemoryTimePrice",
    "MissingFigureError",
    "NodeLimits",
    "Offer",
    "Place",
    "Prices",
    "Provenance",
    "Provider",
    "Regional",
    "RequestPrice",
    "Stale",
    "StateLatency",
    "TransferPrice",
    "UnitPrice",
    "UnknownFigureError",
    "for_stack",
    "load",
    "overridden",
    "stale",
]
