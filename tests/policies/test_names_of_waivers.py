"""By which names a waiver may know what a rule was judged of, whatever source that was read from."""

from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import Facts, Home, settle
from policies.judging import alone
from policies.reading.bags import UNKNOWN
from policies.reading.functions import FUNCTION
from policies.reading.nodes import NODE_GROUP
from policies.resources import Resource

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
CARRIED = Facts(workload="chat", pool="gpu-a", home=Home.POOL)
HELD = {"template": {"spec": {"nodeSelector": {"halfmetal.dev/pool": "gpu-a"}}}}


@pytest.mark.parametrize(
    ("resource_type", "name", "props", "names"),
    [
        pytest.param(
            FUNCTION, "module.a.aws_lambda_function.chat", {"name": "chat"}, {"chat"}, id="its name in AWS"
        ),
        pytest.param(FUNCTION, "Chat", {"name": UNKNOWN}, set(), id="a name that is not known"),
        pytest.param(NODE_GROUP, "Nodes", {"nodeGroupName": "gpu-a"}, {"gpu-a"}, id="that of nodes"),
        pytest.param(
            DEPLOYMENT,
            "models/chat-v2",
            {"metadata": {"name": "chat-v2"}},
            {"chat-v2"},
            id="in its namespace",
        ),
        pytest.param(
            DEPLOYMENT,
            "models/v2",
            {"metadata": {"labels": {"app.kubernetes.io/name": "chat"}}},
            {"chat"},
            id="the label that names it",
        ),
        pytest.param(DEPLOYMENT, "v2", {"spec": HELD}, {"gpu-a"}, id="the pool that pods are held to"),
        pytest.param(
            DEPLOYMENT,
            "v2",
            {"metadata": {"annotations": CARRIED.to_annotations()}},
            {"chat", "gpu-a"},
            id="what it carries",
        ),
    ],
)
def test_names(resource_type: str, name: str, props: dict[str, Any], names: set[str]):
    settings = settle(load_catalog(), {}).enforced
    judged = next(alone(settings, Resource(resource_type, name, "urn:thing", props)))
    assert set(judged.names) == {name, *names}
