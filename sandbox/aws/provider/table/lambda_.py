"""Lambda: functions and what hangs on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sandbox.aws.provider.archives import zipped
from sandbox.aws.provider.errors import Failure, ProviderError
from sandbox.aws.provider.normalise import json_document
from sandbox.aws.provider.table.common import map_tags
from sandbox.aws.provider.table.model import Autoname, Call, Do, Entry, Find, Read, Scope, Wait
from sandbox.aws.provider.values import Archive, Bag

_MISSING = ("ResourceNotFoundException",)
_EXISTS = ("ResourceConflictException",)
# A role needs seconds until Lambda may assume it; a function refuses changes while one is under way.
_ROLE_NOT_YET = (
    "InvalidParameterValueException: cannot be assumed",
    "InvalidParameterValueException: role",
    "InvalidParameterValueException: EC2",
    "InvalidParameterValueException: KMS",
)
_BUSY = ("ResourceConflictException: in progress", "ResourceConflictException: pending")
_INVOKE = "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions"

# -- function ----------------------------------------------------------------------------------------

_CODE = (
    "code",
    "s3Bucket",
    "s3Key",
    "s3ObjectVersion",
    "imageUri",
    "sourceCodeHash",
    "sourceKmsKeyArn",
    "architectures",
)
_CONFIGURATION = (
    "role",
    "handler",
    "description",
    "timeout",
    "memorySize",
    "vpcConfig",
    "environment",
    "runtime",
    "deadLetterConfig",
    "kmsKeyArn",
    "tracingConfig",
    "layers",
    "fileSystemConfig",
    "imageConfig",
    "ephemeralStorage",
    "snapStart",
    "loggingConfig",
)
_DIRECT_UPLOAD_LIMIT = 50 * 1024 * 1024


def _package(scope: Scope) -> Bag:
    """Where the code is, as both creating and updating want it."""
    code = scope.inputs.get("code")
    if isinstance(code, Archive):
        return {"ZipFile": _within_limit(zipped(code))}
    names = {
        "S3Bucket": "s3Bucket",
        "S3Key": "s3Key",
        "S3ObjectVersion": "s3ObjectVersion",
        "ImageUri": "imageUri",
        "SourceKMSKeyArn": "sourceKmsKeyArn",
    }
    return {member: scope.inputs[name] for member, name in names.items() if scope.inputs.get(name)}


def _within_limit(package: bytes) -> bytes:
    """Lambda's own limit, which the emulator does not keep: better met here than in the cloud."""
    if len(package) > _DIRECT_UPLOAD_LIMIT:
        raise ProviderError(
            f"the code package is {len(package) / 2**20:.0f} MB, and Lambda takes at most 50 MB directly: "
            "put it into a bucket (aws:s3/bucketObjectv2:BucketObjectv2) and set s3Bucket and s3Key"
        )
    return package


def _update_code(scope: Scope) -> None:
    scope.call(
        "UpdateFunctionCode",
        FunctionName=scope.resource_id,
        Architectures=scope.inputs.get("architectures"),
        **_package(scope),
    )


def _publish(scope: Scope) -> None:
    if scope.inputs.get("publish"):
        scope.call("PublishVersion", FunctionName=scope.resource_id)


def _code_failures(inputs: Bag) -> Iterable[Failure]:
    sources = [name for name in ("code", "s3Bucket", "imageUri") if inputs.get(name) is not None]
    image = inputs.get("packageType") == "Image"
    if not sources:
        yield Failure(
            "imageUri" if image else "code",
            "is not set: a function needs its code as one of code, s3Bucket with s3Key, or imageUri",
        )
    elif len(sources) > 1:
        yield Failure(sources[1], f"cannot be set together with {sources[0]}")
    if inputs.get("s3Bucket") is not None and inputs.get("s3Key") is None:
        yield Failure("s3Key", "is required with s3Bucket")
    if not image:
        for name in ("handler", "runtime"):
            if inputs.get(name) is None:
                yield Failure(name, "is required for a function whose package is a zip")


