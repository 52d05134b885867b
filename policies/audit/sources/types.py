"""Which type of Terraform and of CloudFormation is which of Pulumi's, and how their properties are called.

Only types that the rules read, or that say something of one that they read, stand here. Everything else is
looked at by its own name. What no row says follows the house style of each tool: `memory_size` and
`MemorySize` are `memorySize`, a list that Terraform has for a single block is an object, and the keys of maps
like tags stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

KEPT: Final = frozenset(
    {
        "annotations",
        "dimensions",
        "labels",
        "limits",
        "matchLabels",
        "nodeSelector",
        "requests",
        "tags",
        "tagsAll",
        "variables",
    }
)
"""Properties whose keys are their owner's own words."""


@dataclass(frozen=True, slots=True)
class Part:
    """What CloudFormation writes in a resource, and Pulumi has as a resource of its own."""

    at: str
    """Path of the property that holds it, or a list of it."""
    pulumi: str
    names: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, str] = field(default_factory=dict)
    """Properties of the resource it is written in that are its own as well."""


@dataclass(frozen=True, slots=True)
class Type:
    """One type of resource in the words of three tools."""

    pulumi: str
    terraform: str = ""
    cloudformation: str = ""
    also: str = ""
    """A newer or older name that Terraform has for it."""
    called: str = ""
    """The property with its name, which the cloud makes up where it is not given."""
    terraform_names: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    """Blocks of Terraform, at any depth, of which there may be several, and what Pulumi calls the list."""
    cloudformation_names: Mapping[str, str] = field(default_factory=dict)
    """By path."""
    hoisted: tuple[str, ...] = ()
    """Objects of CloudFormation whose properties are those of what they are in."""
    listed: tuple[str, ...] = ()
    """Objects of CloudFormation that are lists of one in Pulumi."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Values that CloudFormation has deeper than Pulumi; a list on the way makes a list of them."""
    as_text: tuple[str, ...] = ()
    """Properties that are JSON texts in Pulumi."""
    parts: tuple[Part, ...] = ()
    ref: str = "id"
    """The property that `Ref` stands for."""


def _same(*names: str) -> dict[str, str]:
    """Lists that both tools call by one name."""
    return {name: camel(name) for name in names}


def camel(snake: str) -> str:
    """Terraform's spelling of a name as Pulumi's."""
    first, *rest = snake.split("_")
    return "".join([first, *(part[:1].upper() + part[1:] for part in rest)])


_OF_PODS: Final = {
    "container": "containers",
    "env": "env",
    "env_from": "envFrom",
    "image_pull_secrets": "imagePullSecrets",
    "init_container": "initContainers",
    "node_selector_term": "nodeSelectorTerms",
    "port": "ports",
    "toleration": "tolerations",
    "topology_spread_constraint": "topologySpreadConstraints",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    **_same(
        "match_expressions",
        "match_fields",
        "preferred_during_scheduling_ignored_during_execution",
    ),
}
"""Lists in what Terraform's Kubernetes provider has for pods and what makes them."""

