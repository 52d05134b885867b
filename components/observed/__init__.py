"""Measured utilisation read and judged: which workloads sit in the wrong home, and what to write instead.

    observed = measure(stack, read([Named.parse("metrics.json")]))
    judgement = judge(stack, observed)

`read` takes answers of CloudWatch and Prometheus, `measure` finds what they say of each workload, `judge`
puts that into the stack, runs rules, cost and latency of every home again, and says what is wrong where. All
raise `TraceError` where there is nothing to be had.
"""

from components.observed.judging import Judged, Judgement, Reason, Standing, judge
from components.observed.measuring import Measured, Observed, measure
from components.observed.quantities import DECLARED, Quantity
from components.observed.reading import Measurements, Named, read

__all__ = [
    "DECLARED",
    "Judged",
    "Judgement",
    "Measured",
    "Measurements",
    "Named",
    "Observed",
    "Quantity",
    "Reason",
    "Standing",
    "judge",
    "measure",
    "read",
]
