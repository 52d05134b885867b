"""Small traces of known burstiness, and how tests read them."""

import gzip
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from components.traffic import Arrivals

NOON = int(datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp())
SECOND = 10**9
REPOSITORY = Path(__file__).resolve().parents[2]


def csv_of(times_s: Iterable[float], heading: str = "time") -> str:
    return "".join(f"{line}\n" for line in [heading, *(f"{NOON + time:.6f}" for time in times_s)])


def written(folder: Path, content: str | bytes, name: str = "trace.log") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def zipped(text: str) -> bytes:
    return gzip.compress(text.encode())


def arrivals(times_s: Sequence[float] | NDArray[np.float64], start: int = NOON, **more: object) -> Arrivals:
    times = np.round(np.asarray(times_s) * SECOND).astype(np.int64) + start * SECOND
    return Arrivals(times_ns=np.sort(times), **more)  # type: ignore[arg-type] - of what a case is about


def poisson(rate: float, count: int, seed: int) -> NDArray[np.float64]:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def real_trace(name: str) -> Path:
    """One of the published traces that the project measures itself on, if it is on this machine."""
    told = os.environ.get("HALFMETAL_TRACES")
    folders = [Path(told)] if told else [above / "shared" / "traces" for above in REPOSITORY.parents]
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if found is None:
        pytest.skip(f"{name} is not here: set HALFMETAL_TRACES to the folder that has it")
    return found
