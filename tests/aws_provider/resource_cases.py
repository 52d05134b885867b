"""One table of cases for all types: inputs to create with, then one change per property that can change.

`{...}` is a set of properties to change together; `None` takes a property away. `untried` says why a
property is in no case. What cannot be tried because the emulator does not keep it is stated where everyone
sees it, in the entry's `emulator_gaps`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from provider_driver import World, code, permit, trust

from sandbox.aws.provider.values import Asset

Given = Mapping[str, Any]
TAGS = {"team": "search", "kubernetes.io/role/elb": "1"}
RETAGS: tuple[Given, ...] = ({"tags": {"team": "ranking", "stage": "dev"}}, {"tags": None})
ROLE_ARN = "arn:aws:iam::000000000000:role/somebody"
TOPIC_ARN = "arn:aws:sns:us-east-1:000000000000:alarms"
NEEDS_CERTIFICATE = "needs a certificate"
NEEDS_KAFKA = "for Kafka and DocumentDB sources, which need a cluster of their own"
SAME_CALL = "travels in the same call as its neighbours; no value differs between kinds"


@dataclass(frozen=True)
class Case:
    """How to make one resource and what to change about it."""

    token: str
    inputs: Callable[[World], Given]
    updates: Callable[[World], tuple[Given, ...]] = lambda _: ()
    untried: Mapping[str, str] = field(default_factory=dict)
    variant: str = ""

    @property
    def id(self) -> str:
        name = self.token.rpartition(":")[2]
        return f"{self.token.split(':')[1].split('/')[0]}-{name}{self.variant and '-' + self.variant}"


NETWORK = (
    Case(
        "aws:ec2/vpc:Vpc",
        lambda _: {"cidrBlock": "10.1.0.0/16", "tags": TAGS},
        lambda _: (
            {"enableDnsHostnames": True},
            {"enableDnsSupport": False},
            {"enableNetworkAddressUsageMetrics": True},
            *RETAGS,
        ),
        untried={"instanceTenancy": "only from dedicated to default, and nothing else here is dedicated"},
    ),
    Case(
        "aws:ec2/subnet:Subnet",
        lambda w: {
            "vpcId": w.vpc(),
            "cidrBlock": "10.0.200.0/24",
            "availabilityZone": "us-east-1a",
            "tags": TAGS,
        },
        lambda _: (
            {"mapPublicIpOnLaunch": True},
            {"assignIpv6AddressOnCreation": True},
            {"enableDns64": True},
            {"enableResourceNameDnsARecordOnLaunch": True},
            {"privateDnsHostnameTypeOnLaunch": "resource-name"},
            *RETAGS,
        ),
    ),
    Case(
        "aws:ec2/internetGateway:InternetGateway",
        lambda w: {
            "vpcId": w.make(
                "aws:ec2/vpc:Vpc", "gateway-vpc", lambda: {"cidrBlock": "10.2.0.0/16"}
            ).resource_id,
            "tags": TAGS,
        },
        lambda w: (
            {"vpcId": w.make("aws:ec2/vpc:Vpc", "other", lambda: {"cidrBlock": "10.3.0.0/16"}).resource_id},
            *RETAGS,
        ),
    ),
    Case(
        "aws:ec2/eip:Eip",
        lambda _: {"domain": "vpc", "tags": TAGS},
        lambda _: RETAGS,
        untried=dict.fromkeys(
            ("instance", "networkInterface", "associateWithPrivateIp"), "needs a running instance"
        ),
    ),
    Case(
        "aws:ec2/natGateway:NatGateway",
        lambda w: {"subnetId": w.subnet(), "allocationId": w.address(), "tags": TAGS},
        lambda _: RETAGS,
    ),
    Case(
        "aws:ec2/routeTable:RouteTable",
        lambda w: {"vpcId": w.vpc(), "tags": TAGS},
        lambda w: (
            {"routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": w.gateway()}]},
            {
                "routes": [
                    {"cidrBlock": "192.168.0.0/16", "natGatewayId": w.nat()},
                    {"cidrBlock": "0.0.0.0/0", "gatewayId": w.gateway()},
                ]
            },
            {"routes": []},
            *RETAGS,
        ),
    ),
    Case(
        "aws:ec2/route:Route",
        lambda w: {
            "routeTableId": w.route_table(),
            "destinationCidrBlock": "0.0.0.0/0",
            "gatewayId": w.gateway(),
        },
        lambda w: ({"gatewayId": None, "natGatewayId": w.nat()},),
        untried=dict.fromkeys(
            (
                "carrierGatewayId",
                "coreNetworkArn",
                "egressOnlyGatewayId",
                "localGatewayId",
                "networkInterfaceId",
                "odbNetworkArn",
                "transitGatewayId",
                "vpcEndpointId",
                "vpcPeeringConnectionId",
            ),
            SAME_CALL,
        ),
    ),
    Case(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        lambda w: {"routeTableId": w.route_table(), "subnetId": w.subnet("c")},
        lambda w: ({"routeTableId": w.route_table("other-routes")},),
    ),
    Case(
        "aws:ec2/securityGroup:SecurityGroup",
        lambda w: {
            "vpcId": w.vpc(),
            "tags": TAGS,
            "ingress": [
                {
                    "protocol": "tcp",
                    "fromPort": 443,
                    "toPort": 443,
                    "cidrBlocks": ["10.0.0.0/8"],
                    "description": "from inside",
                }
            ],
        },
        lambda _: (
            {
                "ingress": [
                    {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/8"]},
                    {
                        "protocol": "TCP",
                        "fromPort": 80,
                        "toPort": 80,
                        "cidrBlocks": ["192.168.0.0/16"],
                        "self": True,
                    },
                ]
            },
            {"egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}]},
            {"ingress": []},
            {"revokeRulesOnDelete": True},
            *RETAGS,
        ),
    ),
    Case(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        lambda w: {
            "type": "ingress",
            "securityGroupId": w.group("ruled"),
            "protocol": "tcp",
            "fromPort": 22,
            "toPort": 22,
            "cidrBlocks": ["10.0.0.0/8"],
            "description": "shell",
        },
    ),
    Case(
        "aws:ec2/securityGroupRule:SecurityGroupRule",
        lambda w: {
            "type": "egress",
            "securityGroupId": w.group("ruled"),
            "protocol": "udp",
            "fromPort": 53,
            "toPort": 53,
            "sourceSecurityGroupId": w.group(),
        },
        variant="egress-to-a-group",
    ),
    Case(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        lambda w: {
            "securityGroupId": w.group("ruled"),
            "ipProtocol": "tcp",
            "fromPort": 8080,
            "toPort": 8080,
            "cidrIpv4": "10.0.0.0/8",
            "description": "gateway",
            "tags": TAGS,
        },
        lambda _: (
            {"description": "the gateway"},
            {"fromPort": 8081, "toPort": 8082},
            {"cidrIpv4": "10.9.0.0/16"},
            {"ipProtocol": "udp"},
            *RETAGS,
        ),
        untried={"cidrIpv6": SAME_CALL, "prefixListId": SAME_CALL},
    ),
    Case(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        lambda w: {
            "securityGroupId": w.group("ruled"),
            "ipProtocol": "-1",
            "cidrIpv4": "0.0.0.0/0",
            "tags": TAGS,
        },
        lambda _: (
            {"description": "everything"},
            {"cidrIpv4": "10.0.0.0/8"},
            {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2},
            *RETAGS,
        ),
        untried={"cidrIpv6": SAME_CALL, "prefixListId": SAME_CALL},
    ),
    Case(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        lambda w: {"vpcId": w.vpc(), "serviceName": "com.amazonaws.us-east-1.s3", "tags": TAGS},
        lambda w: ({"routeTableIds": [w.route_table()]}, {"policy": permit("s3:*")}, *RETAGS),
        untried={"ipAddressType": "the emulator has IPv4 endpoints only"},
        variant="gateway",
    ),
    Case(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        lambda w: {
            "vpcId": w.vpc(),
            "serviceName": "com.amazonaws.us-east-1.ec2",
            "vpcEndpointType": "Interface",
            "subnetIds": [w.subnet("a")],
            "securityGroupIds": [w.group()],
            "privateDnsEnabled": True,
        },
        lambda w: ({"subnetIds": [w.subnet("b"), w.subnet("a")]},),
        variant="interface",
    ),
)

COMPUTE = (
    Case(
        "aws:ec2/launchTemplate:LaunchTemplate",
        lambda w: {
            "imageId": "ami-0123456789abcdef0",
            "instanceType": "m7g.large",
            "updateDefaultVersion": True,
            "vpcSecurityGroupIds": [w.group()],
            "placement": {"groupName": "gpu"},
            "instanceMarketOptions": {"marketType": "capacity-block"},
            "capacityReservationSpecification": {
                "capacityReservationTarget": {"capacityReservationId": "cr-0123456789abcdef0"}
            },
            "networkInterfaces": [{"deviceIndex": 0, "interfaceType": "efa", "networkCardIndex": 0}],
            "tags": TAGS,
        },
        lambda w: (
            {"instanceType": "g6.xlarge"},
            {"imageId": "ami-0fedcba9876543210"},
            {"description": "second"},
            {"userData": "IyEvYmluL3NoCg=="},
            {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2}},
            {"tagSpecifications": [{"resourceType": "instance", "tags": {"team": "search"}}]},
            {
                "blockDeviceMappings": [
                    {
                        "deviceName": "/dev/xvda",
                        "ebs": {"volumeSize": 80, "volumeType": "gp3", "encrypted": "true"},
                    }
                ]
            },
            {"monitoring": {"enabled": True}},
            {"ebsOptimized": "true"},
            {"iamInstanceProfile": {"name": "nodes"}},
            {"keyName": "operators"},
            {"vpcSecurityGroupIds": [w.group(), w.group("ruled")]},
            {"disableApiTermination": True},
            {"cpuOptions": {"coreCount": 4, "threadsPerCore": 1}},
            {"instanceInitiatedShutdownBehavior": "terminate"},
            {"updateDefaultVersion": None, "defaultVersion": 1},
        ),
        untried=dict.fromkeys(
            (
                "creditSpecification",
                "disableApiStop",
                "enclaveOptions",
                "hibernationOptions",
                "instanceRequirements",
                "kernelId",
                "licenseSpecifications",
                "maintenanceOptions",
                "privateDnsNameOptions",
                "ramDiskId",
                "securityGroupNames",
            ),
            SAME_CALL,
        ),
    ),
    Case(
        "aws:ec2/placementGroup:PlacementGroup",
        lambda _: {"strategy": "cluster", "tags": TAGS},
        lambda _: RETAGS,
    ),
    Case(
        "aws:autoscaling/attachment:Attachment",
        lambda w: {
            "autoscalingGroupName": w.scaling_group(),
            "lbTargetGroupArn": w.target_group("instances", "instance"),
        },
    ),
    Case(
        "aws:autoscaling/tag:Tag",
        lambda w: {
            "autoscalingGroupName": w.scaling_group(),
            "tag": {"key": "pool", "value": "cpu-a", "propagateAtLaunch": False},
        },
        lambda _: ({"tag": {"key": "pool", "value": "cpu-b", "propagateAtLaunch": True}},),
    ),
    Case(
        "aws:lb/loadBalancer:LoadBalancer",
        lambda w: {
            "loadBalancerType": "network",
            "internal": True,
            "subnets": [w.subnet("a"), w.subnet("b")],
            "tags": TAGS,
        },
        lambda w: (
            {"enableCrossZoneLoadBalancing": True},
            {"enableDeletionProtection": True},
            {"enableDeletionProtection": False},
            {"dnsRecordClientRoutingPolicy": "availability_zone_affinity"},
            {"subnets": [w.subnet("b")]},
            *RETAGS,
        ),
        untried={
            "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "nothing shows it",
            "ipAddressType": "dual stack needs IPv6 subnets",
            "subnetMappings": "instead of subnets, and as unseen as they are after the create",
        },
        variant="network",
    ),
    Case(
        "aws:lb/loadBalancer:LoadBalancer",
        lambda w: {"subnets": [w.subnet("a"), w.subnet("b")], "securityGroups": [w.group()]},
        lambda w: (
            {"idleTimeout": 30},
            {"enableHttp2": False},
            {"dropInvalidHeaderFields": True},
            {"desyncMitigationMode": "strictest"},
            {"enableTlsVersionAndCipherSuiteHeaders": True},
            {"enableXffClientPort": True},
            {"enableWafFailOpen": True},
            {"preserveHostHeader": True},
            {"xffHeaderProcessingMode": "preserve"},
            {"clientKeepAlive": 600},
            {"accessLogs": {"bucket": w.bucket(), "enabled": True, "prefix": "lb"}},
            {"connectionLogs": {"bucket": w.bucket(), "enabled": True}},
            {"securityGroups": [w.group("ruled")]},
        ),
        variant="application",
    ),
    Case(
        "aws:lb/targetGroup:TargetGroup",
        lambda w: {
            "port": 30080,
            "protocol": "TCP",
            "vpcId": w.vpc(),
            "targetType": "instance",
            "healthCheck": {"protocol": "TCP"},
            "tags": TAGS,
        },
        lambda _: (
            {"deregistrationDelay": 10},
            {
                "healthCheck": {
                    "protocol": "HTTP",
                    "path": "/healthz",
                    "port": "30080",
                    "interval": 10,
                    "timeout": 4,
                    "healthyThreshold": 2,
                    "unhealthyThreshold": 3,
                    "matcher": "200-299",
                }
            },
            {"preserveClientIp": "true"},
            {"connectionTermination": True},
            {"proxyProtocolV2": True},
            {"stickiness": {"enabled": True, "type": "source_ip"}},
            {"loadBalancingCrossZoneEnabled": "true"},
            *RETAGS,
        ),
        variant="network",
    ),
    Case(
        "aws:lb/targetGroup:TargetGroup",
        lambda w: {"port": 8080, "protocol": "HTTP", "vpcId": w.vpc(), "targetType": "ip"},
        lambda _: (
            {"slowStart": 60},
            {"loadBalancingAlgorithmType": "least_outstanding_requests"},
            {"loadBalancingAnomalyMitigation": "off"},
            {"lambdaMultiValueHeadersEnabled": True},
        ),
        variant="application",
    ),
    Case(
        "aws:lb/listener:Listener",
        lambda w: {
            "loadBalancerArn": w.balancer(),
            "port": 80,
            "protocol": "TCP",
            "defaultActions": [{"type": "forward", "targetGroupArn": w.target_group()}],
            "tags": TAGS,
        },
        lambda w: (
            {"port": 81},
            {"defaultActions": [{"type": "forward", "targetGroupArn": w.target_group("more")}]},
            *RETAGS,
        ),
        untried=dict.fromkeys(
            ("alpnPolicy", "certificateArn", "mutualAuthentication", "sslPolicy"), NEEDS_CERTIFICATE
        ),
        variant="network",
    ),
    Case(
        "aws:lb/listener:Listener",
        lambda w: {
            "loadBalancerArn": w.balancer("application"),
            "port": 80,
            "protocol": "HTTP",
            "defaultActions": [
                {
                    "type": "fixed-response",
                    "fixedResponse": {
                        "contentType": "text/plain",
                        "statusCode": "503",
                        "messageBody": "full",
                    },
                }
            ],
        },
        lambda _: (
            {
                "defaultActions": [
                    {
                        "type": "redirect",
                        "redirect": {"statusCode": "HTTP_301", "protocol": "HTTPS", "port": "443"},
                    }
                ]
            },
            {"protocol": "HTTPS", "port": 443},
        ),
        variant="application",
    ),
    Case(
        "aws:lb/targetGroupAttachment:TargetGroupAttachment",
        lambda w: {"targetGroupArn": w.target_group(), "targetId": "10.0.1.5", "port": 8080},
    ),
    Case(
        "aws:eks/cluster:Cluster",
        lambda w: {
            "roleArn": w.cluster_role(),
            "version": "1.34",
            "vpcConfig": {"subnetIds": [w.subnet("a"), w.subnet("b")]},
            "accessConfig": {
                "authenticationMode": "CONFIG_MAP",
                "bootstrapClusterCreatorAdminPermissions": True,
            },
            "tags": TAGS,
        },
        lambda w: (
            {"version": "1.35"},
            {"enabledClusterLogTypes": ["audit", "api"]},
            {"enabledClusterLogTypes": None},
            {
                "vpcConfig": {
                    "subnetIds": [w.subnet("b"), w.subnet("a")],
                    "endpointPrivateAccess": True,
                    "endpointPublicAccess": True,
                    "publicAccessCidrs": ["10.0.0.0/8"],
                }
            },
            {
                "accessConfig": {
                    "authenticationMode": "API_AND_CONFIG_MAP",
                    "bootstrapClusterCreatorAdminPermissions": True,
                }
            },
            {"upgradePolicy": {"supportType": "STANDARD"}},
            {"zonalShiftConfig": {"enabled": True}},
            {"encryptionConfig": {"provider": {"keyArn": w.key()}, "resources": ["secrets"]}},
            *RETAGS,
        ),
        untried={
            "defaultAddonsToRemoves": "steers nothing here: the emulator installs no add-ons",
            "forceUpdateVersion": "goes along with version",
            "kubernetesNetworkConfig": "all that can change in it replaces the cluster",
        },
    ),
    Case(
        "aws:eks/nodeGroup:NodeGroup",
        lambda w: {
            "clusterName": w.cluster(),
            "nodeRoleArn": w.cluster_role(),
            "subnetIds": [w.subnet("a")],
            "scalingConfig": {"desiredSize": 1, "minSize": 1, "maxSize": 2},
            "instanceTypes": ["m7g.large"],
            "amiType": "AL2023_ARM_64_STANDARD",
            "capacityType": "ON_DEMAND",
            "labels": {"halfmetal.dev/pool": "cpu-a"},
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            "tags": TAGS,
        },
        lambda _: (
            {"labels": {"halfmetal.dev/pool": "cpu-b", "tier": "front"}},
            {"labels": None},
            {"taints": [{"key": "spot", "effect": "NO_EXECUTE"}]},
            {"taints": None},
            {"scalingConfig": {"desiredSize": 3, "minSize": 0, "maxSize": 4}},
            {"updateConfig": {"maxUnavailable": 2}},
            {"nodeRepairConfig": {"enabled": True}},
            {"version": "1.35"},
            *RETAGS,
        ),
        untried={
            "forceUpdateVersion": "goes along with version",
            "releaseVersion": "the emulator has no releases",
        },
    ),
    Case(
        "aws:eks/nodeGroup:NodeGroup",
        lambda w: {
            "clusterName": w.cluster(),
            "nodeRoleArn": w.cluster_role(),
            "subnetIds": [w.subnet("a")],
            "scalingConfig": {"desiredSize": 1, "minSize": 1, "maxSize": 2},
            "launchTemplate": {"id": w.template("blocks"), "version": "1"},
            "capacityType": "CAPACITY_BLOCK",
        },
        lambda w: ({"launchTemplate": {"id": w.template("blocks"), "version": "2"}},),
        variant="launch-template",
    ),
    Case(
        "aws:eks/accessEntry:AccessEntry",
        lambda w: {
            "clusterName": w.cluster(),
            "principalArn": str(w.role("ec2.amazonaws.com", "people").state["arn"]),
            "kubernetesGroups": ["viewers"],
            "tags": TAGS,
        },
        lambda _: ({"kubernetesGroups": ["editors", "viewers"]}, {"userName": "people"}, *RETAGS),
    ),
    Case(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        lambda w: {
            "clusterName": w.cluster(),
            "principalArn": w.access_entry(),
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"},
        },
    ),
    Case(
        "aws:eks/addon:Addon",
        lambda w: {
            "clusterName": w.cluster(),
            "addonName": "vpc-cni",
            "addonVersion": "v1.19.0-eksbuild.1",
            "resolveConflictsOnCreate": "OVERWRITE",
            "tags": TAGS,
        },
        lambda w: (
            {"addonVersion": "v1.20.0-eksbuild.1", "resolveConflictsOnUpdate": "PRESERVE"},
            {"configurationValues": '{"env": {"WARM_ENI_TARGET": "2"}}'},
            {"serviceAccountRoleArn": w.cluster_role()},
            {"preserve": True},
            *RETAGS,
        ),
        untried={"podIdentityAssociations": "nothing shows them as they were asked for"},
    ),
)

IDENTITY = (
    Case(
        "aws:iam/role:Role",
        lambda _: {"assumeRolePolicy": trust("lambda.amazonaws.com"), "description": "runs", "tags": TAGS},
        lambda _: (
            {"assumeRolePolicy": trust("ec2.amazonaws.com")},
            {"maxSessionDuration": 7200},
            {"managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
            {"managedPolicyArns": []},
            {"inlinePolicies": [{"name": "read", "policy": permit("s3:GetObject")}]},
            {"permissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
            {"permissionsBoundary": None},
            {"forceDetachPolicies": True},
            *RETAGS,
        ),
    ),
    Case(
        "aws:iam/rolePolicy:RolePolicy",
        lambda w: {"role": w.role().resource_id, "policy": permit("logs:PutLogEvents")},
        lambda _: ({"policy": permit("logs:PutLogEvents", "logs:CreateLogStream")},),
    ),
    Case(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda w: {
            "role": w.role().resource_id,
            "policyArn": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        },
    ),
    Case(
        "aws:iam/policy:Policy",
        lambda _: {"policy": permit("s3:GetObject"), "description": "reads", "tags": TAGS},
        # Six versions, of which AWS keeps five.
        lambda _: (
            *({"policy": permit("s3:GetObject", f"s3:Get{n}")} for n in range(6)),
            {"delayAfterPolicyCreationInMs": 10},
            *RETAGS,
        ),
    ),
    Case(
        "aws:iam/instanceProfile:InstanceProfile",
        lambda w: {"role": w.role().resource_id, "tags": TAGS},
        lambda w: ({"role": w.role("ec2.amazonaws.com", "nodes").resource_id}, {"role": None}, *RETAGS),
    ),
    Case(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        lambda _: {
            "url": "https://oidc.example.com/id/1",
            "clientIdLists": ["sts.amazonaws.com"],
            "thumbprintLists": ["a" * 40],
            "tags": TAGS,
        },
    ),
    Case(
        "aws:kms/key:Key",
        lambda _: {"description": "weights", "deletionWindowInDays": 7, "tags": TAGS},
        lambda _: (
            {"description": "models"},
            {"enableKeyRotation": True, "rotationPeriodInDays": 180},
            {"policy": permit("kms:*")},
            {"isEnabled": False},
            {"isEnabled": True, "deletionWindowInDays": 8},
            {"bypassPolicyLockoutSafetyCheck": True},
            *RETAGS,
        ),
    ),
    Case(
        "aws:kms/alias:Alias",
        lambda w: {"targetKeyId": w.key()},
        lambda w: ({"targetKeyId": w.key("other-key")},),
    ),
    Case(
        "aws:secretsmanager/secret:Secret",
        lambda _: {"description": "token", "recoveryWindowInDays": 0, "tags": TAGS},
        lambda w: (
            {"description": "the token"},
            {"kmsKeyId": w.key()},
            {"policy": permit("secretsmanager:GetSecretValue")},
            {"forceOverwriteReplicaSecret": True, "recoveryWindowInDays": 7},
            *RETAGS,
        ),
    ),
    Case(
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda w: {"secretId": w.secret(), "secretString": "swordfish"},
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        lambda _: {"type": "String", "value": "one", "description": "size", "tags": TAGS},
        lambda w: (
            {"value": "two"},
            {"description": "the size"},
            {"allowedPattern": "[a-z]+"},
            {"type": "SecureString", "keyId": w.key()},
            {"overwrite": True, "tier": "Advanced"},
            *RETAGS,
        ),
        untried={"insecureValue": "instead of value, and as such in the next case"},
    ),
    Case(
        "aws:ssm/parameter:Parameter",
        lambda _: {"type": "StringList", "insecureValue": "a,b"},
        lambda _: ({"insecureValue": "a,b,c"},),
        variant="plain",
    ),
)

OBSERVING = (
    Case(
        "aws:cloudwatch/logGroup:LogGroup",
        lambda _: {"retentionInDays": 7, "tags": TAGS},
        lambda _: ({"retentionInDays": 14}, {"retentionInDays": None}, *RETAGS),
        untried={"skipDestroy": "would leave the group behind"},
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda _: {
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "metricName": "Errors",
            "namespace": "AWS/Lambda",
            "period": 60,
            "statistic": "Sum",
            "threshold": 1,
            "dimensions": {"FunctionName": "embed"},
            "tags": TAGS,
        },
        lambda _: (
            {"threshold": 0},
            {"comparisonOperator": "GreaterThanOrEqualToThreshold"},
            {"evaluationPeriods": 3, "datapointsToAlarm": 2},
            {"metricName": "Throttles"},
            {"namespace": "AWS/ApiGateway"},
            {"period": 300},
            {"statistic": "Maximum"},
            {"dimensions": {"FunctionName": "rank", "Resource": "rank:live"}},
            {"alarmDescription": "too many"},
            {"alarmDescription": None},
            {"alarmActions": [TOPIC_ARN]},
            {"okActions": [TOPIC_ARN]},
            {"insufficientDataActions": [TOPIC_ARN]},
            {"alarmActions": None},
            {"actionsEnabled": False},
            {"treatMissingData": "notBreaching"},
            {"unit": "Count"},
            {"statistic": None, "extendedStatistic": "p99"},
            {"evaluateLowSampleCountPercentiles": "ignore"},
            *RETAGS,
        ),
        untried=dict.fromkeys(
            (
                "evaluationCriteria",
                "evaluationInterval",
                "evaluationWindow",
                "thresholdMetricId",
                "warmUpConfiguration",
            ),
            "for alarms on queries and bands, which the emulator does not keep",
        ),
    ),
    Case(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda _: {
            "comparisonOperator": "GreaterThanThreshold",
            "evaluationPeriods": 1,
            "threshold": 0.5,
            "metricQueries": [
                {"id": "rate", "expression": "errors / 2", "label": "rate", "returnData": True},
                {
                    "id": "errors",
                    "metric": {
                        "metricName": "Errors",
                        "namespace": "AWS/Lambda",
                        "period": 60,
                        "stat": "Sum",
                        "dimensions": {"FunctionName": "embed"},
                    },
                },
            ],
        },
        variant="queries",
    ),
    Case(
        "aws:cloudwatch/dashboard:Dashboard",
        lambda _: {"dashboardName": "models", "dashboardBody": '{"widgets": []}'},
        lambda _: ({"dashboardBody": '{"widgets": [{"type": "text", "properties": {"markdown": "x"}}]}'},),
    ),
    Case(
        "aws:budgets/budget:Budget",
        lambda _: {
            "budgetType": "COST",
            "limitAmount": "500",
            "limitUnit": "USD",
            "timeUnit": "MONTHLY",
            "timePeriodStart": "2026-01-01_00:00",
            "notifications": [
                {
                    "comparisonOperator": "GREATER_THAN",
                    "threshold": 80,
                    "thresholdType": "PERCENTAGE",
                    "notificationType": "ACTUAL",
                    "subscriberEmailAddresses": ["ops@example.com"],
                    "subscriberSnsTopicArns": [TOPIC_ARN],
                }
            ],
            "tags": TAGS,
        },
        lambda _: (
            {"limitAmount": "600.0"},
            {
                "notifications": [
                    {
                        "comparisonOperator": "GREATER_THAN",
                        "threshold": 100,
                        "thresholdType": "PERCENTAGE",
                        "notificationType": "FORECASTED",
                        "subscriberEmailAddresses": ["ops@example.com", "owner@example.com"],
                    }
                ]
            },
            {"notifications": None},
            {"timeUnit": "QUARTERLY"},
            {"timePeriodStart": "2026-02-01_00:00", "timePeriodEnd": "2030-01-01_00:00"},
            {"costFilters": [{"name": "TagKeyValue", "values": ["user:halfmetal$hybrid"]}]},
            {"costTypes": {"includeTax": False, "includeCredit": False}},
            *RETAGS,
        ),
        untried={
            "budgetType": "another type of budget has another kind of limit",
            "limitUnit": "one currency",
        },
    ),
    Case(
        "aws:sns/topic:Topic",
        lambda _: {"tags": TAGS},
        lambda w: (
            {"displayName": "alarms"},
            {"displayName": None},
            {"kmsMasterKeyId": w.key()},
            {"policy": permit("sns:Publish")},
            {"tracingConfig": "Active"},
            {"signatureVersion": 2},
            {"deliveryPolicy": '{"http": {"defaultHealthyRetryPolicy": {"numRetries": 3}}}'},
            {"lambdaSuccessFeedbackRoleArn": ROLE_ARN},
            *RETAGS,
        ),
        untried=dict.fromkeys(
            (
                "applicationFailureFeedbackRoleArn",
                "applicationSuccessFeedbackRoleArn",
                "firehoseFailureFeedbackRoleArn",
                "firehoseSuccessFeedbackRoleArn",
                "httpFailureFeedbackRoleArn",
                "httpSuccessFeedbackRoleArn",
                "lambdaFailureFeedbackRoleArn",
                "sqsFailureFeedbackRoleArn",
                "sqsSuccessFeedbackRoleArn",
            ),
            SAME_CALL,
        ),
    ),
    Case(
        "aws:sns/topic:Topic",
        lambda _: {"name": "orders.fifo", "fifoTopic": True},
        lambda _: (
            {"contentBasedDeduplication": True},
            {"archivePolicy": '{"MessageRetentionPeriod": "30"}'},
        ),
        variant="fifo",
    ),
    Case(
        "aws:sns/topicSubscription:TopicSubscription",
        lambda w: {"topic": w.topic(), "protocol": "sqs", "endpoint": w.queue()},
        lambda w: (
            {"filterPolicy": '{"kind": ["embed"]}'},
            {"filterPolicyScope": "MessageBody"},
            {"filterPolicy": None, "filterPolicyScope": None},
            {"rawMessageDelivery": True},
            {"redrivePolicy": json.dumps({"deadLetterTargetArn": w.queue("dead")})},
            {"deliveryPolicy": '{"healthyRetryPolicy": {"numRetries": 3}}'},
            {"confirmationTimeoutInMinutes": 2, "endpointAutoConfirms": True},
        ),
        untried={"subscriptionRoleArn": "for Firehose alone"},
    ),
)

FUNCTIONS = (
    Case(
        "aws:lambda/function:Function",
        lambda w: {
            "role": w.role_arn,
            "code": code("one"),
            "handler": "app.main",
            "runtime": "python3.11",
            "publish": True,
            "environment": {"variables": {"MODE": "quiet"}},
            "reservedConcurrentExecutions": 3,
            "tags": TAGS,
        },
        lambda w: (
            {"code": code("two")},
            {"sourceCodeHash": "changed by hand"},
            {"memorySize": 256},
            {"timeout": 30},
            {"handler": "app.handler"},
            {"runtime": "python3.12"},
            {"role": str(w.role("lambda.amazonaws.com", "other-role").state["arn"])},
            {"environment": {"variables": {"MODE": "loud", "LEVEL": "2"}}},
            {"environment": None},
            {"reservedConcurrentExecutions": 5},
            {"reservedConcurrentExecutions": 0},
            {"reservedConcurrentExecutions": None},
            {"description": "answers"},
            {"description": None},
            {"tracingConfig": {"mode": "Active"}},
            {"loggingConfig": {"logFormat": "JSON", "logGroup": "/halfmetal/embed"}},
            {"vpcConfig": {"subnetIds": [w.subnet()], "securityGroupIds": [w.group()]}},
            {"vpcConfig": None},
            {"ephemeralStorage": {"size": 1024}},
            {"deadLetterConfig": {"targetArn": w.queue()}},
            {"deadLetterConfig": None},
            {"architectures": ["arm64"]},
            {"kmsKeyArn": w.key()},
            {"publish": False},
            *RETAGS,
        ),
        untried={
            "codeSigningConfigArn": "needs a signing profile",
            "fileSystemConfig": "needs a file system",
            "imageConfig": "for container images, which need a container engine",
            "imageUri": "for container images, which need a container engine",
            "layers": "a layer is a type that nothing here makes",
            "replaceSecurityGroupsOnDestroy": "steers nothing here: the emulator holds no interfaces",
            "replacementSecurityGroupIds": "steers nothing here: the emulator holds no interfaces",
            "s3ObjectVersion": "goes along with s3Key",
            "skipDestroy": "would leave the function behind",
            "snapStart": "for runtimes that take snapshots",
            "sourceKmsKeyArn": "goes along with the code",
        },
    ),
    Case(
        "aws:lambda/function:Function",
        lambda w: {
            "role": w.role_arn,
            "s3Bucket": w.bucket("code"),
            "s3Key": _package(w, "one"),
            "handler": "app.handler",
            "runtime": "python3.11",
        },
        lambda w: ({"s3Key": _package(w, "two")},),
        variant="from-a-bucket",
    ),
    Case(
        "aws:lambda/alias:Alias",
        lambda w: {"functionName": w.function(), "functionVersion": "1"},
        lambda _: (
            {"description": "live"},
            {"description": None},
            {"functionVersion": "$LATEST"},
            {"functionVersion": "1", "routingConfig": {"additionalVersionWeights": {"2": 0.1}}},
            {"routingConfig": None},
        ),
    ),
    Case(
        "aws:lambda/permission:Permission",
        lambda w: {
            "action": "lambda:InvokeFunction",
            "function": w.function(),
            "principal": "apigateway.amazonaws.com",
            "sourceArn": "arn:aws:execute-api:us-east-1:000000000000:abc/*/*",
        },
    ),
    Case(
        "aws:lambda/permission:Permission",
        lambda w: {
            "action": "lambda:InvokeFunction",
            "function": w.function(),
            "principal": "events.amazonaws.com",
            "qualifier": w.alias(),
            "sourceAccount": "000000000000",
        },
        variant="qualified",
    ),
    Case(
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
        lambda w: {
            "functionName": w.function(),
            "qualifier": w.alias(),
            "provisionedConcurrentExecutions": 2,
        },
        lambda _: ({"provisionedConcurrentExecutions": 3},),
        untried={"skipDestroy": "would leave it behind"},
    ),
    Case(
        "aws:lambda/functionUrl:FunctionUrl",
        lambda w: {"functionName": w.function(), "authorizationType": "NONE"},
        lambda _: (
            {"authorizationType": "AWS_IAM"},
            {"cors": {"allowOrigins": ["*"], "maxAge": 60}},
            {"invokeMode": "RESPONSE_STREAM"},
        ),
    ),
    Case(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        lambda w: {"functionName": w.function(), "maximumRetryAttempts": 0},
        lambda w: (
            {"maximumRetryAttempts": 1},
            {"maximumEventAgeInSeconds": 100},
            {"destinationConfig": {"onFailure": {"destination": w.queue()}}},
        ),
    ),
    Case(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        lambda w: {"functionName": w.function(), "eventSourceArn": w.queue("events"), "batchSize": 5},
        lambda _: (
            {"batchSize": 7},
            {"maximumBatchingWindowInSeconds": 2},
            {"filterCriteria": {"filters": [{"pattern": '{"body": ["x"]}'}]}},
            {"functionResponseTypes": ["ReportBatchItemFailures"]},
            {"scalingConfig": {"maximumConcurrency": 4}},
            {"enabled": False},
            *RETAGS,
        ),
        untried={
            **dict.fromkeys(
                (
                    "bisectBatchOnFunctionError",
                    "destinationConfig",
                    "maximumRecordAgeInSeconds",
                    "maximumRetryAttempts",
                    "parallelizationFactor",
                    "tumblingWindowInSeconds",
                ),
                "for streams, which take them in the same call",
            ),
            **dict.fromkeys(
                (
                    "documentDbEventSourceConfig",
                    "kmsKeyArn",
                    "metricsConfig",
                    "provisionedPollerConfig",
                    "sourceAccessConfigurations",
                ),
                NEEDS_KAFKA,
            ),
        },
    ),
)


def _package(world: World, answer: str) -> str:
    """A function's package in the bucket."""
    world.make(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        f"package-{answer}",
        lambda: {"bucket": world.bucket("code"), "key": f"{answer}.zip", "source": code(answer)},
    )
    return f"{answer}.zip"


