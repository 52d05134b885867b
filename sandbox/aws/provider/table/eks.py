"""EKS: clusters, node groups, access entries and their policies, add-ons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.normalise import json_document
from sandbox.aws.provider.table.common import map_tags
from sandbox.aws.provider.table.model import Autoname, Call, Entry, Read, Scope, Tags, Wait
from sandbox.aws.provider.values import Bag

_MISSING = ("ResourceNotFoundException",)
_EXISTS = ("ResourceInUseException",)
_ROLE_NOT_YET = (
    "InvalidParameterException: role",
    "InvalidParameterException: does not exist",
    "InvalidParameterException: error in role params",
    "InvalidRequestException: insufficient capacity",
)
_BUSY = (
    "ResourceInUseException: update",
    "ResourceInUseException: in progress",
    "InvalidRequestException: updating",
)


def _tags(arn: str, read_call: Read | None = None) -> Tags:
    return map_tags(
        "tags",
        None if read_call else "tags",
        arn,
        "TagResource",
        "UntagResource",
        resource="resourceArn",
        tags="tags",
        keys="tagKeys",
        remove_singly=True,
        read_call=read_call,
    )


def _listed_tags(arn: str) -> Tags:
    """Describing shows tags as well; the emulator shows those of the create there, for ever."""
    return _tags(arn, Read(op="ListTagsForResource", args={"resourceArn": arn}, at="tags"))


# -- cluster -----------------------------------------------------------------------------------------

_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def _logging(scope: Scope) -> Bag | None:
    wanted = scope.inputs.get("enabledClusterLogTypes")
    if wanted is None and not scope.state.get("enabledClusterLogTypes"):
        return None
    enabled = sorted(wanted or ())
    disabled = [kind for kind in _LOG_TYPES if kind not in enabled]
    both = [{"types": enabled, "enabled": True}, {"types": disabled, "enabled": False}]
    return {"clusterLogging": [setup for setup in both if setup["types"]]}


def _enabled_logs(cluster: Any) -> list[str]:
    setups = (cluster.get("logging") or {}).get("clusterLogging") or ()
    return sorted(kind for setup in setups if setup.get("enabled") for kind in setup.get("types", ()))


def _vpc_change(scope: Scope) -> Bag:
    """Of the VPC settings, subnets and security groups move by themselves."""
    wanted = scope.inputs.get("vpcConfig") or {}
    names = (
        "endpointPrivateAccess",
        "endpointPublicAccess",
        "publicAccessCidrs",
        "subnetIds",
        "securityGroupIds",
    )
    return {name: wanted[name] for name in names if wanted.get(name) is not None}


def _cluster_failures(inputs: Bag) -> Iterable[Failure]:
    for kind in inputs.get("enabledClusterLogTypes") or ():
        if isinstance(kind, str) and kind not in _LOG_TYPES:
            yield Failure("enabledClusterLogTypes", f"must be of {', '.join(_LOG_TYPES)}; has {kind!r}")


_CLUSTER_ACTIVE = Wait(
    op="DescribeCluster",
    args={"name": "{id}"},
    path="cluster.status",
    until=("ACTIVE",),
    fail=("FAILED", "DELETING"),
    why="cluster.health.issues[0].message",
    seconds=1800,
)


def _configure(*send: str, **more: Any) -> Call:
    """Cluster settings change one kind at a time, each update to be waited for."""
    return Call(
        op="UpdateClusterConfig",
        args={"name": "{id}", **more.pop("args", {})},
        send=send,
        on="update",
        retry=_BUSY,
        wait=_CLUSTER_ACTIVE,
        **more,
    )


CLUSTER = Entry(
    token="aws:eks/cluster:Cluster",
    service="eks",
    id="{name}",
    create=Call(
        op="CreateCluster",
        args={"logging": _logging},
        uses=("enabledClusterLogTypes",),
        retry=_ROLE_NOT_YET,
    ),
    names={"vpcConfig": "resourcesVpcConfig", "identities": "identity", "clusterId": "id"},
    then=(
        Call(
            op="UpdateClusterVersion",
            args={"name": "{id}", "force": "{forceUpdateVersion}"},
            send=("version",),
            when=("version",),
            on="update",
            retry=_BUSY,
            wait=_CLUSTER_ACTIVE,
        ),
        _configure(args={"logging": _logging}, when=("enabledClusterLogTypes",)),
        _configure(args={"resourcesVpcConfig": _vpc_change}, when=("vpcConfig",)),
        _configure(
            args={"accessConfig": {"authenticationMode": "{accessConfig.authenticationMode}"}},
            when=("accessConfig",),
        ),
        _configure("upgradePolicy"),
        _configure("zonalShiftConfig"),
        Call(
            op="AssociateEncryptionConfig",
            args={"clusterName": "{id}"},
            send=("encryptionConfig",),
            on="update",
            wait=_CLUSTER_ACTIVE,
        ),
    ),
    read=(
        Read(
            op="DescribeCluster",
            args={"name": "{id}"},
            at="cluster",
            into={
                "enabledClusterLogTypes": _enabled_logs,
                "clusterId": "id",
                "encryptionConfig": "encryptionConfig[0]",
            },
        ),
    ),
    delete=(Call(op="DeleteCluster", args={"name": "{id}"}, send=(), retry=("ResourceInUseException",)),),
    gone=1800,
    ready=_CLUSTER_ACTIVE,
    tags=_tags("{arn}"),
    replace=(
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
        "kubernetesNetworkConfig.ipFamily",
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "name",
        "outpostConfig",
        "roleArn",
    ),
    identity=("name",),
    defaults={"bootstrapSelfManagedAddons": True},
    computed=(
        "accessConfig",
        "accessConfig.authenticationMode",
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "kubernetesNetworkConfig",
        "kubernetesNetworkConfig.ipFamily",
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "kubernetesNetworkConfig.serviceIpv6Cidr",
        "kubernetesNetworkConfig.elasticLoadBalancing",
        "upgradePolicy",
        "version",
        "vpcConfig.clusterSecurityGroupId",
        "vpcConfig.endpointPrivateAccess",
        "vpcConfig.endpointPublicAccess",
        "vpcConfig.publicAccessCidrs",
        "vpcConfig.vpcId",
    ),
    local=("defaultAddonsToRemoves", "forceUpdateVersion"),
    refused=(
        "computeConfig",
        "controlPlaneScalingConfig",
        "deletionProtection",
        "kubeApiServerConfig",
        "kubeControllerManagerConfig",
        "kubeSchedulerConfig",
        "remoteNetworkConfig",
        "storageConfig",
    ),
    write_only=("bootstrapSelfManagedAddons",),
    unordered=(
        "enabledClusterLogTypes",
        "encryptionConfig.resources",
        "vpcConfig.publicAccessCidrs",
        "vpcConfig.securityGroupIds",
        "vpcConfig.subnetIds",
    ),
    autoname=Autoname(longest=100),
    volatile={"platformVersion": ("version",)},
    emulator_gaps={"zonalShiftConfig": "taken, and not shown by DescribeCluster"},
    missing=_MISSING,
    exists=_EXISTS,
    rules=_cluster_failures,
)


# -- node group --------------------------------------------------------------------------------------

_NODE_GROUP = {"clusterName": "{clusterName}", "nodegroupName": "{nodeGroupName}"}
_NODE_GROUP_ACTIVE = Wait(
    op="DescribeNodegroup",
    args=_NODE_GROUP,
    path="nodegroup.status",
    until=("ACTIVE",),
    fail=("CREATE_FAILED", "DELETE_FAILED", "DEGRADED"),
    why="nodegroup.health.issues[0].message",
    seconds=3600,
)


def _label_change(scope: Scope) -> Bag | None:
    old: Mapping[str, str] = scope.state.get("labels") or {}
    new: Mapping[str, str] = scope.inputs.get("labels") or {}
    change: Bag = {
        "addOrUpdateLabels": {name: value for name, value in new.items() if old.get(name) != value},
        "removeLabels": [name for name in old if name not in new],
    }
    return {name: value for name, value in change.items() if value} or None


def _taint_change(scope: Scope) -> Bag | None:
    old = [_taint(taint) for taint in scope.state.get("taints") or ()]
    new = [_taint(taint) for taint in scope.inputs.get("taints") or ()]
    names = {(taint["key"], taint["effect"]) for taint in new}
    change = {
        "addOrUpdateTaints": [taint for taint in new if taint not in old],
        "removeTaints": [taint for taint in old if (taint["key"], taint["effect"]) not in names],
    }
    return {name: value for name, value in change.items() if value} or None


def _taint(taint: Mapping[str, Any]) -> Bag:
    return {name: taint[name] for name in ("key", "value", "effect") if taint.get(name)}


def _template_reference(scope: Scope) -> Bag | None:
    """A launch template goes by its id or its name, never both."""
    wanted = scope.inputs.get("launchTemplate")
    if not wanted:
        return None
    by = "id" if wanted.get("id") else "name"
    return {by: wanted.get(by), "version": wanted.get("version")}


def _node_group_failures(inputs: Bag) -> Iterable[Failure]:
    sizes = inputs.get("scalingConfig") or {}
    least, wanted, most = (sizes.get(name) for name in ("minSize", "desiredSize", "maxSize"))
    numbers = [size for size in (least, wanted, most) if isinstance(size, int)]
    if len(numbers) == len(sizes) and numbers != sorted(numbers):
        yield Failure(
            "scalingConfig.desiredSize", f"must be between minSize {least} and maxSize {most}, is {wanted}"
        )
    template = inputs.get("launchTemplate") or {}
    if isinstance(template, dict) and template.get("id") and template.get("name"):
        yield Failure("launchTemplate.name", "cannot be set together with launchTemplate.id")


NODE_GROUP = Entry(
    token="aws:eks/nodeGroup:NodeGroup",
    service="eks",
    id="{clusterName}:{nodeGroupName}",
    create=Call(
        op="CreateNodegroup",
        args={"launchTemplate": _template_reference},
        uses=("launchTemplate",),
        retry=(*_ROLE_NOT_YET, "ResourceInUseException: cluster"),
    ),
    names={
        "nodeRoleArn": "nodeRole",
        "subnetIds": "subnets",
        "arn": "nodegroupArn",
        "remoteAccess.sourceSecurityGroupIds": "sourceSecurityGroups",
        "resources.remoteAccessSecurityGroupId": "remoteAccessSecurityGroup",
        "scalingConfig.desiredSize": "desiredSize",
    },
    then=(
        Call(
            op="UpdateNodegroupVersion",
            args={**_NODE_GROUP, "force": "{forceUpdateVersion}", "launchTemplate": _template_reference},
            send=("version", "releaseVersion"),
            when=("version", "releaseVersion", "launchTemplate"),
            on="update",
            retry=_BUSY,
            wait=_NODE_GROUP_ACTIVE,
        ),
        Call(
            op="UpdateNodegroupConfig",
            args={**_NODE_GROUP, "labels": _label_change, "taints": _taint_change},
            send=("scalingConfig", "updateConfig", "nodeRepairConfig"),
            uses=("labels", "taints"),
            on="update",
            retry=_BUSY,
            wait=_NODE_GROUP_ACTIVE,
        ),
    ),
    read=(
        Read(
            op="DescribeNodegroup",
            args=_NODE_GROUP,
            at="nodegroup",
            into={"resources": "resources && [resources]"},
        ),
    ),
    delete=(Call(op="DeleteNodegroup", args=_NODE_GROUP, send=(), retry=_BUSY),),
    import_id="{clusterName}:{nodeGroupName}",
    gone=3600,
    ready=_NODE_GROUP_ACTIVE,
    tags=_tags("{arn}"),
    replace=(
        "amiType",
        "capacityType",
        "clusterName",
        "diskSize",
        "instanceTypes",
        "launchTemplate.id",
        "launchTemplate.name",
        "nodeGroupName",
        "nodeGroupNamePrefix",
        "nodeRoleArn",
        "remoteAccess",
        "subnetIds",
    ),
    identity=("clusterName", "nodeGroupName"),
    computed=(
        "amiType",
        "capacityType",
        "diskSize",
        "instanceTypes",
        "launchTemplate.id",
        "launchTemplate.name",
        "nodeRepairConfig",
        "releaseVersion",
        "updateConfig",
        "updateConfig.maxUnavailable",
        "updateConfig.maxUnavailablePercentage",
        "updateConfig.updateStrategy",
        "version",
    ),
    local=("forceUpdateVersion", "nodeGroupNamePrefix"),
    refused=("warmPoolConfig",),
    unordered=("subnetIds", "taints", "remoteAccess.sourceSecurityGroupIds"),
    autoname=Autoname("nodeGroupName", longest=63, prefix_prop="nodeGroupNamePrefix"),
    missing=_MISSING,
    exists=_EXISTS,
    rules=_node_group_failures,
)


# -- access ------------------------------------------------------------------------------------------

_ENTRY = {"clusterName": "{clusterName}", "principalArn": "{principalArn}"}

ACCESS_ENTRY = Entry(
    token="aws:eks/accessEntry:AccessEntry",
    service="eks",
    id="{clusterName}:{principalArn}",
    create=Call(
        op="CreateAccessEntry",
        retry=("InvalidParameterException: principal", "ResourceNotFoundException: cluster"),
    ),
    names={"userName": "username"},
    then=(Call(op="UpdateAccessEntry", args=_ENTRY, send=("kubernetesGroups", "userName"), on="update"),),
    read=(Read(op="DescribeAccessEntry", args=_ENTRY, at="accessEntry"),),
    delete=(Call(op="DeleteAccessEntry", args=_ENTRY, send=()),),
    import_id="{clusterName}:{principalArn}",
    tags=_listed_tags("{accessEntryArn}"),
    replace=("clusterName", "principalArn", "type"),
    identity=("clusterName", "principalArn"),
    defaults={"type": "STANDARD"},
    computed=("kubernetesGroups", "userName"),
    unordered=("kubernetesGroups",),
    volatile={"modifiedAt": ()},
    missing=_MISSING,
    exists=_EXISTS,
)


def _associated(answer: Any, scope: Scope) -> Any:
    return next(
        (
            item
            for item in answer.get("associatedAccessPolicies", ())
            if item["policyArn"] == scope.lookup("policyArn")
        ),
        None,
    )


ACCESS_POLICY_ASSOCIATION = Entry(
    token="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    service="eks",
    id="{clusterName}#{principalArn}#{policyArn}",
    create=Call(op="AssociateAccessPolicy", retry=("ResourceNotFoundException: principal",)),
    read=(Read(op="ListAssociatedAccessPolicies", args=_ENTRY, at=_associated),),
    delete=(Call(op="DisassociateAccessPolicy", args={**_ENTRY, "policyArn": "{policyArn}"}, send=()),),
    import_id="{clusterName}#{principalArn}#{policyArn}",
    replace=("accessScope", "clusterName", "policyArn", "principalArn"),
    identity=("clusterName", "policyArn", "principalArn"),
    unordered=("accessScope.namespaces",),
    missing=_MISSING,
)

# -- add-on ------------------------------------------------------------------------------------------

_ADDON = {"clusterName": "{clusterName}", "addonName": "{addonName}"}

ADDON = Entry(
    token="aws:eks/addon:Addon",
    service="eks",
    id="{clusterName}:{addonName}",
    create=Call(
        op="CreateAddon",
        args={"resolveConflicts": "{resolveConflictsOnCreate}"},
        retry=_ROLE_NOT_YET,
    ),
    names={"arn": "addonArn", "resolveConflictsOnCreate": None, "resolveConflictsOnUpdate": None},
    then=(
        Call(
            op="UpdateAddon",
            args={**_ADDON, "resolveConflicts": "{resolveConflictsOnUpdate}"},
            send=("addonVersion", "serviceAccountRoleArn", "configurationValues", "podIdentityAssociations"),
            on="update",
            retry=_BUSY,
        ),
    ),
    read=(
        Read(
            op="DescribeAddon",
            args=_ADDON,
            at="addon",
        ),
    ),
    delete=(Call(op="DeleteAddon", args={**_ADDON, "preserve": "{preserve}"}, send=()),),
    import_id="{clusterName}:{addonName}",
    gone=1200,
    ready=Wait(
        op="DescribeAddon",
        args=_ADDON,
        path="addon.status",
        until=("ACTIVE",),
        fail=("CREATE_FAILED", "UPDATE_FAILED", "DEGRADED"),
        why="addon.health.issues[0].message",
        seconds=1200,
    ),
    tags=_listed_tags("{arn}"),
    replace=("addonName", "clusterName", "namespaceConfig"),
    identity=("addonName", "clusterName"),
    computed=("addonVersion", "configurationValues"),
    local=("preserve", "resolveConflictsOnCreate", "resolveConflictsOnUpdate"),
    write_only=("podIdentityAssociations",),
    normalise={"configurationValues": json_document},
    volatile={"modifiedAt": ()},
    missing=_MISSING,
    exists=_EXISTS,
)

ENTRIES = (CLUSTER, NODE_GROUP, ACCESS_ENTRY, ACCESS_POLICY_ASSOCIATION, ADDON)