TYPES: Final = (
    # -- functions
    Type(
        "aws:lambda/function:Function",
        "aws_lambda_function",
        "AWS::Lambda::Function",
        called="name",
        ref="name",
        terraform_names={"function_name": "name"},
        cloudformation_names={"FunctionName": "name"},
    ),
    Type(
        "aws:lambda/alias:Alias",
        "aws_lambda_alias",
        "AWS::Lambda::Alias",
        ref="arn",
        parts=(
            Part(
                "ProvisionedConcurrencyConfig",
                "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
                carried={"FunctionName": "functionName", "Name": "qualifier"},
            ),
        ),
    ),
    Type(
        "aws:lambda/version:Version",
        cloudformation="AWS::Lambda::Version",
        ref="arn",
        parts=(
            Part(
                "ProvisionedConcurrencyConfig",
                "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
                carried={"FunctionName": "functionName"},
            ),
        ),
    ),
    Type(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        "aws_lambda_provisioned_concurrency_config",
    ),
    Type(
        "aws:lambda/capacityProvider:CapacityProvider",
        "aws_lambda_capacity_provider",
        "AWS::Lambda::CapacityProvider",
        called="name",
        ref="name",
        lists={
            "capacity_provider_scaling_config": "capacityProviderScalingConfigs",
            **_same("instance_requirements", "scaling_policies"),
        },
        cloudformation_names={
            "CapacityProviderName": "name",
            "CapacityProviderScalingConfig": "capacityProviderScalingConfigs",
            "CapacityProviderScalingConfig.MaxVCpuCount": "maxVcpuCount",
        },
        listed=("CapacityProviderScalingConfig", "InstanceRequirements"),
    ),
    Type(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "aws_lambda_event_source_mapping",
        "AWS::Lambda::EventSourceMapping",
        lists={
            "filter": "filters",
            "source_access_configuration": "sourceAccessConfigurations",
        },
    ),
    Type(
        "aws:lambda/functionUrl:FunctionUrl",
        "aws_lambda_function_url",
        "AWS::Lambda::Url",
        cloudformation_names={"TargetFunctionArn": "functionName", "AuthType": "authorizationType"},
    ),
    # -- what watches and bounds them
    Type(
        "aws:cloudwatch/logGroup:LogGroup",
        "aws_cloudwatch_log_group",
        "AWS::Logs::LogGroup",
        called="name",
        ref="name",
        cloudformation_names={"LogGroupName": "name"},
    ),
    Type(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws_cloudwatch_metric_alarm",
        "AWS::CloudWatch::Alarm",
        called="name",
        ref="name",
        terraform_names={"alarm_name": "name"},
        lists={"metric_query": "metricQueries"},
        cloudformation_names={
            "AlarmName": "name",
            "Metrics": "metricQueries",
            "Metrics.MetricStat": "metric",
        },
        hoisted=("Metrics.MetricStat.Metric",),
    ),
    Type(
        "aws:budgets/budget:Budget",
        "aws_budgets_budget",
        "AWS::Budgets::Budget",
        called="name",
        ref="name",
        lists={
            "cost_filter": "costFilters",
            "notification": "notifications",
            "planned_limit": "plannedLimits",
        },
        cloudformation_names={
            "BudgetName": "name",
            "BudgetLimit": "limitAmount",
            "PlannedBudgetLimits": "plannedLimits",
            "NotificationsWithSubscribers": "notifications",
        },
        hoisted=("Budget",),
    ),
    # -- what calls them
    Type(
        "aws:cloudwatch/eventTarget:EventTarget",
        "aws_cloudwatch_event_target",
        lists=_same("run_command_targets"),
    ),
    Type(
        "aws:cloudwatch/eventRule:EventRule",
        "aws_cloudwatch_event_rule",
        "AWS::Events::Rule",
        called="name",
        ref="name",
        parts=(
            Part(
                "Targets",
                "aws:cloudwatch/eventTarget:EventTarget",
                names={"Id": "targetId"},
                carried={"Name": "rule"},
            ),
        ),
    ),
    Type("aws:pipes/pipe:Pipe", "aws_pipes_pipe", "AWS::Pipes::Pipe", called="name", ref="name"),
    Type(
        "aws:scheduler/schedule:Schedule",
        "aws_scheduler_schedule",
        "AWS::Scheduler::Schedule",
        called="name",
        ref="name",
    ),
    Type(
        "aws:sfn/stateMachine:StateMachine",
        "aws_sfn_state_machine",
        "AWS::StepFunctions::StateMachine",
        called="name",
        ref="arn",
        cloudformation_names={
            "StateMachineName": "name",
            "DefinitionString": "definition",
            "DefinitionSubstitutions": "definition",
        },
        as_text=("definition",),
    ),
    Type(
        "aws:sns/topicSubscription:TopicSubscription",
        "aws_sns_topic_subscription",
        "AWS::SNS::Subscription",
        cloudformation_names={"TopicArn": "topic"},
    ),
    Type(
        "aws:sns/topic:Topic",
        "aws_sns_topic",
        "AWS::SNS::Topic",
        called="name",
        ref="arn",
        cloudformation_names={"TopicName": "name"},
        parts=(Part("Subscription", "aws:sns/topicSubscription:TopicSubscription"),),
    ),
    Type(
        "aws:kinesis/stream:Stream", "aws_kinesis_stream", "AWS::Kinesis::Stream", called="name", ref="name"
    ),
    Type(
        "aws:sqs/queue:Queue",
        "aws_sqs_queue",
        "AWS::SQS::Queue",
        called="name",
        cloudformation_names={"QueueName": "name"},
    ),
    Type(
        "aws:s3/bucketNotification:BucketNotification",
        "aws_s3_bucket_notification",
        lists={"lambda_function": "lambdaFunctions", "queue": "queues", "topic": "topics"},
    ),
    Type(
        "aws:s3/bucket:Bucket",
        "aws_s3_bucket",
        "AWS::S3::Bucket",
        called="bucket",
        ref="bucket",
        lists={"cors_rule": "corsRules", "grant": "grants", "lifecycle_rule": "lifecycleRules"},
        cloudformation_names={"BucketName": "bucket"},
        parts=(
            Part(
                "NotificationConfiguration",
                "aws:s3/bucketNotification:BucketNotification",
                names={
                    "LambdaConfigurations": "lambdaFunctions",
                    "LambdaConfigurations.Function": "lambdaFunctionArn",
                },
                carried={"BucketName": "bucket"},
            ),
        ),
    ),
    Type(
        "aws:apigateway/integration:Integration",
        "aws_api_gateway_integration",
        terraform_names={"rest_api_id": "restApi"},
    ),
    Type(
        "aws:apigateway/method:Method",
        cloudformation="AWS::ApiGateway::Method",
        cloudformation_names={"RestApiId": "restApi"},
        parts=(
            Part(
                "Integration",
                "aws:apigateway/integration:Integration",
                names={"TimeoutInMillis": "timeoutMilliseconds"},
                carried={"RestApiId": "restApi", "ResourceId": "resourceId", "HttpMethod": "httpMethod"},
            ),
        ),
    ),
    Type(
        "aws:apigateway/restApi:RestApi",
        "aws_api_gateway_rest_api",
        "AWS::ApiGateway::RestApi",
        called="name",
    ),
    Type(
        "aws:apigatewayv2/integration:Integration",
        "aws_apigatewayv2_integration",
        "AWS::ApiGatewayV2::Integration",
        lists=_same("response_parameters"),
        cloudformation_names={"TimeoutInMillis": "timeoutMilliseconds"},
    ),
    Type("aws:apigatewayv2/api:Api", "aws_apigatewayv2_api", "AWS::ApiGatewayV2::Api", called="name"),
    # -- nodes
    Type(
        "aws:eks/cluster:Cluster",
        "aws_eks_cluster",
        "AWS::EKS::Cluster",
        called="name",
        ref="name",
        lists={"identity": "identities"},
        cloudformation_names={"ResourcesVpcConfig": "vpcConfig"},
        moved={"Logging.ClusterLogging.EnabledTypes.Type": "enabledClusterLogTypes"},
    ),
    Type(
        "aws:eks/nodeGroup:NodeGroup",
        "aws_eks_node_group",
        "AWS::EKS::Nodegroup",
        called="nodeGroupName",
        lists={"taint": "taints", **_same("node_repair_config_overrides", "resources")},
        cloudformation_names={
            "NodegroupName": "nodeGroupName",
            "NodeRole": "nodeRoleArn",
            "Subnets": "subnetIds",
        },
    ),
    Type(
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws_launch_template",
        "AWS::EC2::LaunchTemplate",
        called="name",
        lists={
            "license_specification": "licenseSpecifications",
            **_same(
                "block_device_mappings", "network_interfaces", "secondary_interfaces", "tag_specifications"
            ),
        },
        cloudformation_names={
            "LaunchTemplateName": "name",
            "SecurityGroupIds": "vpcSecurityGroupIds",
            "SecurityGroups": "securityGroupNames",
        },
        hoisted=("LaunchTemplateData",),
    ),
    Type(
        "aws:ec2/placementGroup:PlacementGroup",
        "aws_placement_group",
        "AWS::EC2::PlacementGroup",
        called="name",
        ref="name",
        cloudformation_names={"GroupName": "name"},
    ),
    Type(
        "aws:ec2/capacityReservation:CapacityReservation",
        "aws_ec2_capacity_reservation",
        "AWS::EC2::CapacityReservation",
    ),
    Type("aws:ec2/capacityBlockReservation:CapacityBlockReservation", "aws_ec2_capacity_block_reservation"),
    Type("aws:ec2/subnet:Subnet", "aws_subnet", "AWS::EC2::Subnet"),
    Type(
        "aws:autoscaling/group:Group",
        "aws_autoscaling_group",
        "AWS::AutoScaling::AutoScalingGroup",
        called="name",
        ref="name",
        terraform_names={"vpc_zone_identifier": "vpcZoneIdentifiers"},
        lists={
            "initial_lifecycle_hook": "initialLifecycleHooks",
            "override": "overrides",
            "tag": "tags",
            "traffic_source": "trafficSources",
        },
        cloudformation_names={
            "AutoScalingGroupName": "name",
            "VPCZoneIdentifier": "vpcZoneIdentifiers",
            "LaunchTemplate.LaunchTemplateId": "id",
            "LaunchTemplate.LaunchTemplateName": "name",
        },
    ),
    # -- containers of AWS and of others
    Type(
        "aws:ecs/taskDefinition:TaskDefinition",
        "aws_ecs_task_definition",
        "AWS::ECS::TaskDefinition",
        called="family",
        ref="arn",
        lists={"volume": "volumes", **_same("placement_constraints")},
        as_text=("containerDefinitions",),
    ),
    Type(
        "aws:ecs/service:Service",
        "aws_ecs_service",
        "AWS::ECS::Service",
        called="name",
        ref="arn",
        lists={
            "capacity_provider_strategy": "capacityProviderStrategies",
            "load_balancer": "loadBalancers",
            "ordered_placement_strategy": "orderedPlacementStrategies",
            "vpc_lattice_configurations": "vpcLatticeConfigurations",
            **_same("placement_constraints"),
        },
        cloudformation_names={
            "ServiceName": "name",
            "CapacityProviderStrategy": "capacityProviderStrategies",
            "PlacementStrategies": "orderedPlacementStrategies",
        },
        hoisted=("NetworkConfiguration.AwsvpcConfiguration",),
    ),
    Type(
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "aws_sagemaker_endpoint_configuration",
        "AWS::SageMaker::EndpointConfig",
        called="name",
        ref="name",
        lists={
            "routing_config": "routingConfigs",
            **_same("capture_options", "production_variants", "shadow_production_variants"),
        },
        cloudformation_names={
            "EndpointConfigName": "name",
            "KmsKeyId": "kmsKeyArn",
            "ProductionVariants.ServerlessConfig.MemorySizeInMB": "memorySizeInMb",
            "ProductionVariants.VolumeSizeInGB": "volumeSizeInGb",
            "ShadowProductionVariants.ServerlessConfig.MemorySizeInMB": "memorySizeInMb",
            "ShadowProductionVariants.VolumeSizeInGB": "volumeSizeInGb",
        },
    ),
    Type(
        "aws:sagemaker/model:Model",
        "aws_sagemaker_model",
        "AWS::SageMaker::Model",
        called="name",
        ref="name",
        lists={
            "additional_model_data_source": "additionalModelDataSources",
            "container": "containers",
            "s3_data_source": "s3DataSources",
        },
        cloudformation_names={"ModelName": "name"},
    ),
    Type("kubernetes:core/v1:Namespace", "kubernetes_namespace", also="kubernetes_namespace_v1"),
    Type("kubernetes:core/v1:Pod", "kubernetes_pod", also="kubernetes_pod_v1", lists=_OF_PODS),
    Type(
        "kubernetes:core/v1:ReplicationController",
        "kubernetes_replication_controller",
        also="kubernetes_replication_controller_v1",
        lists=_OF_PODS,
    ),
    Type(
        "kubernetes:apps/v1:Deployment",
        "kubernetes_deployment",
        also="kubernetes_deployment_v1",
        lists=_OF_PODS,
    ),
    Type(
        "kubernetes:apps/v1:StatefulSet",
        "kubernetes_stateful_set",
        also="kubernetes_stateful_set_v1",
        lists=_OF_PODS,
    ),
    Type(
        "kubernetes:apps/v1:DaemonSet",
        "kubernetes_daemonset",
        also="kubernetes_daemon_set_v1",
        lists=_OF_PODS,
    ),
    Type("kubernetes:batch/v1:Job", "kubernetes_job", also="kubernetes_job_v1", lists=_OF_PODS),
    Type("kubernetes:batch/v1:CronJob", "kubernetes_cron_job_v1", lists=_OF_PODS),
    Type("kubernetes:batch/v1beta1:CronJob", "kubernetes_cron_job", lists=_OF_PODS),
    Type(
        "gcp:cloudrunv2/service:Service",
        "google_cloud_run_v2_service",
        called="name",
        lists={
            "containers": "containers",
            "env": "envs",
            "traffic": "traffics",
            "volumes": "volumes",
            "volume_mounts": "volumeMounts",
        },
    ),
)

BY_PULUMI: Final[Mapping[str, Type]] = MappingProxyType({each.pulumi: each for each in TYPES})
BY_TERRAFORM: Final[Mapping[str, Type]] = MappingProxyType(
    {name: each for each in TYPES for name in (each.terraform, each.also) if name}
)
BY_CLOUDFORMATION: Final[Mapping[str, Type]] = MappingProxyType(
    {each.cloudformation: each for each in TYPES if each.cloudformation}
)