_READY = Wait(
    op="GetFunctionConfiguration",
    args={"FunctionName": "{id}"},
    # The first state that is not as it should be, else that of the last update.
    path="State != 'Active' && State || LastUpdateStatus || State",
    until=("Successful", "Active", "Inactive", None),
    fail=("Failed",),
    why="LastUpdateStatusReason || StateReason",
)

FUNCTION = Entry(
    token="aws:lambda/function:Function",
    service="lambda",
    id="{name}",
    create=Call(
        op="CreateFunction",
        args={"FunctionName": "{name}", "Code": _package, "Publish": "{publish}"},
        uses=_CODE,
        skip=("code",),
        late=("Code",),
        retry=_ROLE_NOT_YET,
    ),
    names={
        "name": "FunctionName",
        "arn": "FunctionArn",
        "fileSystemConfig": "FileSystemConfigs",
        "imageConfig.commands": "Command",
        "imageConfig.entryPoints": "EntryPoint",
        "sourceCodeSize": "CodeSize",
        "codeSha256": "CodeSha256",
        "version": None,
    },
    then=(
        Do(run=_update_code, uses=_CODE, on="update"),
        Call(
            op="UpdateFunctionConfiguration",
            args={"FunctionName": "{id}"},
            send=_CONFIGURATION,
            on="update",
            retry=(*_ROLE_NOT_YET, *_BUSY),
            wait=_READY,
        ),
        Call(
            op="PutFunctionConcurrency",
            args={"FunctionName": "{id}"},
            send=("reservedConcurrentExecutions",),
            unset=Call(op="DeleteFunctionConcurrency", args={"FunctionName": "{id}"}, send=()),
            retry=_BUSY,
        ),
        Call(
            op="PutFunctionCodeSigningConfig",
            args={"FunctionName": "{id}", "CodeSigningConfigArn": "{codeSigningConfigArn}"},
            send=(),
            on="update",
            unset=Call(op="DeleteFunctionCodeSigningConfig", args={"FunctionName": "{id}"}, send=()),
        ),
        Do(run=_publish, uses=(*_CODE, *_CONFIGURATION, "publish"), on="update"),
    ),
    empty={
        "environment": {"variables": {}},
        "deadLetterConfig": {"targetArn": ""},
        "vpcConfig": {"subnetIds": [], "securityGroupIds": []},
        "tracingConfig": {"mode": "PassThrough"},
        "fileSystemConfig": [],
        "ephemeralStorage": {"size": 512},
        "snapStart": {"applyOn": "None"},
        "loggingConfig": {"logFormat": "Text"},
    },
    read=(
        Read(
            op="GetFunction",
            args={"FunctionName": "{id}"},
            at="Configuration",
            into={
                "reservedConcurrentExecutions": "$.Concurrency.ReservedConcurrentExecutions || `-1`",
                "layers": "Layers[].Arn",
                "imageConfig": "ImageConfigResponse.ImageConfig",
                "snapStart": "SnapStart.ApplyOn != 'None' && SnapStart || `null`",
            },
        ),
        Read(
            op="ListVersionsByFunction",
            args={"FunctionName": "{id}"},
            only=(),
            into={"version": "Versions[-1].Version"},
        ),
    ),
    delete=(Call(op="DeleteFunction", args={"FunctionName": "{id}"}, send=(), retry=_BUSY),),
    tags=map_tags("Tags", "$.Tags", "{arn}", "TagResource", "UntagResource", resource="Resource"),
    ready=_READY,
    replace=("name", "packageType"),
    identity=("name",),
    defaults={
        "memorySize": 128,
        "packageType": "Zip",
        "publish": False,
        "reservedConcurrentExecutions": -1,
        "skipDestroy": False,
        "timeout": 3,
    },
    computed=(
        "architectures",
        "codeSha256",
        "ephemeralStorage",
        "loggingConfig",
        "sourceCodeHash",
        "tracingConfig",
        "vpcConfig.vpcId",
        "vpcConfig.ipv6AllowedForDualStack",
        "loggingConfig.logGroup",
        "snapStart.optimizationStatus",
    ),
    refused=("capacityProviderConfig", "durableConfig", "publishTo", "tenancyConfig"),
    local=("publish", "skipDestroy", "replaceSecurityGroupsOnDestroy", "replacementSecurityGroupIds"),
    write_only=(
        "code",
        "s3Bucket",
        "s3Key",
        "s3ObjectVersion",
        "imageUri",
        "sourceCodeHash",
        "sourceKmsKeyArn",
    ),
    unordered=("vpcConfig.subnetIds", "vpcConfig.securityGroupIds", "architectures"),
    autoname=Autoname(longest=64),
    volatile={
        "codeSha256": _CODE,
        "sourceCodeHash": _CODE,
        "sourceCodeSize": _CODE,
        "lastModified": (),
        "version": (*_CODE, *_CONFIGURATION, "publish"),
        "qualifiedArn": (*_CODE, *_CONFIGURATION, "publish"),
        "qualifiedInvokeArn": (*_CODE, *_CONFIGURATION, "publish"),
    },
    derive={
        "invokeArn": f"{_INVOKE}/{{arn}}/invocations",
        "qualifiedArn": "{arn}:{version}",
        "qualifiedInvokeArn": f"{_INVOKE}/{{qualifiedArn}}/invocations",
        "responseStreamingInvokeArn": (
            "arn:{partition}:apigateway:{region}:lambda:path/2021-11-15/functions/{arn}"
            "/response-streaming-invocations"
        ),
        "sourceCodeHash": lambda s: s.inputs.get("sourceCodeHash") or s.get("codeSha256"),
    },
    missing=_MISSING,
    exists=_EXISTS,
    rules=_code_failures,
)


