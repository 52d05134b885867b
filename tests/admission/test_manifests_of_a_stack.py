"""What people apply in a stack's namespace, good and bad, where the API server keeps it to the rules."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_server import ApiServer, Manifest, until

from components import spec
from components.admission.manifests import Names, manifests
from components.admission.parameters import Governed
from components.admission.stack import governed, names
from components.placement import RULES, Facts, FrontDoor, Home, StateRead, Tenancy, decide
from components.spec import Duration

pytestmark = pytest.mark.engine

HYBRID = Path(__file__).parents[2] / "stacks" / "Pulumi.hybrid.yaml"
OWN, WARNED, SHARED, OPEN = "own", "warned", "shared", "open"
GPU, POOL, ZONE = "nvidia.com/gpu", "halfmetal.dev/pool", "topology.kubernetes.io/zone"
PRESENT = {"key": GPU, "operator": "Equal", "value": "present", "effect": "NoSchedule"}
ACCELERATOR, COMPLIANCE, JITTER, LOCALITY = (
    "accelerator-needs-metal",
    "compliance-isolation",
    "jitter-budget",
    "state-locality",
)

WAIVERS = [
    {"rule": JITTER, "subject": "waived", "reason": "until metal\ncomes", "owner": "ml@example.com"}
    | {"expires": "2099-12-31"},
    {"rule": JITTER, "subject": "late-*", "reason": "was to be", "owner": "ml@example.com"}
    | {"expires": "2020-01-31"},
]


def stack_of(**changes: Any) -> Governed:
    """The figures of the hybrid example, with a metal pool beside its own, and waivers."""
    raw = yaml.safe_load(HYBRID.read_text())["config"]["halfmetal:stack"]
    raw["policies"] = {"waivers": copy.deepcopy(WAIVERS)}
    metal = {"name": "metal-a", "kind": "metal", "instance": "m7g.metal", "pinned": True}
    raw["data_plane"]["pools"].append(
        metal | {"zones": ["us-east-1a", "us-east-1b"], "nodes": {"desired": 1}}
    )
    raw["data_plane"] |= changes
    stack = spec.load(raw)
    placements = decide(stack)
    assert placements.stack.data_plane is not None
    return governed(placements.stack.data_plane, placements)


@pytest.fixture(scope="module")
def namespaces(api: ApiServer) -> Iterator[None]:
    """Of a stack's own, enforced and only warned of; others' too; and one that lets pods at their nodes."""
    for name, level in ((OWN, "baseline"), (WARNED, "baseline"), (SHARED, "baseline"), (OPEN, "privileged")):
        labels = {"pod-security.kubernetes.io/enforce": level}
        api.keep({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        account = {"name": "default", "namespace": name}
        api.keep({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    enforced = stack_of()
    api.keep(*manifests(Names(OWN), enforced))
    api.keep(*manifests(Names(OPEN), enforced))
    api.keep(*manifests(Names(SHARED), Governed(enforced.settings, enforced.pools, reach="shared")))
    api.keep(*manifests(Names(WARNED), stack_of(admission={"rules": "warn"})))
    bad = made("Deployment", facts=METAL, pod=pod(selector={POOL: "cpu-a"}))
    for name in (OWN, SHARED, OPEN):
        until(lambda where=name: not api.apply(inside(bad, where)).admitted, f"{name} is kept to its rules")
    until(lambda: bool(api.apply(inside(bad, WARNED)).warnings), "warnings")
    yield


def inside(manifest: Manifest, namespace: str) -> Manifest:
    return manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}}


def pod(
    *,
    gpus: int = 0,
    tolerations: list[dict[str, str]] | None = None,
    selector: Mapping[str, str] | None = None,
    terms: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """The spec of pods."""
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    limits = {"cpu": "2", "memory": "1Gi", **({GPU: str(gpus)} if gpus else {})}
    return {
        "containers": [{"name": "model", "image": "example/model:1", "resources": {"limits": limits}}],
        **({"tolerations": tolerations} if tolerations is not None else {}),
        **({"nodeSelector": dict(selector)} if selector is not None else {}),
        **({"affinity": {"nodeAffinity": required}} if terms is not None else {}),
    }


def among(key: str, *values: str) -> dict[str, Any]:
    """A node selector term."""
    return {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}


LABELS = {"app": "model"}


def owned(manifest: Manifest, kind: str, name: str) -> Manifest:
    """The same as a controller makes it for another object."""
    owner = {"apiVersion": "batch/v1", "kind": kind, "name": name, "uid": "1", "controller": True}
    return manifest | {"metadata": manifest["metadata"] | {"ownerReferences": [owner]}}


def made(kind: str, *, pod: dict[str, Any], facts: Facts | None = None, name: str = "model") -> Manifest:
    """An object of a kind with such pods, that carries such facts."""
    annotations = facts.to_annotations() if facts is not None else {}
    metadata = {"name": name, "annotations": annotations}
    template = {"metadata": {"labels": LABELS}, "spec": pod}
    once = {"metadata": {"labels": LABELS}, "spec": pod | {"restartPolicy": "Never"}}
    kept = {"selector": {"matchLabels": LABELS}, "template": template}
    groups = {"Pod": "v1", "ReplicationController": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}
    bodies: dict[str, dict[str, Any]] = {
        "Pod": pod,
        "ReplicationController": {"selector": LABELS, "template": template},
        "Job": {"template": once},
        "CronJob": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": once}}},
        "StatefulSet": kept | {"serviceName": "model"},
    }
    return {
        "apiVersion": groups.get(kind, "apps/v1"),
        "kind": kind,
        "metadata": metadata | ({"labels": LABELS} if kind == "Pod" else {}),
        "spec": bodies.get(kind, kept),
    }


def suspended(manifest: Manifest) -> Manifest:
    """The same, started by somebody else later."""
    return manifest | {"spec": manifest["spec"] | {"suspend": True}}


def asking(pods: dict[str, Any], **requests: str) -> dict[str, Any]:
    """The same pods that state requests beside their limits."""
    (container,) = pods["containers"]
    return pods | {"containers": [container | {"resources": container["resources"] | {"requests": requests}}]}


OTHERS = [{"name": "other", "image": "example/other:1"}]


def queued(manifest: Manifest) -> Manifest:
    """The same in a queue of Kueue."""
    labels = {"kueue.x-k8s.io/queue-name": "gpus"}
    return manifest | {"metadata": manifest["metadata"] | {"labels": labels}}


def ended(manifest: Manifest, seconds: int) -> Manifest:
    """The same with a deadline."""
    return manifest | {"spec": manifest["spec"] | {"activeDeadlineSeconds": seconds}}


METAL = Facts(workload="ranker", home=Home.METAL, jitter=Duration.parse("20us"))
REGULATED = Facts(
    home=Home.METAL,
    compliance=("pci-dss",),
    tenancy=Tenancy.DEDICATED,
    audit_logs=True,
    own_keys=True,
)
READER = Facts(
    workload="chat",
    home=Home.POOL,
    state=(StateRead("sessions", ("us-east-1a",)),),
    latency_p99=Duration.parse("1ms"),
)
ON_GPU = pod(gpus=1, tolerations=[PRESENT], selector={POOL: "gpu-a"})
GATED = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}
SOMEWHERE = {
    "and selects no pool": pod(),
    "and selects a pool that nobody knows": pod(selector={POOL: "nope"}),
    "or on a pool that nobody knows": pod(terms=[among(POOL, "metal-a", "nope")]),
    "or on a shared pool": pod(terms=[among(POOL, "metal-a", "cpu-a")]),
    "on two shared pools": pod(terms=[among(POOL, "cpu-a", "gpu-a")]),
}
EVERY_KIND = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "Job",
    "Pod",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)


@dataclass(frozen=True)
class Applied:
    """A manifest, and what is said of it: which rule refuses or warns, in which words."""

    says: str
    manifest: Manifest
    refused: str | None = None
    warned: str | None = None
    words: tuple[str, ...] = ()
    namespace: str = OWN
    never: tuple[str, ...] = field(default=("expression", "Expression"))
    """An error of the policy's own would say one of these."""


