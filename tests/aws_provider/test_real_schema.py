"""The table against the real provider's own schema, where that file is at hand.

It is not part of this repository. `HALFMETAL_AWS_SCHEMA` names it, or it lies in a folder `shared` beside the
clone; without it these tests are skipped. It is older than the SDK (upstream 5.46): where the two differ in a
name, the SDK is right, and where AWS has moved on, `SINCE` says how.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.model import StructureShape

from sandbox.aws.provider import sdk, services
from sandbox.aws.provider.plan import Plan
from sandbox.aws.provider.sdk import ANY
from sandbox.aws.provider.shapes import Inbound, shape_at
from sandbox.aws.provider.table import all_entries
from sandbox.aws.provider.table.model import Entry
from sandbox.paths import REPO

SCHEMA = Path(os.environ.get("HALFMETAL_AWS_SCHEMA") or REPO.parent / "shared" / "aws-provider-schema.json")
pytestmark = pytest.mark.skipif(
    not SCHEMA.is_file(), reason="the real provider's schema is not here (HALFMETAL_AWS_SCHEMA)"
)

Schema = Mapping[str, Any]
_KINDS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
# Type and property path: why the present provider does otherwise than the schema says.
SINCE: Mapping[tuple[str, str], str] = {
    ("aws:ec2/eip:Eip", "vpc"): "removed: addresses are of a domain",
    ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "clientIdLists"): "changes in place since 5.81",
    ("aws:eks/cluster:Cluster", "bootstrapSelfManagedAddons"): "came with 5.57",
    ("aws:eks/addon:Addon", "namespaceConfig"): "came with 6.0",
    ("aws:lambda/permission:Permission", "invokedViaFunctionUrl"): "came with 6.0",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "resourceConfigurationArn"): "came with 5.84",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "serviceNetworkArn"): "came with 5.84",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "serviceRegion"): "came with 5.83",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "transitEncryptionEnabled"): "in place since 5.47",
    ("aws:elasticache/replicationGroup:ReplicationGroup", "preferredCacheClusterAzs"): (
        "there a change is taken and nothing is done about it"
    ),
}
# Required there; since then given by the service or by another property, or named by the provider.
NO_LONGER_REQUIRED = {
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "comparisonOperator"),
    ("aws:cloudwatch/metricAlarm:MetricAlarm", "evaluationPeriods"),
    ("aws:ec2/natGateway:NatGateway", "subnetId"),
    ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "thumbprintLists"),
    ("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "rules"),
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "serviceName"),
    ("aws:elasticache/replicationGroup:ReplicationGroup", "description"),
}


# What nothing on an emulator could say.
OUTPUTS_LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "aws:ec2/securityGroupRule:SecurityGroupRule": ("securityGroupRuleId",),
    "aws:ec2/vpc:Vpc": ("ipv6AssociationId",),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ("cidrBlocks", "prefixListId"),
    "aws:elasticache/replicationGroup:ReplicationGroup": ("engineVersionActual",),
    "aws:s3/bucket:Bucket": ("websiteDomain", "websiteEndpoint"),
    "aws:sns/topic:Topic": ("beginningArchiveTime",),
}
# The SDK types these more closely, or as the service does.
RETYPED = {
    ("aws:elasticache/replicationGroup:ReplicationGroup", "autoMinorVersionUpgrade"),
    ("aws:lambda/function:Function", "architectures"),
    ("aws:lb/targetGroup:TargetGroup", "deregistrationDelay"),
}


@pytest.fixture(scope="module")
def schema() -> Schema:
    found: Schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return found


each_entry = pytest.mark.parametrize("entry", [pytest.param(e, id=e.token) for e in all_entries()])


def resource(schema: Schema, entry: Entry) -> Schema:
    if entry.token not in schema["resources"]:
        pytest.skip("the schema has no such type")
    found: Schema = schema["resources"][entry.token]
    return found


def forcing(
    schema: Schema, properties: Schema, path: str = "", seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Paths whose change replaces the resource, nested ones included."""
    for name, kind in properties.items():
        here = f"{path}.{name}" if path else name
        if kind.get("willReplaceOnChanges"):
            yield here
        reference = kind.get("$ref") or (kind.get("items") or {}).get("$ref") or ""
        if reference.startswith("#/types/") and reference not in seen:
            inner = schema["types"][reference.removeprefix("#/types/")]["properties"]
            yield from forcing(schema, inner, here, seen | {reference})