# -- alias, permission -------------------------------------------------------------------------------


def _alias_arn(scope: Scope) -> str:
    function = str(scope.inputs["functionName"]).rpartition("function:")[2]
    name = scope.inputs["name"]
    return f"arn:aws:lambda:{scope.region}:{scope.account}:function:{function}:{name}"


ALIAS = Entry(
    token="aws:lambda/alias:Alias",
    service="lambda",
    id="{arn}",
    create=Call(op="CreateAlias", keep={"arn": "AliasArn"}, retry=_BUSY),
    then=(
        Call(
            op="UpdateAlias",
            args={"FunctionName": "{functionName}", "Name": "{name}"},
            send=("functionVersion", "description", "routingConfig"),
            on="update",
            retry=_BUSY,
        ),
    ),
    empty={"routingConfig": {"additionalVersionWeights": {}}},
    read=(
        Read(
            op="GetAlias",
            args={"FunctionName": "{functionName}", "Name": "{name}"},
            into={"arn": "AliasArn"},
        ),
    ),
    delete=(Call(op="DeleteAlias", args={"FunctionName": "{functionName}", "Name": "{name}"}, send=()),),
    import_id="{functionName}/{name}",
    replace=("functionName", "name"),
    identity=("functionName", "name"),
    autoname=Autoname(longest=128),
    derive={"invokeArn": f"{_INVOKE}/{{arn}}/invocations"},
    missing=_MISSING,
    exists=_EXISTS,
    recover_id=_alias_arn,
)


def _statement(answer: Any, scope: Scope) -> Any:
    """The one statement of the function's policy that is this permission, with its conditions flat."""
    wanted = scope.lookup("statementId") or scope.resource_id
    for statement in json.loads(answer["Policy"]).get("Statement", ()):
        if statement.get("Sid") == wanted:
            conditions = {
                key.lower(): value
                for condition in (statement.get("Condition") or {}).values()
                for key, value in condition.items()
            }
            return {**statement, "conditions": conditions, "who": _principal(statement.get("Principal"))}
    return None


def _principal(principal: Any) -> Any:
    """A permission's principal as it is asked for: an account's root stands for the account."""
    if not isinstance(principal, dict):
        return principal
    value = next(iter(principal.values()), None)
    if isinstance(value, str) and value.startswith("arn:") and value.endswith(":root"):
        return value.split(":")[4]
    return value


