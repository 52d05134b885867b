"""Dated facts as data: limits, latencies, accelerators and instance types, each with source and confidence.

`load()` returns them. No figure in this project is a constant in code: it is here, so that what it rests on
can be shown beside every decision made with it.
"""

from components.catalog.loading import CatalogError, load
from components.catalog.models import (
    Accelerators,
    AcceleratorType,
    Catalog,
    Confidence,
    Fact,
    FunctionLimits,
    InstanceType,
    Latency,
    Limits,
    Provenance,
    StateLatency,
)

__all__ = [
    "AcceleratorType",
    "Accelerators",
    "Catalog",
    "CatalogError",
    "Confidence",
    "Fact",
    "FunctionLimits",
    "InstanceType",
    "Latency",
    "Limits",
    "Provenance",
    "StateLatency",
    "load",
]
