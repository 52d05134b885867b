"""What is read of ECS, SageMaker and Cloud Run, and what the rules then say."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from components.catalog import load as load_catalog
from components.placement import Answer, Facts, FrontDoor, Home, Platform, Role, settle
from components.spec import Duration, Memory, Share
from policies.judging import alone, everything
from policies.reading import cloud_run, tasks
from policies.reading.bags import UNKNOWN
from policies.reading.endpoints import ENDPOINT
from policies.reading.node_relations import SUBNET
from policies.reading.subjects import read
from policies.resources import Resource

TASK, SERVICE, CLOUD_RUN = tasks.TASK_DEFINITION, tasks.SERVICE, cloud_run.SERVICE
A = "us-east-1a"
SETTINGS = settle(load_catalog(), {})


def _containers(*gpus: str) -> str:
    return json.dumps([{"resourceRequirements": [{"type": "GPU", "value": count}]} for count in gpus])


def _variants(*variants: dict[str, Any], **props: Any) -> dict[str, Any]:
    return {"productionVariants": list(variants), **props}


def _serverless(**config: Any) -> dict[str, Any]:
    return {"serverlessConfig": {"memorySizeInMb": 4096, "maxConcurrency": 5, **config}}


def _run(least: Any = None, limits: Any = None, **template: Any) -> dict[str, Any]:
    container = {"resources": {"limits": limits}} if limits is not None else {}
    return {
        "template": {"containers": [container], "scaling": {"minInstanceCount": least}, **template},
    }


@dataclass(frozen=True)
class Case:
    says: str
    resource_type: str
    props: dict[str, Any]
    facts: dict[str, Any]


CASES = [
    # ECS
    Case(
        "a task with GPUs",
        TASK,
        {"containerDefinitions": _containers("1", "2"), "requiresCompatibilities": ["EC2"]},
        {"accelerator_count": 3, "has_accelerators": None, "managed_cluster": True},
    ),
    Case(
        "a task for Fargate",
        TASK,
        {"containerDefinitions": _containers(), "requiresCompatibilities": ["FARGATE"]},
        {"accelerator_count": 0, "has_accelerators": False},
    ),
    Case(
        "a task for Fargate or instances",
        TASK,
        {"containerDefinitions": "[]", "requiresCompatibilities": ["FARGATE", "EC2"]},
        {"has_accelerators": None},
    ),
    Case(
        "a definition that is no JSON", TASK, {"containerDefinitions": "[{"}, {"accelerator_count": UNKNOWN}
    ),
    Case(
        "a definition nested without end",
        TASK,
        {"containerDefinitions": "[" * 10**5},
        {"accelerator_count": UNKNOWN},
    ),
    Case(
        "a definition that is not known yet",
        TASK,
        {"containerDefinitions": UNKNOWN},
        {"accelerator_count": UNKNOWN},
    ),
    Case(
        "a definition that is a list",
        TASK,
        {"containerDefinitions": [{"resourceRequirements": [{"type": "GPU", "value": 1}]}]},
        {"accelerator_count": 1},
    ),
    Case(
        "a service on Fargate",
        SERVICE,
        {"launchType": "FARGATE", "desiredCount": 2},
        {"has_accelerators": False, "warm_replicas": 2, "home": Home.POOL},
    ),
    Case(
        "a service on Fargate, by a strategy",
        SERVICE,
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE_SPOT"}]},
        {"has_accelerators": False, "warm_replicas": None},
    ),
    Case(
        "a service on instances as well",
        SERVICE,
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE"}, {"capacityProvider": "gpu"}]},
        {"has_accelerators": None},
    ),
    Case("a service of unknown kind", SERVICE, {"launchType": UNKNOWN}, {"has_accelerators": UNKNOWN}),
    # SageMaker
    Case(
        "a serverless endpoint",
        ENDPOINT,
        _variants(_serverless()),
        {
            "home": Home.FUNCTION,
            "platform": Platform.SAGEMAKER_SERVERLESS,
            "function_memory": Memory.of(4096, "MiB"),
        },
    ),
    Case(
        "a serverless endpoint that is kept warm",
        ENDPOINT,
        _variants(_serverless(provisionedConcurrency=1)),
        {"home": Home.RESERVED_FUNCTION},
    ),
    Case(
        "a serverless endpoint of which that is not known",
        ENDPOINT,
        _variants(_serverless(provisionedConcurrency=UNKNOWN)),
        {"home": UNKNOWN},
    ),
    Case(
        "an endpoint of instances",
        ENDPOINT,
        _variants({"instanceType": "ml.g6.xlarge", "initialInstanceCount": 2}, kmsKeyArn="arn:key"),
        {"home": Home.POOL, "platform": None, "accelerator_count": 1, "warm_replicas": 2, "own_keys": True},
    ),
    Case(
        "an endpoint that scales to none",
        ENDPOINT,
        _variants(
            {
                "instanceType": "ml.g6.xlarge",
                "initialInstanceCount": 1,
                "managedInstanceScaling": {"minInstanceCount": 0},
            }
        ),
        {"warm_replicas": 0, "own_keys": None},
    ),
    Case(
        "an endpoint that nobody waits for",
        ENDPOINT,
        _variants({"instanceType": "ml.g6.xlarge"}, asyncInferenceConfig={"outputConfig": {}}),
        {"front_door": FrontDoor.ASYNCHRONOUS, "warm_replicas": None},
    ),
    Case(
        "an endpoint of both kinds",
        ENDPOINT,
        _variants(_serverless(), {"instanceType": "ml.m7i.large"}),
        {"home": None},
    ),
    Case("variants that are not known yet", ENDPOINT, {"productionVariants": UNKNOWN}, {"home": UNKNOWN}),
    # Cloud Run
    Case(
        "a service that says nothing",
        CLOUD_RUN,
        _run(),
        {
            "home": Home.FUNCTION,
            "platform": Platform.CLOUD_RUN,
            "function_memory": Memory.of(512, "MiB"),
            "timeout": Duration.of(5, "m"),
            "accelerator_count": 0,
        },
    ),
    Case("one that keeps an instance", CLOUD_RUN, _run(1), {"home": Home.RESERVED_FUNCTION}),
    Case(
        "one that keeps an instance whatever its revision says",
        CLOUD_RUN,
        {**_run(), "scaling": {"minInstanceCount": 1}},
        {"home": Home.RESERVED_FUNCTION},
    ),
    Case(
        "one that is scaled by hand",
        CLOUD_RUN,
        {**_run(), "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 3}},
        {"home": Home.RESERVED_FUNCTION},
    ),
    Case(
        "one that is scaled by hand to nothing, whatever its revision says",
        CLOUD_RUN,
        {**_run(1), "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 0}},
        {"home": Home.FUNCTION},
    ),
    Case(
        "one of which nobody knows how it is scaled",
        CLOUD_RUN,
        {**_run(), "scaling": {"scalingMode": UNKNOWN}},
        {"home": UNKNOWN},
    ),
    Case("one of which that is not known", CLOUD_RUN, _run(UNKNOWN), {"home": UNKNOWN}),
    Case(
        "one with a GPU",
        CLOUD_RUN,
        _run(limits={"memory": "16Gi", "nvidia.com/gpu": "1"}, nodeSelector={"accelerator": "nvidia-l4"}),
        {"accelerator_count": 1, "accelerator_type": "L4", "function_memory": Memory.of(16, "GiB")},
    ),
    Case("one with a timeout", CLOUD_RUN, _run(timeout="3600s"), {"timeout": Duration.of(1, "h")}),
    Case("one with a timeout that is none", CLOUD_RUN, _run(timeout="soon"), {"timeout": UNKNOWN}),
    Case(
        "one whose memory is not known",
        CLOUD_RUN,
        _run(limits={"memory": UNKNOWN}),
        {"function_memory": UNKNOWN},
    ),
    Case(
        "one whose memory is no size", CLOUD_RUN, _run(limits={"memory": "1Qi"}), {"function_memory": UNKNOWN}
    ),
    Case(
        "containers that are not known yet",
        CLOUD_RUN,
        {"template": {"containers": UNKNOWN}},
        {"function_memory": UNKNOWN, "accelerator_count": UNKNOWN},
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.says) for case in CASES])
def test_what_is_read(case: Case):
    subject = read(case.resource_type, case.props)
    assert subject is not None
    found = {name: UNKNOWN if name in subject.unread else getattr(subject.facts, name) for name in case.facts}
    assert found == case.facts


WORKLOAD = Facts(workload="chat", role=Role.WORKLOAD, home=Home.FUNCTION)
GPU = replace(WORKLOAD, accelerator_count=1, accelerator_type="L4")


@pytest.mark.parametrize(
    ("rule", "resource_type", "props", "answer", "part"),
    [
        pytest.param(
            "accelerator-needs-metal",
            TASK,
            {"containerDefinitions": _containers("1"), "requiresCompatibilities": ["FARGATE"]},
            Answer.REFUSED,
            "1 accelerator",
            id="a GPU on Fargate",
        ),
        pytest.param(
            "accelerator-needs-metal",
            CLOUD_RUN,
            _run(limits={"nvidia.com/gpu": "1"}),
            Answer.FITS,
            "Cloud Run has accelerators",
            id="a GPU on Cloud Run",
        ),
        pytest.param(
            "accelerator-needs-metal",
            ENDPOINT,
            _variants(_serverless(), tags=GPU.to_tags()),
            Answer.REFUSED,
            "SageMaker Serverless Inference has no accelerator",
            id="a workload with a GPU on a serverless endpoint",
        ),
        pytest.param(
            "memory-over-function-limit",
            CLOUD_RUN,
            _run(limits={"memory": "16Gi"}),
            Answer.FITS,
            "32,768 MB",
            id="more on Cloud Run than Lambda has",
        ),
        pytest.param(
            "memory-over-function-limit",
            ENDPOINT,
            _variants(_serverless(), tags=replace(WORKLOAD, memory=Memory.of(8, "GiB")).to_tags()),
            Answer.REFUSED,
            "6,144 MB",
            id="less on a serverless endpoint than Lambda has",
        ),
        pytest.param(
            "long-execution",
            CLOUD_RUN,
            {
                **_run(timeout="1800s"),
                "annotations": replace(WORKLOAD, service_time=Duration.of(20, "m")).to_annotations(),
            },
            Answer.FITS,
            "its own timeout",
            id="longer on Cloud Run than Lambda and API Gateway allow",
        ),
        pytest.param(
            "long-execution",
            ENDPOINT,
            _variants(_serverless(), tags=replace(WORKLOAD, service_time=Duration.of(2, "m")).to_tags()),
            Answer.REFUSED,
            "1m of SageMaker Serverless Inference",
            id="two minutes on a serverless endpoint",
        ),
        pytest.param(
            "sustained-utilization",
            CLOUD_RUN,
            {**_run(), "annotations": replace(WORKLOAD, utilization=Share.parse("70%")).to_annotations()},
            Answer.UNDECIDED,
            "break even",
            id="what Lambda costs says nothing of Cloud Run",
        ),
        pytest.param(
            "runaway-function",
            CLOUD_RUN,
            _run(),
            Answer.UNDECIDED,
            "alarm",
            id="no bounds of Lambda on Cloud Run",
        ),
        pytest.param(
            "cold-start-budget",
            CLOUD_RUN,
            {
                **_run(),
                "annotations": replace(WORKLOAD, cold_start_tolerance=Duration.of(1, "s")).to_annotations(),
            },
            Answer.REFUSED,
            "2s (assumed)",
            id="a cold start on Cloud Run",
        ),
        pytest.param(
            "cold-start-budget",
            CLOUD_RUN,
            _run(1),
            Answer.FITS,
            "Cloud Run is kept warm",
            id="a warm service on Cloud Run",
        ),
    ],
)
def test_what_a_rule_says_of_it(
    rule: str, resource_type: str, props: dict[str, Any], answer: Answer, part: str
):
    (judged,) = alone([SETTINGS.by_id[rule]], Resource(resource_type, "chat", "urn:chat", props))
    assert judged.verdict.answer is answer, judged.verdict.reason
    assert part in judged.verdict.reason


def test_a_service_has_what_its_tasks_ask_for_and_sits_where_its_subnets_are():
    task = Resource(TASK, "task", "urn:task", {"arn": "arn:task:3", "containerDefinitions": _containers("1")})
    subnet = Resource(SUBNET, "subnet", "urn:subnet", {"id": "s-1", "availabilityZone": A})
    service = Resource(
        SERVICE,
        "chat",
        "urn:chat",
        {
            "taskDefinition": "arn:task:3",
            "launchType": "FARGATE",
            "networkConfiguration": {"subnets": ["s-1"]},
        },
    )
    (judged,) = (
        each
        for each in everything(SETTINGS, [service, task, subnet])
        if each.resource is service and each.rule.id == "accelerator-needs-metal"
    )
    assert judged.verdict.answer is Answer.REFUSED
    assert judged.subject.facts.zones == (A,)
