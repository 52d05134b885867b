"""Sets of resources in which every property counts that is declared to relate them."""

from typing import Any

from components.placement import Facts, Home
from components.placement.labels import POOL_LABEL, ZONE_LABEL
from policies.reading.bags import UNKNOWN
from policies.reading.callers import PROVISIONED
from policies.reading.functions import FUNCTION
from policies.reading.node_relations import CAPACITY, CLUSTER, PLACEMENT_GROUP, SUBNET
from policies.reading.nodes import CAPACITY_PROVIDER, LAUNCH_TEMPLATE, NODE_GROUP, SCALING_GROUP
from policies.reading.pod_relations import NAMESPACE
from policies.reading.pods import WORKLOADS
from policies.reading.relations import ALARM, BUDGET, LOG_GROUP
from policies.reading.tasks import SERVICE, TASK_DEFINITION
from policies.resources import Resource

A, B = "us-east-1a", "us-east-1b"
ARN = "arn:aws:lambda:us-east-1:111122223333:function:embed"
ENFORCED = "pod-security.kubernetes.io/enforce"


def made(resource_type: str, name: str = "it", /, **props: Any) -> Resource:
    return Resource(resource_type, name, f"urn:pulumi:dev::shop::{resource_type}::{name}", props)


def _object(kind: str, name: str, /, namespace: str | None = None, **props: Any) -> Resource:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **props.pop("metadata", {})}
    return made(f"kubernetes:{kind}", f"{namespace}/{name}", metadata=metadata, **props)


FUNCTIONS = {
    "bounds": [
        made(FUNCTION, name="embed", loggingConfig={"logGroup": "/models/embed"}),
        made(LOG_GROUP, name="/models/embed", retentionInDays=14),
        made(ALARM, namespace="AWS/Lambda", dimensions={"FunctionName": "embed"}, alarmActions=["topic"]),
        made(BUDGET, limitAmount="9", notifications=[{"subscriberSnsTopicArns": ["topic"]}]),
    ],
    "bounds by its own name": [
        made(FUNCTION, name="embed"),
        made(LOG_GROUP, name="/aws/lambda/embed", retentionInDays=14),
        made(ALARM, namespace="AWS/Lambda", actionsEnabled=True, alarmActions=["topic"]),
        made(
            BUDGET, plannedLimits=[{"amount": "9"}], notifications=[{"subscribers": [{"address": "a@b.c"}]}]
        ),
    ],
    "a budget that follows what was spent": [
        made(FUNCTION, name="embed"),
        made(
            BUDGET,
            autoAdjustData={"autoAdjustType": "FORECAST"},
            notifications=[{"subscriberEmailAddresses": ["ops@example.com"]}],
        ),
    ],
    "an alarm on a metric among others": [
        made(FUNCTION, name="embed"),
        made(
            ALARM,
            alarmActions=["topic"],
            dimensions={"QueueName": "q"},
            metricQueries=[{"metric": {"namespace": "AWS/Lambda", "dimensions": {"FunctionName": "embed"}}}],
        ),
    ],
    "an API": [
        made(FUNCTION, name="embed", arn=ARN),
        made("aws:apigatewayv2/api:Api", id="api", protocolType="HTTP"),
        made("aws:apigatewayv2/integration:Integration", apiId="api", integrationUri=ARN),
    ],
    "an HTTP API by its format": [
        made(FUNCTION, name="embed"),
        made("aws:apigatewayv2/integration:Integration", payloadFormatVersion="2.0", integrationUri=ARN),
    ],
    "a pipe that enriches": [
        made(FUNCTION, name="embed"),
        made("aws:pipes/pipe:Pipe", enrichment=ARN),
        made("aws:sns/topicSubscription:TopicSubscription", endpoint=ARN),
    ],
    "copies": [made(FUNCTION, name="embed"), made(PROVISIONED, functionName="embed")],
    "copies by ARN": [made(FUNCTION, name="embed", arn=ARN), made(PROVISIONED, functionName=ARN)],
    **{
        kind: [made(FUNCTION, name="embed"), made(kind, **props)]
        for kind, props in (
            ("aws:apigateway/integration:Integration", {"uri": ARN, "responseTransferMode": "STREAM"}),
            ("aws:cloudwatch/eventTarget:EventTarget", {"arn": ARN}),
            (
                "aws:lambda/eventSourceMapping:EventSourceMapping",
                {"functionName": "embed", "eventSourceArn": "arn:aws:sqs:us-east-1:1:jobs"},
            ),
            ("aws:pipes/pipe:Pipe", {"target": ARN}),
            (
                "aws:s3/bucketNotification:BucketNotification",
                {"lambdaFunctions": [{"lambdaFunctionArn": ARN}]},
            ),
            ("aws:scheduler/schedule:Schedule", {"target": {"arn": ARN}}),
            ("aws:sfn/stateMachine:StateMachine", {"definition": ARN}),
            ("aws:sns/topicSubscription:TopicSubscription", {"endpoint": ARN}),
        )
    },
    "copies of a function of another account": [
        made(FUNCTION, name="embed", arn=ARN.replace("1111", "9999")),
        made(PROVISIONED, functionName=ARN),
    ],
    "a rule for a function of another account": [
        made(FUNCTION, name="embed", arn=ARN.replace("1111", "9999")),
        made("aws:cloudwatch/eventTarget:EventTarget", arn=ARN),
    ],
}

