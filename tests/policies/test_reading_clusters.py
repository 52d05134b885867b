"""What pods are with the rest of their cluster: nodes, queues, claims of devices, namespaces."""

from dataclasses import dataclass
from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import Answer, Facts, Home, Tenancy, settle
from policies.judging import everything
from policies.reading.bags import UNKNOWN
from policies.reading.nodes import LAUNCH_TEMPLATE, NODE_GROUP
from policies.reading.pod_relations import pods
from policies.resources import Location, Resource

A, B = "us-east-1a", "us-east-1b"
POOL = "halfmetal.dev/pool"
ZONE = "topology.kubernetes.io/zone"
SETTINGS = settle(load_catalog(), {})


def _object(kind: str, name: str = "it", namespace: str | None = None, /, **props: Any) -> Resource:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **props.pop("metadata", {})}
    return Resource(
        f"kubernetes:{kind}", name, f"urn:{kind}:{namespace}/{name}", {"metadata": metadata, **props}
    )


def _pod(namespace: str | None = None, annotations: Any = None, **spec: Any) -> Resource:
    metadata = {"annotations": annotations} if annotations is not None else {}
    return _object("core/v1:Pod", "chat", namespace, metadata=metadata, spec={"containers": [{}], **spec})


def _job(queue: str, namespace: str = "ml", **spec: Any) -> Resource:
    labels = {"labels": {"kueue.x-k8s.io/queue-name": queue}}
    template = {"spec": {"containers": [{}], **spec}}
    return _object("batch/v1:Job", "train", namespace, metadata=labels, spec={"template": template})


def _group(name: str = "gpu-a", pool: str | None = "gpu", **props: Any) -> Resource:
    labels = {POOL: pool} if pool else {}
    return Resource(
        NODE_GROUP,
        name,
        f"urn:pulumi:dev::shop::{NODE_GROUP}::{name}",
        {"nodeGroupName": name, "labels": labels, **props},
    )


ISOLATED = Facts(home=Home.METAL, tenancy=Tenancy.DEDICATED, own_keys=True, audit_logs=True).to_annotations()
SHARED = Facts(home=Home.POOL, tenancy=Tenancy.SHARED, own_keys=False, audit_logs=False)


def tagged(facts: Facts) -> dict[str, Any]:
    """A node group that carries facts."""
    return {"tags": facts.to_tags()}


GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
ONTO_GPU = [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
TO_GPU = {"nodeSelector": {POOL: "gpu"}}


def _queue(*zones: str | None, name: str = "q", flavor_of: str = "zone") -> list[Resource]:
    flavors = [
        _object(
            "kueue.x-k8s.io/v1beta1:ResourceFlavor",
            f"{flavor_of}-{number}",
            spec={"nodeLabels": {ZONE: zone} if zone else {}, "tolerations": ONTO_GPU},
        )
        for number, zone in enumerate(zones)
    ]
    named = [{"name": flavor.name} for flavor in flavors]
    cluster = _object(
        "kueue.x-k8s.io/v1beta1:ClusterQueue",
        "all",
        spec={"resourceGroups": [{"coveredResources": ["cpu"], "flavors": named}]},
    )
    local = _object("kueue.x-k8s.io/v1beta1:LocalQueue", name, "ml", spec={"clusterQueue": "all"})
    return [*flavors, cluster, local]


def _claims(request: object, name: str = "gpus", namespace: str = "default") -> Resource:
    return _object(
        "resource.k8s.io/v1:ResourceClaimTemplate",
        name,
        namespace,
        spec={"spec": {"devices": {"requests": [request]}}},
    )


CLAIMING = {"resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "gpus"}]}


@dataclass(frozen=True)
class Case:
    says: str
    resources: list[Resource]
    """The first makes the pods."""
    facts: dict[str, Any]


CASES = [
    Case("a pod alone", [_pod()], {"isolated_namespace": None, "zones": None, "tolerates": None}),
    # namespaces
    Case(
        "a namespace that enforces a level",
        [
            _pod("ml"),
            _object(
                "core/v1:Namespace",
                "ml",
                metadata={"labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
            ),
        ],
        {"isolated_namespace": True},
    ),
    Case(
        "a namespace that allows everything",
        [
            _pod("ml"),
            _object(
                "core/v1:Namespace",
                "ml",
                metadata={"labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
            ),
        ],
        {"isolated_namespace": False},
    ),
    Case(
        "a namespace without labels",
        [_pod("ml"), _object("core/v1:Namespace", "ml")],
        {"isolated_namespace": False},
    ),
    Case(
        "a namespace whose labels are not known",
        [_pod("ml"), _object("core/v1:Namespace", "ml", metadata={"labels": UNKNOWN})],
        {"isolated_namespace": None},
    ),
    Case(
        "the namespace that a pod is in where it names none",
        [_pod(), _object("core/v1:Namespace", "default")],
        {"isolated_namespace": False},
    ),
    # nodes
    Case(
        "nodes that a pod is held to by the pool",
        [_pod(**TO_GPU), _group(taints=[GPU_TAINT])],
        {"managed_cluster": True, "tolerates": False},
    ),
    Case(
        "nodes whose taint it tolerates",
        [_pod(**TO_GPU, tolerations=ONTO_GPU), _group(taints=[GPU_TAINT])],
        {"tolerates": True},
    ),
    Case(
        "nodes whose taint it tolerates with another value",
        [
            _pod(**TO_GPU, tolerations=[{"key": "nvidia.com/gpu", "operator": "Equal", "value": "absent"}]),
            _group(taints=[GPU_TAINT]),
        ],
        {"tolerates": False},
    ),
    Case(
        "nodes that would rather have others",
        [_pod(**TO_GPU), _group(taints=[{**GPU_TAINT, "effect": "PREFER_NO_SCHEDULE"}])],
        {"tolerates": True},
    ),
    Case(
        "nodes whose taints are not known",
        [_pod(**TO_GPU), _group(taints=UNKNOWN)],
        {"tolerates": None, "managed_cluster": True},
    ),
    Case(
        "nodes by the name of their group",
        [_pod(nodeSelector={"eks.amazonaws.com/nodegroup": "gpu-a"}), _group(pool=None)],
        {"managed_cluster": True},
    ),
    Case("nodes of another pool", [_pod(**TO_GPU), _group(pool="cpu")], {"managed_cluster": None}),
    Case(
        "a pod that may be elsewhere too",
        [_pod(), _group(taints=[GPU_TAINT])],
        {"managed_cluster": None, "tolerates": None},
    ),
    Case(
        "two groups of one pool that differ in their taints",
        [_pod(**TO_GPU), _group(taints=[GPU_TAINT]), _group("gpu-b")],
        {"managed_cluster": True, "tolerates": None},
    ),
    Case(
        "a shared pool, whatever a pod claims that is held to it",
        [_pod(annotations=ISOLATED, **TO_GPU), _group(**tagged(SHARED))],
        {"home": Home.POOL, "tenancy": Tenancy.SHARED, "own_keys": False, "audit_logs": False},
    ),
    Case(
        "a pool one of whose groups is shared",
        [_pod(annotations=ISOLATED, **TO_GPU), _group(), _group("gpu-b", **tagged(SHARED))],
        {"home": Home.POOL, "tenancy": Tenancy.SHARED, "own_keys": False},
    ),
    Case(
        "a pool of which it is not known what its machines are",
        [_pod(annotations=ISOLATED, **TO_GPU), _group()],
        {"home": Home.METAL, "tenancy": Tenancy.DEDICATED, "own_keys": True},
    ),
    # queues
    Case("a queue whose flavours are in one zone", [_job("q"), *_queue(A)], {"zones": (A,)}),
    Case("a queue whose flavours are in two", [_job("q"), *_queue(A, B)], {"zones": (A, B)}),
    Case("a queue one of whose flavours is anywhere", [_job("q"), *_queue(A, None)], {"zones": None}),
    Case(
        "a queue, and a selector of its own",
        [_job("q", nodeSelector={ZONE: A}), *_queue(A, B)],
        {"zones": (A,)},
    ),
    Case("a queue of another namespace", [_job("q", "web"), *_queue(A)], {"zones": None}),
    Case("a queue that is not of the set", [_job("other"), *_queue(A)], {"zones": None}),
    Case("a flavour that is not of the set", [_job("q"), *_queue(A, B)[1:]], {"zones": None}),
    Case(
        "a queue whose flavour tolerates what keeps pods off",
        [_job("q", **TO_GPU), _group(taints=[GPU_TAINT]), *_queue(A)],
        {"tolerates": True},
    ),
    # claims
    Case(
        "two devices claimed",
        [_pod(**CLAIMING), _claims({"exactly": {"deviceClassName": "gpu.nvidia.com", "count": 2}})],
        {"accelerator_count": 2},
    ),
    Case(
        "one, in the words of the API before",
        [_pod(**CLAIMING), _claims({"deviceClassName": "gpu.nvidia.com"})],
        {"accelerator_count": 1},
    ),
    Case(
        "a claim of a class of one's own",
        [
            _pod(**CLAIMING),
            _claims({"exactly": {"deviceClassName": "big"}}),
            _object(
                "resource.k8s.io/v1:DeviceClass",
                "big",
                spec={"selectors": [{"cel": {"expression": "device.driver == 'gpu.nvidia.com'"}}]},
            ),
        ],
        {"accelerator_count": 1},
    ),
    Case(
        "devices of which nobody knows what they are",
        [_pod(**CLAIMING), _claims({"exactly": {"deviceClassName": "net"}})],
        {"accelerator_count": None},
    ),
    Case(
        "all devices of a node",
        [
            _pod(**CLAIMING),
            _claims({"exactly": {"deviceClassName": "gpu.nvidia.com", "allocationMode": "All"}}),
        ],
        {"accelerator_count": None},
    ),
    Case(
        "a claim of another namespace",
        [_pod("ml", **CLAIMING), _claims({"exactly": {"deviceClassName": "gpu.nvidia.com"}})],
        {"accelerator_count": None},
    ),
    Case(
        "a claim, and a device that is counted",
        [
            _pod(
                containers=[{"resources": {"limits": {"nvidia.com/gpu": 1}}}],
                resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}],
            ),
            _object(
                "resource.k8s.io/v1beta1:ResourceClaim",
                "gpu",
                "default",
                spec={"devices": {"requests": [{"deviceClassName": "gpu.nvidia.com"}]}},
            ),
        ],
        {"accelerator_count": 2},
    ),
]

SCALED = _object("apps/v1:Deployment", "chat", "ml", spec={"replicas": 2, "template": {"spec": {}}})
NONE_LEFT = _object("apps/v1:Deployment", "chat", "ml", spec={"replicas": 0, "template": {"spec": {}}})


def _scaler(api: str, target: str = "chat", namespace: str = "ml", **spec: Any) -> Resource:
    reference = {"kind": "Deployment", "name": target}
    return _object(api, "scaler", namespace, spec={"scaleTargetRef": reference, **spec})


HPA, KEDA = "autoscaling/v2:HorizontalPodAutoscaler", "keda.sh/v1alpha1:ScaledObject"
CASES += [
    Case("a workload that nothing scales", [SCALED], {"warm_replicas": 2}),
    Case(
        "one that an autoscaler leaves three of", [SCALED, _scaler(HPA, minReplicas=3)], {"warm_replicas": 3}
    ),
    Case("one that an autoscaler leaves one of", [SCALED, _scaler(HPA)], {"warm_replicas": 1}),
    Case(
        "one that states none, so that its autoscaler is off", [NONE_LEFT, _scaler(HPA)], {"warm_replicas": 0}
    ),
    Case("one that KEDA leaves none of", [SCALED, _scaler(KEDA)], {"warm_replicas": 0}),
    Case("one that KEDA leaves one of", [NONE_LEFT, _scaler(KEDA, minReplicaCount=1)], {"warm_replicas": 1}),
    Case(
        "one that KEDA leaves unknown many of",
        [SCALED, _scaler(KEDA, minReplicaCount=UNKNOWN)],
        {"warm_replicas": None},
    ),
    Case("a scaler of another workload", [SCALED, _scaler(KEDA, "other")], {"warm_replicas": 2}),
    Case("a scaler of another namespace", [SCALED, _scaler(KEDA, namespace="web")], {"warm_replicas": 2}),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_a_cluster_shows_of_pods(case: Case):
    related = next(iter(pods(case.resources)))
    assert related.resource is case.resources[0]
    assert {name: getattr(related.subject.facts, name) for name in case.facts} == case.facts


def test_two_clusters_have_a_namespace_of_one_name_each():
    def cluster(name: str, level: str) -> list[Resource]:
        labels = {"labels": {"pod-security.kubernetes.io/enforce": level}}
        found = [_pod("ml"), _object("core/v1:Namespace", "ml", metadata=labels)]
        for each in found:
            each.location = Location(f"cluster:{name}")
        return found

    both = [*cluster("one", "restricted"), *cluster("two", "privileged")]
    assert [each.subject.facts.isolated_namespace for each in pods(both)] == [True, False]


REGIME = Facts(home=Home.METAL, compliance=("pci-dss",))
ISOLATED = [{"ebs": {"kmsKeyId": "arn:key"}}]


def _said(rule: str, resources: list[Resource]) -> tuple[Answer, str]:
    (found,) = (
        each.verdict
        for each in everything(SETTINGS, resources)
        if each.rule.id == rule and each.resource is resources[0]
    )
    return found.answer, found.reason


def test_a_workload_under_a_regime_is_judged_by_the_nodes_it_is_held_to():
    template = Resource(
        LAUNCH_TEMPLATE,
        "lt",
        f"urn:pulumi:dev::shop::{LAUNCH_TEMPLATE}::lt",
        {"id": "lt-1", "placement": {"tenancy": "default"}, "blockDeviceMappings": ISOLATED},
    )
    pod = _pod(annotations=REGIME.to_annotations(), **TO_GPU)
    group = _group(launchTemplate={"id": "lt-1"})
    answer, reason = _said("compliance-isolation", [pod, group, template])
    assert answer is Answer.REFUSED
    assert "machines shared with other accounts" in reason
    template.props["placement"]["tenancy"] = Tenancy.DEDICATED.value
    assert _said("compliance-isolation", [pod, group, template])[0] is Answer.UNDECIDED


def test_a_pod_with_gpus_that_its_nodes_keep_off_is_refused():
    pod = _pod(containers=[{"resources": {"limits": {"nvidia.com/gpu": 1}}}], **TO_GPU)
    assert _said("accelerator-needs-metal", [pod])[0] is Answer.FITS
    answer, reason = _said("accelerator-needs-metal", [pod, _group(taints=[GPU_TAINT])])
    assert answer is Answer.REFUSED
    assert "do not tolerate" in reason


def test_what_no_api_allows_takes_no_longer_for_it():
    """As many flavours as there are pods: whoever looked through all for each would look a million times."""
    flavors = [
        _object("kueue.x-k8s.io/v1beta1:ResourceFlavor", f"f{number}", spec={"nodeLabels": {ZONE: A}})
        for number in range(1000)
    ]
    named = [{"name": flavor.name} for flavor in flavors]
    queue = [
        _object("kueue.x-k8s.io/v1beta1:ClusterQueue", "all", spec={"resourceGroups": [{"flavors": named}]}),
        _object("kueue.x-k8s.io/v1beta1:LocalQueue", "q", "ml", spec={"clusterQueue": "all"}),
    ]
    held = [_pod(**TO_GPU) for _ in range(1000)]
    groups = [_group(f"gpu-{number}", taints=[GPU_TAINT]) for number in range(1000)]
    jobs = [_job("q") for _ in range(1000)]
    found = [each.subject.facts for each in pods([*jobs, *held, *flavors, *queue, *groups])]
    assert all(facts.zones is None and facts.tolerates is None for facts in found)