TABLE = [
    *(
        Applied(
            f"a {kind} with a GPU and without its toleration",
            made(kind, pod=pod(gpus=1, selector={POOL: "gpu-a"})),
            refused=ACCELERATOR,
            words=("it needs 1 accelerator", "do not tolerate", RULES[ACCELERATOR].remedy),
        )
        for kind in EVERY_KIND
    ),
    *(
        Applied(f"a {kind} with a GPU that says how it gets one", made(kind, pod=ON_GPU))
        for kind in EVERY_KIND
    ),
    Applied(
        "a GPU pod that selects no pool",
        made("Pod", pod=pod(gpus=2, tolerations=[PRESENT])),
        refused=ACCELERATOR,
        words=("it needs 2 accelerators", "held to no pool that has accelerators"),
    ),
    Applied(
        "a GPU pod that selects a pool without GPUs",
        made("Pod", pod=pod(gpus=1, selector={POOL: "cpu-a"})),
        refused=ACCELERATOR,
        words=("held to no pool that has accelerators",),
    ),
    Applied(
        "a GPU pod that selects its pool by affinity",
        made("Pod", pod=pod(gpus=1, tolerations=[{"operator": "Exists"}], terms=[among(POOL, "gpu-a")])),
    ),
    Applied(
        "a GPU pod that may be on a pool with GPUs or on one without",
        made("Pod", pod=pod(gpus=1, tolerations=[PRESENT], terms=[among(POOL, "gpu-a", "cpu-a")])),
        refused=ACCELERATOR,
    ),
    Applied(
        "a GPU pod whose toleration is of another effect",
        made(
            "Pod", pod=pod(gpus=1, tolerations=[PRESENT | {"effect": "NoExecute"}], selector={POOL: "gpu-a"})
        ),
        refused=ACCELERATOR,
    ),
    Applied("a pod that needs nothing", made("Pod", pod=pod())),
    Applied("a job that a queue will place", suspended(queued(made("Job", pod=pod(gpus=1))))),
    Applied(
        "a job for metal that a queue will place", suspended(queued(made("Job", facts=METAL, pod=pod())))
    ),
    Applied("a pod that a queue will place", made("Pod", pod=pod(gpus=1) | GATED)),
    Applied(
        "a job of a queue that nobody minds",
        queued(made("Job", pod=pod(gpus=1))),
        refused=ACCELERATOR,
    ),
    Applied("a pod of a queue that nobody minds", queued(made("Pod", pod=pod(gpus=1))), refused=ACCELERATOR),
    Applied(
        "a job of a queue that selects a pool without GPUs itself",
        suspended(queued(made("Job", pod=pod(gpus=1, selector={POOL: "cpu-a"})))),
        refused=ACCELERATOR,
    ),
    *(
        Applied(
            f"a pod for metal that claims to be there, {says}",
            made("Pod", facts=replace(METAL, pinned=True), pod=where),
            refused=JITTER,
            words=("which a shared pool cannot hold",),
        )
        for says, where in SOMEWHERE.items()
    ),
    *(
        Applied(
            f"a pod under PCI DSS that claims to be isolated, {says}",
            made("Pod", facts=REGULATED, pod=where),
            refused=COMPLIANCE,
            words=("machines shared with other accounts",),
        )
        for says, where in SOMEWHERE.items()
    ),
    Applied(
        "a pod under PCI DSS that claims to be isolated, in a namespace that is shared",
        made("Pod", facts=REGULATED, pod=pod()),
        namespace=SHARED,
    ),
    Applied(
        "a reader that may be in any zone of the stack",
        made("Deployment", facts=replace(READER, zones=("us-east-1a",)), pod=pod()),
        refused=LOCALITY,
        words=("it sits in us-east-1a, us-east-1b",),
    ),
    Applied(
        "a workload for metal on metal whose memory is asked for in other words",
        made(
            "Deployment",
            facts=METAL,
            pod=asking(pod(selector={POOL: "metal-a"}), memory="1024Mi", cpu="2000m"),
        ),
    ),
    Applied(
        "a workload for metal on metal that asks for less memory than it may have",
        made("Deployment", facts=METAL, pod=asking(pod(selector={POOL: "metal-a"}), memory="1023Mi")),
        refused=JITTER,
    ),
    Applied(
        "an object of somebody's operator without a warm replica before a twin",
        owned(
            made("Deployment", facts=Facts(twin=True), pod=pod())
            | {"spec": made("Deployment", pod=pod())["spec"] | {"replicas": 0}},
            "Model",
            "model",
        ),
        refused="warm-before-tail",
    ),
    Applied(
        "a pod that claims its devices from a driver",
        made("Pod", pod=pod() | {"resourceClaims": [{"name": "gpu", "resourceClaimName": "gpu"}]}),
    ),
    Applied(
        "a GPU pod that claims something else beside, and selects no pool",
        made("Pod", pod=pod(gpus=1) | {"resourceClaims": [{"name": "net", "resourceClaimName": "net"}]}),
        refused=ACCELERATOR,
        words=("it needs 1 accelerator", "held to no pool that has accelerators"),
    ),
    Applied(
        "a pod whose init container needs a GPU",
        made("Pod", pod=pod() | {"initContainers": pod(gpus=2)["containers"]} | {"containers": OTHERS}),
        refused=ACCELERATOR,
        words=("it needs 2 accelerators",),
    ),
    Applied(
        "a Job that is ended before its work is done",
        ended(made("Job", facts=Facts(service_time=Duration.parse("2m")), pod=pod()), 60),
        refused="long-execution",
        words=("a request takes 2m, over the 60s of its own timeout",),
    ),
    Applied(
        "a Job that has time for its work",
        ended(made("Job", facts=Facts(service_time=Duration.parse("2m")), pod=pod()), 121),
    ),
    Applied(
        "a reader in another zone than its state",
        made("Deployment", facts=READER, pod=pod(selector={ZONE: "us-east-1b"})),
        refused=LOCALITY,
        words=("chat: it sits in us-east-1b and sessions is in us-east-1a", RULES[LOCALITY].remedy),
    ),
    Applied(
        "a reader that may be in two zones",
        made("Deployment", facts=READER, pod=pod(terms=[among(ZONE, "us-east-1b", "us-east-1a")])),
        refused=LOCALITY,
        words=("it sits in us-east-1a, us-east-1b",),
    ),
    Applied(
        "a reader on a pool in its state's zone",
        made("Deployment", facts=READER, pod=pod(selector={POOL: "cpu-a"})),
    ),
    Applied(
        "a reader on a pool that is in other zones too",
        made("Deployment", facts=READER, pod=pod(selector={POOL: "metal-a"})),
        refused=LOCALITY,
    ),
    Applied(
        "a workload for metal that says it is there, on a shared pool",
        made("Deployment", facts=METAL, pod=pod(selector={POOL: "cpu-a"})),
        refused=JITTER,
        words=("ranker: ", "20us, less than 50us", "which a shared pool cannot hold", RULES[JITTER].remedy),
    ),
    Applied(
        "a workload for metal on metal, with whole cores",
        made("Deployment", facts=METAL, pod=pod(selector={POOL: "metal-a"})),
    ),
    Applied(
        "a workload for metal in a namespace that is only warned",
        made("Deployment", facts=METAL, pod=pod(selector={POOL: "cpu-a"})),
        warned=JITTER,
        words=("which a shared pool cannot hold",),
        namespace=WARNED,
    ),
    Applied(
        "a breach that somebody answers for",
        made("Deployment", name="waived", facts=Facts(jitter=Duration(1)), pod=pod()),
        warned=JITTER,
        words=("(waived until 2099-12-31 by ml@example.com: until metal comes)",),
    ),
    Applied(
        "a breach that somebody answered for until 2020",
        made("Deployment", name="late-one", facts=Facts(jitter=Duration(1)), pod=pod()),
        refused=JITTER,
        words=("(the waiver of ml@example.com expired on 2020-01-31: was to be)",),
    ),
    Applied(
        "a pod of a Job of a CronJob that somebody answers for",
        owned(made("Pod", name="x", facts=Facts(jitter=Duration(1)), pod=pod()), "Job", "waived-29704680"),
        warned=JITTER,
        words=("(waived until 2099-12-31 by ml@example.com",),
    ),
    Applied(
        "a pod of a Job that is only called alike",
        owned(made("Pod", name="x", facts=Facts(jitter=Duration(1)), pod=pod()), "Job", "waived-2"),
        refused=JITTER,
    ),
    Applied(
        "a pod whose owner's name has two dashes where that of another ends",
        owned(made("Pod", name="x", facts=Facts(jitter=Duration(1)), pod=pod()), "StatefulSet", "waived--b"),
        refused=JITTER,
    ),
    Applied(
        "ties of one vendor, which is advice",
        made("Deployment", facts=Facts(ties=("sqs",)), pod=pod()),
        warned="vendor-lock-in",
        words=("Amazon SQS",),
    ),
    Applied(
        "an annotation that somebody edited",
        made("Deployment", pod=pod())
        | {"metadata": {"name": "model", "annotations": {"halfmetal.dev/jitter": "20 us"}}},
        warned=JITTER,
        words=("cannot be read: halfmetal.dev/jitter",),
    ),
    Applied(
        "a regime in a namespace that lets pods at their nodes",
        made("Deployment", facts=Facts(compliance=("pci-dss",)), pod=pod()),
        refused=COMPLIANCE,
        words=("it falls under PCI DSS", "Pod Security", RULES[COMPLIANCE].remedy),
        namespace=OPEN,
    ),
    Applied("no regime in such a namespace", made("Deployment", pod=pod()), namespace=OPEN),
    Applied(
        "a twin without a warm replica",
        made("Deployment", facts=Facts(twin=True), pod=pod())
        | {"spec": made("Deployment", pod=pod())["spec"] | {"replicas": 0}},
        refused="warm-before-tail",
    ),
    Applied(
        "work that outlasts the front door",
        made(
            "Deployment",
            facts=Facts(service_time=Duration.parse("31s"), front_door=FrontDoor.HTTP_API),
            pod=pod(),
        ),
        refused="long-execution",
        words=("over the 30s of an HTTP API",),
    ),
    Applied(
        "somebody else's GPU pod in a namespace that is shared",
        made("Pod", pod=pod(gpus=1, selector={"their/pool": "x"})),
        namespace=SHARED,
    ),
    Applied(
        "a GPU pod on the stack's pool in a namespace that is shared",
        made("Pod", pod=pod(gpus=1, selector={POOL: "gpu-a"})),
        refused=ACCELERATOR,
        namespace=SHARED,
    ),
    Applied(
        "anything outside of the namespace", made("Deployment", facts=METAL, pod=pod()), namespace="default"
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in TABLE])
@pytest.mark.usefixtures("namespaces")
def test_what_is_applied_is_let_in_warned_of_or_refused(case: Applied, api: ApiServer):
    answer = api.apply(inside(case.manifest, case.namespace))
    said = answer.message if case.refused else "; ".join(answer.warnings)
    assert answer.admitted == (case.refused is None), answer.message
    assert not any(word in said for word in case.never)
    for rule in filter(None, (case.refused, case.warned)):
        assert f"{rule}: " in said
    if case.refused is None and case.warned is None:
        assert "halfmetal" not in said and "ValidatingAdmissionPolicy" not in said
    for words in case.words:
        assert words in said


