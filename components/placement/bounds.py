"""What holds a stack's functions in check: how many copies may run, how many are warm, who is told.

Each is the function's own, else what the guardrails say for all. The rules judge it and the components make
it, so it is worked out here, once.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from components.placement.homes import Home
from components.placement.placements import Placement
from components.spec import Duration, FunctionServe, Problem, Stack, Workload

# The front door lets in twice the peak that the workloads name, and never less than this many a second.
_LEAST_RATE: Final = 100
_HEADROOM: Final = 2


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one function."""

    reserved_concurrency: int | None
    """Copies that may run at once; None where nothing bounds them."""
    log_retention: Duration | None
    """How long its log is kept; None for ever."""
    alarm: bool


def bounds_of(stack: Stack, serve: FunctionServe | None = None) -> Bounds:
    """A function's bounds: its own, else the guardrails'. Without one, those of the control functions."""
    general = stack.control_plane.guardrails
    if serve is None:
        return Bounds(general.reserved_concurrency, general.log_retention, general.alarm)
    return Bounds(
        serve.reserved_concurrency or general.reserved_concurrency,
        serve.log_retention or general.log_retention,
        general.alarm if serve.alarm is None else serve.alarm,
    )


def warm_copies(workload: Workload) -> int:
    """Copies that a reserved function keeps: those that are busy at its peak (Little's law), one at least."""
    peak, work = workload.traffic.peak or workload.traffic.rate, workload.traffic.service_time
    if peak is None or work is None:
        return 1
    return max(1, math.ceil(peak.per_second * work.seconds))


def throttle(workloads: tuple[Workload, ...]) -> int:
    """Requests a second that the front door lets in."""
    peaks = [workload.traffic.peak or workload.traffic.rate for workload in workloads]
    named = sum(peak.per_second for peak in peaks if peak is not None)
    return max(_LEAST_RATE, math.ceil(named * _HEADROOM))


def overbooked(stack: Stack, placements: Mapping[str, Placement]) -> Iterator[Problem]:
    """Functions that may not run as many copies as their traffic keeps warm, by the workloads' placements."""
    for index, workload in enumerate(stack.workloads):
        serve, placed = workload.serve.function, placements.get(workload.name)
        if serve is None or placed is None or placed.home is not Home.RESERVED_FUNCTION:
            continue
        reserved, warm = bounds_of(stack, serve).reserved_concurrency, warm_copies(workload)
        if reserved is not None and warm > reserved:
            yield Problem(
                f"workloads[{index}].serve.function.reserved_concurrency",
                reserved,
                f"is less than the {warm} copies that its traffic keeps warm",
                f"write {warm} or more",
                workload.name,
            )
