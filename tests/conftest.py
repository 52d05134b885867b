"""What holds for all tests: how hard the property tests try, and which signals reach what they start.

`--hypothesis-profile quick` is for `make unit`; the default, `whole`, tries every example.
"""

import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from api_server import ApiServer

# No deadlines: a busy machine is no fault of the code's. What hypothesis chose by itself (on CI: the same
# examples each time) stays.
settings.register_profile(
    "whole", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("whole"), max_examples=20)
settings.load_profile("whole")

# A shell starts what it puts into the background with Ctrl-C ignored, and every process inherits that: then
# nothing that is started here could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[ApiServer]":
    """One API server for all tests that ask it."""
    from api_server import running  # noqa: PLC0415 - what it needs takes other tests no time

    with running(tmp_path_factory.mktemp("admission") / "state") as server:
        yield server
