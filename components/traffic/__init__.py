"""Request logs, read and measured: how many requests come, how unevenly, and how much work they bring.

    trace = read("access.log.gz")
    print(profile(trace, service_time=Duration.parse("25ms")).to_yaml())

`read` streams a log of any known format into arrivals (or counts, where there is no more); `profile` turns
those into the `traffic` block of a workload. Both raise `TraceError` where there is nothing to measure.
"""

from components.traffic.findings import Finding, TraceError, Weight
from components.traffic.formats.row import ReadOptions
from components.traffic.measurement import Measurement, Sureness
from components.traffic.profiling import Profile, profile
from components.traffic.reading import KINDS, read
from components.traffic.trace import Arrivals, Counts, Trace

__all__ = [
    "KINDS",
    "Arrivals",
    "Counts",
    "Finding",
    "Measurement",
    "Profile",
    "ReadOptions",
    "Sureness",
    "Trace",
    "TraceError",
    "Weight",
    "profile",
    "read",
]
