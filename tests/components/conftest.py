"""The three example stacks, deployed to the recording engine with bundles that cost nothing to make."""

import warnings
from pathlib import Path

import pytest
from recording import Recording, deploy

from components.control_plane.bundle import REPO, Bundle
from components.spec.source import load_file

TOPOLOGIES = ("pure", "hybrid", "dedicated")


def bundle_of_likely_size(folder: str, runtime: str) -> Bundle:
    """A model's bundle goes through S3, the control function's does not."""
    del runtime
    size = 100 * 2**20 if folder.startswith("examples/") else 2**20
    return Bundle(Path(__file__), f"{len(folder):064x}", size, size)


@pytest.fixture(scope="session")
def deployed() -> dict[str, Recording]:
    """Each stack once: importing the SDKs is what takes the time."""
    with warnings.catch_warnings():
        # The SDK defines its deprecated types, and warns of each, whether anyone uses it or not.
        warnings.simplefilter("ignore", DeprecationWarning)
        return {
            name: deploy(load_file(REPO / "stacks" / f"Pulumi.{name}.yaml"), bundle_of_likely_size, name)
            for name in TOPOLOGIES
        }


@pytest.fixture(params=TOPOLOGIES)
def each(request: pytest.FixtureRequest, deployed: dict[str, Recording]) -> Recording:
    """One topology after the other."""
    return deployed[request.param]
