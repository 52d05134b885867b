"""Policies in an API server that behaves as an older one: it takes them, and refuses by them."""

from pathlib import Path

import pytest
from api_server import running, until
from carrying import alone, deployment, governing, namespace

from components import catalog
from components.placement import Facts, Home, settle
from components.spec import Duration

pytestmark = pytest.mark.engine

OLDEST = "1.34"
"""The oldest that the sandbox's API server can behave as."""


def test_policies_are_in_effect_in_an_older_api_server(tmp_path: Path):
    with running(tmp_path / "state", f"--emulated-version=kube={OLDEST}") as api:
        api.keep(namespace("older"), *governing("older", alone(settle(catalog.load(), {}))))
        bad = deployment(Facts(home=Home.POOL, jitter=Duration(1)), "older")
        until(lambda: "jitter-budget: subject" in api.apply(bad).message, "the policy is in effect")
        assert api.apply(deployment(Facts(home=Home.POOL), "older")).admitted