HTTP_APIS = (
    Case(
        "aws:apigatewayv2/api:Api",
        lambda _: {"protocolType": "HTTP", "tags": TAGS},
        lambda _: (
            {"corsConfiguration": {"allowOrigins": ["*"], "allowMethods": ["POST", "GET"], "maxAge": 10}},
            {"corsConfiguration": None},
            {"description": "front door"},
            {"description": None},
            {"name": "front-door"},
            {"version": "v2"},
            {"disableExecuteApiEndpoint": True},
            *RETAGS,
        ),
        untried={
            "ipAddressType": "the emulator has IPv4 alone",
            "apiKeySelectionExpression": "for WebSocket APIs; in the next case",
            "routeSelectionExpression": "for WebSocket APIs; in the next case",
        },
    ),
    Case(
        "aws:apigatewayv2/api:Api",
        lambda _: {"protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"},
        lambda _: (
            {"routeSelectionExpression": "$request.body.kind"},
            {"apiKeySelectionExpression": "$context.authorizer.usageIdentifierKey"},
        ),
        variant="websocket",
    ),
    Case(
        "aws:apigatewayv2/integration:Integration",
        lambda w: {
            "apiId": w.api(),
            "integrationType": "AWS_PROXY",
            "integrationUri": "arn:aws:lambda:us-east-1:000000000000:function:a",
            "payloadFormatVersion": "2.0",
        },
        lambda _: (
            {"integrationUri": "arn:aws:lambda:us-east-1:000000000000:function:b"},
            {"payloadFormatVersion": "1.0"},
            {"timeoutMilliseconds": 5000},
            {"description": "models"},
            {"description": None},
            {"integrationMethod": "POST"},
            {"requestParameters": {"overwrite:path": "$request.path"}},
            {"requestParameters": None},
            {"responseParameters": [{"statusCode": "403", "mappings": {"append:header.hint": "key"}}]},
            {"responseParameters": None},
        ),
        untried=dict.fromkeys(
            (
                "contentHandlingStrategy",
                "passthroughBehavior",
                "requestTemplates",
                "templateSelectionExpression",
            ),
            "for WebSocket APIs, in the same call",
        ),
        variant="function",
    ),
    Case(
        "aws:apigatewayv2/integration:Integration",
        lambda w: {
            "apiId": w.api(),
            "integrationType": "HTTP_PROXY",
            "integrationMethod": "ANY",
            "integrationUri": _listener(w),
            "connectionType": "VPC_LINK",
            "connectionId": _link(w, "link-a"),
        },
        lambda w: (
            {"connectionId": _link(w, "link-b")},
            {"tlsConfig": {"serverNameToVerify": "gateway.example.com"}},
            {
                "connectionType": "INTERNET",
                "connectionId": None,
                "integrationUri": "https://gateway.example.com/{proxy}",
            },
        ),
        variant="vpc-link",
    ),
    Case(
        "aws:apigatewayv2/route:Route",
        lambda w: {
            "apiId": w.api(),
            "routeKey": "GET /models",
            "target": f"integrations/{w.integration()}",
        },
        lambda w: (
            {"routeKey": "GET /models/{name}"},
            {"target": None},
            {"authorizationType": "AWS_IAM"},
            {"operationName": "models"},
            {"apiKeyRequired": True},
            {
                "authorizationType": "JWT",
                "authorizerId": _authorizer(w),
                "authorizationScopes": ["read", "list"],
            },
        ),
        untried=dict.fromkeys(
            ("modelSelectionExpression", "requestModels", "routeResponseSelectionExpression"),
            "for WebSocket APIs, in the same call",
        ),
    ),
    Case(
        "aws:apigatewayv2/stage:Stage",
        lambda w: {"apiId": w.api(), "name": "dev", "autoDeploy": True, "tags": TAGS},
        lambda _: (
            {"description": "tries"},
            {"stageVariables": {"model": "small"}},
            {"stageVariables": None},
            {"defaultRouteSettings": {"throttlingBurstLimit": 10, "throttlingRateLimit": 5}},
            {
                "accessLogSettings": {
                    "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:access",
                    "format": "$context.requestId",
                }
            },
            {"accessLogSettings": None},
            {
                "routeSettings": [
                    {"routeKey": "GET /models", "throttlingBurstLimit": 3, "throttlingRateLimit": 3}
                ]
            },
            {"routeSettings": None},
            {"autoDeploy": False},
            *RETAGS,
        ),
        untried={
            "clientCertificateId": "for WebSocket APIs, in the same call",
            "deploymentId": "with autoDeploy off a deployment is named by hand, in the same call",
        },
    ),
    Case("aws:apigatewayv2/deployment:Deployment", lambda w: {"apiId": w.api(), "description": "first"}),
    Case(
        "aws:apigatewayv2/authorizer:Authorizer",
        lambda w: {
            "apiId": w.api(),
            "authorizerType": "JWT",
            "identitySources": ["$request.header.Authorization"],
            "jwtConfiguration": {"audiences": ["models"], "issuer": "https://id.example.com"},
        },
        lambda _: (
            {"jwtConfiguration": {"audiences": ["models", "admin"], "issuer": "https://id2.example.com"}},
            {"identitySources": ["$request.header.X-Token"]},
            {"name": "tokens"},
        ),
        untried={"authorizerCredentialsArn": "for functions that decide; in the next case"},
        variant="tokens",
    ),
    Case(
        "aws:apigatewayv2/authorizer:Authorizer",
        lambda w: {
            "apiId": w.api(),
            "authorizerType": "REQUEST",
            "authorizerUri": _invoke_uri("a"),
            "authorizerPayloadFormatVersion": "2.0",
            "identitySources": ["$request.header.Authorization"],
        },
        lambda _: (
            {"authorizerUri": _invoke_uri("b")},
            {"enableSimpleResponses": True},
            {"authorizerResultTtlInSeconds": 60},
            {"authorizerPayloadFormatVersion": "1.0", "enableSimpleResponses": False},
            {"authorizerCredentialsArn": ROLE_ARN},
            {
                "authorizerType": "JWT",
                "jwtConfiguration": {"audiences": ["models"], "issuer": "https://id.example.com"},
            },
        ),
        variant="function",
    ),
    Case(
        "aws:apigatewayv2/vpcLink:VpcLink",
        lambda w: {"subnetIds": [w.subnet()], "securityGroupIds": [w.group()], "tags": TAGS},
        lambda _: ({"name": "to-the-gateway"}, *RETAGS),
    ),
)


