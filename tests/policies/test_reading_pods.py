"""What is read of everything in Kubernetes that makes pods, whoever wrote it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import UNBOUNDED, Answer, Facts, FrontDoor, Home, Role, settle
from components.spec import Duration
from policies.judging import alone
from policies.reading.bags import UNKNOWN
from policies.reading.pods import WORKLOADS
from policies.reading.subjects import read
from policies.resources import Resource

A, B = "us-east-1a", "us-east-1b"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
REPLICA_SET = "kubernetes:apps/v1:ReplicaSet"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
POD = "kubernetes:core/v1:Pod"
JOB = "kubernetes:batch/v1:Job"
CRON_JOB = "kubernetes:batch/v1:CronJob"
GROUPS = "kubernetes:leaderworkerset.x-k8s.io/v1:LeaderWorkerSet"
KNATIVE = "kubernetes:serving.knative.dev/v1:Service"
SETTINGS = settle(load_catalog(), {})


def _gpus(count: object, **container: Any) -> dict[str, Any]:
    return {"resources": {"limits": {"nvidia.com/gpu": count}}, **container}


def _pods(*containers: Any, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": list(containers) or [{}], **spec}}


def _of(pods: object, **spec: Any) -> dict[str, Any]:
    return {"spec": {"template": pods, **spec}}


def _scheduled(pods: object, **spec: Any) -> dict[str, Any]:
    return {"spec": {"jobTemplate": {"spec": {"template": pods, **spec}}}}


def _grouped(size: object, workers: object, leader: object = None, **spec: Any) -> dict[str, Any]:
    return {
        "spec": {
            "leaderWorkerTemplate": {"size": size, "workerTemplate": workers, "leaderTemplate": leader},
            **spec,
        }
    }


def _service(scale: dict[str, Any], **spec: Any) -> dict[str, Any]:
    annotations = {f"autoscaling.knative.dev/{key}": value for key, value in scale.items()}
    return _of({"metadata": {"annotations": annotations}, "spec": {"containers": [{}], **spec}})


OWNED = {"metadata": {"ownerReferences": [{"kind": "Deployment", "controller": True}]}}
WHOLE = {"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}


def _asking(cores: str, memory: str, cores_at_least: str, memory_at_least: str) -> dict[str, Any]:
    """A container with limits, and requests beside them."""
    limits = {"cpu": cores, "memory": memory}
    requests = {"cpu": cores_at_least, "memory": memory_at_least}
    return {"resources": {"limits": limits, "requests": requests}}


def _pinned(container: dict[str, Any]) -> dict[str, Any]:
    """A pod that says that its nodes give out whole cores."""
    carries = {"metadata": {"annotations": Facts(pinned=True).to_annotations()}}
    return carries | _pods(container)


@dataclass(frozen=True)
class Case:
    says: str
    resource_type: str
    props: dict[str, Any]
    facts: dict[str, Any]


CASES = [
    # how many run
    Case("a deployment that says nothing", DEPLOYMENT, _of(_pods()), {"warm_replicas": 1}),
    Case("a deployment of none", DEPLOYMENT, _of(_pods(), replicas=0), {"warm_replicas": 0}),
    Case(
        "a deployment of nobody knows how many",
        DEPLOYMENT,
        _of(_pods(), replicas=UNKNOWN),
        {"warm_replicas": UNKNOWN},
    ),
    Case(
        "a replica set of an old version, which has no pods any more",
        REPLICA_SET,
        {**OWNED, **_of(_pods(), replicas=0)},
        {"warm_replicas": None},
    ),
    Case("a replica set of its own", REPLICA_SET, _of(_pods(), replicas=0), {"warm_replicas": 0}),
    Case(
        "a replica set whose owner is not known",
        REPLICA_SET,
        {"metadata": {"ownerReferences": UNKNOWN}, **_of(_pods(), replicas=0)},
        {"warm_replicas": UNKNOWN},
    ),
    Case(
        "a deployment that an operator made, which keeps no old ones",
        DEPLOYMENT,
        {
            "metadata": {"ownerReferences": [{"kind": "Model", "controller": True}]},
            **_of(_pods(), replicas=0),
        },
        {"warm_replicas": 0},
    ),
    Case("a daemon set, on as many nodes as there are", DAEMON_SET, _of(_pods()), {"warm_replicas": None}),
    Case("a pod", POD, _pods(), {"warm_replicas": 1, "front_door": None}),
    Case(
        "a job, for which nobody waits",
        JOB,
        _of(_pods(), activeDeadlineSeconds=60),
        {"warm_replicas": None, "front_door": FrontDoor.ASYNCHRONOUS, "timeout": Duration.of(60, "s")},
    ),
    Case("a job without a deadline", JOB, _of(_pods()), {"timeout": None}),
    Case(
        "a job by the clock",
        CRON_JOB,
        _scheduled(_pods(_gpus(2)), activeDeadlineSeconds=UNKNOWN),
        {"accelerator_count": 2, "front_door": FrontDoor.ASYNCHRONOUS, "timeout": UNKNOWN},
    ),
    # Knative
    Case(
        "a service of Knative, of which its cluster may keep a pod",
        KNATIVE,
        _service({}),
        {"warm_replicas": None, "timeout": None, "home": Home.POOL},
    ),
    Case("one that may keep none", KNATIVE, _service({"min-scale": "0"}), {"warm_replicas": 0}),
    Case("one that keeps two", KNATIVE, _service({"min-scale": "2"}), {"warm_replicas": 2}),
    Case("one that keeps one, in old spelling", KNATIVE, _service({"minScale": "1"}), {"warm_replicas": 1}),
    Case(
        "one that a horizontal autoscaler scales, to one at least",
        KNATIVE,
        _service({"class": "hpa.autoscaling.knative.dev"}),
        {"warm_replicas": 1},
    ),
    Case("one of unknown scale", KNATIVE, _service({"min-scale": UNKNOWN}), {"warm_replicas": UNKNOWN}),
    Case(
        "one with a timeout",
        KNATIVE,
        _service({}, timeoutSeconds=600),
        {"timeout": Duration.of(600, "s")},
    ),
    # accelerators
    Case("two containers", DEPLOYMENT, _of(_pods(_gpus(1), _gpus("2"))), {"accelerator_count": 3}),
    Case(
        "an init container that has had its own before",
        DEPLOYMENT,
        _of(_pods(_gpus(1), initContainers=[_gpus(4)])),
        {"accelerator_count": 4},
    ),
    Case(
        "an init container that runs beside the others",
        DEPLOYMENT,
        _of(_pods(_gpus(1), initContainers=[_gpus(1, restartPolicy="Always"), _gpus(1)])),
        {"accelerator_count": 2},
    ),
    Case(
        "an init container of which it is not known whether it stays",
        DEPLOYMENT,
        _of(_pods(_gpus(1), initContainers=[_gpus(1, restartPolicy=UNKNOWN)])),
        {"accelerator_count": UNKNOWN},
    ),
    Case(
        "a TPU",
        DEPLOYMENT,
        _of(_pods({"resources": {"requests": {"google.com/tpu": 4}}})),
        {"accelerator_count": 4},
    ),
    Case(
        "devices that it claims, of which the pod does not say what they are",
        POD,
        _pods(resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpu"}]),
        {"accelerator_count": UNKNOWN},
    ),
    Case(
        "devices that it claims beside those that are counted, of which there are no fewer",
        POD,
        _pods(_gpus(2), resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "gpu"}]),
        {"accelerator_count": 2},
    ),
    # cores
    Case(
        "as much memory in other words",
        POD,
        _pinned(_asking("2", "1073741824", "2000m", "1Gi")),
        {"pinned": True},
    ),
    Case(
        "less memory than there may be", POD, _pinned(_asking("2", "1Gi", "2", "1000Mi")), {"pinned": False}
    ),
    Case(
        "as many cores, but no whole ones",
        POD,
        _pinned(_asking("1.5", "1Gi", "1500m", "1Gi")),
        {"pinned": False},
    ),
    # leaders and workers
    Case(
        "a leader and three workers of one template",
        GROUPS,
        _grouped(4, _pods(_gpus(8)), replicas=2),
        {"accelerator_count": 32, "warm_replicas": 2},
    ),
    Case(
        "a leader without accelerators",
        GROUPS,
        _grouped(3, _pods(_gpus(8)), _pods()),
        {"accelerator_count": 16, "warm_replicas": 1},
    ),
    Case("a group of unknown size", GROUPS, _grouped(UNKNOWN, _pods()), {"accelerator_count": UNKNOWN}),
    Case(
        "a leader in one zone, workers in another",
        GROUPS,
        _grouped(
            2,
            _pods(nodeSelector={"topology.kubernetes.io/zone": B}),
            _pods(nodeSelector={"topology.kubernetes.io/zone": A}),
        ),
        {"zones": (A, B)},
    ),
    Case(
        "workers that may be anywhere",
        GROUPS,
        _grouped(2, _pods(), _pods(nodeSelector={"topology.kubernetes.io/zone": A})),
        {"zones": None},
    ),
    Case(
        "a group of one leader: the workers' template makes no pods",
        GROUPS,
        _grouped(1, _pods(_gpus(8)), _pods(WHOLE)),
        {"accelerator_count": 0, "pinned": None},
    ),
    Case("a worker that shares its cores", GROUPS, _grouped(2, _pods(), _pods(WHOLE)), {"pinned": False}),
    # zones
    Case(
        "a zone by the label that Kubernetes had before",
        DEPLOYMENT,
        _of(_pods(nodeSelector={"failure-domain.beta.kubernetes.io/zone": A})),
        {"zones": (A,)},
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_is_read(case: Case):
    subject = read(case.resource_type, case.props)
    assert subject is not None
    found = {name: UNKNOWN if name in subject.unread else getattr(subject.facts, name) for name in case.facts}
    assert found == case.facts


@pytest.mark.parametrize("resource_type", WORKLOADS)
def test_every_version_of_an_api_is_read(resource_type: str):
    subject = read(resource_type, {"spec": {}})
    assert subject is not None
    assert subject.facts.home is Home.POOL


EAGER = Facts(role=Role.WORKLOAD, home=Home.POOL, workload="chat", cold_start_tolerance=Duration.of(1, "s"))
SLOW = replace(EAGER, cold_start_tolerance=UNBOUNDED, service_time=Duration.of(700, "s"))


def _annotated(facts: Facts, props: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"annotations": facts.to_annotations()}, **props}


@pytest.mark.parametrize(
    ("rule", "resource_type", "props", "answer"),
    [
        pytest.param(
            "cold-start-budget",
            KNATIVE,
            _annotated(EAGER, _service({"min-scale": "0"})),
            Answer.REFUSED,
            id="a service that scales to zero, for callers that bear no cold start",
        ),
        pytest.param(
            "cold-start-budget",
            KNATIVE,
            _annotated(EAGER, _service({})),
            Answer.UNDECIDED,
            id="one that its cluster may keep warm",
        ),
        pytest.param(
            "cold-start-budget",
            KNATIVE,
            _annotated(EAGER, _service({"min-scale": "1"})),
            Answer.FITS,
            id="one that keeps a pod",
        ),
        pytest.param(
            "cold-start-budget",
            KNATIVE,
            _annotated(SLOW, _service({})),
            Answer.FITS,
            id="one for callers that bear any",
        ),
        pytest.param(
            "long-execution",
            KNATIVE,
            _annotated(SLOW, _service({}, timeoutSeconds=600)),
            Answer.REFUSED,
            id="a service that cuts a request off",
        ),
        pytest.param(
            "long-execution",
            JOB,
            _annotated(SLOW, _of(_pods())),
            Answer.FITS,
            id="a job that takes its time",
        ),
        pytest.param(
            "long-execution",
            JOB,
            _annotated(SLOW, _of(_pods(), activeDeadlineSeconds=600)),
            Answer.REFUSED,
            id="a job that is ended before it is done",
        ),
    ],
)
def test_what_a_rule_says_of_it(rule: str, resource_type: str, props: dict[str, Any], answer: Answer):
    (judged,) = alone([SETTINGS.by_id[rule]], Resource(resource_type, "chat", "urn:chat", props))
    assert judged.verdict.answer is answer, judged.verdict.reason


_PLACED = Facts(home=Home.POOL, has_accelerators=True, tolerates=True).to_annotations()
_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}
_SELECTOR = {"halfmetal.dev/pool": "gpu-a"}


@pytest.mark.parametrize(
    ("pods", "annotations", "ways_in"),
    [
        pytest.param(
            {"nodeSelector": _SELECTOR, "tolerations": [_TOLERATION]}, _PLACED, (True, True), id="as placed"
        ),
        pytest.param({"tolerations": [_TOLERATION]}, _PLACED, (False, True), id="its pool taken off"),
        pytest.param({"nodeSelector": _SELECTOR}, _PLACED, (True, False), id="its toleration taken off"),
        pytest.param({"nodeSelector": UNKNOWN, "tolerations": UNKNOWN}, _PLACED, (None, None), id="unknown"),
        pytest.param({}, {}, (None, None), id="somebody else's"),
    ],
)
def test_whether_pods_that_were_placed_on_gpus_still_get_there(
    pods: dict[str, Any], annotations: dict[str, str], ways_in: tuple[bool | None, bool | None]
):
    props = {"metadata": {"annotations": annotations}, **_of(_pods(_gpus(1), **pods))}
    subject = read(DEPLOYMENT, props)
    assert subject is not None
    assert (subject.facts.has_accelerators, subject.facts.tolerates) == ways_in