@pytest.mark.usefixtures("namespaces")
def test_changes_are_judged_and_what_changes_nothing_is_not(api: ApiServer):
    good = inside(made("Deployment", name="changing", facts=METAL, pod=pod(selector={POOL: "metal-a"})), OWN)
    api.keep(good)
    try:
        tight = {"spec": {"template": {"spec": {"nodeSelector": {POOL: "cpu-a"}}}}}
        assert f"{JITTER}: " in api.patch(good, tight).message
        assert api.patch(good, {"metadata": {"annotations": {"other/note": "x"}}}).admitted
        claim = {"metadata": {"annotations": {"halfmetal.dev/twin": "true"}}}
        assert api.patch(good, claim | {"spec": {"replicas": 1}}).admitted
        assert not api.patch(good, claim | {"spec": {"replicas": 0}}).admitted
    finally:
        api.remove(good)


@pytest.mark.usefixtures("namespaces")
def test_a_pod_that_is_held_by_a_gate_is_judged_when_it_is_told_where_to_go(api: ApiServer):
    held = inside(made("Pod", name="gated", facts=READER, pod=pod() | GATED), OWN)
    api.keep(held)
    try:
        away = {"spec": {"nodeSelector": {ZONE: "us-east-1b"}}}
        assert f"{LOCALITY}: " in api.patch(held, away).message
        assert f"{LOCALITY}: " in api.patch(held, {"spec": {"schedulingGates": None}}).message
        let_go = {"spec": {"schedulingGates": None, "nodeSelector": {POOL: "cpu-a"}}}
        assert api.patch(held, let_go).admitted
        assert api.patch(held, {"metadata": {"labels": {"other": "x"}}}).admitted
        metal = {"metadata": {"annotations": METAL.to_annotations()}}
        assert f"{JITTER}: " in api.patch(held, metal | let_go).message
    finally:
        api.remove(held)


