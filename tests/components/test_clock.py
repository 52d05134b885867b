"""One day for everybody."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from components import clock


@pytest.fixture(params=["Pacific/Kiritimati", "Etc/GMT+12"])
def somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Where a day begins first, and where it does last."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("somewhere")
def test_a_day_is_the_same_everywhere():
    before = datetime.now(UTC).date()
    assert before <= clock.today() <= datetime.now(UTC).date()
