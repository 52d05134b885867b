"""An emulator of these tests' own, and the provider configured for it."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from provider_driver import Driver, World, environment_for

from sandbox import ports
from sandbox.aws.provider.provider import Provider
from sandbox.paths import REPO
from sandbox.progress import Progress
from sandbox.toolchain import ensure

DEADLINE_S = 60.0


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_ministack/health").is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator, repairs of the sandbox included."""
    # The variable is for trying another emulator than the toolchain's.
    python = os.environ.get("HALFMETAL_EMULATOR_PYTHON") or str(
        ensure(["emulator"], Progress()).path("emulator-python")
    )
    state = tmp_path_factory.mktemp("emulator")
    port = ports.choose(["emulator"], seed=str(state))["emulator"]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [python, REPO / "sandbox" / "aws" / "emulator" / "main.py"],
        env={
            "PATH": os.environ["PATH"],
            "GATEWAY_PORT": str(port),
            "STATE_DIR": str(state / "data"),
            "EKS_BASE_PORT": "26443",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
        stdout=(state / "log").open("ab"),
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_until_it_answers(url, process, state / "log")
        yield url
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the emulator did not come up:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


@pytest.fixture
def driver(emulator: str, tmp_path: Path) -> Driver:
    """The provider on the emulator, with a ledger of its own."""
    provider = Provider(tmp_path / "ledger", environment=environment_for(emulator))
    provider.configure({})
    return Driver(provider)


@pytest.fixture(scope="session")
def world(emulator: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Resources that others need, made when the first asks for them."""
    provider = Provider(tmp_path_factory.mktemp("world"), environment=environment_for(emulator))
    provider.configure({})
    return World(Driver(provider))


@pytest.fixture
def offline(tmp_path: Path) -> Driver:
    """The provider with nothing behind it: what needs no service must not ask one."""
    provider = Provider(tmp_path / "ledger", environment=environment_for("http://127.0.0.1:9"))
    provider.configure({})
    return Driver(provider)
