"""The three example stacks, deployed to the recording engine with bundles that cost nothing to make."""

import warnings

import pytest
from recording import Recording, bundle_of_likely_size, deploy

from components.control_plane.bundle import REPO
from components.spec.source import load_file

TOPOLOGIES = ("pure", "hybrid", "dedicated")


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
