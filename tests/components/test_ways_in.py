"""A hybrid stack whose cluster is not in its VPC: the API reaches the gateway at its address."""

from typing import Any

import pytest
import yaml
from recording import Recording, bundle_of_likely_size, deploy

from components.control_plane.bundle import REPO
from components.spec import load


@pytest.fixture(scope="module")
def by_address() -> Recording:
    """The dedicated example as a hybrid stack: its cluster belongs to others."""
    text = (REPO / "stacks" / "Pulumi.dedicated.yaml").read_text(encoding="utf-8")
    stack: dict[str, Any] = yaml.safe_load(text)["config"]["halfmetal:stack"]
    return deploy(load(stack | {"topology": "hybrid"}), bundle_of_likely_size, "hybrid")


def test_each_route_names_the_path_that_the_gateway_serves(by_address: Recording) -> None:
    # An HTTP API sends to the address as it stands: only what the address names of the path arrives.
    addresses = {
        made.inputs["integrationUri"]
        for made in by_address.of("aws:apigatewayv2/integration:Integration")
        if made.inputs["integrationType"] == "HTTP_PROXY"
    }
    base = "http://lb.example.com:8080/v2/models"
    assert addresses == {
        f"{base}/{model}{rest}" for model in ("chat", "embed", "index") for rest in ("", "/{proxy}")
    }


def test_it_has_no_network_of_its_own(by_address: Recording) -> None:
    assert by_address.of("aws:(ec2|lb|eks)/.*", "aws:apigatewayv2/vpcLink:VpcLink") == []


def test_clients_call_the_api_whatever_is_behind_it(by_address: Recording) -> None:
    models = by_address.outputs["models"]
    assert {model["path"] for model in models} == {"API Gateway, gateway, pod"}
    assert all(model["url"].startswith("https://api.example.com/v2/models/") for model in models)
