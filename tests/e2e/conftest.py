"""One sandbox for the topologies, in a temporary state directory: a running one is not touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from inventory import held
from real_shell import HALFMETAL, Sandbox


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("sandbox") / "state")
    made.outside.ok(HALFMETAL, "sandbox", "up")
    made.empty = held(made.shell, cluster=True)
    yield made
    made.outside.ok(HALFMETAL, "sandbox", "down")