@pytest.mark.usefixtures("namespaces")
def test_a_pod_that_is_given_other_cores_is_judged(api: ApiServer):
    pinned = inside(made("Pod", name="resized", facts=METAL, pod=pod(selector={POOL: "metal-a"})), OWN)
    api.keep(pinned)
    try:
        fewer = {"cpu": "1500m", "memory": "1Gi"}
        container = {"name": "model", "image": "example/model:1"}
        resized = {"spec": {"containers": [container | {"resources": {"limits": fewer, "requests": fewer}}]}}
        assert f"{JITTER}: " in api.patch(pinned, resized, subresource="/resize").message
    finally:
        api.remove(pinned)


@pytest.mark.usefixtures("namespaces")
def test_a_suspended_job_is_judged_when_it_is_let_start(api: ApiServer):
    job = inside(suspended(queued(made("Job", name="queued", pod=pod(gpus=1)))), OWN)
    api.keep(job)
    try:
        assert f"{ACCELERATOR}: " in api.patch(job, {"spec": {"suspend": False}}).message
        pods = {"nodeSelector": {POOL: "gpu-a"}, "tolerations": [PRESENT]}
        placed = {"spec": {"suspend": False, "template": {"spec": pods}}}
        assert api.patch(job, placed).admitted
    finally:
        api.remove(job)


