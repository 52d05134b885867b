"""Facts as a Deployment that carries them, in a namespace whose policies know two pools with GPUs.

What pods ask for themselves (accelerators, EFA, cores, replicas, a pool and its tolerations) is asked for;
everything else is carried in annotations. `seen` says what facts those are, once an enforcer reads them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from api_server import Manifest

from components.admission.manifests import Names, manifests
from components.admission.parameters import Governed
from components.admission.policies import policies
from components.placement import Facts, FrontDoor, Home, Settings, StateRead
from components.placement.taints import GPU_RESOURCE, GPU_TAINT
from components.spec import Duration, Pool, Waiver
from policies.reading.subjects import read

POD_SECURITY: Final = "pod-security.kubernetes.io/enforce"
POOL_LABEL: Final = "halfmetal.dev/pool"
EFA_RESOURCE: Final = "vpc.amazonaws.com/efa"
TOLERATION: Final = {"key": GPU_TAINT.key, "operator": "Exists"}

_SEEN_BY_ITSELF: Final = ("pool", "accelerator_count", "efa", "warm_replicas")


def gpu_pool(name: str) -> Pool:
    """A pool of GPU nodes in no particular zone; what it has no facts of, a pod's own stand for."""
    return _pool(name, accelerator={"type": "L4"})


def _pool(name: str, **given: Any) -> Pool:
    return Pool.model_validate(
        {
            "name": name,
            "kind": "managed",
            "instance": "g6.xlarge" if given else "m7i.xlarge",
            "zones": ["us-east-1a"],
            "nodes": {"desired": 1},
            **given,
        }
    )


BROKEN: Final = {
    "accelerator-needs-metal": Facts(home=Home.METAL, accelerator_count=1, has_accelerators=False),
    "cold-start-budget": Facts(home=Home.POOL, warm_replicas=0, cold_start_tolerance=Duration(1)),
    "compliance-isolation": Facts(home=Home.METAL, compliance=("pci-dss",), audit_logs=False),
    "jitter-budget": Facts(home=Home.POOL, jitter=Duration(1)),
    "long-execution": Facts(home=Home.POOL, service_time=Duration.of(9, "d"), front_door=FrontDoor.HTTP_API),
    "state-locality": Facts(
        home=Home.POOL,
        zones=("us-east-1b",),
        state=(StateRead("features", ("us-east-1a",)),),
        latency_p99=Duration(1),
    ),
    "unattended-cluster": Facts(home=Home.METAL, managed_cluster=False, operations_team=False),
    "vendor-lock-in": Facts(home=Home.METAL, ties=("sqs",)),
    "warm-before-tail": Facts(home=Home.POOL, twin=True, warm_replicas=0),
    "zone-capacity": Facts(home=Home.POOL, zones=("us-east-1b",), capacity_block_zone="us-east-1a"),
}
"""Facts that each rule refuses, to see whether its policy is in effect."""


POOLS: Final = tuple(
    (pool, Facts(home=home))
    for home in (Home.POOL, Home.METAL)
    for pool in (gpu_pool(f"gpu-{home}"), _pool(f"cpu-{home}"))
)


def namespace(name: str, level: str | None = "baseline") -> Manifest:
    labels = {POD_SECURITY: level} if level is not None else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def governing(name: str, governed: Governed, *rules: str) -> list[Manifest]:
    """All that keeps a namespace to some rules, or to all."""
    names = Names(name)
    others = {names.policy(rule) for rule in policies() if rules and rule not in rules}
    return [
        manifest
        for manifest in manifests(names, governed)
        if manifest["metadata"]["name"] not in others
        and manifest["spec" if "spec" in manifest else "metadata"].get("policyName") not in others
    ]


def alone(settings: Settings, waivers: Sequence[Waiver] = ()) -> Governed:
    """A namespace's figures, with pools that a pod can be held to."""
    return Governed(settings, POOLS, waivers)


def deployment(facts: Facts, namespace: str, name: str = "subject") -> Manifest:
    """A Deployment that carries facts."""
    carried = replace(facts, **dict.fromkeys(_SEEN_BY_ITSELF)).to_annotations()
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "annotations": carried},
        "spec": {
            "replicas": 1 if facts.warm_replicas is None else facts.warm_replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(facts)},
        },
    }


def pod_spec(facts: Facts) -> dict[str, Any]:
    """What pods with these facts ask for."""
    limits = {"cpu": "1", "memory": "1Gi"} if facts.pinned is not False else {"memory": "1Gi"}
    if facts.accelerator_count:
        limits[GPU_RESOURCE] = str(facts.accelerator_count)
    if facts.efa:
        limits[EFA_RESOURCE] = "1"
    home = facts.home or Home.POOL
    held = {POOL_LABEL: f"gpu-{home}"} if _needs_pool(facts) and facts.has_accelerators is not False else {}
    if home is Home.METAL and not held:
        held = {POOL_LABEL: f"cpu-{home}"}
    return {
        "containers": [{"name": "model", "image": "example/model:1", "resources": {"limits": limits}}],
        **({"nodeSelector": held} if held else {}),
        **({"tolerations": [TOLERATION]} if facts.tolerates is not False else {}),
    }


def _needs_pool(facts: Facts) -> bool:
    return bool(facts.accelerator_count) or facts.accelerator_type is not None


def seen(manifest: Manifest, facts: Facts) -> Facts:
    """What an enforcer that reads the manifest knows, with what it cannot tell from that alone."""
    subject = read("kubernetes:apps/v1:Deployment", manifest)
    assert subject is not None
    return replace(
        subject.facts,
        has_accelerators=facts.has_accelerators,
        tolerates=facts.tolerates,
        isolated_namespace=facts.isolated_namespace,
    )