PERMISSION = Entry(
    token="aws:lambda/permission:Permission",
    service="lambda",
    id="{statementId}",
    create=Call(op="AddPermission", retry=_BUSY),
    names={"function": "FunctionName"},
    read=(
        Read(
            op="GetPolicy",
            args={"FunctionName": "{function}", "Qualifier": "{qualifier}"},
            at=_statement,
            only=("action",),
            into={
                "statementId": "Sid",
                "principal": "who",
                "sourceArn": 'conditions."aws:sourcearn"',
                "sourceAccount": 'conditions."aws:sourceaccount"',
                "eventSourceToken": 'conditions."lambda:eventsourcetoken"',
                "functionUrlAuthType": 'conditions."lambda:functionurlauthtype"',
                "principalOrgId": 'conditions."aws:principalorgid"',
            },
        ),
    ),
    delete=(
        Call(
            op="RemovePermission",
            args={"FunctionName": "{function}", "StatementId": "{id}", "Qualifier": "{qualifier}"},
            send=(),
        ),
    ),
    import_id="{function}/{statementId}",
    replace=(
        "action",
        "eventSourceToken",
        "function",
        "functionUrlAuthType",
        "invokedViaFunctionUrl",
        "principal",
        "principalOrgId",
        "qualifier",
        "sourceAccount",
        "sourceArn",
        "statementId",
        "statementIdPrefix",
    ),
    identity=("function", "qualifier", "statementId"),
    local=("statementIdPrefix",),
    autoname=Autoname("statementId", longest=100, prefix_prop="statementIdPrefix"),
    missing=_MISSING,
    exists=_EXISTS,
)

PROVISIONED_CONCURRENCY = Entry(
    token="aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
    service="lambda",
    id="{functionName},{qualifier}",
    create=Call(op="PutProvisionedConcurrencyConfig", retry=_BUSY),
    then=(Call(op="PutProvisionedConcurrencyConfig", on="update", retry=_BUSY),),
    read=(
        Read(
            op="GetProvisionedConcurrencyConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            only=(),
            into={"provisionedConcurrentExecutions": "RequestedProvisionedConcurrentExecutions"},
        ),
    ),
    delete=(
        Call(
            op="DeleteProvisionedConcurrencyConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            send=(),
        ),
    ),
    import_id="{functionName},{qualifier}",
    ready=Wait(
        op="GetProvisionedConcurrencyConfig",
        args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
        path="Status",
        until=("READY",),
        fail=("FAILED",),
        why="StatusReason",
        seconds=900,
    ),
    replace=("functionName", "qualifier"),
    identity=("functionName", "qualifier"),
    defaults={"skipDestroy": False},
    local=("skipDestroy",),
    missing=("ProvisionedConcurrencyConfigNotFoundException", *_MISSING),
)


# -- URL, asynchronous invocation, event sources -----------------------------------------------------

_CORS_FLAT = ("allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders")

FUNCTION_URL = Entry(
    token="aws:lambda/functionUrl:FunctionUrl",
    service="lambda",
    id=lambda s: "/".join(filter(None, (_short(s.get("functionName")), s.get("qualifier")))),
    create=Call(op="CreateFunctionUrlConfig", names={"authorizationType": "AuthType"}, retry=_BUSY),
    names={"authorizationType": "AuthType"},
    then=(
        Call(
            op="UpdateFunctionUrlConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            send=("authorizationType", "cors", "invokeMode"),
            on="update",
        ),
    ),
    read=(
        Read(
            op="GetFunctionUrlConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            into={"urlId": lambda url: url["FunctionUrl"].removeprefix("https://").split(".")[0]},
        ),
    ),
    delete=(
        Call(
            op="DeleteFunctionUrlConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            send=(),
        ),
    ),
    import_id="{functionName}",
    replace=("functionName", "qualifier"),
    identity=("functionName", "qualifier"),
    defaults={"invokeMode": "BUFFERED"},
    unordered=tuple(f"cors.{name}" for name in _CORS_FLAT),
    missing=_MISSING,
    exists=_EXISTS,
)


def _short(function: Any) -> str:
    return str(function).rpartition("function:")[2]


_EVENT_INVOKE = ("maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig")

