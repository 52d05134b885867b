"""One full example of every type that is read, with every property that is declared."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any

from components.placement import Facts
from components.placement.labels import POOL_LABEL, ZONE_LABEL
from policies.reading import cloud_run, functions, nodes, pods, tasks
from policies.reading.bags import UNKNOWN
from policies.reading.endpoints import ENDPOINT

CARRIED = Facts(workload="chat", ties=())
TAGS = CARRIED.to_tags()
WAYS_IN = Facts(has_accelerators=True, tolerates=True).to_annotations()
ANNOTATIONS = CARRIED.to_annotations()
GONE = object()
"""In place of a value: the property is not there."""

EFA = "vpc.amazonaws.com/efa"
GPU = "nvidia.com/gpu"
ASKED = {"cpu": "2", "memory": "1Gi", GPU: 1, EFA: 1}


def _affine(zone: str) -> dict[str, Any]:
    expression = {"key": ZONE_LABEL, "operator": "In", "values": [zone, "us-east-1c"]}
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [expression]}]
            }
        }
    }


def _pods(zone: str = "us-east-1a", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"annotations": {"halfmetal.dev/pool": zone, **WAYS_IN}, **metadata},
        "spec": {
            "containers": [{"resources": {"limits": dict(ASKED), "requests": dict(ASKED)}}],
            "initContainers": [
                {"restartPolicy": "Always", "resources": {"limits": dict(ASKED), "requests": dict(ASKED)}}
            ],
            "nodeSelector": {ZONE_LABEL: zone, POOL_LABEL: "gpu"},
            "affinity": _affine(zone),
            "tolerations": [{"key": GPU, "operator": "Exists"}],
        },
    }


OWNED = {"ownerReferences": [{"controller": False}]}
NAMED = {"metadata": {"name": "chat", "annotations": ANNOTATIONS}}
MADE = {"metadata": {**NAMED["metadata"], **OWNED}}
JOB = {"activeDeadlineSeconds": 60, "template": _pods()}
_WORKLOADS: dict[int, dict[str, Any]] = {
    id(pods.SCALED): {**NAMED, "spec": {"replicas": 2, "template": _pods()}},
    id(pods.REPLICAS): {**MADE, "spec": {"replicas": 2, "template": _pods()}},
    id(pods.ON_EVERY_NODE): {**NAMED, "spec": {"template": _pods()}},
    id(pods.POD): _pods(**OWNED),
    id(pods.JOB): {**NAMED, "spec": JOB},
    id(pods.CRON_JOB): {
        **NAMED,
        "spec": {"jobTemplate": {"metadata": {"annotations": {"halfmetal.dev/pool": "c"}}, "spec": JOB}},
    },
    id(pods.LEADER_WORKER_SET): {
        **NAMED,
        "spec": {
            "replicas": 2,
            "leaderWorkerTemplate": {
                "size": 3,
                "leaderTemplate": _pods(),
                "workerTemplate": _pods("us-east-1b"),
            },
        },
    },
    id(pods.KNATIVE_SERVICE): {
        **NAMED,
        "spec": {"template": {**_pods(), "spec": {**_pods()["spec"], "timeoutSeconds": 600}}},
    },
}
EXAMPLES: dict[str, dict[str, Any]] = {
    functions.FUNCTION: {
        "tags": TAGS,
        "tagsAll": {"halfmetal:pool": "gpu"},
        "memorySize": 512,
        "timeout": 30,
        "reservedConcurrentExecutions": 5,
        "capacityProviderConfig": {"lambdaManagedInstancesCapacityProviderConfig": {}},
    },
    nodes.NODE_GROUP: {"tags": {"halfmetal:pool": "gpu"}, "tagsAll": TAGS, "instanceTypes": ["g6.xlarge"]},
    nodes.SCALING_GROUP: {
        "tags": [{"key": key, "value": value} for key, value in TAGS.items()],
        "mixedInstancesPolicy": {"launchTemplate": {"overrides": [{"instanceType": "g6.xlarge"}]}},
        "availabilityZones": ["us-east-1a"],
    },
    nodes.CAPACITY_PROVIDER: {
        "tags": {"halfmetal:pool": "gpu"},
        "tagsAll": TAGS,
        "instanceRequirements": [{"allowedInstanceTypes": ["g6.xlarge"]}],
        "kmsKeyArn": "arn:key",
    },
    nodes.LAUNCH_TEMPLATE: {
        "tags": {"halfmetal:pool": "gpu"},
        "tagsAll": TAGS,
        "instanceType": "g6.xlarge",
        "networkInterfaces": [{"interfaceType": "efa"}],
        "blockDeviceMappings": [{"ebs": {"kmsKeyId": "arn:key"}}],
        "placement": {"availabilityZone": "us-east-1a", "tenancy": "dedicated"},
        "capacityReservationSpecification": {"capacityReservationTarget": {"capacityReservationId": "cr-1"}},
    },
    tasks.TASK_DEFINITION: {
        "tags": {"halfmetal:pool": "gpu"},
        "tagsAll": TAGS,
        "containerDefinitions": json.dumps([{"resourceRequirements": [{"type": "GPU", "value": "1"}]}]),
        "requiresCompatibilities": ["FARGATE"],
    },
    tasks.SERVICE: {
        "tags": {"halfmetal:pool": "gpu"},
        "tagsAll": TAGS,
        "desiredCount": 2,
        "capacityProviderStrategies": [{"capacityProvider": "FARGATE"}],
    },
    ENDPOINT: {
        "tags": {"halfmetal:pool": "gpu"},
        "tagsAll": TAGS,
        "asyncInferenceConfig": {},
        "kmsKeyArn": "arn:key",
        "productionVariants": [{"instanceType": "ml.g6.xlarge", "initialInstanceCount": 1}],
    },
    cloud_run.SERVICE: {
        "annotations": ANNOTATIONS,
        "template": {
            "annotations": {"halfmetal.dev/pool": "gpu"},
            "timeout": "60s",
            "containers": [{"resources": {"limits": {"memory": "1Gi", GPU: "1"}}}],
            "nodeSelector": {"accelerator": "nvidia-l4"},
        },
    },
    **{name: _WORKLOADS[id(workload)] for name, workload in pods.WORKLOADS.items()},
}

METAL = "m7i.metal-24xl"
_CLAIM = [{"name": "gpu", "resourceClaimName": "gpu"}]
_SERVERLESS = {"memorySizeInMb": 1024}
OTHERS: dict[str, list[Any]] = {
    "instanceTypes": [[METAL]],
    "mixedInstancesPolicy.launchTemplate.overrides[].instanceType": [METAL],
    "instanceRequirements[].allowedInstanceTypes": [[METAL]],
    "instanceType": [METAL],
    "productionVariants[].instanceType": ["ml.x9.metal", "ml.m7i.metal-24xl"],
    "instanceMarketOptions.marketType": ["capacity-block"],
    "placement.groupName": ["together"],
    "placement.groupId": ["pg-1"],
    "launchType": ["FARGATE"],
    "scaling.scalingMode": ["MANUAL"],
    "scaling.manualInstanceCount": [1],
    "scaling.minInstanceCount": [1],
    "template.scaling.minInstanceCount": [1],
    "productionVariants[].serverlessConfig": [_SERVERLESS],
    "productionVariants[].managedInstanceScaling.minInstanceCount": [0],
    "spec.resourceClaims": [_CLAIM],
    "spec.containers[].resources.limits": [{**ASKED, "cpu": "3"}],
    "spec.containers[].resources.requests": [{**ASKED, "cpu": "3"}],
    "spec.initContainers[].resources.limits": [{GPU: 2, EFA: 2}],
    "metadata.ownerReferences[].controller": [True],
    "spec.leaderWorkerTemplate.size": [1],
}
"""Other values of a property, beside none and one that is not known, that change what is read."""
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    (nodes.LAUNCH_TEMPLATE, "instanceMarketOptions.marketType"): {
        "placement.tenancy": GONE,
        "capacityReservationSpecification": GONE,
    },
    (nodes.LAUNCH_TEMPLATE, "instanceType"): {"placement.tenancy": GONE},
    (ENDPOINT, "productionVariants[].serverlessConfig"): {
        "productionVariants[].instanceType": "ml.g4dn.metal"
    },
    (ENDPOINT, "productionVariants[].serverlessConfig.memorySizeInMb"): {
        "productionVariants[].serverlessConfig": _SERVERLESS
    },
    (ENDPOINT, "productionVariants[].serverlessConfig.provisionedConcurrency"): {
        "productionVariants[].serverlessConfig": _SERVERLESS
    },
    (cloud_run.SERVICE, "scaling.manualInstanceCount"): {"scaling.scalingMode": "MANUAL"},
    (tasks.SERVICE, "launchType"): {"capacityProviderStrategies": GONE},
    **{
        (name, path): {other: GONE for other in workload.reads if "[].resources." in other}
        for name, workload in pods.WORKLOADS.items()
        for path in workload.reads
        if path.endswith("spec.resourceClaims")
    },
}
"""What else has to be so for a property to count."""


def changed(bag: object, path: str, value: object) -> Any:
    """A copy of a bag with another value at a path, in every place where the path leads."""
    copy = deepcopy(bag)
    *steps, last = [step for step in path.replace("[]", ".[]").split(".") if step]
    places: list[Any] = [copy]
    for step, following in pairwise([*steps, last]):
        made: Any = [{}] if following == "[]" else {}
        places = [each for place in places for each in _into(place, step, made)]
    for place in places:
        if last == "[]":
            place[:] = [value for _ in place]
        elif value is GONE:
            place.pop(last, None)
        else:
            place[last] = value
    return copy


def _into(place: Any, step: str, made: Any) -> Iterator[Any]:
    if step == "[]":
        yield from place
    else:
        if place.get(step) is None or place.get(step) is UNKNOWN:
            place[step] = made
        yield place[step]