def _invoke_uri(function: str) -> str:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def _link(world: World, name: str) -> str:
    return world.make(
        "aws:apigatewayv2/vpcLink:VpcLink",
        name,
        lambda: {"subnetIds": [world.subnet()], "securityGroupIds": [world.group()]},
    ).resource_id


def _listener(world: World) -> str:
    return world.make(
        "aws:lb/listener:Listener",
        "gateway-listener",
        lambda: {
            "loadBalancerArn": world.balancer(),
            "port": 8080,
            "protocol": "TCP",
            "defaultActions": [{"type": "forward", "targetGroupArn": world.target_group()}],
        },
    ).resource_id


def _authorizer(world: World) -> str:
    return world.make(
        "aws:apigatewayv2/authorizer:Authorizer",
        "authorizer",
        lambda: {
            "apiId": world.api(),
            "authorizerType": "JWT",
            "identitySources": ["$request.header.Authorization"],
            "jwtConfiguration": {"audiences": ["models"], "issuer": "https://id.example.com"},
        },
    ).resource_id


STORES = (
    Case(
        "aws:dynamodb/table:Table",
        lambda _: {
            "attributes": [
                {"name": "workload", "type": "S"},
                {"name": "version", "type": "N"},
                {"name": "home", "type": "S"},
            ],
            "hashKey": "workload",
            "rangeKey": "version",
            "billingMode": "PAY_PER_REQUEST",
            "globalSecondaryIndexes": [{"name": "by-home", "hashKey": "home", "projectionType": "ALL"}],
            "localSecondaryIndexes": [
                {"name": "by-place", "rangeKey": "home", "projectionType": "KEYS_ONLY"}
            ],
            "tags": TAGS,
        },
        lambda w: (
            {"ttl": {"enabled": True, "attributeName": "expires"}},
            {"ttl": None},
            {"pointInTimeRecovery": {"enabled": True}},
            {"deletionProtectionEnabled": True},
            {"deletionProtectionEnabled": False},
            {"streamEnabled": True, "streamViewType": "NEW_IMAGE"},
            {"streamViewType": "KEYS_ONLY"},
            {"streamEnabled": False, "streamViewType": None},
            {"serverSideEncryption": {"enabled": True, "kmsKeyArn": w.key()}},
            {"serverSideEncryption": None},
            {"tableClass": "STANDARD_INFREQUENT_ACCESS"},
            {
                "attributes": [
                    {"name": "workload", "type": "S"},
                    {"name": "version", "type": "N"},
                    {"name": "home", "type": "S"},
                    {"name": "zone", "type": "S"},
                ],
                "globalSecondaryIndexes": [
                    {
                        "name": "by-zone",
                        "hashKey": "zone",
                        "projectionType": "INCLUDE",
                        "nonKeyAttributes": ["url", "home"],
                    }
                ],
            },
            {"billingMode": "PROVISIONED", "readCapacity": 2, "writeCapacity": 2},
            {"readCapacity": 3},
            {"writeCapacity": 4},
            *RETAGS,
        ),
    ),
    Case(
        "aws:dynamodb/tableItem:TableItem",
        lambda w: {
            "tableName": w.table(),
            "hashKey": "pk",
            "item": '{"pk": {"S": "embed"}, "replicas": {"N": "2"}}',
        },
        lambda _: ({"item": '{"pk": {"S": "embed"}, "replicas": {"N": "3"}}'},),
    ),
    Case(
        "aws:s3/bucket:Bucket",
        lambda _: {"tags": TAGS},
        lambda _: ({"forceDestroy": True}, *RETAGS),
    ),
    Case(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda w: {"bucket": w.bucket(), "key": "models/a.txt", "content": "one", "tags": TAGS},
        lambda w: (
            {"content": "two"},
            {"content": None, "contentBase64": "dGhyZWU="},
            {"contentBase64": None, "source": Asset("text", "four", "4")},
            {"source": Asset("text", "five", "5")},
            {"sourceHash": "again"},
            {"contentType": "text/html"},
            {"contentEncoding": "identity", "contentLanguage": "en"},
            {"contentDisposition": "inline"},
            {"cacheControl": "no-cache"},
            {"metadata": {"owner": "search"}},
            {"storageClass": "STANDARD_IA"},
            {"serverSideEncryption": "aws:kms", "kmsKeyId": w.key(), "bucketKeyEnabled": True},
            {"acl": "private"},
            {"checksumAlgorithm": "SHA256"},
            {"websiteRedirect": "/models/b.txt"},
            {"forceDestroy": True},
            *RETAGS,
        ),
        untried={
            "etag": "what the service computes; stated only to force a new upload",
            "objectLockLegalHoldStatus": "would keep the object from being deleted",
            "objectLockMode": "would keep the object from being deleted",
            "objectLockRetainUntilDate": "would keep the object from being deleted",
            "overrideProvider": "steers default tags, which are merged in check",
        },
    ),
    Case(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda w: {"bucket": w.bucket(), "blockPublicAcls": True},
        lambda _: (
            {"blockPublicAcls": False},
            {"blockPublicPolicy": True},
            {"ignorePublicAcls": True},
            {"restrictPublicBuckets": True},
        ),
        untried={"skipDestroy": "would leave it behind"},
    ),
    Case(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
        },
        lambda w: (
            {
                "rules": [
                    {
                        "applyServerSideEncryptionByDefault": {
                            "sseAlgorithm": "aws:kms",
                            "kmsMasterKeyId": w.key(),
                        },
                        "bucketKeyEnabled": True,
                    }
                ]
            },
        ),
    ),
    Case(
        "aws:s3/bucketVersioning:BucketVersioning",
        lambda w: {"bucket": w.bucket("versioned"), "versioningConfiguration": {"status": "Enabled"}},
        lambda _: ({"versioningConfiguration": {"status": "Suspended"}},),
        untried={"mfa": "needs a device"},
    ),
    Case(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda w: {"bucket": w.bucket(), "policy": permit("s3:GetObject")},
        lambda _: ({"policy": permit("s3:GetObject", "s3:PutObject")},),
    ),
    Case(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        lambda w: {
            "bucket": w.bucket(),
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {"prefix": "logs/"},
                    "expiration": {"days": 30},
                    "noncurrentVersionExpiration": {"noncurrentDays": 2},
                    "transitions": [{"days": 7, "storageClass": "GLACIER"}],
                }
            ],
        },
        lambda _: (
            {
                "rules": [
                    {
                        "id": "new",
                        "status": "Disabled",
                        "filter": {
                            "and": {"prefix": "x/", "objectSizeGreaterThan": 1000, "tags": {"a": "b"}}
                        },
                        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 3},
                    }
                ]
            },
        ),
        untried={"transitionDefaultMinimumObjectSize": "the emulator has no transitions"},
    ),
    Case(
        "aws:ecr/repository:Repository",
        lambda _: {"tags": TAGS},
        lambda _: (
            {"imageTagMutability": "IMMUTABLE"},
            {"imageScanningConfiguration": {"scanOnPush": True}},
            {"forceDelete": True},
            *RETAGS,
        ),
        untried={"imageTagMutabilityExclusionFilters": SAME_CALL},
    ),
    Case(
        "aws:sqs/queue:Queue",
        lambda _: {"tags": TAGS},
        lambda w: (
            {"visibilityTimeoutSeconds": 60},
            {"delaySeconds": 5},
            {"maxMessageSize": 2048},
            {"messageRetentionSeconds": 3600},
            {"receiveWaitTimeSeconds": 10},
            {"policy": permit("sqs:SendMessage")},
            {"redrivePolicy": json.dumps({"deadLetterTargetArn": w.queue("dead"), "maxReceiveCount": 3})},
            {"redriveAllowPolicy": '{"redrivePermission": "denyAll"}'},
            {"sqsManagedSseEnabled": True},
            {"sqsManagedSseEnabled": False, "kmsMasterKeyId": w.key(), "kmsDataKeyReusePeriodSeconds": 600},
            *RETAGS,
        ),
    ),
    Case(
        "aws:sqs/queue:Queue",
        lambda _: {"name": "orders.fifo", "fifoQueue": True},
        lambda _: (
            {"contentBasedDeduplication": True},
            {"deduplicationScope": "messageGroup", "fifoThroughputLimit": "perMessageGroupId"},
        ),
        variant="fifo",
    ),
    Case(
        "aws:elasticache/subnetGroup:SubnetGroup",
        lambda w: {"subnetIds": [w.subnet("a")], "tags": TAGS},
        lambda w: ({"description": "caches"}, {"subnetIds": [w.subnet("b"), w.subnet("a")]}, *RETAGS),
    ),
    Case(
        "aws:elasticache/replicationGroup:ReplicationGroup",
        lambda w: {
            "description": "features",
            "engine": "redis",
            "nodeType": "cache.t3.micro",
            "numCacheClusters": 1,
            "subnetGroupName": w.cache_subnets(),
            "tags": TAGS,
        },
        lambda w: (
            {"description": "the features"},
            {"nodeType": "cache.t3.small"},
            {"snapshotRetentionLimit": 2, "snapshotWindow": "03:00-04:00"},
            {"numCacheClusters": 2},
            {"automaticFailoverEnabled": True, "multiAzEnabled": True},
            {"maintenanceWindow": "sun:05:00-sun:06:00"},
            {"securityGroupIds": [w.group()]},
            {"applyImmediately": True, "finalSnapshotIdentifier": "last"},
            *RETAGS,
        ),
        untried=dict.fromkeys(
            (
                "authToken",
                "authTokenUpdateStrategy",
                "autoMinorVersionUpgrade",
                "engineVersion",
                "ipDiscovery",
                "notificationTopicArn",
                "parameterGroupName",
                "transitEncryptionEnabled",
                "transitEncryptionMode",
            ),
            SAME_CALL,
        ),
    ),
)

CASES = (*NETWORK, *COMPUTE, *IDENTITY, *OBSERVING, *FUNCTIONS, *HTTP_APIS, *STORES)