FUNCTION_EVENT_INVOKE_CONFIG = Entry(
    token="aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    service="lambda",
    id=lambda s: ":".join(filter(None, (_short(s.get("functionName")), s.get("qualifier")))),
    create=Call(op="PutFunctionEventInvokeConfig", retry=_BUSY),
    then=(Call(op="PutFunctionEventInvokeConfig", on="update", retry=_BUSY),),
    read=(
        Read(
            op="GetFunctionEventInvokeConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            only=_EVENT_INVOKE,
        ),
    ),
    delete=(
        Call(
            op="DeleteFunctionEventInvokeConfig",
            args={"FunctionName": "{functionName}", "Qualifier": "{qualifier}"},
            send=(),
        ),
    ),
    empty={"destinationConfig": None},
    computed=("maximumEventAgeInSeconds",),
    import_id="{functionName}",
    replace=("functionName", "qualifier"),
    identity=("functionName", "qualifier"),
    defaults={"maximumRetryAttempts": 2},
    missing=_MISSING,
)

EVENT_SOURCE_MAPPING = Entry(
    token="aws:lambda/eventSourceMapping:EventSourceMapping",
    service="lambda",
    id="{uuid}",
    create=Call(
        op="CreateEventSourceMapping",
        keep={"uuid": "UUID"},
        retry=(
            *_BUSY,
            "InvalidParameterValueException: cannot access",
            "InvalidParameterValueException: role",
        ),
    ),
    names={
        "bisectBatchOnFunctionError": "BisectBatchOnFunctionError",
        "filterCriteria": "FilterCriteria",
        "arn": "EventSourceMappingArn",
        "functionName": "FunctionName",
        "uuid": "UUID",
    },
    then=(
        Call(
            op="UpdateEventSourceMapping",
            args={"UUID": "{id}"},
            on="update",
            retry=("ResourceInUseException", *_BUSY),
        ),
    ),
    read=(
        Read(
            op="GetEventSourceMapping",
            args={"UUID": "{id}"},
            into={"enabled": lambda mapping: mapping.get("State") not in ("Disabled", "Disabling")},
        ),
    ),
    delete=(
        Call(
            op="DeleteEventSourceMapping", args={"UUID": "{id}"}, send=(), retry=("ResourceInUseException",)
        ),
    ),
    gone=300,
    ready=Wait(
        op="GetEventSourceMapping",
        args={"UUID": "{id}"},
        path="State",
        until=("Enabled", "Disabled"),
    ),
    tags=map_tags(
        "Tags",
        None,
        "{arn}",
        "TagResource",
        "UntagResource",
        resource="Resource",
        read_call=Read(op="ListTags", args={"Resource": "{arn}"}, at="Tags"),
    ),
    replace=(
        "amazonManagedKafkaEventSourceConfig",
        "eventSourceArn",
        "queues",
        "selfManagedEventSource",
        "selfManagedKafkaEventSourceConfig",
        "startingPosition",
        "startingPositionTimestamp",
        "topics",
    ),
    defaults={"enabled": True},
    computed=(
        "batchSize",
        "bisectBatchOnFunctionError",
        "maximumBatchingWindowInSeconds",
        "maximumRecordAgeInSeconds",
        "maximumRetryAttempts",
        "parallelizationFactor",
        "startingPosition",
        "tumblingWindowInSeconds",
        "documentDbEventSourceConfig",
        "destinationConfig",
        "functionResponseTypes",
    ),
    write_only=("functionName",),
    normalise={"filterCriteria.filters.pattern": json_document},
    unordered=("filterCriteria.filters",),
    derive={
        "functionArn": lambda s: s.state.get("functionArn"),
        "arn": lambda s: (
            s.state.get("arn")
            or f"arn:aws:lambda:{s.region}:{s.account}:event-source-mapping:{s.resource_id}"
        ),
    },
    missing=_MISSING,
    find=Find(
        op="ListEventSourceMappings",
        args={"FunctionName": "{functionName}"},
        items="EventSourceMappings",
        resource_id="UUID",
        match={"EventSourceArn": "{eventSourceArn}"},
    ),
)

ENTRIES = (
    FUNCTION,
    ALIAS,
    PERMISSION,
    PROVISIONED_CONCURRENCY,
    FUNCTION_URL,
    FUNCTION_EVENT_INVOKE_CONFIG,
    EVENT_SOURCE_MAPPING,
)