def excused(entry: Entry, path: str) -> bool:
    return (entry.token, path) in SINCE or path.split(".", maxsplit=1)[0] in entry.refused


def unhandled(entry: Entry, path: str) -> bool:
    return path.split(".", maxsplit=1)[0] not in Plan(entry).handled


@each_entry
def test_what_forces_a_replacement_there_does_here(schema: Schema, entry: Entry) -> None:
    wanted = set(forcing(schema, resource(schema, entry)["inputs"]))
    stated = set(entry.replace)
    missing = {
        path
        for path in wanted
        if not any(path == own or path.startswith(f"{own}.") for own in stated)
        and not excused(entry, path)
        and not unhandled(entry, path)
    }
    assert missing == set()


@each_entry
def test_nothing_else_forces_a_replacement_here(schema: Schema, entry: Entry) -> None:
    wanted = set(forcing(schema, resource(schema, entry)["inputs"]))
    extra = {
        path
        for path in entry.replace
        if path not in wanted
        and not any(other.startswith(f"{path}.") for other in wanted)
        and not excused(entry, path)
    }
    assert extra == set()


@each_entry
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_names_and_types_are_the_real_ones(schema: Schema, entry: Entry, side: str) -> None:
    own = getattr(sdk.signature(entry.token), side)
    for name, kind in resource(schema, entry)[side].items():
        if name in own and kind.get("type") in _KINDS and (entry.token, name) not in RETYPED:
            # A policy may be an object as well, which the schema does not say.
            assert own[name].kind in (_KINDS[kind["type"]], "any"), name


@each_entry
def test_outputs_of_the_real_provider_are_made_here(schema: Schema, entry: Entry) -> None:
    """Those that are not inputs: what another resource may want to be told."""
    real, plan = resource(schema, entry), Plan(entry)
    computed = set(real["outputs"]) - set(real["inputs"])
    missing = computed & set(plan.signature.outputs) - readable(plan)
    assert missing - set(OUTPUTS_LEFT_OUT.get(entry.token, ())) == set()


def readable(plan: Plan) -> set[str]:
    """Outputs that some answer has a member for, or that the entry works out."""
    entry = plan.entry
    found = {"region", *entry.derive} | ({"tagsAll"} if entry.tags else set())
    for question in entry.read:
        found |= set(question.into)
        service = question.service or entry.service
        shape = services.output_shape(service, question.op)
        place = shape_at(shape, question.at) if isinstance(question.at, str) else None
        offered = plan.signature.outputs if question.only is None else question.only
        if isinstance(place, StructureShape):
            found |= {name for name in offered if _member(entry, name, place)}
        elif not isinstance(question.at, str):
            found |= set(offered)
    return found


def _member(entry: Entry, name: str, shape: StructureShape) -> bool:
    return name in Inbound(entry.names).outputs({}, shape, {name: ANY})


@each_entry
def test_what_is_required_there_is_required_here(schema: Schema, entry: Entry) -> None:
    signature = sdk.signature(entry.token)
    named = entry.autoname.prop if entry.autoname else ""
    missing = {
        name
        for name in set(resource(schema, entry)["required"]) - set(signature.required)
        if name != named and (entry.token, name) not in NO_LONGER_REQUIRED
    }
    assert missing == set()


@each_entry
def test_secrets_there_are_secrets_here(schema: Schema, entry: Entry) -> None:
    real = resource(schema, entry)
    secret = {name for name, kind in real["outputs"].items() if kind.get("secret")}
    assert secret <= set(entry.secret)
