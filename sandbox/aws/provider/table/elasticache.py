"""ElastiCache: subnet groups and replication groups."""

from __future__ import annotations

from typing import Any

from sandbox.aws.provider.normalise import lower
from sandbox.aws.provider.table.common import pair_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Read, Scope, Tags, Wait


def _tags() -> Tags:
    return pair_tags(
        "Tags",
        Read(op="ListTagsForResource", args={"ResourceName": "{arn}"}, at="TagList"),
        Call(op="AddTagsToResource", args={"ResourceName": "{arn}", "Tags": "{tags}"}, send=()),
        Call(op="RemoveTagsFromResource", args={"ResourceName": "{arn}", "TagKeys": "{keys}"}, send=()),
    )


SUBNET_GROUP = Entry(
    token="aws:elasticache/subnetGroup:SubnetGroup",
    service="elasticache",
    id="{name}",
    create=Call(
        op="CreateCacheSubnetGroup",
        args={"CacheSubnetGroupName": "{name}", "CacheSubnetGroupDescription": "{description}"},
        send=("subnetIds",),
    ),
    names={"arn": "ARN"},
    then=(
        Call(
            op="ModifyCacheSubnetGroup",
            args={"CacheSubnetGroupName": "{id}", "CacheSubnetGroupDescription": "{description}"},
            send=("subnetIds",),
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeCacheSubnetGroups",
            args={"CacheSubnetGroupName": "{id}"},
            at="CacheSubnetGroups[0]",
            only=("arn", "vpcId"),
            into={
                "name": "CacheSubnetGroupName",
                "description": "CacheSubnetGroupDescription",
                "subnetIds": "Subnets[].SubnetIdentifier",
            },
        ),
    ),
    delete=(
        Call(
            op="DeleteCacheSubnetGroup",
            args={"CacheSubnetGroupName": "{id}"},
            send=(),
            retry=("CacheSubnetGroupInUse",),
        ),
    ),
    tags=_tags(),
    replace=("name",),
    identity=("name",),
    defaults={"description": "Managed by Pulumi"},
    unordered=("subnetIds",),
    normalise={"name": lower},
    autoname=Autoname(longest=255, lower=True),
    missing=("CacheSubnetGroupNotFoundFault", "CacheSubnetGroupNotFound"),
    exists=("CacheSubnetGroupAlreadyExists", "CacheSubnetGroupAlreadyExistsFault"),
)


def _change_replicas(scope: Scope) -> None:
    """The number of nodes changes by an operation of its own, up or down."""
    wanted = scope.inputs.get("numCacheClusters")
    before = len(scope.state.get("memberClusters") or ())
    if wanted and before and wanted != before:
        scope.call(
            "IncreaseReplicaCount" if wanted > before else "DecreaseReplicaCount",
            ReplicationGroupId=scope.resource_id,
            NewReplicaCount=wanted - 1,
            ApplyImmediately=True,
        )


def _endpoint(role: str) -> Any:
    return lambda group: (group.get("NodeGroups") or [{}])[0].get(role, {}).get("Address")


