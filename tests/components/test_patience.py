"""How long the gateway waits, and that nothing which is replaced in the meantime ends a request earlier."""

from typing import Any

import pytest
import yaml
from recording import Recording, bundle_of_likely_size, deploy

from components.control_plane.bundle import REPO
from components.spec import load

_TEN_MINUTES = {"value": "10m", "source": "our longest batch", "as_of": "2026-11-01"}


@pytest.fixture(
    scope="module",
    params=[pytest.param((300, {}), id="as it is"), pytest.param((600, _TEN_MINUTES), id="longer")],
)
def deployed(request: pytest.FixtureRequest) -> tuple[int, Recording]:
    """Seconds that the gateway waits for an answer, and the dedicated example that says so."""
    waits, figure = request.param
    text = (REPO / "stacks" / "Pulumi.dedicated.yaml").read_text(encoding="utf-8")
    stack: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    figures = {"catalog": {"limits.front_door.gateway": figure}} if figure else {}
    return waits, deploy(load(stack | figures), bundle_of_likely_size, "dedicated")


def test_the_gateway_waits_as_long_as_the_stacks_catalog_says(deployed: tuple[int, Recording]) -> None:
    waits, recording = deployed
    config = recording.one("kubernetes:core/v1:ConfigMap", "-gateway-config")
    assert f"timeout server {waits}s\n" in config.inputs["data"]["haproxy.cfg"]


def test_every_pod_that_goes_has_that_long_to_finish(deployed: tuple[int, Recording]) -> None:
    waits, recording = deployed
    graces = [
        made.inputs["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        for made in recording.of("kubernetes:apps/v1:Deployment")
    ]
    assert graces
    assert all(grace > waits for grace in graces)


def test_the_engine_waits_until_what_it_deletes_has_finished(deployed: tuple[int, Recording]) -> None:
    _, recording = deployed
    for made in recording.of("kubernetes:apps/v1:Deployment"):
        grace = made.inputs["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        # The provider deletes in the foreground: the Deployment is gone when its pods are.
        assert float(made.delete_timeout.removesuffix("s")) > grace