TEMPLATE = {
    "id": "lt-1",
    "name": "gpu",
    "latestVersion": 3,
    "defaultVersion": 3,
    "instanceType": "g6.xlarge",
    "networkInterfaces": [{"interfaceType": "efa"}],
    "placement": {"groupName": "together", "tenancy": "dedicated"},
    "blockDeviceMappings": [{"ebs": {"kmsKeyId": "arn:key"}}],
    "capacityReservationSpecification": {"capacityReservationTarget": {"capacityReservationId": "cr-1"}},
}
SUBNETS = [made(SUBNET, zone, id=f"s-{zone}", availabilityZone=zone) for zone in (A, B)]
AROUND = [
    *SUBNETS[:1],
    made(PLACEMENT_GROUP, name="together", strategy="cluster"),
    made(CLUSTER, name="eks", enabledClusterLogTypes=["audit"]),
    made(LAUNCH_TEMPLATE, **TEMPLATE),
]
NODE = {"subnetIds": [f"s-{A}"], "clusterName": "eks", "labels": {POOL_LABEL: "gpu"}}
SPECIFIED = {"launchTemplateId": "lt-1", "version": "3"}
NODES = {
    **{
        kind: [
            made(NODE_GROUP, **NODE, launchTemplate={"id": "lt-1", "version": "3"}),
            *AROUND,
            made(kind, id="cr-1", availabilityZone=A),
        ]
        for kind in CAPACITY
    },
    "by name": [
        made(NODE_GROUP, **NODE, launchTemplate={"name": "gpu", "version": "$Default"}),
        *AROUND,
        made(CAPACITY[0], id="cr-1", availabilityZone=A),
    ],
    "scaling": [
        made(SCALING_GROUP, vpcZoneIdentifiers=[f"s-{A}"], launchTemplate={"id": "lt-1", "version": "3"}),
        *AROUND,
        made(CAPACITY[0], id="cr-1", availabilityZone=A),
    ],
    "scaling by name": [
        made(SCALING_GROUP, launchTemplate={"name": "gpu"}),
        *AROUND,
        made(CAPACITY[0], id="cr-1", availabilityZone=A),
    ],
    "together": [made(SCALING_GROUP, placementGroup="together"), *AROUND],
    "mixed": [
        made(
            SCALING_GROUP,
            mixedInstancesPolicy={"launchTemplate": {"launchTemplateSpecification": SPECIFIED}},
        ),
        *AROUND,
        made(CAPACITY[0], id="cr-1", availabilityZone=A),
    ],
    "mixed by name": [
        made(
            SCALING_GROUP,
            mixedInstancesPolicy={
                "launchTemplate": {"launchTemplateSpecification": {"launchTemplateName": "gpu"}}
            },
        ),
        *AROUND,
        made(CAPACITY[0], id="cr-1", availabilityZone=A),
    ],
    "by the placement group's id": [
        made(NODE_GROUP, launchTemplate={"id": "lt-2"}),
        made(LAUNCH_TEMPLATE, id="lt-2", placement={"groupId": "pg-1"}),
        made(PLACEMENT_GROUP, placementGroupId="pg-1", strategy="cluster"),
    ],
    "managed instances": [made(CAPACITY_PROVIDER, vpcConfig={"subnetIds": [f"s-{A}"]}), *AROUND],
}
TASKS = {
    "a service": [
        made(SERVICE, taskDefinition="arn:task", networkConfiguration={"subnets": [f"s-{A}"]}),
        made(TASK_DEFINITION, arn="arn:task", containerDefinitions="[]"),
        *AROUND,
    ],
    "a service by family": [
        made(SERVICE, taskDefinition="task"),
        made(TASK_DEFINITION, family="task", containerDefinitions="[]"),
    ],
}

TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists"}
QUEUED = {"kueue.x-k8s.io/queue-name": "q"}