REPLICATION_GROUP = Entry(
    token="aws:elasticache/replicationGroup:ReplicationGroup",
    service="elasticache",
    id="{replicationGroupId}",
    create=Call(
        op="CreateReplicationGroup",
        args={"ReplicationGroupDescription": "{description}", "NetworkType": "{networkType}"},
        send=(
            "atRestEncryptionEnabled",
            "authToken",
            "autoMinorVersionUpgrade",
            "automaticFailoverEnabled",
            "dataTieringEnabled",
            "engine",
            "engineVersion",
            "ipDiscovery",
            "kmsKeyId",
            "maintenanceWindow",
            "multiAzEnabled",
            "nodeType",
            "notificationTopicArn",
            "numCacheClusters",
            "parameterGroupName",
            "port",
            "preferredCacheClusterAzs",
            "replicationGroupId",
            "securityGroupIds",
            "securityGroupNames",
            "snapshotArns",
            "snapshotName",
            "snapshotRetentionLimit",
            "snapshotWindow",
            "subnetGroupName",
            "transitEncryptionEnabled",
            "transitEncryptionMode",
        ),
    ),
    names={
        "nodeType": "CacheNodeType",
        "parameterGroupName": "CacheParameterGroupName",
        "subnetGroupName": "CacheSubnetGroupName",
        "securityGroupNames": "CacheSecurityGroupNames",
        "preferredCacheClusterAzs": "PreferredCacheClusterAZs",
        "maintenanceWindow": "PreferredMaintenanceWindow",
        "arn": "ARN",
    },
    then=(
        Do(run=_change_replicas, uses=("numCacheClusters",), on="update"),
        Call(
            op="ModifyReplicationGroup",
            args={
                "ReplicationGroupId": "{id}",
                "ReplicationGroupDescription": "{description}",
                "ApplyImmediately": lambda s: s.inputs.get("applyImmediately", True),
            },
            send=(
                "authToken",
                "autoMinorVersionUpgrade",
                "automaticFailoverEnabled",
                "engineVersion",
                "ipDiscovery",
                "maintenanceWindow",
                "multiAzEnabled",
                "nodeType",
                "notificationTopicArn",
                "parameterGroupName",
                "securityGroupIds",
                "snapshotRetentionLimit",
                "snapshotWindow",
                "transitEncryptionEnabled",
                "transitEncryptionMode",
            ),
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeReplicationGroups",
            args={"ReplicationGroupId": "{id}"},
            at="ReplicationGroups[0]",
            only=(
                "arn",
                "atRestEncryptionEnabled",
                "clusterEnabled",
                "kmsKeyId",
                "memberClusters",
                "nodeType",
                "snapshotRetentionLimit",
                "snapshotWindow",
                "transitEncryptionEnabled",
                "transitEncryptionMode",
            ),
            into={
                "description": "Description",
                "automaticFailoverEnabled": "AutomaticFailover == 'enabled'",
                "multiAzEnabled": "MultiAZ == 'enabled'",
                "numCacheClusters": "length(MemberClusters || `[]`)",
                "numNodeGroups": "length(NodeGroups || `[]`)",
                "configurationEndpointAddress": "ConfigurationEndpoint.Address",
                "primaryEndpointAddress": _endpoint("PrimaryEndpoint"),
                "readerEndpointAddress": _endpoint("ReaderEndpoint"),
            },
        ),
    ),
    delete=(
        Call(
            op="DeleteReplicationGroup",
            args={"ReplicationGroupId": "{id}", "FinalSnapshotIdentifier": "{finalSnapshotIdentifier}"},
            send=(),
            retry=("InvalidReplicationGroupState",),
        ),
    ),
    gone=2400,
    ready=Wait(
        op="DescribeReplicationGroups",
        args={"ReplicationGroupId": "{id}"},
        path="ReplicationGroups[0].Status",
        until=("available",),
        fail=("create-failed",),
        seconds=3600,
    ),
    tags=_tags(),
    replace=(
        "atRestEncryptionEnabled",
        "dataTieringEnabled",
        "engine",
        "globalReplicationGroupId",
        "kmsKeyId",
        "networkType",
        "port",
        "preferredCacheClusterAzs",
        "replicationGroupId",
        "securityGroupNames",
        "snapshotArns",
        "snapshotName",
        "subnetGroupName",
    ),
    identity=("replicationGroupId",),
    defaults={"engine": "redis", "automaticFailoverEnabled": False, "multiAzEnabled": False},
    computed=(
        "applyImmediately",
        "atRestEncryptionEnabled",
        "autoMinorVersionUpgrade",
        "dataTieringEnabled",
        "engineVersion",
        "globalReplicationGroupId",
        "ipDiscovery",
        "maintenanceWindow",
        "networkType",
        "nodeType",
        "numCacheClusters",
        "numNodeGroups",
        "parameterGroupName",
        "replicasPerNodeGroup",
        "securityGroupIds",
        "securityGroupNames",
        "snapshotRetentionLimit",
        "snapshotWindow",
        "subnetGroupName",
        "transitEncryptionEnabled",
        "transitEncryptionMode",
    ),
    local=("applyImmediately", "finalSnapshotIdentifier", "authTokenUpdateStrategy"),
    # These are told of the group's nodes, not of the group.
    write_only=(
        "authToken",
        "autoMinorVersionUpgrade",
        "engine",
        "engineVersion",
        "maintenanceWindow",
        "parameterGroupName",
        "port",
        "preferredCacheClusterAzs",
        "securityGroupIds",
        "subnetGroupName",
    ),
    secret=("authToken",),
    emulator_gaps={"numCacheClusters": "IncreaseReplicaCount adds no member clusters"},
    normalise={"replicationGroupId": lower},
    unordered=("securityGroupIds", "preferredCacheClusterAzs"),
    autoname=Autoname("replicationGroupId", longest=40, lower=True),
    missing=("ReplicationGroupNotFoundFault",),
    exists=("ReplicationGroupAlreadyExists", "ReplicationGroupAlreadyExistsFault"),
)

ENTRIES = (SUBNET_GROUP, REPLICATION_GROUP)
