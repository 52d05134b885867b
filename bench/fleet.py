"""How the time to choose a fleet grows with the workloads: 10, 100, 1,000, 10,000 of them, in one run.

The baseline is the smallest. Each demand is made up, the same in every run: workloads of common sizes, a
quarter of them on accelerators, a third of the others with a function as the alternative, on twenty types of
nodes in three zones.
Beside the time stand the gap to the bound and what an independent check of the answer found.
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.measure import COLUMNS, BenchError, Cost, as_rows, machine, print_json, report, told, turn_about
from components.placement.fleet import Claim, Demand, Fleet, Offer, broken, solve
from components.placement.homes import Home
from components.spec.units import Memory, Money, Period

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SIZES = (10, 100, 1000, 10000)
_GIB = 2**30
# Cores, GiB, dollars an hour, accelerator, devices: of the shapes that clouds have. Prices only need to
# differ as those of clouds do; nothing that is decided here rests on them.
_NODES: tuple[tuple[int, int, float, str | None, int], ...] = (
    *((cores, 4 * cores, 0.0408 * cores, None, 0) for cores in (1, 2, 4, 8, 16, 32, 64)),
    *((cores, 2 * cores, 0.0357 * cores, None, 0) for cores in (2, 4, 8, 16, 32)),
    *((4, 16, 1.006, "A10G", 1), (48, 192, 5.672, "A10G", 4), (4, 16, 0.8048, "L4", 1)),
    *((48, 192, 4.6016, "L4", 4), (4, 32, 1.861, "L40S", 1), (48, 384, 10.49, "L40S", 4)),
    *((96, 1152, 21.95, "A100", 8), (192, 2048, 55.04, "H100", 8)),
)
# What a node keeps for itself.
_CORES_LEFT, _MEMORY_LEFT = 0.95, 0.9


def made_up(claims: int, *, zones: str = "abc", seed: int = 1) -> Demand:
    """A demand of so many claims on twenty types of nodes in each zone."""
    chance = random.Random(seed)
    offers = tuple(_offers(zones))
    kinds = sorted({each.accelerator for each in offers if each.accelerator})
    return Demand(
        claims=tuple(_claim(f"w{number:05}", chance, kinds, zones) for number in range(claims)),
        offers=offers,
    )


def _offers(zones: str) -> Iterator[Offer]:
    for number, (cores, gib, hourly, accelerator, devices) in enumerate(_NODES):
        for zone in zones:
            yield Offer(
                instance=f"type-{number:02}",
                zone=zone,
                capacity="on-demand",
                price=Money(Decimal(str(round(hourly, 4))), Period.HOUR),
                cpu_m=int(cores * 1000 * _CORES_LEFT),
                memory=Memory(int(gib * _GIB * _MEMORY_LEFT)),
                accelerator=accelerator,
                accelerators=devices,
            )


def _claim(name: str, chance: random.Random, kinds: Sequence[str], zones: str) -> Claim:
    accelerated = chance.random() < 1 / 4
    kind = chance.choice(kinds) if accelerated else None
    monthly = Money(Decimal(chance.randint(5, 400)), Period.MONTH)
    as_function = not accelerated and chance.random() < 1 / 3
    return Claim(
        name=name,
        replicas=chance.choice([1, 2, 3, 4, 8]),
        cpu_m=chance.choice([1000, 2000, 3000] if accelerated else [250, 500, 1000, 2000, 3000, 4000]),
        memory=Memory(int(chance.choice([0.5, 1, 2, 4, 8, 12]) * _GIB)),
        accelerator=kind,
        accelerators=1 if accelerated else 0,
        zones=chance.choice([None, None, *(frozenset(zone) for zone in zones)]),
        functions=MappingProxyType({Home.FUNCTION: monthly} if as_function else {}),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, action="append", help="workloads; may be repeated")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    sizes = arguments.size or list(_SIZES)
    fleets: dict[int, Fleet] = {}
    subjects = {f"{size:,} workloads": partial(_solved, size, fleets) for size in sizes}
    compared = turn_about(subjects, arguments.rounds)
    if arguments.json:
        print_json(
            {
                "fleet": [
                    one.as_json() | {"gap": round(fleets[size].gap, 5)}
                    for one, size in zip(compared, sizes, strict=True)
                ]
            }
        )
        return
    rows = [(*row, f"{fleets[size].gap:.2%}") for row, size in zip(as_rows(compared), sizes, strict=True)]
    report(f"Choosing a fleet ({machine()})", (*COLUMNS, "gap"), rows)


def _solved(size: int, fleets: dict[int, Fleet]) -> Cost:
    demand = made_up(size)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    fleet = solve(demand)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    if not isinstance(fleet, Fleet):
        raise BenchError(f"{size} workloads: {fleet.conflict}")
    if wrong := broken(demand, fleet):
        raise BenchError(f"{size} workloads: the answer does not hold: {wrong[0]}")
    fleets[size] = fleet
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    told(main)
