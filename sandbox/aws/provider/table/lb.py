"""Elastic Load Balancing v2: load balancers, target groups, listeners."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.aws.provider.errors import Failure
from sandbox.aws.provider.shapes import text_of
from sandbox.aws.provider.table.common import at_most_one, pairs
from sandbox.aws.provider.table.model import UNSAID, Autoname, Call, Do, Entry, Find, Read, Scope, Tags, Wait
from sandbox.aws.provider.values import Bag

_BUSY = ("ResourceInUse", "OperationNotPermitted: in use")

_TAGS = Tags(
    create=lambda tags: {"Tags": pairs(tags)},
    read=None,
    read_call=Read(op="DescribeTags", args={"ResourceArns": ["{id}"]}, at="TagDescriptions[0].Tags"),
    change=Call(op="AddTags", args={"ResourceArns": ["{id}"], "Tags": "{tags}"}, send=()),
    remove=Call(op="RemoveTags", args={"ResourceArns": ["{id}"], "TagKeys": "{keys}"}, send=()),
    style="Key",
)


# -- attributes: settings that live in a list of text pairs ------------------------------------------


def _attribute_step(operation: str, owner: str, keys: Mapping[str, str]) -> Do:
    """Send the attributes that changed, or on create those that are set."""

    def run(scope: Scope) -> None:
        changed = scope.lookup("changed") or scope.inputs.keys()
        left_out = () if scope.get("loadBalancerType") == "application" else _ONLY_APPLICATION
        attributes = [
            {"Key": key, "Value": text_of(_dig(scope.inputs, prop))}
            for prop, key in keys.items()
            if prop.split(".")[0] in changed and prop not in left_out and _dig(scope.inputs, prop) is not None
        ]
        if attributes:
            members: Bag = {owner: scope.resource_id, "Attributes": attributes}
            scope.call(operation, **members)

    return Do(run=run, uses=tuple(dict.fromkeys(prop.split(".")[0] for prop in keys)))


def _dig(bag: Any, path: str) -> Any:
    for name in path.split("."):
        bag = bag.get(name) if isinstance(bag, Mapping) else None
    return bag


def _attribute_reads(keys: Mapping[str, str]) -> Mapping[str, Callable[[Any], Any]]:
    flat = {prop: key for prop, key in keys.items() if "." not in prop}
    nested: dict[str, dict[str, str]] = {}
    for prop, key in keys.items():
        head, _, rest = prop.partition(".")
        if rest:
            nested.setdefault(head, {})[rest] = key
    reads: dict[str, Callable[[Any], Any]] = {prop: _one_attribute(key) for prop, key in flat.items()}
    reads |= {head: _block_of_attributes(parts) for head, parts in nested.items()}
    return reads


def _one_attribute(key: str) -> Callable[[Any], Any]:
    # Each kind of load balancer has attributes of its own, and shows no others.
    return lambda answer: _by_key(answer).get(key, UNSAID)


def _block_of_attributes(parts: Mapping[str, str]) -> Callable[[Any], Any]:
    def read(answer: Any) -> Bag | None:
        found = _by_key(answer)
        block = {name: found[key] for name, key in parts.items() if found.get(key)}
        return block or None

    return read


def _by_key(answer: Any) -> dict[str, Any]:
    return {item["Key"]: item.get("Value") for item in answer.get("Attributes", ())}


# -- load balancer -----------------------------------------------------------------------------------

_LB_ATTRIBUTES = {
    "accessLogs.enabled": "access_logs.s3.enabled",
    "accessLogs.bucket": "access_logs.s3.bucket",
    "accessLogs.prefix": "access_logs.s3.prefix",
    "clientKeepAlive": "client_keep_alive.seconds",
    "connectionLogs.enabled": "connection_logs.s3.enabled",
    "connectionLogs.bucket": "connection_logs.s3.bucket",
    "connectionLogs.prefix": "connection_logs.s3.prefix",
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dnsRecordClientRoutingPolicy": "dns_record.client_routing_policy",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableCrossZoneLoadBalancing": "load_balancing.cross_zone.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    "enableWafFailOpen": "waf.fail_open.enabled",
    "enableXffClientPort": "routing.http.xff_client_port.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}


# Attributes that only one kind of load balancer has: asking the other kind for them is refused.
_ONLY_APPLICATION = (
    "clientKeepAlive",
    "desyncMitigationMode",
    "dropInvalidHeaderFields",
    "enableHttp2",
    "enableTlsVersionAndCipherSuiteHeaders",
    "enableWafFailOpen",
    "enableXffClientPort",
    "idleTimeout",
    "preserveHostHeader",
    "xffHeaderProcessingMode",
)


def _scheme(scope: Scope) -> str | None:
    internal = scope.inputs.get("internal")
    return None if internal is None else ("internal" if internal else "internet-facing")


def _group_change_of_network_balancer(old: Bag, new: Bag) -> Iterable[str]:
    """A network load balancer without security groups cannot get any, nor lose its last."""
    if (new.get("loadBalancerType") or old.get("loadBalancerType")) != "network":
        return ()
    before, after = old.get("securityGroups"), new.get("securityGroups")
    return ("securityGroups",) if bool(before) != bool(after) and after is not None else ()


LOAD_BALANCER = Entry(
    token="aws:lb/loadBalancer:LoadBalancer",
    service="elbv2",
    id="{arn}",
    create=Call(
        op="CreateLoadBalancer",
        args={"Scheme": _scheme, "Type": "{loadBalancerType}"},
        uses=("internal",),
        send=(
            "name",
            "subnets",
            "subnetMappings",
            "securityGroups",
            "ipAddressType",
            "customerOwnedIpv4Pool",
        ),
        keep={"arn": "LoadBalancers[0].LoadBalancerArn"},
    ),
    names={
        "subnetMappings.privateIpv4Address": "PrivateIPv4Address",
        "subnetMappings.ipv6Address": "IPv6Address",
    },
    then=(
        _attribute_step("ModifyLoadBalancerAttributes", "LoadBalancerArn", _LB_ATTRIBUTES),
        Call(
            op="SetSecurityGroups",
            args={
                "LoadBalancerArn": "{id}",
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": (
                    "{enforceSecurityGroupInboundRulesOnPrivateLinkTraffic}"
                ),
            },
            send=("securityGroups",),
            on="update",
        ),
        Call(op="SetIpAddressType", args={"LoadBalancerArn": "{id}"}, send=("ipAddressType",), on="update"),
        Call(
            op="SetSubnets", args={"LoadBalancerArn": "{id}"}, send=("subnets", "subnetMappings"), on="update"
        ),
    ),
    read=(
        Read(
            op="DescribeLoadBalancers",
            args={"LoadBalancerArns": ["{id}"]},
            at="LoadBalancers[0]",
            only=("dnsName", "vpcId", "securityGroups", "ipAddressType", "customerOwnedIpv4Pool"),
            into={
                "arn": "LoadBalancerArn",
                "name": "LoadBalancerName",
                "dnsName": "DNSName",
                "internal": "Scheme == 'internal'",
                "loadBalancerType": "Type",
                "subnets": "AvailabilityZones[].SubnetId",
                "zoneId": "CanonicalHostedZoneId",
            },
        ),
        Read(
            op="DescribeLoadBalancerAttributes",
            args={"LoadBalancerArn": "{id}"},
            only=(),
            into=_attribute_reads(_LB_ATTRIBUTES),
        ),
    ),
    delete=(Call(op="DeleteLoadBalancer", args={"LoadBalancerArn": "{id}"}, send=(), retry=_BUSY),),
    gone=600,
    ready=Wait(
        op="DescribeLoadBalancers",
        args={"LoadBalancerArns": ["{id}"]},
        path="LoadBalancers[0].State.Code",
        until=("active", None),
        fail=("failed",),
        why="LoadBalancers[0].State.Reason",
    ),
    tags=_TAGS,
    replace=("customerOwnedIpv4Pool", "internal", "loadBalancerType", "name", "namePrefix"),
    replace_if=_group_change_of_network_balancer,
    identity=("name",),
    defaults={
        "clientKeepAlive": 3600,
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": False,
        "enableDeletionProtection": False,
        "enableHttp2": True,
        "enableTlsVersionAndCipherSuiteHeaders": False,
        "enableWafFailOpen": False,
        "enableXffClientPort": False,
        "idleTimeout": 60,
        "loadBalancerType": "application",
        "preserveHostHeader": False,
        "xffHeaderProcessingMode": "append",
    },
    computed=(
        "enableCrossZoneLoadBalancing",
        "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        "internal",
        "ipAddressType",
        "securityGroups",
        "subnetMappings",
        "subnets",
        "dnsRecordClientRoutingPolicy",
        "accessLogs",
        "connectionLogs",
    ),
    local=("namePrefix",),
    write_only=("subnetMappings", "enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
    unordered=("securityGroups", "subnets", "subnetMappings"),
    autoname=Autoname(longest=32, prefix_prop="namePrefix"),
    derive={"arn": "{id}", "arnSuffix": lambda s: s.resource_id.rpartition(":loadbalancer/")[2]},
    missing=("LoadBalancerNotFound",),
    exists=("DuplicateLoadBalancerName",),
    find=Find(
        op="DescribeLoadBalancers",
        items="LoadBalancers",
        resource_id="LoadBalancerArn",
        match={"LoadBalancerName": "{name}"},
    ),
    rules=at_most_one("subnets", "subnetMappings"),
)

# -- target group ------------------------------------------------------------------------------------

_TG_ATTRIBUTES = {
    "connectionTermination": "deregistration_delay.connection_termination.enabled",
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "lambdaMultiValueHeadersEnabled": "lambda.multi_value_headers.enabled",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "preserveClientIp": "preserve_client_ip.enabled",
    "proxyProtocolV2": "proxy_protocol_v2.enabled",
    "slowStart": "slow_start.duration_seconds",
    "stickiness.enabled": "stickiness.enabled",
    "stickiness.type": "stickiness.type",
    "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
    "stickiness.cookieName": "stickiness.app_cookie.cookie_name",
}
_HEALTH = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


def _matcher(scope: Scope) -> Bag | None:
    matcher = (scope.inputs.get("healthCheck") or {}).get("matcher")
    if not matcher:
        return None
    grpc = scope.inputs.get("protocolVersion") == "GRPC"
    return {"GrpcCode" if grpc else "HttpCode": str(matcher)}


def _health(prop: str) -> str:
    return f"{{healthCheck.{prop}}}"


_HEALTH_ARGS: dict[str, Any] = {
    **{member: _health(prop) for prop, member in _HEALTH.items()},
    "Matcher": _matcher,
}


def _health_back(group: Any) -> Bag:
    found = {prop: group.get(member) for prop, member in _HEALTH.items()}
    matcher = group.get("Matcher") or {}
    return {**found, "matcher": matcher.get("HttpCode") or matcher.get("GrpcCode")}


def _target_group_failures(inputs: Bag) -> Iterable[Failure]:
    if inputs.get("targetType") == "lambda":
        return
    for name in ("port", "protocol", "vpcId"):
        if inputs.get(name) is None:
            yield Failure(name, "is required unless targetType is lambda")


TARGET_GROUP = Entry(
    token="aws:lb/targetGroup:TargetGroup",
    service="elbv2",
    id="{arn}",
    create=Call(
        op="CreateTargetGroup",
        args=_HEALTH_ARGS,
        uses=("healthCheck",),
        send=("name", "port", "protocol", "protocolVersion", "vpcId", "targetType", "ipAddressType"),
        keep={"arn": "TargetGroups[0].TargetGroupArn"},
    ),
    then=(
        Call(
            op="ModifyTargetGroup",
            args={"TargetGroupArn": "{id}", **_HEALTH_ARGS},
            send=(),
            when=("healthCheck",),
            on="update",
        ),
        _attribute_step("ModifyTargetGroupAttributes", "TargetGroupArn", _TG_ATTRIBUTES),
    ),
    read=(
        Read(
            op="DescribeTargetGroups",
            args={"TargetGroupArns": ["{id}"]},
            at="TargetGroups[0]",
            only=(
                "port",
                "protocol",
                "protocolVersion",
                "vpcId",
                "targetType",
                "ipAddressType",
                "loadBalancerArns",
            ),
            into={"arn": "TargetGroupArn", "name": "TargetGroupName", "healthCheck": _health_back},
        ),
        Read(
            op="DescribeTargetGroupAttributes",
            args={"TargetGroupArn": "{id}"},
            only=(),
            into=_attribute_reads(_TG_ATTRIBUTES),
        ),
    ),
    delete=(Call(op="DeleteTargetGroup", args={"TargetGroupArn": "{id}"}, send=(), retry=_BUSY),),
    tags=_TAGS,
    replace=(
        "ipAddressType",
        "name",
        "namePrefix",
        "port",
        "protocol",
        "protocolVersion",
        "targetType",
        "vpcId",
    ),
    identity=("name",),
    defaults={
        "deregistrationDelay": 300,
        "lambdaMultiValueHeadersEnabled": False,
        "proxyProtocolV2": False,
        "slowStart": 0,
        "targetType": "instance",
    },
    computed=(
        "connectionTermination",
        "healthCheck",
        *(f"healthCheck.{name}" for name in (*_HEALTH, "matcher")),
        "ipAddressType",
        "loadBalancingAlgorithmType",
        "loadBalancingAnomalyMitigation",
        "loadBalancingCrossZoneEnabled",
        "preserveClientIp",
        "protocolVersion",
        "stickiness",
        "stickiness.cookieDuration",
        "stickiness.cookieName",
    ),
    local=("namePrefix",),
    normalise={
        "healthCheck.protocol": lambda value: str(value).upper(),
        "protocol": lambda value: str(value).upper(),
    },
    autoname=Autoname(longest=32, prefix_prop="namePrefix"),
    derive={"arn": "{id}", "arnSuffix": lambda s: s.resource_id.rpartition(":")[2]},
    missing=("TargetGroupNotFound",),
    exists=("DuplicateTargetGroupName",),
    find=Find(
        op="DescribeTargetGroups",
        items="TargetGroups",
        resource_id="TargetGroupArn",
        match={"TargetGroupName": "{name}"},
    ),
    rules=_target_group_failures,
)


# -- listener ----------------------------------------------------------------------------------------

_ACTIONS = {
    "defaultActions.forward": "ForwardConfig",
    "defaultActions.forward.targetGroups.arn": "TargetGroupArn",
    "defaultActions.forward.stickiness": "TargetGroupStickinessConfig",
    "defaultActions.forward.stickiness.duration": "DurationSeconds",
    "defaultActions.redirect": "RedirectConfig",
    "defaultActions.fixedResponse": "FixedResponseConfig",
    "defaultActions.authenticateCognito": "AuthenticateCognitoConfig",
    "defaultActions.authenticateOidc": "AuthenticateOidcConfig",
}


def _certificates(scope: Scope) -> list[Bag] | None:
    arn = scope.inputs.get("certificateArn")
    return [{"CertificateArn": arn}] if arn else None


def _alpn(scope: Scope) -> list[str] | None:
    policy = scope.inputs.get("alpnPolicy")
    return [policy] if policy else None


_LISTENER_ARGS: dict[str, Any] = {"Certificates": _certificates, "AlpnPolicy": _alpn}
_LISTENER_SENT = ("port", "protocol", "sslPolicy", "defaultActions", "mutualAuthentication")

LISTENER = Entry(
    token="aws:lb/listener:Listener",
    service="elbv2",
    id="{arn}",
    create=Call(
        op="CreateListener",
        args=_LISTENER_ARGS,
        uses=("certificateArn", "alpnPolicy"),
        send=("loadBalancerArn", *_LISTENER_SENT),
        keep={"arn": "Listeners[0].ListenerArn"},
    ),
    names=_ACTIONS,
    then=(
        Call(
            op="ModifyListener",
            args={"ListenerArn": "{id}", **_LISTENER_ARGS},
            uses=("certificateArn", "alpnPolicy"),
            send=_LISTENER_SENT,
            on="update",
        ),
    ),
    read=(
        Read(
            op="DescribeListeners",
            args={"ListenerArns": ["{id}"]},
            at="Listeners[0]",
            into={
                "arn": "ListenerArn",
                "certificateArn": "Certificates[0].CertificateArn",
                "alpnPolicy": "AlpnPolicy[0]",
            },
        ),
    ),
    delete=(Call(op="DeleteListener", args={"ListenerArn": "{id}"}, send=()),),
    tags=_TAGS,
    replace=("loadBalancerArn",),
    identity=("loadBalancerArn", "port"),
    computed=(
        "defaultActions.forward",
        "defaultActions.order",
        "defaultActions.targetGroupArn",
        "defaultActions.redirect.host",
        "defaultActions.redirect.path",
        "defaultActions.redirect.port",
        "defaultActions.redirect.protocol",
        "defaultActions.redirect.query",
        "mutualAuthentication",
        "protocol",
        "sslPolicy",
    ),
    derive={"arn": "{id}"},
    missing=("ListenerNotFound",),
    exists=("DuplicateListener",),
    find=Find(
        op="DescribeListeners",
        args={"LoadBalancerArn": "{loadBalancerArn}"},
        items="Listeners",
        resource_id="ListenerArn",
        match={"Port": "{port}"},
    ),
)

# -- targets -----------------------------------------------------------------------------------------


def _target(scope: Scope) -> list[Bag]:
    target = {
        "Id": scope.get("targetId"),
        "Port": scope.get("port"),
        "AvailabilityZone": scope.get("availabilityZone"),
    }
    return [{name: value for name, value in target.items() if value is not None}]


def _registered(answer: Any, scope: Scope) -> Any:
    for health in answer.get("TargetHealthDescriptions", ()):
        target = health["Target"]
        leaving = (health.get("TargetHealth") or {}).get("State") == "draining"
        port = scope.get("port")
        if target["Id"] == scope.get("targetId") and port in (None, target.get("Port")) and not leaving:
            return target
    return None


_TARGETS: dict[str, Any] = {"TargetGroupArn": "{targetGroupArn}", "Targets": _target}

TARGET_GROUP_ATTACHMENT = Entry(
    token="aws:lb/targetGroupAttachment:TargetGroupAttachment",
    service="elbv2",
    id=lambda s: "-".join(
        str(part) for part in (s.get("targetGroupArn"), s.get("targetId"), s.get("port")) if part
    ),
    create=Call(
        op="RegisterTargets",
        args=_TARGETS,
        send=(),
        uses=("targetId", "port", "availabilityZone"),
        retry=("InvalidTarget",),
    ),
    read=(
        Read(
            op="DescribeTargetHealth",
            args={"TargetGroupArn": "{targetGroupArn}"},
            at=_registered,
            only=(),
            into={"targetId": "Id"},
        ),
    ),
    delete=(Call(op="DeregisterTargets", args=_TARGETS, send=()),),
    import_id="",
    replace=("availabilityZone", "port", "targetGroupArn", "targetId"),
    missing=("TargetGroupNotFound", "InvalidTarget"),
)

ENTRIES = (LOAD_BALANCER, TARGET_GROUP, LISTENER, TARGET_GROUP_ATTACHMENT)