CONTROLLERS = ("replicaset-controller", "statefulset-controller", "job-controller", "daemon-set-controller")


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.usefixtures("namespaces")
def test_pods_of_what_was_let_in_come_back_from_a_drained_node(controller: str, api: ApiServer):
    """Whatever has changed since: a threshold, or the day."""
    lost = inside(made("Pod", name="late-one", facts=METAL, pod=pod()), OWN)
    answer = api.acting_as(f"system:serviceaccount:kube-system:{controller}").apply(lost)
    assert answer.admitted, answer.message
    assert "expired on 2020-01-31" in answer.warned_of(JITTER)


@pytest.mark.parametrize("user", [f"system:serviceaccount:{OWN}:replicaset-controller", "somebody"])
@pytest.mark.usefixtures("namespaces")
def test_pods_that_anybody_else_makes_are_refused(user: str, api: ApiServer):
    answer = api.acting_as(user, "system:masters").apply(
        inside(owned(made("Pod", facts=METAL, pod=pod()), "ReplicaSet", "model"), OWN)
    )
    assert f"{JITTER}: " in answer.message


@pytest.mark.usefixtures("namespaces")
def test_an_old_replica_set_is_taken_away_however_the_rules_have_changed(api: ApiServer):
    """Its Deployment gives it no pods any more, and that is not to be kept from it."""
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "chat", "uid": "1", "controller": True}
    old = inside(made("ReplicaSet", name="chat-1", facts=Facts(twin=True), pod=pod()), OWN)
    old["metadata"]["ownerReferences"] = [owner]
    api.keep(old)
    try:
        assert api.patch(old, {"spec": {"replicas": 0}}).admitted
    finally:
        api.remove(old)