def _cluster() -> list[Resource]:
    return [
        made(NODE_GROUP, **NODE, taints=[TAINT], nodeGroupName="gpu-a", launchTemplate={"id": "lt-1"}),
        *AROUND,
        made(NAMESPACE, metadata={"name": "ml", "labels": {ENFORCED: "baseline"}}),
        _object("kueue.x-k8s.io/v1beta1:LocalQueue", "q", "ml", spec={"clusterQueue": "all"}),
        _object(
            "kueue.x-k8s.io/v1beta1:ClusterQueue",
            "all",
            spec={"resourceGroups": [{"flavors": [{"name": "gpu"}]}]},
        ),
        _object(
            "kueue.x-k8s.io/v1beta1:ResourceFlavor",
            "gpu",
            spec={"nodeLabels": {POOL_LABEL: "gpu", ZONE_LABEL: A}, "tolerations": [TOLERATION]},
        ),
        _object(
            "resource.k8s.io/v1:ResourceClaim",
            "one",
            "ml",
            spec={"devices": {"requests": [{"deviceClassName": "big"}]}},
        ),
        _object(
            "resource.k8s.io/v1:ResourceClaimTemplate",
            "each",
            "ml",
            spec={"spec": {"devices": {"requests": [{"deviceClassName": "big"}]}}},
        ),
        _object(
            "resource.k8s.io/v1:DeviceClass",
            "big",
            spec={"selectors": [{"cel": {"expression": 'device.driver == "gpu.nvidia.com"'}}]},
        ),
    ]


def _held(label: str, value: str) -> dict[str, Any]:
    return {"nodeSelector": {label: value}, "tolerations": [TOLERATION]}


def _affine(label: str, value: str) -> dict[str, Any]:
    expression = {"key": label, "operator": "In", "values": [value]}
    return {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [expression]}]
                }
            }
        }
    }


POD = "kubernetes:core/v1:Pod"
CRON_JOB = "kubernetes:batch/v1:CronJob"


METAL = Facts(home=Home.METAL).to_annotations()


def _pod(labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    return made(
        POD,
        metadata={"name": "chat", "namespace": "ml", "labels": labels or {}, "annotations": METAL},
        spec={"containers": [{}], **spec},
    )


def _by_the_clock(labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    metadata = {"labels": labels or {}, "annotations": METAL}
    template = {"metadata": metadata, "spec": {"template": {"spec": spec}}}
    return made(CRON_JOB, metadata={"name": "train", "namespace": "ml"}, spec={"jobTemplate": template})


def _deployment(labels: dict[str, str] | None = None, **spec: Any) -> Resource:
    return made(
        "kubernetes:apps/v1:Deployment",
        metadata={"name": "chat", "namespace": "ml", "labels": labels or {}, "annotations": METAL},
        spec={"replicas": 2, "template": {"spec": {"containers": [{}], **spec}}},
    )


CLAIMING = [{"resourceClaimName": "one"}, {"resourceClaimTemplateName": "each"}]
CLUSTER_OBJECTS = _cluster()
PODS = {
    f"{says}, {made_by.__name__}": [pods, *CLUSTER_OBJECTS]
    for made_by in (_pod, _by_the_clock, _deployment)
    for says, pods in (
        ("queued", made_by(QUEUED)),
        ("claiming", made_by(resourceClaims=CLAIMING)),
        ("held", made_by(**_held(POOL_LABEL, "gpu"))),
        ("held by the group's name", made_by(**_held("eks.amazonaws.com/nodegroup", "gpu-a"))),
        ("held by affinity", made_by(**_affine(POOL_LABEL, "gpu"))),
    )
}
for scaler, spec in (
    ("autoscaling/v2:HorizontalPodAutoscaler", {"minReplicas": 3}),
    ("keda.sh/v1alpha1:ScaledObject", {"minReplicaCount": 3}),
):
    PODS[scaler] = [
        _deployment(),
        _object(
            scaler, "chat", "ml", spec={"scaleTargetRef": {"kind": "Deployment", "name": "chat"}, **spec}
        ),
    ]
PODS["queued by its own label"] = [
    made(CRON_JOB, metadata={"name": "train", "namespace": "ml", "labels": QUEUED}, spec={}),
    *CLUSTER_OBJECTS,
]
SETS: dict[str, list[Resource]] = FUNCTIONS | NODES | TASKS | PODS

OTHERS: dict[str, list[Any]] = {
    "namespace": ["AWS/SQS"],
    "launchTemplate.version": ["1"],
    "mixedInstancesPolicy.launchTemplate.launchTemplateSpecification.version": ["1"],
    "latestVersion": [7],
    "defaultVersion": [2],
    "taints": [[{**TAINT, "key": "other"}], None],
    "metadata.namespace": ["web"],
    "spec.scaleTargetRef.kind": ["StatefulSet"],
    "containers": [UNKNOWN],
    "availabilityZone": [B],
    "spec.tolerations": [[]],
}
__all__ = ["OTHERS", "SETS", "WORKLOADS", "made"]
