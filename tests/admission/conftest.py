"""One API server for all tests that ask it."""

from collections.abc import Iterator

import pytest
from api_server import ApiServer, running


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with running(tmp_path_factory.mktemp("admission") / "state") as server:
        yield server