@pytest.mark.usefixtures("namespaces")
def test_a_waiver_of_an_update_counts_from_the_time_of_the_update(api: ApiServer):
    kept = inside(made("Deployment", name="late-update", pod=pod()), OWN)
    api.keep(kept)
    try:
        claim = {"metadata": {"annotations": {"halfmetal.dev/jitter": "1ns"}}}
        answer = api.patch(kept, claim)
        assert "expired on 2020-01-31" in answer.message
    finally:
        api.remove(kept)
    kept = inside(made("Deployment", name="waived", pod=pod()), OWN)
    api.keep(kept)
    try:
        answer = api.patch(kept, claim)
        assert answer.admitted
        assert "waived until 2099-12-31" in answer.warned_of(JITTER)
    finally:
        api.remove(kept)


OVER = "2020-01-01T00:00:00Z"
"""A time when the waiver of `late-*` held."""


def forged(now: Manifest, change: Manifest) -> Manifest:
    """A change by somebody who writes that all was done, and this too, while a waiver held."""
    entries = [entry | {"time": OVER} for entry in now["metadata"]["managedFields"]]
    entries.append(entries[0] | {"manager": "nobody"})
    return change | {"metadata": change.get("metadata", {}) | {"managedFields": entries}}


CHANGES = {
    "sets": {"spec": {"template": {"spec": {"nodeSelector": {POOL: "cpu-a"}}}}},
    "takes away": {"spec": {"template": {"spec": {"nodeSelector": None}}}},
    "takes away and adds an unread label": {
        "metadata": {"labels": {"other": "x"}},
        "spec": {"template": {"spec": {"nodeSelector": None}}},
    },
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.usefixtures("namespaces")
def test_no_waiver_is_revived_by_a_time_that_a_client_writes(change: Manifest, api: ApiServer):
    kept = inside(
        made("Deployment", name="late-forged", facts=METAL, pod=pod(selector={POOL: "metal-a"})), OWN
    )
    api.keep(kept)
    try:
        there = dict(api.get(kept).object)
        # A removal alone is not dated by the API server, and what a client writes is kept.
        assert f"{JITTER}: " in api.patch(kept, forged(there, change)).message
    finally:
        api.remove(kept)


@pytest.mark.parametrize(
    ("change", "admitted"),
    [
        ({"spec": {"replicas": 2}}, True),
        ({"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, True),
        ({"spec": {"template": {"spec": {"nodeSelector": None}}}}, False),
        (
            {"metadata": {"annotations": {"a": "b"}}, "spec": {"template": {"spec": {"nodeSelector": None}}}},
            True,
        ),
    ],
    ids=["more of it", "its pods are marked", "it is held to no zone", "that, and a note of it"],
)
@pytest.mark.usefixtures("namespaces")
def test_a_waiver_holds_for_a_change_that_is_dated(change: Manifest, admitted: bool, api: ApiServer):  # noqa: FBT001 - a case's answer
    kept = inside(made("Deployment", name="waived", facts=METAL, pod=pod(selector={ZONE: "us-east-1a"})), OWN)
    api.keep(kept)
    try:
        answer = api.patch(kept, change)
        assert answer.admitted == admitted, answer.message
        assert ("waived until 2099-12-31" in answer.warned_of(JITTER)) == admitted
        assert ("holds for a change that sets something" in answer.message) != admitted
    finally:
        api.remove(kept)


@pytest.mark.usefixtures("namespaces")
def test_a_namespace_of_regulated_workloads_keeps_its_isolation(api: ApiServer):
    name = "regulated"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    isolated = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    figures = stack_of()
    regulated = Governed(figures.settings, figures.pools, compliance=("pci-dss",))
    api.keep(*manifests(Names(name), regulated))
    until(lambda: not api.apply(bare).admitted, "the namespace is refused without isolation")
    assert f"{COMPLIANCE}: regulated: it falls under PCI DSS" in api.apply(bare).message
    api.keep(isolated)
    taken_off = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}
    assert f"{COMPLIANCE}: " in api.patch(isolated, taken_off).message
    assert api.patch(isolated, {"metadata": {"labels": {"team": "x"}}}).admitted


@pytest.mark.usefixtures("namespaces")
def test_a_namespace_that_was_never_isolated_may_change_in_what_no_rule_reads(api: ApiServer):
    name = "bare"
    bare = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    api.keep(bare)
    figures = stack_of()
    api.keep(*manifests(Names(name), Governed(figures.settings, figures.pools, compliance=("pci-dss",))))
    privileged = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}
    until(lambda: f"{COMPLIANCE}: " in api.patch(bare, privileged).message, "what a rule reads is judged")
    assert api.patch(bare, {"metadata": {"labels": {"team": "x"}}}).admitted


def test_names_are_those_of_the_stack():
    raw = yaml.safe_load(HYBRID.read_text())["config"]["halfmetal:stack"]
    plane = decide(spec.load(raw)).stack.data_plane
    assert plane is not None
    assert names(plane, "hybrid").policy(JITTER) == "halfmetal-hybrid.jitter-budget"
    assert names(plane, "hybrid").own_namespace == "halfmetal-hybrid-admission"


def test_names_of_the_longest_namespace_fit():
    longest = Names("n" * 63)
    assert len(longest.own_namespace) <= 63
    assert longest.own_namespace != Names("n" * 62 + "m").own_namespace
