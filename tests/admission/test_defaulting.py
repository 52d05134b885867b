"""What pods are given by the API server where they do not say otherwise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from api_server import ApiServer, Manifest, until

from components import catalog
from components.admission.manifests import Names, manifests
from components.admission.parameters import Governed
from components.placement import Facts, Home, settle
from components.placement.taints import GPU_TAINT
from components.spec import Pool

pytestmark = pytest.mark.engine

NAMESPACE = "defaulted"
GPU, POOL, ZONE = "nvidia.com/gpu", "halfmetal.dev/pool", "topology.kubernetes.io/zone"
GIVEN = {"key": GPU, "operator": "Equal", "value": GPU_TAINT.value, "effect": GPU_TAINT.effect}
OTHER = {"key": "example.com/team", "operator": "Exists"}
BY_KIND = {
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "Deployment": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "Pod": ("spec",),
    "StatefulSet": ("spec", "template", "spec"),
}


def _pool(name: str, *zones: str, gpus: bool = True, gated: bool = False) -> tuple[Pool, Facts]:
    pool: dict[str, Any] = {"name": name, "kind": "managed", "instance": "g6.xlarge", "zones": zones}
    accelerator = {"accelerator": {"type": "L4"}} if gpus else {}
    own = {"taints": [{"key": "example.com/team", "value": "research"}]} if gated else {}
    made = Pool.model_validate(pool | accelerator | own | {"nodes": {"desired": 1}})
    return made, Facts(home=Home.POOL, zones=zones)


POOLS = (
    _pool("one", "us-east-1a"),
    _pool("two", "us-east-1a", "us-east-1b"),
    _pool("cpu", "us-east-1a", gpus=False),
    _pool("gated", "us-east-1a", gated=True),
)


@pytest.fixture(scope="module")
def defaulting(api: ApiServer) -> Iterator[ApiServer]:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    api.keep({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    account = {"name": "default", "namespace": NAMESPACE}
    api.keep({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    figures = Governed(settle(catalog.load(), {}), POOLS, defaults=True)
    api.keep(*manifests(Names(NAMESPACE), figures))
    until(lambda: ZONE in str(api.apply(made("Pod", pods("one"))).object), "defaults are given")
    until(lambda: not api.apply(made("Deployment", pods("gated"))).admitted, "what is left open is refused")
    yield api


def pods(pool: str | None, gpus: int = 1, **more: Any) -> dict[str, Any]:
    limits = {GPU: str(gpus)} if gpus else {}
    selected = {"nodeSelector": {POOL: pool}} if pool is not None else {}
    container = {"name": "c", "image": "example/model:1", "resources": {"limits": limits}}
    return {"containers": [container], "restartPolicy": "Always", **selected, **more}


def made(kind: str, spec: dict[str, Any]) -> Manifest:
    labels = {"app": "c"}
    template = {"metadata": {"labels": labels}, "spec": spec}
    once = {"metadata": {"labels": labels}, "spec": spec | {"restartPolicy": "Never"}}
    bodies: dict[str, dict[str, Any]] = {
        "Pod": spec,
        "Job": {"template": once},
        "CronJob": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": once}}},
    }
    versions = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}
    kept = {"selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": versions.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": {"name": "c", "namespace": NAMESPACE},
        "spec": bodies.get(kind, kept | ({"serviceName": "c"} if kind == "StatefulSet" else {})),
    }


def spec_of(kind: str, given: Any) -> dict[str, Any]:
    """The spec of the pods in an object."""
    for step in BY_KIND[kind]:
        given = given[step]
    return dict(given)


@dataclass(frozen=True)
class Case:
    """Pods, and what they are then: tolerations of the taints in question, and where they are selected to."""

    says: str
    pods: dict[str, Any]
    tolerations: list[dict[str, str]]
    selector: dict[str, str] | None


IN_A = {ZONE: "us-east-1a"}
CASES = [
    Case("a GPU pod of a pool in one zone", pods("one"), [GIVEN], {POOL: "one", **IN_A}),
    Case("a GPU pod of a pool in two zones", pods("two"), [GIVEN], {POOL: "two"}),
    Case("a pod without GPU", pods("one", gpus=0), [], {POOL: "one", **IN_A}),
    Case("a pool without GPUs", pods("cpu", gpus=0), [], {POOL: "cpu", **IN_A}),
    Case("no pool", pods(None, gpus=0), [], None),
    Case(
        "other tolerations",
        pods("one", tolerations=[OTHER]),
        [OTHER, GIVEN],
        {POOL: "one", **IN_A},
    ),
    Case(
        "the toleration said otherwise",
        pods("one", tolerations=[{"operator": "Exists"}]),
        [{"operator": "Exists"}],
        {POOL: "one", **IN_A},
    ),
    Case(
        "another zone",
        pods("two") | {"nodeSelector": {POOL: "one", ZONE: "us-east-1b"}},
        [GIVEN],
        {POOL: "one", ZONE: "us-east-1b"},
    ),
]


@pytest.mark.parametrize("kind", BY_KIND)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_pods_are_given_what_their_pool_implies(kind: str, case: Case, defaulting: ApiServer):
    answer = defaulting.apply(made(kind, case.pods))
    found = spec_of(kind, answer.object) if answer.admitted else {}
    assert answer.admitted, answer.message
    own = [each for each in found.get("tolerations", []) if "node.kubernetes.io" not in each.get("key", "")]
    assert own == case.tolerations
    assert found.get("nodeSelector") == case.selector


def test_a_pools_own_taint_is_left_to_those_whom_it_was_meant_for(defaulting: ApiServer):
    refused = defaulting.apply(made("Deployment", pods("gated")))
    assert "accelerator-needs-metal: c: " in refused.message
    assert "do not tolerate" in refused.message
    assert defaulting.apply(made("Deployment", pods("gated", tolerations=[OTHER]))).admitted


def test_what_is_there_is_not_changed_by_an_update_of_something_else(defaulting: ApiServer):
    kept = made("Deployment", pods("two", tolerations=[OTHER, GIVEN]))
    defaulting.keep(kept)
    try:
        scaled = defaulting.patch(kept, {"spec": {"replicas": 3}})
        assert spec_of("Deployment", scaled.object) == spec_of("Deployment", defaulting.get(kept).object)
    finally:
        defaulting.remove(kept)
