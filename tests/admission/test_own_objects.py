"""What a stack makes in its own namespace is let in by the policies that it makes."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_server import ApiServer, Manifest, until

from components import spec
from components.admission.manifests import MODES
from components.placement import ANNOTATION_PREFIX
from components.placement.labels import POOL_LABEL
from tests.components.recording import Recording, bundle_of_likely_size, deploy

pytestmark = pytest.mark.engine

STACKS = Path(__file__).parents[2] / "stacks"
RULES = r"kubernetes:(admissionregistration.*:ValidatingAdmissionPolicy.*|core/v1:(Namespace|ConfigMap))"
WORKLOADS = r"kubernetes:apps/v1:(Deployment|DaemonSet|StatefulSet)"


def _as_it_is(raw: dict[str, Any]) -> None:
    """The example itself."""


def _with_another_pool(raw: dict[str, Any]) -> None:
    """Its gateway may be on either of two pools then."""
    pools = raw["data_plane"]["pools"]
    shared = next(pool for pool in pools if "accelerator" not in pool)
    pools.append(copy.deepcopy(shared) | {"name": "spare"})


@pytest.mark.parametrize(
    ("stack", "change"), [("hybrid", _as_it_is), ("hybrid", _with_another_pool), ("dedicated", _as_it_is)]
)
def test_a_stacks_own_objects_are_let_in(
    stack: str, change: Callable[[dict[str, Any]], None], api: ApiServer
):
    raw = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]["halfmetal:stack"]
    change(raw)
    recorded = deploy(spec.load(raw), bundle_of_likely_size, f"{stack}-{change.__name__[1:4]}")
    api.keep(*_made(recorded, RULES))
    workloads = [
        made for made in _made(recorded, WORKLOADS) if made["metadata"]["namespace"] != "kube-system"
    ]
    assert len(workloads) > 1
    somewhere = copy.deepcopy(workloads[0])
    somewhere["metadata"] |= {"name": "somewhere", "annotations": {f"{ANNOTATION_PREFIX}jitter": "1ns"}}
    somewhere["spec"]["template"]["spec"] |= {"nodeSelector": None, "affinity": None}
    until(lambda: " denied request: " in api.apply(somewhere).message, "the rules are in effect")
    for made in workloads:
        answer = api.apply(made)
        assert answer.admitted, answer.message
        assert not [each for each in answer.warnings if "ValidatingAdmissionPolicy" in each]
    if change is _with_another_pool:
        assert any(POOL_LABEL in str(made["spec"]["template"]["spec"].get("affinity")) for made in workloads)


def _made(recorded: Recording, types: str) -> list[Manifest]:
    """Objects as they are sent to the API server, without ConfigMaps that are none of figures."""
    found = [_whole(made.inputs) for made in recorded.of(types)]
    return [each for each in found if each["kind"] != "ConfigMap" or each["metadata"]["name"] in MODES]


def _whole(value: Any) -> Any:
    """The same with whole numbers, which the engine has as any others."""
    match value:
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case list():
            return [_whole(each) for each in value]
        case float() if value.is_integer():
            return int(value)
    return value
