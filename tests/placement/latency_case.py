"""What the latency tests have in common: options and demands of a few words."""

import numpy as np

from components import catalog
from components.placement.homes import Home
from components.placement.options import Demand, FunctionOption, NodesOption
from components.spec import Duration, Memory, Rate

CATALOG = catalog.load()
SECOND = Duration.parse("1s")


def nodes(servers: int = 2, **more: object) -> NodesOption:
    given = {"home": Home.POOL, "instance": CATALOG.instance_types["m7g.large"], "per_node": 4, **more}
    return NodesOption(replicas=servers, **given)


def function(package: str | None = "10MiB", provisioned: int = 0) -> FunctionOption:
    return FunctionOption(
        home=Home.RESERVED_FUNCTION if provisioned else Home.FUNCTION,
        memory=Memory.parse("1GiB"),
        architecture="arm64",
        provisioned=provisioned,
        package=None if package is None else Memory.parse(package),
    )


def demand(per_second: float = 20.0, service_time: str = "25ms", **more: object) -> Demand:
    rate = Rate.of(per_second, "/s")
    return Demand(**{"rate": rate, "peak": rate, "service_time": Duration.parse(service_time), **more})


def seconds(time: Duration | None) -> float:
    return np.inf if time is None else time.seconds


def bursts(count: int, seed: int = 1) -> np.ndarray:
    """Bursts of a hundred requests or so, half a minute of silence between: a burstiness in the hundreds."""
    random = np.random.default_rng(seed)
    first = random.random(count) < 0.01
    return np.cumsum(np.where(first, random.exponential(30, count), random.exponential(0.05, count)))


def drifting(count: int, seed: int = 1) -> np.ndarray:
    """By chance, at a rate that swings by a third every ten minutes: a burstiness of little more than 1."""
    random = np.random.default_rng(seed)
    steady = np.cumsum(random.exponential(0.2, count))
    swing = steady + 30 * np.sin(steady / 95)
    return np.maximum.accumulate(swing)
