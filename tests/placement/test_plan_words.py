"""How a plan's figures are written."""

import pytest

from components.placement.latency import counted, length
from components.spec.units import Duration


@pytest.mark.parametrize(
    ("time", "said"),
    [
        pytest.param("1h", "3,600 s", id="long"),
        pytest.param("1159035128ns", "1.16 s", id="seconds"),
        pytest.param("132ms", "132 ms", id="milliseconds"),
        pytest.param("999999ns", "1,000 us", id="almost a millisecond"),
        pytest.param("4us", "4 us", id="microseconds"),
        pytest.param("1ns", "0.001 us", id="next to nothing"),
        pytest.param(None, "endless", id="endless"),
    ],
)
def test_times(time: str | None, said: str):
    assert length(None if time is None else Duration.parse(time)) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0.0001, "0.0001"), (0.25, "0.25"), (20, "20"), (99.96, "100"), (123.4, "123"), (2000, "2,000")],
)
def test_numbers(number: float, said: str):
    assert counted(number) == said
