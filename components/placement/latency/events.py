"""The same as `recursion`, event by event on a clock (simpy): slower, and nearer to what happens.

It knows no theorem: requests are processes that ask for a server, lose patience and are served; idle copies
of a function are processes that wait for a request until their time is up. It is what the recursions are
checked against.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from components.placement.latency.recursion import Copies, Invoked, Queue, Queued
from components.placement.latency.times import Floats

_Process = Generator[simpy.Event, Any, None]


def queued(arrivals_s: Floats, service_s: Floats, queue: Queue) -> Queued:
    """A sequence of arrivals in order, and what each takes, through a queue."""
    world = simpy.Environment()
    servers = simpy.Resource(world, capacity=queue.servers)
    waits = np.zeros(len(arrivals_s))
    served = np.ones(len(arrivals_s), dtype=np.bool_)

    def request(each: int, work: float) -> _Process:
        came = world.now
        if queue.room is not None and servers.count == queue.servers and len(servers.queue) >= queue.room:
            served[each] = False
            return
        with servers.request() as turn:
            if np.isfinite(queue.patience_s):
                yield turn | world.timeout(queue.patience_s)
            else:
                yield turn
            waits[each] = world.now - came
            served[each] = turn.triggered
            if turn.triggered:
                yield world.timeout(work)

    def source() -> _Process:
        for each, work in enumerate(service_s.tolist()):
            yield world.timeout(max(0.0, float(arrivals_s[each]) - world.now))
            world.process(request(each, work))

    world.process(source())
    world.run()
    return Queued(waits, served)


def invoked(arrivals_s: Floats, service_s: Floats, cold_start_s: Floats, copies: Copies) -> Invoked:
    """A sequence of arrivals in order, what each takes and would take to start cold, through a function."""
    world = simpy.Environment()
    held = simpy.Container(world, init=copies.provisioned) if copies.provisioned else None
    idle: list[simpy.Event] = []
    working: set[int] = set()
    cold = np.zeros(len(arrivals_s), dtype=np.bool_)
    on_held = np.zeros(len(arrivals_s), dtype=np.bool_)
    served = np.ones(len(arrivals_s), dtype=np.bool_)

    def kept() -> _Process:
        wanted = world.event()
        idle.append(wanted)
        yield wanted | world.timeout(copies.keep_alive_s)
        if not wanted.triggered:
            idle.remove(wanted)

    def request(each: int, work: float, start: float) -> _Process:
        if copies.limit is not None and len(working) >= copies.limit:
            served[each] = False
            return
        working.add(each)
        if held is not None and held.level:
            on_held[each] = True
            held.get(1)
            yield world.timeout(work)
            held.put(1)
        else:
            if idle:
                idle.pop().succeed()
            else:
                cold[each] = True
                yield world.timeout(start)
            yield world.timeout(work)
            world.process(kept())
        working.remove(each)

    def source() -> _Process:
        rows = zip(service_s.tolist(), cold_start_s.tolist(), strict=True)
        for each, (work, start) in enumerate(rows):
            yield world.timeout(max(0.0, float(arrivals_s[each]) - world.now))
            world.process(request(each, work, start))

    world.process(source())
    world.run()
    return Invoked(cold, on_held, served)
