"""What happens to each request of a sequence, request by request instead of event by event.

In a queue that serves in order of arrival, a request starts when the first server comes free (J. Kiefer and
J. Wolfowitz, "On the theory of queues with many servers", 1955; with one server it is Lindley's recursion):
a heap of the times at which servers come free is all the state there is. A request that gives up after a set
wait never reaches a server, so those behind it are not touched by it. A function has no queue: a request
takes a copy that is free, the one used last first, or a new one. All of it is exact: the same as `events`
finds by moving a clock, at a small part of the time.
"""

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.placement.latency.times import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A pool behind the gateway: one queue, served in order of arrival."""

    servers: int
    """Requests that all replicas take at once."""
    patience_s: float = np.inf
    """Longest wait; after it the request leaves the queue."""
    room: int | None = None
    """Requests that may wait; with the next, it is turned away at once. None is no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A function: as many copies as requests at once."""

    keep_alive_s: float
    """How long an idle copy is kept."""
    provisioned: int = 0
    """Copies that are always warm, and taken first."""
    limit: int | None = None
    """Copies at once, at most; a request beyond is turned away. None is no limit."""


@dataclass(frozen=True, slots=True)
class Queued:
    """What the queue did with each request."""

    wait_s: Floats
    """Until it started, or until it left."""
    served: Flags
    """Whether it started at all."""


@dataclass(frozen=True, slots=True)
class Invoked:
    """What the function did with each request."""

    cold: Flags
    """Whether it met no warm copy."""
    held: Flags
    """Whether it met one of those that are always warm."""
    served: Flags
    """Whether it was taken at all."""


def queued(arrivals_s: Floats, service_s: Floats, queue: Queue) -> Queued:
    """A sequence of arrivals in order, and what each takes, through a queue."""
    count = len(arrivals_s)
    waits, served = np.zeros(count), np.ones(count, dtype=np.bool_)
    if queue.servers >= count:
        return Queued(waits, served)
    free, waiting = [-np.inf] * queue.servers, deque[float]()
    room = count if queue.room is None else queue.room
    for each, (now, work) in enumerate(zip(arrivals_s.tolist(), service_s.tolist(), strict=True)):
        start = free[0]
        if start <= now:
            heapq.heapreplace(free, now + work)
            continue
        while waiting and waiting[0] <= now:
            waiting.popleft()
        if len(waiting) >= room:
            served[each] = False
            continue
        waits[each] = start - now
        if waits[each] > queue.patience_s:
            waits[each], served[each] = queue.patience_s, False
            start = now + queue.patience_s
        else:
            heapq.heapreplace(free, start + work)
        waiting.append(start)
    return Queued(waits, served)


def invoked(arrivals_s: Floats, service_s: Floats, cold_start_s: Floats, copies: Copies) -> Invoked:
    """A sequence of arrivals in order, what each takes and would take to start cold, through a function."""
    count = len(arrivals_s)
    cold, on_held = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    served = np.ones(count, dtype=np.bool_)
    limit = count if copies.limit is None else copies.limit
    held: list[float] = []
    busy: list[float] = []
    idle: list[float] = []
    rows = zip(arrivals_s.tolist(), service_s.tolist(), cold_start_s.tolist(), strict=True)
    for each, (now, work, start) in enumerate(rows):
        while held and held[0] <= now:
            heapq.heappop(held)
        while busy and busy[0] <= now:
            idle.append(heapq.heappop(busy))
        if len(held) + len(busy) >= limit:
            served[each] = False
        elif len(held) < copies.provisioned:
            on_held[each] = True
            heapq.heappush(held, now + work)
        elif idle and idle.pop() >= now - copies.keep_alive_s:
            heapq.heappush(busy, now + work)
        else:
            # What lies under a copy that is too old is older still.
            idle.clear()
            cold[each] = True
            heapq.heappush(busy, now + start + work)
    return Invoked(cold, on_held, served)
