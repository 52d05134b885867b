"""One sandbox for the topologies, in a temporary state directory: a running one is not touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from inventory import held
from real_shell import Sandbox, running


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox") / "state", "hybrid") as made:
        made.empty = held(made.shell, cluster=True)
        yield made
